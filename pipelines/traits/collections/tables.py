"""Rows of metadata tables, one at a time: CSV, TSV, JSON lines and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
import pyarrow.parquet

from pipelines.traits.collections.scans import CollectionError
from pipelines.traits.collections.terms import without_surrogates

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".parquet")
LONGEST_FIELD = 4_000_000
"""Characters in one field of a CSV, or in one line of JSON; the longest fields of GBIF downloads are some thousands."""


class Row(NamedTuple):
    """One row: its line (in Parquet the row), from 1, and its values as text, or what is wrong with it."""

    line: int
    values: list[str]
    problem: str = ""


class Table:
    """A metadata table of which the columns are known and the rows are read when they are asked for.

    Attributes:
        path: the file.
        columns: their names as the file has them.
        embeds: whether a column holds files, as data sets of Hugging Face do; no such column is read.

    Raises:
        CollectionError: the file cannot be read, or is no table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.embeds = False
        self._encoding = "utf-8-sig"
        self._delimiter = ","
        kind = path.suffix.lower()
        self._kind = "parquet" if kind == ".parquet" else "json" if kind in (".jsonl", ".ndjson") else "text"
        try:
            self.columns = self._columns()
        except (OSError, ValueError, csv.Error, RecursionError, pyarrow.ArrowException) as error:
            raise _unreadable(path, error) from None
        if not self.columns:
            raise CollectionError("is empty", where=str(path), mend="Write a line of column names and a row per image")

    def _columns(self) -> list[str]:
        if self._kind == "parquet":
            schema = pyarrow.parquet.read_schema(self.path)
            self.embeds = any(pyarrow.types.is_struct(field.type) and _holds_bytes(field.type) for field in schema)
            return [str(name) for name in schema.names]
        if self._kind == "json":
            names: dict[str, None] = {}
            for _, item in zip(range(1000), self._objects(), strict=False):
                names |= dict.fromkeys(item[1])
            return list(names)
        self._encoding = _encoding(self.path)
        with open(self.path, encoding=self._encoding, newline="") as stream:
            head = stream.readline(LONGEST_FIELD)
        if "\0" in head:
            raise ValueError("it holds zero bytes: it is no text")
        self._delimiter = max("\t,;|", key=head.count)
        return next(csv.reader([head], delimiter=self._delimiter, quoting=self._quoting()), [])

    def rows(self) -> Iterator[Row]:
        """Every row, in order; a row that is no row has a problem instead of values.

        Raises:
            CollectionError: the file cannot be read to its end.
        """
        try:
            if self._kind == "parquet":
                yield from self._parquet()
            elif self._kind == "json":
                place = {name: at for at, name in enumerate(self.columns)}
                for line, item, problem in self._objects():
                    for name in item.keys() - place.keys():
                        place[name] = len(place)
                        self.columns.append(name)
                    values = [""] * len(place)
                    for name, value in item.items():
                        values[place[name]] = _text(value)
                    yield Row(line, values, problem)
            else:
                yield from self._lines()
        except (OSError, ValueError, csv.Error, pyarrow.ArrowException) as error:
            raise _unreadable(self.path, error) from None

    def _lines(self) -> Iterator[Row]:
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_FIELD))
        with open(self.path, encoding=self._encoding, newline="") as stream:
            reader = csv.reader(stream, delimiter=self._delimiter, quoting=self._quoting())
            next(reader, None)
            before = reader.line_num
            for values in reader:
                line, before = before + 1, reader.line_num
                extra = any(value.strip() for value in values[len(self.columns) :])
                if extra:
                    yield Row(line, values, f"the line has {len(values)} fields, the table {len(self.columns)} columns")
                elif any(values):
                    yield Row(line, [without_surrogates(value.strip()) for value in values])

    def _quoting(self) -> Any:
        # Tab-separated Darwin Core has no quoting: a quotation mark is a character like any other there.
        return csv.QUOTE_NONE if self._delimiter == "\t" else csv.QUOTE_MINIMAL

    def _objects(self) -> Iterator[tuple[int, Mapping[str, Any], str]]:
        with open(self.path, encoding="utf-8-sig", errors="replace") as stream:
            line = 0
            while text := stream.readline(LONGEST_FIELD):
                line += 1
                if len(text) >= LONGEST_FIELD:
                    raise ValueError(f"line {line} is longer than {LONGEST_FIELD:,} characters")
                if not text.strip():
                    continue
                try:
                    item = json.loads(text)
                except (ValueError, RecursionError) as error:
                    yield line, {}, f"the line is no JSON ({error})"
                    continue
                if isinstance(item, dict):
                    yield line, flat(item), ""
                else:
                    yield line, {}, "the line is JSON, but no object"

    def _parquet(self) -> Iterator[Row]:
        line = 0
        with pyarrow.parquet.ParquetFile(self.path) as file:
            plain = [field.name for field in file.schema_arrow if not _holds_bytes(field.type)]
            for batch in file.iter_batches(batch_size=1024, columns=plain):
                by_name = {name: batch.column(at).to_pylist() for at, name in enumerate(batch.schema.names)}
                for at in range(batch.num_rows):
                    line += 1
                    yield Row(line, [_text(by_name[name][at]) if name in by_name else "" for name in self.columns])


def flat(item: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as one, keys joined with dots."""
    found: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, Mapping) and prefix.count(".") < 8:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{without_surrogates(name)}"] = value
    return found


def _holds_bytes(kind: Any) -> bool:
    types = pyarrow.types
    if types.is_struct(kind):
        return any(_holds_bytes(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return without_surrogates(value.strip())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (list, tuple, dict)):
        return without_surrogates(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))
    return without_surrogates(str(value))


def text_of(value: Any) -> str:
    """A value of JSON or Parquet as a term's text: nothing for null and NaN, ``3`` for 3.0, JSON for lists."""
    return _text(value)


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is UTF-8, else UTF-16 by its mark, else Latin-1, in which every byte is a letter."""
    with open(path, "rb") as stream:
        if stream.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            while stream.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _unreadable(path: Path, error: Exception) -> CollectionError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return CollectionError(
        f"cannot be read as a table ({said})", where=str(path), mend="Mend it, or move it out of the collection"
    )
