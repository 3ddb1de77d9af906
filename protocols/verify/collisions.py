"""Where a head that uses some of its nozzles cannot go: its body hangs over beside them.

The rules and figures are those of opentrons 9.0.0 (``protocol_api/core/engine/pipette_movement_conflict.py``, robot
definitions ``ot2.json`` and ``ot3.json``). The body's outline is a rectangle whose underside is level with the bare
nozzles. An empty module counts as high as the place where labware stands on it, and lids do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocols.instruction import Instruction
from protocols.labstate import LabState
from protocols.program import DropTips, PickUpTips, PipettingInstruction
from protocols.specs import PipetteSpec, SiteSpec
from protocols.verify.checks import Problem
from protocols.verify.reach import nozzle, place_on_deck

SLOT = (128.0, 86.0)
"""mm, (x, y), of a slot."""
TOUCH = 0.25
"""mm by which things must stand in each other to meet; assumption: labware is drawn to tenths of a mm."""
CHUTE = (328.0, 0.0, 124.5)
"""mm from a Flex's slot D1 to its waste chute's corner, and the chute's height (``ot3_standard``)."""
LID = (-43.25, 402.0, 128.75, 454.9, 211.91)
"""mm from a Flex's slot D1: left, front, right, back and top of a thermocycler's lid and its clips
(``FLEX_TC_LID_COLLISION_ZONE``)."""
FULL_HEAD = 96


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a head's body may go, mm.

    Attributes:
        corner: where the front left slot's corner is on the deck; the rest is measured from there.
        front, back: the body's back edge is never before the one, its front edge never behind the other.
        left, right: the same of its right and left edges; of heads of 96 alone.
    """

    corner: tuple[float, float]
    front: float
    back: float
    left: float
    right: float


REACH = {
    "OT-2": Reach(corner=(115.65, 68.03), front=31.89, back=347.5 - 35.91, left=0.0, right=446.75),
    "Flex": Reach(corner=(204.31, 76.59), front=51.8, back=493.8 - 169.42, left=31.88, right=477.2 - 80.32),
}
"""``extents`` and ``paddingOffsets`` of the robot definitions; corners: ``cornerOffsetFromOrigin`` of the decks."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box on the deck, mm; its underside does not matter."""

    left: float
    front: float
    right: float
    back: float
    top: float

    def over(self, body: Box) -> bool:
        """Whether ``body``, whose underside is its ``top``, would have to go through this box."""
        across = min(self.right, body.right) - max(self.left, body.left)
        along = min(self.back, body.back) - max(self.front, body.front)
        return across > 0.0 and along > 0.0 and self.top - body.top > TOUCH


def acting(state: LabState, pipette: PipetteSpec, instruction: PipettingInstruction) -> int:
    """How many nozzles of a head are in use: that hold tips, or are to take some."""
    if isinstance(instruction, PickUpTips):
        return len(instruction.channels)
    return sum(tip is not None for tip in state.channels.get(pipette.id, ()))


def collision_problems(
    state: LabState, pipette: PipetteSpec, instruction: PipettingInstruction, places: Sequence[str]
) -> Iterator[Problem]:
    """Why the body of ``pipette`` cannot be where ``instruction`` takes it; ``state`` is the state before it.

    Heads that use all their nozzles, or whose body is not known, are not judged.
    """
    reach = REACH.get(state.workcell.robot or "")
    if reach is None or not places or places[0].rpartition("/")[0] == state.workcell.trash:
        return
    if not 0 < acting(state, pipette, instruction) < pipette.channels:
        return
    body = body_at(state, pipette, instruction, places)
    if body is None:
        return
    far = _beyond(reach, pipette, body)
    if far > 0.0:
        message = f"with these nozzles '{pipette.id}' would have to go {far:.3g} mm further than it can"
        yield "P17", message, "use nozzles at its other end, or another slot", places[0]
    own = {place.rpartition("/")[0] for place in places}
    for name, box in obstacles(state, reach, own):
        if box.over(body):
            message = f"the body of '{pipette.id}' would hit {name}, {box.top - body.top:.3g} mm above its nozzles"
            yield "P16", message, "move one of the two away, or use nozzles at the other end", places[0]


def body_at(
    state: LabState, pipette: PipetteSpec, instruction: PipettingInstruction, places: Sequence[str]
) -> Box | None:
    """The body's outline, and the height of its bare nozzles as ``top``, where the nozzles do ``instruction``.

    Tips are pressed on and put back no lower than their rack's top; where a stroke's height is not known, it is taken
    to be at the rim.
    """
    spots = [place_on_deck(state, place) for place in places]
    found = [spot for spot in spots if spot is not None]
    if pipette.body is None or len(found) < len(instruction.channels) or len(spots) != len(instruction.channels):
        return None
    at = [nozzle(pipette, channel) for channel in instruction.channels]
    x = sum(spot[0] - pipette.pitch * column for spot, (column, _) in zip(found, at, strict=True)) / len(at)
    y = sum(spot[1] + pipette.pitch * row for spot, (_, row) in zip(found, at, strict=True)) / len(at)
    z = _nozzles_at(state, pipette, instruction, places[0], found[0][2])
    left, back, right, front = pipette.body
    return None if z is None else Box(x + left, y + front, x + right, y + back, z)


def _nozzles_at(
    state: LabState, pipette: PipetteSpec, instruction: PipettingInstruction, place: str, bottom: float
) -> float | None:
    labware = state.labware[place.rpartition("/")[0]]
    if isinstance(instruction, PickUpTips | DropTips):
        site = state.workcell.sites.get(labware.site)
        return None if site is None else site.z + labware.spec.size[2]
    well = state.wells.get(place)
    tip = next((tip for tip in state.channels.get(pipette.id, ()) if tip is not None), None)
    if well is None or tip is None:
        return None
    height = getattr(instruction, "height", None)
    above = well.cavity.shape.depth if height is None else height
    return None if above is None else bottom + above + tip.spec.length


def _beyond(reach: Reach, pipette: PipetteSpec, body: Box) -> float:
    """mm by which a body lies beyond where its head can go; 0 or less if it does not."""
    x, y = reach.corner
    beyond = [body.front - (y + reach.back), y + reach.front - body.back]
    if pipette.channels == FULL_HEAD:
        beyond += [body.left - (x + reach.right), x + reach.left - body.right]
    return max(beyond)


def obstacles(state: LabState, reach: Reach, own: set[str]) -> Iterator[tuple[str, Box]]:
    """What stands on the deck and may be higher than nozzles, beside labware ``own``, by its name for messages."""
    workcell, taken = state.workcell, set()
    for name, item in state.labware.items():
        site = workcell.sites.get(item.site)
        if site is not None:
            taken.add(site.id)
            if name not in own and (name != workcell.trash or workcell.robot == "OT-2"):
                yield f"'{name}'", _box(site, item.spec.size)
    for site in workcell.sites.values():
        if site.id in taken or (site.device is None and site.adapter is None):
            continue
        adapter = workcell.kinds.get(site.adapter or "")
        high = site.device is None and adapter is not None
        box = _box(site, (*SLOT, 0.0))
        top = adapter.size[2] if high and adapter is not None else site.z
        yield f"what stands on {site.id}", Box(box.left, box.front, box.right, box.back, top)
    x, y = reach.corner
    if workcell.chute:
        left, front, top = CHUTE
        yield "the waste chute", Box(x + left, y + front, x + left + SLOT[0], y + front + SLOT[1], top)
    if workcell.robot == "Flex" and any(device.kind == "thermocycler" for device in workcell.devices.values()):
        left, front, right, back, top = LID
        yield "the thermocycler's lid", Box(x + left, y + front, x + right, y + back, top)


def _box(site: SiteSpec, size: tuple[float, float, float]) -> Box:
    return Box(site.x, site.y, site.x + size[0], site.y + size[1], site.z + size[2])


def adapter_problems(state: LabState, pipette: PipetteSpec, instruction: Instruction) -> Iterator[Problem]:
    """Why a Flex's head of 96 cannot take tips from a rack as it stands.

    All 96 it pulls on with the help of the pins of an adapter; some of them it presses on, and would run into the pins.
    """
    if state.workcell.robot != "Flex" or pipette.channels != FULL_HEAD or not isinstance(instruction, PickUpTips):
        return
    rack = state.labware.get(instruction.spots[0].rpartition("/")[0])
    site = None if rack is None else state.workcell.sites.get(rack.site)
    if rack is None or site is None:
        return
    adapter = state.workcell.kinds.get(site.adapter or "")
    pins = adapter is not None and adapter.size[2] > rack.spec.size[2]
    if len(instruction.channels) < FULL_HEAD and pins:
        message = "the head would run into the adapter of this rack: it takes some of the tips only without it"
        yield "T10", message, "stand the rack on the deck itself", rack.name
    elif len(instruction.channels) == FULL_HEAD and not pins:
        message = "all 96 tips are taken at once only from a rack on a tip rack adapter"
        yield "T10", message, "stand the rack on a flex_96_tiprack_adapter", rack.name
