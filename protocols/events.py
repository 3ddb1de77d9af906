"""The Event: one append-only record from which journal, live stream, report and audit are views.

Each event carries the hash of the one before it, so that a record with a line changed, lost or put in
shows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import Field

from protocols.errors import RecordError
from protocols.liquids import Name, Record

EventKind = Literal[
    "run_created",
    "approved",
    "run_started",
    "intent",
    "outcome",
    "question",
    "answer",
    "paused",
    "resumed",
    "stopped",
    "recovery",
    "inspection",
    "run_ended",
]
"""What an event can be."""

GENESIS = "0" * 64


class Event(Record):
    """One thing that happened in a run.

    Attributes:
        sequence: from 0, without gaps.
        instruction: the id of the instruction it is about.
        wall_time: UTC, ISO 8601 with microseconds.
        virtual_time: the lab's clock, s since the run's start.
        payload: plain JSON.
        previous: hash of the event before, 64 hexadecimal digits; zeros for the first.
    """

    sequence: Annotated[int, Field(ge=0)]
    run: Name
    instruction: Name | None = None
    wall_time: str
    virtual_time: float
    kind: EventKind
    payload: dict[str, Any] = {}
    previous: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    def digest(self) -> str:
        """SHA-256 of this event in RFC 8785 canonical JSON, as 64 hexadecimal digits."""
        return hashlib.sha256(rfc8785.dumps(self.model_dump(mode="json"))).hexdigest()


def check_chain(events: Iterable[Event]) -> None:
    """Make sure that no event was changed, lost or put in.

    Raises:
        RecordError: naming the first event that does not follow from the one before.
    """
    previous = GENESIS
    for expected, event in enumerate(events):
        if event.sequence != expected or event.previous != previous:
            raise _changed(event, f"event {event.sequence} does not follow from the one before it")
        try:
            previous = event.digest()
        except ValueError as error:  # a number or a text that canonical JSON does not know
            raise _changed(event, f"event {event.sequence} holds what no event can hold ({error})") from None


def _changed(event: Event, what: str) -> RecordError:
    return RecordError(
        what, where=f"run {event.run}", mend="The record was changed from outside; restore it from a copy"
    )
