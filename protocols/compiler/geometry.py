"""Wells on the deck as the compiler sees them, and which of them several channels reach at once.

Lengths mm. Positions are in the labware's own frame: x to the right, y to the back.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from protocols.errors import UnknownNameError
from protocols.specs import LabwareSpec, PipetteSpec, PlacedLabware, WellShape, WorkcellSpec
from protocols.wells import split_well, well_position

_SLACK = 0.05
"""mm by which drawings of one plate differ in where they put its columns and rows."""


def nearest(name: str, known: Sequence[str]) -> str:
    """A sentence that helps with a mistyped ``name``: the nearest of ``known``, or all of them."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean '{close[0]}'?"
    listed = ", ".join(sorted(known)[:12]) or "none"
    return f"Known are: {listed}" + (" and more" if len(known) > 12 else "")


@dataclass(frozen=True, slots=True)
class Place:
    """A well, and where in its labware it is.

    Attributes:
        order: sorts places as a person reads a deck: by labware, then down the columns.
        rim: mm from the cavity bottom to where a tip clears the well.
        rim_known: whether ``rim`` is the well's own depth, not the labware's height.
    """

    reference: str
    labware: str
    row: int
    column: int
    x: float
    y: float
    shape: WellShape
    order: tuple[int, int, int]
    rim: float
    rim_known: bool


class Deck:
    """The labware of workcell and program together, and the wells in it."""

    def __init__(self, workcell: WorkcellSpec, placed: dict[str, PlacedLabware]) -> None:
        self.workcell = workcell
        self.placed = {**workcell.labware, **placed}
        self._index = {name: number for number, name in enumerate(self.placed)}
        self._places: dict[str, Place] = {}

    def spec(self, labware: str, where: str = "") -> LabwareSpec:
        """The kind of a piece of labware.

        Raises:
            UnknownNameError: it is not on the deck, or the workcell does not know its kind.
        """
        if labware not in self.placed:
            raise UnknownNameError(
                f"there is no labware '{labware}'", where=where, mend=nearest(labware, list(self.placed))
            )
        kind = self.placed[labware].kind
        if kind not in self.workcell.kinds:
            raise UnknownNameError(
                f"labware '{labware}' is of the unknown kind '{kind}'",
                where=where,
                mend=nearest(kind, list(self.workcell.kinds)),
            )
        return self.workcell.kinds[kind]

    def place(self, reference: str, where: str = "") -> Place:
        """The well called ``reference``.

        Raises:
            UnknownNameError: no such labware, no such well, or something that has no wells for liquid.
        """
        known = self._places.get(reference)
        if known is not None:
            return known
        labware, name = split_well(reference)
        spec = self.spec(labware, where)
        if name not in spec.wells or spec.category == "tip rack":
            grid = f"A {spec.kind} has {len(spec.wells)} wells" if spec.category != "tip rack" else "It is a tip rack"
            raise UnknownNameError(
                f"'{labware}' has no well '{name}'",
                where=where,
                mend=f"{grid}. {nearest(name, list(spec.wells))}" if spec.wells else f"{grid}",
            )
        row, column = well_position(name)
        site, shape = spec.wells[name], spec.shape(name)
        rim = shape.depth if shape.depth is not None else max(0.0, spec.size[2] - site.z)
        place = Place(
            reference=reference,
            labware=labware,
            row=row,
            column=column,
            x=site.x,
            y=site.y,
            shape=shape,
            order=(self._index[labware], column, row),
            rim=rim,
            rim_known=shape.depth is not None,
        )
        self._places[reference] = place
        return place


def channels_in(place: Place, pitch: float) -> int:
    """How many channels go into one well side by side, each ``pitch`` mm wide; 1 if its width is unknown."""
    return 1 if place.shape.opening is None else max(1, int(place.shape.opening[1] // pitch))


class _Cluster:
    """Channels that act together, and what decides whether one more can join."""

    __slots__ = ("channel", "first", "indices", "key", "place", "shared")

    def __init__(self, index: int, channel: int, place: Place, key: Hashable) -> None:
        self.indices = [index]
        self.first = self.channel = channel
        self.place = place
        self.key = key
        self.shared = False

    def takes(self, channel: int, place: Place, key: Hashable, pitch: float) -> bool:
        """Whether ``channel``, higher than all here, can reach ``place`` in the same stroke."""
        last = self.place
        if place.labware != last.labware or key != self.key:
            return False
        if place.reference == last.reference:
            alone = self.shared or len(self.indices) == 1
            return alone and channel - self.first < channels_in(place, pitch)
        apart = (channel - self.channel) * pitch
        return not self.shared and abs(place.x - last.x) <= _SLACK and last.y - place.y >= apart - _SLACK

    def add(self, index: int, channel: int, place: Place) -> None:
        """Let one more channel join."""
        self.shared = place.reference == self.place.reference
        self.indices.append(index)
        self.channel = channel
        self.place = place


def together(
    pipette: PipetteSpec, channels: Sequence[int], places: Sequence[Place], keys: Sequence[Hashable]
) -> list[list[int]]:
    """Sort channels into as few strokes as geometry allows.

    Independent channels act together on different wells of one column, in order from back to front and at
    least their pitch apart, or side by side in one trough. The channels of a rigid head always act together.

    Args:
        channels: rising.
        keys: only channels with equal keys act together (liquid class, height).

    Returns:
        For each stroke the indices into ``channels``.
    """
    if not pipette.independent and pipette.channels > 1:
        return [list(range(len(channels)))]
    clusters: list[_Cluster] = []
    for index, (channel, place, key) in enumerate(zip(channels, places, keys, strict=True)):
        for cluster in clusters:
            if cluster.takes(channel, place, key, pipette.pitch):
                cluster.add(index, channel, place)
                break
        else:
            clusters.append(_Cluster(index, channel, place, key))
    return [cluster.indices for cluster in clusters]
