"""What differs between two sides: each thing once, and what that makes of the wells. Volumes µL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from protocols.difference.items import LEAST_CYCLES, Details, Item, differing, place_of
from protocols.difference.matching import displaced, match
from protocols.difference.setups import Met, setups
from protocols.difference.sides import Side
from protocols.difference.telling import MIXED
from protocols.specs import Fill
from protocols.tracing.accounts import Accounts, assumed

LEAST = 1e-6
"""µL by which what is in a well must differ to be said."""
_OF_MOTION = ("touch", "blow out", "settle")
"""Sorts of items that a protocol leaves to the compiler."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    Attributes:
        kind: it is done otherwise, by one side alone, or at another place in the order.
        what: of which sort it is; ``key``: what it concerns.
        first, second: what each side says of it: all of it where only one side has it, else what differs.
        first_at, second_at: the step or instruction of each side that says it.
        after: for a place in the order, what each side does before it.
    """

    kind: Literal["changed", "only in the first", "only in the second", "order"]
    what: str
    key: tuple[str, ...]
    first: Details | None
    second: Details | None
    first_at: str = ""
    second_at: str = ""
    after: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        """What it is about: ``"move plate/A1 → plate/B1"``."""
        return f"{self.what} {' → '.join(self.key)}".strip()

    def mirrored(self) -> Change:
        """The same change, its sides exchanged."""
        other: dict[str, Any] = {"only in the first": "only in the second", "only in the second": "only in the first"}
        return Change(
            other.get(self.kind, self.kind),
            self.what,
            self.key,
            self.second,
            self.first,
            self.second_at,
            self.first_at,
            (self.after[1], self.after[0]),
        )


@dataclass(frozen=True, slots=True)
class WellChange:
    """A well that holds something else at the end: µL of each liquid on both sides."""

    well: str
    first: Mapping[str, float]
    second: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs: ``changes`` in what is done and needed, and ``wells`` in what comes of it."""

    changes: tuple[Change, ...]
    wells: tuple[WellChange, ...]

    @property
    def equal(self) -> bool:
        """Whether both sides do the same."""
        return not self.changes and not self.wells

    def mirrored(self) -> Difference:
        """The same difference, its sides exchanged."""
        return Difference(
            tuple(change.mirrored() for change in self.changes),
            tuple(WellChange(well.well, well.second, well.first) for well in self.wells),
        )


def difference(first: Side, second: Side) -> Difference:
    """What ``second`` does otherwise than ``first``; with the sides exchanged, the same the other way round."""
    if repr(first) > repr(second):
        return difference(second, first).mirrored()
    ours, theirs = _compared(first, second), _compared(second, first)
    changes = [_setup(met) for met in setups(first, second)]
    changes += _items(ours, theirs)
    return Difference(tuple(change for change in changes if change is not None), tuple(_wells(first, second)))


def _compared(side: Side, other: Side) -> list[Item]:
    """The items that the other side could have too."""
    if side.bench == other.bench:
        return list(side.items)
    return [item for item in side.items if item.what not in _OF_MOTION and item.what != "replace tip rack"]


def _setup(met: Met) -> Change | None:
    one, other = met
    return _change(one, other)


def _change(one: Item | None, other: Item | None) -> Change | None:
    """What differs between two items that are the same; ``None`` if nothing does."""
    if one is None or other is None:
        item = one or other
        assert item is not None
        if one is None:
            return Change("only in the second", item.what, item.key, None, item.details, second_at=item.where)
        return Change("only in the first", item.what, item.key, item.details, None, first_at=item.where)
    found = differing(one.details, other.details)
    if one.what == "mix" and (LEAST_CYCLES in one.details) != (LEAST_CYCLES in other.details) and _as_often(one, other):
        found.pop("cycles", None)
    if not found:
        return None
    here = {name: values[0] for name, values in found.items()}
    there = {name: values[1] for name, values in found.items()}
    return Change("changed", one.what, one.key, here, there, one.where, other.where)


def _as_often(one: Item, other: Item) -> bool:
    """Whether a protocol mixes a well as often as a program, whose channels may do so at the same moment."""
    program, bench = (one, other) if LEAST_CYCLES in one.details else (other, one)
    least, most = program.details[LEAST_CYCLES], program.details["cycles"]
    return bool(least <= bench.details["cycles"] <= most)


def _items(ours: Sequence[Item], theirs: Sequence[Item]) -> list[Change]:
    """Changes of what is done, in the order of the first side, what only the second does last."""
    pairs = match(ours, theirs)
    pairs.sort(key=lambda pair: (pair[0] is None, pair[0] if pair[0] is not None else pair[1]))
    changes = [
        change
        for here, there in pairs
        if (change := _change(None if here is None else ours[here], None if there is None else theirs[there]))
    ]
    mixed = {change.key[0] for change in changes if change.what == "mix"}
    changes = [change for change in changes if not _said_by_mixing(change, mixed)]
    both = sorted((there, here) for here, there in pairs if here is not None and there is not None)
    for at in displaced([theirs[there] for there, _ in both], [here for _, here in both]):
        there, here = both[at]
        item = ours[here]
        after = (_before(ours, here), _before(theirs, there))
        changes.append(Change("order", item.what, item.key, {}, {}, item.where, theirs[there].where, after))
    return changes


def _said_by_mixing(change: Change, wells: set[str]) -> bool:
    """Whether a change says no more than that a well is mixed otherwise, which is said already."""
    drawn = change.kind == "changed" and change.what in ("move", "remove")
    return drawn and change.key[0] in wells and set(change.first or ()) == {MIXED}


def _before(items: Sequence[Item], at: int) -> str:
    return str(items[at - 1]) if at else "the beginning"


def _wells(first: Side, second: Side) -> list[WellChange]:
    """What is in the wells at the end. A protocol beside a program begins with what the program says is there."""
    contents = [first.contents, second.contents]
    if first.bench != second.bench:
        contents = [second.contents if first.bench else first.contents] * 2
    supposed: dict[str, float] = {}
    for side, standing in zip((first, second), contents, strict=True):
        for fill in assumed(standing, (event for flow in side.flows for event in flow)):
            supposed[fill.well] = max(supposed.get(fill.well, 0.0), fill.volume)
    ends = []
    for side, standing in zip((first, second), contents, strict=True):
        known = {fill.well for fill in standing}
        more = [Fill(well=w, liquid=f"?{w}"[:128], volume=v) for w, v in supposed.items() if w not in known]
        accounts = Accounts((*standing, *more))
        for flow in side.flows:
            accounts.flow(flow)
        ends.append(accounts.wells())
    trash = first.trash | second.trash
    every = ends[0].keys() | ends[1].keys()
    wells = sorted((well for well in every if well.rpartition("/")[0] not in trash), key=place_of)
    found = [WellChange(well, ends[0].get(well, {}), ends[1].get(well, {})) for well in wells]
    return [well for well in found if _otherwise(well.first, well.second)]


def _otherwise(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return any(abs(one.get(name, 0.0) - other.get(name, 0.0)) > LEAST for name in one.keys() | other.keys())
