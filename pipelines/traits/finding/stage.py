"""One stage of the job: a folder with a record that says whether it is whole, and what it was made from.

``stage.json`` is written first with ``"complete": false``, so that a folder that was only begun is never taken for
whole, and last with the size and SHA-256 of every file. The identity of a whole stage is the SHA-256 of its record in
RFC 8785 canonical JSON; the next stage names it, so that nothing is ever made from something else unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import rfc8785

from pipelines.traits.finding.progress import Event, Report
from protocols.errors import RecordError
from robots.execution.home import sync_folder, write_json

SCHEMA_VERSION = 1
RECORD = "stage.json"
_READ_AGAIN = 1 << 20
"""Bytes up to which a file of a whole stage is hashed again before it is used. Larger ones (activations, codes,
weights) are compared by size here, and by the checksums that their own readers keep."""
State = Literal["absent", "begun", "whole", "other"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, what it is to be made with, and what it is to be made from.

    Attributes:
        folder: its own folder.
        settings: everything that its result depends on, JSON.
        made_from: the identity of what it reads, by name.
    """

    folder: Path
    settings: Mapping[str, Any]
    made_from: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the stage, which is that of its folder."""
        return self.folder.name

    def state(self) -> State:
        """``whole``, ``begun`` (it can be gone on with), ``absent``, or ``other``: made with or from something else.

        Raises:
            RecordError: its record cannot be read.
        """
        record = read_record(self.folder)
        if record is None:
            return "absent"
        if record["settings"] != self._plain(self.settings) or record["made_from"] != dict(self.made_from):
            return "other"
        return "whole" if record["complete"] else "begun"

    def begin(self, salvage: Callable[[Path], object] | None = None) -> Path:
        """Make the folder ready to work in: what was begun with the same settings stays, anything else goes.

        Args:
            salvage: where the folder was made with the same settings, but from something else, leaves in it what holds
                all the same; killed and called again, it goes on.

        Returns:
            The folder.
        """
        state = self.state()
        if state == "other" and salvage is not None and self._has_these_settings():
            salvage(self.folder)
            write_json(self.folder / RECORD, self._record(complete=False))
            state = "begun"
        if state == "begun":
            for left in list(_files(self.folder)):
                if left.name.startswith(".") or left.suffix == ".part":  # what a killed write left beside its file
                    left.unlink(missing_ok=True)
            return self.folder
        remove(self.folder)
        self.folder.mkdir(parents=True)
        write_json(self.folder / RECORD, self._record(complete=False))
        return self.folder

    def finish(self, found: Mapping[str, Any]) -> str:
        """Write down that the stage is whole.

        Args:
            found: figures of what was found, for people.

        Returns:
            Its identity.
        """
        files = {
            path.relative_to(self.folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
            for path in sorted(_files(self.folder))
            if path.name != RECORD
        }
        record = self._record(complete=True) | {"found": self._plain(found), "files": files}
        write_json(self.folder / RECORD, record)
        return identity(record)

    def whole(self) -> str:
        """The identity of a stage that is whole, after a look at its files.

        Raises:
            RecordError: it is not whole, or a file is missing or damaged.
        """
        record = read_record(self.folder)
        if record is None or not record["complete"]:
            raise RecordError("the stage is not whole", where=str(self.folder), mend=_mend(self.folder))
        for name, kept in record["files"].items():
            _check(self.folder / name, kept, self.folder)
        return identity(record)

    def found(self) -> dict[str, Any]:
        """The figures that were written down when it was finished; empty before."""
        record = read_record(self.folder)
        return dict(record.get("found", {})) if record else {}

    def _has_these_settings(self) -> bool:
        record = read_record(self.folder)
        return record is not None and record["settings"] == self._plain(self.settings)

    def _record(self, *, complete: bool) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "stage": self.name,
            "complete": complete,
            "settings": self._plain(self.settings),
            "made_from": dict(self.made_from),
        }

    @staticmethod
    def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
        return plain


@dataclass(frozen=True, slots=True)
class Step:
    """What a job does in one stage.

    Attributes:
        name: of the stage, and of its folder.
        sources: the stages that it reads.
        settings: gives everything beside them that its result depends on, as JSON.
        make: does the work in the stage's folder, goes on with what is there, and gives figures of what was found.
        salvage: as for :meth:`Stage.begin`.
        made_from: identities of what it reads, where they are not those of the stages as they are.
    """

    name: str
    sources: tuple[str, ...]
    settings: Callable[[], Mapping[str, Any]]
    make: Callable[[Path], Mapping[str, Any]]
    salvage: Callable[[Path], object] | None = None
    made_from: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """A job's stages in its folder, each done once.

    Attributes:
        out: the job's folder.
        report: told of the progress.
        identities: of the stages that are whole, so far.
    """

    out: Path
    report: Report
    identities: dict[str, str] = field(default_factory=dict)

    def do(self, step: Step) -> None:
        """Do a stage, or go on with it, unless it is whole.

        Raises:
            RecordError: something that was written is damaged, or a stage that it reads is not whole.
        """
        stage = self.stage(step)
        if stage.state() == "whole":
            self.identities[step.name] = stage.whole()
            self.report(Event(step.name, "kept"))
            return
        self.report(Event(step.name, "begun"))
        found = step.make(stage.begin(step.salvage))
        self.identities[step.name] = stage.finish(found)
        self.report(Event(step.name, "done"))

    def stage(self, step: Step) -> Stage:
        """The stage with its record.

        Raises:
            RecordError: a stage that it reads is not whole.
        """
        made_from = {name: self.identity(name) for name in step.sources}
        return Stage(self.out / step.name, step.settings(), step.made_from or made_from)

    def identity(self, name: str) -> str:
        """The identity of a stage that must be whole.

        Raises:
            RecordError: it is not.
        """
        if name not in self.identities:
            self.identities[name] = Stage(self.out / name, {}, {}).whole()
        return self.identities[name]


def identity(record: Mapping[str, Any]) -> str:
    """SHA-256, 64 hexadecimal digits, of a record in canonical JSON."""
    return hashlib.sha256(rfc8785.dumps(dict(record))).hexdigest()


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of a stage's folder; ``None`` where there is none, as after a kill before it was written.

    Raises:
        RecordError: it is damaged, or another version wrote it.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version = record["schema_version"]
        fine = version != SCHEMA_VERSION or {"complete", "settings", "made_from"} <= set(record)
        if not fine or (version == SCHEMA_VERSION and record["complete"] and "files" not in record):
            raise ValueError("fields are missing")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"the record cannot be read ({error})", where=str(path), mend=_mend(folder)) from None
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"has schema version {version}, this Labwright reads {SCHEMA_VERSION}",
            where=str(path),
            mend="Use the version of Labwright that wrote it, or another folder",
        )
    return dict(record)


def remove(folder: Path) -> None:
    """Remove a stage's folder: its record first, so that no kill leaves a part of it that says it is whole."""
    if not folder.exists():
        return
    (folder / RECORD).unlink(missing_ok=True)
    sync_folder(folder)
    shutil.rmtree(folder)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _check(path: Path, kept: Mapping[str, Any], folder: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError:
        raise RecordError("the file is missing", where=str(path), mend=_mend(folder)) from None
    if size != kept["bytes"] or (size <= _READ_AGAIN and _sha256(path) != kept["sha256"]):
        raise RecordError("the file is not as it was written", where=str(path), mend=_mend(folder))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mend(folder: Path) -> str:
    return f"Restore it from a copy, or delete {folder}: that stage and those after it are then done again"
