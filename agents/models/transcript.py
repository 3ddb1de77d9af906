"""Every call to a model, with what was sent, what came back, what it took; and the account of what was spent.

A *call* is one question with its answer or error; an *exchange* is one message to the endpoint and its reply: the
question, the same again after a failure, or a repair. Before an exchange its worst case is held against the limits, in
the same transaction that records it; afterwards what it took is booked. So the limits hold over threads and processes,
and an exchange that was cut off by a crash stays held. Images are there by their hash, secrets never.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from agents.models.answers import BILLION, Spent, as_money
from agents.models.config import Limits
from agents.models.database import Database
from agents.models.errors import BudgetSpent

VERSION = 1
Purpose = Literal["question", "repair", "batch"]
State = Literal[
    "asked", "answered", "cached", "refused", "unusable", "unavailable", "not taken", "budget spent", "cancelled"
]
_TABLES = """
CREATE TABLE calls (
    call INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL, prompt TEXT NOT NULL, version TEXT NOT NULL, endpoint TEXT NOT NULL, model TEXT NOT NULL,
    began TEXT NOT NULL, state TEXT NOT NULL, answer TEXT, error TEXT
) STRICT;
CREATE INDEX calls_by_key ON calls (key);
CREATE TABLE exchanges (
    exchange INTEGER PRIMARY KEY AUTOINCREMENT,
    call INTEGER NOT NULL, purpose TEXT NOT NULL, sent TEXT NOT NULL, body TEXT NOT NULL,
    held_tokens INTEGER NOT NULL, held_billionths INTEGER NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0, seconds REAL, status INTEGER, response TEXT, problem TEXT,
    tokens_in INTEGER, tokens_out INTEGER, counted INTEGER, billionths INTEGER
) STRICT;
CREATE INDEX exchanges_by_call ON exchanges (call);
CREATE TABLE bodies (digest TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE account (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    tokens INTEGER NOT NULL, billionths INTEGER NOT NULL,
    held_tokens INTEGER NOT NULL, held_billionths INTEGER NOT NULL
) STRICT;
CREATE TABLE means (
    prompt TEXT PRIMARY KEY, answers INTEGER NOT NULL, tokens_out INTEGER NOT NULL
) STRICT;
CREATE TABLE batches (
    batch TEXT PRIMARY KEY, remote TEXT, state TEXT NOT NULL, began TEXT NOT NULL, items TEXT NOT NULL
) STRICT;
INSERT INTO account VALUES (1, 0, 0, 0, 0)
"""


@dataclass(frozen=True)
class Need:
    """The most that an exchange can take; ``billionths`` 0 where no price is known."""

    tokens: int
    billionths: int


@dataclass(frozen=True)
class Taken:
    """What an exchange took.

    Attributes:
        counted: whether the endpoint said so; else it is what was held, or an estimate.
        billionths: None where no price is known.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    counted: bool = True
    billionths: int | None = 0


class NoRoom(Exception):
    """Raised when a need does not fit beside what others hold; it may when they have settled."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Transcript:
    """The calls of one job, in one file (None: in memory). Several processes may write it.

    Every method may raise RecordError: the file cannot be read or written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.database = Database(path, _TABLES, VERSION)

    # -- calls ------------------------------------------------------------------------------------------

    def begin(self, *, key: str, prompt: str, version: str, endpoint: str, model: str) -> int:
        """Record that something is asked; the call's number."""
        with self.database.writing() as connection:
            return begin_call(connection, (key, prompt, version, endpoint, model))

    def end(self, call: int, state: State, *, answer: str | None = None, error: str | None = None) -> None:
        """Record what came of a call."""
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE calls SET state = ?, answer = ?, error = ? WHERE call = ?", (state, answer, error, call)
            )

    def answered(self, key: str) -> int | None:
        """Number of the call here that has the answer under a key."""
        rows = self.database.rows(
            "SELECT call FROM calls WHERE key = ? AND state IN ('answered', 'cached') ORDER BY call LIMIT 1", key
        )
        return int(rows[0][0]) if rows else None

    # -- exchanges --------------------------------------------------------------------------------------

    def check(self, need: Need, limits: Limits) -> None:
        """Look whether an exchange would fit, were nothing else held.

        Raises:
            BudgetSpent: what was spent already leaves too little.
        """
        if limits.tokens is not None or limits.money is not None:
            ((tokens, billionths),) = self.database.rows("SELECT tokens, billionths FROM account")
            _check_room((tokens, billionths, 0, 0), need, limits)

    def hold(self, call: int, purpose: Purpose, body: dict[str, Any], need: Need, limits: Limits) -> int:
        """Record that an exchange is about to be sent, and hold what it can take; the exchange's number.

        Raises:
            BudgetSpent: what was spent already leaves too little.
            NoRoom: what is held beside leaves too little.
        """
        with self.database.writing() as connection:
            return hold_exchange(connection, call, purpose, body, need, limits)

    def settle(
        self,
        exchange: int,
        taken: Taken,
        *,
        seconds: float,
        status: int | None = None,
        response: str | None = None,
        problem: str | None = None,
    ) -> None:
        """Record what came of an exchange, s after it was sent, and book what it took instead of what was held."""
        with self.database.writing() as connection:
            held = connection.execute(
                "SELECT held_tokens, held_billionths FROM exchanges WHERE exchange = ? AND settled = 0", (exchange,)
            ).fetchone()
            if held is None:
                return
            connection.execute(
                "UPDATE exchanges SET settled = 1, seconds = ?, status = ?, response = ?, problem = ?, tokens_in = ?, "
                "tokens_out = ?, counted = ?, billionths = ? WHERE exchange = ?",
                (
                    *(seconds, status, response, problem),
                    *(taken.tokens_in, taken.tokens_out, int(taken.counted), taken.billionths, exchange),
                ),
            )
            connection.execute(
                "UPDATE account SET tokens = tokens + ?, billionths = billionths + ?, "
                "held_tokens = held_tokens - ?, held_billionths = held_billionths - ?",
                (taken.tokens_in + taken.tokens_out, taken.billionths or 0, *held),
            )

    def spent(self) -> Spent:
        """What all exchanges took so far, and what is held."""
        ((tokens, billionths, held_tokens, held_billionths),) = self.database.rows(
            "SELECT tokens, billionths, held_tokens, held_billionths FROM account"
        )
        return Spent(tokens, as_money(billionths) or Decimal(0), held_tokens, as_money(held_billionths) or Decimal(0))

    # -- what answers take ------------------------------------------------------------------------------

    def note_length(self, prompt: str, tokens_out: int) -> None:
        """Remember how long an answer to a prompt was."""
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO means VALUES (?, 1, ?) ON CONFLICT (prompt) DO UPDATE SET "
                "answers = answers + 1, tokens_out = tokens_out + excluded.tokens_out",
                (prompt, tokens_out),
            )

    def mean_length(self, prompt: str) -> float | None:
        """Tokens of an answer to a prompt, in the mean; None where there was none."""
        rows = self.database.rows("SELECT tokens_out * 1.0 / answers FROM means WHERE prompt = ?", prompt)
        return float(rows[0][0]) if rows else None

    # -- reading ----------------------------------------------------------------------------------------

    def calls(self) -> Iterator[dict[str, Any]]:
        """All calls, oldest first, each with its exchanges, as JSON takes them."""
        last = 0
        while rows := self.database.rows("SELECT * FROM calls WHERE call > ? ORDER BY call LIMIT 100", last):
            for row in rows:
                names = ("call", "key", "prompt", "version", "endpoint", "model", "began", "state", "answer", "error")
                call = dict(zip(names, row, strict=True))
                last = call["call"]
                yield call | {"exchanges": self._exchanges(last)}

    def _exchanges(self, call: int) -> list[dict[str, Any]]:
        names = ("purpose", "sent", "seconds", "status", "response", "problem", "tokens_in", "tokens_out", "counted")
        rows = self.database.rows(
            f"SELECT {', '.join(names)}, settled, billionths, bodies.body FROM exchanges "
            "JOIN bodies ON exchanges.body = bodies.digest WHERE call = ? ORDER BY exchange",
            call,
        )
        found = []
        for *values, settled, billionths, body in rows:
            cost = as_money(billionths)
            exchange = dict(zip(names, values, strict=True)) | {
                "settled": bool(settled),
                "cost": None if cost is None else str(cost),
                "request": json.loads(body),
            }
            exchange["counted"] = bool(exchange["counted"])
            found.append(exchange)
        return found

    def export(self, path: Path) -> None:
        """Write all calls as JSON lines."""
        with path.open("w", encoding="utf-8") as file:
            for call in self.calls():
                file.write(json.dumps(call, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()


def begin_call(connection: sqlite3.Connection, asked: tuple[str, str, str, str, str]) -> int:
    """Add a call within a transaction: key, prompt, version, endpoint and model; its number."""
    row = connection.execute(
        "INSERT INTO calls (key, prompt, version, endpoint, model, began, state) VALUES (?,?,?,?,?,?,'asked')",
        (*asked, _now()),
    )
    return int(row.lastrowid or 0)


def hold_exchange(
    connection: sqlite3.Connection, call: int, purpose: Purpose, body: dict[str, Any], need: Need, limits: Limits
) -> int:
    """Add an exchange within a transaction, as :meth:`Transcript.hold` does; its number.

    Raises:
        BudgetSpent: what was spent already leaves too little.
        NoRoom: what is held beside leaves too little.
    """
    account = connection.execute("SELECT tokens, billionths, held_tokens, held_billionths FROM account").fetchone()
    _check_room(account, need, limits)
    connection.execute(
        "UPDATE account SET held_tokens = held_tokens + ?, held_billionths = held_billionths + ?",
        (need.tokens, need.billionths),
    )
    text = json.dumps(body, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    connection.execute("INSERT OR IGNORE INTO bodies VALUES (?,?)", (digest, text))
    row = connection.execute(
        "INSERT INTO exchanges (call, purpose, sent, body, held_tokens, held_billionths) VALUES (?,?,?,?,?,?)",
        (call, purpose, _now(), digest, need.tokens, need.billionths),
    )
    return int(row.lastrowid or 0)


def _check_room(account: tuple[int, int, int, int], need: Need, limits: Limits) -> None:
    tokens, billionths, held_tokens, held_billionths = account
    most = None if limits.money is None else int(limits.money * BILLION)
    rows = (
        ("tokens", tokens, held_tokens, need.tokens, limits.tokens, 1),
        ("money", billionths, held_billionths, need.billionths, most, BILLION),
    )
    for _, spent, held, wanted, limit, _ in rows:
        if limit is not None and spent + wanted <= limit < spent + held + wanted:
            raise NoRoom
    for unit, spent, _, wanted, limit, scale in rows:
        if limit is not None and spent + wanted > limit:
            told = [f"{Decimal(amount) / scale:,f}" for amount in (spent, limit, wanted)]
            raise BudgetSpent(
                f"the budget is spent: {told[0]} of {told[1]} {unit}; this call can take up to {told[2]}",
                mend=f"Raise `limits.{unit}` and go on: what was answered is kept",
            )
