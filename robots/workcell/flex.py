"""pylabrobot's picture of an Opentrons Flex deck, which pylabrobot itself does not have.

Slots and trash bins stand where Opentrons' deck definition (``ot3_standard``) says; like pylabrobot's OT-2 deck it
is measured from the corner of the deck plate, ``cornerOffsetFromOrigin`` away from the front left slot's corner.
"""

from __future__ import annotations

from typing import Any

from pylabrobot.resources import Coordinate, Deck, ResourceHolder, Trash

from robots.workcell.modules import flex_area, flex_deck

MAIN_SLOTS = tuple(f"{row}{column}" for row in "ABCD" for column in (1, 2, 3))
"""The slots that every Flex has."""
STAGING_SLOTS = tuple(f"{row}4" for row in "ABCD")
"""The slots beyond the right edge, where a staging area is fitted; pipettes do not reach them."""
WASTE_CHUTE = "waste chute"
"""In place of a bin's slot; it hangs at D3."""

_CHUTE_SLOT = "D3"
_CHUTE_AREA = "1ChannelWasteChute"


class FlexDeck(Deck):  # type: ignore[misc]
    """The deck of an Opentrons Flex.

    Attributes:
        slots: by name ("A1"), each slot's holder.
    """

    def __init__(self, name: str = "flex_deck") -> None:
        size = flex_deck()["dimensions"]
        super().__init__(name=name, size_x=size[0], size_y=size[1], size_z=size[2])
        self.slots: dict[str, ResourceHolder] = {}

    def add_slot(self, slot: str, size: tuple[float, float]) -> ResourceHolder:
        """Put the holder of ``slot`` on the deck."""
        holder = ResourceHolder(name=f"{self.name}_slot_{slot}", size_x=size[0], size_y=size[1], size_z=0)
        self.assign_child_resource(holder, location=place_of(slot))
        self.slots[slot] = holder
        return holder

    def get_trash_area96(self) -> Trash:
        """The same bin: its rim is wide enough for 96 tips at once."""
        return self.get_trash_area()


def slot_area(slot: str) -> dict[str, Any]:
    """The addressable area of a slot; there is one of each of :data:`MAIN_SLOTS` and :data:`STAGING_SLOTS`."""
    area = flex_area(slot)
    assert area is not None
    return area


def place_of(slot: str) -> Coordinate:
    """The front left corner of a slot, mm from the deck's."""
    return _cutout(slot) + Coordinate(*slot_area(slot)["offsetFromCutoutFixture"])


def trash_slot(trash: str) -> str:
    """The slot that a bin, named by its slot, or the waste chute takes."""
    return _CHUTE_SLOT if trash == WASTE_CHUTE else trash


def trash_place(trash: str) -> tuple[Coordinate, tuple[float, float, float]]:
    """Where a bin's or a chute's opening is, mm from the deck's corner, and its extent.

    The chute's is where Opentrons' software drops tips from 1 and 8 channels, and as wide as the area over which
    it does so with 8.
    """
    if trash != WASTE_CHUTE:
        area = flex_area(f"movableTrash{trash}")
        assert area is not None
        box = area["boundingBox"]
        corner = _cutout(trash) + Coordinate(*area["offsetFromCutoutFixture"])
        return corner, (box["xDimension"], box["yDimension"], box["zDimension"])
    area, wide = flex_area(_CHUTE_AREA), flex_area("8ChannelWasteChute")
    assert area is not None
    assert wide is not None
    width = wide["boundingBox"]["yDimension"]
    corner = _cutout(_CHUTE_SLOT) + Coordinate(*wide["offsetFromCutoutFixture"])
    return corner, (1.0, width, 1.0)


def chute_holder(deck: FlexDeck) -> ResourceHolder:
    """The place on ``deck`` above the waste chute where the gripper lets labware fall; it is never occupied for long.

    Source: the area ``gripperWasteChute`` of ``ot3_standard``.
    """
    area = flex_area("gripperWasteChute")
    assert area is not None
    holder = ResourceHolder(name=f"{deck.name}_chute", size_x=1.0, size_y=1.0, size_z=0)
    place = _cutout(_CHUTE_SLOT) + Coordinate(*area["offsetFromCutoutFixture"])
    deck.assign_child_resource(holder, location=place)
    return holder


def _cutout(slot: str) -> Coordinate:
    """The front left corner of the cutout that a slot lies in; a staging slot hangs on column 3's."""
    deck = flex_deck()
    name = f"cutout{slot[0]}{min(int(slot[1]), 3)}"
    position = next(cutout["position"] for cutout in deck["locations"]["cutouts"] if cutout["id"] == name)
    corner = Coordinate(*deck["cornerOffsetFromOrigin"])
    return Coordinate(*position) - corner
