"""What the columns of a worklist mean, from their headers in the spellings that people and instruments use.

Case, spaces, underscores and camel case do not matter; a unit may stand in brackets ("Volume (uL)") or at
the end ("volume_ul", "concentration_ng_per_ul").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Role = Literal[
    "sample",
    "source plate",
    "source well",
    "destination plate",
    "destination well",
    "volume",
    "concentration",
    "available volume",
    "target concentration",
    "target volume",
]
"""What a column says."""

_SIDES = {
    "source": ("source", "src", "from"),
    "destination": ("destination", "dest", "dst", "to", "target"),
}
_PLATES = ("plate", "platename", "plateid", "platebarcode", "labware", "labwareid", "rack", "rackid", "barcode")
_WELLS = ("well", "wellid", "wellname", "wellposition", "position", "pos")
_SPELLINGS: dict[Role, tuple[str, ...]] = {
    "sample": ("sample", "sampleid", "samplename", "sampleno", "samplenumber"),
    "source plate": tuple(side + end for side in _SIDES["source"] for end in _PLATES),
    "source well": tuple(side + end for side in _SIDES["source"] for end in _WELLS),
    "destination plate": tuple(side + end for side in _SIDES["destination"] for end in _PLATES),
    "destination well": tuple(side + end for side in _SIDES["destination"] for end in _WELLS),
    "volume": ("volume", "vol", "transfervolume", "transfervol", "volumetotransfer"),
    "concentration": ("concentration", "conc", "sampleconcentration", "sampleconc", "dnaconcentration", "dnaconc"),
    "available volume": (
        *("volumeavailable", "availablevolume", "volavailable", "availablevol"),
        *("samplevolume", "sourcevolume", "currentvolume"),
    ),
    "target concentration": (
        *("targetconcentration", "targetconc", "finalconcentration", "finalconc"),
        *("desiredconcentration", "normalizedconcentration", "normalisedconcentration"),
    ),
    "target volume": ("targetvolume", "targetvol", "finalvolume", "finalvol", "totalvolume", "desiredvolume"),
}
_ROLES: dict[str, Role] = {spelling: role for role, spellings in _SPELLINGS.items() for spelling in spellings}
_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_MASSES = "pg|ng|ug|mg|g"
_VOLUMES = "nl|ul|ml|l"
_UNIT_AT_END = re.compile(rf"(?:^|(?<=[ _]))((?:(?:{_MASSES})(?:/|[ _]?per[ _]?|[ _])(?:{_VOLUMES}))|{_VOLUMES})$")
_UNIT = re.compile(rf"(?:({_MASSES}) ?(?:/|_?per_?| per ) ?)?({_VOLUMES})")
_SPELLED = {"nl": "nL", "ul": "uL", "ml": "mL", "l": "L"}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Column:
    """One column: its place (from 0), its header as written, what it says, and its unit where the header has one."""

    index: int
    header: str
    role: Role | None
    unit: str | None = None


def read_header(index: int, header: str) -> Column:
    """What the column with this ``header`` says; its role is ``None`` if that is not known.

    A unit that is not known stays as written, so that reading a value with it says what is wrong.
    """
    text = unicodedata.normalize("NFKC", header).replace("μ", "u").strip()
    bracket = _BRACKETS.search(text)
    unit = bracket.group(1).strip() if bracket else None
    text = _BRACKETS.sub(" ", text).strip()
    if unit is None and (ending := _UNIT_AT_END.search(text.lower())):
        unit, text = ending.group(1), text[: ending.start()]
    name = re.sub(r"[^a-z0-9]", "", _CAMEL.sub(" ", text).lower())
    return Column(index, header, _ROLES.get(name), _canonical_unit(unit) if unit else None)


def nearest_header(role: Role, columns: list[Column]) -> str | None:
    """The header, among columns that nothing is known of, that looks most like one for ``role``."""
    unknown = {re.sub(r"[^a-z0-9]", "", column.header.lower()): column.header for column in columns if not column.role}
    for spelling in _SPELLINGS[role]:
        if close := get_close_matches(spelling, list(unknown), 1, 0.75):
            return unknown[close[0]]
    return None


def _canonical_unit(unit: str) -> str:
    match = _UNIT.fullmatch(unit.lower().replace(" _", "_"))
    if match is None:
        return unit
    mass, volume = match.groups()
    return f"{mass}/{_SPELLED[volume]}" if mass else _SPELLED[volume]
