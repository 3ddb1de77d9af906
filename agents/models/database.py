"""SQLite files that several processes write at once and that a killed process leaves whole."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from protocols.errors import RecordError

BUSY = 60.0
"""s that one process waits for another's transaction."""


class Database:
    """One SQLite file in write-ahead mode: a transaction is there as a whole or not at all. Any thread may use it."""

    def __init__(self, path: Path | None, tables: str, version: int) -> None:
        """Open the file, and make it with ``tables`` if it is not there; None keeps everything in memory.

        Raises:
            RecordError: it cannot be opened, is damaged, or of another schema version.
        """
        self.path = path
        self._lock = threading.Lock()
        with self._explained():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=BUSY, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(tables, version)
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self, tables: str, version: int) -> None:
        # The mode is set by whoever comes first; SQLite does not wait for a lock here by itself.
        self._connection.execute("PRAGMA busy_timeout = 60000")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        with self._transaction() as connection:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for table in tables.split(";"):
                    connection.execute(table)
                connection.execute(f"PRAGMA user_version = {version}")
            elif found != version:
                raise RecordError(
                    f"has schema version {found}, this Labwright writes {version}",
                    where=str(self.path),
                    mend="Use the Labwright that wrote it, or another file",
                )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise RecordError(
                f"cannot be used ({error})",
                where=str(self.path or "memory"),
                mend="Make room on the disk, and see that the file can be written",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, which nobody else writes beside; undone if anything is raised.

        Raises:
            RecordError: the file cannot be written.
        """
        with self._lock, self._explained(), self._transaction() as connection:
            yield connection

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds.

        Raises:
            RecordError: the file cannot be read.
        """
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()
