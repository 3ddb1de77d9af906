"""What the guard says no to, and how."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pylabrobot.resources import Container, Coordinate, Deck, Resource

from protocols.errors import DeviceError
from protocols.outcomes import Fault

RIM_CLEARANCE = 0.01
"""mm by which a height may lie above the rim before it is refused: rounding."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What no stroke may exceed.

    Attributes:
        flow_rate: µL/s.
        volume: µL of one stroke of one channel, by pylabrobot's channel number.
        head96_volume: the same for the 96 head.
    """

    flow_rate: float = 1000.0
    volume: Mapping[int, float] = field(default_factory=dict)
    head96_volume: float = 1000.0


class Refused(DeviceError):
    """Raised when the guard would not let a call through; nothing moved.

    Attributes:
        fault: the same for an outcome.
    """

    def __init__(self, what: str, *, place: str = "", channel: int | None = None, mend: str = "") -> None:
        self.fault = Fault(kind="refused", channel=channel, place=place, message=what)
        super().__init__(what, where=place, mend=mend)


class TipsUnknown(DeviceError):
    """Raised when a tip instruction failed and the machine cannot say which channels hold tips now."""


def check_amount(name: str, value: float | None, *, most: float = math.inf, place: str = "") -> None:
    """Refuse a number that is not finite, negative or more than ``most``; ``None`` is no number and passes.

    Raises:
        Refused: with ``name`` and ``place``.
    """
    if value is None:
        return
    if not math.isfinite(value):
        raise Refused(f"the {name} is {value}, not a number", place=place)
    if value < 0:
        raise Refused(f"the {name} is negative: {value:g}", place=place)
    if value > most * (1 + 1e-9):
        raise Refused(f"the {name} of {value:g} is over the limit of {most:g}", place=place)


def check_range(name: str, value: float, allowed: tuple[float, float] | None, unit: str, device: str) -> None:
    """Refuse a set-point that is not finite or outside ``allowed``, which is ``None`` where a device has no such thing.

    Raises:
        Refused: naming the device.
    """
    if allowed is None:
        raise Refused(f"it has no {name} to set", place=device)
    if not math.isfinite(value):
        raise Refused(f"the {name} is {value}, not a number", place=device)
    low, high = allowed
    if not low <= value <= high:
        raise Refused(
            f"a {name} of {value:g} {unit} is outside its range",
            place=device,
            mend=f"It goes from {low:g} to {high:g} {unit}",
        )


def check_flow_rate(value: float | None, most: float, place: str) -> None:
    """Refuse a flow rate (µL/s) that is 0, negative, not finite or over ``most``.

    Raises:
        Refused: naming the place.
    """
    check_amount("flow rate", value, most=most, place=place)
    if value == 0:
        raise Refused("the flow rate is 0", place=place)


def check_height(container: Container, height: float | None, *, above: bool = False) -> None:
    """Refuse a height (mm above the cavity bottom) outside the well, or inside it where ``above`` is wanted.

    Raises:
        Refused: naming the well.
    """
    check_amount("height", height, place=container.name)
    if height is None:
        return
    rim = container.get_size_z()
    if above and height < rim:
        raise Refused(f"{height:g} mm is inside the well, air is drawn above it", place=container.name)
    if not above and height > rim + RIM_CLEARANCE:
        raise Refused(f"{height:g} mm is above the well, which is {rim:g} mm deep", place=container.name)


def check_offset(container: Container, offset: Coordinate | None) -> None:
    """Refuse an offset (mm from the middle of a well) that is not finite or leaves the well.

    Raises:
        Refused: naming the well.
    """
    if offset is None:
        return
    if not all(map(math.isfinite, (offset.x, offset.y, offset.z))):
        raise Refused(f"the offset is {offset}, not a place", place=container.name)
    if abs(offset.x) > container.get_size_x() / 2 or abs(offset.y) > container.get_size_y() / 2:
        raise Refused(f"an offset of {offset.x:g}, {offset.y:g} mm leaves the well", place=container.name)


def check_on_deck(deck: Deck, resources: Sequence[Resource], kept: Mapping[str, str] | None = None) -> None:
    """Refuse labware that does not stand on ``deck``: by identity, where pylabrobot compares by value.

    Args:
        kept: what keeps a pipette from labware, by its name.

    Raises:
        Refused: naming the labware.
    """
    seen: set[int] = set()
    for resource in resources:
        top: Resource | None = resource
        while top is not None and top is not deck and id(top) not in seen:
            seen.add(id(top))
            if kept and top.name in kept:
                raise Refused(f"'{top.name}' is out of reach: {kept[top.name]}", place=resource.name)
            top = top.parent
        if top is None:
            raise Refused("it does not stand on the deck", place=resource.name)


def check_lengths(count: int, **lists: Sequence[object] | None) -> None:
    """Refuse lists that do not have one entry for each of ``count`` channels.

    Raises:
        Refused: naming the list.
    """
    for name, entries in lists.items():
        if entries is not None and len(entries) != count:
            raise Refused(f"{len(entries)} {name} for {count} channels")


def check_distinct(what: str, names: Sequence[object]) -> None:
    """Refuse a list that names something twice.

    Raises:
        Refused: naming it.
    """
    seen: set[object] = set()
    for name in names:
        if name in seen:
            raise Refused(f"{what} {name} is named twice", place=str(name))
        seen.add(name)
