"""A deck that pylabrobot wrote to a file, read back without trusting it.

pylabrobot makes an object of whatever class a file names, those that open connections to machines among them, and
where it is asked to, it runs functions that the file carries. So the classes are looked at before pylabrobot sees the
file: nothing but the resources, tips and coordinates of ``pylabrobot.resources`` passes. Functions are never run.
"""

from __future__ import annotations

import inspect
import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pylabrobot.resources
from pylabrobot.resources import Container, Coordinate, Deck, ItemizedResource, Resource, Rotation, Tip, TubeRack
from pylabrobot.resources.barcode import Barcode

from protocols.errors import InputError
from protocols.formats import load_document

_PLAIN = (Coordinate, Rotation, Barcode)
_CODE = frozenset({"function", "cell"})


@dataclass(frozen=True, slots=True)
class DeckFile:
    """What such a file holds.

    Attributes:
        deck: as pylabrobot reads it.
        backend: the class of the liquid handler's backend, where the file is a whole liquid handler; else "".
        had_code: the names of the wells and tubes whose volume is told by a function, which is not run.
    """

    deck: Deck
    backend: str
    had_code: frozenset[str]


def read_deck_file(path: Path) -> DeckFile:
    """The deck in the file at ``path``: a ``Deck``'s serialisation, or a ``LiquidHandler``'s.

    Raises:
        InputError: it is no such file, names a class that is no labware and no deck, or pylabrobot cannot read it.
    """
    data = load_document(path).data
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise InputError(
            "this is no deck that pylabrobot wrote", where=str(path), mend="Write one with json.dump(deck.serialize())"
        )
    backend = ""
    if data["type"] == "LiquidHandler":
        backend = _backend(data)
        children = data.get("children")
        data = children[0] if isinstance(children, list) and children else {}
    for name in sorted({kind for kind in _types(data) if kind not in _known() and kind not in _CODE}):
        raise InputError(
            f"'{name}' is neither labware nor a deck of pylabrobot", where=str(path), mend="Take it off the deck"
        )
    try:
        deck = Resource.deserialize(_mended(data), allow_marshal=False)
    except Exception as error:  # pylabrobot checks nothing, and fails in as many ways as there are classes
        why = f"{type(error).__name__}: {error}"[:200]
        raise InputError(f"pylabrobot cannot read this deck ({why})", where=str(path)) from None
    wrong = next(_wrong(deck), None)
    if wrong is not None:
        raise InputError(f"this deck cannot be used: {wrong}", where=str(path))
    if not isinstance(deck, Deck):
        raise InputError(f"this is a {type(deck).__name__}, not a deck", where=str(path), mend="Serialise the deck")
    return DeckFile(deck, backend, frozenset(_with_code(data)))


class SavedTubeRack(TubeRack):  # type: ignore[misc]
    """A tube rack as pylabrobot writes it: its own class cannot be made from what it writes."""

    def __init__(self, name: str, *, ordering: dict[str, str], **fields: Any) -> None:
        ItemizedResource.__init__(self, name=name, ordering=OrderedDict(ordering), **fields)


def _mended(data: Any) -> Any:
    """``data`` with its tube racks as :class:`SavedTubeRack`."""
    if isinstance(data, list):
        return [_mended(part) for part in data]
    if not isinstance(data, dict):
        return data
    mended = {key: _mended(part) for key, part in data.items()}
    return {**mended, "type": SavedTubeRack.__name__} if data.get("type") == TubeRack.__name__ else mended


def _wrong(resource: Resource) -> Iterator[str]:
    """What of a resource and its parts is not what it has to be: pylabrobot takes whatever a file says."""
    if not isinstance(resource.name, str) or not 0 < len(resource.name) <= 128:
        yield f"a name of 1 to 128 characters is wanted, not {resource.name!r:.60}"
        return
    sizes = (resource._size_x, resource._size_y, resource._size_z)
    if not all(_is_length(size) for size in sizes):
        yield f"{resource.name}: its size is {sizes!r:.80}"
    if not isinstance(resource.model, str | None):
        yield f"{resource.name}: its model is {resource.model!r:.60}"
    place = resource.location
    if place is not None and not (isinstance(place, Coordinate) and all(map(_is_number, (place.x, place.y, place.z)))):
        yield f"{resource.name}: its place is {place!r:.60}"
    if isinstance(resource, ItemizedResource) and not isinstance(resource._ordering, dict):
        yield f"{resource.name}: its wells have no names"
    if isinstance(resource, Container):
        if not (_is_length(resource.max_volume) or resource.max_volume == math.inf):
            yield f"{resource.name}: it holds {resource.max_volume!r:.60}"
        if not isinstance(resource._material_z_thickness, int | float | None):
            yield f"{resource.name}: its bottom is {resource._material_z_thickness!r:.60} thick"
    for child in resource.children:
        yield from _wrong(child)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_length(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _backend(data: dict[str, Any]) -> str:
    backend = data.get("backend")
    kind = backend.get("type") if isinstance(backend, dict) else None
    return kind if isinstance(kind, str) else ""


@cache
def _known() -> frozenset[str]:
    """The names of the classes that a file may name."""
    found = {kind.__name__ for kind in _PLAIN}
    pending: list[type] = [Resource, Tip]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind.__module__.startswith(pylabrobot.resources.__name__) and not inspect.isabstract(kind):
            found.add(kind.__name__)
    return frozenset(found)


def _parts(data: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in ``data``, but what belongs to a function."""
    pending = [data]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            yield part
            if part.get("type") not in _CODE:
                pending += part.values()


def _types(data: Any) -> Iterator[str]:
    for part in _parts(data):
        if "type" in part:
            yield part["type"] if isinstance(part["type"], str) else f"{part['type']!r:.60}"


def _with_code(data: Any) -> Iterator[str]:
    for part in _parts(data):
        if isinstance(part.get("compute_volume_from_height"), dict) and isinstance(part.get("name"), str):
            yield part["name"]
