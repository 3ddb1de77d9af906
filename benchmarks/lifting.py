"""How much of real Opentrons protocols is lifted into bench steps: `python -m benchmarks.lifting [FOLDER]`.

A stroke is an aspirate, a dispense or a mix of one channel. FOLDER holds analyses (`*.analysis.json`); without it those
beside the tests are taken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from protocols.formats.documents import load_document
from protocols.lifting import Lifted, lift
from protocols.opentrons import import_analysis
from protocols.opentrons.inference import infer_contents
from robots.importing import workcell_for
from tests.opentrons import corpus


def lifted(path: Path, folder: Path) -> Lifted:
    result = import_analysis(load_document(path))
    spec = workcell_for(result, "it", folder).workcell.spec
    set_up = infer_contents(result, spec)
    return lift(set_up.program, spec, inferred=set_up.inferred)


def files(given: list[str], folder: Path) -> Iterator[Path]:
    if given:
        yield from sorted(Path(given[0]).glob("*.analysis.json"))
    else:
        yield from (corpus.write(name, folder) for name in corpus.NAMES)


def main(given: list[str]) -> None:
    strokes = said = 0
    with TemporaryDirectory() as place:
        for path in files(given, Path(place)):
            with TemporaryDirectory() as folder:
                found = lifted(path, Path(folder))
            strokes, said = strokes + found.strokes, said + found.lifted
            share = found.lifted / found.strokes if found.strokes else 1.0
            counted = f"{found.lifted:6,} of {found.strokes:6,} strokes, {len(found.protocol.steps):4} steps"
            print(f"{share:7.2%}  {counted}  {path.name}")
            for kept in found.kept:
                print(f"           {kept}")
    print(f"{said / strokes:7.2%}  {said:6,} of {strokes:6,} strokes in all")


if __name__ == "__main__":
    main(sys.argv[1:])
