"""Labware that stands on the deck, and its wells with what is in them."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.effects import Effect, EffectKind
from protocols.liquids import LiquidClass
from protocols.mixtures import Content
from protocols.specs import LabwareSpec, WellShape
from protocols.tips import DUST, Tip


class LabwareInstance:
    """A piece of labware: its id, kind, site and lid.

    Attributes:
        obstacle: what keeps pipettes from it where it stands; ``None`` if nothing does.
    """

    __slots__ = ("barcode", "lid", "name", "obstacle", "site", "spec")

    def __init__(
        self, name: str, spec: LabwareSpec, site: str, *, lid: bool = False, barcode: str | None = None
    ) -> None:
        self.name = name
        self.spec = spec
        self.site = site
        self.lid = lid
        self.barcode = barcode
        self.obstacle: EffectKind | None = "lid in the way" if lid else None


class Spots:
    """Tips standing in racks, by reference; a rack's tips are made when they are first looked at."""

    def __init__(self) -> None:
        self._racks: dict[str, LabwareSpec] = {}
        self._seen: dict[str, Tip | None] = {}

    def stand(self, rack: str, spec: LabwareSpec) -> None:
        """Let a full rack stand there, in place of one of the same name."""
        self.take_away(rack)
        self._racks[rack] = spec

    def take_away(self, rack: str) -> None:
        """Take a rack away with its tips."""
        spec = self._racks.pop(rack, None)
        if spec is not None:
            for position in spec.wells:
                self._seen.pop(f"{rack}/{position}", None)

    def get(self, spot: str) -> Tip | None:
        """The tip that stands there; ``None`` where there is no tip or no such spot."""
        try:
            return self._seen[spot]
        except KeyError:
            rack, _, position = spot.rpartition("/")
            spec = self._racks.get(rack)
            if spec is None or spec.tip is None or position not in spec.wells:
                return None
            tip = self._seen[spot] = Tip(spec.tip, spot)
            return tip

    def __contains__(self, spot: str) -> bool:
        rack, _, position = spot.rpartition("/")
        return rack in self._racks and position in self._racks[rack].wells

    def __iter__(self) -> Iterator[str]:
        """Every spot, rack by rack, down the columns."""
        return (f"{rack}/{position}" for rack, spec in self._racks.items() for position in spec.wells)

    def __setitem__(self, spot: str, tip: Tip | None) -> None:
        self._seen[spot] = tip

    def touched(self) -> dict[str, Tip | None]:
        """The spots that were looked at; all others hold new tips."""
        return self._seen


class Cavity:
    """A well shape with its answers kept: every well of one kind shares one."""

    __slots__ = ("_below", "_reach", "dead", "depth", "max_volume", "shape")

    def __init__(self, shape: WellShape) -> None:
        self.shape = shape
        self.dead = shape.dead_volume or 0.0
        self.depth = shape.depth
        self.max_volume = shape.max_volume
        self._below: dict[float, float] = {}
        self._reach: dict[float | None, float] = {None: self.dead}

    def out_of_reach(self, height: float | None) -> float:
        """µL that a tip whose end is at ``height`` cannot draw; ``None``: it follows the surface, or unknown."""
        reach = self._reach.get(height)
        if reach is None and height is not None:
            reach = self._reach[height] = max(self.dead, self.shape.volume_below(height) or 0.0)
        return reach or 0.0

    def volume_below(self, height: float) -> float:
        """µL that stand below ``height``; 0 if the geometry is unknown."""
        volume = self._below.get(height)
        if volume is None:
            volume = self._below[height] = self.shape.volume_below(height) or 0.0
        return volume


class Well(Content):
    """A well: its content and its cavity.

    Attributes:
        reference: "labware/A1".
        settled_height: mm above the cavity bottom that a tip must stay clear of; ``None`` where nothing lies there.
    """

    __slots__ = ("cavity", "labware", "max_volume", "reference", "settled_height")

    def __init__(self, labware: LabwareInstance, reference: str, cavity: Cavity) -> None:
        super().__init__()
        self.labware = labware
        self.reference = reference
        self.cavity = cavity
        self.max_volume = cavity.max_volume
        self.settled_height: float | None = None


def judge_room(tip: Tip, place: str, channel: int, effects: list[Effect], beside: float = 0.0) -> None:
    """Note it if the tip holds more (with ``beside`` µL for the moment) than it takes."""
    excess = tip.taken() + beside - tip.capacity
    if excess > DUST:
        effects.append(Effect(kind="tip overfilled", place=place, channel=channel, amount=excess))


def judge_end(
    well: Well,
    channel: int,
    tip: Tip,
    liquid_class: LiquidClass,
    height: float | None,
    highest: float,
    lowest: float,
    effects: list[Effect],
) -> None:
    """Note it if the tip's end comes too deep, or onto what has settled.

    Args:
        highest, lowest: µL in the well at the stroke's highest and lowest surface.
    """
    cavity, following = well.cavity, liquid_class.level_detection
    shape, depth = cavity.shape, cavity.depth
    if height is not None and not following and (depth is None or depth - height > tip.length):
        surface = shape.surface(highest)
        if surface is not None:
            deep = (surface if depth is None else min(surface, depth)) - height - tip.length
            if deep > DUST:
                effects.append(Effect(kind="immersed too deep", place=well.reference, channel=channel, amount=deep))
    if well.settled_height is None:
        return
    if following:
        surface_low = shape.surface(lowest)
        end = None if surface_low is None else max(0.0, surface_low - liquid_class.immersion)
    else:
        end = height
    if end is not None and well.settled_height - end > DUST:
        effects.append(Effect(kind="settled layer touched", place=well.reference, channel=channel))
