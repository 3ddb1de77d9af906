"""Whole runs as a laboratory would make them: an example file, compiled, proved, and run on the simulated lab."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from protocols.compiler import Compilation, compile_protocol
from protocols.digests import digest
from protocols.events import GENESIS, Event, EventKind
from protocols.formats.options import Worklist, WorklistOptions
from protocols.formats.protocol_file import read_protocol
from protocols.formats.worklist import read_worklist
from protocols.labstate import LabState
from protocols.ports import Person, RecoveryPolicy
from protocols.program import Program
from protocols.verify import verify
from robots.driver import make_driver
from robots.execution.control import Stopper, Switches
from robots.execution.ledger import Ledger, VirtualClock
from robots.execution.progress import Progress
from robots.execution.runner import Runner
from robots.ports import Driver
from robots.report import Plan, Report, RunFacts, UnreachableRow, build_report, render_html
from robots.report.model import Status
from robots.simulator import FaultPlan, LocalWorld, Noise, World
from robots.workcell import Workcell, load_workcell

EXAMPLES = Path(__file__).parents[2] / "examples"
DEAD_VOLUME = 2.5
"""µL that no tip reaches in a well of the extraction plate, with the film that stays in a tip."""
RUN = "20260301T101500-a-real-run-0a1b"


@dataclass(frozen=True)
class Work:
    """What is to be run, and what was known of it before."""

    workcell: Workcell
    compilation: Compilation
    plan: Plan

    @property
    def program(self) -> Program:
        return self.compilation.program


@dataclass
class Lab:
    """The simulated devices of one run, as the runner asks for them."""

    work: Work
    faults: FaultPlan = field(default_factory=FaultPlan)

    def __post_init__(self) -> None:
        world = World(self.work.workcell.spec, noise=Noise.off(), faults=self.faults)
        program = self.work.program
        world.prepare(program.labware, program.contents, program.liquids, run=RUN)
        self.world = LocalWorld(world)

    async def connect(self, state: LabState) -> Driver:
        driver = make_driver(self.work.workcell, self.work.program, state, RUN, world=self.world)
        await driver.setup()
        return driver

    async def make_safe(self) -> None:
        await self.world.make_safe()

    async def close(self) -> None:
        await self.world.close()


class Notebook:
    """A journal that forgets: what the ledger needs of one, without the disk."""

    run = RUN

    def __init__(self) -> None:
        self._events: list[Event] = []

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self._events)

    def append(
        self, kind: EventKind, *, virtual_time: float, instruction: str | None, payload: dict[str, Any] | None
    ) -> Event:
        event = Event(
            sequence=len(self._events),
            run=self.run,
            instruction=instruction,
            wall_time=f"2026-03-01T10:15:{len(self._events) % 60:02}.000000+00:00",
            virtual_time=virtual_time,
            kind=kind,
            payload=payload or {},
            previous=GENESIS,
        )
        self._events.append(event)
        return event


@cache
def normalisation(workcell: str = "starlet") -> Work:
    """The example worklist of 96 extracts; those that cannot reach the target are taken neat."""
    options = WorklistOptions(
        shortfall="neat",
        dead_volume=DEAD_VOLUME,
        diluent="Tris buffer",
        diluent_well="tris/A1",
        diluent_volume=12_000.0,
    )
    return from_worklist(read_worklist(EXAMPLES / "worklists" / "dna_normalisation_96.csv", options), workcell)


@cache
def cherry_pick(workcell: str = "starlet") -> Work:
    """The example worklist that picks from four plates."""
    worklist = read_worklist(
        EXAMPLES / "worklists" / "cherry_pick_4_plates.csv", WorklistOptions(source_volume=150.0, pool=True)
    )
    return from_worklist(worklist, workcell)


@cache
def serial_dilution(workcell: str = "starlet") -> Work:
    lab = load_workcell(workcell)
    protocol = read_protocol(EXAMPLES / "protocols" / "serial_dilution.yaml")
    on_deck = {name: liquid for name, liquid in lab.spec.liquids.items() if name in protocol.liquids}
    protocol = protocol.model_copy(update={"liquids": {**protocol.liquids, **on_deck}})
    return _work(lab, compile_protocol(protocol, lab.spec), Plan(description=protocol.description))


def from_worklist(worklist: Worklist, workcell: str) -> Work:
    lab = load_workcell(workcell)
    unreachable = tuple(
        UnreachableRow(row=f"line {short.line}", sample=short.sample, reason=short.why, action=short.done)
        for short in worklist.unreachable
    )
    plan = Plan(description=worklist.protocol.description, notes=worklist.assumptions, unreachable=unreachable)
    return _work(lab, compile_protocol(worklist.protocol, lab.spec), plan)


def _work(workcell: Workcell, compilation: Compilation, plan: Plan) -> Work:
    tallies = compilation.tallies
    told = plan.model_copy(
        update={
            "source": "an example",
            "setup": compilation.setup,
            "notes": (*plan.notes, *compilation.notes),
            "tallies": {"tips": tallies.tips_in_all, "instructions": tallies.instructions_in_all},
            "findings": verify(compilation.program, workcell.spec).findings,
        }
    )
    return Work(workcell, compilation, told)


def run(
    work: Work,
    *,
    faults: FaultPlan | None = None,
    policy: RecoveryPolicy | None = None,
    person: Person | None = None,
    stop_after: int | None = None,
) -> tuple[Event, ...]:
    """Carry out the program on the simulated lab; returns the journal's events."""
    lab = Lab(work, faults or FaultPlan())
    with closing(lab.world.world):
        notebook = Notebook()
        progress = Progress(work.program, LabState.start(work.workcell.spec, work.program))
        ledger = Ledger(notebook, progress, VirtualClock())
        ledger.append("run_created")
        ledger.append("approved", payload={"by": "Dr. Ada Biologist"})
        ledger.append("run_started")
        switches = Switches()
        stopper = Stopper(switches, ledger, lab.make_safe)

        def watch(over: int, _total: int, _instruction: object) -> None:
            if over == stop_after:
                thread = threading.Thread(target=stopper.stop, args=("the incubator alarm went off",))
                thread.start()
                thread.join()

        runner = Runner(
            ledger,
            lab,
            switches,
            work.workcell.spec,
            policy=policy or RecoveryPolicy(),
            person=person,
            progressed=watch,
        )
        asyncio.run(runner.run())
        return notebook.events


def report(work: Work, events: tuple[Event, ...] = (), status: Status = "completed") -> Report:
    spec = work.workcell.spec
    facts = RunFacts(
        run=RUN,
        title=work.program.title,
        status=status,
        workcell=spec.name,
        simulated=True,
        program_digest=digest(work.program),
        workcell_digest=digest(spec),
    )
    return build_report(facts, work.plan, work.program, spec, LabState.start(spec, work.program), events)


def page(work: Work, built: Report) -> str:
    return render_html(built, work.program, work.workcell.spec)
