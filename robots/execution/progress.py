"""How far a run is: the fold of its events.

The runner appends an event and lets :class:`Progress` take it; after a crash the same fold over the journal
gives the same progress, expectation and open questions. The rules:

- ``intent`` begins an instruction (or begins it again, from act ``acts_done`` on), ``outcome`` ends it.
  Between them it is *in doubt*.
- An outcome that left something undone opens a fault; ``recovery`` says what is done about it, and may put child
  instructions in the failed one's place.
- ``question`` opens a question about an instruction, ``answer`` answers it; the next intent, outcome or recovery
  uses the answer up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from protocols.errors import InputError
from protocols.events import Event
from protocols.fold import apply
from protocols.labstate import LabState
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction, Program, instruction_adapter
from robots.execution.recovery import what_remains

Phase = Literal["created", "running", "paused", "stopped", "done"]
"""Where a run stands as far as its journal says."""

Topic = Literal["confirm", "doubt", "fault", "late", "checkpoint"]
"""What a question is about."""


@dataclass(frozen=True)
class Question:
    """A question put to a person: what about, the text, the choices, and the sequence number of its event."""

    topic: Topic
    instruction: str
    text: str
    choices: tuple[str, ...]
    sequence: int


@dataclass(frozen=True)
class Doubt:
    """An instruction that was begun and has no outcome: ``acts_done`` acts were known to be done before."""

    instruction: AnyInstruction
    acts_done: int
    answer: str | None


@dataclass(frozen=True)
class Ended:
    """An instruction of the program that is over, and the outcome that ended it."""

    instruction: str
    outcome: Outcome


class Progress:
    """The state of a run after some of its events.

    Attributes:
        state: the expectation: what is where, as far as the outcomes say.
        finished: ids of the program's instructions that are over, done or given up.
        skipped: those of them that were given up in whole or in part.
        ended: the instruction that was done last; ``None`` once anything came after it.
        current: the program's instruction being worked on.
        queue: what is left to do for it: itself or its children.
        doubt: the first of the queue was begun, and nobody here knows how it ended.
        fault: the first of the queue ended like this, and nothing was decided about it yet.
        tries: how often the policy, not a person, already recovered the current instruction.
        made_safe: the fault was answered by making the workcell safe.
        question: the open question, or the one just answered.
        answer: what was answered to it.
        phase: where the run stands.
        stop_reason: why it was stopped last.
        abandoned: who gave the run up before all was over; empty if nobody did.
    """

    def __init__(self, program: Program, start: LabState) -> None:
        self.program = program
        self.state = start
        self.finished: set[str] = set()
        self.skipped: set[str] = set()
        self.ended: Ended | None = None
        self.current: str | None = None
        self.queue: list[AnyInstruction] = []
        self.doubt: Doubt | None = None
        self.fault: Outcome | None = None
        self.tries = 0
        self.made_safe = False
        self.question: Question | None = None
        self.answer: str | None = None
        self.phase: Phase = "created"
        self.stop_reason = ""
        self.abandoned = ""
        self._index = {item.id: position for position, item in enumerate(program.instructions)}
        self._children: set[str] = set()
        self._first_open = 0

    def take_all(self, events: Iterable[Event]) -> Progress:
        """Take every event; returns itself."""
        for event in events:
            self.take(event)
        return self

    def take(self, event: Event) -> None:
        """Go on by one event."""
        match event.kind:
            case "intent":
                self._intent(event)
            case "outcome":
                self._outcome(Outcome.model_validate(event.payload["outcome"]))
            case "recovery":
                self._recovery(event.payload)
            case "question":
                self._question(event)
            case "answer":
                self.answer = event.payload["answer"]
            case "run_started":
                self.phase = "running"
            case "resumed":
                self.phase = "running"
                if self.answer == "stop":
                    self.question = self.answer = None
            case "paused":
                self.phase = "paused"
            case "stopped":
                self.phase = "stopped"
                self.stop_reason = str(event.payload.get("reason", ""))
            case "run_ended":
                self.phase = "done"
                self.abandoned = str(event.payload.get("abandoned", ""))
            case "run_created" | "approved" | "inspection":
                pass

    # -- what is to be done next --------------------------------------------------------------------

    def coming(self) -> Iterator[AnyInstruction]:
        """The program's instructions that were not begun, in the order in which they stand."""
        for item in self.program.instructions[self._first_open :]:
            if item.id not in self.finished and item.id != self.current:
                yield item

    def next_instruction(self, now: float) -> AnyInstruction | None:
        """The instruction to begin at ``now`` (s): the first that waits for nothing, the earliest if none is due.

        ``None`` when all are over.

        Raises:
            InputError: instructions are left, and each waits for another one or for one that does not exist.
        """
        earliest: AnyInstruction | None = None
        for item in self.coming():
            if not self._ready(item):
                continue
            if start_time(item) <= now:
                return item
            if earliest is None or start_time(item) < start_time(earliest):
                earliest = item
        if earliest is None and len(self.finished) < len(self.program.instructions):
            stuck = next(self.coming())
            raise InputError(
                f"instruction '{stuck.id}' waits for one that never ends",
                where=f"program '{self.program.title}'",
                mend="Name in `after` only instructions of this program, and not in a circle",
            )
        return earliest

    @property
    def own_ids(self) -> Collection[str]:
        """Ids of the program's own instructions."""
        return self._index.keys()

    def own(self, instruction_id: str) -> AnyInstruction:
        """The program's instruction of that id."""
        return self.program.instructions[self._index[instruction_id]]

    def child_ids(self, parent: str) -> Iterator[str]:
        """Ids for children of ``parent`` that were not used before in this run."""
        for number in count(len(self._children) + 1):
            name = f"{parent[:110]}~{number}"
            if name not in self._index and name not in self._children:
                yield name

    def _ready(self, item: AnyInstruction) -> bool:
        if item.after is not None:
            return self.finished.issuperset(item.after)
        position = self._index[item.id]
        return position == 0 or self.program.instructions[position - 1].id in self.finished

    # -- events -------------------------------------------------------------------------------------

    def _open(self, parent: str) -> None:
        if self.current is None:
            self.current = parent
            self.queue = [self.own(parent)]

    def _intent(self, event: Event) -> None:
        payload = event.payload
        self.ended = None
        self._open(payload.get("parent") or str(event.instruction))
        if "instruction" in payload and (not self.queue or self.queue[0].id != event.instruction):
            self.queue.insert(0, self._child(payload["instruction"]))
        late = event.virtual_time - self.state.clock
        if late > 0.0:
            self.state.advance_time(late)
        self.doubt = Doubt(self.queue[0], int(payload["acts_done"]), payload.get("answer"))
        self._use_up_answer()

    def _outcome(self, outcome: Outcome) -> None:
        instruction = self.queue[0]
        apply(self.state, self.program, instruction, outcome)
        self.doubt = None
        self._use_up_answer()
        if what_remains(instruction, outcome) is not None:
            self.fault = outcome
            self.made_safe = False
            return
        self.queue.pop(0)
        parent = self.current
        self._close_if_empty()
        if parent is not None and self.current is None:
            self.ended = Ended(parent, outcome)

    def _recovery(self, payload: dict[str, Any]) -> None:
        self.ended = None
        self._use_up_answer()
        if payload["choice"] == "make safe":
            self.made_safe = True
            return
        if payload["choice"] == "skip":
            self.skipped.add(str(self.current))
            self.queue = []
        else:
            self.queue[0:1] = [self._child(item) for item in payload["children"]]
            self.tries += payload["by"] == "policy"
        self.fault = None
        self.made_safe = False
        self._close_if_empty()

    def _question(self, event: Event) -> None:
        payload = event.payload
        self.ended = None
        self.question = Question(
            topic=payload["topic"],
            instruction=str(event.instruction),
            text=payload["question"],
            choices=tuple(payload["choices"]),
            sequence=event.sequence,
        )
        self.answer = None
        if self.question.topic in ("confirm", "late"):
            self._open(self.question.instruction)

    def _use_up_answer(self) -> None:
        self.question = self.answer = None

    def _child(self, value: dict[str, Any]) -> AnyInstruction:
        child = instruction_adapter.validate_python(value)
        self._children.add(child.id)
        return child

    def _close_if_empty(self) -> None:
        if self.queue or self.current is None:
            return
        self.finished.add(self.current)
        self.current = None
        self.tries = 0
        instructions = self.program.instructions
        while self._first_open < len(instructions) and instructions[self._first_open].id in self.finished:
            self._first_open += 1


def start_time(instruction: AnyInstruction) -> float:
    """When an instruction may start at the earliest, s after the run's start."""
    window = instruction.window
    return 0.0 if window is None or window.earliest is None else window.earliest
