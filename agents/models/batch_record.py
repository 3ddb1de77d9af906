"""Batches as they are written down, beside the calls in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agents.models.config import Limits
from agents.models.errors import BudgetSpent
from agents.models.transcript import Need, NoRoom, Taken, Transcript, begin_call, hold_exchange


@dataclass(frozen=True)
class Item:
    """One question in a batch: its call and its exchange in the transcript, and the most it can take."""

    call: int
    exchange: int
    most_in: int
    most_out: int


@dataclass(frozen=True)
class Batch:
    """A batch as it is written down.

    Attributes:
        batch: our id.
        remote: the endpoint's id; None where it was not sent, or nobody knows.
        state: the endpoint's word (``in_progress``, ``completed``, ``expired``, …), ``unsent`` or ``collected``.
        items: by the key of their answer, which is their id at the endpoint.
    """

    batch: str
    remote: str | None
    state: str
    items: dict[str, Item]


@dataclass(frozen=True)
class Entry:
    """A question that is to go into a batch: key, prompt, version, endpoint, model; what is sent; what it can take."""

    asked: tuple[str, str, str, str, str]
    body: dict[str, Any]
    most_in: int
    most_out: int
    need: Need


class BatchRecord:
    """The batches of one transcript. Every method may raise RecordError: the file cannot be read or written."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._database = transcript.database

    def add(self, batch: str, entries: Sequence[Entry], limits: Limits) -> dict[str, Item]:
        """Write a batch down, with its calls, and hold what it can take; all of it or nothing.

        Raises:
            BudgetSpent: what is left is too little for all of it.
        """
        items: dict[str, Item] = {}
        with self._database.writing() as connection:
            for entry in entries:
                call = begin_call(connection, entry.asked)
                try:
                    exchange = hold_exchange(connection, call, "batch", entry.body, entry.need, limits)
                except NoRoom:
                    raise BudgetSpent(
                        f"what is left of the budget, beside what is held, is too little for {len(entries):,} requests",
                        mend="Raise the limits, or submit fewer at once",
                    ) from None
                items[entry.asked[0]] = Item(call, exchange, entry.most_in, entry.most_out)
            connection.execute(
                "INSERT INTO batches VALUES (?, NULL, 'unsent', ?, ?)",
                (batch, datetime.now(UTC).isoformat(timespec="seconds"), _as_text(items)),
            )
        return items

    def note(self, batch: str, state: str, remote: str | None = None) -> None:
        """Record how a batch stands, and its id at the endpoint where that is new."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE batches SET state = ?, remote = coalesce(?, remote) WHERE batch = ?", (state, remote, batch)
            )

    def forget(self, batch: Batch, reason: str) -> None:
        """Let go of a batch that was never sent, and of what it holds."""
        for item in batch.items.values():
            self._transcript.settle(item.exchange, Taken(), seconds=0.0, problem=reason)
            self._transcript.end(item.call, "cancelled", error=reason)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM batches WHERE batch = ?", (batch.batch,))

    def batches(self) -> list[Batch]:
        """All of them, oldest first."""
        rows = self._database.rows("SELECT batch, remote, state, items FROM batches ORDER BY began, batch")
        return [Batch(batch, remote, state, _as_items(items)) for batch, remote, state, items in rows]


def _as_text(items: dict[str, Item]) -> str:
    return json.dumps({key: [one.call, one.exchange, one.most_in, one.most_out] for key, one in items.items()})


def _as_items(text: str) -> dict[str, Item]:
    return {key: Item(*values) for key, values in json.loads(text).items()}
