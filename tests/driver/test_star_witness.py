"""The genuine STAR code of pylabrobot as a witness: a program through our driver gives the right firmware strings."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from protocols.errors import DeviceError
from protocols.liquids import LiquidClass
from protocols.program import AirGap, Aspirate, BlowOut, Dispense, DropTips, Mix, MoveLabware, PickUpTips, TouchTip
from protocols.specs import Fill, PlacedLabware
from robots.workcell import Workcell
from tests.driver.lab import FILMLESS, PLATE, Bench, RecordingStar, numbers, program

pytestmark = pytest.mark.robots

PICK = PickUpTips(id="pick", pipette="channels", channels=(0, 1), spots=("tips_300_1/A1", "tips_300_1/B1"))
DROP = DropTips(id="drop", pipette="channels", channels=(0, 1))


def aspirate(*volumes: float, wells: tuple[str, ...] = ("p/A1", "p/B1"), height: float | None = 2.0) -> Aspirate:
    channels = tuple(range(len(volumes)))
    return Aspirate(
        id="draw", pipette="channels", channels=channels, wells=wells, volumes=volumes, liquid_class="w", height=height
    )


def dispense(*volumes: float, wells: tuple[str, ...] = ("p/A2", "p/B2"), height: float | None = 2.0) -> Dispense:
    channels = tuple(range(len(volumes)))
    return Dispense(
        id="give", pipette="channels", channels=channels, wells=wells, volumes=volumes, liquid_class="w", height=height
    )


def run(starlet: Workcell, *instructions: object, own: LiquidClass = FILMLESS, gripper: str = "iswap") -> RecordingStar:
    bench = Bench(starlet, program(*instructions, own=own), gripper=gripper)  # type: ignore[arg-type]
    outcomes = asyncio.run(bench.run())
    assert [outcome.status for outcome in outcomes] == ["done"] * len(instructions), outcomes
    backend: RecordingStar = bench.backend
    return backend


def test_a_transfer_is_sent_as_pick_up_aspirate_dispense_and_discard(starlet: Workcell) -> None:
    sent = run(starlet, PICK, aspirate(100.0, 50.0), dispense(100.0, 50.0), DROP).sent
    assert [command[:4] for command in sent] == ["C0TT", "C0TP", "C0AS", "C0DS", "C0TR"]


def test_tips_are_picked_up_where_they_stand(starlet: Workcell) -> None:
    # TIP_CAR_480_A00 at rail 1: its front site and the rack's A1 by pylabrobot's figures, in tenths of a mm
    spot = starlet.build_deck().get_resource("tips_300_1").get_item("A1")
    place = spot.get_location_wrt(starlet_deck(spot)) + spot.center()
    picked = run(starlet, PICK).last("C0TP")
    assert numbers(picked, "xp")[:2] == [round(place.x * 10)] * 2
    assert numbers(picked, "yp")[:2] == [round(place.y * 10), round(place.y * 10) - 90]
    assert numbers(picked, "tm") == [1, 1, 0]


def starlet_deck(resource: object) -> object:
    top = resource
    while top.parent is not None:  # type: ignore[attr-defined]
        top = top.parent  # type: ignore[attr-defined]
    return top


def test_100_ul_of_water_leave_with_hamiltons_correction(starlet: Workcell) -> None:
    # StandardVolumeFilter_Water_DispenseSurface_Empty: 100 µL -> 107.2, 50 µL -> 55.1 µL, in tenths of a µL
    star = run(starlet, PICK, aspirate(100.0, 50.0), dispense(100.0, 50.0))
    assert numbers(star.last("C0AS"), "av")[:2] == [1072, 551]
    assert numbers(star.last("C0DS"), "dv")[:2] == [1072, 551]


def test_a_class_with_its_own_correction_is_obeyed(starlet: Workcell) -> None:
    own = FILMLESS.model_copy(update={"correction": ((100.0, 104.0), (300.0, 306.0))})
    star = run(starlet, PICK, aspirate(100.0, 50.0), dispense(100.0, 50.0), own=own)
    assert numbers(star.last("C0AS"), "av")[:2] == [1040, 520]


def test_flow_rates_air_and_times_are_the_liquid_classs(starlet: Workcell) -> None:
    own = LiquidClass(
        name="own", aspirate_flow_rate=80.0, dispense_flow_rate=60.0, transport_air=7.0, blow_out=20.0, settle=2.5
    )
    star = run(starlet, PICK, aspirate(100.0, 100.0), dispense(100.0, 100.0), own=own)
    drawn, given = star.last("C0AS"), star.last("C0DS")
    assert numbers(drawn, "as")[0] == 800
    assert numbers(given, "ds")[0] == 600
    assert (numbers(drawn, "ta")[0], numbers(given, "ta")[0]) == (70, 70)
    assert (numbers(drawn, "ba")[0], numbers(given, "ba")[0]) == (200, 200)
    assert (numbers(drawn, "wt")[0], numbers(given, "wt")[0]) == (25, 25)


@pytest.mark.parametrize(
    ("jet", "given", "mode"), [(False, 100.0, 3), (True, 100.0, 1), (False, 40.0, 2), (True, 40.0, 0)]
)
def test_the_dispensing_mode_follows_jet_and_whether_the_tip_empties(
    starlet: Workcell, jet: bool, given: float, mode: int
) -> None:
    own = FILMLESS.model_copy(update={"jet": jet})
    star = run(starlet, PICK, aspirate(100.0, 100.0), dispense(given, given), own=own)
    assert numbers(star.last("C0DS"), "dm")[:2] == [mode, mode]


def test_the_tip_goes_to_the_height_above_the_cavity_bottom(starlet: Workcell) -> None:
    star = run(starlet, PICK, aspirate(100.0, 50.0, height=2.5))
    drawn = star.last("C0AS")
    assert numbers(drawn, "zl")[0] - numbers(drawn, "zx")[0] == pytest.approx(25, abs=1)  # each is rounded


def test_an_unknown_height_is_never_the_cavity_bottom(starlet: Workcell) -> None:
    star = run(starlet, PICK, aspirate(100.0, 50.0, height=None))
    drawn = star.last("C0AS")
    assert numbers(drawn, "zl")[0] - numbers(drawn, "zx")[0] == pytest.approx(10, abs=1)


def test_a_jet_over_wells_of_unlike_depth_falls_from_each_rim(starlet: Workcell) -> None:
    own = FILMLESS.model_copy(update={"jet": True})
    plates = {"p": PLATE, "deep": PlacedLabware(kind="deepwell_96_2ml", site="plates-a-2")}
    wells = ("deep/A1", "p/A1")
    give = dispense(40.0, 40.0, wells=wells, height=42.0)
    bench = Bench(starlet, program(PICK, aspirate(100.0, 100.0), give, own=own, labware=plates))
    assert [outcome.status for outcome in asyncio.run(bench.run())] == ["done"] * 3
    given = bench.backend.last("C0DS")
    above = [surface - bottom for surface, bottom in zip(numbers(given, "zl"), numbers(given, "zx"), strict=True)]
    assert above[:2] == pytest.approx([420, 107], abs=1)


def test_level_detection_is_switched_on_and_follows_the_surface(starlet: Workcell) -> None:
    own = FILMLESS.model_copy(update={"level_detection": True, "immersion": 2.0})
    star = run(starlet, PICK, aspirate(100.0, 50.0), own=own)
    drawn = star.last("C0AS")
    assert numbers(drawn, "lm")[:2] == [1, 1]
    assert numbers(drawn, "ip")[0] == 20
    # 100 µL of 200 in a well of 6.86 mm diameter lower the surface by about 100 / 36.96 = 2.7 mm
    assert 24 <= numbers(drawn, "fp")[0] <= 31


def test_channels_in_one_trough_keep_their_distance(starlet: Workcell) -> None:
    spots = tuple(f"tips_300_1/{row}1" for row in "ABCDEFGH")
    pick = PickUpTips(id="pick", pipette="channels", channels=tuple(range(8)), spots=spots)
    star = run(starlet, pick, aspirate(*[50.0] * 8, wells=("diluent/A1",) * 8))
    y = numbers(star.last("C0AS"), "yp")[:8]
    assert all(back - front >= 90 for back, front in pairwise(y))


def test_channels_in_one_trough_leave_room_for_those_between_them(starlet: Workcell) -> None:
    ends: dict[str, object] = {"pipette": "channels", "channels": (0, 7)}
    pick = PickUpTips(id="pick", spots=("tips_300_1/A1", "tips_300_1/H1"), **ends)
    wells = {"wells": ("diluent/A1",) * 2, "volumes": (50.0, 50.0), "liquid_class": "w", "height": 20.0}
    y = numbers(run(starlet, pick, Aspirate(id="draw", **ends, **wells)).last("C0AS"), "yp")
    assert y[0] - y[7] >= 7 * 90


def test_channels_may_be_named_in_any_order(starlet: Workcell) -> None:
    turned: dict[str, object] = {"pipette": "channels", "channels": (1, 0)}
    pick = PickUpTips(id="pick", spots=("tips_300_1/B1", "tips_300_1/A1"), **turned)
    stroke = {"liquid_class": "w", "height": 2.0, **turned}
    draw = Aspirate(id="draw", wells=("p/B1", "p/A1"), volumes=(50.0, 100.0), **stroke)
    give = Dispense(id="give", wells=("p/B2", "p/A2"), volumes=(50.0, 100.0), **stroke)
    star = run(starlet, pick, draw, give, DropTips(id="drop", **turned))
    assert numbers(star.last("C0AS"), "av")[:2] == [1072, 551]
    assert numbers(star.last("C0AS"), "yp") == numbers(run(starlet, PICK, aspirate(100.0, 50.0)).last("C0AS"), "yp")


def test_wells_beside_each_other_are_visited_one_after_the_other(starlet: Workcell) -> None:
    star = run(starlet, PICK, aspirate(100.0, 50.0), dispense(100.0, 50.0, wells=("p/A2", "p/B3")))
    x = numbers(star.last("C0DS"), "xp")
    assert x[1] - x[0] == 90


def test_an_air_gap_is_drawn_above_the_well_uncorrected(starlet: Workcell) -> None:
    gap = AirGap(id="gap", pipette="channels", channels=(0, 1), volumes=(10.0, 10.0))
    star = run(starlet, PICK, aspirate(100.0, 50.0), gap)
    drawn = star.last("C0AS")
    assert numbers(drawn, "av")[:2] == [100, 100]
    assert numbers(drawn, "ta")[:2] == [0, 0]
    assert numbers(drawn, "zl")[0] - numbers(drawn, "zx")[0] > 107  # the well is 10.67 mm deep


def test_a_mix_moves_nothing_and_strokes_as_often_as_asked(starlet: Workcell) -> None:
    mix = Mix(
        id="mix",
        pipette="channels",
        channels=(0, 1),
        wells=("p/A1", "p/B1"),
        volumes=(60.0, 30.0),
        cycles=3,
        liquid_class="w",
        height=1.0,
    )
    drawn = run(starlet, PICK, mix).last("C0AS")
    assert numbers(drawn, "av")[:2] == [0, 0]
    assert numbers(drawn, "mv")[:2] == [600, 300]
    assert numbers(drawn, "mc")[:2] == [3, 3]


def test_pre_wetting_is_part_of_the_aspirate(starlet: Workcell) -> None:
    own = FILMLESS.model_copy(update={"pre_wet": 2})
    drawn = run(starlet, PICK, aspirate(100.0, 50.0), own=own).last("C0AS")
    assert (numbers(drawn, "mv")[:2], numbers(drawn, "mc")[:2]) == ([1000, 500], [2, 2])


@pytest.mark.parametrize(("gripper", "commands"), [("iswap", ["C0PP", "C0PR"]), ("core", ["C0ZP", "C0ZR"])])
def test_a_plate_is_carried_by_the_arm_of_the_workcell_file(
    starlet: Workcell, gripper: str, commands: list[str]
) -> None:
    star = run(starlet, MoveLabware(id="move", labware="p", site="plates-b-2"), gripper=gripper)
    sent = [command[:4] for command in star.sent]
    assert [command for command in sent if command in commands] == commands


def test_the_head_moves_a_whole_plate(starlet: Workcell) -> None:
    every = tuple(f"{row}{column}" for column in range(1, 13) for row in "ABCDEFGH")
    shared = {"pipette": "head96", "channels": tuple(range(96))}
    stroke = {**shared, "volumes": (50.0,) * 96, "liquid_class": "w", "height": 1.0}
    instructions = (
        PickUpTips(id="pick", spots=tuple(f"tips_300_1/{spot}" for spot in every), **shared),
        Aspirate(id="draw", wells=tuple(f"p/{well}" for well in every), **stroke),
        Dispense(id="give", wells=tuple(f"q/{well}" for well in every), **stroke),
        DropTips(id="drop", **shared),
    )
    plates = {"p": PLATE, "q": PlacedLabware(kind="flat_96_360ul", site="plates-a-2")}
    contents = tuple(Fill(well=f"p/{well}", liquid="sample", volume=200.0) for well in every)
    bench = Bench(starlet, program(*instructions, labware=plates, contents=contents))
    outcomes = asyncio.run(bench.run())
    assert [outcome.status for outcome in outcomes] == ["done"] * 4, outcomes
    star: RecordingStar = bench.backend
    head = [command[:4] for command in star.sent if command[:4] in ("C0EP", "C0EA", "C0ED", "C0ER")]
    assert head == ["C0EP", "C0EA", "C0ED", "C0ER"]
    # StandardVolumeFilter_Water_DispenseSurface_96Head_Empty: from (10, 11.9) to (100, 104.5) µL, so 50 µL -> 53.1
    assert numbers(star.last("C0EA"), "af") == [531]
    assert numbers(star.last("C0ED"), "df") == [531]
    assert bench.state.volume("q/H12") == pytest.approx(50.0)


def test_make_safe_halts_the_machine_as_often_as_it_is_asked(starlet: Workcell) -> None:
    bench = Bench(starlet, program(PICK))

    async def story() -> None:
        await bench.run()
        await bench.driver.make_safe()
        await bench.driver.make_safe()
        await bench.driver.close()  # tips are mounted, and the record knows it
        await bench.driver.close()

    asyncio.run(story())
    assert [command[:4] for command in bench.backend.sent][-2:] == ["C0HD", "C0HD"]


def test_a_blow_out_empties_the_tip_and_a_touch_ends_at_the_wall(starlet: Workcell) -> None:
    shared: dict[str, Any] = {"pipette": "channels", "channels": (0, 1), "wells": ("p/A2", "p/B2")}
    backend = run(
        starlet,
        PICK,
        aspirate(60.0, 45.0),
        dispense(20.0, 20.0),
        TouchTip(id="touch", height=9.0, **shared),
        BlowOut(id="out", flow_rate=50.0, height=9.0, **shared),
        TouchTip(id="again", **shared),
        DROP,
    )
    _, touched, emptied, again = [sent for sent in backend.sent if sent.startswith("C0DS")]
    well = starlet.make("q", PLATE.kind).get_well("A1")
    assert numbers(emptied, "dm")[:2] == [4, 4]
    assert numbers(emptied, "dv")[:2] == [400, 250]
    assert numbers(emptied, "ds")[0] == 500
    for sent in (touched, again):
        assert numbers(sent, "dv")[:2] == [0, 0]
        assert numbers(sent, "dj")[0] == int((well.get_size_x() / 2 - 0.5) * 10)
    assert numbers(again, "zl")[0] - numbers(emptied, "zl")[0] == round((well.get_size_z() - 1.0 - 9.0) * 10)


def test_a_head_blows_out_and_cannot_touch_walls(starlet: Workcell) -> None:
    names = [f"{row}{column}" for column in range(1, 13) for row in "ABCDEFGH"]
    head: dict[str, Any] = {"pipette": "head96", "channels": tuple(range(96))}
    wells = tuple(f"p/{name}" for name in names)
    parts = (
        PickUpTips(id="pick", spots=tuple(f"tips_300_2/{name}" for name in names), **head),
        Aspirate(id="draw", wells=wells, volumes=(10.0,) * 96, liquid_class="w", height=1.0, **head),
        BlowOut(id="out", wells=wells, height=9.0, **head),
    )
    contents = tuple(Fill(well=well, liquid="sample", volume=50.0) for well in wells)
    bench = Bench(starlet, program(*parts, DropTips(id="drop", **head), contents=contents))
    assert {outcome.status for outcome in asyncio.run(bench.run())} == {"done"}
    assert "da4" in bench.backend.last("C0ED")
    touching = Bench(starlet, program(*parts, TouchTip(id="touch", wells=wells, **head), contents=contents))
    with pytest.raises(DeviceError, match="'touch': a CO-RE head has no way to touch"):
        asyncio.run(touching.run())
    assert touching.backend.sent == []
