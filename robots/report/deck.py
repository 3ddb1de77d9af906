"""The deck picture: sites and labware at their true places, as shapes for the page to draw.

Lengths are mm, seen from above; y runs down the picture, as SVG has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from protocols.quantities import show_volume
from protocols.specs import OFF_DECK, LabwareSpec, SiteSpec, WorkcellSpec
from robots.report.model import LabwareLine

Box = tuple[float, float, float, float]
"""mm: the front left corner, how wide and how deep."""
FOOTPRINT = (127.76, 85.48)
"""mm, the ANSI/SLAS 1-2004 footprint: how large a free site is drawn."""
_PADDING = 12.0
_HEADER = 15.0
_TEXT = 9.0
_NARROW = 60.0
"""mm: a narrower piece has its name written upwards."""
_LETTER = 0.56
"""Width of a letter of the page's sans-serif face, in parts of its size."""
_BOLD = 0.66
"""The same of its bold face, in which names stand."""
_LEAST_NAME = 12
"""Letters of a name that are worth more than the name of the device below it."""


@dataclass(frozen=True, slots=True)
class Dots:
    """Many dots of one look, drawn as one path of round strokes."""

    path: str
    width: float
    look: str


@dataclass(frozen=True, slots=True)
class Level:
    """A basin, and the part of it that is full."""

    x: float
    y: float
    width: float
    depth: float
    full: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of labware or a free site as drawn; ``upright`` says that its name runs upwards."""

    x: float
    y: float
    width: float
    depth: float
    look: str
    name: str
    note: str
    title: str
    upright: bool = False
    dots: tuple[Dots, ...] = ()
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way that labware was carried."""

    x1: float
    y1: float
    x2: float
    y2: float
    title: str


@dataclass(frozen=True, slots=True)
class DeckPicture:
    """The whole deck."""

    width: float
    height: float
    header: float
    text: float
    pieces: tuple[Piece, ...]
    arrows: tuple[Arrow, ...]

    @property
    def looks(self) -> frozenset[str]:
        """Which kinds of pieces, dots and levels occur, for the legend."""
        kinds = {piece.look for piece in self.pieces} | {dots.look for piece in self.pieces for dots in piece.dots}
        return frozenset(kinds | {"level" for piece in self.pieces if piece.levels})


def draw_deck(labware: Sequence[LabwareLine], workcell: WorkcellSpec) -> DeckPicture:
    """Draw every site of the workcell and what stands on it; labware beside the deck stands in a row before it."""
    standing = {line.site: line for line in labware if line.site in workcell.sites}
    sizes = {site: _size(workcell.kinds.get(line.kind)) for site, line in standing.items()}
    boxes = {
        site.id: (site.x, site.y, *(sizes.get(site.id) or _usual_size(site, workcell)))
        for site in workcell.sites.values()
    }
    if not boxes:
        return DeckPicture(0, 0, _HEADER, _TEXT, (), ())
    beside = [line for line in labware if line.site == OFF_DECK]
    row = _in_a_row([_size(workcell.kinds.get(line.kind)) for line in beside], boxes.values())
    everything = [*boxes.values(), *row]
    left = min(box[0] for box in everything) - _PADDING
    right = max(box[0] + box[2] for box in everything) + _PADDING
    front = min(box[1] for box in everything) - _PADDING
    back = max(box[1] + box[3] for box in everything) + _PADDING

    def corner(box: Box) -> tuple[float, float]:
        return (round(box[0] - left, 1), round(back - box[1] - box[3], 1))

    pieces = []
    for site, box in boxes.items():
        line = standing.get(site)
        if line is None:
            pieces.append(_free_site(workcell.sites[site], corner(box), box[2:]))
        else:
            kind = workcell.kinds.get(line.kind)
            pieces.append(_piece(line, kind, corner(box), box[2:], _words(workcell.sites[site], line)))
    for line, box in zip(beside, row, strict=True):
        pieces.append(_piece(line, workcell.kinds.get(line.kind), corner(box), box[2:], "beside the deck"))
    return DeckPicture(
        width=round(right - left, 1),
        height=round(back - front, 1),
        header=_HEADER,
        text=_TEXT,
        pieces=tuple(pieces),
        arrows=tuple(_arrows(labware, boxes, left, back)),
    )


def _in_a_row(sizes: Sequence[tuple[float, float]], boxes: Iterable[Box]) -> list[Box]:
    """Places before the front of ``boxes``, side by side from their left on."""
    known = list(boxes)
    x, front = min(box[0] for box in known), min(box[1] for box in known)
    row = []
    for width, depth in sizes:
        row.append((x, front - _PADDING - depth, width, depth))
        x += width + _PADDING
    return row


def _words(site: SiteSpec, line: LabwareLine | None = None) -> str:
    """What a place is called: its site and the device it belongs to; nothing where labware has the site's name."""
    names = [] if line is not None and line.name == site.id else [site.id]
    return " · ".join([*names, *([site.device] if site.device else [])])


def _size(spec: LabwareSpec | None) -> tuple[float, float]:
    return FOOTPRINT if spec is None else (spec.size[0], spec.size[1])


def _usual_size(site: SiteSpec, workcell: WorkcellSpec) -> tuple[float, float]:
    """How large labware is that this lab would stand on a free site."""
    fitting = (kind for kind in workcell.kinds.values() if kind.category in site.accepts)
    return _size(next(fitting, None))


def _free_site(site: SiteSpec, corner: tuple[float, float], size: tuple[float, float]) -> Piece:
    upright = size[0] < _NARROW
    note = _fit(_words(site), size[1] if upright else size[0])
    adapter = f"\nwith {site.adapter}" if site.adapter and site.adapter != site.device else ""
    title = f"{_words(site)}: free{adapter}"
    return Piece(*corner, *size, look="free", name="", note=note, title=title, upright=upright)


def _piece(
    line: LabwareLine, spec: LabwareSpec | None, corner: tuple[float, float], size: tuple[float, float], place: str
) -> Piece:
    upright = size[0] < _NARROW
    length = size[1] if upright else size[0]
    note = _note(line, place, length)
    room = length - (len(note) + 1) * _TEXT * _LETTER
    name = _fit(line.name, room, _BOLD)
    levels = _levels(line, spec, size) if spec is not None and line.category == "trough" else ()
    return Piece(
        *corner,
        *size,
        look={"tip rack": "tips", "trash": "trash"}.get(line.category, "plate"),
        name=name,
        note=note,
        title=_title(line, place),
        upright=upright,
        dots=() if spec is None or levels or line.category == "trash" else _dots(line, spec, corner, size),
        levels=levels,
    )


def _note(line: LabwareLine, place: str, length: float) -> str:
    """Where labware stands, as much of it as leaves its name room: with the device, or the site alone."""
    for note in (place, place.partition(" · ")[0]):
        left = length - (len(note) + 1) * _TEXT * _LETTER
        if left >= (min(len(line.name), _LEAST_NAME) + 1) * _TEXT * _BOLD:
            return note
    return ""


def _levels(line: LabwareLine, spec: LabwareSpec, size: tuple[float, float]) -> tuple[Level, ...]:
    """The basins side by side, below or beside the name; none where they do not stand in one row."""
    if spec.rows != 1:
        return ()
    left, top = (_HEADER + 3, 4.0) if size[0] < _NARROW else (4.0, _HEADER + 3)
    width = (size[0] - left - 4) / spec.columns
    gap = width * 0.12 if spec.columns > 1 else 0.0
    volumes = {well.well: well.volume for well in line.wells}
    return tuple(
        Level(
            round(left + index * width + gap / 2, 1),
            top,
            round(width - gap, 1),
            round(size[1] - top - 4, 1),
            round(min(volumes.get(name, 0.0) / spec.shape(name).max_volume, 1.0), 4),
        )
        for index, name in enumerate(spec.wells)
    )


def _title(line: LabwareLine, place: str) -> str:
    words = [f"{line.name} ({line.kind})" + ("" if not place else f" {'' if line.site == OFF_DECK else 'on '}{place}")]
    if line.category == "tip rack":
        words.append(f"{len(line.new_spots)} new tips, {len(line.used_spots)} used")
    elif len(line.wells) == 1:
        words.append(show_volume(line.wells[0].volume))
    elif line.wells:
        words.append(f"{sum(well.volume > 0 for well in line.wells)} wells with liquid")
    if line.barcode:
        words.append(f"barcode {line.barcode}")
    return "\n".join(words)


def _fit(text: str, width: float, letter: float = _LETTER) -> str:
    most = max(int(width / (_TEXT * letter)) - 1, 3)
    return text if len(text) <= most else text[: most - 1] + "…"


def _dots(
    line: LabwareLine, spec: LabwareSpec, corner: tuple[float, float], size: tuple[float, float]
) -> tuple[Dots, ...]:
    """The wells or tips below the piece's header, shrunk to the room that is left there."""
    if not spec.wells:
        return ()
    width, depth = size
    scale = (depth - _HEADER) / depth
    offset = corner[0] + width * (1 - scale) / 2, corner[1] + _HEADER
    centres = {
        name: (round(offset[0] + well.x * scale, 1), round(offset[1] + (depth - well.y) * scale, 1))
        for name, well in spec.wells.items()
    }
    diameter = round(_pitch(centres.values(), min(width, depth)) * 0.78, 2)
    if line.category == "tip rack":
        filled, half = set(line.new_spots), set(line.used_spots)
        looks = ("new", "used", "gone")
    else:
        filled, half = {well.well for well in line.wells if well.volume > 0}, set()
        looks = ("liquid", "used", "gone")
    groups: dict[str, list[tuple[float, float]]] = {look: [] for look in looks}
    for name, centre in centres.items():
        groups[looks[0] if name in filled else looks[1] if name in half else looks[2]].append(centre)
    return tuple(
        Dots("".join(f"M{x} {y}h0" for x, y in points), diameter, look) for look, points in groups.items() if points
    )


def _pitch(centres: Iterable[tuple[float, float]], largest: float) -> float:
    """The least distance between neighbours along either axis, at most ``largest`` / 2."""
    points = list(centres)
    gaps = [
        b - a
        for axis in (sorted({x for x, _ in points}), sorted({y for _, y in points}))
        for a, b in pairwise(axis)
        if b - a > 1
    ]
    return min([*gaps, largest / 2])


def _arrows(
    labware: Iterable[LabwareLine],
    boxes: dict[str, tuple[float, float, float, float]],
    left: float,
    back: float,
) -> Iterable[Arrow]:
    for line in labware:
        if line.site != line.started_at and line.site in boxes and line.started_at in boxes:
            (x1, y1), (x2, y2) = (_middle(boxes[site], left, back) for site in (line.started_at, line.site))
            yield Arrow(x1, y1, x2, y2, f"{line.name} was carried from {line.started_at} to {line.site}")


def _middle(box: tuple[float, float, float, float], left: float, back: float) -> tuple[float, float]:
    x, y, width, depth = box
    return round(x + width / 2 - left, 1), round(back - y - depth / 2, 1)
