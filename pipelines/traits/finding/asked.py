"""What was asked of a job: written down before anything is done, so that it is never in doubt what it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from protocols.errors import InputError, RecordError
from robots.execution.home import write_json

SCHEMA_VERSION = 1


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class Choices(_Dataclass):
    """What a person may choose: a frozen dataclass whose fields are ``None`` where it is left to the defaults."""

    def given(self) -> dict[str, Any]:
        """What is not left to the defaults."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Choices from what was written down; names that this version does not know are refused.

        Raises:
            InputError: a name is not known.
        """
        unknown = set(given) - {item.name for item in fields(cls)}
        if unknown:
            raise InputError(f"unknown settings: {', '.join(sorted(unknown))}", mend="Use the version that wrote them")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})

    def over(self, earlier: Self) -> Self:
        """These choices, and the ``earlier`` ones where these say nothing."""
        return replace(earlier, **self.given())


C = TypeVar("C", bound=Choices)


class Asked(Generic[C]):
    """The file in a job's folder that says what was asked, with facts beside that decide whether it is the same job."""

    def __init__(self, path: Path, kind: type[C]) -> None:
        """Take a place; nothing is read or written yet.

        Args:
            path: of the file.
            kind: of the choices.
        """
        self._path = path
        self._kind = kind

    def read(self) -> tuple[C, dict[str, Any]] | None:
        """The choices and the facts; ``None`` where nothing was begun.

        Raises:
            RecordError: the file is damaged, or another version wrote it.
        """
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            version = found.pop("schema_version")
            if version != SCHEMA_VERSION:
                raise ValueError(f"schema version {version}, this Labwright reads {SCHEMA_VERSION}")
            return self._kind.of(found.pop("asked")), dict(found)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, InputError) as error:
            raise RecordError(
                f"cannot be read ({error})",
                where=str(self._path),
                mend="Restore it from a copy, or name another folder",
            ) from None

    def write(self, choices: C, facts: Mapping[str, Any]) -> None:
        """Write it down, unless that is what stands there.

        Raises:
            RecordError: it cannot be written.
        """
        if self.read() != (choices, dict(facts)):
            write_json(self._path, {"schema_version": SCHEMA_VERSION, **facts, "asked": choices.given()})

    def tidy(self) -> None:
        """Remove what a killed write left beside the file."""
        for left in self._path.parent.glob(f".{self._path.name}.*"):
            left.unlink(missing_ok=True)

    def merged(
        self,
        choices: C,
        again: bool,
        *,
        is_free: Callable[[str, C], bool] = lambda name, earlier: False,
        others: Callable[[C, Mapping[str, Any]], Collection[str]] = lambda merged, facts: (),
    ) -> C:
        """What is to be done: as chosen now, and as before where nothing is chosen now.

        Args:
            choices: of now.
            again: whether a difference is wanted.
            is_free: whether a choice may be made anew at any time.
            others: what else differs, by the merged choices and the facts, in words.

        Raises:
            InputError: something differs, and that is not wanted.
            RecordError: the file is damaged.
        """
        before = self.read()
        if before is None:
            return choices
        earlier, facts = before
        merged = choices.over(earlier)
        was, now = earlier.given(), merged.given()
        changed = [
            f"--{name.replace('_', '-')} {was.get(name, 'by default')}, now {value}"
            for name, value in now.items()
            if was.get(name) != value and not is_free(name, earlier)
        ]
        changed += [] if changed else others(merged, facts)
        if changed and not again:
            raise InputError(
                f"was begun with other settings: {'; '.join(changed)}",
                where=str(self._path.parent),
                mend="Leave those options out to go on with it, give --again to redo what they change, or name another "
                "folder",
            )
        return merged
