"""Specimens and statements on the disk while a dataset is written: in any order in, image by image out.

A temporary SQLite database in the folder that is being written. Memory does not grow with the collection.
"""

from __future__ import annotations

import errno
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.traits.collections.stored import from_line
from pipelines.traits.dataset.licences import Licence, parse_licence
from pipelines.traits.dataset.naming import accepted_ranks, narrowest, verbatim_name
from pipelines.traits.specimens import Specimen
from pipelines.traits.statements import MACHINE, Statement

_TABLES = """
CREATE TABLE image(id TEXT PRIMARY KEY, source TEXT, line TEXT, why TEXT, file TEXT, sha256 TEXT, file_sha256 TEXT,
                   size INTEGER, statements INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE INDEX by_source ON image(source, id);
CREATE TABLE twin(id TEXT, source TEXT, line TEXT);
CREATE TABLE statement(image TEXT, id TEXT, said TEXT, PRIMARY KEY(image, id, said)) WITHOUT ROWID;
"""


_HALVES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that every encoding can say: halves of characters, as in odd file names, become U+FFFD."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Text without line ends, tabs and other control characters, each run of which becomes a space."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


@dataclass(frozen=True, slots=True)
class Copied:
    """A file in ``images/``: its path there, SHA-256 of the collection's file and of this one, bytes."""

    file: str
    sha256: str
    file_sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Exported:
    """An image of the dataset, and what is said of it.

    Attributes:
        number: from 1, in the dataset's order.
        specimen: as the collection has it.
        copied: its file.
        ranks: accepted name at each rank.
        licence: what was understood.
        said: each statement with an id that no other has.
    """

    number: int
    specimen: Specimen
    copied: Copied
    ranks: dict[str, str]
    licence: Licence
    said: tuple[tuple[str, Statement], ...]

    @property
    def taxon(self) -> str:
        """The narrowest accepted name."""
        return narrowest(self.ranks)[1]

    @property
    def verbatim(self) -> str:
        """The collection's own name for it."""
        return verbatim_name(self.specimen)

    @property
    def occurrence(self) -> str:
        """Whose image it is: the collection's ``occurrenceID``, or the image's own id."""
        return one_line(self.specimen.terms.get("occurrenceID", "")) or self.specimen.id

    @property
    def rights_holder(self) -> str:
        """As the collection says; empty where it says nothing."""
        terms = self.specimen.terms
        return terms.get("rightsHolder") or terms.get("xmpRights:Owner") or ""

    @property
    def attribution(self) -> str:
        """Whom to name: the credit line, else the creator, else the rights holder."""
        terms = self.specimen.terms
        return terms.get("photoshop:Credit") or terms.get("dcterms:creator") or self.rights_holder


def trusted(statement: Statement) -> bool:
    """Whether nothing spoke against it, or a person agreed with it all the same."""
    return not statement.doubts or statement.review != MACHINE


class Staging:
    """The database; use as a context.

    Raises:
        OSError: from every method: there is no room.
    """

    def __init__(self, path: Path, checklist: dict[str, str]) -> None:
        self._checklist = checklist
        with _full_disk():
            self._database = sqlite3.connect(path)
            self._database.executescript(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;" + _TABLES
            )

    def close(self) -> None:
        """Give up the file."""
        self._database.close()

    def knows(self, id: str) -> bool:
        """Whether an image of this id was put in."""
        return self._database.execute("SELECT 1 FROM image WHERE id = ?", (id,)).fetchone() is not None

    def put_specimen(self, specimen: Specimen, line: bytes, why: str, copied: Copied | None) -> None:
        """An image, and why it is left out or what file it became."""
        file = copied or Copied("", "", "", 0)
        row = (specimen.id, clean(specimen.source), line.decode(), why, file.file, file.sha256, file.file_sha256)
        with _full_disk():
            self._database.execute("INSERT INTO image VALUES (?,?,?,?,?,?,?,?,0)", (*row, file.size))

    def put_twin(self, specimen: Specimen, line: bytes) -> None:
        """Another source of an image that is there already."""
        with _full_disk():
            self._database.execute(
                "INSERT INTO twin VALUES (?,?,?)", (specimen.id, clean(specimen.source), line.decode())
            )

    def put_statement(self, statement: Statement) -> bool:
        """A statement; said twice in the same words, it is kept once. Whether its image is known."""
        said = clean(json.dumps(statement.as_json(), ensure_ascii=False, sort_keys=True))
        with _full_disk():
            row = (statement.image, statement.id, said)
            new = self._database.execute("INSERT OR IGNORE INTO statement VALUES (?,?,?)", row).rowcount
            if not new:
                return True
            counted = "UPDATE image SET statements = statements + 1 WHERE id = ?"
            return self._database.execute(counted, (statement.image,)).rowcount == 1

    def left_out(self) -> Iterator[tuple[str, str, str, str, int]]:
        """Image, source, licence as stated, reason, number of statements; by source."""
        query = "SELECT id, source, line, why, statements FROM image WHERE why != '' UNION ALL "
        query += "SELECT id, source, line, 'the same image is there from another source', 0 FROM twin ORDER BY 2, 1"
        for id, source, line, why, statements in self._database.execute(query):
            yield id, source, json.loads(line)["licence"], why, statements

    def files(self) -> Iterator[tuple[str, str, int]]:
        """Path below ``images/``, SHA-256 and size of each file; by path."""
        query = "SELECT file, file_sha256, size FROM image WHERE why = '' ORDER BY file"
        yield from self._database.execute(query)

    def images(self) -> Iterator[Exported]:
        """Every image of the dataset, by source."""
        query = "SELECT id, line, file, sha256, file_sha256, size FROM image WHERE why = '' ORDER BY source, id"
        with _full_disk():
            for number, (id, line, *file) in enumerate(self._database.execute(query), start=1):
                specimen = from_line(line.encode())
                ranks = accepted_ranks(specimen, self._checklist)
                licence = parse_licence(specimen.licence)
                yield Exported(number, specimen, Copied(*file), ranks, licence, self._said(id))

    def _said(self, image: str) -> tuple[tuple[str, Statement], ...]:
        rows: list[tuple[str, str]] = self._database.execute(
            "SELECT id, said FROM statement WHERE image = ? ORDER BY id, said", (image,)
        ).fetchall()
        seen: dict[str, int] = {}
        found: list[tuple[str, Statement]] = []
        for id, said in rows:
            seen[id] = seen.get(id, 0) + 1
            statement = Statement.of(json.loads(said))
            found.append((id if seen[id] == 1 else f"{id}-{seen[id]}", statement))
        found.sort(
            key=lambda pair: (pair[1].latent, pair[1].part, pair[1].character, pair[1].describer.sample, pair[0])
        )
        return tuple(found)


@contextmanager
def _full_disk() -> Iterator[None]:
    """SQLite's word for a full disk as the system's own."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "I/O" in str(error):
            raise OSError(errno.ENOSPC, "no space left for the temporary database") from error
        raise
