"""Things on a deck that stand in each other's way, though each stands on a site of its own.

The rules are Opentrons' own for the OT-2 (``motion_planning/deck_conflict.py`` of opentrons 9.0.0): a heater-shaker
opens its latch to both sides, is screwed to the deck from behind, and shakes what touches it. What a thermocycler or
a bin covers is no site of the workcell at all, and a thermocycler counts as standing on its own slot alone. A Flex
sinks its modules into the deck, and these rules do not hold there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protocols.specs import PlacedLabware, WorkcellSpec

LATCH_CLEARANCE = 53.0
"""mm above the deck up to which things may reach beside a heater-shaker: its latch opens there
(``HS_MAX_X_ADJACENT_ITEM_HEIGHT``)."""
NARROW_RACKS = frozenset(
    {
        "opentrons_96_filtertiprack_10ul",
        "opentrons_96_filtertiprack_200ul",
        "opentrons_96_filtertiprack_20ul",
        "opentrons_96_tiprack_10ul",
        "opentrons_96_tiprack_20ul",
        "opentrons_96_tiprack_300ul",
    }
)
"""Opentrons labware that is higher and leaves the latch its room (``HS_ALLOWED_ADJACENT_TALL_LABWARE``)."""

_BY_THE_TRASH = {
    "slot-9": "a heater-shaker in front of the trash cannot be screwed to the deck",
    "slot-11": "the trash would stop the latch of a heater-shaker next to it",
}
_COLUMNS, _SLOTS = 3, 12


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two things that cannot both stand where they do.

    Attributes:
        place: the labware, device or site that is to move.
        what: the reason, one sentence without a full stop.
        mend: what to do about it.
    """

    place: str
    what: str
    mend: str


def conflicts(workcell: WorkcellSpec, placed: Mapping[str, PlacedLabware]) -> list[Conflict]:
    """What stands in whose way on ``workcell`` with ``placed`` labware on it, beside two things on one site."""
    if workcell.robot != "OT-2":
        return []
    shakers = {
        site.id: site.device
        for site in workcell.sites.values()
        if site.device is not None and workcell.devices[site.device].kind == "heater-shaker"
    }
    return [conflict for slot, name in shakers.items() for conflict in _around(workcell, placed, slot, name)]


def _around(workcell: WorkcellSpec, placed: Mapping[str, PlacedLabware], slot: str, shaker: str) -> Iterator[Conflict]:
    if slot in _BY_THE_TRASH:
        yield Conflict(shaker, _BY_THE_TRASH[slot], "stand it on another slot")
    beside = _beside(slot)
    for neighbour in (*beside, *_before_and_behind(slot)):
        site = workcell.sites.get(neighbour)
        device = None if site is None else site.device
        if device is not None:
            yield Conflict(
                device, f"it stands next to the heater-shaker '{shaker}' on {slot}", "leave a slot between modules"
            )
    for name, item in placed.items():
        site, kind = workcell.sites.get(item.site), workcell.kinds.get(item.kind)
        if site is None or kind is None or site.id not in beside or site.device is not None:
            continue
        top = site.z + kind.size[2]
        if top >= LATCH_CLEARANCE and not _leaves_room(kind.opentrons):
            yield Conflict(
                name,
                f"it is {top:g} mm high and would stop the latch of '{shaker}' on {slot}, which needs everything "
                f"beside it to stay below {LATCH_CLEARANCE:g} mm",
                "stand it on a slot that is not to the left or right of a heater-shaker",
            )


def _leaves_room(opentrons: str | None) -> bool:
    parts = (opentrons or "").split("/")
    return parts[0] == "opentrons" and parts[1] in NARROW_RACKS


def _number(slot: str) -> int:
    return int(slot.removeprefix("slot-"))


def _beside(slot: str) -> tuple[str, ...]:
    """The slots to the left and right."""
    number = _number(slot)
    column = (number - 1) % _COLUMNS
    left = (f"slot-{number - 1}",) if column > 0 else ()
    right = (f"slot-{number + 1}",) if column < _COLUMNS - 1 else ()
    return left + right


def _before_and_behind(slot: str) -> tuple[str, ...]:
    number = _number(slot)
    return tuple(f"slot-{near}" for near in (number - _COLUMNS, number + _COLUMNS) if 1 <= near <= _SLOTS)
