"""How a collection lies on the disk, recognised by looking at it.

=============  ====================================================================================================
layout         what it is
=============  ====================================================================================================
folders        a folder per taxon, ranks in each other if there are several; folder names are read as
               :mod:`~pipelines.traits.collections.names` says
table          images anywhere, and one or more tables (CSV, TSV, JSON lines, Parquet) with a row per image; also a
               Darwin Core archive, unpacked: a table of media and a table of occurrences with a key in common
imagefolder    the same as Hugging Face writes it: ``metadata.csv`` (``.jsonl``, ``.parquet``) with ``file_name``, at
               the top or in each split
manifest       the same where the rows name URLs, of which the images are on the disk already
webdataset     ``.tar`` shards, see :mod:`~pipelines.traits.collections.archives`
flat           images only: a name of a file that is the name of a taxon is taken for it, otherwise the taxon is unknown
=============  ====================================================================================================

Tables are looked for at the top, in folders without images, and anywhere under the name ``metadata``. What a row says
of the taxon goes before what the folder says, from which ranks wider than the row's are taken where nothing
contradicts. An image that no row speaks of is used all the same, and listed. Tables called ``ground_truth`` are never
read: they are the answer, not what is known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from pipelines.traits.collections.archives import members
from pipelines.traits.collections.matching import Files, image_column, meant_column
from pipelines.traits.collections.names import file_name, folders
from pipelines.traits.collections.scans import MOST_LISTED, CollectionError, Quarantined, Reason
from pipelines.traits.collections.tables import Table
from pipelines.traits.collections.terms import filed, says_taxon, taxon_names, term_names
from pipelines.traits.collections.walking import Walk
from pipelines.traits.specimens import RANKS

GROUND_TRUTH = "ground_truth"
"""Name of files that hold what a collection is measured against: never read, whatever they are."""

_CLASSES = ("classnames.txt", "classes.txt", "class_names.txt", "labels.txt")
_KEYS = ("gbifID", "coreid", "id", "occurrenceID", "catalogNumber", "taxonID")
_FEW = 20


class Layout(StrEnum):
    """A layout by name."""

    FOLDERS = "folders"
    TABLE = "table"
    IMAGEFOLDER = "imagefolder"
    MANIFEST = "manifest"
    WEBDATASET = "webdataset"
    FLAT = "flat"


@dataclass(slots=True)
class Candidate:
    """An image, before it was looked at: where it is, the row that speaks of it, by term, and its taxon by rank."""

    source: str
    row: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)
    has_row: bool = False


@dataclass(slots=True)
class Contents:
    """All candidates of a collection in order, and what was found beside them; see :class:`~.scans.Scan`."""

    layout: Layout
    said: str
    candidates: list[Candidate]
    quarantined: list[Quarantined]
    rows_without_image: list[str]
    rows_without_image_count: int
    has_rows: bool


@dataclass(slots=True)
class _Rows:
    """Rows of the tables that were used, by the image that they name."""

    by_source: dict[str, dict[str, str]] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    kinds: set[Layout] = field(default_factory=set)
    without: list[str] = field(default_factory=list)
    without_count: int = 0


def contents(root: Path, walk: Walk, layout: Layout | None) -> Contents:
    """Recognise the layout, or take the one that is named, and put rows, folders and images together.

    Raises:
        CollectionError: a table that belongs to the images cannot be read, or the layout named is not there.
    """
    tables = layout in (None, Layout.TABLE, Layout.IMAGEFOLDER, Layout.MANIFEST)
    quarantined = list(walk.quarantined)
    candidates = [] if layout is Layout.WEBDATASET else [Candidate(path, {}) for path in walk.images]
    seen: dict[str, str] = {}
    if layout in (None, Layout.WEBDATASET):
        for archive in walk.archives:
            candidates += _members(root, archive, quarantined, seen)
    else:
        walk.ignored[".tar"] += len(walk.archives)
    rows = _rows(root, walk, candidates, quarantined, seen) if tables else _Rows()
    if not tables:
        walk.ignored["tables"] += len(walk.tables)
    classes = _classes(root)
    binomials = _binomials(candidates)
    for candidate in candidates:
        if candidate.source in rows.by_source:
            candidate.row = candidate.row | rows.by_source[candidate.source]
            candidate.has_row = True
        candidate.names = _names(candidate, classes, binomials)
    found, said = _recognised(walk, candidates, rows)
    if layout is not None and layout is not found and not _fits(layout, found, rows, candidates):
        raise CollectionError(
            f"is no collection of the layout {layout.value!r}: {said}",
            where=str(root),
            mend=f"Name the layout {found.value!r}, or let it be recognised",
        )
    has_rows = bool(rows.by_source) or any(candidate.has_row for candidate in candidates)
    return Contents(layout or found, said, candidates, quarantined, rows.without, rows.without_count, has_rows)


def _fits(layout: Layout, found: Layout, rows: _Rows, candidates: list[Candidate]) -> bool:
    if not candidates:
        return False
    if layout in (Layout.TABLE, Layout.IMAGEFOLDER, Layout.MANIFEST):
        return bool(rows.used)
    return layout in (Layout.FLAT, Layout.FOLDERS) and found in (Layout.FLAT, Layout.FOLDERS)


def _members(root: Path, archive: str, quarantined: list[Quarantined], seen: dict[str, str]) -> Iterator[Candidate]:
    for member in members(root / archive, archive, quarantined):
        columns = list(member.row)
        row = filed(term_names(columns), list(member.row.values()), seen)
        yield Candidate(f"{archive}::{member.name}", row, has_row=bool(row))


def _names(candidate: Candidate, classes: dict[str, str], binomials: bool) -> dict[str, str]:
    row = candidate.row
    if classes and row.get("label", "") in classes:
        row = row | {"label": classes[row["label"]]}
    said = taxon_names(row)
    path = PurePosixPath(candidate.source.rpartition("::")[2])
    around = folders(path.parts[:-1])
    if not said:
        return around or file_name(path.stem, binomials=binomials)
    if any(around[rank] != said[rank] for rank in around.keys() & said.keys()):
        return said
    widest = min(RANKS.index(rank) for rank in said)
    return {rank: name for rank, name in around.items() if RANKS.index(rank) < widest} | said


def _binomials(candidates: list[Candidate]) -> bool:
    """Whether names of files are two Latin words: only where nine in ten of all are."""
    stems = [PurePosixPath(candidate.source).stem for candidate in candidates]
    named = sum("species" in file_name(stem, binomials=True) for stem in stems)
    return named > 0 and named >= 0.9 * len(stems)


def _recognised(walk: Walk, candidates: list[Candidate], rows: _Rows) -> tuple[Layout, str]:
    loose = sum("::" not in candidate.source for candidate in candidates)
    by_folder = sum(bool(c.names) and "/" in c.source and not taxon_names(c.row) for c in candidates)
    inside = len(candidates) - loose
    parts = []
    if rows.used:
        matched = len(rows.by_source)
        parts.append(f"{matched:,} of {len(candidates):,} images have a row in {', '.join(rows.used[:5])}")
    if inside:
        parts.append(f"{inside:,} images in {len(walk.archives):,} archives")
    if by_folder:
        named = {c.source.rpartition("/")[0] for c in candidates if c.names and "/" in c.source}
        parts.append(f"{by_folder:,} images have their taxon from one of {len(named):,} folders")
    if inside and inside >= loose:
        layout = Layout.WEBDATASET
    elif rows.used:
        layout = next(kind for kind in (Layout.IMAGEFOLDER, Layout.TABLE, Layout.MANIFEST) if kind in rows.kinds)
    elif by_folder:
        layout = Layout.FOLDERS
    else:
        layout = Layout.FLAT
        by_name = sum(bool(candidate.names) for candidate in candidates)
        parts.append(f"{len(candidates):,} images, {by_name:,} of which have their taxon from the name of the file")
    return layout, "; ".join(parts)


def _rows(
    root: Path, walk: Walk, candidates: list[Candidate], quarantined: list[Quarantined], seen: dict[str, str]
) -> _Rows:
    rows = _Rows()
    files = Files.of(candidate.source for candidate in candidates)
    others: list[tuple[str, Table]] = []
    for path in _likely(walk):
        try:
            table = Table(root / path)
            _table(path, table, files, rows, quarantined, others, seen)
        except CollectionError as error:
            if path.lower().endswith(".txt"):  # a text is a table only if it can be read as one
                walk.ignored[".txt"] += 1
                continue
            quarantined.append(Quarantined.because(path, Reason.BAD_ROW, f"the table {error.what}"))
    for path, table in others:
        if not _join(path, table, rows, seen):
            walk.ignored["tables that name no image"] += 1
    return rows


def _likely(walk: Walk) -> list[str]:
    """Tables that may speak of the images, those called metadata first; not a table beside each image."""
    with_images = {path.rpartition("/")[0] for path in walk.images}
    count = Counter(path.rpartition("/")[0] for path in walk.tables)
    likely = []
    for path in walk.tables:
        folder, _, name = path.rpartition("/")
        if name.lower() in _CLASSES:
            continue
        if PurePosixPath(name).stem.lower() == GROUND_TRUTH:
            walk.ignored["ground truth"] += 1
            continue
        top = not folder or (folder not in with_images and count[folder] <= _FEW)
        if PurePosixPath(name).stem.lower() == "metadata" or (top and count[folder] <= 10 * _FEW):
            likely.append(path)
        else:
            walk.ignored[PurePosixPath(name).suffix.lower()] += 1
    return sorted(likely, key=lambda path: (PurePosixPath(path).stem.lower() != "metadata", path.encode()))


def _table(
    path: str,
    table: Table,
    files: Files,
    rows: _Rows,
    quarantined: list[Quarantined],
    others: list[tuple[str, Table]],
    seen: dict[str, str],
) -> None:
    if table.embeds:
        what = "the images stand in the table itself, and are not read from there"
        quarantined.append(Quarantined(path, Reason.UNSUPPORTED, f"{what}. Write them out as an image folder."))
        return
    if len(table.columns) < 2 and path.lower().endswith(".txt"):
        others.append((path, table))
        return
    folder = path[: path.rfind("/") + 1]
    column = image_column(table, files, folder)
    at = column.at if column else meant_column(table)
    if at is None:
        others.append((path, table))
        return
    metadata = PurePosixPath(path).stem.lower() == "metadata" and "file_name" in table.columns[at]
    url = bool(column and column.url)
    rows.kinds.add(Layout.IMAGEFOLDER if metadata else Layout.MANIFEST if url else Layout.TABLE)
    rows.used.append(path)
    terms: list[str] = []
    for row in table.rows():
        where = f"{path}:{row.line}"
        if len(terms) != len(table.columns):  # JSON lines can bring new columns
            terms = term_names(table.columns)
        value = row.values[at] if at < len(row.values) else ""
        if row.problem:
            quarantined.append(Quarantined.because(where, Reason.BAD_ROW, row.problem))
        elif place := files.locate(value, folder):
            _add(place[0], where, filed(terms, row.values, seen), rows, quarantined)
        else:
            rows.without_count += 1
            if len(rows.without) < MOST_LISTED:
                rows.without.append(f"{where} {value}"[:300].rstrip())


def _add(source: str, where: str, row: dict[str, str], rows: _Rows, quarantined: list[Quarantined]) -> None:
    if source not in rows.by_source:
        rows.by_source[source] = row
        rows.lines[source] = where
        return
    first, now = taxon_names(rows.by_source[source]), taxon_names(row)
    if any(first[rank] != now[rank] for rank in first.keys() & now.keys()):
        what = f"it names {source} as {rows.lines[source]} does, but another taxon; the first row is used"
        quarantined.append(Quarantined.because(where, Reason.BAD_ROW, what))
    else:
        rows.by_source[source] = row | rows.by_source[source]


def _join(path: str, table: Table, rows: _Rows, seen: dict[str, str]) -> bool:
    """Add what a table without images says to rows that lack a taxon, by a key in common; whether it said anything."""
    terms = term_names(table.columns)
    if not says_taxon(terms):
        return False
    lacking = {source: row for source, row in rows.by_source.items() if not taxon_names(row)}
    for name in _KEYS:
        here = next((at for at, term in enumerate(terms) if term == name or (name == "coreid" and term == "id")), None)
        wanted: dict[str, list[str]] = {}
        for source, row in lacking.items():
            if row.get(name):
                wanted.setdefault(row[name], []).append(source)
        if here is None or not wanted:
            continue
        joined = 0
        for line in table.rows():
            for source in wanted.get(line.values[here] if here < len(line.values) else "", []):
                rows.by_source[source] = filed(terms, line.values, seen) | rows.by_source[source]
                joined += 1
        if joined:
            rows.used.append(f"{path} (by {name})")
            return True
    return False


def _classes(root: Path) -> dict[str, str]:
    """Names of numbered classes: the line in ``classnames.txt`` counted from 0, or the number that begins each line."""
    for name in _CLASSES:
        try:
            with open(root / name, encoding="utf-8", errors="replace") as stream:
                lines = [line.strip() for line in stream.read(10_000_000).splitlines() if line.strip()]
        except OSError:
            continue
        numbered = [re.fullmatch(r"(\d+)[\s,]+(.+)", line) for line in lines]
        if lines and all(numbered):
            return {match[1]: match[2] for match in numbered if match}
        return {str(at): line for at, line in enumerate(lines)}
    return {}
