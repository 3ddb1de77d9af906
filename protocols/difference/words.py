"""Changes in words, as they stand in a table: what each side says. Volumes µL, times s, heights mm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from protocols.difference.difference import Change, WellChange
from protocols.difference.items import LEAST_CYCLES, Details, same
from protocols.difference.telling import MIXED
from protocols.errors import UnknownNameError
from protocols.quantities import show_duration, show_volume
from protocols.wells import in_blocks
from protocols.wording import show_mixture

_VOLUMES = ("volume", "air gap", "air gap drawn", "air gap asked", "stroke", "stroke asked")
_HEIGHTS = ("height", "drawn at", "dispensed at", "settled height")
_BARE = ("volume", "seconds", "message", "site", "kind", "tips")
"""Details whose value says what it is."""
_NOTHING = (None, 0, 0.0, False, (), "")
"""Values that need not be said where only one side says them."""
_BETWEEN = {"fill": " with "}
"""What stands between the parts of a key, where it is no arrow."""
_MOST_BLOCKS = 6
"""Blocks of wells that one row names."""
_SIGNS = {"changed": "~", "only in the first": "-", "only in the second": "+", "order": "↕"}


Row = tuple[str, str, str, str]
"""Sign, what it is about, and what each side says."""


def rows(changes: Iterable[Change]) -> list[Row]:
    """The changes as rows; what is alike and follows each other is one: 96 wells that get another volume."""
    found: list[Row] = []
    told = ((change, *_sides(change)) for change in changes)
    for (sign, what, one, other), group in groupby(told, key=lambda item: (item[1], item[0].what, item[2], item[3])):
        keys = [change.key for change, *_ in group]
        found += [(sign, f"{what} {key}".strip(), one, other) for key in _together(what, keys)]
    return found


def well_rows(wells: Iterable[WellChange]) -> list[tuple[str, str, str]]:
    """Wells and what each side leaves there, wells alike that follow each other in one row."""
    told = ((well.well, _held(well.first), _held(well.second)) for well in wells)
    return [
        (", ".join(_blocks([well for well, *_ in group])), one, other)
        for (one, other), group in groupby(told, key=lambda item: (item[1], item[2]))
    ]


def _sides(change: Change) -> tuple[str, str, str]:
    sign = _SIGNS[change.kind]
    if change.kind == "order":
        return sign, f"after {change.after[0]}", f"after {change.after[1]}"
    first, second = change.first, change.second
    if first is None or second is None:
        return sign, _all(first), _all(second)
    return sign, _differing(first, second), _differing(second, first)


def _together(what: str, keys: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Keys in short: "pbs/A1 → assay/A1:H12"; each by itself where more differs than wells."""
    between = _BETWEEN.get(what, " → ")
    parts = [list(dict.fromkeys(part)) for part in zip(*keys, strict=True)] if len(set(map(len, keys))) == 1 else []
    if parts and all(len(part) == 1 or all("/" in one for one in part) for part in parts):
        yield between.join(", ".join(_blocks(list(part))) for part in zip(*keys, strict=True))
    else:
        yield from (between.join(key) for key in keys)


def _blocks(wells: list[str]) -> list[str]:
    """Wells in short, each once if all are the same."""
    try:
        blocks = list(in_blocks(wells[:1] if len(set(wells)) == 1 else wells))
    except UnknownNameError:
        blocks = list(dict.fromkeys(wells))
    return blocks[:_MOST_BLOCKS] + [f"and {len(blocks) - _MOST_BLOCKS} more"] * (len(blocks) > _MOST_BLOCKS)


def _held(liquids: Mapping[str, float]) -> str:
    return show_mixture(liquids) if sum(liquids.values()) > 0 else "empty"


def _all(details: Details | None) -> str:
    """What a side alone says, what is nothing left out."""
    if details is None:
        return ""
    worth = {name: _single(value) for name, value in details.items() if name not in (MIXED, LEAST_CYCLES)}
    said = [_detail(name, value) for name, value in worth.items() if value not in _NOTHING]
    return ", ".join(word for word in said if len(word) < 60) or "yes"


def _single(value: Any) -> Any:
    """A value that is the only one of its strokes, by itself."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def _differing(own: Details, other: Details) -> str:
    return ", ".join(_detail(name, _single(_narrowed(own[name], other.get(name)))) for name in own)


def _narrowed(own: Any, other: Any) -> Any:
    """Of settings that differ in part, what differs."""
    if isinstance(own, tuple) and isinstance(other, tuple) and len(own) == len(other) == 1:
        return _narrowed(own[0], other[0])
    if isinstance(own, Mapping) and isinstance(other, Mapping):
        return {name: value for name, value in own.items() if not same(value, other.get(name))}
    return own


def _detail(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if value is None and name in _HEIGHTS:
        return f"{name} unknown"
    if value is None:
        return f"no {name}" if name != "volume" else "as moved"
    said = _value(name, value)
    return said if name in _BARE else f"{name} {said}"


def _value(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(key, one)}" for key, one in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(_value(name, one) for one in value) or "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name in _VOLUMES:
            return show_volume(value)
        if name == "seconds":
            return show_duration(value)
        return f"{value:g} mm" if name in _HEIGHTS else f"{value:g}"
    return "unknown" if value is None else str(value)
