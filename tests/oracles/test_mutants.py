"""The oracles notice it when a primitive is wrong: in sign, amount, channel, order, place, air, film, dead volume.

Each mutant is LabState with one fault. The check knows the hand tables and, for a fixed set of made-up programs, what
the exact interpreter gives; neither uses LabState.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, NamedTuple

import pytest

from protocols.effects import Effect
from protocols.fold import apply
from protocols.labstate import Effects, LabState
from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from protocols.program import Program
from protocols.specs import WellShape, WorkcellSpec
from tests.oracles.exact import ExactLab
from tests.oracles.exact_parts import ExactEffect
from tests.oracles.pictures import Picture, differences, effect_differences, exactly, picture
from tests.oracles.programs import BENCH, story
from tests.oracles.tables import hand_tables

Lab = type[LabState]

PRIMITIVES = frozenset(
    {
        *("pick_up_tips", "drop_tips", "aspirate", "dispense", "mix", "air_gap"),
        *("blow_out", "touch_tip", "move_labware", "operate", "replace_tip_rack", "advance_time"),
    }
)

# -- the check ------------------------------------------------------------------------------------------


class Known(NamedTuple):
    """A program of which it is known what comes of it; ``shown`` picks what is known out of a picture."""

    program: Program
    outcomes: Sequence[Outcome | None]
    expected: Picture
    effects: Sequence[ExactEffect]
    shown: Callable[[Picture], Picture]


@cache
def known() -> tuple[Known, ...]:
    """The hand tables, then made-up programs with what the exact interpreter gives."""
    by_hand = [Known(t.program, t.outcomes, t.expected, t.effects, t.shown) for t in hand_tables()]
    return (*by_hand, *(_made_up(Random(seed)) for seed in range(60)))


def _made_up(random: Random) -> Known:
    program, outcomes = story(random)
    exact = ExactLab(BENCH, program)
    told = zip(program.instructions, outcomes, strict=True)
    effects = [effect for step, outcome in told for effect in exact.apply(step, outcome)]
    return Known(program, outcomes, picture(exact), effects, lambda seen: seen)


def mistakes(lab: Lab) -> Iterator[str]:
    """Where ``lab`` departs from what is known."""
    for program, outcomes, expected, effects, shown in known():
        state = lab.start(BENCH, program)
        told = zip(program.instructions, outcomes, strict=True)
        happened = [effect for step, outcome in told for effect in apply(state, program, step, outcome)]
        yield from differences(expected, shown(picture(state)))
        yield from effect_differences(effects, exactly(happened))


# -- the mutants ----------------------------------------------------------------------------------------


class Stroke(NamedTuple):
    """The arguments of aspirate, dispense and mix."""

    pipette: str
    channels: Sequence[int]
    wells: Sequence[str]
    volumes: Sequence[float]
    liquid_class: LiquidClass
    height: float | None


class Hands(NamedTuple):
    """The arguments of picking up and dropping tips."""

    pipette: str
    channels: Sequence[int]
    spots: Sequence[str] | None


class Ends(NamedTuple):
    """The arguments of blowing out and touching."""

    pipette: str
    channels: Sequence[int]
    wells: Sequence[str]
    height: float | None


class Air(NamedTuple):
    """The arguments of an air gap."""

    pipette: str
    channels: Sequence[int]
    volumes: Sequence[float]


def replacing(primitive: str, method: Callable[..., Effects]) -> Lab:
    """LabState with another ``primitive``."""
    return type("Mutant", (LabState,), {primitive: method})


def altered(primitive: str, arguments: Callable[..., Any], change: Callable[[Any], Any]) -> Lab:
    """LabState that does ``primitive`` with changed arguments."""
    original = getattr(LabState, primitive)
    return replacing(primitive, lambda state, *given: original(state, *change(arguments(*given))))


def furnished(change: Callable[[WellShape], WellShape]) -> Lab:
    """LabState that takes every well for one of another shape."""
    return starting(lambda workcell: workcell.model_copy(update={"kinds": _shaped(workcell, change)}))


def _shaped(workcell: WorkcellSpec, change: Callable[[WellShape], WellShape]) -> dict[str, Any]:
    return {
        name: kind.model_copy(update={"shapes": {key: change(shape) for key, shape in kind.shapes.items()}})
        for name, kind in workcell.kinds.items()
    }


def starting(change: Callable[[WorkcellSpec], WorkcellSpec]) -> Lab:
    """LabState that takes the workcell for another one."""

    class Mutant(LabState):
        @classmethod
        def start(cls, workcell: WorkcellSpec, program: Program | None = None) -> LabState:
            return super().start(change(workcell), program)

    return Mutant


def scaled(factor: float) -> Callable[[Any], Any]:
    return lambda given: given._replace(volumes=[volume * factor for volume in given.volumes])


def reversed_in(name: str) -> Callable[[Any], Any]:
    def change(given: Any) -> Any:
        values = getattr(given, name)
        return given if values is None else given._replace(**{name: list(reversed(values))})

    return change


def other_order(given: Any) -> Any:
    """Each channel does what it should, but the last one goes first."""
    lists = ("channels", "wells", "volumes", "spots")
    return given._replace(
        **{name: list(reversed(values)) for name in lists if (values := getattr(given, name, None)) is not None}
    )


def shifted(given: Any) -> Any:
    """Each channel does what its neighbour should."""
    count = BENCH.pipettes[given.pipette].channels if given.pipette in BENCH.pipettes else 1
    return given._replace(
        channels=[(channel + 1) % count if channel < count else channel for channel in given.channels]
    )


def to_neighbours(given: Stroke) -> Stroke:
    """Row A for row B and the other way round."""
    swap = str.maketrans("AB", "BA")
    return given._replace(wells=[f"{w.rpartition('/')[0]}/{w.rpartition('/')[2].translate(swap)}" for w in given.wells])


def one_for_all(given: Stroke) -> Stroke:
    return given._replace(volumes=[given.volumes[0]] * len(given.volumes))


def of_class(**fields: Any) -> Callable[[Stroke], Stroke]:
    return lambda given: given._replace(liquid_class=given.liquid_class.model_copy(update=fields))


def without_height(given: Any) -> Any:
    return given._replace(height=None)


def higher(given: Stroke) -> Stroke:
    return given._replace(height=None if given.height is None else given.height + 1)


def nothing(state: LabState, *given: Any) -> Effects:
    return ()


def silent(primitive: str) -> Lab:
    """LabState that does ``primitive`` and keeps its effects to itself."""
    original = getattr(LabState, primitive)

    def method(state: LabState, *given: Any) -> Effects:
        original(state, *given)
        return ()

    return replacing(primitive, method)


def one_by_one(primitive: str) -> Lab:
    """LabState whose channels do ``primitive`` one after another instead of at the same moment."""
    original = getattr(LabState, primitive)

    def method(state: LabState, *given: Any) -> list[Effect]:
        stroke = Stroke(*given)
        rows = zip(stroke.channels, stroke.wells, stroke.volumes, strict=True)
        singles = (stroke._replace(channels=[c], wells=[w], volumes=[v]) for c, w, v in rows)
        return [effect for single in singles for effect in original(state, *single)]

    return replacing(primitive, method)


def leaving_tips_in_the_rack(state: LabState, pipette: str, channels: Sequence[int], spots: Sequence[str]) -> Effects:
    there = {spot: state.spots.get(spot) for spot in spots}
    effects = LabState.pick_up_tips(state, pipette, channels, spots)
    for spot, tip in there.items():
        if tip is not None:
            state.spots[spot] = tip
    return effects


def keeping_dropped_tips(state: LabState, pipette: str, channels: Sequence[int], spots: Any) -> Effects:
    mounted = list(state.channels.get(pipette, ()))
    effects = LabState.drop_tips(state, pipette, channels, spots)
    if pipette in state.channels:
        state.channels[pipette][:] = mounted
    return effects


def losing_waste(primitive: str) -> Lab:
    """LabState whose ``primitive`` sends nothing to waste."""
    original = getattr(LabState, primitive)

    def method(state: LabState, *given: Any) -> Effects:
        before = state.wasted()
        effects: Effects = original(state, *given)
        state.waste.fill(before.items())
        return effects

    return replacing(primitive, method)


def losing_spills(state: LabState, *given: Any) -> Effects:
    before = state.lost()
    effects = LabState.dispense(state, *given)
    state.spilled.fill(before.items())
    return effects


def moving_anything_anywhere(state: LabState, labware: str, site: str, by: str = "arm") -> Effects:
    if labware in state.labware:
        state.labware[labware].site = site
    return ()


def by_anybody(state: LabState, labware: str, site: str, by: str = "arm") -> Effects:
    return LabState.move_labware(state, labware, site, "person")


def keeping_the_film(state: LabState, pipette: str, channels: Sequence[int], wells: Any, height: Any) -> Effects:
    """A blow-out that is a dispense of all there is: the film stays."""
    volumes = [1e4] * len(channels)
    effects = LabState.dispense(state, pipette, channels, wells, volumes, LiquidClass(name="film", film=2.0), height)
    return [effect for effect in effects if effect.kind != "dispensed short"]


def on_another_device(state: LabState, instruction: Any) -> Effects:
    other = {"shaker": "cooler", "cooler": "shaker"}.get(instruction.device, instruction.device)
    return LabState.operate(state, replace(instruction, device=other))


def obeying(state: LabState, instruction: Any) -> Effects:
    """A device that does whatever it is told."""
    now = state.devices.get(instruction.device)
    if now is None or instruction.kind not in ("shake", "set_latch"):
        return LabState.operate(state, instruction)
    changes = {"rpm": instruction.rpm} if instruction.kind == "shake" else {"latch_open": instruction.open}
    state.devices[instruction.device] = replace(now, **changes)
    return ()


def without(**fields: Any) -> Lab:
    """LabState on a workcell whose devices lack these ranges, or start otherwise."""
    return starting(
        lambda workcell: workcell.model_copy(
            update={"devices": {name: device.model_copy(update=fields) for name, device in workcell.devices.items()}}
        )
    )


def replacing_another_rack(state: LabState, rack: str) -> Effects:
    return LabState.replace_tip_rack(state, "tips" if rack != "tips" else "short")


def _of_strokes() -> Iterator[tuple[str, Lab]]:
    for primitive in ("aspirate", "dispense", "mix"):
        changes: dict[str, Callable[[Stroke], Stroke]] = {
            "asks for nothing": scaled(0),
            "asks for 1 % more": scaled(1.01),
            "asks for twice as much": scaled(2),
            "gives every channel the first volume": one_for_all,
            "takes the volumes the other way round": reversed_in("volumes"),
            "takes the wells the other way round": reversed_in("wells"),
            "takes the neighbouring wells": to_neighbours,
            "acts on the neighbouring channels": shifted,
            "ignores the film": of_class(film=0.0),
            "holds for a larger film": of_class(film=3.0),
            "ignores the height": without_height,
            "goes too high": higher,
            "ignores level detection": of_class(level_detection=False),
            "ignores the immersion": of_class(immersion=0.0),
        }
        for what, change in changes.items():
            yield f"{primitive} {what}", altered(primitive, Stroke, change)


MUTANTS: dict[str, Lab] = {
    **dict(_of_strokes()),
    "aspirate goes the wrong way": replacing("aspirate", LabState.dispense),
    "aspirate draws no transport air": altered("aspirate", Stroke, of_class(transport_air=0.0)),
    "aspirate draws no blow-out air": altered("aspirate", Stroke, of_class(blow_out=0.0)),
    "aspirate serves the first channel first": one_by_one("aspirate"),
    "dispense goes the wrong way": replacing("dispense", LabState.aspirate),
    "dispense takes the last channel first": altered("dispense", Stroke, other_order),
    "dispense never touches": altered("dispense", Stroke, of_class(jet=True)),
    "dispense always touches": altered("dispense", Stroke, of_class(jet=False)),
    "dispense blows nothing out": altered("dispense", Stroke, of_class(blow_out=0.0)),
    "dispense loses what runs over": replacing("dispense", losing_spills),
    "mix does nothing": replacing("mix", nothing),
    "mix only draws": replacing("mix", LabState.aspirate),
    "mix takes the last channel first": altered("mix", Stroke, other_order),
    "mix serves the first channel first": one_by_one("mix"),
    "air gap does nothing": replacing("air_gap", nothing),
    "air gap is twice as large": altered("air_gap", Air, scaled(2)),
    "air gap takes the volumes the other way round": altered("air_gap", Air, reversed_in("volumes")),
    "air gap acts on the neighbouring channels": altered("air_gap", Air, shifted),
    "pick up does nothing": replacing("pick_up_tips", nothing),
    "pick up takes the spots the other way round": altered("pick_up_tips", Hands, reversed_in("spots")),
    "pick up takes the last channel first": altered("pick_up_tips", Hands, other_order),
    "pick up acts on the neighbouring channels": altered("pick_up_tips", Hands, shifted),
    "pick up leaves the tips in the rack": replacing("pick_up_tips", leaving_tips_in_the_rack),
    "pick up takes tips of any fitting": starting(
        lambda workcell: workcell.model_copy(
            update={
                "pipettes": {
                    name: pipette.model_copy(update={"fits": frozenset({"standard", "wide"})})
                    for name, pipette in workcell.pipettes.items()
                }
            }
        )
    ),
    "drop does nothing": replacing("drop_tips", nothing),
    "drop takes the spots the other way round": altered("drop_tips", Hands, reversed_in("spots")),
    "drop acts on the neighbouring channels": altered("drop_tips", Hands, shifted),
    "drop leaves the tip on the channel": replacing("drop_tips", keeping_dropped_tips),
    "drop always means the trash": altered("drop_tips", Hands, lambda given: given._replace(spots=None)),
    "drop sends nothing to waste": losing_waste("drop_tips"),
    "blow out does nothing": replacing("blow_out", nothing),
    "blow out leaves the film": replacing("blow_out", keeping_the_film),
    "blow out acts on the neighbouring channels": altered("blow_out", Ends, shifted),
    "blow out takes the wells the other way round": altered("blow_out", Ends, reversed_in("wells")),
    "blow out ignores the height": altered("blow_out", Ends, without_height),
    "touch does nothing": replacing("touch_tip", nothing),
    "touch ignores the height": altered("touch_tip", Ends, without_height),
    "touch acts on the neighbouring channels": altered("touch_tip", Ends, shifted),
    "touch blows out": replacing("touch_tip", LabState.blow_out),
    "devices do nothing": replacing("operate", nothing),
    "devices do what another is told": replacing("operate", on_another_device),
    "devices never refuse": replacing("operate", obeying),
    "devices have no temperatures": without(temperatures=None),
    "devices start open": without(starts_open=True),
    "devices start closed": without(starts_open=False),
    "devices shake at any speed": without(speeds=(0.0, 1e6)),
    "magnets rise to any height": without(magnet_heights=(0.0, 1e6)),
    "devices are no obstacle": starting(
        lambda workcell: workcell.model_copy(
            update={"sites": {name: site.model_copy(update={"device": None}) for name, site in workcell.sites.items()}}
        )
    ),
    "pipettes reach every site": starting(
        lambda workcell: workcell.model_copy(
            update={
                "sites": {name: site.model_copy(update={"pipettes": True}) for name, site in workcell.sites.items()}
            }
        )
    ),
    "the arm is in nobody's way": starting(lambda workcell: workcell.model_copy(update={"robot": None})),
    "move is done by whoever reaches": replacing("move_labware", by_anybody),
    "move does nothing": replacing("move_labware", nothing),
    "move carries anything anywhere": replacing("move_labware", moving_anything_anywhere),
    "replace does nothing": replacing("replace_tip_rack", nothing),
    "replace sends nothing to waste": losing_waste("replace_tip_rack"),
    "replace takes another rack": replacing(
        "replace_tip_rack", lambda state, _: LabState.replace_tip_rack(state, "tips")
    ),
    "time stands still": replacing("advance_time", nothing),
    "time runs backwards": replacing("advance_time", lambda state, s: LabState.advance_time(state, -s)),
    "time runs twice as fast": replacing("advance_time", lambda state, s: LabState.advance_time(state, 2 * s)),
    "dead volumes are ignored": furnished(lambda shape: shape.model_copy(update={"dead_volume": None})),
    "dead volumes are twice as large": furnished(
        lambda shape: shape.model_copy(update={"dead_volume": 2 * (shape.dead_volume or 0)})
    ),
    "profiles are ignored": furnished(lambda shape: shape.model_copy(update={"profile": None})),
    "depths are ignored": furnished(lambda shape: shape.model_copy(update={"depth": None})),
    "wells never run over": furnished(lambda shape: shape.model_copy(update={"max_volume": 1e6})),
    "lids are ignored": starting(
        lambda workcell: workcell.model_copy(
            update={
                "labware": {name: placed.model_copy(update={"lid": False}) for name, placed in workcell.labware.items()}
            }
        )
    ),
    **{
        f"{primitive} keeps its effects to itself": silent(primitive)
        for primitive in sorted(PRIMITIVES - {"advance_time"})
    },
}


def test_labstate_itself_makes_no_mistake() -> None:
    assert list(mistakes(LabState)) == []


@pytest.mark.slow
@pytest.mark.parametrize("lab", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_noticed(lab: Lab) -> None:
    assert next(mistakes(lab), None) is not None


def test_no_primitive_is_left_out() -> None:
    changed = {name for lab in MUTANTS.values() for name in vars(lab)}
    assert changed >= PRIMITIVES
