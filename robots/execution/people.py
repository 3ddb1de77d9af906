"""Questions to people: put once, kept in the journal, answered at the terminal or over the control channel."""

from __future__ import annotations

import threading

from protocols.labstate import LabState
from protocols.ports import Person
from protocols.program import AnyInstruction, AskPerson, MoveLabware, ReplaceTipRack
from protocols.specs import OFF_DECK
from robots.execution.control import Switches
from robots.execution.halting import Halt
from robots.execution.ledger import Ledger
from robots.execution.progress import Question, Topic


class People:
    """Whoever answers the questions of a run."""

    def __init__(self, ledger: Ledger, switches: Switches, person: Person | None) -> None:
        self._ledger = ledger
        self._switches = switches
        self._person = person

    async def ask(self, topic: Topic, instruction: AnyInstruction, text: str, choices: tuple[str, ...]) -> str:
        """Put a question, unless it was put already; returns the answer, which is never "stop".

        Raises:
            Halt: nobody answers, the answer is to stop, or somebody stops the run.
            RecordError: the journal cannot be written.
        """
        question = self._ledger.progress.question
        if question is None or (question.topic, question.instruction) != (topic, instruction.id):
            payload = {"topic": topic, "question": text, "choices": [*choices, "stop"]}
            self._ledger.append("question", instruction=instruction.id, payload=payload)
            question = self._ledger.progress.question
            assert question is not None
        return await self.ask_again(question)

    async def ask_again(self, question: Question) -> str:
        """The answer to a question that was put; see :meth:`ask`."""
        answer = self._ledger.progress.answer
        if answer is None:
            answer = await self._hear(question)
            if answer is None:
                raise Halt(f"nobody answered: {question.text}")
            self._ledger.append("answer", instruction=question.instruction, payload={"answer": answer})
        if answer == "stop":
            raise Halt("a person stopped the run")
        return answer

    async def _hear(self, question: Question) -> str | None:
        """Wait for an answer from the person or over the control channel, whichever comes first."""
        if self._person is None:
            return self._switches.answered(question.sequence)
        said: list[str | None] = []
        threading.Thread(target=self._put, args=(question, said), daemon=True).start()
        await self._switches.until(
            lambda: bool(said) or self._switches.answered(question.sequence) is not None or self._switches.stopping
        )
        if self._switches.stopping:
            raise Halt("stopped")
        heard = self._switches.answered(question.sequence)
        return heard if heard is not None else said[0]

    def _put(self, question: Question, said: list[str | None]) -> None:
        """In a thread of its own: a person may take as long as they like."""
        assert self._person is not None
        answer: str | None = None
        try:
            answer = self._person(question.text, question.choices)
        finally:
            said.append(answer if answer in question.choices else None)
            self._switches.wake()


def request_of(instruction: AnyInstruction, state: LabState) -> str | None:
    """What a person is asked to do where an instruction is theirs to do; ``None`` where a device does it."""
    match instruction:
        case AskPerson():
            return instruction.message
        case ReplaceTipRack():
            return f"Take the tip rack {instruction.rack} away and put a full one in its place."
        case MoveLabware(by="person"):
            return _carrying(instruction.labware, state.site_of(instruction.labware), instruction.site)
    return None


def _carrying(labware: str, origin: str | None, target: str) -> str:
    if target == OFF_DECK:
        return f"Take {labware} off the deck" + (f": it stands on {origin}." if origin is not None else ".")
    if origin == OFF_DECK:
        return f"Put {labware}, which stands beside the deck, on {target}."
    return f"Carry {labware}" + (f" from {origin}" if origin is not None else "") + f" to {target}."
