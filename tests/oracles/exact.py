"""An interpreter of Programs in exact fractions: the independent oracle of ``protocols/labstate.py``.

Written from docs/explanations/semantics.md alone; it shares no code with LabState. It is slow, short and
literal on purpose: numbers in the comments are the steps of that page. Volumes µL, heights mm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from protocols.device_instructions import DeviceInstruction
from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from protocols.program import (
    AirGap,
    AnyInstruction,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    PipettingInstruction,
    Program,
    ReplaceTipRack,
    TouchTip,
    Wait,
)
from protocols.specs import PlacedLabware, WorkcellSpec
from tests.oracles.exact_devices import Modules
from tests.oracles.exact_judges import judge_given, judge_immersion, judge_room, judge_settled, judge_stirring
from tests.oracles.exact_moves import carry
from tests.oracles.exact_parts import (
    NOTHING,
    Amounts,
    ExactEffect,
    Segment,
    Tip,
    Use,
    Well,
    foreign,
    named,
    portion,
    pour,
    remove,
    take,
    total,
)

Stroke = Aspirate | Dispense | Mix | BlowOut | TouchTip
AT_A_HEIGHT = LiquidClass(name="at a height")


class ExactLab:
    """A laboratory whose amounts are exact fractions."""

    def __init__(self, workcell: WorkcellSpec, program: Program) -> None:
        self.workcell, self.program = workcell, program
        self.clock = Fraction(0)
        self.modules = Modules(workcell)
        self.sites: dict[str, str] = {}
        self.wells: dict[str, Well] = {}
        self.spots: dict[str, Tip | None] = {}
        self.channels: dict[tuple[str, int], Tip | None] = {
            (pipette.id, channel): None for pipette in workcell.pipettes.values() for channel in range(pipette.channels)
        }
        self.waste: Amounts = {}
        self.spilled: Amounts = {}
        self.placed: dict[str, PlacedLabware] = {**workcell.labware, **program.labware}
        for name, placed in self.placed.items():
            self._place(name, placed)
        for fill in (*workcell.contents, *program.contents):
            well = self.wells[fill.well]
            if fill.volume:
                pour(well.holds, {fill.liquid: Fraction(fill.volume)})
            if fill.settled is not None:
                well.settled_height = max(Fraction(fill.settled_height), well.settled_height or Fraction(0))

    def _place(self, name: str, placed: PlacedLabware) -> None:
        kind = self.workcell.kinds[placed.kind]
        self.sites[name] = placed.site
        for well, position in kind.wells.items():
            if kind.tip is not None:
                self.spots[f"{name}/{well}"] = Tip(kind.tip)
            else:
                self.wells[f"{name}/{well}"] = Well(kind.shapes[position.shape], kind.category == "trash")

    def amounts(self) -> Amounts:
        """Each liquid's amount in wells, tips, waste and spilled together."""
        amounts: Amounts = {}
        tips = (*self.spots.values(), *self.channels.values())
        held = [well.holds for well in self.wells.values()] + [tip.liquid() for tip in tips if tip is not None]
        for part in (*held, self.waste, self.spilled):
            pour(amounts, part)
        return amounts

    def apply(self, instruction: AnyInstruction, outcome: Outcome | None = None) -> list[ExactEffect]:
        """Do one instruction; its effects. The clock goes on by ``outcome.seconds``, for a wait by its own."""
        effects = list(self._do(*_that_acted(instruction, outcome)))
        if outcome is not None:
            self.clock += Fraction(outcome.seconds)
        elif isinstance(instruction, Wait):
            self.clock += Fraction(instruction.seconds)
        return effects

    def _do(self, step: AnyInstruction | None, outcome: Outcome | None) -> Iterator[ExactEffect]:
        if isinstance(step, Aspirate):
            yield from self._aspirate(step, self.program.liquid_classes[step.liquid_class], _volumes(step, outcome))
        elif isinstance(step, Dispense):
            yield from self._dispense(step, self.program.liquid_classes[step.liquid_class], _volumes(step, outcome))
        elif isinstance(step, Mix):
            yield from self._mix(step, self.program.liquid_classes[step.liquid_class], _volumes(step, outcome))
        elif isinstance(step, PickUpTips):
            for channel, spot in zip(step.channels, step.spots, strict=True):
                yield from self._pick_up(step.pipette, channel, spot)
        elif isinstance(step, DropTips):
            spots: Sequence[str | None] = step.spots or [None] * len(step.channels)
            for channel, target in zip(step.channels, spots, strict=True):
                yield from self._drop(step.pipette, channel, target)
        elif isinstance(step, AirGap):
            for channel, volume in zip(step.channels, _volumes(step, outcome), strict=True):
                yield from self._air_gap(step.pipette, channel, volume)
        elif isinstance(step, MoveLabware):
            yield from carry(self, step)
        elif isinstance(step, ReplaceTipRack):
            yield from self._replace(step.rack)
        elif isinstance(step, BlowOut | TouchTip):
            yield from self._clear(step)
        elif isinstance(step, DeviceInstruction):
            yield from self.modules.operate(step)

    # tips

    def _pick_up(self, pipette: str, channel: int, spot: str) -> Iterator[ExactEffect]:
        if (pipette, channel) not in self.channels:
            yield ExactEffect("unknown channel", pipette, channel)
        elif kept := self._keeps_out(spot):
            yield ExactEffect(kept, spot, channel)
        elif self.channels[pipette, channel] is not None:
            yield ExactEffect("channel has tip", spot, channel)
        elif (tip := self.spots.get(spot)) is None:
            yield ExactEffect("no tip at spot", spot, channel)
        elif tip.spec.fits not in self.workcell.pipettes[pipette].fits:
            yield ExactEffect("tip does not fit", spot, channel)
        else:
            self.channels[pipette, channel], self.spots[spot] = tip, None

    def _drop(self, pipette: str, channel: int, spot: str | None) -> Iterator[ExactEffect]:
        place = self.workcell.trash if spot is None else spot
        if (pipette, channel) not in self.channels:
            yield ExactEffect("unknown channel", pipette, channel)
        elif (tip := self.channels[pipette, channel]) is None:
            yield ExactEffect("no tip", place, channel)
        elif spot is None:
            self.channels[pipette, channel] = None
            pour(self.waste, tip.liquid())
            if (above := total(tip.liquid()) - tip.film) > NOTHING:
                yield ExactEffect("liquid discarded", place, channel, above)
        elif kept := self._keeps_out(spot):
            yield ExactEffect(kept, place, channel)
        elif spot not in self.spots:
            yield ExactEffect("unknown well", place, channel)
        elif self.spots[spot] is not None:
            yield ExactEffect("spot occupied", place, channel)
        else:
            tip.vent()
            self.channels[pipette, channel], self.spots[spot] = None, tip

    def _air_gap(self, pipette: str, channel: int, volume: Fraction) -> Iterator[ExactEffect]:
        if (pipette, channel) not in self.channels:
            yield ExactEffect("unknown channel", pipette, channel)
        elif (tip := self.channels[pipette, channel]) is None:
            yield ExactEffect("no tip", pipette, channel)
        else:
            tip.transport_air = Fraction(0)
            tip.draw_air(volume)
            yield from judge_room(tip, pipette, channel)

    # labware

    def _replace(self, rack: str) -> Iterator[ExactEffect]:
        tip = self.workcell.kinds[self.placed[rack].kind].tip if rack in self.placed else None
        if tip is None:
            yield ExactEffect("unknown labware", rack)
            return
        for spot in [spot for spot in self.spots if spot.rpartition("/")[0] == rack]:
            old = self.spots[spot]
            pour(self.waste, old.liquid() if old is not None else {})
            self.spots[spot] = Tip(tip)

    # strokes

    def _keeps_out(self, place: str) -> str | None:
        """What keeps pipettes from the labware of ``place``."""
        name = place.rpartition("/")[0]
        if name not in self.placed:
            return None
        rack = self.workcell.kinds[self.placed[name].kind].tip is not None
        return self.modules.keeps_out(self.sites[name], lid=self.placed[name].lid, rack=rack)

    def _uses(self, step: Stroke, volumes: list[Fraction], uses: list[Use]) -> Iterator[ExactEffect]:
        """Step 1: put the channels that can act into ``uses``; the effects of those that cannot."""
        for channel, place, volume in zip(step.channels, step.wells, volumes, strict=True):
            if (step.pipette, channel) not in self.channels:
                yield ExactEffect("unknown channel", step.pipette, channel)
            elif (tip := self.channels[step.pipette, channel]) is None:
                yield ExactEffect("no tip", place, channel)
            elif place not in self.wells:
                yield ExactEffect("unknown well", place, channel)
            elif kept := self._keeps_out(place):
                yield ExactEffect(kept, place, channel)
            else:
                if not isinstance(step, BlowOut | TouchTip):
                    tip.film, tip.transport_air = (
                        Fraction(self.program.liquid_classes[step.liquid_class].film),
                        Fraction(0),
                    )
                uses.append(Use(channel, tip, place, self.wells[place], volume))

    def _aspirate(self, step: Aspirate, kind: LiquidClass, volumes: list[Fraction]) -> Iterator[ExactEffect]:
        uses: list[Use] = []
        yield from self._uses(step, volumes, uses)
        height, film = _height(step, kind), Fraction(kind.film)
        reached = _reached(uses, height)
        for use in uses:
            yield from judge_immersion(use, height, use.well.surface())
            _forget_film(use.tip, film)
            if not use.tip.air() and total(use.tip.liquid()) <= film + NOTHING:  # 2
                use.tip.blow_out = Fraction(kind.blow_out)
            if _reach(use.well, height):  # 5
                if names := foreign(use.tip.wet or {}, use.well.holds):
                    comes_in = _exchanged(use, film) > NOTHING
                    kind_of = "foreign liquid" if comes_in else "used tip"
                    yield ExactEffect(kind_of, use.place, use.channel, Fraction(0), names)
                _exchange(use, film)
        mixtures = {use.place: dict(use.well.holds) for use in uses}
        for use, drawn in zip(uses, reached, strict=True):
            liquid = portion(mixtures[use.place], drawn)  # 6
            remove(use.well.holds, liquid)
            use.tip.draw(liquid)
            if liquid:
                before = frozenset() if use.tip.dispensed else use.tip.given
                use.tip.given, use.tip.dispensed = before | named(liquid), False
            if use.volume - drawn > NOTHING:  # 7
                use.tip.draw_air(use.volume - drawn)
                yield ExactEffect("air drawn", use.place, use.channel, use.volume - drawn)
            use.tip.transport_air = Fraction(kind.transport_air)  # 8
            yield from judge_room(use.tip, use.place, use.channel)  # 9
        for use in uses:
            yield from judge_settled(use, height, kind, use.well.surface())

    def _dispense(self, step: Dispense, kind: LiquidClass, volumes: list[Fraction]) -> Iterator[ExactEffect]:
        uses: list[Use] = []
        yield from self._uses(step, volumes, uses)
        height, film = _height(step, kind), Fraction(kind.film)
        for use in uses:
            yield from judge_settled(use, height, kind, use.well.surface())
            held = total(use.tip.liquid()) + use.tip.air()
            use.tip.dispensed = True
            delivered = use.tip.push(use.volume, film)  # 2
            if use.volume - held > NOTHING:
                yield ExactEffect("dispensed short", use.place, use.channel, use.volume - held)
            left = total(use.tip.liquid()) - film
            if kind.blow_out and left <= Fraction(kind.blow_out) + NOTHING:  # 3
                delivered += use.tip.push(held, film)
                use.tip.blow_out = Fraction(0)
            for part in delivered:  # 4
                yield from judge_given(use, part, total(part))
                pour(use.well.holds, part)
            yield from self._run_over(use)
            surface = use.well.surface()
            yield from judge_immersion(use, height, surface)
            above = height is not None and surface is not None and height > surface + NOTHING
            if not kind.jet and not above and total(use.well.holds) > NOTHING:  # 5
                yield from judge_given(use, use.tip.orifice(), _exchanged(use, film))
                _exchange(use, film)
            _forget_film(use.tip, film)

    def _mix(self, step: Mix, kind: LiquidClass, volumes: list[Fraction]) -> Iterator[ExactEffect]:
        uses: list[Use] = []
        yield from self._uses(step, volumes, uses)
        height, film = _height(step, kind), Fraction(kind.film)
        reached = _reached(uses, height)
        for use in uses:
            yield from judge_immersion(use, height, use.well.surface())
            yield from judge_settled(use, height, kind, use.well.surface(less=_asked(use, uses, reached)))
        for use, drawn in zip(uses, reached, strict=True):
            if use.volume - drawn > NOTHING:
                yield ExactEffect("air drawn", use.place, use.channel, use.volume - drawn)
            if total(use.well.holds) > NOTHING:
                yield from judge_stirring(use, reached=_reach(use.well, height) > 0)
            had = use.tip.liquid()
            use.tip.column = [Segment(had)]
            yield from judge_room(use.tip, use.place, use.channel, use.volume + max(film - total(had), Fraction(0)))
            pour(use.well.holds, had)
            use.tip.column = []
            use.tip.pass_by(use.well.holds)
            use.tip.draw(take(use.well.holds, min(max(total(had), film), total(use.well.holds))))
            _forget_film(use.tip, film)
            use.tip.given = named(use.tip.orifice()) if use.tip.given else frozenset()

    def _clear(self, step: BlowOut | TouchTip) -> Iterator[ExactEffect]:
        uses: list[Use] = []
        yield from self._uses(step, [Fraction(0)] * len(step.channels), uses)
        height = None if step.height is None else Fraction(step.height)
        for use in uses:
            yield from judge_settled(use, height, AT_A_HEIGHT, None)
            if isinstance(step, BlowOut):
                for part in (segment.liquid for segment in reversed(use.tip.column) if segment.liquid):
                    yield from judge_given(use, part, total(part))
                    use.tip.pass_by(part)
                    pour(use.well.holds, part)
                use.tip.column, use.tip.given = [], frozenset()
                use.tip.transport_air = use.tip.blow_out = Fraction(0)
                yield from self._run_over(use)
            yield from judge_immersion(use, height, use.well.surface())

    def _run_over(self, use: Use) -> Iterator[ExactEffect]:
        excess = total(use.well.holds) - Fraction(use.well.shape.max_volume)
        if excess > NOTHING:
            pour(self.spilled, take(use.well.holds, excess))
            yield ExactEffect("overflow", use.place, use.channel, excess)


def _that_acted(step: AnyInstruction, outcome: Outcome | None) -> tuple[AnyInstruction | None, Outcome | None]:
    """What still happened of an instruction that failed: nothing on the channels named in its faults."""
    if outcome is None or outcome.status != "failed":
        return step, outcome
    if not isinstance(step, PipettingInstruction):
        return None, outcome
    failed = {fault.channel for fault in outcome.faults}
    kept = [] if None in failed else [at for at, channel in enumerate(step.channels) if channel not in failed]
    lists: dict[str, Any] = {
        name: tuple(values[at] for at in kept)
        for name in ("channels", "wells", "volumes", "spots")
        if (values := getattr(step, name, None)) is not None
    }
    return (replace(step, **lists) if kept else None), outcome


def _volumes(step: AirGap | Aspirate | Dispense | Mix, outcome: Outcome | None) -> list[Fraction]:
    reported = None if outcome is None else outcome.volumes
    return [Fraction(volume) for volume in (step.volumes if reported is None else reported)]


def _height(step: Aspirate | Dispense | Mix, kind: LiquidClass) -> Fraction | None:
    """The known height of the tip's end."""
    return None if step.height is None or kind.level_detection else Fraction(step.height)


def _reach(well: Well, height: Fraction | None) -> Fraction:
    """Step 3: what can be reached of a well."""
    below = None if height is None else well.below(height)
    unreached = max(Fraction(well.shape.dead_volume or 0), below or Fraction(0))
    reach = total(well.holds) - unreached
    return reach if reach > NOTHING else Fraction(0)


def _asked(use: Use, uses: list[Use], volumes: list[Fraction]) -> Fraction:
    """The part of ``volumes`` that concerns the well of ``use``."""
    return sum((volume for other, volume in zip(uses, volumes, strict=True) if other.well is use.well), Fraction(0))


def _reached(uses: list[Use], height: Fraction | None) -> list[Fraction]:
    """Steps 3 and 4: what each channel draws; where they ask for more than there is, in proportion."""
    drawn = []
    for use in uses:
        asked, reach = _asked(use, uses, [use.volume for use in uses]), _reach(use.well, height)
        drawn.append(use.volume if asked <= reach else use.volume * reach / asked)
    return drawn


def _exchanged(use: Use, film: Fraction) -> Fraction:
    """How much changes places between tip and well."""
    return min(film, total(use.tip.orifice()), total(use.well.holds))


def _exchange(use: Use, film: Fraction) -> None:
    """Let tip and well change places in what the film holds."""
    orifice, volume = use.tip.orifice(), _exchanged(use, film)
    to_well, to_tip = take(orifice, volume), take(use.well.holds, volume)
    pour(use.well.holds, to_well)
    pour(orifice, to_tip)
    use.tip.pass_by(orifice)


def _forget_film(tip: Tip, film: Fraction) -> None:
    """A tip with no more than a film in it was given nothing."""
    if total(tip.liquid()) <= film + NOTHING:
        tip.given = frozenset()
