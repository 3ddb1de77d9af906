"""The World: the truth of a simulated lab, its clock, and a log in which every act is before it is answered.

An act happens whole or not at all. A device that can say what it did does an act once: told the same id again, it
answers what it answered and moves nothing. A device that cannot say does whatever it is told, as often as it is told.
What noise and faults do to an act depends on the seed and the act's id within its run alone: a run that was cut off
and resumed, or made again, meets what it would have met. After a crash the log is replayed with the amounts that
really moved.

The clock is virtual: an act takes no real time unless ``pace`` says how much of it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from protocols.devices import DeviceState
from protocols.digests import digest
from protocols.effects import Effect
from protocols.errors import RecordError
from protocols.labstate import LabState
from protocols.liquids import Liquid
from protocols.outcomes import Outcome
from protocols.program import Program
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from protocols.timing import seconds as expected_seconds
from robots.ports import ConnectionLost
from robots.simulator.commands import Command, Grip, Release, as_instruction, command_adapter, within_run
from robots.simulator.errors import ActRefused, Stopped
from robots.simulator.faults import FaultPlan, Strike, strikes
from robots.simulator.noise import Noise, taken_time
from robots.simulator.physics import Actual, Truth, decide, enact, report
from robots.simulator.record import ActRecord, WorldLog

SNAPSHOT_EVERY = 200
"""Acts between snapshots of the truth in the log."""

GRIP_SHARE = 0.5
"""Of the time that moving labware takes, what passes until it is held (an assumption: both halves are alike)."""


def cut_power() -> None:
    """End this process at once, as when the power goes."""
    os.kill(os.getpid(), signal.SIGKILL)


class World:
    """The truth of a simulated lab. Any thread may call it; acts happen one after another.

    Attributes:
        workcell: what the lab has.
        pace: real seconds for each second of the lab's clock.
    """

    def __init__(
        self,
        workcell: WorkcellSpec,
        *,
        log: Path | None = None,
        seed: int = 0,
        noise: Noise | None = None,
        faults: FaultPlan | None = None,
        pace: float = 0.0,
        on_power_cut: Callable[[], None] = cut_power,
    ) -> None:
        """Open the lab, as its log left it.

        Args:
            log: the durable log; without one the lab is gone when it is closed.
            noise: the default is :class:`~robots.simulator.noise.Noise` with the permissible errors.
            faults: what is to go wrong; the default is nothing.
            on_power_cut: what a power cut does; by default it kills this process.

        Raises:
            RecordError: the log is in use, damaged, or another workcell's.
        """
        self.workcell = workcell
        self.pace = pace
        self._seed = seed
        self._noise = Noise() if noise is None else noise
        self._faults = FaultPlan() if faults is None else faults
        self._on_power_cut = on_power_cut
        self._acting = threading.Lock()
        self._truth_lock = threading.RLock()
        self._motion = threading.Condition()
        self._halts = 0
        self._log = WorldLog(log, digest(workcell))
        try:
            self._log.start_session(seed, self._noise.model_dump_json(), self._faults.model_dump_json())
            self._truth = self._replay()
        except BaseException:
            self._log.close()
            raise

    # -- acts ---------------------------------------------------------------------------------------

    def act(self, act_id: str, command: Mapping[str, Any] | Command) -> Outcome:
        """Carry out one act and answer what the device noticed of it.

        Args:
            act_id: "RUN:INSTRUCTION#N". An act that is in the log is answered from there and does not happen again,
                unless its device cannot say what it did: then it happens again, and is in the log as
                "RUN:INSTRUCTION#N again 1".
            command: see :mod:`robots.simulator.commands`.

        Raises:
            ActRefused: the command is malformed, or ``act_id`` stands for another command.
            Stopped: the World was told to be safe meanwhile; nothing moved.
            ConnectionLost: a planned fault; whether the act was done is in the log.
            RecordError: the log cannot be written; nothing moved.
        """
        asked = _read_command(command)
        written = asked.model_dump(mode="json")
        with self._acting:
            before = self._halts
            with self._truth_lock:
                recorded = self._recorded(act_id, written)
                if recorded is not None and self._can_say(asked):
                    return recorded
                if recorded is not None:
                    act_id = self._log.free_id(act_id)
                struck = self._strike(act_id, asked)
                lot = within_run(act_id)
                decision = decide(self._truth, asked, lot, self._noise, self._seed, struck)
                seconds = taken_time(self._noise, self._seed, lot, self._expected(asked))
            self._pass_time(seconds, before, act_id)
            with self._truth_lock:
                start = self._truth.state.clock
                effects = enact(self._truth, asked, decision.actual)
                self._truth.state.advance_time(seconds)
                outcome = report(self._truth, asked, decision, effects, seconds)
                self._store(act_id, written, decision.actual.model_dump(mode="json"), outcome, effects, start)
            self._lose(struck, happened=True)
            return outcome

    def prepare(
        self,
        labware: Mapping[str, PlacedLabware],
        contents: Sequence[Fill],
        liquids: Mapping[str, Liquid],
        *,
        run: str = "setup",
    ) -> None:
        """Set up a run as a person would: stand its labware on the deck and fill its wells.

        The meaning is that of :meth:`protocols.labstate.LabState.set_up`. Once for each ``run``.

        Raises:
            ActRefused: the run was set up otherwise before.
        """
        setup = Program(
            title=run, labware=dict(labware), contents=tuple(contents), liquids=dict(liquids), instructions=()
        )
        written = {
            "kind": "prepare",
            **setup.model_dump(mode="json", include={"labware", "contents", "liquids"}),
        }
        with self._acting, self._truth_lock:
            act_id = f"{run}:prepare#0"
            if self._recorded(act_id, written) is None:
                start = self._truth.state.clock
                self._truth.state.set_up(setup)
                self._store(act_id, written, {}, Outcome(), (), start)

    def make_safe(self) -> None:
        """Stop all motion now, also while another thread's act is under way; that act then did not happen."""
        with self._motion:
            self._halts += 1
            self._motion.notify_all()
        with self._truth_lock:
            self._log.halt(self._truth.state.clock)

    # -- questions ----------------------------------------------------------------------------------

    def acts_done(self, run_instruction: str, device: str | None = None) -> int | None:
        """How many acts of "RUN:INSTRUCTION" happened, failed ones among them; ``None``: the device cannot say.

        Args:
            device: the device that is asked; without one, every machine of the workcell must be able to say.
        """
        devices = self.workcell.devices
        asked = [spec for name, spec in devices.items() if name == device or (not device and spec.kind != "person")]
        if not all(spec.answers for spec in asked):
            return None
        with self._truth_lock:
            return self._log.done(run_instruction)

    def tips(self) -> dict[str, list[bool]]:
        """Which channels of each pipette feel a tip."""
        with self._truth_lock:
            return {
                pipette: [tip is not None for tip in mounted] for pipette, mounted in self._truth.state.channels.items()
            }

    def devices(self) -> dict[str, DeviceState]:
        """What each device on the deck is doing."""
        with self._truth_lock:
            return {name: replace(state) for name, state in self._truth.state.devices.items()}

    def log(self, after: int = 0) -> tuple[ActRecord, ...]:
        """Every act whose sequence number is above ``after``, in the order in which they happened."""
        with self._truth_lock:
            return self._log.acts(after)

    def log_identity(self) -> list[int] | None:
        """Which file the log is (device and inode), whatever stands at its path now; ``None`` in memory."""
        return self._log.identity

    def halts(self) -> int:
        """How often the World was told to be safe."""
        with self._truth_lock:
            return self._log.halts()

    def snapshot(self) -> dict[str, Any]:
        """The truth as plain JSON: ``state`` (:meth:`LabState.snapshot`) and ``hand``."""
        with self._truth_lock:
            return self._truth.snapshot()

    @property
    def state(self) -> LabState:
        """The truth itself; not to be changed."""
        return self._truth.state

    @property
    def hand(self) -> str | None:
        """The labware that the arm holds."""
        return self._truth.hand

    def close(self) -> None:
        """Close the log. An act under way is stopped first."""
        with self._motion:
            self._halts += 1
            self._motion.notify_all()
        with self._acting, self._truth_lock:
            self._log.close()

    # -- inside -------------------------------------------------------------------------------------

    def _recorded(self, act_id: str, command: dict[str, Any]) -> Outcome | None:
        found = self._log.find(act_id)
        if found is None:
            return None
        if found.command != command:
            raise ActRefused(
                f"the act '{act_id}' is in the log with another command",
                where=self.workcell.name,
                mend="Give every act an id of its own",
            )
        return Outcome.model_validate(found.answer)

    def _can_say(self, command: Command) -> bool:
        """Whether the device that carries out ``command`` can say what it did."""
        if isinstance(command, Grip | Release):
            device = self.workcell.arm
        else:
            pipette = self.workcell.pipettes.get(getattr(command, "pipette", ""))
            device = pipette.device if pipette is not None else getattr(command, "device", None)
        spec = self.workcell.devices.get(device or "")
        return spec is None or spec.answers

    def _strike(self, act_id: str, command: Command) -> tuple[Strike, ...]:
        """The faults that strike this act; those that keep it from happening strike here."""
        nth = 1 + self._log.count() - self._prepared
        found = strikes(self._faults, self._seed, act_id, nth, command)
        left = tuple(strike for strike in found if not self._log.has_struck(strike.key))
        self._lose(left, happened=False)
        return left

    def _lose(self, struck: Sequence[Strike], *, happened: bool) -> None:
        """Lose the power or the connection, before or after the act."""
        for strike in struck:
            fault = strike.fault
            if fault.kind not in ("power cut", "connection lost") or fault.happened != happened:
                continue
            with self._truth_lock:
                self._log.strike(strike.key)
            if fault.kind == "power cut":
                self._on_power_cut()
            raise ConnectionLost(
                "the connection to the simulated device was lost",
                where=self.workcell.name,
                mend="Resume the run",
            )

    def _expected(self, command: Command) -> float:
        expected = expected_seconds(*as_instruction(command), self.workcell)
        if isinstance(command, Grip):
            return expected * GRIP_SHARE
        if isinstance(command, Release):
            return expected * (1.0 - GRIP_SHARE)
        return expected

    def _pass_time(self, seconds: float, halts_before: int, act_id: str) -> None:
        """Let real time pass at the World's pace, unless it is told to be safe."""
        if self.pace <= 0.0:
            return
        with self._motion:
            if self._motion.wait_for(lambda: self._halts != halts_before, timeout=seconds * self.pace):
                raise Stopped(f"the act '{act_id}' was stopped before anything moved", where=self.workcell.name)

    def _store(
        self,
        act_id: str,
        command: dict[str, Any],
        actual: dict[str, Any],
        outcome: Outcome,
        effects: Sequence[Effect],
        start: float,
    ) -> None:
        sequence = self._log.count() + 1
        record = ActRecord(
            sequence=sequence,
            id=act_id,
            instruction=act_id.rpartition("#")[0],
            command=command,
            actual=actual,
            answer=outcome.model_dump(mode="json"),
            effects=tuple(asdict(effect) for effect in effects),
            start=start,
            end=self._truth.state.clock,
        )
        try:
            self._log.append(record, self._truth.snapshot() if sequence % SNAPSHOT_EVERY == 0 else None)
        except RecordError:
            self._truth = self._replay()  # what is not in the log has not happened
            raise
        if command["kind"] == "prepare":
            self._prepared += 1

    def _replay(self) -> Truth:
        """The truth that the log tells."""
        found = self._log.latest_snapshot()
        if found is None:
            after, truth = 0, Truth(LabState.start(self.workcell))
        else:
            after, truth = found[0], Truth.restore(self.workcell, found[1])
        for record in self._log.acts(after):
            if record.command["kind"] == "prepare":
                truth.state.set_up(_setup(record.command))
            else:
                enact(truth, _read_command(record.command), Actual.model_validate(record.actual))
            truth.state.clock = record.end
        self._prepared = self._log.prepared()
        return truth


def _setup(command: dict[str, Any]) -> Program:
    parts = {name: command[name] for name in ("labware", "contents", "liquids")}
    return Program.model_validate({"title": "setup", "instructions": (), **parts})


def _read_command(command: Mapping[str, Any] | Command) -> Command:
    try:
        return command_adapter.validate_python(command)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ActRefused(f"the command cannot be read: {first['msg']}", where=place) from None
