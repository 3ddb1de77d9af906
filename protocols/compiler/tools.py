"""Pipettes with their tips: what they can move in how many strokes, and which tips are left. Volumes µL."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocols.compiler.classes import LEAST_JET, can_jet, liquid_class_for
from protocols.compiler.geometry import Deck
from protocols.labstate import LabState
from protocols.liquids import Behaviours, LiquidClass
from protocols.protocol import Handling
from protocols.specs import OFF_DECK, PipetteSpec, TipSpec

_ROUNDING = 1e-9
MOST_STROKES = 500
"""In how many strokes a single transfer is made at most: more is a slip of the pen, or a job for a pump."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A pipette with one kind of tip; ``rank`` is its place in the workcell file."""

    pipette: PipetteSpec
    tip: TipSpec
    rank: int

    @property
    def least(self) -> float:
        """µL, the smallest stroke within the stated accuracy of both."""
        return max(self.pipette.min_volume, self.tip.min_volume)

    @property
    def rigid(self) -> bool:
        """Several channels that always move together."""
        return self.pipette.channels > 1 and not self.pipette.independent

    def room(self, liquid_class: LiquidClass, air_gap: float) -> float:
        """µL of liquid that one stroke can deliver."""
        air = liquid_class.blow_out + max(liquid_class.transport_air, air_gap)
        return min(self.tip.capacity - air, self.pipette.max_volume) - liquid_class.film

    def strokes(self, volume: float, behaviours: Behaviours, handling: Handling) -> int | None:
        """In how many equal strokes this tool moves ``volume``; ``None`` if it cannot in :data:`MOST_STROKES`."""
        largest = min(
            self.room(liquid_class_for(behaviours, self.tip, jet=jet), handling.air_gap) for jet in (False, True)
        )
        if largest <= 0:
            return None
        count = max(1, math.ceil(volume / largest - _ROUNDING))
        return count if count <= MOST_STROKES and volume / count >= self.least - _ROUNDING else None

    def jets(self, stroke: float, behaviours: Behaviours, handling: Handling) -> bool:
        """Whether a stroke of this size falls from above rather than touching what is there."""
        return not handling.touch and stroke >= LEAST_JET and can_jet(behaviours, self.tip)


def head_shape(pipette: PipetteSpec) -> tuple[int, int]:
    """Rows and columns of a head's channels, which are numbered down the columns."""
    return {96: (8, 12), 384: (16, 24)}.get(pipette.channels, (pipette.channels, 1))


@dataclass(slots=True)
class _Rack:
    name: str
    columns: list[list[str]]
    """New tips by column, from back to front."""

    @property
    def left(self) -> int:
        return sum(map(len, self.columns))


class TipStock:
    """The tips on the deck: which are new, and in what order they are taken; ``reserved`` spots are never taken."""

    def __init__(self, deck: Deck, state: LabState | None, reserved: Iterable[str] = ()) -> None:
        self._deck = deck
        self._racks: dict[str, list[_Rack]] = defaultdict(list)
        self._reserved = frozenset(reserved)
        self.specs: dict[str, TipSpec] = {}
        for name in deck.placed:
            spec = deck.spec(name)
            if spec.tip is None or deck.placed[name].site == OFF_DECK:
                continue
            self.specs.setdefault(spec.tip.kind, spec.tip)
            new = None
            if state is not None and name in deck.workcell.labware:
                new = {
                    well for well in spec.wells if state.tip_at(f"{name}/{well}") and state.tip_is_new(f"{name}/{well}")
                }
            self._racks[spec.tip.kind].append(self._stand(name, new))

    def _stand(self, name: str, new: set[str] | None) -> _Rack:
        spec = self._deck.spec(name)
        columns: dict[float, list[str]] = defaultdict(list)
        for well in sorted(spec.wells, key=lambda well: (spec.wells[well].x, -spec.wells[well].y)):
            spots = columns[round(spec.wells[well].x, 1)]
            if (new is None or well in new) and f"{name}/{well}" not in self._reserved:
                spots.append(f"{name}/{well}")
        return _Rack(name, list(columns.values()))

    def left(self, kind: str) -> int:
        """New tips of this kind."""
        return sum(rack.left for rack in self._racks[kind])

    def racks(self, kind: str) -> list[str]:
        """The racks with tips of this kind."""
        return [rack.name for rack in self._racks[kind]]

    def renew(self, rack_name: str) -> None:
        """A full rack stands where ``rack_name`` stood."""
        for racks in self._racks.values():
            for index, rack in enumerate(racks):
                if rack.name == rack_name:
                    racks[index] = self._stand(rack_name, None)

    def take(self, kind: str, count: int, pitch: float) -> list[list[str]]:
        """Take up to ``count`` tips, in lists that channels ``pitch`` mm apart pick up together, back to front.

        The fullest use of what is open: the column with the fewest tips that still has enough, else the fullest.
        """
        taken: list[list[str]] = []
        while count > 0:
            choice = self._column(kind, count, pitch)
            if choice is None:
                break
            column, spots = choice
            taken.append(spots)
            for spot in spots:
                column.remove(spot)
            count -= len(spots)
        return taken

    def _column(self, kind: str, count: int, pitch: float) -> tuple[list[str], list[str]] | None:
        best: tuple[int, list[str], list[str]] | None = None
        for rack in self._racks[kind]:
            for column in rack.columns:
                if not column:
                    continue
                spots = self._apart(rack.name, column, pitch)[:count]
                score = len(column) if len(spots) == count else 10_000 - len(spots)
                if best is None or score < best[0]:
                    best = (score, column, spots)
        return None if best is None else best[1:]

    def _apart(self, rack: str, column: Sequence[str], pitch: float) -> list[str]:
        wells = self._deck.spec(rack).wells
        chosen: list[str] = []
        last = math.inf
        for spot in column:
            y = wells[spot.rpartition("/")[2]].y
            if last - y >= pitch - 0.05:
                chosen.append(spot)
                last = y
        return chosen

    def take_block(self, kind: str, rows: int, columns: int) -> list[str] | None:
        """Take tips for a rigid head of this shape: neighbouring full columns; ``None`` if there are none."""
        for rack in self._racks[kind]:
            for first in range(0, len(rack.columns) - columns + 1, columns):
                block = rack.columns[first : first + columns]
                if all(len(column) == rows for column in block):
                    spots = [spot for column in block for spot in column]
                    for column in block:
                        column.clear()
                    return spots
        return None

    def has_block(self, kind: str, rows: int, columns: int) -> bool:
        """Whether a rigid head gets its tips without unused ones being thrown away."""
        return any(
            not rack.left
            or any(
                all(len(column) == rows for column in rack.columns[first : first + columns])
                for first in range(0, len(rack.columns) - columns + 1, columns)
            )
            for rack in self._racks[kind]
        )

    def fewest(self, kind: str) -> str:
        """The rack of this kind with the fewest new tips."""
        return min(self._racks[kind], key=lambda rack: rack.left).name
