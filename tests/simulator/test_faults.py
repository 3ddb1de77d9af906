"""Each fault: what really happens, and what the device says of it."""

from __future__ import annotations

import threading
import time

import pytest
from pydantic import ValidationError

from protocols.formats import load_document, validate
from protocols.liquids import LiquidClass
from robots.ports import ConnectionLost
from robots.simulator import FaultPlan, PlannedFault
from robots.simulator.errors import ActRefused, Stopped
from tests.simulator.lab import BARE, drop, pick, small_world, spec, stroke

LEVEL = LiquidClass(name="level", level_detection=True)
DRAW = stroke("aspirate", ["plate/A1", "plate/B1"], [100.0, 80.0], BARE)


def faulty(*faults, **options):
    world = small_world(faults=FaultPlan(faults=faults), **options)
    world.act("run:pick#0", pick("AB"))
    return world


def test_a_short_aspirate_that_is_noticed_is_reported_as_it_was():
    world = faulty(PlannedFault(kind="short aspirate", instruction="draw", channels=(1,), fraction=0.25))
    outcome = world.act("run:draw#0", DRAW)
    assert outcome.status == "partial"
    assert outcome.volumes == (100.0, 20.0)
    assert [(fault.kind, fault.channel) for fault in outcome.faults] == [("short aspirate", 1)]
    assert world.state.tip_volume("channels", 1) == 20.0
    assert world.state.volume("plate/B1") == 180.0


def test_a_short_aspirate_that_goes_unnoticed_is_only_in_the_log():
    world = faulty(PlannedFault(kind="short aspirate", instruction="draw", fraction=0.5, noticed=False))
    outcome = world.act("run:draw#0", DRAW)
    assert (outcome.status, outcome.volumes, outcome.faults) == ("done", None, ())
    assert world.state.tip_volume("channels", 0) == 50.0
    assert world.log()[-1].actual["volumes"] == [50.0, 80.0]


@pytest.mark.parametrize("kind", ["aspirate", "dispense", "mix"])
def test_a_clog_keeps_its_channel_still_and_lets_the_others_move(kind):
    world = faulty(PlannedFault(kind="clog", instruction="stroke"))
    world.act("run:draw#0", DRAW)
    before = (world.state.volume("plate/A1"), world.state.tip_volume("channels", 0))
    more = {"cycles": 2} if kind == "mix" else {}
    outcome = world.act("run:stroke#0", stroke(kind, ["plate/A1", "plate/B2"], [10.0, 10.0], BARE, **more))
    assert (outcome.status, outcome.volumes) == ("failed", (0.0, 10.0))
    assert (outcome.faults[0].kind, outcome.faults[0].channel) == ("clog", 0)
    assert (world.state.volume("plate/A1"), world.state.tip_volume("channels", 0)) == before
    assert "red" in world.state.tip_composition("channels", 1)
    assert world.state.composition("plate/B2") != {"blue": 150.0} or kind == "aspirate"


def test_a_surface_that_is_not_found_is_an_error_before_anything_moves():
    world = faulty(PlannedFault(kind="level not found", instruction="draw", channels=(0, 1)))
    outcome = world.act("run:draw#0", DRAW)
    assert (outcome.status, outcome.volumes) == ("failed", (0.0, 0.0))
    assert world.state.volume("plate/A1") == 200.0
    assert world.state.tip_volume("channels", 0) == 0.0


def test_level_detection_finds_no_surface_in_an_empty_well_without_any_plan():
    world = faulty()
    wells = ["target/A1", "plate/A1"]
    outcome = world.act("run:draw#0", stroke("aspirate", wells, [10.0, 10.0], LEVEL))
    assert [(fault.kind, fault.channel) for fault in outcome.faults] == [("level not found", 0)]
    assert world.state.tip_volume("channels", 1) == 10.0
    blind = world.act("run:blind#0", stroke("aspirate", wells, [10.0, 10.0], BARE))
    assert blind.status == "done"  # without level detection nobody notices the air
    assert [effect["kind"] for effect in world.log()[-1].effects] == ["air drawn"]


def test_a_missing_tip_was_never_there():
    world = small_world(faults=FaultPlan(faults=(PlannedFault(kind="missing tip", instruction="1", channels=(1,)),)))
    outcome = world.act("run:1#0", pick("ABC"))
    assert outcome.tips == (True, False, True)
    assert [(fault.kind, fault.channel, fault.place) for fault in outcome.faults] == [
        ("missing tip", 1, "tips_300_1/B1")
    ]
    assert world.tips()["channels"][:3] == [True, False, True]
    assert not world.state.tip_at("tips_300_1/B1")
    world.act("run:2#0", {"kind": "replace_tip_rack", "rack": "tips_300_1"})
    assert world.state.tip_at("tips_300_1/B1")


@pytest.mark.parametrize("happened", [True, False])
def test_a_lost_connection_loses_the_answer_and_the_log_knows_whether_the_act_was_done(happened):
    world = faulty(PlannedFault(kind="connection lost", instruction="draw", happened=happened))
    with pytest.raises(ConnectionLost):
        world.act("run:draw#0", DRAW)
    assert world.acts_done("run:draw") == int(happened)
    assert world.state.volume("plate/A1") == (100.0 if happened else 200.0)
    assert world.act("run:draw#0", DRAW).status == "done"  # it strikes once
    assert world.state.volume("plate/A1") == 100.0


@pytest.mark.parametrize("happened", [True, False])
def test_a_power_cut_strikes_once_and_the_reopened_world_knows_whether_the_act_was_done(tmp_path, happened):
    cuts = []

    def cut():
        cuts.append(1)
        raise KeyboardInterrupt

    path = tmp_path / "world.sqlite"
    plan = (PlannedFault(kind="power cut", nth=2, happened=happened),)
    world = faulty(*plan, log=path, on_power_cut=cut)
    with pytest.raises(KeyboardInterrupt):
        world.act("run:draw#0", DRAW)
    world.close()
    again = small_world(faults=FaultPlan(faults=plan), log=path, on_power_cut=cut)
    assert again.acts_done("run:draw") == int(happened)
    assert again.act("run:draw#0", DRAW).status == "done"
    assert again.state.volume("plate/A1") == 100.0
    assert len(cuts) == 1


def test_faults_by_chance_do_not_depend_on_order():
    plan = FaultPlan(faults=(PlannedFault(kind="clog", probability=0.5),))
    ids = [f"run:{number}#0" for number in range(20)]
    command = stroke("aspirate", ["plate/A1"], [1.0], BARE)
    found = []
    for order in (ids, ids[::-1]):
        world = small_world(faults=plan, seed=9)
        world.act("run:pick#0", pick())
        found.append({act_id: world.act(act_id, command).status for act_id in order})
    assert found[0] == found[1]
    assert set(found[0].values()) == {"done", "failed"}


def test_a_device_that_cannot_answer_does_not(tmp_path):
    workcell = small_world().workcell
    devices = {
        name: device.model_copy(update={"answers": device.kind != "liquid handler"})
        for name, device in workcell.devices.items()
    }
    world = small_world(workcell=workcell.model_copy(update={"devices": devices}))
    world.act("run:1#0", pick())
    assert world.acts_done("run:1") is None
    assert world.acts_done("run:1", "handler") is None
    assert world.acts_done("run:1", "gripper") == 1
    assert world.log()[-1].id == "run:1#0"


def test_a_known_id_with_another_command_is_refused():
    world = small_world()
    world.act("run:1#0", pick("A"))
    with pytest.raises(ActRefused, match="another command"):
        world.act("run:1#0", pick("B"))
    world.prepare({}, (), {}, run="other")
    with pytest.raises(ActRefused, match="another command"):
        world.prepare({}, (), {})


@pytest.mark.parametrize(
    "command",
    [
        {"kind": "explode"},
        {"kind": "wait", "seconds": float("nan")},
        {"kind": "wait", "seconds": -1.0},
        {**pick("AB"), "channels": [0, 0]},
        {**pick("AB"), "channels": [0]},
        stroke("aspirate", ["plate/A1"], [float("inf")]),
        {**drop(), "more": 1},
        {},
    ],
)
def test_a_malformed_command_is_refused_and_leaves_no_trace(command):
    world = small_world()
    with pytest.raises(ActRefused):
        world.act("run:1#0", command)
    assert world.acts_done("run:1") == 0


def test_unknown_names_are_reported_by_the_device():
    world = small_world()
    outcome = world.act("run:1#0", {**pick(), "pipette": "nothing"})
    assert outcome.faults[0].kind == "refused"
    world.act("run:2#0", pick())
    outcome = world.act("run:3#0", stroke("aspirate", ["plate/Z9"], [5.0]))
    assert (outcome.faults[0].place, outcome.volumes) == ("plate/Z9", (0.0,))
    assert world.act("run:4#0", drop(2)).faults[0].channel == 1


def test_make_safe_ends_an_act_under_way_and_nothing_has_moved():
    world = small_world(pace=1.0)
    failed: list[BaseException] = []

    def act() -> None:
        try:
            world.act("run:wait#0", {"kind": "wait", "seconds": 600.0})
        except Stopped as error:
            failed.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    while not world._acting.locked():
        time.sleep(0.001)
    assert world.acts_done("run:wait") == 0  # questions are answered meanwhile
    world.make_safe()
    thread.join(10.0)
    assert not thread.is_alive()
    assert len(failed) == 1
    assert world.acts_done("run:wait") == 0
    assert world.halts() == 1
    world.pace = 0.0
    assert world.act("run:wait#0", {"kind": "wait", "seconds": 600.0}).status == "done"
    world.make_safe()
    world.make_safe()
    assert world.halts() == 3


def test_a_fault_plan_can_be_written_in_yaml(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text(
        "faults:\n  - {kind: clog, probability: 0.01}\n"
        "  - {kind: power cut, nth: 17, happened: true}\n"
        "  - {kind: short aspirate, instruction: i4, channels: [2], fraction: 0.4, noticed: false}\n"
    )
    plan = validate(load_document(path), FaultPlan)
    assert [fault.kind for fault in plan.faults] == ["clog", "power cut", "short aspirate"]
    assert plan.faults[2].channels == (2,)


@pytest.mark.parametrize("given", [{}, {"nth": 1, "probability": 0.5}, {"instruction": "a", "nth": 1}])
def test_a_fault_strikes_in_exactly_one_way(given):
    with pytest.raises(ValidationError, match="exactly one"):
        PlannedFault(kind="clog", **given)


def test_a_device_that_cannot_say_does_again_what_it_is_told_again(tmp_path):
    devices = {name: device.model_copy(update={"answers": False}) for name, device in spec().devices.items()}
    world = small_world(workcell=spec(devices=devices), log=tmp_path / "world.sqlite")
    world.act("run:pick#0", pick("AB"))
    for _ in range(3):
        assert world.act("run:draw#0", DRAW).status == "done"
    assert [act.id for act in world.log()][-3:] == ["run:draw#0", "run:draw#0 again 1", "run:draw#0 again 2"]
    assert world.acts_done("run:draw") is None
    world.close()
