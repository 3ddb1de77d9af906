"""Where Labwright keeps runs and the record of each workcell: ``LABWRIGHT_HOME``.

HOME/runs/RUN/          run.json, program.json, workcell.json, start.json, plan.json, journal.sqlite,
                        devices.log, report/
HOME/workcells/NAME/    lease, state.json, world/
HOME/answers.sqlite     what models answered, by content
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import platformdirs

from protocols.errors import InputError, RecordError

RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[a-z0-9-]{1,40}-[0-9a-f]{4}")
"""What a run is called: when it was made (UTC), a word or two of its title, four digits of chance."""
_LONGEST_NAME = 200
"""Characters of a file's name; most file systems take 255."""


def utc_now() -> str:
    """The wall clock: UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Home:
    """The folder under which everything is kept."""

    path: Path

    @classmethod
    def find(cls, path: str | Path | None = None) -> Home:
        """``path``, else the environment's ``LABWRIGHT_HOME``, else a folder beside the user's data."""
        chosen = path or os.environ.get("LABWRIGHT_HOME") or platformdirs.user_data_path("labwright")
        return cls(Path(chosen).expanduser().resolve())

    @property
    def answers(self) -> Path:
        """The file of what models answered, by content."""
        return self.path / "answers.sqlite"

    def run(self, run: str) -> Path:
        """The folder of a run, whether it exists or not.

        Raises:
            InputError: ``run`` cannot be a run's id.
        """
        if not RUN_ID.fullmatch(run):
            raise InputError(f"'{run}' is not the id of a run", mend="`labwright runs list` shows them")
        return self.path / "runs" / run

    def runs(self) -> list[str]:
        """Ids of all runs, oldest first."""
        folder = self.path / "runs"
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir() if RUN_ID.fullmatch(entry.name))

    def workcell(self, name: str) -> Path:
        """The folder that holds a workcell's lease and record; made if it is not there."""
        folder = self.path / "workcells" / _file_name(name)
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
        return folder

    def new_run(self, title: str) -> tuple[str, Path]:
        """Make the folder of a new run; returns the run's id and the folder."""
        (self.path / "runs").mkdir(parents=True, exist_ok=True)
        words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:32].strip("-") or "run"
        while True:
            run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{words}-{secrets.token_hex(2)}"
            try:
                self.run(run).mkdir()
            except FileExistsError:
                continue
            sync_folder(self.path / "runs")
            return run, self.run(run)


def _file_name(name: str) -> str:
    """A name as one harmless path component; different names stay different."""
    safe = urllib.parse.quote(name, safe="", errors="surrogatepass")
    if len(safe) > _LONGEST_NAME:
        safe = f"{safe[:100]}%{hashlib.sha256(safe.encode()).hexdigest()}"
    return safe if safe.strip(".") else f"%{safe}"


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or none of it: to a temporary beside it, to the disk, then in its place.

    Raises:
        RecordError: it cannot be written; what was there before is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise RecordError(f"cannot be written ({error})", where=str(path), mend="Make room on the disk") from None
        raise


def sync_folder(folder: Path) -> None:
    """Put a folder's list of files on the disk: without it a new file may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as JSON, whole or not at all."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def read_json(path: Path, schema_version: int) -> dict[str, Any]:
    """Read an object that carries ``schema_version``.

    Raises:
        RecordError: it is missing, damaged or of another schema version.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError("the file is missing", where=str(path)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"cannot be read ({error})", where=str(path), mend="Restore it from a copy") from None
    if not isinstance(value, dict) or "schema_version" not in value:
        raise RecordError("is no record of Labwright", where=str(path))
    if value["schema_version"] != schema_version:
        raise RecordError(
            f"has schema version {value['schema_version']}, this Labwright reads {schema_version}",
            where=str(path),
            mend="Use the version of Labwright that wrote it",
        )
    return value
