"""Plate maps: volume, composition and concentration well by well, as shapes for the page to draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from protocols.quantities import show_volume
from protocols.specs import LabwareSpec
from protocols.wells import well_name, well_position
from robots.report.colours import CONCENTRATION, VOLUME, ink_on, shade
from robots.report.figures import in_few_characters
from robots.report.model import LabwareLine, WellLine
from robots.report.palette import Palette

PLATE_WIDTH = 400.0
"""Drawing units; a 96-well plate then has wells of 30 units, which hold a number."""
_MARGIN = 22.0
_LARGEST_CELL = 46.0
_LEAST_CELL_WITH_NUMBER = 24.0
_TEXT = 0.36
"""Height of the numbers, in parts of a cell."""
_LETTER = 0.6
"""Width of a digit, in parts of its height."""
_ROOM = 0.78
"""Width that a number may take, in parts of a cell."""
_MOST_NAMED = 12
_STEPS = 4
"""Legends of numbers have one swatch more than this."""
_MOST_DECADES = 5
"""Legends of logarithms have no more swatches than this and two."""
_LOGARITHMIC_FROM = 100.0
"""Values that span more than this factor are coloured by their logarithm."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A piece of pie: its path, or ``None`` for the whole circle, and its colour."""

    path: str | None
    colour: str


@dataclass(frozen=True, slots=True)
class Disc:
    """One well as drawn: centre, slices of colour, the number on it and the words beside the pointer."""

    x: float
    y: float
    slices: tuple[Slice, ...]
    text: str
    ink: str
    title: str
    flagged: bool


@dataclass(frozen=True, slots=True)
class Swatch:
    """One entry of a legend."""

    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class PlateMap:
    """One drawing of a plate in drawing units, with its axis letters, its legend and what it shows in a sentence."""

    title: str
    summary: str
    width: float
    height: float
    radius: float
    discs: tuple[Disc, ...]
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    legend: tuple[Swatch, ...]
    text_size: float
    has_flags: bool


@dataclass(frozen=True, slots=True)
class _Grid:
    rows: int
    columns: int

    @property
    def cell(self) -> float:
        return min((PLATE_WIDTH - _MARGIN) / self.columns, _LARGEST_CELL)

    def centre(self, row: int, column: int) -> tuple[float, float]:
        return round(_MARGIN + (column + 0.5) * self.cell, 1), round(_MARGIN + (row + 0.5) * self.cell, 1)

    def names(self) -> Iterator[tuple[str, int, int]]:
        for row in range(self.rows):
            for column in range(self.columns):
                yield well_name(row, column), row, column


@dataclass(frozen=True, slots=True)
class _Scale:
    """Colours for amounts from 0 or, by the logarithm, from ``low`` to ``top``."""

    sequence: Sequence[str]
    top: float
    low: float | None = None

    @classmethod
    def over(cls, sequence: Sequence[str], values: Sequence[float]) -> _Scale:
        positive = [value for value in values if value > 0]
        if not positive:
            return cls(sequence, 0.0)
        if max(positive) / min(positive) < _LOGARITHMIC_FROM:
            return cls(sequence, _round_up(max(positive)))
        low, top = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
        return cls(sequence, 10.0**top, 10.0**low)

    def colour(self, value: float) -> str:
        if not self.top or value <= 0:
            return self.sequence[0]
        if self.low is None:
            return shade(self.sequence, value / self.top)
        return shade(self.sequence, math.log(value / self.low) / math.log(self.top / self.low))

    def legend(self) -> list[Swatch]:
        return [Swatch(self.colour(value), in_few_characters(value)) for value in self._marks()]

    def _marks(self) -> list[float]:
        if self.low is None:
            return [self.top * step / _STEPS for step in range(_STEPS + 1)] if self.top else [0.0]
        first, last = round(math.log10(self.low)), round(math.log10(self.top))
        return [10.0**power for power in range(first, last + 1, math.ceil((last - first) / (_MOST_DECADES + 1)))]


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What all maps of one plate share."""

    grid: _Grid
    wells: Mapping[str, WellLine]
    flagged: Set[str]
    titles: Mapping[str, str] = field(default_factory=dict)


Paint = Callable[[WellLine], tuple[tuple[Slice, ...], str]]
"""The colours of a well that holds something, and the number on it."""


def plate_maps(
    labware: LabwareLine, spec: LabwareSpec, palette: Palette, flagged: Set[str] = frozenset()
) -> list[PlateMap]:
    """The maps worth drawing of one piece of labware: volume, composition, and each followed solute.

    None where nothing in it holds or held liquid.

    Args:
        flagged: names of wells to be marked, because what they hold is not what was asked for.
    """
    if not labware.wells:
        return []
    wells = {line.well: line for line in labware.wells}
    titles = {name: _words(line, name in flagged) for name, line in wells.items()}
    drawing = _Drawing(_Grid(spec.rows, spec.columns), wells, flagged, titles)
    maps = [_scaled(drawing, "Volume", "µL", VOLUME, lambda line: line.volume)]
    if any(line.liquids for line in labware.wells):
        maps.append(_composition(drawing, palette))
    for solute in sorted({name for line in labware.wells for name in line.concentrations}):
        maps.append(_scaled(drawing, solute, "ng/µL", CONCENTRATION, _concentration_of(solute)))
    return maps


def _concentration_of(solute: str) -> Callable[[WellLine], float]:
    return lambda line: line.concentrations.get(solute, 0.0)


def _scaled(
    drawing: _Drawing, what: str, unit: str, sequence: Sequence[str], value_of: Callable[[WellLine], float]
) -> PlateMap:
    values = {name: value_of(line) for name, line in drawing.wells.items() if line.volume > 0}
    scale = _Scale.over(sequence, list(values.values()))

    def paint(line: WellLine) -> tuple[tuple[Slice, ...], str]:
        value = value_of(line)
        return (Slice(None, scale.colour(value)),), in_few_characters(value)

    logarithmic = "" if scale.low is None else ", colours by the logarithm"
    return _drawn(drawing, f"{what}, {unit}{logarithmic}", _extremes(values, unit), paint, scale.legend())


def _extremes(values: Mapping[str, float], unit: str) -> str:
    """The least and the greatest value by well, in a sentence."""
    if not values:
        return "Every well is empty."
    least, most = (
        f"{in_few_characters(values[well])} {unit} in {well}"
        for well in (min(values, key=values.__getitem__), max(values, key=values.__getitem__))
    )
    return (
        f"1 well holds liquid: {most}." if len(values) == 1 else f"{len(values)} wells hold liquid, {least} to {most}."
    )


def _composition(drawing: _Drawing, palette: Palette) -> PlateMap:
    def paint(line: WellLine) -> tuple[tuple[Slice, ...], str]:
        shares = palette.shares(line.liquids)
        return tuple(_pie([(palette.colour_of[group], share) for group, share in shares.items()])), ""

    present = {palette.group_of[name] for line in drawing.wells.values() for name in line.liquids}
    legend = [Swatch(colour, group) for group, colour in palette.colour_of.items() if group in present]
    summary = f"What the liquid of each well is made of: {', '.join(swatch.text for swatch in legend)}."
    return _drawn(drawing, "Composition, parts by volume", summary, paint, legend)


def _pie(shares: Sequence[tuple[str, float]]) -> list[Slice]:
    """Slices of a circle of radius 1 around (0, 0), from twelve o'clock on."""
    slices, angle = [], -math.pi / 2
    for colour, share in shares:
        if share > 0.9999:
            return [Slice(None, colour)]
        end = angle + 2 * math.pi * share
        start_point, end_point = (f"{math.cos(at):.3f} {math.sin(at):.3f}" for at in (angle, end))
        slices.append(Slice(f"M0 0L{start_point}A1 1 0 {int(share > 0.5)} 1 {end_point}Z", colour))
        angle = end
    return slices


def _drawn(drawing: _Drawing, title: str, summary: str, paint: Paint, legend: Sequence[Swatch]) -> PlateMap:
    grid = drawing.grid
    discs = tuple(_disc(drawing, name, grid.centre(row, column), paint) for name, row, column in grid.names())
    every = 1 if grid.cell >= 12 else 4
    longest = max((len(disc.text) for disc in discs), default=0)
    return PlateMap(
        title=title,
        summary=summary,
        width=round(_MARGIN + grid.columns * grid.cell + 2, 1),
        height=round(_MARGIN + grid.rows * grid.cell + 2, 1),
        radius=round(grid.cell * 0.45, 2),
        discs=discs,
        rows=tuple((grid.centre(row, 0)[1], well_name(row, 0)[:-1]) for row in range(0, grid.rows, every)),
        columns=tuple((grid.centre(0, column)[0], str(column + 1)) for column in range(0, grid.columns, every)),
        legend=tuple(legend),
        text_size=round(grid.cell * min(_TEXT, _ROOM / (_LETTER * max(longest, 1))), 2),
        has_flags=any(disc.flagged for disc in discs),
    )


def _disc(drawing: _Drawing, name: str, centre: tuple[float, float], paint: Paint) -> Disc:
    line = drawing.wells.get(name)
    slices, text = paint(line) if line is not None and line.volume > 0 else ((), "")
    return Disc(
        *centre,
        slices=slices,
        text=text if drawing.grid.cell >= _LEAST_CELL_WITH_NUMBER else "",
        ink=ink_on(slices[0].colour) if text else "",
        title=drawing.titles.get(name) or f"{name}: empty",
        flagged=name in drawing.flagged,
    )


def _round_up(value: float) -> float:
    """The next number that divides into four round parts: 1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    steps = (1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
    return next(step for step in steps if step * power >= value * (1 - 1e-9)) * power


def _words(line: WellLine, flagged: bool) -> str:
    parts = sorted(line.liquids.items(), key=lambda item: -item[1])
    words = [f"{line.well}: {show_volume(line.volume)}"]
    words += [f"{name}: {show_volume(amount)}" for name, amount in parts[:_MOST_NAMED]]
    if len(parts) > _MOST_NAMED:
        words.append(f"and {len(parts) - _MOST_NAMED} more liquids")
    words += [f"{solute}: {value:.4g} ng/µL" for solute, value in line.concentrations.items()]
    if flagged:
        words.append("not what was asked for")
    return "\n".join(words)


def in_order(wells: Sequence[WellLine]) -> list[WellLine]:
    """Wells row by row, as a table lists them."""
    return sorted(wells, key=lambda line: well_position(line.well))
