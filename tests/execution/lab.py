"""A lab for the tests of execution: a scripted machine, the simulated lab, and a run's parts wired together."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from protocols.events import Event
from protocols.labstate import LabState
from protocols.liquids import Liquid, LiquidClass
from protocols.outcomes import Fault, Outcome
from protocols.ports import CheckpointHook, EventListener, Person, RecoveryPolicy
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    Program,
    ReplaceTipRack,
    Wait,
)
from protocols.specs import Fill, PlacedLabware
from robots.driver import make_driver
from robots.execution.control import ControlServer, Stopper, Switches
from robots.execution.devices import Devices
from robots.execution.journal import Journal
from robots.execution.ledger import Clock, Ledger, VirtualClock
from robots.execution.progress import Progress
from robots.execution.runner import Progressed, Runner
from robots.ports import Driver
from robots.simulator import FaultPlan, LocalWorld, Noise, PlannedFault, World
from robots.workcell import Workcell, load_workcell

RUN = "20260101T000000-a-test-0000"
CLASS = LiquidClass(name="water", blow_out=15.0, transport_air=5.0, film=0.2)
TWO: dict[str, Any] = {"pipette": "channels", "channels": (0, 3)}
STROKE: dict[str, Any] = {**TWO, "liquid_class": "w", "height": 1.0}

EVERY_KIND: tuple[AnyInstruction, ...] = (
    PickUpTips(id="pick", spots=("tips_300_1/A1", "tips_300_1/D1"), **TWO),
    Aspirate(id="draw", wells=("p/A1", "p/D1"), volumes=(60.0, 45.0), **STROKE),
    AirGap(id="gap", volumes=(5.0, 10.0), **TWO),
    Dispense(id="give", wells=("p/A2", "p/D2"), volumes=(65.0, 55.0), **STROKE),
    Mix(id="mix", wells=("p/A2", "p/D2"), volumes=(40.0, 30.0), cycles=3, **STROKE),
    DropTips(id="drop", **TWO),
    MoveLabware(id="move", labware="p", site="plates-b-5"),
    ReplaceTipRack(id="rack", rack="tips_300_1"),
    Wait(id="wait", seconds=30.0),
    AskPerson(id="ask", message="Is the plate sealed?"),
)
TRANSFER = EVERY_KIND[:4] + EVERY_KIND[5:6]
"""Pick up, draw, gap, give, drop."""


class Crash(BaseException):
    """The process ends here: nothing after it happens."""


@cache
def starlet() -> Workcell:
    return load_workcell("starlet")


def program(*instructions: AnyInstruction) -> Program:
    """A program with one plate "p" (200 µL of sample in column 1) and one liquid class "w"."""
    return Program(
        title="a test",
        liquids={"sample": Liquid(name="sample")},
        liquid_classes={"w": CLASS},
        labware={"p": PlacedLabware(kind="flat_96_360ul", site="plates-a-1")},
        contents=tuple(Fill(well=f"p/{row}1", liquid="sample", volume=200.0) for row in "ABCDEFGH"),
        instructions=instructions,
    )


def waits(*seconds: float) -> tuple[Wait, ...]:
    """Plain instructions "w0", "w1", …"""
    return tuple(Wait(id=f"w{number}", seconds=duration) for number, duration in enumerate(seconds))


def failed(kind: Any, *channels: int, also: Outcome | None = None, **fields: Any) -> Outcome:
    """An outcome with a fault on each of the channels, or on none in particular, and those of ``also``."""
    faults = tuple(Fault(kind=kind, channel=channel, message=f"{kind} there") for channel in channels or (None,))
    faults += also.faults if also else ()
    return Outcome(**{"status": "failed", "seconds": 1.0, "faults": faults, **fields})


Step = Outcome | BaseException | Callable[[], Awaitable[Outcome]]
"""What a scripted machine does instead of what it was told."""


@dataclass
class Machine:
    """A scripted machine; it outlives the process that drives it.

    Attributes:
        answers: it can say what it did.
        script: for an instruction, what happens at each attempt; afterwards, and without one, all goes well.
        connections: what happens at each attempt to connect; ``None`` is success.
        before, after: called with an act ("draw#0") before and after it happens.
        acts: the acts that happened.
        safe: how often it was made safe.
    """

    answers: bool = True
    script: dict[str, list[Step]] = field(default_factory=dict)
    connections: list[BaseException | None] = field(default_factory=list)
    before: Callable[[str], None] = lambda act: None
    after: Callable[[str], None] = lambda act: None
    make_safe_does: Callable[[], Awaitable[None]] | None = None
    acts: list[str] = field(default_factory=list)
    told: list[AnyInstruction] = field(default_factory=list)
    safe: list[float] = field(default_factory=list)
    connected: int = 0
    closed: int = 0

    def done(self, instruction_id: str) -> int:
        return sum(act.rpartition("#")[0] == instruction_id for act in self.acts)

    # -- robots.execution.devices.Devices -----------------------------------------------------------

    async def connect(self, state: LabState) -> Driver:
        trouble = self.connections.pop(0) if self.connections else None
        if trouble is not None:
            raise trouble
        self.connected += 1
        return ScriptedDriver(self)

    async def make_safe(self) -> None:
        self.safe.append(time.monotonic())
        if self.make_safe_does is not None:
            await self.make_safe_does()

    async def close(self) -> None:
        self.closed += 1


class ScriptedDriver:
    """The driver of a :class:`Machine`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.answers = machine.answers

    async def setup(self) -> None:
        pass

    def acts(self, instruction: AnyInstruction) -> int:
        return 2 if isinstance(instruction, MoveLabware) and instruction.by == "arm" else 1

    async def execute(self, instruction: AnyInstruction, *, acts_done: int = 0) -> Outcome:
        machine = self.machine
        told_again = acts_done >= self.acts(instruction)
        if not told_again:
            machine.told.append(instruction)
        if not told_again and machine.script.get(instruction.id):
            step = machine.script[instruction.id].pop(0)
            if isinstance(step, BaseException):
                raise step
            if not isinstance(step, Outcome):
                return await step()
            machine.acts.append(f"{instruction.id}#{acts_done}")
            return step
        for act in range(acts_done, self.acts(instruction)):
            machine.before(f"{instruction.id}#{act}")
            machine.acts.append(f"{instruction.id}#{act}")
            machine.after(f"{instruction.id}#{act}")
        return Outcome(seconds=instruction.seconds if isinstance(instruction, Wait) else 1.0)

    async def acts_done(self, instruction: AnyInstruction) -> int | None:
        return self.machine.done(instruction.id) if self.answers else None

    async def make_safe(self) -> None:
        await self.machine.make_safe()

    async def close(self) -> None:
        self.machine.closed += 1


class SimulatedLab:
    """The simulated lab behind the real driver; it outlives the process that drives it."""

    def __init__(self, wanted: Program, *faults: PlannedFault, answers: bool = True) -> None:
        self.program = wanted
        spec = starlet().spec
        devices = {name: device.model_copy(update={"answers": answers}) for name, device in spec.devices.items()}
        self.world = World(
            spec.model_copy(update={"devices": devices}), noise=Noise.off(), faults=FaultPlan(faults=faults)
        )
        self.world.prepare(wanted.labware, wanted.contents, wanted.liquids, run=RUN)
        self.port = LocalWorld(self.world)

    async def connect(self, state: LabState) -> Driver:
        driver = make_driver(starlet(), self.program, state, RUN, world=self.port)
        await driver.setup()
        return driver

    async def make_safe(self) -> None:
        await self.port.make_safe()

    async def close(self) -> None:
        pass

    @property
    def acts(self) -> list[str]:
        return [record.id.removeprefix(f"{RUN}:") for record in self.world.log() if "prepare" not in record.id]

    def volumes(self) -> dict[str, float]:
        """What is in the plate's wells."""
        return {name: well.volume for name, well in self.world.state.wells.items() if name.startswith("p/")}


@dataclass
class Answers:
    """A person who gives these answers, one after the other, and then is not there."""

    answers: list[str | None]
    heard: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def __call__(self, question: str, choices: tuple[str, ...]) -> str | None:
        self.heard.append((question, choices))
        return self.answers.pop(0) if self.answers else None


def person(*answers: str | None) -> Answers:
    return Answers(list(answers))


class Absorbed:
    """A person who reads a question and takes their time: :meth:`wake` lets them look up, without an answer."""

    def __init__(self) -> None:
        self._up = threading.Event()

    def __call__(self, question: str, choices: tuple[str, ...]) -> str | None:
        self._up.wait(20.0)
        return None

    def wake(self) -> None:
        self._up.set()


class Session:
    """One process's work on a run."""

    def __init__(self, run: Run, journal: Journal, options: dict[str, Any]) -> None:
        self.journal = journal
        progress = Progress(run.program, LabState.start(starlet().spec, run.program))
        self.ledger = Ledger(journal, progress, run.clock, options.pop("listeners", ()))
        self.switches = Switches()
        self.stopper = Stopper(self.switches, self.ledger, run.devices.make_safe)
        self.folder = run.folder
        options.setdefault("policy", RecoveryPolicy())
        self.runner = Runner(self.ledger, run.devices, self.switches, starlet().spec, **options)
        self.error: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal.events]

    def carry_on(self) -> None:
        """Run to the end, or until something stops it, in this thread."""
        started = "run_started" in self.kinds
        self.ledger.append("resumed" if started else "run_started")
        asyncio.run(self.runner.run())

    def start(self) -> None:
        """The same in a thread of its own; what it raises is kept as ``error``."""
        self._thread = threading.Thread(target=self._kept, daemon=True)
        self._thread.start()

    def _kept(self) -> None:
        try:
            self.carry_on()
        except BaseException as error:
            self.error = error

    def join(self, seconds: float = 20.0) -> None:
        assert self._thread is not None
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the run goes on"

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until ``condition`` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.kinds
            time.sleep(0.001)

    def until_asked(self) -> None:
        self.until(lambda: self.ledger.progress.question is not None and self.ledger.progress.answer is None)

    @contextmanager
    def served(self) -> Iterator[str]:
        """The address of the control channel."""
        with ControlServer(self.folder, self.ledger, self.switches, self.stopper) as server:
            yield server.address


@dataclass
class Run:
    """One run on the disk, and the devices that it works on."""

    folder: Path
    program: Program
    devices: Devices
    clock: Clock = field(default_factory=VirtualClock)

    @property
    def path(self) -> Path:
        return self.folder / "journal.sqlite"

    @contextmanager
    def open(
        self,
        *,
        person: Person | None = None,
        policy: RecoveryPolicy | None = None,
        checkpoint: CheckpointHook | None = None,
        progressed: Progressed | None = None,
        listeners: Sequence[EventListener] = (),
    ) -> Iterator[Session]:
        options: dict[str, Any] = {"person": person, "checkpoint": checkpoint, "progressed": progressed}
        options |= {"listeners": listeners, "policy": policy or RecoveryPolicy()}
        with Journal(self.path, RUN) as journal:
            yield Session(self, journal, options)

    def go(self, **options: Any) -> Session:
        """Begin the run or go on with it until it ends or stops."""
        with self.open(**options) as session:
            session.carry_on()
            return session


def told(events: Sequence[Event], *kinds: str) -> list[tuple[str, str | None]]:
    """(kind, instruction) of the events of these kinds, or of all."""
    return [(event.kind, event.instruction) for event in events if not kinds or event.kind in kinds]


def crash_at(kind: str, instruction: str | None = None) -> EventListener:
    """A listener: the process ends when such an event was stored."""

    def listen(event: Event) -> None:
        if event.kind == kind and instruction in (None, event.instruction):
            raise Crash

    return listen
