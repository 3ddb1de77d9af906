"""The World's durable log: one SQLite file, a row for each act, written before the act is answered.

Schema (``user_version`` 1, STRICT tables, WAL, ``synchronous=FULL``):

- ``world``: what the log belongs to: the digest of the workcell.
- ``session``: each time the World was opened: seed, noise and fault plan in force.
- ``act``: sequence, id, instruction ("RUN:INSTRUCTION"), command, what really moved (``actual``), what was answered,
  effects, start and end on the lab's clock. All but numbers and ids are JSON.
- ``struck``: faults that struck before an act was done, so that they do not strike it again.
- ``halt``: each time the World was told to be safe, and after which act.
- ``snapshot``: the truth after an act, so that reopening replays only what came later.

A lock file beside it (``NAME.lock``) keeps a second World from opening the log; the lock ends with the process.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from protocols.errors import RecordError
from protocols.liquids import Record

USER_VERSION = 1

_SCHEMA = """
CREATE TABLE world (workcell TEXT NOT NULL) STRICT;
CREATE TABLE session (
    number INTEGER PRIMARY KEY, seed INTEGER NOT NULL, noise TEXT NOT NULL, faults TEXT NOT NULL) STRICT;
CREATE TABLE act (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, instruction TEXT NOT NULL,
    command TEXT NOT NULL, actual TEXT NOT NULL, answer TEXT NOT NULL, effects TEXT NOT NULL,
    started REAL NOT NULL, ended REAL NOT NULL) STRICT;
CREATE INDEX act_by_instruction ON act (instruction);
CREATE TABLE struck (key TEXT PRIMARY KEY) STRICT;
CREATE TABLE halt (after_act INTEGER NOT NULL, clock REAL NOT NULL) STRICT;
CREATE TABLE snapshot (sequence INTEGER PRIMARY KEY, truth TEXT NOT NULL) STRICT;
"""


class ActRecord(Record):
    """One act as it is in the log.

    Attributes:
        sequence: from 1, without gaps.
        id: "RUN:INSTRUCTION#N", with " again M" behind it where a device that cannot say did it once more.
        instruction: "RUN:INSTRUCTION".
        command: what was asked (:mod:`robots.simulator.commands`; ``kind`` "prepare" for a run's set-up).
        actual: what really moved (:class:`robots.simulator.physics.Actual`).
        answer: what the device reported (:class:`protocols.outcomes.Outcome`).
        effects: what happened beside what was asked (:class:`protocols.effects.Effect`).
        start, end: s on the lab's clock.
    """

    sequence: int
    id: str
    instruction: str
    command: dict[str, Any]
    actual: dict[str, Any]
    answer: dict[str, Any]
    effects: tuple[dict[str, Any], ...]
    start: float
    end: float


class WorldLog:
    """The log of one World. Calls must not overlap; any thread may make them."""

    def __init__(self, path: Path | None, workcell: str) -> None:
        """Open or create the log at ``path`` (in memory without one) of the workcell with digest ``workcell``.

        Raises:
            RecordError: another World has it open, it is damaged, of another version or another workcell's.
        """
        self.path = path
        self._where = str(path) if path else "in memory"
        self.identity: list[int] | None = None
        self._lock = None if path is None else _lock(path)
        try:
            self._database = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10.0
            )
            self._open(workcell)
            self.identity = None if path is None else file_identity(path)
        except sqlite3.Error as error:
            self.close()
            raise RecordError(
                f"the World's log cannot be opened ({error})",
                where=self._where,
                mend="Restore it from a copy, or start a new World with another log",
            ) from error
        except RecordError:
            self.close()
            raise

    def _open(self, workcell: str) -> None:
        database = self._database
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, USER_VERSION):
            raise RecordError(
                f"the World's log has schema version {version}, this program reads {USER_VERSION}",
                where=self._where,
            )
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        if version == 0:
            database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {USER_VERSION}; COMMIT;")
        found = database.execute("SELECT workcell FROM world").fetchone()
        if found is None:
            database.execute("INSERT INTO world VALUES (?)", (workcell,))
        elif found[0] != workcell:
            raise RecordError(
                "the World's log is that of another workcell, or of this one before its description changed",
                where=self._where,
                mend="Start a new World with another log",
            )

    def start_session(self, seed: int, noise: str, faults: str) -> None:
        """Note that the World was opened with this seed, noise and fault plan (JSON)."""
        self._database.execute("INSERT INTO session (seed, noise, faults) VALUES (?, ?, ?)", (seed, noise, faults))

    def count(self) -> int:
        """How many acts there are."""
        number: int = self._database.execute("SELECT coalesce(max(sequence), 0) FROM act").fetchone()[0]
        return number

    def prepared(self) -> int:
        """How many of the acts are set-ups of runs."""
        query = "SELECT count(*) FROM act WHERE json_extract(command, '$.kind') = 'prepare'"
        number: int = self._database.execute(query).fetchone()[0]
        return number

    def find(self, act_id: str) -> ActRecord | None:
        """The act with this id."""
        row = self._database.execute("SELECT * FROM act WHERE id = ?", (act_id,)).fetchone()
        return None if row is None else _record(row)

    def free_id(self, act_id: str) -> str:
        """An id for ``act_id`` happening once more: "ID again 1", "ID again 2", …"""
        query = "SELECT count(*) FROM act WHERE id LIKE ? || ' again %'"
        number: int = self._database.execute(query, (act_id,)).fetchone()[0]
        return f"{act_id} again {number + 1}"

    def done(self, instruction: str) -> int:
        """How many acts of an instruction ("RUN:INSTRUCTION") there are."""
        query = "SELECT count(*) FROM act WHERE instruction = ?"
        number: int = self._database.execute(query, (instruction,)).fetchone()[0]
        return number

    def acts(self, after: int = 0) -> tuple[ActRecord, ...]:
        """All acts whose sequence number is above ``after``, in order."""
        rows = self._database.execute("SELECT * FROM act WHERE sequence > ? ORDER BY sequence", (after,))
        return tuple(_record(row) for row in rows)

    def has_struck(self, key: str) -> bool:
        """Whether this fault struck before its act was done."""
        return self._database.execute("SELECT 1 FROM struck WHERE key = ?", (key,)).fetchone() is not None

    def strike(self, key: str) -> None:
        """Note that this fault struck before its act was done."""
        self._database.execute("INSERT OR IGNORE INTO struck VALUES (?)", (key,))

    def halt(self, clock: float) -> None:
        """Note that the World was told to be safe at ``clock``."""
        self._database.execute("INSERT INTO halt VALUES (?, ?)", (self.count(), clock))

    def halts(self) -> int:
        """How often the World was told to be safe."""
        number: int = self._database.execute("SELECT count(*) FROM halt").fetchone()[0]
        return number

    def append(self, act: ActRecord, truth: dict[str, Any] | None = None) -> None:
        """Store an act, and the truth after it where given, in one transaction.

        Raises:
            RecordError: it could not be stored; then nothing of it was.
        """
        row = (
            act.sequence,
            act.id,
            act.instruction,
            *(json.dumps(part) for part in (act.command, act.actual, act.answer, act.effects)),
            act.start,
            act.end,
        )
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO act VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            if truth is not None:
                database.execute("INSERT INTO snapshot VALUES (?, ?)", (act.sequence, json.dumps(truth)))
            database.execute("COMMIT")
        except sqlite3.Error as error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise RecordError(f"the World's log cannot be written ({error})", where=self._where) from error

    def latest_snapshot(self) -> tuple[int, dict[str, Any]] | None:
        """The newest snapshot: after which act, and the truth then."""
        row = self._database.execute("SELECT * FROM snapshot ORDER BY sequence DESC LIMIT 1").fetchone()
        return None if row is None else (row[0], json.loads(row[1]))

    def close(self) -> None:
        """Close the file and let go of the lock; a second call does nothing."""
        database = getattr(self, "_database", None)
        if database is not None:
            database.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def file_identity(path: Path) -> list[int] | None:
    """Device and inode of a file; ``None`` if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return [found.st_dev, found.st_ino]


def _lock(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise RecordError(
            "another World has this log open",
            where=str(path),
            mend="Close that one first, or use another log",
        ) from error
    return descriptor


def _record(row: tuple[Any, ...]) -> ActRecord:
    command, actual, answer, effects = (json.loads(part) for part in row[3:7])
    return ActRecord.model_construct(
        sequence=row[0],
        id=row[1],
        instruction=row[2],
        command=command,
        actual=actual,
        answer=answer,
        effects=tuple(effects),
        start=row[7],
        end=row[8],
    )
