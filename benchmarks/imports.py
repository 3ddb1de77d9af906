"""Real Opentrons protocols: how long import, verification and simulation take, beside the genuine analysis.

Opentrons analyses Python, and what is at hand are analyses: each is exported as a Python protocol again, and that is
what Opentrons gets, the whole process from its start.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.mutants import ANALYSES, read_text
from benchmarks.output import median_seconds, options, write
from benchmarks.peers import python_of
from protocols.errors import ExportError
from protocols.exporting import export_opentrons
from protocols.formats.documents import load_document
from protocols.labstate import LabState
from protocols.opentrons import import_analysis
from protocols.opentrons.inference import infer_contents
from protocols.program import Program
from protocols.verify import verify
from robots.execution.approval import SIMULATION
from robots.execution.executor import Company, Executor
from robots.execution.home import Home
from robots.execution.labs import LocalLab
from robots.execution.run_folder import Simulation, create_run
from robots.importing import workcell_for
from robots.workcell import Workcell

NO_PEER = "not installed: run 'python -m benchmarks.peers opentrons'"


def simulate(program: Program, workcell: Workcell, home: Path) -> None:
    """Run the program in a simulated lab with its journal on; what it asks of a person is done at once.

    Raises:
        RuntimeError: it did not run to its end.
    """
    simulation = Simulation()
    kept = Home(home)
    start = LabState.start(workcell.spec)
    run = create_run(kept, program, workcell.spec, start, workcell_file=str(workcell.path), simulation=simulation)
    run.approve(SIMULATION)
    executor = Executor(kept, workcell, devices=lambda run: LocalLab(workcell, program, run.run, simulation))
    done = executor.execute(
        run, Company(person=lambda question, choices: "done" if "done" in choices else None)
    ).finished
    if len(done) < len(program.instructions):
        raise RuntimeError(f"{program.title}: {len(done)} of {len(program.instructions)} instructions were done")


def measure(file: Path, folder: Path, python: Path | None, repeats: int) -> dict[str, Any]:
    """Seconds of each stage for one analysis."""
    path = folder / f"{file.name.partition('.')[0]}.analysis.json"
    path.write_text(read_text(file))

    def prepare() -> tuple[Program, Workcell]:
        imported = import_analysis(load_document(path))
        workcell = workcell_for(imported, path.name, folder).workcell
        return infer_contents(imported, workcell.spec).program, workcell

    program, workcell = prepare()
    figures: dict[str, Any] = {
        "instructions": len(program.instructions),
        "import_s": median_seconds(prepare, repeats),
        "verify_s": median_seconds(lambda: verify(program, workcell.spec), repeats),
    }
    began = time.perf_counter()
    simulate(program, workcell, folder / f"home {path.name}")
    figures["simulate_s"] = time.perf_counter() - began
    figures["opentrons_analysis_s"], figures["reason"] = genuine(program, workcell, path, python, repeats)
    return figures


def genuine(
    program: Program, workcell: Workcell, path: Path, python: Path | None, repeats: int
) -> tuple[float | None, str | None]:
    """Seconds of the genuine analysis of the exported protocol, or why there are none."""
    if python is None:
        return None, NO_PEER
    try:
        source = export_opentrons(program, workcell.spec).text
    except ExportError as error:
        return None, str(error)
    protocol = path.with_suffix(".py")
    protocol.write_text(source)
    output = path.with_suffix(".again.json")
    command = [str(python), "-m", "opentrons.cli", "analyze", f"--json-output={output}", str(protocol)]
    return median_seconds(lambda: subprocess.run(command, check=False, capture_output=True), repeats), None


def main() -> None:
    """Measure, print, write."""
    parser = options(__doc__ or "")
    parser.add_argument("--analyses", type=Path, default=ANALYSES, help="folder of *.json or *.json.gz")
    arguments = parser.parse_args()
    python = python_of("opentrons")
    files = sorted([*arguments.analyses.glob("*.json"), *arguments.analyses.glob("*.json.gz")])
    table = Table("protocol", "instructions", "import s", "verify s", "simulate s", "Opentrons' analysis s")
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for file in chosen(files, arguments):
            name = file.name.partition(".")[0]
            found = figures[name] = measure(file, Path(folder), python, 1 if arguments.quick else 3)
            took = [found[key] for key in ("import_s", "verify_s", "simulate_s", "opentrons_analysis_s")]
            table.add_row(name, str(found["instructions"]), *("-" if s is None else f"{s:.3g}" for s in took))
    Console(width=120).print(table)
    write(arguments.json, {"by_protocol": figures})


def chosen(files: list[Path], arguments: argparse.Namespace) -> list[Path]:
    """All protocols that ran; for a quick look the four smallest."""
    ran = [file for file in files if "_X_" not in file.name]
    return sorted(ran, key=lambda file: file.stat().st_size)[:4] if arguments.quick else ran


if __name__ == "__main__":
    main()
