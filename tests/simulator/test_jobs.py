"""Whole little jobs through pylabrobot's front end, the backend and the World."""

from __future__ import annotations

import pytest
from pylabrobot.liquid_handling.errors import ChannelizedError
from pylabrobot.liquid_handling.standard import Mix
from pylabrobot.resources import set_tip_tracking, set_volume_tracking
from pylabrobot.resources.errors import NoTipError

from protocols.errors import DeviceError
from protocols.specs import Fill
from robots.simulator import FaultPlan, LocalWorld, Noise, PlannedFault, SimulatedLiquidHandler, World
from robots.simulator.channel_errors import GripperError, MissingTipError, TipPresentError
from robots.workcell import load_workcell
from tests.simulator.lab import BARE, LABWARE, LIQUIDS, WATER, deck, handler, small_world, spec


@pytest.fixture(autouse=True)
def tracking():
    set_tip_tracking(True)
    set_volume_tracking(False)
    yield
    set_tip_tracking(False)
    set_volume_tracking(False)


async def test_eight_channels_move_a_column_and_return_their_tips():
    world = small_world()
    lh, backend = await handler(world)
    tips, plate, target = (lh.deck.get_resource(name) for name in ("tips_300_1", "plate", "target"))
    backend.acts.begin("run:1")
    await lh.pick_up_tips(tips["A1:H1"])
    assert await backend.request_tip_presence() == [True] * 8
    backend.acts.begin("run:2")
    await lh.aspirate(plate["A1:H1"], [100.0] * 8, liquid_class=WATER, height=1.0)
    backend.acts.begin("run:3")
    await lh.dispense(target["A1:H1"], [100.0] * 8, liquid_class=WATER)
    backend.acts.begin("run:4")
    await lh.return_tips()
    assert [world.state.volume(f"plate/{row}1") for row in "ABCDEFGH"] == [100.0] * 8
    # the film of 1 µL stays in the tip
    assert [world.state.volume(f"target/{row}1") for row in "ABCDEFGH"] == pytest.approx([99.0] * 8)
    assert await backend.request_tip_presence() == [False] * 8
    assert all(world.state.tip_at(f"tips_300_1/{row}1") for row in "ABCDEFGH")
    assert not world.state.tip_is_new("tips_300_1/A1")
    assert [act.id for act in world.log()][1:] == [f"run:{number}#0" for number in range(1, 5)]


async def test_the_clock_adds_motions_and_strokes():
    world = small_world()
    lh, backend = await handler(world)
    motion = world.workcell.motion
    backend.acts.begin("run:1")
    await lh.pick_up_tips(lh.deck.get_resource("tips_300_1")["A1"])
    backend.acts.begin("run:2")
    await lh.aspirate(lh.deck.get_resource("plate")["A1"], [50.0], liquid_class=WATER)
    assert backend.acts.outcome().seconds == pytest.approx(motion.approach + 50.0 / 100.0)
    backend.acts.begin("run:3")
    await backend.wait(86400.0)
    assert world.state.clock == pytest.approx(motion.pick_up_tips + motion.approach + 0.5 + 86400.0)


async def test_head96_stamps_a_plate():
    world = World(spec(), noise=Noise.off())
    wells = [f"plate/{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]
    world.prepare(LABWARE, [Fill(well=well, liquid="red", volume=70.0) for well in wells], LIQUIDS)
    lh, backend = await handler(world)
    backend.acts.begin("run:fill")
    await lh.pick_up_tips96(lh.deck.get_resource("tips_300_1"))
    assert await backend.head96_tip_presence() == [True] * 96
    await lh.aspirate96(lh.deck.get_resource("plate"), 50.0, liquid_class=BARE)
    await lh.dispense96(lh.deck.get_resource("target"), 50.0, liquid_class=BARE)
    await lh.drop_tips96(lh.deck.get_trash_area())
    assert {world.state.volume(f"target/{row}{column}") for row in "ABCDEFGH" for column in range(1, 13)} == {50.0}
    assert {world.state.volume(well) for well in wells} == {20.0}
    assert not any(world.tips()["head96"])
    assert [act.id for act in world.log()][1:] == [f"run:fill#{number}" for number in range(4)]


async def test_mixing_alone_is_one_act_and_makes_one_composition():
    world = small_world()
    lh, backend = await handler(world)
    well = lh.deck.get_resource("target")["A1"]
    await lh.pick_up_tips(lh.deck.get_resource("tips_300_1")["A1"])
    for source in ("A1", "A2"):
        await lh.aspirate(lh.deck.get_resource("plate")[source], [50.0], liquid_class=BARE)
        await lh.dispense(well, [50.0], liquid_class=BARE)
    backend.acts.begin("run:mix")
    mixing = Mix(volume=40.0, repetitions=3, flow_rate=100.0)
    await lh.aspirate(well, [0.0], mix=[mixing], liquid_class=WATER, height=1.0)
    assert world.log()[-1].command["kind"] == "mix"
    assert world.log()[-1].command["cycles"] == 3
    assert backend.acts.outcome().seconds == pytest.approx(world.workcell.motion.approach + 3 * 0.8)


async def test_prewetting_does_not_make_an_act_of_its_own_but_mixing_before_does():
    world = small_world()
    lh, backend = await handler(world)
    well = lh.deck.get_resource("plate")["A1"]
    await lh.pick_up_tips(lh.deck.get_resource("tips_300_1")["A1"])
    mixing = Mix(volume=40.0, repetitions=2, flow_rate=100.0)
    backend.acts.begin("run:wet")
    await lh.aspirate(well, [40.0], mix=[mixing], liquid_class=WATER.model_copy(update={"pre_wet": 2}))
    assert [act.command["kind"] for act in world.log() if act.instruction == "run:wet"] == ["aspirate"]
    backend.acts.begin("run:mix")
    await lh.aspirate(well, [40.0], mix=[mixing])
    assert [act.command["kind"] for act in world.log() if act.instruction == "run:mix"] == ["mix", "aspirate"]


async def test_an_air_gap_is_pushed_out_before_liquid():
    world = small_world()
    lh, _ = await handler(world)
    plate = lh.deck.get_resource("plate")
    await lh.pick_up_tips(lh.deck.get_resource("tips_300_1")["A1"])
    await lh.aspirate(plate["A1"], [50.0], liquid_class=BARE)
    await lh.aspirate(plate["A1"], [20.0], air_gap=True)
    await lh.dispense(lh.deck.get_resource("target")["A1"], [50.0], liquid_class=BARE)
    assert world.state.volume("target/A1") == 30.0


async def test_gripper_takes_two_acts_and_finds_the_site_by_its_coordinate():
    world = small_world()
    lh, backend = await handler(world)
    plate, site = lh.deck.get_resource("plate"), world.workcell.sites["plates-a-3"]
    backend.acts.begin("run:move")
    await lh.pick_up_resource(plate)
    assert world.hand == "plate"
    holder = lh.deck.get_resource("target").parent.parent[2]
    await lh.drop_resource(holder)
    assert world.hand is None
    assert world.state.site_of("plate") == site.id
    assert await backend.acts.done("run:move") == 2
    assert backend.acts.outcome().seconds == pytest.approx(world.workcell.motion.move_labware)


async def test_putting_labware_on_labware_is_a_collision_and_the_arm_keeps_it():
    world = small_world()
    _, backend = await handler(world)
    await backend.world.act("run:1#0", {"kind": "grip", "labware": "plate"})
    outcome = await backend.world.act("run:1#1", {"kind": "release", "labware": "plate", "site": "plates-a-2"})
    assert (outcome.status, outcome.faults[0].kind) == ("failed", "gripper failed")
    assert world.hand == "plate"
    again = await backend.world.act("run:2#0", {"kind": "grip", "labware": "target"})
    assert again.faults[0].message == "the gripper holds 'plate' already"


async def test_pylabrobot_learns_the_truth_when_some_tips_are_missing():
    plan = FaultPlan(faults=(PlannedFault(kind="missing tip", instruction="1", channels=(1, 4)),))
    world = small_world(faults=plan)
    lh, backend = await handler(world)
    rack = lh.deck.get_resource("tips_300_1")
    backend.acts.begin("run:1")
    with pytest.raises(ChannelizedError) as caught:
        await lh.pick_up_tips(rack["A1:H1"])
    assert set(caught.value.errors) == {1, 4}
    assert all(isinstance(error, MissingTipError | NoTipError) for error in caught.value.errors.values())
    assert [tracker.has_tip for tracker in lh.head.values()] == [channel not in (1, 4) for channel in range(8)]
    outcome = backend.acts.outcome()
    assert outcome.tips == tuple(channel not in (1, 4) for channel in range(8))
    # there never was a tip: trying the same spot again fails again, without a plan
    backend.acts.begin("run:2")
    with pytest.raises(ChannelizedError):
        await lh.pick_up_tips([rack["B1"][0]], use_channels=[1])
    backend.acts.begin("run:3")
    await lh.pick_up_tips([rack["B2"][0]], use_channels=[1])
    assert lh.head[1].has_tip


async def test_a_second_tip_on_a_channel_is_felt():
    world = small_world()
    _, backend = await handler(world)
    command = {"kind": "pick_up_tips", "pipette": "channels", "channels": [0]}
    await backend.world.act("run:1#0", {**command, "spots": ["tips_300_1/A1"]})
    backend.acts.begin("run:2")
    with pytest.raises(ChannelizedError) as caught:
        await backend._act({**command, "spots": ["tips_300_1/B1"]})
    assert isinstance(caught.value.errors[0], TipPresentError)


async def test_ot2_pipettes_lie_side_by_side():
    workcell = load_workcell("ot2")
    world = World(workcell.spec, noise=Noise.off())
    backend = SimulatedLiquidHandler(LocalWorld(world))
    first, second = workcell.spec.pipettes
    assert backend.num_channels == 2
    assert (backend.channel_of(first), backend.channel_of(second)) == (0, 1)
    assert not backend.head96_installed
    from pylabrobot.liquid_handling import LiquidHandler

    lh = LiquidHandler(backend, workcell.build_deck())
    await lh.setup()
    backend.acts.begin("run:1")
    await lh.pick_up_tips(lh.deck.get_resource("tips_20_1")["C1"], use_channels=[1], pipette=second)
    assert world.state.has_tip(second, 0)
    assert not world.state.has_tip(first, 0)
    await lh.aspirate(lh.deck.get_resource("reservoir")["A1"], [10.0], use_channels=[1], liquid_class=BARE)
    assert world.state.tip_volume(second, 0) == 10.0
    assert world.state.volume("reservoir/A1") == 11990.0
    with pytest.raises(DeviceError, match=f"not '{first}'"):
        await backend.aspirate([_operation(lh)], [1], pipette=first)


def _operation(lh):
    from pylabrobot.liquid_handling.standard import SingleChannelAspiration
    from pylabrobot.resources import Coordinate

    well = lh.deck.get_resource("reservoir")["A1"][0]
    return SingleChannelAspiration(well, Coordinate.zero(), lh.head[1].get_tip(), 5.0, None, None, None, None)


async def test_a_gripper_that_closes_on_nothing_says_so():
    plan = FaultPlan(faults=(PlannedFault(kind="gripper failed", instruction="move"),))
    world = small_world(faults=plan)
    lh, backend = await handler(world)
    backend.acts.begin("run:move")
    with pytest.raises(GripperError):
        await lh.pick_up_resource(lh.deck.get_resource("plate"))
    assert world.hand is None
    assert world.state.site_of("plate") == "plates-a-1"


async def test_without_begin_acts_are_numbered_on_from_the_log(tmp_path):
    for number in range(2):
        world = World(spec(), log=tmp_path / "world.sqlite", noise=Noise.off())
        backend = SimulatedLiquidHandler(LocalWorld(world))
        backend.set_deck(deck())
        await backend.wait(10.0)
        assert [act.id for act in world.log()] == [f"direct#{index}" for index in range(number + 1)]
        world.close()
