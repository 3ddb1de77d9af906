"""Reading one value of a worklist row: a plate, a well, a sample, an amount.

A number is written with a decimal point. A comma in a number may be a decimal comma or separate thousands,
and a tenth of a millilitre for a tenth of a microlitre is no guess to make: it is refused unless the reader
has been told that the file uses decimal commas.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from protocols.errors import InputError
from protocols.formats.columns import Role
from protocols.formats.delimited import Row, Table
from protocols.quantities import parse_quantity
from protocols.wells import well_name, well_position

PLATE_SHAPES = {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24), 1536: (32, 48)}
"""Rows and columns of plates, by their number of wells (ANSI/SLAS 4-2004 for 96, 384 and 1536)."""
LARGEST_VOLUME = 100_000.0
"""µL; no labware on a pipetting deck holds more in one place."""
LARGEST_CONCENTRATION = 1e9
"""ng/µL; far above any solution."""
LONGEST_NAME = 100

Value = TypeVar("Value")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = {"nan", "inf", "+inf", "-inf", "infinity", "-infinity", "na", "n/a", "#n/a", "#value!", "#div/0!"}
_LIMITS = {"uL": LARGEST_VOLUME, "ng/uL": LARGEST_CONCENTRATION}


@dataclass
class Cells:
    """Reads the values of one table; what is wrong is noted there and comes back as ``None``.

    Attributes:
        plates: the names that may occur; empty allows any.
        plate_wells: how many wells each plate has.
        decimal_comma: numbers are written with a comma.
    """

    table: Table
    plates: frozenset[str] = frozenset()
    plate_wells: int = 96
    decimal_comma: bool = False
    _names: dict[str, str] = field(default_factory=dict)
    _unitless: set[Role] = field(default_factory=set)

    def name(self, row: Row, role: Role) -> str | None:
        """The name of a sample."""
        return self._read(row, role, _name)

    def plate(self, row: Row, role: Role) -> str | None:
        """The name of a plate."""
        return self._read(row, role, self._plate)

    def well(self, row: Row, plate_role: Role, well_role: Role) -> str | None:
        """The well reference ``"plate/A1"``; both values are looked at, even if one is wrong."""
        plate = self.plate(row, plate_role)
        well = self._read(row, well_role, self._well)
        return None if plate is None or well is None else f"{plate}/{well}"

    def amount(self, row: Row, role: Role, unit: str, *, zero: bool = False) -> float | None:
        """A volume (``unit`` "uL") or a concentration ("ng/uL"), in ``unit``; 0 only where ``zero`` allows it."""
        column = self.table.columns[role]
        bare = _NUMBER.fullmatch(row.get(role).replace(",", "."))
        if bare and column.unit is None:
            if role not in self._unitless:  # said once, at the header
                self._unitless.add(role)
                what, mend = f"'{column.header}' has no unit", f"Write '{column.header} ({unit})'"
                self.table.problems.add(self.table.header_line, what, mend, column=column.header)
            return None
        return self._read(row, role, lambda text: self._amount(text, column.unit or unit, unit, zero=zero))

    def _read(self, row: Row, role: Role, reader: Callable[[str], Value]) -> Value | None:
        """What ``reader`` makes of the value; ``None`` if it refuses it, which is noted."""
        try:
            if not row.get(role):
                raise InputError("it is empty", mend=f"Write the {role}")
            return reader(row.get(role))
        except InputError as error:
            column = self.table.columns.get(role)
            self.table.problems.add_error(row.line, error, column=column.header if column else role)
            return None

    def _plate(self, text: str) -> str:
        name = _name(text)
        if "/" in name:
            raise InputError(f"'{name}' has a slash", mend="Name the plate without '/'")
        if self.plates and name not in self.plates:
            raise InputError(f"there is no plate '{name}'", mend=f"The plates are {', '.join(sorted(self.plates))}")
        if (same := self._names.setdefault(name.casefold(), name)) != name:
            raise InputError(f"'{name}' and '{same}' differ in case only", mend="Spell the plate one way")
        return name

    def _well(self, text: str) -> str:
        row, column = well_position(text)
        rows, columns = PLATE_SHAPES[self.plate_wells]
        if row >= rows or column >= columns:
            last = well_name(rows - 1, columns - 1)
            raise InputError(
                f"'{text}' lies outside a plate of {self.plate_wells} wells",
                mend=f"Its last well is {last}; if the plate has more wells, say how many",
            )
        return well_name(row, column)

    def _amount(self, text: str, own_unit: str, unit: str, *, zero: bool) -> float:
        if text.casefold() in _NOT_A_NUMBER:
            raise InputError(f"'{text}' is not a number", mend="Write the amount, or remove the row")
        number = _with_point(text, decimal_comma=self.decimal_comma)
        try:
            magnitude = parse_quantity(f"{number} {own_unit}" if _NUMBER.fullmatch(number) else number, unit)
        except InputError as error:
            what = error.what.replace(f"'{number} {own_unit}'", f"'{text}'")
            raise InputError(what, mend=f"Write a number like 12.5, in {unit}") from None
        if magnitude == 0 and not zero:
            raise InputError(f"'{text}' is nothing to work with", mend="Remove the row if nothing is meant")
        if magnitude > _LIMITS[unit]:
            raise InputError(f"'{text}' is more than {_LIMITS[unit]:,.0f} {unit}", mend="Check the number and its unit")
        return magnitude


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise InputError(f"a name has at most {LONGEST_NAME} printable characters")
    if mixed := _mixed_alphabets(text):
        raise InputError(f"'{text}' mixes letters of {mixed}, which look alike", mend="Type it again")
    return text


def _with_point(text: str, *, decimal_comma: bool) -> str:
    """``text`` with a decimal point; a comma is never taken for one unless ``decimal_comma`` says so."""
    one_comma = text.count(",") == 1 and "." not in text
    if "," not in text:
        if decimal_comma and "." in text:
            raise InputError(f"'{text}' has a point where decimal commas are used", mend="Write a comma")
        return text
    if decimal_comma and one_comma:
        return text.replace(",", ".")
    if not one_comma:
        raise InputError(f"'{text}' has more than one separator", mend="Write it with a decimal point only")
    mend = f"Write '{text.replace(',', '.')}'"
    if re.search(r",[0-9]{3}(?![0-9])", text):
        mend += f", or '{text.replace(',', '')}' if thousands were meant"
    raise InputError(f"'{text}' has a comma", mend=f"{mend}, or say that the file uses decimal commas")


def _mixed_alphabets(text: str) -> str:
    """The alphabets of ``text`` in words if it mixes such as have look-alike letters; else empty."""
    if text.isascii():
        return ""
    words = (unicodedata.name(character, "").split(" ", 1)[0] for character in text if character.isalpha())
    alphabets = sorted({word.title() for word in words if word in ("LATIN", "CYRILLIC", "GREEK", "FULLWIDTH")})
    return " and ".join(alphabets) if len(alphabets) > 1 else ""
