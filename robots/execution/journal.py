"""The journal of one run: an append-only, hash-chained list of events in SQLite.

An event is on the disk when :meth:`Journal.append` returns (write-ahead log, ``synchronous=FULL``), and a crash
in the middle of an append leaves it out as a whole.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from protocols.errors import RecordError
from protocols.events import GENESIS, Event, EventKind, check_chain
from robots.execution.home import utc_now

SCHEMA_VERSION = 1

_TABLE = """
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    instruction TEXT,
    wall_time TEXT NOT NULL,
    virtual_time REAL NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT
"""


class Journal:
    """The events of one run, open for appending. One process appends at a time: it holds the lease.

    ``append`` may be called from any thread.
    """

    def __init__(self, path: Path, run: str) -> None:
        """Open the journal, making it if it is not there.

        Raises:
            RecordError: it is damaged, of another schema version, or another run's.
        """
        self.path = path
        self.run = run
        self._lock = threading.Lock()
        self._database = _connect(path, read_only=False)
        try:
            _prepare(self._database, path)
            events = _read(self._database, path)
            if events and events[0].run != run:
                raise RecordError(f"is the journal of run {events[0].run}", where=str(path))
        except BaseException:
            self._database.close()
            raise
        self._events = events
        self._previous = events[-1].digest() if events else GENESIS

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far, oldest first."""
        return tuple(self._events)

    def append(
        self,
        kind: EventKind,
        *,
        virtual_time: float,
        instruction: str | None = None,
        payload: dict[str, Any] | None = None,
    ) -> Event:
        """Add an event; on the disk when this returns. ``virtual_time`` in s since the run's start.

        Raises:
            RecordError: it could not be stored (disk full, another writer); then nothing was added.
        """
        with self._lock:
            event = Event(
                sequence=len(self._events),
                run=self.run,
                instruction=instruction,
                wall_time=utc_now(),
                virtual_time=virtual_time,
                kind=kind,
                payload=payload or {},
                previous=self._previous,
            )
            digest = event.digest()
            try:
                self._database.execute("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)", _row(event, digest))
            except sqlite3.Error as error:
                raise RecordError(
                    f"an event could not be stored ({error})",
                    where=str(self.path),
                    mend="Make room on the disk, make sure that nothing else writes there, then resume the run",
                ) from None
            self._events.append(event)
            self._previous = digest
            return event

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: Path) -> tuple[Event, ...]:
    """All events of a journal, oldest first, with the chain verified; may be called while a run writes it.

    Raises:
        RecordError: it is missing, damaged, changed from outside or of another schema version.
    """
    if not path.is_file():
        raise RecordError("there is no journal", where=str(path))
    database = _connect(path, read_only=True)
    try:
        _check_version(database, path)
        return tuple(_read(database, path))
    finally:
        database.close()


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=5.0,
        )
    except sqlite3.Error as error:
        raise RecordError(f"cannot be opened ({error})", where=str(path)) from None


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if version == 0 and tables == 0:
            database.execute("BEGIN IMMEDIATE")
            database.execute(_TABLE)
            database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            database.execute("COMMIT")
    except sqlite3.Error as error:
        raise _damaged(path, error) from None
    _check_version(database, path)


def _check_version(database: sqlite3.Connection, path: Path) -> None:
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise _damaged(path, error) from None
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"has schema version {version}, this Labwright reads {SCHEMA_VERSION}",
            where=str(path),
            mend="Use the version of Labwright that wrote it",
        )


def _read(database: sqlite3.Connection, path: Path) -> list[Event]:
    try:
        rows = database.execute("SELECT * FROM events ORDER BY sequence").fetchall()
        events = [_event(row) for row in rows]
    except (sqlite3.Error, ValueError, ValidationError) as error:
        raise _damaged(path, error) from None
    check_chain(events)
    if events and events[-1].digest() != rows[-1][-1]:
        raise RecordError(f"event {events[-1].sequence} was changed from outside", where=str(path))
    return events


def _row(event: Event, digest: str) -> tuple[object, ...]:
    payload = json.dumps(event.payload, ensure_ascii=False, allow_nan=False)
    return (
        event.sequence,
        event.run,
        event.instruction,
        event.wall_time,
        event.virtual_time,
        event.kind,
        payload,
        event.previous,
        digest,
    )


def _event(row: tuple[Any, ...]) -> Event:
    sequence, run, instruction, wall_time, virtual_time, kind, payload, previous, _ = row
    return Event(
        sequence=sequence,
        run=run,
        instruction=instruction,
        wall_time=wall_time,
        virtual_time=virtual_time,
        kind=kind,
        payload=json.loads(payload),
        previous=previous,
    )


def _damaged(path: Path, error: Exception) -> RecordError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return RecordError(f"is damaged ({reason})", where=str(path), mend="Restore it from a copy")
