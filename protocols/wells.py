"""Well names: ``"plate/A1"`` is one well, ``"plate/A1:H1"`` a block, read down the columns.

Columns are counted from 1, rows are A to Z, then AA to AF (a 1536-well plate has 32 rows).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator

from protocols.errors import UnknownNameError

_WELL = re.compile(r"([A-Z]{1,2})0*([1-9][0-9]?)", re.ASCII)
_LARGEST_ROW = 32
_LARGEST_COLUMN = 48

MOST_WELLS = 100_000
"""How many wells one list may name, its blocks written out."""


@lru_cache(maxsize=16384)
def well_position(name: str) -> tuple[int, int]:
    """Row and column, both from 0, of a well name like ``"A1"``, ``"h12"`` or ``"A01"``.

    Raises:
        UnknownNameError: not a well name (look-alike letters of other alphabets are not letters here).
    """
    match = _WELL.fullmatch(name.strip().upper()) if name.isascii() else None
    if match is None:
        odd = "" if name.isascii() else " (it has a character that only looks like a letter of A to Z)"
        raise UnknownNameError(f"'{name}' is not a well name{odd}", mend="Write a row letter and a column, like 'A1'")
    letters, digits = match.groups()
    row = 0
    for letter in letters:
        row = row * 26 + ord(letter) - ord("A") + 1
    column = int(digits)
    if row > _LARGEST_ROW or column > _LARGEST_COLUMN:
        raise UnknownNameError(f"'{name}' lies outside every plate", mend="The largest plate ends at AF48")
    return row - 1, column - 1


def well_name(row: int, column: int) -> str:
    """The name of the well at ``row`` and ``column``, both from 0."""
    letters = chr(ord("A") + row) if row < 26 else "A" + chr(ord("A") + row - 26)
    return f"{letters}{column + 1}"


def split_well(reference: str) -> tuple[str, str]:
    """Split ``"plate/A1"`` into labware and well.

    Raises:
        UnknownNameError: there is no slash, or nothing on one side of it.
    """
    labware, slash, well = reference.rpartition("/")
    if not slash or not labware or not well:
        raise UnknownNameError(f"'{reference}' does not name a well", mend="Write labware and well, like 'plate/A1'")
    return labware, well


def expand_wells(reference: str) -> tuple[str, ...]:
    """Every well that ``reference`` names, in canonical spelling.

    ``"plate/a01"`` gives ``("plate/A1",)``; ``"plate/A1:B2"`` gives A1, B1, A2, B2 (down the columns).

    Raises:
        UnknownNameError: not a well, or a block whose end lies before its start.
    """
    labware, top, left, bottom, right = _corners(reference)
    return tuple(
        f"{labware}/{well_name(row, column)}" for column in range(left, right + 1) for row in range(top, bottom + 1)
    )


def in_blocks(wells: Sequence[str]) -> tuple[str, ...]:
    """The references that :func:`expand_wells` turns into ``wells``, as few as a row of blocks takes.

    ``("plate/A1", "plate/B1", "plate/A2", "plate/B2", "plate/D5")`` gives ``("plate/A1:B2", "plate/D5")``.

    Raises:
        UnknownNameError: one of them is not a well.
    """
    places = [(labware, *well_position(well)) for labware, well in map(split_well, wells)]
    found: list[str] = []
    at = 0
    while at < len(places):
        labware, top, left = places[at]
        height = 1
        while at + height < len(places) and places[at + height] == (labware, top + height, left):
            height += 1
        width = 1
        while places[at + width * height : at + (width + 1) * height] == [
            (labware, top + row, left + width) for row in range(height)
        ]:
            width += 1
        last = well_name(top + height - 1, left + width - 1)
        first = well_name(top, left)
        found.append(f"{labware}/{first}" if first == last else f"{labware}/{first}:{last}")
        at += height * width
    return tuple(found)


def count_wells(reference: str) -> int:
    """How many wells ``reference`` names, without writing them out.

    Raises:
        UnknownNameError: as for :func:`expand_wells`.
    """
    _, top, left, bottom, right = _corners(reference)
    return (bottom - top + 1) * (right - left + 1)


def _corners(reference: str) -> tuple[str, int, int, int, int]:
    """Labware, and first row, first column, last row and last column of a reference."""
    labware, wells = split_well(reference)
    first, colon, last = wells.partition(":")
    top, left = well_position(first)
    bottom, right = well_position(last) if colon else (top, left)
    if bottom < top or right < left:
        raise UnknownNameError(f"the block '{reference}' ends before it starts", mend="Write it like 'plate/A1:H12'")
    return labware, top, left, bottom, right


def _read_wells(value: object) -> object:
    if isinstance(value, str):
        return expand_wells(value)
    if not isinstance(value, list | tuple):
        return value
    named = 0
    for item in value:
        named += count_wells(str(item))
        if named > MOST_WELLS:
            raise UnknownNameError(f"the list names more than {MOST_WELLS:,} wells", mend="Split the step")
    return tuple(well for item in value for well in expand_wells(str(item)))


Wells = Annotated[tuple[str, ...], BeforeValidator(_read_wells)]
"""One or more wells: a reference, a block, or a list of them; canonical single wells inside."""


def _read_well(value: object) -> object:
    if not isinstance(value, str):
        return value
    wells = expand_wells(value)
    if len(wells) != 1:
        raise UnknownNameError(
            f"'{value}' names {len(wells)} wells where one is needed", mend="Write it like 'plate/A1'"
        )
    return wells[0]


Well = Annotated[str, BeforeValidator(_read_well)]
"""Exactly one well; its canonical name inside."""
