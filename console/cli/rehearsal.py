"""A small experiment from protocol to record, in a simulated lab that is gone afterwards."""

from __future__ import annotations

import tempfile
from pathlib import Path

from protocols.compiler import compile_protocol
from protocols.labstate import LabState
from protocols.protocol import Protocol
from robots.execution.approval import SIMULATION
from robots.execution.executor import Executor
from robots.execution.home import Home
from robots.execution.labs import LocalLab
from robots.execution.run_folder import Simulation, create_run
from robots.workcell import load_workcell


def rehearse() -> tuple[int, int]:
    """Carry it out; returns how many instructions were done, and how many there are."""
    workcell = load_workcell("starlet")
    protocol = Protocol.model_validate(
        {
            "title": "Rehearsal",
            "labware": {"rehearsal": {"category": "plate"}},
            "liquids": {"dye": {"name": "dye"}},
            "materials": [{"liquid": "dye", "wells": "rehearsal/A1", "volume": "100 uL"}],
            "steps": [
                {
                    "id": "move",
                    "do": "transfer",
                    "source": "rehearsal/A1",
                    "destination": "rehearsal/B1",
                    "volume": "50 uL",
                }
            ],
        }
    )
    program = compile_protocol(protocol, workcell.spec).program
    simulation = Simulation()
    with tempfile.TemporaryDirectory(prefix="labwright-") as temporary:
        home = Home(Path(temporary))
        run = create_run(
            home,
            program,
            workcell.spec,
            LabState.start(workcell.spec),
            workcell_file=str(workcell.path),
            simulation=simulation,
        )
        run.approve(SIMULATION)
        executor = Executor(home, workcell, devices=lambda run: LocalLab(workcell, program, run.run, simulation))
        progress = executor.execute(run)
    return len(progress.finished), len(program.instructions)
