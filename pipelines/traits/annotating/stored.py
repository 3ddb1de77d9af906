"""Statements in files: ``statements-000000.jsonl`` and so on, one statement a line, 64 images a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.traits.finding.stored_codes import write_bytes
from pipelines.traits.statements import Statement
from protocols.errors import RecordError


def shard_name(number: int) -> str:
    """The file of the 64 images from 64 times ``number``."""
    return f"statements-{number:06d}.jsonl"


def write_statements(path: Path, statements: Iterable[Statement]) -> None:
    """Write a whole file or none of it.

    Raises:
        OSError: it cannot be written.
    """
    lines = (json.dumps(one.as_json(), ensure_ascii=False, allow_nan=False) + "\n" for one in statements)
    write_bytes(path, "".join(lines).encode())


def read_shard(path: Path) -> Iterator[Statement]:
    """The statements of one file.

    Raises:
        RecordError: it is missing or damaged.
    """
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield Statement.of(json.loads(line))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend=f"Delete {path.parent}: that stage is then done again"
        ) from None


def read_statements(folder: Path) -> Iterator[Statement]:
    """Every statement of a stage, image by image.

    Raises:
        RecordError: a file is damaged.
    """
    for path in sorted(folder.glob("statements-*.jsonl")):
        yield from read_shard(path)
