"""What an export gives: the text, and what the other form does not say."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocols.errors import ExportError, Problem


@dataclass(frozen=True, slots=True)
class Exported:
    """A protocol or a program in another form.

    Attributes:
        text: the whole file.
        notes: what the other form says otherwise, or not at all, one sentence each.
    """

    text: str
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Remarks:
    """Notes and problems as they come up while something is exported; each is said once."""

    _notes: dict[str, None] = field(default_factory=dict)
    _problems: dict[Problem, None] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Something that is said otherwise, or not at all."""
        self._notes[text] = None

    def refuse(self, where: str, what: str, mend: str = "") -> None:
        """Something that cannot be said, so that nothing is exported."""
        self._problems[Problem(where, what, mend)] = None

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes."""
        return tuple(self._notes)

    def raise_any(self, form: str) -> None:
        """End an export that cannot be; ``form`` is what it would have been.

        Raises:
            ExportError: something was refused.
        """
        if self._problems:
            raise ExportError(f"not exported as {form}", tuple(self._problems))
