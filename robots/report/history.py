"""What the events of a run say: when each instruction was done, how it ended, and what departed from the plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocols.events import Event
from protocols.labstate import LabState
from protocols.outcomes import Fault, Outcome
from protocols.program import AnyInstruction, Program
from protocols.quantities import show_volume
from protocols.wording import describe, in_few_digits
from robots.execution.progress import Progress
from robots.report.model import Deviation

_SAID = {
    "paused": "The run was paused",
    "resumed": "The run went on",
    "stopped": "The run was stopped and made safe",
    "recovery": "Recovery",
    "question": "A person was asked",
    "answer": "A person answered",
    "inspection": "Inspection",
}
_UNSAFE = "The run was stopped, and the devices did not confirm that they are safe"
_SECOND_HAND = {
    "device record": "the device was asked afterwards how it ended",
    "person": "a person said that it happened",
}
"""What is remarked where the outcome did not come straight from the device."""
_DETAILS = ("question", "answer", "choice", "reason", "text")
_PROTOCOL_QUESTION = "confirm"
"""The topic of a question that the program itself asks."""


@dataclass(slots=True)
class Passage:
    """One instruction on its way: when it began and ended (s), its last outcome, and what to say of it.

    Attributes:
        parent: the program's instruction in whose place a recovery put this one; ``None`` for the program's own.
    """

    instruction: AnyInstruction
    parent: str | None = None
    start: float | None = None
    end: float | None = None
    outcome: Outcome | None = None
    attempts: int = 0
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """A run's events, read.

    Attributes:
        progress: what is where, and what is over, after the last event.
        passages: by instruction id, in the order in which they were begun.
        deviations: in the order in which they happened.
        started, ended: wall times of the first and the last event.
        seconds: on the lab's clock, of the last event.
    """

    progress: Progress
    passages: dict[str, Passage] = field(default_factory=dict)
    deviations: list[Deviation] = field(default_factory=list)
    approved_by: str = ""
    started: str = ""
    ended: str = ""
    seconds: float = 0.0

    @property
    def state(self) -> LabState:
        """What is where after the last outcome."""
        return self.progress.state

    def was_done(self, instruction: str) -> bool:
        """Whether an instruction of the program is over, and nothing of it was given up."""
        return instruction in self.progress.finished and instruction not in self.progress.skipped


def read_history(program: Program, start: LabState, events: Iterable[Event]) -> History:
    """Fold the recorded outcomes over ``start`` (which changes) and collect what the report says of them."""
    history = History(Progress(program, start))
    topics: list[str] = []
    for event in events:
        history.started = history.started or event.wall_time
        history.ended = event.wall_time
        working_on = history.progress.queue[0] if history.progress.queue else None
        history.progress.take(event)
        history.seconds = max(history.seconds, _reached(history, event))
        if event.kind == "approved":
            history.approved_by = str(event.payload.get("by", ""))
        elif event.kind == "intent":
            _begin(history, event)
        elif event.kind == "outcome" and working_on is not None:
            _end(history, event, working_on)
        elif event.kind in _SAID:
            _say(history, event, topics)
    return history


def _reached(history: History, event: Event) -> float:
    """The time on the lab's clock, s, when ``event`` had been taken.

    A simulated lab's clock goes on by what the outcome says, after the outcome was written down.
    """
    return max(event.virtual_time, history.state.clock)


def _begin(history: History, event: Event) -> None:
    instruction = history.progress.queue[0]
    passage = history.passages.get(instruction.id)
    if passage is None:
        parent = history.progress.current
        passage = Passage(instruction, None if parent == instruction.id else parent, start=event.virtual_time)
        history.passages[instruction.id] = passage
    passage.attempts += 1
    if passage.attempts > 1:
        _remark(history, event, passage, "doubt", f"begun again, {passage.attempts} times in all")


def _end(history: History, event: Event, instruction: AnyInstruction) -> None:
    outcome = Outcome.model_validate(event.payload["outcome"])
    passage = history.passages[instruction.id]
    passage.end, passage.outcome = _reached(history, event), outcome
    if (source := event.payload.get("source")) in _SECOND_HAND:
        _remark(history, event, passage, "doubt", _SECOND_HAND[source])
    remarks = [_in_words(fault) for fault in outcome.faults]
    if outcome.status == "partial":
        remarks.append(_shortfall(instruction, outcome))
    elif outcome.status == "failed" and not remarks:
        remarks.append("nothing moved")
    for remark in remarks:
        _remark(history, event, passage, "partial" if outcome.status == "partial" else "fault", remark)


def _remark(history: History, event: Event, passage: Passage, kind: str, remark: str) -> None:
    """Say it beside the instruction and among the deviations."""
    passage.remarks.append(remark)
    history.deviations.append(
        Deviation(
            time=_reached(history, event),
            kind=kind,
            instruction=passage.instruction.id,
            step=passage.instruction.step or "",
            message=f"{describe(passage.instruction)}: {remark}",
        )
    )


def _in_words(fault: Fault) -> str:
    on_channel = "" if fault.channel is None else f" on channel {fault.channel}"
    at_place = f" at {fault.place}" if fault.place and fault.place not in fault.message else ""
    said = f": {fault.message}" if fault.message and fault.message != fault.kind else ""
    return in_few_digits(f"{fault.kind}{on_channel}{at_place}{said}")


def _shortfall(instruction: AnyInstruction, outcome: Outcome) -> str:
    asked = getattr(instruction, "volumes", None)
    if asked is None or outcome.volumes is None:
        return "done in part"
    return f"{show_volume(sum(outcome.volumes))} of {show_volume(sum(asked))} moved"


def _say(history: History, event: Event, topics: list[str]) -> None:
    """Note what a person was asked, said or did; a question that the program asks is no deviation."""
    if event.kind == "question":
        topics.append(str(event.payload.get("topic", "")))
    if event.kind in ("question", "answer") and topics and topics[-1] == _PROTOCOL_QUESTION:
        return
    passage = history.passages.get(event.instruction or "")
    history.deviations.append(
        Deviation(
            time=_reached(history, event),
            kind=event.kind,
            instruction=event.instruction or "",
            step=(passage.instruction.step or "") if passage else "",
            message=_sentence(event),
        )
    )


def _sentence(event: Event) -> str:
    said = _SAID[event.kind]
    if event.kind == "stopped" and not event.payload.get("safe", True):
        said = _UNSAFE
    elif event.kind == "recovery" and event.payload.get("by"):
        said = f"{said}, decided by {'the' if event.payload['by'] == 'policy' else 'a'} {event.payload['by']}"
    detail = next((str(event.payload[key]) for key in _DETAILS if event.payload.get(key)), "")
    return f"{said}: {in_few_digits(detail)}" if detail else said
