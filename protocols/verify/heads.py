"""What a pipette whose channels move as one can do: one volume, one kind of tip, and all its tips at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocols.labstate import LabState
from protocols.program import DropTips, PickUpTips, PipettingInstruction
from protocols.specs import PipetteSpec
from protocols.verify.beside import stand_beside
from protocols.verify.checks import Problem
from protocols.verify.reach import nozzle, place_on_deck, rows_of

ON_THE_SPOT = 1.0
"""mm by which a nozzle may stand beside a tip and still pick it up; assumption: a third of the widest fitting."""
SAME_LEVEL = 5.0
"""mm by which one tip may stand lower than another and still be pressed onto a nozzle; assumption."""


def head_problems(state: LabState, pipette: PipetteSpec, instruction: PipettingInstruction) -> Iterator[Problem]:
    """Why a head that moves as one cannot do ``instruction``; ``state`` is the state before it.

    A head on the gantry of an OT-2 or a Flex can pick up tips with any rectangle of its nozzles. From then on all
    channels that hold tips act together. Other heads always act whole.
    """
    message = _wrong_channels(state, pipette, instruction)
    if message and (idle := _idle_beside(state, pipette, instruction)):
        message = ""
        yield (
            "P13",
            f"{idle} tips stand beside the labware: they draw air",
            "see that nothing is in their way",
            pipette.id,
        )
    if message:
        mend = "use a pipette of independent channels, or all of these channels"
        yield "D09", message, mend, pipette.id
    volumes = getattr(instruction, "volumes", ())
    if volumes and max(volumes) != min(volumes):
        yield "D09", "the nozzles move together and are asked for different volumes", "split it", pipette.id
    if isinstance(instruction, PickUpTips) and not message:
        unwanted = unwanted_tips(state, pipette, instruction.channels, instruction.spots)
        if unwanted:
            more = f" and {len(unwanted) - 1} more" if len(unwanted) > 1 else ""
            message = f"a nozzle that is not to take a tip stands over the one at {unwanted[0]}{more}"
            yield "T09", message, "start where no tips stand under the other nozzles", instruction.spots[0]


def _wrong_channels(state: LabState, pipette: PipetteSpec, instruction: PipettingInstruction) -> str | None:
    channels, every = instruction.channels, tuple(range(pipette.channels))
    mounted = tuple(channel for channel, tip in enumerate(state.channels.get(pipette.id, ())) if tip is not None)
    if isinstance(instruction, PickUpTips):
        if mounted and not set(mounted) & set(channels):
            return f"{len(mounted)} channels of '{pipette.id}' hold tips already"
        acting = every if pipette.mount is None else channels
        if channels == acting and _is_block(pipette, channels):
            return None
        if pipette.mount is not None:
            return f"these nozzles of '{pipette.id}' are no rectangle, in their order"
    else:
        acting = mounted if mounted and pipette.mount is not None else every
        if channels == acting or (not mounted and pipette.mount is not None):
            return None
    if acting == every:
        return f"all {pipette.channels} channels of '{pipette.id}' move together, in their order"
    verb = "are dropped" if isinstance(instruction, DropTips) else "act"
    return f"the {len(acting)} channels of '{pipette.id}' that hold tips move together; {len(channels)} of them {verb}"


def _idle_beside(state: LabState, pipette: PipetteSpec, instruction: PipettingInstruction) -> int:
    """How many empty tips stand beside the labware, where that is all that is odd about the channels; else 0."""
    wells = getattr(instruction, "wells", ())
    acting, mounted = set(instruction.channels), state.channels.get(pipette.id, ())
    others = [channel for channel, tip in enumerate(mounted) if tip is not None and channel not in acting]
    on = [channel for channel, tip in enumerate(mounted) if tip is not None and channel in acting]
    if pipette.mount is None or not wells or not others or tuple(on) != instruction.channels:
        return 0
    return len(others) if stand_beside(state, pipette, instruction.channels, wells, others) else 0


def _is_block(pipette: PipetteSpec, channels: Sequence[int]) -> bool:
    """Whether these nozzles are a full rectangle of the head's grid, down the columns."""
    places = [nozzle(pipette, channel) for channel in channels]
    (left, top), (right, bottom) = places[0], places[-1]
    return places == [(column, row) for column in range(left, right + 1) for row in range(top, bottom + 1)]


def unwanted_tips(
    state: LabState, pipette: PipetteSpec, channels: Sequence[int], spots: Sequence[str]
) -> tuple[str, ...]:
    """Tips that nozzles which are not to take any would take, in the racks around ``spots`` too."""
    origin = place_on_deck(state, spots[0])
    if origin is None or len(channels) == pipette.channels:
        return ()
    wanted, rows = set(channels), rows_of(pipette)
    column0, row0 = nozzle(pipette, channels[0])
    found = []
    for rack in state.labware.values():
        if rack.spec.tip is None:
            continue
        for position in rack.spec.wells:
            spot = f"{rack.name}/{position}"
            place = place_on_deck(state, spot)
            if place is None or abs(place[2] - origin[2]) > SAME_LEVEL:
                break
            column = column0 + (place[0] - origin[0]) / pipette.pitch
            row = row0 + (origin[1] - place[1]) / pipette.pitch
            channel = round(column) * rows + round(row)
            over = 0 <= round(row) < rows and 0 <= round(column) < pipette.channels // rows
            aside = pipette.pitch * max(abs(column - round(column)), abs(row - round(row)))
            if over and aside <= ON_THE_SPOT and channel not in wanted and state.spots.get(spot) is not None:
                found.append(spot)
    return tuple(found)
