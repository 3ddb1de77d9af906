"""Items as they are compared: parts made one, and mixing told for each well as a whole.

How often a well is mixed is said once between two things that no pipette does (a wait, a device), beside whether it was
mixed, since anything came into it, each time that it is drawn from, and at last. So it makes no difference whether
mixing is a step of its own or belongs to a transfer, nor which of several transfers goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from protocols.difference.items import LEAST_CYCLES, Item, joined

MIXED = "mixed since anything came in"
"""A detail of what is drawn from a well, and of how a well is left."""


def told(items: Iterable[Item]) -> list[Item]:
    """Items in order, as they are compared."""
    return joined(_reached(_mixed(items)))


def _mixed(items: Iterable[Item]) -> Iterator[Item]:
    mixed: dict[str, bool] = {}
    wells: dict[str, Item] = {}
    for item in items:
        if item.what == "mix":
            (well,) = item.key
            mixed[well] = True
            wells[well] = _more(wells[well], item) if well in wells else item
            continue
        if item.stands_alone:
            yield from _flushed(wells, mixed)
            wells = {}
        draws = [well for well, act in item.touches if act == "draw"]
        for well, act in item.touches:
            if act == "add":
                mixed[well] = False
        yield replace(item, details={**item.details, MIXED: mixed.get(draws[0], False)}) if draws else item
    yield from _flushed(wells, mixed)


def _flushed(wells: Mapping[str, Item], mixed: Mapping[str, bool]) -> Iterator[Item]:
    for well, item in wells.items():
        yield replace(item, details={**item.details, MIXED: mixed[well]})


def _more(first: Item, then: Item) -> Item:
    """Mixing of one well, taken together."""
    details: dict[str, Any] = {
        name: first.details[name] + then.details[name] for name in ("cycles", LEAST_CYCLES) if name in first.details
    }
    for name in ("stroke", "stroke asked"):
        if name in first.details or name in then.details:
            every = {*first.details.get(name, ()), *then.details.get(name, ())}
            details[name] = tuple(sorted(every, key=lambda volume: (volume is not None, volume)))
    return replace(first, details=details)


def _reached(items: Iterable[Item]) -> Iterator[Item]:
    """The items; where a device is waited for without a temperature, with the one that it was set to."""
    set_to: dict[tuple[str, ...], Any] = {}
    for item in items:
        if item.what == "set temperature":
            set_to[item.key] = item.details["celsius"]
        elif item.what == "await temperature" and item.details["celsius"] is None:
            item = replace(item, details={**item.details, "celsius": set_to.get(item.key)})
        yield item
