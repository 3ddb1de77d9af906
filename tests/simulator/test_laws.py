"""Laws of the World, for programs made up by hypothesis."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from protocols.program import Program, instruction_adapter
from robots.simulator import FaultPlan, Noise, PlannedFault, World
from robots.simulator.noise import largest_error
from tests.simulator.lab import CONTENTS, LABWARE, LIQUIDS, small_world, spec

CLASSES = {
    "wet": LiquidClass(name="wet", film=2.0, transport_air=5.0, blow_out=8.0),
    "jet": LiquidClass(name="jet", film=1.0, jet=True),
    "level": LiquidClass(name="level", film=0.5, level_detection=True),
}
WELLS = st.sampled_from([f"{plate}/{row}{column}" for plate in LABWARE for row in "ABC" for column in (1, 2, 3)])
SPOTS = st.sampled_from([f"tips_300_1/{row}{column}" for row in "ABC" for column in (1, 2)])
VOLUMES = st.floats(0.0, 250.0)
CHANNELS = st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)
KINDS = (
    *("pick_up_tips", "drop_tips", "mix", "air_gap", "move_labware", "replace_tip_rack", "wait", "ask_person"),
    *("aspirate", "dispense") * 4,
)
LOADED = [
    {
        "kind": "pick_up_tips",
        "pipette": "channels",
        "channels": [0, 1, 2, 3],
        "spots": [f"tips_300_1/{row}3" for row in "ABCD"],
    }
]
SMALL = settings(max_examples=60, deadline=None)


@st.composite
def instructions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    if kind == "move_labware":
        site = draw(st.sampled_from(["plates-a-1", "plates-a-2", "plates-a-3", "tips-a-1", "nowhere"]))
        return {"kind": kind, "labware": draw(st.sampled_from([*LABWARE, "nothing"])), "site": site}
    if kind == "replace_tip_rack":
        return {"kind": kind, "rack": "tips_300_1"}
    if kind == "wait":
        return {"kind": kind, "seconds": draw(st.floats(0.0, 1e5))}
    if kind == "ask_person":
        return {"kind": kind, "message": "go on?"}
    channels = draw(CHANNELS)
    command: dict[str, Any] = {"kind": kind, "pipette": "channels", "channels": channels}
    each = {"min_size": len(channels), "max_size": len(channels)}
    if kind in ("pick_up_tips", "drop_tips"):
        spots = draw(st.lists(SPOTS, **each))
        command["spots"] = draw(st.sampled_from([None, spots])) if kind == "drop_tips" else spots
        return command
    command["volumes"] = draw(st.lists(VOLUMES, **each))
    if kind != "air_gap":
        command["wells"] = draw(st.lists(WELLS, **each))
        command["liquid_class"] = draw(st.sampled_from(sorted(CLASSES)))
        command["height"] = draw(st.sampled_from([None, 0.0, 1.0, 5.0]))
    if kind == "mix":
        command["cycles"] = 3
    return command


PROGRAMS = st.builds(list.__add__, st.sampled_from([LOADED, []]), st.lists(instructions(), max_size=25))


def commands(instruction: dict[str, Any]) -> list[dict[str, Any]]:
    """The World's acts for one instruction."""
    if instruction["kind"] == "move_labware":
        labware, site = instruction["labware"], instruction["site"]
        return [{"kind": "grip", "labware": labware}, {"kind": "release", "labware": labware, "site": site}]
    if "liquid_class" in instruction:
        return [{**instruction, "liquid_class": CLASSES[instruction["liquid_class"]].model_dump(mode="json")}]
    return [instruction]


def run(world: World, program: list[dict[str, Any]], first: int = 0) -> list[list[Outcome]]:
    """Carry out a program; an instruction that fails keeps its later acts from being told."""
    told: list[list[Outcome]] = []
    for number, instruction in enumerate(program[first:], first):
        outcomes: list[Outcome] = []
        for act, command in enumerate(commands(instruction)):
            outcomes.append(world.act(f"run:{number}#{act}", command))
            if outcomes[-1].status != "done":
                break
        told.append(outcomes)
    return told


def expected(program: list[dict[str, Any]], outcomes: list[list[Outcome]]) -> LabState:
    """The state that the fold over what the devices said leaves."""
    setup = Program(
        title="law",
        liquids=LIQUIDS,
        liquid_classes=CLASSES,
        labware=LABWARE,
        contents=CONTENTS,
        instructions=tuple(
            instruction_adapter.validate_python({"id": str(number), **item}) for number, item in enumerate(program)
        ),
    )
    state = LabState.start(spec(), setup)
    for instruction, told in zip(setup.instructions, outcomes, strict=True):
        seconds = sum(outcome.seconds for outcome in told)
        apply(state, setup, instruction, told[-1].model_copy(update={"seconds": seconds}))
    return state


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """A snapshot as one level, so that its numbers can be compared with a tolerance."""
    if isinstance(value, dict):
        return {key: leaf for name, part in value.items() for key, leaf in flat(part, f"{path}/{name}").items()}
    if isinstance(value, list | tuple):
        return {key: leaf for index, part in enumerate(value) for key, leaf in flat(part, f"{path}/{index}").items()}
    return {path: value}


def same(first: Any, second: Any) -> None:
    """Equal, numbers within rounding (a snapshot keeps amounts, not the ratios they were made of)."""
    one, two = flat(first), flat(second)
    assert one.keys() == two.keys()
    for path, value in one.items():
        if isinstance(value, float):
            assert two[path] == pytest.approx(value, rel=1e-9, abs=1e-9), path
        else:
            assert two[path] == value, path


def liquid_in(state: LabState) -> float:
    """All liquid there is: in wells, tips, waste and spilled."""
    snapshot = state.snapshot()
    wells = sum(sum(well["amounts"].values()) for well in snapshot["wells"].values())
    tips = [tip for tip in snapshot["spots"].values() if tip]
    tips += [tip for row in snapshot["channels"].values() for tip in row if tip]
    held = sum(segment[0] for tip in tips for segment in tip["segments"])
    return float(wells + held + sum(snapshot["waste"].values()) + sum(snapshot["spilled"].values()))


@SMALL
@given(PROGRAMS)
def test_without_noise_the_world_is_the_fold_of_what_its_devices_said(program):
    world = small_world()
    outcomes = run(world, program)
    same(world.state.snapshot(), expected(program, outcomes).snapshot())
    world.close()


@SMALL
@given(PROGRAMS)
def test_devices_report_every_channel_on_which_nothing_happened(program):
    """Where no device said that anything failed, no effect says that something did not happen."""
    world = small_world()
    for outcomes, number in zip(run(world, program), range(len(program)), strict=True):
        kinds = {e["kind"] for act in world.log() if act.instruction == f"run:{number}" for e in act.effects}
        if all(outcome.status == "done" for outcome in outcomes):
            assert not kinds & {"no tip", "no tip at spot", "channel has tip", "spot occupied", "unknown well"}
            assert not kinds & {"site occupied", "site unsuitable", "unknown labware", "unknown site"}
    world.close()


@SMALL
@given(PROGRAMS, st.integers(0, 2**31))
def test_with_noise_nothing_is_made_or_lost_and_strokes_stay_in_bounds(program, seed):
    world = small_world(noise=Noise(), seed=seed)
    before = liquid_in(world.state)
    run(world, program)
    assert liquid_in(world.state) == pytest.approx(before, abs=1e-6)
    noise = Noise()
    for act in world.log():
        if act.command["kind"] in ("aspirate", "dispense"):
            asked = dict(zip(act.command["channels"], act.command["volumes"], strict=True))
            for channel, moved in zip(act.actual["channels"], act.actual["volumes"], strict=True):
                assert moved >= 0.0
                # tips_300 take 360 µL
                assert abs(moved - asked[channel]) <= largest_error(noise, 360.0, asked[channel]) + 1e-9
    world.close()


@pytest.mark.slow
@SMALL
@given(PROGRAMS, st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_log(program, seed):
    plan = FaultPlan(faults=(PlannedFault(kind="clog", probability=0.2), PlannedFault(kind="missing tip", nth=2)))
    logs = []
    for _ in range(2):
        world = small_world(noise=Noise(), seed=seed, faults=plan)
        run(world, program)
        logs.append(world.log())
        world.close()
    assert logs[0] == logs[1]


@SMALL
@given(PROGRAMS, st.data())
def test_an_act_that_is_told_again_is_answered_alike_and_moves_nothing(program, data):
    world = small_world(noise=Noise(), seed=3)
    outcomes = run(world, program)
    truth, acts = world.snapshot(), world.log()
    if program:
        number = data.draw(st.integers(0, len(program) - 1))
        assert run(world, program[: number + 1], number) == [outcomes[number]]
    assert world.snapshot() == truth
    assert world.log() == acts
    world.close()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(PROGRAMS, st.integers(0, 25), st.sampled_from([1, 3, 200]))
def test_a_world_that_is_opened_again_is_as_it_was(tmp_path_factory, program, cut, every):
    path = tmp_path_factory.mktemp("world") / "world.sqlite"
    plan = FaultPlan(faults=(PlannedFault(kind="short aspirate", probability=0.3, noticed=False),))
    options = {"noise": Noise(), "seed": 5, "faults": plan}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robots.simulator.world.SNAPSHOT_EVERY", every)
        whole = small_world(**options)
        run(whole, program)
        first = small_world(log=path, **options)
        run(first, program[:cut])
        truth, acts = first.snapshot(), first.log()
        first.close()
        second = small_world(log=path, **options)
    same(second.snapshot(), truth)
    assert second.log() == acts
    run(second, program, min(cut, len(program)))
    same(second.snapshot(), whole.snapshot())
    assert [act.id for act in second.log()] == [act.id for act in whole.log()]
    whole.close()
    second.close()
