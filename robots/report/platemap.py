"""Plate maps: volume, composition and concentration well by well, as shapes for the page to draw."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from protocols.liquids import Liquid
from protocols.quantities import show_volume
from protocols.specs import LabwareSpec
from protocols.wells import well_name, well_position
from robots.report.colours import CATEGORIES, CONCENTRATION, OTHER, SAMPLES, VOLUME, ink_on, shade
from robots.report.model import LabwareLine, WellLine

PLATE_WIDTH = 400.0
"""Drawing units; a 96-well plate then has wells of 30 units, which hold a number."""
_MARGIN = 22.0
_LEAST_CELL_WITH_NUMBER = 24.0
_MOST_NAMED = 12
_SAMPLES = "samples"
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Slice:
    """A piece of pie: its path, or ``None`` for the whole circle, and its colour."""

    path: str | None
    colour: str


@dataclass(frozen=True, slots=True)
class Disc:
    """One well as drawn: centre, radius, slices of colour, the number on it and the words beside the pointer."""

    x: float
    y: float
    radius: float
    slices: tuple[Slice, ...]
    text: str
    ink: str
    title: str


@dataclass(frozen=True, slots=True)
class Swatch:
    """One entry of a legend."""

    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class PlateMap:
    """One drawing of a plate, with its axis letters and its legend."""

    title: str
    width: float
    height: float
    discs: tuple[Disc, ...]
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    legend: tuple[Swatch, ...]
    text_size: float


@dataclass(frozen=True, slots=True)
class _Grid:
    rows: int
    columns: int

    @property
    def cell(self) -> float:
        return min((PLATE_WIDTH - _MARGIN) / self.columns, 46.0)

    def centre(self, row: int, column: int) -> tuple[float, float]:
        return _MARGIN + (column + 0.5) * self.cell, _MARGIN + (row + 0.5) * self.cell


def plate_maps(labware: LabwareLine, spec: LabwareSpec, liquids: Mapping[str, Liquid]) -> list[PlateMap]:
    """The maps worth drawing of one piece of labware: volume, composition, and each followed solute."""
    grid = _Grid(spec.rows, spec.columns)
    if grid.rows * grid.columns < 2 or not labware.wells:
        return []
    wells = {line.well: line for line in labware.wells}
    maps = [_scaled("Volume", "µL", VOLUME, grid, wells, lambda line: line.volume)]
    if any(line.liquids for line in labware.wells):
        maps.append(_composition(grid, wells, liquids))
    for solute in sorted({name for line in labware.wells for name in line.concentrations}):
        maps.append(_scaled(f"{solute}", "ng/µL", CONCENTRATION, grid, wells, _concentration_of(solute)))
    return maps


def _concentration_of(solute: str) -> Callable[[WellLine], float]:
    return lambda line: line.concentrations.get(solute, 0.0)


def _scaled(
    title: str,
    unit: str,
    sequence: Sequence[str],
    grid: _Grid,
    wells: Mapping[str, WellLine],
    value_of: Callable[[WellLine], float],
) -> PlateMap:
    top = _round_up(max((value_of(line) for line in wells.values()), default=0.0))

    def paint(line: WellLine) -> tuple[tuple[Slice, ...], str]:
        value = value_of(line)
        colour = shade(sequence, value / top if top else 0.0)
        return (Slice(None, colour),), _short(value)

    legend = [Swatch(shade(sequence, step / 4), _short(top * step / 4)) for step in range(5)]
    return _drawn(f"{title}, {unit}", grid, wells, paint, legend)


def _composition(grid: _Grid, wells: Mapping[str, WellLine], liquids: Mapping[str, Liquid]) -> PlateMap:
    group_of = _groups(wells.values(), liquids)
    totals: dict[str, float] = defaultdict(float)
    for line in wells.values():
        for name, amount in line.liquids.items():
            totals[group_of[name]] += amount
    # All samples together keep one colour on every plate; what is left over is grey.
    ranked = sorted(totals, key=lambda group: (-totals[group], group))
    fixed = {_SAMPLES: SAMPLES, _OTHER: OTHER}
    colour_of = dict(zip((group for group in ranked if group not in fixed), CATEGORIES, strict=False)) | fixed

    def paint(line: WellLine) -> tuple[tuple[Slice, ...], str]:
        parts: dict[str, float] = defaultdict(float)
        for name, amount in line.liquids.items():
            parts[group_of[name]] += amount
        total = sum(parts.values())
        shares = [(colour_of[group], amount / total) for group, amount in sorted(parts.items())] if total else []
        return tuple(_pie(shares)), ""

    legend = [Swatch(colour_of[group], group) for group in ranked]
    return _drawn("Composition", grid, wells, paint, legend)


def _groups(lines: Iterable[WellLine], liquids: Mapping[str, Liquid]) -> dict[str, str]:
    """Each liquid's group: itself where there are few; else all samples together, and the least of the rest."""
    totals: dict[str, float] = defaultdict(float)
    for line in lines:
        for name, amount in line.liquids.items():
            totals[name] += amount
    if len(totals) <= len(CATEGORIES):
        return {name: name for name in totals}
    ranked = sorted(totals, key=lambda name: (-totals[name], name))
    reagents = [name for name in ranked if not (name in liquids and liquids[name].sample)]
    named = set(reagents[: len(CATEGORIES) - 1])
    return {name: name if name in named else _OTHER if name in reagents else _SAMPLES for name in totals}


def _pie(shares: Sequence[tuple[str, float]]) -> list[Slice]:
    """Slices of a circle of radius 1 around (0, 0), from twelve o'clock on."""
    if len(shares) == 1:
        return [Slice(None, shares[0][0])]
    slices, angle = [], -math.pi / 2
    for colour, share in shares:
        end = angle + 2 * math.pi * share
        if share > 0.9999:
            return [Slice(None, colour)]
        large = 1 if share > 0.5 else 0
        slices.append(
            Slice(
                f"M0 0L{math.cos(angle):.3f} {math.sin(angle):.3f}"
                f"A1 1 0 {large} 1 {math.cos(end):.3f} {math.sin(end):.3f}Z",
                colour,
            )
        )
        angle = end
    return slices


def _drawn(
    title: str,
    grid: _Grid,
    wells: Mapping[str, WellLine],
    paint: Callable[[WellLine], tuple[tuple[Slice, ...], str]],
    legend: Sequence[Swatch],
) -> PlateMap:
    with_number = grid.cell >= _LEAST_CELL_WITH_NUMBER
    discs = []
    for name, line in wells.items():
        row, column = well_position(name)
        x, y = grid.centre(row, column)
        slices, text = paint(line) if line.volume > 0 else ((), "")
        ink = ink_on(slices[0].colour) if slices else "#16202a"
        number = text if with_number else ""
        discs.append(Disc(round(x, 1), round(y, 1), round(grid.cell * 0.45, 2), slices, number, ink, _words(line)))
    occupied = {(disc.x, disc.y) for disc in discs}
    for row in range(grid.rows):
        for column in range(grid.columns):
            x, y = (round(value, 1) for value in grid.centre(row, column))
            if (x, y) not in occupied:
                empty = f"{well_name(row, column)}: empty"
                discs.append(Disc(x, y, round(grid.cell * 0.45, 2), (), "", "#16202a", empty))
    every = 1 if grid.cell >= 12 else 4
    return PlateMap(
        title=title,
        width=round(_MARGIN + grid.columns * grid.cell + 2, 1),
        height=round(_MARGIN + grid.rows * grid.cell + 2, 1),
        discs=tuple(discs),
        rows=tuple((round(grid.centre(row, 0)[1], 1), well_name(row, 0)[:-1]) for row in range(0, grid.rows, every)),
        columns=tuple(
            (round(grid.centre(0, column)[0], 1), str(column + 1)) for column in range(0, grid.columns, every)
        ),
        legend=tuple(legend),
        text_size=round(grid.cell * 0.3, 2),
    )


def _round_up(value: float) -> float:
    """The next number that divides into four round parts: 1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8 times a power of ten."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = (1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
    return next(step for step in steps if step * power >= value * (1 - 1e-9)) * power


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _words(line: WellLine) -> str:
    parts = sorted(line.liquids.items(), key=lambda item: -item[1])
    words = [f"{line.well}: {show_volume(line.volume)}"]
    words += [f"{name}: {show_volume(amount)}" for name, amount in parts[:_MOST_NAMED]]
    if len(parts) > _MOST_NAMED:
        words.append(f"and {len(parts) - _MOST_NAMED} more liquids")
    words += [f"{solute}: {value:.4g} ng/µL" for solute, value in line.concentrations.items()]
    return "\n".join(words)
