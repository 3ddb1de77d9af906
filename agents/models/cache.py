"""Answers on disk, by everything that determines them.

An answer is stored as the model wrote it, and read and checked anew each time. An entry that was changed on the disk is
noticed by its own hash and counts as absent; a file that SQLite cannot read is moved aside.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import rfc8785

from agents.models.config import ModelConfig
from agents.models.database import Database
from agents.models.requests import Request, as_messages
from agents.models.schemas import AnswerForm
from protocols.errors import RecordError

T = TypeVar("T")

VERSION = 1
_TABLES = """
CREATE TABLE answers (key TEXT PRIMARY KEY, entry TEXT NOT NULL, digest TEXT NOT NULL, stored TEXT NOT NULL) STRICT;
CREATE TABLE endpoints (endpoint TEXT PRIMARY KEY, learnt TEXT NOT NULL) STRICT
"""


@dataclass(frozen=True)
class Entry:
    """An answer as the model wrote it, and what it took.

    Attributes:
        model: as the endpoint named it.
        counted: whether the endpoint counted the tokens; else they are estimates.
        billionths: what it cost; None where no price was known.
        attempts: exchanges with the endpoint.
    """

    text: str
    model: str
    tokens_in: int
    tokens_out: int
    counted: bool
    billionths: int | None
    attempts: int


def cache_key(request: Request, form: AnswerForm[Any], config: ModelConfig) -> str:
    """SHA-256 over RFC 8785 JSON of everything that determines an answer; 64 hexadecimal digits.

    Prompt name and version are in it, image bytes by their hash; prices, limits and patience are not.
    """
    content: dict[str, Any] = {
        "version": VERSION,
        "endpoint": config.endpoint,
        "model": config.model,
        "parameters": config.parameters,
        "prompt": [request.prompt, request.version],
        "messages": as_messages(request, spare_images=True),
        "schema": form.schema,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "sample": request.sample,
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _digest(key: str, entry: str) -> str:
    return hashlib.sha256(f"{key}\n{entry}".encode()).hexdigest()


class Cache:
    """Answers of all jobs that use one file; several processes may."""

    def __init__(self, path: Path) -> None:
        """Open the file; one that is no database is moved aside, as ``NAME.damaged-TIME``.

        Raises:
            RecordError: it cannot be made or opened.
        """
        self.path = path
        try:
            self._database = Database(path, _TABLES, VERSION)
        except RecordError as error:
            if not _is_damage(error):
                raise
            self._move_aside()
            self._database = Database(path, _TABLES, VERSION)
        self._inode = path.stat().st_ino

    def get(self, key: str) -> Entry | None:
        """The answer under a key; None where there is none that can be trusted.

        Raises:
            RecordError: the file cannot be read.
        """
        rows = self._through(lambda: self._database.rows("SELECT entry, digest FROM answers WHERE key = ?", key))
        if not rows or _digest(key, rows[0][0]) != rows[0][1]:
            return None
        return Entry(**json.loads(rows[0][0]))

    def put(self, key: str, entry: Entry) -> None:
        """Keep an answer; on the disk, whole, when this returns.

        Raises:
            RecordError: it could not be written.
        """
        text = json.dumps(asdict(entry))
        self._through(
            lambda: self._write(
                "INSERT OR REPLACE INTO answers VALUES (?,?,?,?)",
                (key, text, _digest(key, text), datetime.now(UTC).isoformat(timespec="seconds")),
            )
        )

    def has(self, key: str) -> bool:
        """Whether there is an answer under a key."""
        return self.get(key) is not None

    def learnt(self, endpoint: str) -> dict[str, Any]:
        """What was learnt about an endpoint, as how it is told the form of an answer."""
        rows = self._through(lambda: self._database.rows("SELECT learnt FROM endpoints WHERE endpoint = ?", endpoint))
        try:
            found = json.loads(rows[0][0]) if rows else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def learn(self, endpoint: str, facts: dict[str, Any]) -> None:
        """Keep what was learnt about an endpoint."""
        values = (endpoint, json.dumps(facts))
        self._through(lambda: self._write("INSERT OR REPLACE INTO endpoints VALUES (?,?)", values))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._database.writing() as connection:
            connection.execute(statement, values)

    def _through(self, work: Callable[[], T]) -> T:
        """Do it; if the file turns out damaged, once more with a new one."""
        try:
            return work()
        except RecordError as error:
            if not _is_damage(error):
                raise
        self._database.close()
        self._move_aside()
        self._database = Database(self.path, _TABLES, VERSION)
        self._inode = self.path.stat().st_ino
        return work()

    def _move_aside(self) -> None:
        """Give the damaged file another name, unless another process did already."""
        with Path(f"{self.path}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if getattr(self, "_inode", None) not in (None, self.path.stat().st_ino if self.path.exists() else None):
                return
            suffix = f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
            for ending in ("", "-wal", "-shm"):
                if (old := Path(f"{self.path}{ending}")).exists():
                    os.replace(old, f"{self.path}{suffix}{ending}")


def _is_damage(error: RecordError) -> bool:
    """Whether SQLite says that the file is no database any more."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.DatabaseError) and getattr(cause, "sqlite_errorname", "").startswith(
        ("SQLITE_CORRUPT", "SQLITE_NOTADB")
    )
