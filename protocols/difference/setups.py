"""What differs before the first move: labware, liquids, and what is in the wells. Volumes µL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protocols.difference.items import ROUNDING, Details, Item, place_of, same
from protocols.difference.sides import Side

Met = tuple[Item | None, Item | None]
"""The same thing on both sides; ``None`` where a side has it not."""
_SAID_OF_LABWARE = ("kind", "site", "barcode", "lid")


def setups(ours: Side, theirs: Side) -> Iterator[Met]:
    """What the sides say of labware, liquids, contents and tips, where they do not say the same."""
    if ours.bench == theirs.bench:
        yield from _each("labware", ours.labware, theirs.labware)
        yield from _each("liquid", ours.liquids, theirs.liquids)
        yield from _fills(ours, theirs)
        yield from _each("tips", _counted(ours.tips), _counted(theirs.tips))
    elif ours.bench:
        yield from _against_program(ours, theirs)
    else:
        yield from ((one, other) for other, one in _against_program(theirs, ours))


def _each(what: str, ours: Mapping[str, Details], theirs: Mapping[str, Details]) -> Iterator[Met]:
    for name in sorted(ours.keys() | theirs.keys()):
        met = _item(what, name, ours.get(name)), _item(what, name, theirs.get(name))
        if met[0] is None or met[1] is None or not same(met[0].details, met[1].details):
            yield met


def _item(what: str, name: str, details: Details | None) -> Item | None:
    return None if details is None else Item(what, (name,), details)


def _fills(ours: Side, theirs: Side) -> Iterator[Met]:
    every = sorted(ours.filled.keys() | theirs.filled.keys(), key=lambda name: (name[1], place_of(name[0])))
    for name in every:
        one, other = (
            None if name not in side.filled else Item("fill", name, side.filled[name]) for side in (ours, theirs)
        )
        if one is None or other is None or not same(one.details, other.details):
            yield one, other


def _counted(tips: Mapping[str, int]) -> dict[str, Details]:
    return {kind: {"taken": count} for kind, count in tips.items()}


def _against_program(bench: Side, program: Side) -> Iterator[Met]:
    """A protocol and a program: only what the protocol does not leave to the compiler is compared."""
    for name, need in bench.labware.items():
        asked = {field: need[field] for field in _SAID_OF_LABWARE if need.get(field)}
        placed = program.labware.get(name)
        if placed is not None and any(placed[field] != value for field, value in asked.items()):
            yield Item("labware", (name,), asked), Item("labware", (name,), {field: placed[field] for field in asked})
    for name, liquid in bench.liquids.items():
        known = program.liquids.get(name)
        said = {field: value for field, value in liquid.items() if value}
        if known is not None and any(not same(known[field], value) for field, value in said.items()):
            yield Item("liquid", (name,), said), Item("liquid", (name,), {field: known[field] for field in said})
    yield from _contents(bench, program)


def _contents(bench: Side, program: Side) -> Iterator[Met]:
    standing: dict[tuple[str, str], float] = {}
    for fill in program.contents:
        standing[fill.well, fill.liquid] = standing.get((fill.well, fill.liquid), 0.0) + fill.volume
    for (well, liquid), details in bench.filled.items():
        held = standing.get((well, liquid))
        item = Item("fill", (well, liquid), {"volume": details["volume"]})
        if held is None:
            yield item, None
        elif not _suffices(held, details, exactly=(well, liquid) in program.filled):
            yield item, Item("fill", item.key, {"volume": held})
    for (well, liquid), given in program.filled.items():
        if (well, liquid) not in bench.filled:
            yield None, Item("fill", (well, liquid), {"volume": given["volume"]})


def _suffices(held: float, details: Mapping[str, Any], *, exactly: bool) -> bool:
    """Whether a well holds what a material asks; more than that where it says what can be drawn, or is on the deck."""
    if exactly and not details.get("reachable"):
        return abs(held - float(details["volume"])) <= ROUNDING
    return held >= float(details["volume"]) - ROUNDING
