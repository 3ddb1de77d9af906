"""Items: single things that a protocol or a program does, in a form that can be compared. Volumes µL, times s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from protocols.errors import UnknownNameError
from protocols.wells import well_position

Details = Mapping[str, Any]
"""What is said of an item, by name."""
ROUNDING = 1e-6
"""By which two numbers may differ that are the same."""
LEAST_CYCLES = "_cycles at once"
"""A detail that is not compared by itself: cycles of mixing, where several channels at the same moment count once."""
_ALL = "*"
"""Stands for everything on the deck: what is no pipetting keeps its place among all else."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is done.

    Attributes:
        what: of which sort it is, in a word.
        key: what it concerns: items of one sort and key are compared with each other.
        details: how much, and how.
        touches: what it does to which well: draws from it, or adds to it.
        where: the step or instruction that says it.
    """

    what: str
    key: tuple[str, ...]
    details: Details
    touches: tuple[tuple[str, str], ...] = ()
    where: str = ""

    @property
    def name(self) -> tuple[str, ...]:
        """Sort and key."""
        return (self.what, *self.key)

    @property
    def stands_alone(self) -> bool:
        """Whether it is no pipetting, and keeps its place among all else."""
        return any(well == _ALL and act != "pipette" for well, act in self.touches)

    @property
    def labels(self) -> dict[str, frozenset[str]]:
        """What it does, by well."""
        found: dict[str, frozenset[str]] = {}
        for well, act in self.touches:
            found[well] = found.get(well, frozenset()) | {act}
        return found

    def __str__(self) -> str:
        return f"{self.what} {' → '.join(self.key)}".strip()


def pipetting(
    what: str, key: tuple[str, ...], details: Details, touches: Iterable[tuple[str, str]], where: str
) -> Item:
    """An item that a pipette carries out."""
    return Item(what, key, details, (*touches, (_ALL, "pipette")), where)


def mixing(well: str, cycles: int, stroke: Details, where: str) -> Item:
    """An item that mixes a well."""
    return Item("mix", (well,), {"cycles": cycles, **stroke}, ((_ALL, "pipette"),), where)


def barrier(what: str, key: tuple[str, ...], details: Details, where: str) -> Item:
    """An item whose place among all others matters."""
    return Item(what, key, details, ((_ALL, " ".join((what, *key))),), where)


def place_of(well: str) -> tuple[str, int, int, str]:
    """Sorts wells by labware, then down the columns."""
    labware, _, name = well.rpartition("/")
    try:
        row, column = well_position(name)
    except UnknownNameError:
        return labware, -1, -1, name
    return labware, column, row, name


def same(one: Any, other: Any) -> bool:
    """Whether two details are the same, numbers but for rounding."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= ROUNDING
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)


def differing(one: Details, other: Details) -> dict[str, tuple[Any, Any]]:
    """The details that both say and that differ."""
    return {
        name: (one[name], other[name])
        for name in one
        if name in other and not name.startswith("_") and not same(one[name], other[name])
    }


def joined(items: Iterable[Item]) -> list[Item]:
    """The items, with what is done in parts, one after the other and with nothing between that matters, made one.

    What happens to a well falls into stretches of drawing and of adding: parts that lie in the same stretch of each of
    their wells are one.
    """
    found: list[Item] = []
    stretches: dict[str, tuple[int, str]] = {}
    last: dict[tuple[str, ...], tuple[int, list[int]]] = {}
    for item in items:
        when: list[int] = []
        for well, act in item.touches:
            number, before = stretches.get(well, (0, act))
            stretches[well] = (number + (act != before), act)
            when.append(stretches[well][0])
        at, since = last.get(item.name, (0, None))
        whole = _sum(found[at], item) if since == when else None
        if whole is None:
            at = len(found)
            found.append(item)
        else:
            found[at] = whole
        last[item.name] = at, when
    return found


_AMOUNTS = {"move": "volume", "remove": "volume", "wait": "seconds"}
"""The detail that adds up where an item is done in parts, by sort."""


def _sum(first: Item, then: Item) -> Item | None:
    """Two items as one; ``None`` where that would say something else."""
    amount = _AMOUNTS.get(first.what)
    if amount is None:
        return None
    ours, theirs = first.details, then.details
    fixed = {amount, *_OF_STROKES}
    if not same(*({name: said[name] for name in said if name not in fixed} for said in (ours, theirs))):
        return None
    said = {**ours, amount: ours[amount] + theirs[amount]}
    for name in _OF_STROKES:
        if name in ours or name in theirs:
            said[name] = _without_repeats((*ours.get(name, ()), *theirs.get(name, ())))
    return replace(first, details=said, touches=tuple(dict.fromkeys((*first.touches, *then.touches))))


_OF_STROKES = (
    "tips",
    "drawn at",
    "dispensed at",
    "drawn by",
    "dispensed by",
    "may take the rest",
    "pre-wet",
    "all there is",
    "tip policy",
    "touching",
    "pre-wetting",
)
"""Details that each stroke has its own of."""


def _without_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    found: list[Any] = []
    for value in values:
        if not found or not same(found[-1], value):
            found.append(value)
    return tuple(found)
