"""The runner: carries out a program, one instruction after another, so that a crash loses nothing.

Before an instruction its intent is on the disk, after it its outcome. What has an intent and no outcome is in
doubt: the device is asked, then a person; it is never repeated and never passed over in silence.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from protocols import timing
from protocols.errors import LabwrightError
from protocols.outcomes import Outcome
from protocols.ports import CheckpointHook, Person, RecoveryChoice, RecoveryPolicy
from protocols.program import AnyInstruction, MoveLabware, Wait, instruction_adapter
from protocols.specs import WorkcellSpec
from protocols.wording import in_few_digits
from robots.execution.connection import Connection
from robots.execution.control import SAFE_SECONDS, Switches, try_to_make_safe
from robots.execution.devices import Devices
from robots.execution.halting import Halt, named
from robots.execution.ledger import Ledger
from robots.execution.people import People, request_of
from robots.execution.progress import Doubt, Ended, Progress, start_time
from robots.execution.recovery import check_outcome, policy_choice, what_remains
from robots.execution.substitution import children
from robots.ports import ConnectionLost

Progressed = Callable[[int, int, AnyInstruction], None]
"""Told after each instruction: how many are over, of how many, and which one was last."""
Source = Literal["device", "device record", "person"]
"""Who says how an instruction ended: the device at once, the device when asked later, or a person."""

_REMEDIES: tuple[RecoveryChoice, ...] = ("retry", "next tip", "skip")


class Runner:
    """Carries out the program of one run from where its ledger says it is."""

    def __init__(
        self,
        ledger: Ledger,
        devices: Devices,
        switches: Switches,
        workcell: WorkcellSpec,
        *,
        policy: RecoveryPolicy,
        person: Person | None = None,
        checkpoint: CheckpointHook | None = None,
        progressed: Progressed | None = None,
    ) -> None:
        self._ledger = ledger
        self._devices = devices
        self._switches = switches
        self._workcell = workcell
        self._policy = policy
        self._connection = Connection(devices, switches, lambda: ledger.progress.state)
        self._people = People(ledger, switches, person)
        self._checkpoint = checkpoint
        self._progressed = progressed
        self._seen: Ended | None = None

    @property
    def _progress(self) -> Progress:
        return self._ledger.progress

    async def run(self) -> None:
        """Go on until all is over or the run is stopped; the ledger says which.

        Raises:
            DeviceError: a device failed in a way that nobody foresaw.
            InputError: the program's instructions wait for each other.
            RecordError: the journal cannot be written.

        Whatever is raised, the devices were made safe first, and the run can be resumed.
        """
        self._switches.attach()
        try:
            await self._connection.open()
            while await self._step():
                pass
            self._ledger.append("run_ended", payload={"skipped": sorted(self._progress.skipped)})
        except Halt as halt:
            await self._halt(halt.reason)
            if halt.error is not None:
                raise halt.error from None
        except (Exception, asyncio.CancelledError) as error:
            await self._halt(_why(error))
            raise
        finally:
            await self._connection.close()

    # -- one step -----------------------------------------------------------------------------------

    async def _step(self) -> bool:
        """Do the next thing; ``False`` when nothing is left to do."""
        if self._switches.stopping:
            raise Halt("stopped")
        if self._switches.pausing:
            await self._pause()
        progress = self._progress
        if progress.ended is not None and progress.ended is not self._seen:
            self._seen = progress.ended
            await self._look(progress.own(progress.ended.instruction), progress.ended.outcome)
        question = progress.question
        if question is not None and question.topic == "checkpoint" and progress.answer is None:
            await self._people.ask_again(question)
        if progress.doubt is not None:
            await self._settle_doubt()
        elif progress.fault is not None:
            await self._recover(progress.fault)
        elif progress.queue:
            await self._start(progress.queue[0])
        else:
            instruction = progress.next_instruction(self._ledger.now())
            if instruction is None:
                return False
            await self._start(instruction)
        return True

    async def _start(self, instruction: AnyInstruction) -> None:
        progress = self._progress
        if instruction.id not in progress.own_ids:
            await self._begin(instruction)
            return
        early = start_time(instruction) - self._ledger.now()
        if early > 0.0:
            child = Wait(id=next(progress.child_ids(instruction.id)), step=instruction.step, seconds=early)
            await self._begin(child, parent=instruction.id)
            return
        await self._look(instruction, None)
        if self._is_held():
            return
        late = self._lateness(instruction)
        if (request := request_of(instruction, self._progress.state)) is not None:
            await self._people.ask("confirm", instruction, request + late, ("done",))
        elif late and await self._people.ask("late", instruction, f"Go on?{late}", ("go on", "skip")) == "skip":
            self._decided("skip", "person", ())
            return
        await self._begin(instruction)

    def _lateness(self, instruction: AnyInstruction) -> str:
        window, now = instruction.window, self._ledger.now()
        if window is None or window.latest is None or now <= window.latest:
            return ""
        return f" ({named(instruction)} was to start by {window.latest:g} s; it is {now:.1f} s.)"

    async def _begin(self, instruction: AnyInstruction, *, acts_done: int = 0, parent: str | None = None) -> None:
        """Write the intent, let the device do it, write the outcome.

        While the run is held nothing begins: the next step waits, and comes back here or stops.
        """
        if self._is_held():
            return
        progress = self._progress
        payload: dict[str, Any] = {"acts_done": acts_done}
        if (answer := self._confirmation(instruction)) is not None:
            payload["answer"] = answer
        if instruction.id not in progress.own_ids:
            payload |= {"parent": parent or progress.current, "instruction": _plain(instruction)}
        rest = self._rest_of(instruction)
        self._ledger.append("intent", instruction=instruction.id, payload=payload)
        await self._carry_out(rest, acts_done, "device")

    def _rest_of(self, instruction: AnyInstruction) -> AnyInstruction:
        """What is left of a wait that was cut off: time went on meanwhile."""
        if self._progress.doubt is None or not isinstance(instruction, Wait):
            return instruction
        passed = self._ledger.now() - self._progress.state.clock
        return replace(instruction, seconds=max(0.0, instruction.seconds - passed)) if passed > 0.0 else instruction

    def _confirmation(self, instruction: AnyInstruction) -> str | None:
        """What a person answered to the program's own question."""
        progress = self._progress
        if progress.doubt is not None:
            return progress.doubt.answer
        question = progress.question
        if question is None or (question.topic, question.instruction) != ("confirm", instruction.id):
            return None
        return progress.answer

    async def _carry_out(self, instruction: AnyInstruction, acts_done: int, source: Source) -> None:
        try:
            outcome = await self._connection.ask(lambda driver: driver.execute(instruction, acts_done=acts_done))
        except ConnectionLost as error:
            await self._connection.renew(instruction, error)
            return
        check_outcome(instruction, outcome)
        doubt = self._progress.doubt
        if outcome.answer is None and doubt is not None and doubt.answer is not None:
            outcome = outcome.model_copy(update={"answer": doubt.answer})
        self._end(instruction, outcome, source)

    def _end(self, instruction: AnyInstruction, outcome: Outcome, source: Source) -> None:
        progress = self._progress
        parent = progress.current
        self._ledger.append(
            "outcome",
            instruction=instruction.id,
            payload={"outcome": outcome.model_dump(mode="json", exclude_defaults=True), "source": source},
        )
        if progress.current is None and parent is not None:
            self._finished(parent)

    def _finished(self, instruction_id: str) -> None:
        progress = self._progress
        if self._progressed is not None:
            over, total = len(progress.finished), len(progress.program.instructions)
            self._progressed(over, total, progress.own(instruction_id))

    # -- doubt --------------------------------------------------------------------------------------

    async def _settle_doubt(self) -> None:
        """Find out what became of an instruction that was begun: ask the device, else a person."""
        doubt = self._progress.doubt
        assert doubt is not None
        instruction = doubt.instruction
        try:
            done = await self._connection.ask(lambda driver: driver.acts_done(instruction))
        except ConnectionLost as error:
            await self._connection.renew(instruction, error)
            return
        if done is not None and done >= self._connection.driver.acts(instruction):
            await self._carry_out(instruction, done, "device record")
        elif done is not None or instruction.repeatable:
            await self._begin(instruction, acts_done=done or 0)
        else:
            await self._ask_what_happened(doubt)

    async def _ask_what_happened(self, doubt: Doubt) -> None:
        instruction = doubt.instruction
        half = isinstance(instruction, MoveLabware) and instruction.by == "arm" and doubt.acts_done == 0
        choices = ("it happened", "it did not happen", *(("the arm holds it",) if half else ()))
        text = f"{named(instruction)}: begun, and the device cannot say how it ended. Did it happen?"
        answer = await self._people.ask("doubt", instruction, text, choices)
        if answer == "it happened":
            seconds = timing.seconds(instruction, self._progress.program, self._workcell)
            self._end(instruction, Outcome(seconds=seconds), "person")
        else:
            await self._begin(instruction, acts_done=1 if answer == "the arm holds it" else doubt.acts_done)

    # -- faults -------------------------------------------------------------------------------------

    async def _recover(self, fault: Outcome) -> None:
        """Decide what is done about an instruction that left something undone."""
        progress = self._progress
        instruction = progress.queue[0]
        rest = what_remains(instruction, fault)
        assert rest is not None
        possible = {choice: plan for choice in _REMEDIES if (plan := children(choice, progress, rest)) is not None}
        choice = "ask" if progress.made_safe else policy_choice(self._policy, fault, progress.tries)
        if choice == "make safe":
            self._ledger.append("recovery", instruction=instruction.id, payload={"choice": choice, "by": "policy"})
            raise Halt(f"{named(instruction)} failed: {_said(fault)}")
        if choice in possible:
            self._decided(choice, "policy", possible[choice])
            return
        text = f"{named(instruction)} failed: {_said(fault)}. What now?"
        answer = await self._people.ask("fault", instruction, text, tuple(possible))
        chosen = next(plan for name, plan in possible.items() if name == answer)
        self._decided(answer, "person", chosen)

    def _decided(self, choice: str, by: str, plan: tuple[AnyInstruction, ...]) -> None:
        parent = self._progress.current
        self._ledger.append(
            "recovery",
            instruction=parent,
            payload={"choice": choice, "by": by, "children": [_plain(child) for child in plan]},
        )
        if self._progress.current is None and parent is not None:
            self._finished(parent)

    # -- people -------------------------------------------------------------------------------------

    async def _look(self, instruction: AnyInstruction, outcome: Outcome | None) -> None:
        """Let the checkpoint look; what it says is put to a person."""
        question = self._progress.question
        if self._checkpoint is None or (question is not None and question.instruction == instruction.id):
            return
        found = self._checkpoint(instruction, outcome)
        if found is not None:
            when = "before" if outcome is None else "after"
            payload = {"when": when, "text": found}
            self._ledger.append("inspection", instruction=instruction.id, payload=payload)
            await self._people.ask("checkpoint", instruction, found, ("go on",))

    # -- holding ------------------------------------------------------------------------------------

    async def _pause(self) -> None:
        self._ledger.append("paused")
        await self._switches.until(lambda: not self._switches.pausing or self._switches.stopping)
        if self._switches.stopping:
            raise Halt("stopped")
        self._ledger.append("resumed")

    def _is_held(self) -> bool:
        """Nothing may begin: somebody asked for a pause or a stop."""
        return self._switches.pausing or self._switches.stopping

    async def _halt(self, reason: str) -> None:
        """Make safe and write down why.

        A stop from outside has done so, or is doing it; then an act that was on its way may have begun after it,
        so that the devices are told again.
        """
        if self._switches.stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._switches.until(self._switches.stopped.is_set), SAFE_SECONDS)
            reason = self._switches.stop_reason or reason
        trouble = await asyncio.to_thread(try_to_make_safe, self._devices.make_safe)
        self._ledger.append_stop(reason, safe=trouble is None)


def _why(error: BaseException) -> str:
    if isinstance(error, LabwrightError):
        return str(error)
    if isinstance(error, asyncio.CancelledError):
        return "interrupted"
    return f"{type(error).__name__}: {error}"


def _plain(instruction: AnyInstruction) -> dict[str, Any]:
    plain: dict[str, Any] = instruction_adapter.dump_python(instruction, mode="json", exclude_none=True)
    return plain


def _said(fault: Outcome) -> str:
    return in_few_digits("; ".join(item.message.rstrip(". ") for item in fault.faults)) or fault.status
