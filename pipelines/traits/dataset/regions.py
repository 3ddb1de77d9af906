"""Regions of an image as other formats draw them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pipelines.traits.dataset.rows import as_json
from pipelines.traits.dataset.staging import Exported
from pipelines.traits.statements import Place, Statement

Point = tuple[float, float]


def regions(image: Exported) -> list[tuple[str, list[tuple[str, Statement]]]]:
    """An id for each region with what is said of it: one latent and place, whatever the part is called."""
    found: dict[str, list[tuple[str, Statement]]] = {}
    for id, said in image.said:
        drawn = as_json([said.place.box, said.place.polygons])
        key = f"latent-{said.latent}-{hashlib.sha256(drawn.encode()).hexdigest()[:8]}"
        found.setdefault(key, []).append((id, said))
    return list(found.items())


def outlines(place: Place) -> list[list[Point]]:
    """One ring for each area: holes are joined to it by a cut of no width; the box where there are no polygons."""
    left, top, right, bottom = place.box
    rings = [_joined(rings) for rings in place.polygons if rings and len(rings[0]) > 2]
    return rings or [[(left, top), (right, top), (right, bottom), (left, bottom)]]


def _joined(rings: Sequence[Sequence[Point]]) -> list[Point]:
    outline = list(rings[0])
    turn = signed_area(outline) > 0
    for hole in rings[1:]:
        if len(hole) < 3:
            continue
        inner = list(hole) if (signed_area(hole) > 0) != turn else list(hole)[::-1]
        pairs = ((i, j) for i in range(len(outline)) for j in range(len(inner)))
        at, start = min(pairs, key=lambda pair: _distance(outline[pair[0]], inner[pair[1]]))
        around = [*inner[start:], *inner[: start + 1]]
        outline = [*outline[: at + 1], *around, *outline[at:]]
    return outline


def _distance(one: Point, other: Point) -> float:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2


def signed_area(ring: Sequence[Point]) -> float:
    """By the shoelace formula; its sign tells which way round the ring goes."""
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return sum(x * below - right * y for (x, y), (right, below) in pairs) / 2
