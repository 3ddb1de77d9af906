"""Delimited text (CSV) read line by line: delimiter, header, rows, and every problem with its place.

Comma, semicolon and tab are told apart by the header: the one that yields most columns whose meaning is known
is taken. A first line ``sep=;``, as spreadsheets write it, settles it. Line ends, a byte-order mark and
spaces around values do not matter. Empty rows at the end are passed over; an empty row between others is a
problem, because a row may have been lost there.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from protocols.errors import FileProblemsError, InputError, Problem
from protocols.formats.columns import Column, Role, nearest_header, read_header
from protocols.formats.documents import decode, regular_size, too_large, unreadable

LARGEST = 64 * 2**20
"""The size, bytes, up to which a worklist is read."""
MOST_ROWS = 100_000
"""How many rows a worklist may have."""
LONGEST_LINE = 10_000
"""How many bytes one line may have."""
MOST_PROBLEMS = 1000
"""After so many problems reading stops."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
"""The delimiters that are read, and their names."""


@dataclass
class Problems:
    """Collects what is wrong with one file, so that all of it is said at once."""

    path: Path
    found: list[Problem] = field(default_factory=list)
    stopped: bool = False

    def add(self, line: int, what: str, mend: str = "", *, column: str | None = None) -> None:
        """Note a problem on ``line`` (from 1), in ``column`` if it is one value's."""
        place = f"{self.path}:{line}" + (f", column '{column}'" if column is not None else "")
        self.found.append(Problem(place, what, mend))

    def add_error(self, line: int, error: InputError, *, column: str | None = None) -> None:
        """Note what ``error`` says as a problem on ``line``."""
        self.add(line, error.what, error.mend, column=column)

    def raise_any(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            FileProblemsError: there is at least one problem.
        """
        if self.found:
            mend = f"Reading stopped after {MOST_PROBLEMS} problems: there may be more" if self.stopped else ""
            raise FileProblemsError(str(self.path), self.found, mend=mend)


@dataclass(frozen=True)
class Row:
    """One row: the line on which it ends, and its values by meaning, without spaces around them."""

    line: int
    values: dict[Role, str]

    def get(self, role: Role) -> str:
        """The value; empty where the row or the file has none."""
        return self.values.get(role, "")


@dataclass
class Table:
    """A delimited file whose header has been understood.

    Attributes:
        columns: those whose meaning is known, by meaning.
        ignored: headers of the others.
        header_line: where the header stands.
    """

    path: Path
    delimiter: str
    columns: dict[Role, Column]
    unknown: list[Column]
    header_line: int
    problems: Problems
    width: int

    @property
    def ignored(self) -> tuple[str, ...]:
        """The headers of columns that are not used."""
        return tuple(column.header for column in self.unknown if column.header)

    def require(self, *roles: Role) -> bool:
        """Whether there is a column for each of ``roles``; a problem is noted for each that is missing."""
        missing = [role for role in roles if role not in self.columns]
        for role in missing:
            near = nearest_header(role, self.unknown)
            mend = f"Is it '{near}'? " if near else ""
            self.problems.add(
                self.header_line,
                f"there is no column for the {role}",
                f"{mend}Name a column '{role.replace(' ', '_')}'",
            )
        return not missing

    def rows(self) -> Iterator[Row]:
        """The rows in order, in bounded memory; what is wrong with a row's form is noted and the row left out."""
        empty: list[int] = []
        count = 0
        for line, cells in _records(self.path, self.delimiter, self.problems):
            if line <= self.header_line:
                continue
            if not any(cells):
                empty.append(line)
                continue
            for gap in empty[: MOST_PROBLEMS - len(self.problems.found)]:
                self.problems.add(gap, "the row is empty", "Remove it, or fill in what is missing")
            empty.clear()
            count += 1
            if count > MOST_ROWS:
                self.problems.add(line, f"there are more than {MOST_ROWS:,} rows", "Split the worklist")
                return
            if len(self.problems.found) >= MOST_PROBLEMS:
                self.problems.stopped = True
                return
            if len(cells) > self.width and any(cells[self.width :]):
                self.problems.add(
                    line,
                    f"the row has {len(cells)} values where the header has {self.width}",
                    "Check for a stray delimiter, or put quotation marks around the value",
                )
                continue
            values = {role: cells[column.index] for role, column in self.columns.items() if column.index < len(cells)}
            yield Row(line, values)
        if count == 0 and not self.problems.found:
            self.problems.add(self.header_line, "there is no row below the header")


def open_table(path: Path) -> Table:
    """The delimited file at ``path``, its header understood and its rows not yet read.

    Raises:
        InputError: no such file, not a regular file, larger than :data:`LARGEST`, or not text.
    """
    try:
        size = regular_size(path)
    except OSError as error:
        raise unreadable(path, error) from None
    if size > LARGEST:
        raise too_large(str(path), size, LARGEST)
    problems = Problems(path)
    header_line, text, fixed = _header(path)
    delimiter = fixed or _delimiter(text)
    columns: dict[Role, Column] = {}
    unknown: list[Column] = []
    headers = _cells(text, delimiter)
    for index, header in enumerate(headers):
        column = read_header(index, header)
        if column.role is None:
            unknown.append(column)
        elif (first := columns.setdefault(column.role, column)) is not column:
            what = f"two columns give the {column.role}: '{first.header}' and '{header}'"
            problems.add(header_line, what, "Remove or rename one of them")
    return Table(path, delimiter, columns, unknown, header_line, problems, len(headers))


def sniff(path: Path) -> list[str]:
    """The first line with anything in it, as a worklist's header; empty if it is too long to be one.

    Raises:
        InputError: no such file, not a regular file, or not text.
    """
    try:
        regular_size(path)
        with path.open("rb") as stream:
            content = stream.readline(LONGEST_LINE + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(content) > LONGEST_LINE:
        return []
    _, text, fixed = _header(path)
    return _cells(text, fixed or _delimiter(text))


def _delimiter(text: str) -> str:
    return max(DELIMITERS, key=lambda candidate: _understood(text, candidate))


def _header(path: Path) -> tuple[int, str, str | None]:
    """The line of the header, its text, and the delimiter if the file says it itself."""
    fixed = None
    with closing(_lines(path)) as lines:
        for number, text in enumerate(lines, start=1):
            said = text.strip()
            if number == 1 and len(said) == 5 and said.lower().startswith("sep=") and said[4] in DELIMITERS:
                fixed = said[4]
            elif said.strip(",;\t "):
                return number, text, fixed
    raise InputError("it is empty", where=str(path), mend="Write a header and one row for each transfer")


def _understood(text: str, delimiter: str) -> tuple[int, int]:
    headers = _cells(text, delimiter)
    return sum(read_header(0, header).role is not None for header in headers), len(headers)


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _records(path: Path, delimiter: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    with closing(_lines(path)) as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                problems.add(max(reader.line_num, 1), f"the row cannot be read: {error}", "Check its quotation marks")
                return
            except InputError as error:
                problems.found.append(Problem(error.where, error.what, error.mend))
                return
            yield reader.line_num, [cell.strip() for cell in cells]


def _lines(path: Path) -> Generator[str, None, None]:
    """The file's lines as text, never more than one of them in memory."""
    try:
        with path.open("rb") as stream:
            number = 0
            while content := stream.readline(LONGEST_LINE + 1):
                number += 1
                where = f"{path}:{number}"
                if len(content) > LONGEST_LINE:
                    raise InputError(f"the line is longer than {LONGEST_LINE:,} bytes", where=where)
                if b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise InputError("the line has a zero byte: this is not a text file", where=where)
                yield decode(content, path, first_line=number)
    except OSError as error:
        raise unreadable(path, error) from None
