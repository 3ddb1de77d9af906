"""Laws that LabState keeps whatever it is asked to do."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.effects import Effect
from protocols.fold import apply
from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.program import AnyInstruction, Aspirate, Dispense, Program, instruction_adapter
from protocols.specs import Fill
from tests.oracles.pictures import Picture, differences, effect_differences, exactly, of_liquid, picture
from tests.oracles.programs import BENCH, Story, story

LAWS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
STORIES = st.randoms(use_true_random=False).map(story)

AMOUNTS = st.floats(0, 1e5) | st.sampled_from((0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1 / 3))
WELLS = st.sampled_from(
    (
        "plate/A1",
        "cones/A1",
        "vials/A1",
        "trough/A1",
        "covered/A1",
        "trash/A1",
        "shaken/A1",
        "tips/A1",
        "plate/Z9",
        "odd",
    )
)
DEVICES = st.sampled_from(("shaker", "cycler", "cooler", "magnet", "arm", "odd"))
CELSIUS = st.none() | st.floats(-80, 150)
SPOTS = st.sampled_from(("tips/A1", "tips/B1", "short/A1", "wide/A1", "plate/A1", "tips/Z9", "odd"))
PIPETTES = st.sampled_from(("eight", "eight", "single", "head", "odd"))
CHANNELS = st.lists(st.sampled_from((0, 0, 1, 2, 7, 8, 383)), min_size=1, max_size=4, unique=True)
CLASSES = {
    "plain": LiquidClass(name="plain"),
    "airy": LiquidClass(name="airy", film=1 / 3, transport_air=5.0, blow_out=8.0, pre_wet=1),
    "level": LiquidClass(name="level", film=2.0, level_detection=True, immersion=30.0),
    "sticky": LiquidClass(name="sticky", film=1e4, jet=True),
}
CONTENTS = (
    Fill(well="plate/A1", liquid="water", volume=100.0),
    Fill(well="plate/A1", liquid="acid", volume=1e-3),
    Fill(well="cones/A1", liquid="cells", volume=200.0, settled="monolayer"),
    Fill(well="vials/A1", liquid="water", volume=20.0),
    Fill(well="trough/A1", liquid="buffer", volume=5000.0),
    Fill(well="nowhere/A1", liquid="water", volume=1.0),
)


@st.composite
def wild_instructions(draw: st.DrawFn) -> AnyInstruction:
    """Anything that is an instruction: amounts of any size, names that nothing bears."""
    kind = draw(st.sampled_from(sorted(FIELDS)))
    channels = draw(CHANNELS)
    fields = {name: draw(_each(name, value, len(channels))) for name, value in FIELDS[kind].items()}
    if "pipette" in fields:
        fields["channels"] = channels
    return instruction_adapter.validate_python({"id": "i", "kind": kind, **fields})


def _each(name: str, one: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[Any]:
    if name not in ("wells", "volumes", "spots"):
        return one
    return st.lists(one, min_size=count, max_size=count)


HANDS = {"pipette": PIPETTES}
STROKE = {
    **HANDS,
    "wells": WELLS,
    "volumes": AMOUNTS,
    "liquid_class": st.sampled_from(sorted(CLASSES)),
    "height": st.none() | AMOUNTS,
}
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "pick_up_tips": {**HANDS, "spots": SPOTS},
    "drop_tips": {**HANDS, "spots": SPOTS},
    "aspirate": STROKE,
    "dispense": STROKE,
    "mix": {**STROKE, "cycles": st.integers(1, 100)},
    "air_gap": {**HANDS, "volumes": AMOUNTS},
    "blow_out": {**HANDS, "wells": WELLS, "height": st.none() | AMOUNTS},
    "touch_tip": {**HANDS, "wells": WELLS, "height": st.none() | AMOUNTS},
    "set_temperature": {"device": DEVICES, "celsius": CELSIUS, "part": st.sampled_from(("block", "lid"))},
    "await_temperature": {"device": DEVICES, "celsius": CELSIUS, "part": st.sampled_from(("block", "lid"))},
    "shake": {"device": DEVICES, "rpm": st.none() | st.floats(1, 1e5)},
    "set_latch": {"device": DEVICES, "open": st.booleans()},
    "set_lid": {"device": DEVICES, "open": st.booleans()},
    "set_magnet": {"device": DEVICES, "raised": st.booleans(), "height": st.none() | st.floats(-5, 50)},
    "move_labware": {
        "labware": st.sampled_from(("plate", "tips", "trash", "odd")),
        "site": st.sampled_from(("free", "shelf", "stack", "store", "on plate", "on shaken", "off-deck", "odd")),
        "by": st.sampled_from(("arm", "person")),
    },
    "replace_tip_rack": {"rack": st.sampled_from(("tips", "plate", "odd"))},
    "wait": {"seconds": AMOUNTS},
    "ask_person": {"message": st.just("go on?")},
}
TIPS_ON = instruction_adapter.validate_python(
    {
        "id": "tips",
        "kind": "pick_up_tips",
        "pipette": "eight",
        "channels": [0, 1, 2],
        "spots": ["tips/A1", "tips/B1", "short/A1"],
    }
)


def wild_program(instructions: list[AnyInstruction]) -> Program:
    return Program(title="wild", liquid_classes=CLASSES, contents=CONTENTS, instructions=()).model_copy(
        update={"instructions": (TIPS_ON, *instructions)}
    )


@LAWS
@given(st.lists(wild_instructions(), max_size=25).map(wild_program))
def test_nothing_raises_runs_negative_or_stands_above_the_rim(program: Program) -> None:
    state = LabState.start(BENCH, program)
    filled = {liquid: of_liquid(picture(state), liquid) for liquid in ("water", "acid", "cells", "buffer")}
    for instruction in program.instructions:
        effects = apply(state, program, instruction)
        assert all(math.isfinite(effect.amount) and effect.amount >= 0 for effect in effects), instruction
        assert all(0 <= well.volume <= well.max_volume + 1e-9 for well in state.wells.values()), instruction
    seen = picture(state)
    assert all(amount >= 0 for amount in seen.values())
    for liquid, volume in filled.items():
        assert abs(of_liquid(seen, liquid) - volume) <= Fraction(1, 10**7), liquid


@LAWS
@given(st.lists(wild_instructions(), max_size=15).map(wild_program), st.sampled_from(("trash/A1", "plate/B1")))
def test_a_blow_out_empties_every_tip_and_loses_nothing(program: Program, well: str) -> None:
    state = LabState.start(BENCH, program)
    for instruction in program.instructions:
        apply(state, program, instruction)
    before = {liquid: of_liquid(picture(state), liquid) for liquid in ("water", "acid", "cells", "buffer")}
    loaded = [channel for channel in range(8) if state.has_tip("eight", channel)]
    effects = state.blow_out("eight", loaded, [well] * len(loaded), None)
    if "out of reach" not in {effect.kind for effect in effects}:
        tips = [state.tip_on("eight", channel) for channel in loaded]
        assert all(tip is not None and tip.taken() == 0.0 for tip in tips)
    for liquid, volume in before.items():
        assert abs(of_liquid(picture(state), liquid) - volume) <= Fraction(1, 10**7), liquid


def run(state: LabState, told: Story, first: int = 0, last: int | None = None) -> list[Effect]:
    """Do the story's instructions from ``first`` to before ``last``."""
    steps = list(zip(told.program.instructions, told.outcomes, strict=True))[first:last]
    return [effect for step, outcome in steps for effect in apply(state, told.program, step, outcome)]


@LAWS
@given(STORIES, st.integers(1, 20))
def test_a_restored_state_is_the_same_and_goes_on_alike(told: Story, half: int) -> None:
    state = LabState.start(BENCH, told.program)
    run(state, told, last=half)
    written = json.loads(json.dumps(state.snapshot()))
    restored = LabState.restore(BENCH, written)
    assert restored.snapshot() == written
    assert differences(picture(state), picture(restored)) == []
    effects, again = run(state, told, first=half), run(restored, told, first=half)
    assert effect_differences(exactly(effects), exactly(again)) == []
    assert differences(picture(state), picture(restored)) == []


@LAWS
@given(st.lists(wild_instructions(), max_size=25).map(wild_program))
def test_any_state_is_the_same_when_restored(program: Program) -> None:
    state = LabState.start(BENCH, program)
    for instruction in program.instructions:
        apply(state, program, instruction)
    written = json.loads(json.dumps(state.snapshot()))
    assert LabState.restore(BENCH, written).snapshot() == written


def test_a_tip_that_is_put_back_keeps_no_air() -> None:
    """Off its channel nothing holds air in it: taken up again it has all its room."""
    state = LabState.start(BENCH)
    state.pick_up_tips("single", (0,), ("short/A1",))
    state.aspirate("single", (0,), ("plate/A1",), (0.0,), CLASSES["airy"], None)
    state.drop_tips("single", (0,), ("short/A1",))
    restored = LabState.restore(BENCH, json.loads(json.dumps(state.snapshot())))
    restored.pick_up_tips("single", (0,), ("short/A1",))
    assert restored.air_gap("single", (0,), (45.0,)) == []


@settings(LAWS, max_examples=30)
@given(STORIES)
def test_the_same_story_gives_the_same_state_to_the_last_bit(told: Story) -> None:
    first, second = LabState.start(BENCH, told.program), LabState.start(BENCH, told.program)
    assert run(first, told) == run(second, told)
    assert first.snapshot() == second.snapshot()


@LAWS
@given(STORIES, st.sampled_from((Aspirate, Dispense)), st.booleans())
def test_a_stroke_of_nothing_moves_nothing(told: Story, stroke: type[Aspirate | Dispense], film: bool) -> None:
    """Where a film touches it changes places, like for like; without one every composition stays, too."""
    state = LabState.start(BENCH, told.program)
    run(state, told)
    volumes, before = _volumes(state), picture(state)
    program = Program(title="none", liquid_classes={"c": LiquidClass(name="c", film=2.0 * film)}, instructions=())
    for channel, well in enumerate(("plate/A1", "plate/A1", "cones/A1", "vials/A1", "trough/A1")):
        nothing = stroke(id="i", pipette="eight", channels=(channel,), wells=(well,), volumes=(0.0,), liquid_class="c")
        apply(state, program, nothing)
    assert _volumes(state) == pytest.approx(volumes, abs=1e-9)
    if not film:
        assert differences(_of_liquids(before), _of_liquids(picture(state))) == []


def _of_liquids(seen: Picture) -> Picture:
    return {key: amount for key, amount in seen.items() if key[0] in ("well", "tip", "stored", "waste", "spilled")}


def _volumes(state: LabState) -> dict[str, float]:
    """µL in each well and in each tip that is on a channel."""
    wells = {name: well.volume for name, well in state.wells.items()}
    tips = {f"eight/{channel}": state.tip_volume("eight", channel) for channel in range(8)}
    return {**wells, **tips}


@LAWS
@given(st.integers(1, 480), st.integers(1, 480), st.sampled_from((0.0, 2.0)), st.sampled_from(("plate/A1", "vials/A1")))
def test_a_stroke_split_in_two_moves_the_same(first: int, second: int, film: float, source: str) -> None:
    """Drawing in two parts and shooting out in two parts is doing it at once, even where air is drawn at the end."""
    classes = {"jet": LiquidClass(name="jet", film=film, jet=True)}
    program = Program(title="split", liquid_classes=classes, contents=CONTENTS, instructions=(TIPS_ON,))
    whole, split = LabState.start(BENCH, program), LabState.start(BENCH, program)
    for state, parts in ((whole, ((first + second) / 8,)), (split, (first / 8, second / 8))):
        apply(state, program, TIPS_ON)
        for kind, well in ((Aspirate, source), (Dispense, "other/B2")):
            for part in parts:
                step = kind(id="i", pipette="eight", channels=(0,), wells=(well,), volumes=(part,), liquid_class="jet")
                apply(state, program, step)
    assert differences(picture(whole), picture(split)) == []
