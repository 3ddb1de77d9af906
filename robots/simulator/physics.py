"""What an act does in the simulated lab: first what will really move, then moving it, then what the device sees of it.

The truth is a :class:`protocols.labstate.LabState` and what the arm holds. Noise and faults are decided outside of
LabState; it is passed the amounts that really move.

What devices see, and how they answer:

- A channel feels whether it holds a tip, so it knows when a pick-up failed, and does not begin a stroke without one.
- With level detection it feels for the surface before the stroke, and finds none in an empty well.
- It follows the pressure in the tip during a stroke, and so notices a clog. A stroke that is merely short it may
  notice or not, as the plan says. Air that is drawn without level detection it does not notice.
- The gripper feels whether it holds something. Putting labware where other labware stands stalls the arm, and so does
  taking it from under a closed latch or lid.
- A device on the deck knows its set-points, its latch and its lid, and refuses what it cannot do.

Channels are judged one by one: what fails on one does not keep the others from moving.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.device_instructions import DeviceInstruction
from protocols.effects import Effect, EffectKind
from protocols.labstate import LabState
from protocols.liquids import Amount, Record
from protocols.outcomes import Fault, FaultKind, Outcome
from protocols.specs import WorkcellSpec
from robots.simulator.commands import (
    AirGap,
    Aspirate,
    BlowOut,
    Carry,
    Command,
    Dispense,
    DropTips,
    Grip,
    Mix,
    PickUpTips,
    Release,
    ReplaceTipRack,
    Stroke,
    TouchTip,
    as_instruction,
)
from robots.simulator.device_commands import DeviceCommand
from robots.simulator.faults import Strike
from robots.simulator.noise import Noise, moved_volume

NO_LIQUID = 1e-9
"""µL below which a well has no surface to find."""

COLLISIONS: frozenset[EffectKind] = frozenset(
    {
        "channel has tip",
        "spot occupied",
        "lid in the way",
        "site occupied",
        "site unsuitable",
        "immersed too deep",
        "thermocycler closed",
        "latch not open",
        "device shakes",
        "tips in the way",
    }
)
"""Effects in which something solid met something solid, or a pipette got wet."""

_SEEN: dict[EffectKind, tuple[FaultKind, str]] = {
    "unknown well": ("refused", "there is no such position"),
    "unknown labware": ("refused", "there is no such labware"),
    "unknown site": ("refused", "there is no such site"),
    "unknown channel": ("refused", "there is no such channel"),
    "no tip": ("refused", "the channel has no tip"),
    "no tip at spot": ("missing tip", "no tip was felt on the channel after the pick-up"),
    "channel has tip": ("refused", "the channel already has a tip"),
    "tip does not fit": ("refused", "the tip does not fit the channel and stayed in its rack"),
    "spot occupied": ("refused", "the tip met another one and stayed on the channel"),
    "lid in the way": ("refused", "the channel met something solid above the well: is the lid on?"),
    "site occupied": ("gripper failed", "the arm stalled: something stands at the site"),
    "site unsuitable": ("gripper failed", "the arm cannot put this labware there"),
    "latch not open": ("gripper failed", "the arm stalled: the latch holds the labware"),
    "latch not closed": ("refused", "the latch is not closed"),
    "device shakes": ("refused", "it shakes"),
    "thermocycler closed": ("refused", "the lid is closed"),
    "set-point refused": ("refused", "the set-point is outside of what the device can do"),
    "no set-point": ("refused", "no temperature was set"),
    "device cannot": ("refused", "there is no such device here, or it cannot do this"),
    "out of reach": ("refused", "no pipette reaches it"),
    "tips in the way": ("gripper failed", "the arm stalled: the tips on the pipette met the labware"),
}
"""Effects that a device feels, and what it says of them."""


class Truth:
    """What is so in the simulated lab.

    Attributes:
        state: what is where.
        hand: the labware that the arm holds, lifted off its site.
    """

    def __init__(self, state: LabState, hand: str | None = None) -> None:
        self.state = state
        self.hand = hand

    def snapshot(self) -> dict[str, Any]:
        """The truth as plain JSON."""
        return {"state": self.state.snapshot(), "hand": self.hand}

    @classmethod
    def restore(cls, workcell: WorkcellSpec, snapshot: dict[str, Any]) -> Truth:
        """The truth that :meth:`snapshot` wrote.

        Raises:
            RecordError: it does not fit the workcell.
        """
        return cls(LabState.restore(workcell, snapshot["state"]), snapshot["hand"])


class Actual(Record):
    """What really moves in an act.

    Attributes:
        channels: those of the command on which something moves.
        volumes: µL on each of ``channels``: moved in a stroke, held in a tip that is dropped.
        emptied: spots at which there is no tip after all.
        moves: whether an act without channels is done.
    """

    channels: tuple[int, ...] = ()
    volumes: tuple[Amount, ...] | None = None
    emptied: tuple[str, ...] = ()
    moves: bool = True


class Decision(Record):
    """What is going to happen, before it happens: what moves, what the device notices, what it measures.

    Attributes:
        noticed: faults that the device sees while it acts.
        measured: µL by channel where it is not what was asked.
    """

    actual: Actual
    noticed: tuple[Fault, ...] = ()
    measured: dict[int, float] = {}


def decide(truth: Truth, command: Command, act_id: str, noise: Noise, seed: int, strikes: Sequence[Strike]) -> Decision:
    """What will really happen when ``command`` is carried out: noise, faults, and what sensors find beforehand."""
    match command:
        case PickUpTips():
            gone = {channel for strike in strikes for channel in strike.channels if strike.fault.kind == "missing tip"}
            spots = tuple(
                spot for channel, spot in zip(command.channels, command.spots, strict=True) if channel in gone
            )
            return Decision(actual=Actual(channels=command.channels, emptied=spots))
        case Aspirate() | Dispense() | Mix():
            return _decide_stroke(truth.state, command, act_id, noise, seed, strikes)
        case AirGap():
            return Decision(actual=Actual(channels=command.channels, volumes=command.volumes))
        case BlowOut() | TouchTip():
            return Decision(actual=Actual(channels=command.channels))
        case DropTips():
            held = tuple(truth.state.tip_volume(command.pipette, channel) for channel in command.channels)
            return Decision(actual=Actual(channels=command.channels, volumes=held))
        case Grip() | Release():
            return _decide_arm(truth, command, strikes)
    if any(strike.fault.kind == "refused" for strike in strikes):
        fault = Fault(kind="refused", place=getattr(command, "device", ""), message="it reports a fault of its own")
        return Decision(actual=Actual(moves=False), noticed=(fault,))
    return Decision(actual=Actual())


def _decide_arm(truth: Truth, command: Grip | Release, strikes: Sequence[Strike]) -> Decision:
    message = ""
    if isinstance(command, Grip):
        if truth.hand is not None:
            message = f"the gripper holds '{truth.hand}' already"
        elif any(strike.fault.kind == "gripper failed" for strike in strikes):
            message = "the gripper closed and held nothing"
    elif truth.hand != command.labware:
        message = f"the gripper holds {truth.hand or 'nothing'}"
    if not message:
        return Decision(actual=Actual())
    fault = Fault(kind="gripper failed", place=command.labware, message=message)
    return Decision(actual=Actual(moves=False), noticed=(fault,))


def _decide_stroke(
    state: LabState, command: Stroke, act_id: str, noise: Noise, seed: int, strikes: Sequence[Strike]
) -> Decision:
    noticed: list[Fault] = []
    measured: dict[int, float] = {}
    moving: dict[int, float] = {}
    struck = {channel: strike.fault for strike in reversed(strikes) for channel in strike.channels}
    for channel, well, asked in zip(command.channels, command.wells, command.volumes, strict=True):
        fault = struck.get(channel)
        kind = fault.kind if fault else None
        if kind == "level not found" or _finds_no_surface(state, command, channel, well):
            message = "no liquid surface was found in the well"
            noticed.append(Fault(kind="level not found", channel=channel, place=well, message=message))
            measured[channel] = 0.0
            continue
        if kind == "clog":
            message = "the pressure in the tip left its bounds: it is clogged, and nothing moved"
            noticed.append(Fault(kind="clog", channel=channel, place=well, message=message))
            measured[channel] = 0.0
            continue
        moving[channel] = _moved(state, command, channel, asked, act_id, noise, seed)
        if fault is not None and kind == "short aspirate":
            moving[channel] *= fault.fraction
            if fault.noticed:
                measured[channel] = moving[channel]
                message = f"{moving[channel]:.4g} µL of {asked:.4g} µL were drawn"
                noticed.append(Fault(kind="short aspirate", channel=channel, place=well, message=message))
    actual = Actual(channels=tuple(moving), volumes=tuple(moving.values()))
    return Decision(actual=actual, noticed=tuple(noticed), measured=measured)


def _finds_no_surface(state: LabState, command: Stroke, channel: int, well: str) -> bool:
    if isinstance(command, Dispense) or not command.liquid_class.level_detection:
        return False
    found = state.wells.get(well)
    reached = found is not None and not found.labware.lid and state.has_tip(command.pipette, channel)
    return reached and found is not None and found.volume <= NO_LIQUID


def _moved(state: LabState, command: Stroke, channel: int, asked: float, act_id: str, noise: Noise, seed: int) -> float:
    tip = state.tip_on(command.pipette, channel)
    pipette = state.workcell.pipettes.get(command.pipette)
    if tip is None or pipette is None or isinstance(command, Mix):
        return asked  # nothing moves, or what moves returns: the amounts do not depend on the stroke
    return moved_volume(
        noise,
        seed,
        act_id,
        command.pipette,
        channel,
        tip.spec.kind,
        tip.capacity,
        asked,
        shared_drive=pipette.channels > 1 and not pipette.independent,
    )


def enact(truth: Truth, command: Command, actual: Actual) -> Sequence[Effect]:
    """Move what really moves; the effects of it. The clock is not touched."""
    state = truth.state
    match command:
        case PickUpTips():
            for spot in actual.emptied:
                if spot in state.spots:
                    state.spots[spot] = None
            return state.pick_up_tips(command.pipette, command.channels, command.spots)
        case DropTips():
            return state.drop_tips(command.pipette, command.channels, command.spots)
        case Aspirate() | Dispense() | Mix():
            return _enact_stroke(state, command, actual)
        case AirGap():
            return state.air_gap(command.pipette, actual.channels, actual.volumes or ())
        case BlowOut():
            return state.blow_out(command.pipette, command.channels, command.wells, command.height)
        case TouchTip():
            return state.touch_tip(command.pipette, command.channels, command.wells, command.height)
        case Carry():
            return state.move_labware(command.labware, command.site, by="person")
        case Grip() | Release():
            return _enact_arm(truth, command, actual)
        case ReplaceTipRack():
            return state.replace_tip_rack(command.rack)
        case _ if isinstance(command, DeviceCommand) and actual.moves:
            instruction, _ = as_instruction(command)
            assert isinstance(instruction, DeviceInstruction)
            return state.operate(instruction)
    return ()


def _enact_stroke(state: LabState, command: Stroke, actual: Actual) -> Sequence[Effect]:
    if not actual.channels:
        return ()
    wells = dict(zip(command.channels, command.wells, strict=True))
    stroke = getattr(state, command.kind)
    effects: Sequence[Effect] = stroke(
        command.pipette,
        actual.channels,
        tuple(wells[channel] for channel in actual.channels),
        actual.volumes,
        command.liquid_class,
        command.height,
    )
    return effects


def _enact_arm(truth: Truth, command: Grip | Release, actual: Actual) -> Sequence[Effect]:
    if not actual.moves:
        return ()
    if isinstance(command, Grip):
        if command.labware not in truth.state.labware:
            return (Effect(kind="unknown labware", place=command.labware),)
        truth.hand = command.labware
        return ()
    effects = truth.state.move_labware(command.labware, command.site)
    if not effects:
        truth.hand = None
    return effects


def report(truth: Truth, command: Command, decision: Decision, effects: Sequence[Effect], seconds: float) -> Outcome:
    """What the device says of an act that took ``seconds``: as much as it noticed, no more."""
    faults = list(decision.noticed)
    measured = dict(decision.measured)
    for effect in effects:
        if effect.kind in _SEEN:
            kind, message = _SEEN[effect.kind]
            if isinstance(command, Carry) and kind == "gripper failed":
                kind, message = "refused", "a person cannot put it there"
            faults.append(Fault(kind=kind, channel=effect.channel, place=effect.place, message=message))
            if effect.channel is not None:
                measured[effect.channel] = 0.0
    tips: tuple[bool, ...] | None = None
    volumes: tuple[float, ...] | None = None
    if isinstance(command, PickUpTips | DropTips):
        tips = tuple(truth.state.has_tip(command.pipette, channel) for channel in command.channels)
    elif faults and isinstance(command, Aspirate | Dispense | Mix | AirGap):
        asked = dict(zip(command.channels, command.volumes, strict=True))
        volumes = tuple(measured.get(channel, asked[channel]) for channel in command.channels)
    short = any(fault.kind == "short aspirate" for fault in faults)
    return Outcome(
        status="done" if not faults else "partial" if short else "failed",
        volumes=volumes,
        tips=tips,
        faults=tuple(faults),
        seconds=seconds,
    )
