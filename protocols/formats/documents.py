"""Documents: YAML and JSON files read safely, with the line of every value and with includes.

A document is read completely or refused with one :class:`~protocols.errors.InputError` that names file and
line. It must be a regular UTF-8 file (a byte-order mark is accepted) of at most :data:`LARGEST` bytes.

A document whose root is a mapping may say ``include: [stock.yaml, deck/plates.yaml]``: files relative to its
own folder, inside the folder tree of the first file. They are merged in the order given, later over earlier,
and the including document over all of them: mappings key by key, everything else (lists, texts, numbers)
replaces what was there. An included document may include others.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocols.errors import InputError
from protocols.formats.markup import FieldPath, find_lines, has_step, parse_json, parse_yaml

LARGEST = 16 * 2**20
"""The size, bytes, up to which a document is read, its includes counted in."""
DEEPEST_INCLUDE = 8
"""How many documents may include one another in a chain."""
MOST_INCLUDES = 64
"""How many documents one document may bring in, counted each time."""


@dataclass(frozen=True)
class Document:
    """What stands in a file, as plain data (mappings, lists, text, numbers, truth values, ``None``).

    Attributes:
        path: the file, as the person named it.
        data: with includes merged in.
    """

    path: Path
    data: Any
    own: Any = field(repr=False)
    text: str = field(repr=False)
    is_json: bool = False
    includes: tuple[Document, ...] = field(default=(), repr=False)

    def where(self, *path: str | int) -> str:
        """``"file:line"`` of what ``path`` leads to, or of the nearest part around it that exists."""
        return self.places([path])[path]

    def places(self, paths: Iterable[FieldPath]) -> dict[FieldPath, str]:
        """``"file:line"`` of each of ``paths``; as :meth:`where`, with each file gone through once."""
        by_document: dict[int, tuple[Document, dict[FieldPath, FieldPath]]] = {}
        for path in paths:
            document, known = self._holder(path)
            by_document.setdefault(id(document), (document, {}))[1][path] = path[:known]
        places: dict[FieldPath, str] = {}
        for document, wanted in by_document.values():
            around = {short[:end] for short in wanted.values() for end in range(len(short) + 1)}
            lines = find_lines(document.text, str(document.path), around, is_json=document.is_json)
            for path, short in wanted.items():
                line = next((lines[short[:end]] for end in range(len(short), -1, -1) if short[:end] in lines), 1)
                places[path] = f"{document.path}:{line}"
        return places

    def _holder(self, path: FieldPath) -> tuple[Document, int]:
        """The document that says what is at ``path``, and how much of the path exists there."""
        best: tuple[Document, int] = (self, _known(self.own, path))
        for included in reversed(self.includes):
            document, known = included._holder(path)
            if known > best[1]:
                best = (document, known)
        return best


def load_document(path: str | Path) -> Document:
    """Read the YAML or JSON file at ``path``, and what it includes.

    A file whose name ends in ``.json``, or whose text begins with ``{`` or ``[`` and is JSON, is read as
    JSON; every other file as YAML.

    Raises:
        InputError: no such file, not a regular file, too large, not UTF-8, malformed, a duplicate key, a
            number that is not finite, too deep, too many values, or an include that cannot be followed.
    """
    file = Path(path)
    return _Loading(root=_resolved(file).parent).load(file, chain=())


def parse_document(text: str, name: str = "text") -> Document:
    """The document that ``text`` is; ``name`` stands for the file in errors. It cannot include others.

    Raises:
        InputError: as for :func:`load_document`.
    """
    if len(text) > LARGEST:
        raise too_large(name, len(text))
    document = _parse(text, Path(name))
    if isinstance(document.data, dict) and "include" in document.data:
        raise InputError("text that is not in a file cannot include files", where=document.where("include"))
    return document


def read_text(path: Path, *, limit: int = LARGEST) -> str:
    """The text of a regular UTF-8 file of at most ``limit`` bytes, without its byte-order mark.

    Raises:
        InputError: no such file, not a regular file, larger than that, or not UTF-8.
    """
    return decode(read_bytes(path, limit=limit), path)


def read_bytes(path: Path, *, limit: int = LARGEST) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes; nothing is read of a larger one.

    Raises:
        InputError: no such file, not a regular file, or larger than that.
    """
    try:
        size = regular_size(path)
        if size > limit:
            raise too_large(str(path), size, limit)
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(content) > limit:
        raise too_large(str(path), len(content), limit)
    return content


def decode(content: bytes, path: Path, *, first_line: int = 1) -> str:
    """UTF-8 ``content`` of the file ``path`` as text, without its byte-order mark; it begins on ``first_line``.

    Raises:
        InputError: it is not UTF-8; the line is named.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("it is written in UTF-16", where=str(path), mend="Save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + first_line
        byte = content[error.start]
        raise InputError(
            f"byte 0x{byte:02x} is not UTF-8 text", where=f"{path}:{line}", mend="Save the file as UTF-8"
        ) from None


def regular_size(path: Path) -> int:
    """The size, bytes, of the regular file ``path``.

    Raises:
        OSError: it cannot be looked at.
        InputError: it is a folder, a pipe or a device.
    """
    try:
        found = path.stat()
    except ValueError:
        raise InputError("its name cannot be followed to a file", where=str(path)[:200]) from None
    if stat.S_ISDIR(found.st_mode):
        raise InputError("it is a folder", where=str(path), mend="Name a file")
    if not stat.S_ISREG(found.st_mode):
        raise InputError("it is not a regular file", where=str(path), mend="Copy its content into a file")
    return found.st_size


def too_large(name: str, size: int, limit: int = LARGEST) -> InputError:
    """The error for a file of ``size`` bytes where at most ``limit`` are read."""
    return InputError(
        f"it is {size / 1e6:,.1f} MB, more than the {limit / 1e6:,.1f} MB that are read",
        where=name,
        mend="Split it, or check that it is the right file",
    )


def unreadable(path: Path, error: OSError) -> InputError:
    """The error for a file that the system does not let us read."""
    why = (error.strerror or type(error).__name__).lower()
    return InputError(f"it cannot be read ({why})", where=str(path), mend="Check the name and its permissions")


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise InputError("its name cannot be followed to a file", where=str(path)[:200]) from None


@dataclass
class _Loading:
    """One call of :func:`load_document`: what it may still read."""

    root: Path
    bytes_left: int = LARGEST
    includes_left: int = MOST_INCLUDES

    def load(self, path: Path, chain: tuple[Path, ...]) -> Document:
        content = read_bytes(path, limit=self.bytes_left)
        self.bytes_left -= len(content)
        document = _parse(decode(content, path), path)
        if not isinstance(document.own, dict) or "include" not in document.own:
            return document
        chain = (*chain, _resolved(path))
        includes = tuple(self.load(other, chain) for other in self._included(document, chain))
        merged: Any = {}
        for included in includes:
            if not isinstance(included.data, dict):
                raise InputError("an included file must be a mapping", where=included.where())
            merged = _merge(merged, included.data)
        own = {key: value for key, value in document.own.items() if key != "include"}
        return Document(path, _merge(merged, own), document.own, document.text, document.is_json, includes)

    def _included(self, document: Document, chain: tuple[Path, ...]) -> list[Path]:
        named = document.own["include"]
        names = [named] if isinstance(named, str) else named
        where = document.where("include")
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise InputError("include must be a list of file names", where=where, mend="Write include: [other.yaml]")
        paths = []
        for name in names:
            path = document.path.parent / name
            target = _resolved(path)
            if Path(name).is_absolute() or not target.is_relative_to(self.root):
                raise InputError(
                    f"'{name}' lies outside the folder of the first file",
                    where=where,
                    mend="Copy it into the folder",
                )
            if target in chain:
                circle = " -> ".join(step.name for step in (*chain[chain.index(target) :], target))
                raise InputError(f"the includes go in a circle: {circle}", where=where, mend="Remove one of them")
            if len(chain) >= DEEPEST_INCLUDE:
                raise InputError(f"includes go more than {DEEPEST_INCLUDE} files deep", where=where)
            self.includes_left -= 1
            if self.includes_left < 0:
                raise InputError(f"more than {MOST_INCLUDES} files are included in all", where=where)
            paths.append(path)
        return paths


def _parse(text: str, path: Path) -> Document:
    start = text.lstrip()[:1]
    is_json = path.suffix.lower() == ".json"
    if not is_json and start in ("{", "["):
        is_json = _is_json(text)
    data = parse_json(text, str(path)) if is_json else parse_yaml(text, str(path))
    return Document(path, data, data, text, is_json)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError):  # JSON, with a number or a depth that is refused later
        return True
    return True


def _merge(under: Any, over: Any) -> Any:
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: _merge(under[key], value) if key in under else value for key, value in over.items()}


def _known(data: Any, path: FieldPath) -> int:
    """How many steps of ``path`` lead to something in ``data``."""
    for taken, step in enumerate(path):
        if not has_step(data, step):
            return taken
        data = data[step]
    return len(path)
