"""Strokes: what aspirating, dispensing, mixing and drawing air do to tips and wells.

``docs/explanations/semantics.md`` says what each does, step by step; the arguments are those of
:class:`protocols.labstate.LabState`'s methods of the same names. Volumes µL, heights mm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from protocols.effects import Effect, EffectKind
from protocols.liquids import LiquidClass
from protocols.mixtures import Mixture, blend
from protocols.tips import DUST, Tip, part
from protocols.vessels import Well, judge_end, judge_room

if TYPE_CHECKING:
    from protocols.labstate import LabState


def aspirate(
    state: LabState,
    pipette: str,
    channels: Sequence[int],
    wells: Sequence[str],
    volumes: Sequence[float],
    liquid_class: LiquidClass,
    height: float | None,
) -> Sequence[Effect]:
    """Draw from wells into tips; ``height`` of the tips' ends, ``None`` if unknown."""
    effects: list[Effect] = []
    if len(wells) > 1 and len(set(wells)) < len(wells):
        _draw_together(state, pipette, channels, wells, volumes, liquid_class, height, effects)
        return effects
    mounted = state.channels.get(pipette, ())
    known = state.wells
    film, transport_air = liquid_class.film, liquid_class.transport_air
    fixed = None if liquid_class.level_detection else height
    for channel, name, asked in zip(channels, wells, volumes, strict=False):
        tip = mounted[channel] if channel < len(mounted) else None
        well = known.get(name)
        if tip is None or well is None or well.labware.obstacle:
            effects.append(blocked(state, pipette, channel, name))
            continue
        reach = well.volume - well.cavity.out_of_reach(fixed)
        if reach <= DUST:
            reach = 0.0
        if well.settled_height is not None or fixed is not None:
            lowest = well.volume - min(asked, reach)
            judge_end(well, channel, tip, liquid_class, height, well.volume, lowest, effects)
        _prepare(tip, liquid_class)
        if reach and tip.wet is not None:
            _enter(well, channel, tip, film, effects)
        if 0.0 < asked <= reach and not tip.gap and tip.volume == 0.0:
            tip.volume = part(asked, well.volume)
            well.volume -= tip.volume
            tip.mixture = tip.wet = tip.given = well.mixture()
            tip.dispensed = False
            tip.transport_air = transport_air
            if asked + transport_air + tip.blow_out_air > tip.capacity:
                judge_room(tip, name, channel, effects)
        else:
            _draw(well, channel, tip, asked, min(asked, reach), liquid_class, effects)
    return effects


def _prepare(tip: Tip, liquid_class: LiquidClass) -> None:
    """Before a stroke inwards: transport air is let out; an empty tip takes in its blow-out air."""
    tip.film = liquid_class.film
    tip.transport_air = 0.0
    tip.forget_film(tip.film)
    if tip.volume <= tip.film + DUST and not tip.gap and not tip.deeper:
        tip.blow_out_air = liquid_class.blow_out


def _draw_together(
    state: LabState,
    pipette: str,
    channels: Sequence[int],
    wells: Sequence[str],
    volumes: Sequence[float],
    liquid_class: LiquidClass,
    height: float | None,
    effects: list[Effect],
) -> None:
    """Aspirate where several channels share a well: all enter, then share what can be reached."""
    fixed = None if liquid_class.level_detection else height
    shares = _shares(state, pipette, channels, wells, volumes, fixed, effects)
    for channel, tip, well, _, _, reach, lowest in shares:
        judge_end(well, channel, tip, liquid_class, height, well.volume, lowest, effects)
        _prepare(tip, liquid_class)
        if reach:
            _enter(well, channel, tip, liquid_class.film, effects)
    for channel, tip, well, asked, drawn, _, _ in shares:
        _draw(well, channel, tip, asked, drawn, liquid_class, effects)


class _Share(NamedTuple):
    """What one channel asks of a well and gets, where others may ask the same well.

    Attributes:
        reach: µL that can be reached of the well, by all channels together.
        lowest: µL in the well when all its channels have drawn.
    """

    channel: int
    tip: Tip
    well: Well
    asked: float
    drawn: float
    reach: float
    lowest: float


def _shares(
    state: LabState,
    pipette: str,
    channels: Sequence[int],
    wells: Sequence[str],
    volumes: Sequence[float],
    height: float | None,
    effects: list[Effect],
) -> list[_Share]:
    """The channels that can act, with what each draws: in proportion where they ask more than can be reached."""
    ready: list[tuple[int, Tip, Well, float]] = []
    wanted: dict[Well, float] = {}
    for channel, name, asked in zip(channels, wells, volumes, strict=False):
        tip, well = state.tip_on(pipette, channel), state.wells.get(name)
        if tip is None or well is None or well.labware.obstacle:
            effects.append(blocked(state, pipette, channel, name))
            continue
        ready.append((channel, tip, well, asked))
        wanted[well] = wanted.get(well, 0.0) + asked
    shares: list[_Share] = []
    for channel, tip, well, asked in ready:
        reach = well.volume - well.cavity.out_of_reach(height)
        if reach <= DUST:
            reach = 0.0
        together = wanted[well]
        drawn = asked if together <= reach else asked * reach / together
        shares.append(_Share(channel, tip, well, asked, drawn, reach, well.volume - min(together, reach)))
    return shares


def _enter(well: Well, channel: int, tip: Tip, film: float, effects: list[Effect]) -> None:
    """A wet tip's end goes into liquid: foreign liquid is noticed, a film's worth changes places."""
    inside = well.mixture()
    if tip.wet is None or tip.wet is inside:
        return
    foreign = inside.lacks(tip.wet)
    if foreign:
        kind: EffectKind = "foreign liquid" if _changes_places(well, tip, film) > DUST else "used tip"
        effects.append(Effect(kind=kind, place=well.reference, channel=channel, liquids=foreign))
    _exchange(well, tip, film)


def _changes_places(well: Well, tip: Tip, film: float) -> float:
    """µL of tip and well that change places where the tip's end is in the well's liquid."""
    return 0.0 if tip.gap > 0.0 else min(film, tip.volume, well.volume)


def _exchange(well: Well, tip: Tip, film: float) -> None:
    """Let a film's worth of the tip's and the well's liquid change places."""
    inside, outside = well.mixture(), tip.mixture
    swapped = _changes_places(well, tip, film)
    if swapped <= 0.0 or outside is None or outside is inside:
        return
    given, taken = part(swapped, tip.volume), part(swapped, well.volume)
    kept = tip.volume - given
    well.volume -= taken
    well.add(outside, given)
    tip.mixture = tip.wet = blend(inside, taken, outside, kept)
    tip.volume = kept + taken


def _draw(
    well: Well,
    channel: int,
    tip: Tip,
    asked: float,
    drawn: float,
    liquid_class: LiquidClass,
    effects: list[Effect],
) -> None:
    if drawn > 0.0:
        moved = part(drawn, well.volume)
        tip.take(well.mixture(), moved)
        well.volume -= moved
    missing = asked - drawn
    if missing > DUST:
        tip.gap += missing
        effects.append(Effect(kind="air drawn", place=well.reference, channel=channel, amount=missing))
    tip.transport_air = liquid_class.transport_air
    judge_room(tip, well.reference, channel, effects)


def dispense(
    state: LabState,
    pipette: str,
    channels: Sequence[int],
    wells: Sequence[str],
    volumes: Sequence[float],
    liquid_class: LiquidClass,
    height: float | None,
) -> Sequence[Effect]:
    """Push liquid out of tips into wells; arguments as for :meth:`aspirate`."""
    effects: list[Effect] = []
    mounted = state.channels.get(pipette, ())
    known = state.wells
    film = liquid_class.film
    fixed = None if liquid_class.level_detection else height
    touching, blow_out = not liquid_class.jet, liquid_class.blow_out
    for channel, name, asked in zip(channels, wells, volumes, strict=False):
        tip = mounted[channel] if channel < len(mounted) else None
        well = known.get(name)
        if tip is None or well is None or well.labware.obstacle:
            effects.append(blocked(state, pipette, channel, name))
            continue
        tip.film = film
        tip.transport_air = 0.0
        tip.dispensed = True
        before = well.volume
        if tip.gap or tip.deeper:
            short = asked - tip.column()
            _deliver(well, channel, tip, asked, film, effects)
        else:
            short, spare, held = asked - tip.volume, tip.volume - film, tip.mixture
            moved = asked if asked <= spare else spare
            if moved > 0.0 and held is not None:
                if held is not tip.given:
                    judge_given(well, channel, tip, held, moved, effects)
                well.add(held, moved)
                tip.volume -= moved
        if short > DUST:
            effects.append(Effect(kind="dispensed short", place=name, channel=channel, amount=short))
        if blow_out and tip.liquid() - film <= blow_out + DUST:
            _deliver(well, channel, tip, math.inf, film, effects)
            tip.blow_out_air = 0.0
        if well.volume > well.max_volume:
            run_over(state, well, channel, effects)
        if well.settled_height is not None or fixed is not None:
            judge_end(well, channel, tip, liquid_class, height, well.volume, before, effects)
        if touching and film and well.volume > 0.0 and not _hangs_above(well, fixed):
            _touch(well, channel, tip, film, effects)
        tip.forget_film(film)
    return effects


def _hangs_above(well: Well, height: float | None) -> bool:
    return height is not None and well.cavity.volume_below(height) > well.volume + DUST


def _deliver(well: Well, channel: int, tip: Tip, stroke: float, film: float, effects: list[Effect]) -> None:
    for mixture, volume in tip.push(stroke, film):
        judge_given(well, channel, tip, mixture, volume, effects)
        well.add(mixture, volume)


def judge_given(well: Well, channel: int, tip: Tip, mixture: Mixture, volume: float, effects: list[Effect]) -> None:
    """Note it if ``volume`` µL of ``mixture`` bring a liquid to a well that lacks it, and the tip was not given it."""
    if volume <= DUST or mixture is tip.given or well.labware.spec.category == "trash":
        return
    brought = well.mixture().lacks(mixture) if well.volume > 0.0 else mixture.liquids()
    foreign = tuple(liquid for liquid in brought if tip.given is None or not tip.given.holds(liquid))
    if foreign:
        effects.append(Effect(kind="foreign liquid", place=well.reference, channel=channel, liquids=foreign))


def run_over(state: LabState, well: Well, channel: int, effects: list[Effect]) -> None:
    """Spill what a well does not hold."""
    excess = well.volume - well.max_volume
    state.spilled.add(well.mixture(), excess)
    well.volume = well.max_volume
    if excess > DUST:
        effects.append(Effect(kind="overflow", place=well.reference, channel=channel, amount=excess))


def _touch(well: Well, channel: int, tip: Tip, film: float, effects: list[Effect]) -> None:
    """The tip's end is in the liquid it dispensed into: a film's worth changes places."""
    held = tip.mixture
    if held is None or tip.volume <= 0.0 or held is well.mixture():
        return
    if held is not tip.given:
        judge_given(well, channel, tip, held, _changes_places(well, tip, film), effects)
    _exchange(well, tip, film)


def mix(
    state: LabState,
    pipette: str,
    channels: Sequence[int],
    wells: Sequence[str],
    volumes: Sequence[float],
    liquid_class: LiquidClass,
    height: float | None,
) -> Sequence[Effect]:
    """Draw and return; afterwards tip and well hold one composition. Arguments as for :meth:`aspirate`."""
    effects: list[Effect] = []
    film = liquid_class.film
    fixed = None if liquid_class.level_detection else height
    shares = _shares(state, pipette, channels, wells, volumes, fixed, effects)
    before = [share.well.volume for share in shares]
    for (channel, tip, well, asked, drawn, _, lowest), highest in zip(shares, before, strict=True):
        judge_end(well, channel, tip, liquid_class, height, highest, lowest, effects)
        tip.film = film
        tip.transport_air = 0.0
        if asked - drawn > DUST:
            effects.append(Effect(kind="air drawn", place=well.reference, channel=channel, amount=asked - drawn))
        if tip.wet is not None and well.volume > DUST:
            _stir_in(well, channel, tip, well.volume - well.cavity.out_of_reach(fixed) > DUST, effects)
        clinging = max(0.0, film - tip.liquid())  # from the first cycle on
        judge_room(tip, well.reference, channel, effects, beside=asked - tip.air() + clinging)
        tip.stir(well, film)
    return effects


def _stir_in(well: Well, channel: int, tip: Tip, reached: bool, effects: list[Effect]) -> None:
    """A wet tip mixes: all that it holds comes to the well."""
    inside = well.mixture()
    held = [mixture for volume, mixture in tip.segments() if volume > DUST and mixture is not None]
    foreign = tuple(dict.fromkeys(liquid for mixture in held for liquid in inside.lacks(mixture)))
    if foreign:
        effects.append(Effect(kind="foreign liquid", place=well.reference, channel=channel, liquids=foreign))
    elif reached and tip.wet is not None and (wet := inside.lacks(tip.wet)):
        effects.append(Effect(kind="used tip", place=well.reference, channel=channel, liquids=wet))


def air_gap(state: LabState, pipette: str, channels: Sequence[int], volumes: Sequence[float]) -> Sequence[Effect]:
    """Draw air into tips."""
    effects: list[Effect] = []
    for channel, asked in zip(channels, volumes, strict=False):
        tip = state.tip_on(pipette, channel)
        if tip is None:
            effects.append(_without_tip(state, pipette, channel, pipette))
            continue
        tip.transport_air = 0.0
        tip.gap += asked
        judge_room(tip, pipette, channel, effects)
    return effects


def _without_tip(state: LabState, pipette: str, channel: int, place: str) -> Effect:
    if channel >= len(state.channels.get(pipette, ())):
        return Effect(kind="unknown channel", place=pipette, channel=channel)
    return Effect(kind="no tip", place=place, channel=channel)


def blocked(state: LabState, pipette: str, channel: int, well: str) -> Effect:
    """Why a channel cannot act in a well: it has no tip, or nothing lets it in."""
    if state.tip_on(pipette, channel) is None:
        return _without_tip(state, pipette, channel, well)
    found = state.wells.get(well)
    kind = None if found is None else found.labware.obstacle
    return Effect(kind=kind or "unknown well", place=well, channel=channel)
