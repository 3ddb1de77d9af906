"""What carrying out a program costs beside the bare pylabrobot calls: journal, guard, expectation and control.

The same transfers (a fresh tip, 20 µL from plate to plate, the tip into the trash) go four ways, in turn: as a run
through the executor with its journal on the disk; as bare pylabrobot calls to the same simulated lab; as bare
pylabrobot calls to pylabrobot's own chatterbox; and as nothing but the two durable writes that a journal cannot do
without.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sqlite3
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import LiquidHandlerBackend, LiquidHandlerChatterboxBackend
from pylabrobot.resources import set_tip_tracking, set_volume_tracking

from benchmarks.output import options, show, write
from benchmarks.transfers import PLATES, VOLUME, groups, program
from protocols.labstate import LabState
from protocols.program import Program
from robots.execution.approval import SIMULATION
from robots.execution.executor import Company, Executor
from robots.execution.home import Home
from robots.execution.labs import LocalLab
from robots.execution.run_folder import RunFolder, Simulation, create_run
from robots.simulator import LocalWorld, Noise, SimulatedLiquidHandler, World
from robots.workcell import Workcell, load_workcell

EXACT = Simulation(noise=Noise.off())
RACK = "tips_300_1"


def through_labwright(workcell: Workcell, planned: Program, folder: Path) -> float:
    """Seconds from a run's first intent to its end, its journal on the disk."""
    home = Home(folder)
    deck = LabState.start(workcell.spec)
    run = create_run(home, planned, workcell.spec, deck, workcell_file=str(workcell.path), simulation=EXACT)
    run.approve(SIMULATION)

    def devices(folder: RunFolder) -> LocalLab:
        return LocalLab(workcell, planned, folder.run, EXACT)

    executor = Executor(home, workcell, devices=devices)
    progress = executor.execute(run, Company(person=lambda question, choices: choices[0]))
    assert progress.phase == "done", progress.stop_reason
    events = run.events()
    first = next(event for event in events if event.kind == "intent")
    return (datetime.fromisoformat(events[-1].wall_time) - datetime.fromisoformat(first.wall_time)).total_seconds()


def through_pylabrobot(workcell: Workcell, planned: Program, operations: int, channels: int, *, own: bool) -> float:
    """Seconds of the bare calls: to the simulated lab (``own``), or to pylabrobot's chatterbox."""
    backend: LiquidHandlerBackend
    if own:
        world = World(workcell.spec, noise=Noise.off())
        world.prepare(planned.labware, planned.contents, planned.liquids)
        backend = SimulatedLiquidHandler(LocalWorld(world))
    else:
        backend = LiquidHandlerChatterboxBackend(num_channels=8)
    set_tip_tracking(False)  # pylabrobot's default, which the guard of the runs before turned on
    set_volume_tracking(False)
    deck = workcell.build_deck({**workcell.spec.labware, **PLATES})
    handler = LiquidHandler(backend, deck)
    with contextlib.redirect_stdout(io.StringIO()):
        return asyncio.run(_bare(handler, deck, operations, channels))


async def _bare(handler: LiquidHandler, deck: Any, operations: int, channels: int) -> float:
    await handler.setup()
    rack, used = deck.get_resource(RACK), list(range(channels))
    start = time.perf_counter()
    for number, (round_, wells) in enumerate(groups(operations, channels)):
        source, target = ("here", "there") if round_ % 2 == 0 else ("there", "here")
        if number and wells[0] == "A1":
            rack.fill()
            if isinstance(handler.backend, SimulatedLiquidHandler):
                handler.backend.acts.begin(f"bare:rack {number}")
                await handler.backend.replace_tip_rack(RACK)
        spots = [rack.get_item(well) for well in wells]
        drawn, filled = ([deck.get_resource(plate).get_item(well) for well in wells] for plate in (source, target))
        volumes = [VOLUME] * channels
        for act, call in enumerate(
            (
                lambda spots=spots: handler.pick_up_tips(spots, used),
                lambda drawn=drawn, volumes=volumes: handler.aspirate(drawn, volumes, used),
                lambda filled=filled, volumes=volumes: handler.dispense(filled, volumes, used),
                lambda: handler.discard_tips(used),
            )
        ):
            if isinstance(handler.backend, SimulatedLiquidHandler):
                handler.backend.acts.begin(f"bare:{number} {act}")
            await call()
    seconds = time.perf_counter() - start
    await handler.stop()
    return seconds


def durable_writes(folder: Path, count: int) -> float:
    """Seconds of ``count`` small SQLite transactions that are on the disk when they return."""
    database = sqlite3.connect(folder / "limit.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE event (number INTEGER PRIMARY KEY, payload TEXT) STRICT")
    start = time.perf_counter()
    for number in range(count):
        database.execute("INSERT INTO event VALUES (?, ?)", (number, "x" * 300))
    seconds = time.perf_counter() - start
    database.close()
    return seconds


def measure(workcell: Workcell, operations: int, channels: int, repeats: int) -> dict[str, float]:
    """Medians, µs for each instruction."""
    planned = program(operations, channels, 1)
    count = len(planned.instructions)
    timings: dict[str, list[float]] = {"labwright": [], "bare": [], "chatterbox": [], "disk": []}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            timings["labwright"].append(through_labwright(workcell, planned, Path(folder)))
            timings["disk"].append(durable_writes(Path(folder), 2 * count))
        timings["bare"].append(through_pylabrobot(workcell, planned, operations, channels, own=True))
        timings["chatterbox"].append(through_pylabrobot(workcell, planned, operations, channels, own=False))
    return {name: statistics.median(seconds) / count * 1e6 for name, seconds in timings.items()}


def main() -> None:
    parser = options(__doc__ or "")
    arguments = parser.parse_args()
    operations, repeats = (768, 3) if arguments.quick else (3072, 7)
    workcell = load_workcell("starlet")
    by_channels = {channels: measure(workcell, operations, channels, repeats) for channels in (1, 8)}
    one = by_channels[1]
    figures = {
        "overhead_us_per_instruction": one["labwright"] - one["bare"],
        "ratio_to_bare_call": one["labwright"] / one["bare"],
        "ratio_to_chatterbox_call": one["labwright"] / one["chatterbox"],
        "us_per_instruction_by_channels": by_channels,
    }
    rows: list[tuple[str, object]] = [
        (f"{name}, {channels} channel{'s' * (channels > 1)}, µs per instruction", value)
        for channels, found in by_channels.items()
        for name, value in found.items()
    ]
    rows += [(name.replace("_", " "), value) for name, value in figures.items() if isinstance(value, float)]
    show("What the executor adds", rows)
    write(arguments.json, figures)


if __name__ == "__main__":
    main()
