"""Mistakes put into real Opentrons protocols, and how many verification catches.

Each mistake is made at places drawn at random in each file, and so are changes that are none. A mistake is caught where
the file is refused or an error is found, and missed where none is; an error after a change that is no mistake is
a false alarm.
"""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.mutations import HARMFUL, HARMLESS
from benchmarks.output import options, show, write
from protocols.errors import LabwrightError
from protocols.formats.documents import load_document
from protocols.opentrons import import_analysis
from protocols.opentrons.inference import infer_contents
from protocols.verify import verify
from robots.importing import workcell_for

ANALYSES = Path(__file__).parent.parent / "tests" / "opentrons" / "analyses"


@dataclass
class Tally:
    """How often something was found or not, by what was done; and where it was not."""

    found: Counter[str] = field(default_factory=Counter)
    not_found: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Counter[str]] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)

    def note(self, kind: str, codes: set[str], place: str, *, wrong: bool) -> None:
        """One change of ``kind`` gave the errors ``codes``; ``place`` is kept where that is ``wrong``."""
        (self.found if codes else self.not_found)[kind] += 1
        self.codes.setdefault(kind, Counter()).update(codes)
        if wrong:
            self.places.append(f"{kind}: {place}: {', '.join(sorted(codes)) or 'no error'}")


def errors_of(analysis: dict[str, Any], folder: Path) -> set[str]:
    """The codes of the errors in ``analysis``, "refused" where it cannot be read at all."""
    path = folder / "mutant.analysis.json"
    path.write_text(json.dumps(analysis))
    try:
        imported = import_analysis(load_document(path))
        found = workcell_for(imported, "mutant", folder)
        checked = verify(infer_contents(imported, found.workcell.spec).program, found.workcell.spec)
    except LabwrightError:
        return {"refused"}
    findings = (*imported.findings, *found.findings, *checked.findings)
    return {finding.code for finding in findings if finding.severity == "error"}


def read_text(path: Path) -> str:
    """The analysis in a file, compressed or not."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()


def main() -> None:
    """Make mistakes, count, print, write."""
    parser = options(__doc__ or "")
    parser.add_argument("--analyses", type=Path, default=ANALYSES, help="folder of *.json or *.json.gz")
    parser.add_argument(
        "--each", type=int, default=0, help="places a mistake is made at in each file; default 8, 2 quick"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    each = arguments.each or (2 if arguments.quick else 8)
    chance = random.Random(arguments.seed)
    files = sorted([*arguments.analyses.glob("*.json"), *arguments.analyses.glob("*.json.gz")])
    mistakes, changes, skipped = Tally(), Tally(), 0
    with tempfile.TemporaryDirectory() as folder, Progress() as bar:
        task = bar.add_task("files", total=len(files))
        for file in files:
            analysis = json.loads(read_text(file))
            sound = not errors_of(analysis, Path(folder))
            skipped += not sound
            for kind, mutate in {**HARMFUL, **HARMLESS}.items() if sound else ():
                mutants = list(mutate(analysis))
                for number in sorted(chance.sample(range(len(mutants)), min(each, len(mutants)))):
                    codes = errors_of(mutants[number], Path(folder))
                    harmful = kind in HARMFUL
                    tally = mistakes if harmful else changes
                    tally.note(kind, codes, f"{file.name} #{number}", wrong=harmful != bool(codes))
            bar.advance(task)
    report(mistakes, changes, len(files) - skipped, skipped, arguments.json)


def report(mistakes: Tally, changes: Tally, files: int, skipped: int, path: Path | None) -> None:
    """Print the figures and write them."""
    by_kind = {
        kind: {
            "caught": mistakes.found[kind],
            "missed": mistakes.not_found[kind],
            "codes": dict(mistakes.codes.get(kind, {})),
        }
        for kind in HARMFUL
    }
    figures = {
        "caught": mistakes.found.total(),
        "missed": mistakes.not_found.total(),
        "false_alarms": changes.found.total(),
        "by_kind": by_kind
        | {kind: {"false_alarms": changes.found[kind], "quiet": changes.not_found[kind]} for kind in HARMLESS},
        "files": files,
        "files_with_errors_left_out": skipped,
        "missed_places": mistakes.places,
        "false_alarm_places": changes.places,
    }
    rows: list[tuple[str, object]] = [("files", files), ("files left out, with errors of their own", skipped)]
    rows += [(f"{kind}: caught, missed", f"{mistakes.found[kind]}, {mistakes.not_found[kind]}") for kind in HARMFUL]
    rows += [(f"{kind}: false alarms, quiet", f"{changes.found[kind]}, {changes.not_found[kind]}") for kind in HARMLESS]
    rows += [(name, figures[name]) for name in ("caught", "missed", "false_alarms")]
    show("Mistakes in real protocols", rows)
    for place in (*mistakes.places, *changes.places):
        print(place)
    write(path, figures)


if __name__ == "__main__":
    main()
