"""Why a run cannot go on now, and how an instruction is called in words."""

from __future__ import annotations

from protocols.errors import LabwrightError
from protocols.program import AnyInstruction
from protocols.wording import describe


class Halt(Exception):
    """Raised when the run cannot go on now; it can be resumed.

    Attributes:
        reason: why, for the journal.
        error: what whoever carries out the run is told, if it is more than that.
    """

    def __init__(self, reason: str, error: LabwrightError | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


def named(instruction: AnyInstruction) -> str:
    """An instruction in bench words, with its id and step."""
    step = f", step '{instruction.step}'" if instruction.step else ""
    return f"{describe(instruction)} ({instruction.id}{step})"
