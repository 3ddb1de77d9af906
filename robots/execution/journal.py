"""The journal of one run: an append-only, hash-chained list of events in SQLite.

An event is on the disk when :meth:`Journal.append` returns (write-ahead log, ``synchronous=FULL``), and a crash
in the middle of an append leaves it out as a whole. A row that was changed, lost, put in or moved breaks the
chain; rows lost from the end are betrayed by SQLite's own count of those that were ever there.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any, Literal, Self

from protocols.errors import RecordError
from protocols.events import GENESIS, Event, EventKind, check_chain
from robots.execution.home import sync_folder, utc_now

SCHEMA_VERSION = 1

_TABLE = """
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
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

    def __init__(self, path: Path, run: str, *, must_exist: bool = False) -> None:
        """Open the journal; unless it ``must_exist``, make it if it is not there.

        Raises:
            RecordError: it is missing, damaged, of another schema version, or another run's.
        """
        self.path = path
        self.run = run
        self._lock = threading.Lock()
        if not must_exist and not path.exists():
            _make(path)
        self._database = _open(path, "rw")
        try:
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
    database = _open(path, "ro")
    try:
        return tuple(_read(database, path))
    finally:
        database.close()


def _make(path: Path) -> None:
    """Make an empty journal, whole or not at all: an empty file is never taken for one.

    Otherwise a journal that lost everything would let its run begin anew.
    """
    if path.with_name(f"{path.name}-wal").exists():
        raise RecordError(
            "is missing, and its write-ahead log is there", where=str(path), mend="Restore both from a copy"
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)
        database = _connect(temporary, "rwc")
        try:
            database.execute(_TABLE)
            database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        finally:
            database.close()
        os.replace(temporary, path)
        sync_folder(path.parent)
    except (sqlite3.Error, OSError) as error:
        temporary.unlink(missing_ok=True)
        raise RecordError(f"cannot be made ({error})", where=str(path)) from None


def _open(path: Path, mode: Literal["rw", "ro"]) -> sqlite3.Connection:
    """Open a journal that is there, and make sure that this program can read it."""
    if not path.is_file():
        raise RecordError("there is no journal", where=str(path), mend="Restore it from a copy")
    if path.stat().st_size == 0:
        raise RecordError("is empty", where=str(path), mend="Restore it from a copy")
    try:
        database = _connect(path, mode)
    except sqlite3.Error as error:
        raise RecordError(f"cannot be opened ({error})", where=str(path)) from None
    try:
        if mode == "rw":
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
        _check_version(database, path)
    except BaseException as error:
        database.close()
        if isinstance(error, sqlite3.Error):
            raise _damaged(path, error) from None
        raise
    return database


def _connect(path: Path, mode: Literal["rwc", "rw", "ro"]) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=5.0,
    )


def _check_version(database: sqlite3.Connection, path: Path) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"has schema version {version}, this Labwright reads {SCHEMA_VERSION}",
            where=str(path),
            mend="Use the version of Labwright that wrote it",
        )


def _read(database: sqlite3.Connection, path: Path) -> list[Event]:
    try:
        rows, last = _rows(database)
        events = [_event(row) for row in rows]
        check_chain(events)
    except RecordError as error:
        raise RecordError(error.what, where=str(path), mend=error.mend) from None
    except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from None
    following = [event.previous for event in events[1:]] + [event.digest() for event in events[-1:]]
    for event, row, digest in zip(events, rows, following, strict=True):
        if row[-1] != digest:
            raise RecordError(f"event {event.sequence} was changed from outside", where=str(path))
    if last != len(events) - 1:
        raise RecordError(f"ends at event {len(events) - 1}, and once had {last}", where=str(path))
    return events


def _rows(database: sqlite3.Connection) -> tuple[list[tuple[Any, ...]], int]:
    """All rows, and the greatest sequence number that there ever was (-1: none), as of one moment."""
    database.execute("BEGIN")
    try:
        rows = database.execute("SELECT * FROM events ORDER BY sequence").fetchall()
        last = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    finally:
        database.execute("COMMIT")
    return rows, -1 if last is None else last[0]


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
