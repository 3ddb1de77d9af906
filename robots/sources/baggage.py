"""What goes with a file of Python into its isolated folder: modules beside it, labware definitions, files named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from protocols.errors import InputError
from robots.sources.kinds import LARGEST, neighbours, read_source

MODULES, LABWARE = "modules", "labware"
"""Folders of the isolated folder."""
MOST_FILES = 1000
"""That go with one protocol."""
_FOLDERS_OF_LABWARE = (".", "labware", "custom_labware")
"""Where people keep definitions, beside a protocol."""


@dataclass(frozen=True)
class SourceOptions:
    """How other people's Python is run.

    Attributes:
        files: files and folders that it needs beside itself: labware definitions, tables.
        parameters: values of its runtime parameters, by variable name, as a person wrote them.
        seconds: how long it may take.
        trusted: run it also where it cannot be confined, with limits alone.
    """

    files: tuple[Path, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0
    trusted: bool = False


@dataclass(frozen=True)
class Baggage:
    """Files by their name in the isolated folder."""

    files: Mapping[str, bytes]

    def unpack(self, folder: Path) -> None:
        """Write them into ``folder``."""
        for name in (MODULES, LABWARE):
            (folder / name).mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def pack(path: Path, source: bytes, options: SourceOptions, *, labware: bool = False) -> Baggage:
    """All that goes with ``path``: modules that it imports and that lie beside it, and the files of ``options``.

    Args:
        labware: also definitions that lie beside it and whose load name stands in it.

    Raises:
        InputError: a file cannot be read, is too large, or there are too many.
    """
    files = {f"{MODULES}/{module.name}": read_source(module) for module in neighbours(source, path)}
    if labware:
        files |= {f"{LABWARE}/{name}": content for name, content in _definitions_beside(path, source)}
    named = [*options.files, *(Path(text) for text in options.parameters.values() if Path(text).is_file())]
    for item in (inside for file in named for inside in _files_of(file)):
        content = read_source(item)
        place = f"{LABWARE}/{item.name}" if labware and load_name(content) is not None else item.name
        if files.get(place, content) != content:
            raise InputError(
                f"two different files are called '{item.name}'", where=str(item), mend="Rename one of them"
            )
        files[place] = content
    if len(files) > MOST_FILES:
        raise InputError(f"{len(files):,} files would go with it", where=str(path), mend=f"Name at most {MOST_FILES:,}")
    return Baggage(files)


def load_name(content: bytes) -> str | None:
    """The load name of an Opentrons labware definition; ``None`` if it is none."""
    if b'"loadName"' not in content:
        return None
    try:
        definition = json.loads(content)
        name = definition["parameters"]["loadName"] if "wells" in definition else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _definitions_beside(path: Path, source: bytes) -> Iterator[tuple[str, bytes]]:
    for folder in _FOLDERS_OF_LABWARE:
        for item in sorted((path.parent / folder).glob("*.json"))[:MOST_FILES]:
            if not item.is_file() or item.stat().st_size > LARGEST:
                continue
            content = read_source(item)
            name = load_name(content)
            if name is not None and name.encode() in source:
                yield item.name, content


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(item for item in path.iterdir() if item.is_file() and not item.name.startswith("."))
    return [path]
