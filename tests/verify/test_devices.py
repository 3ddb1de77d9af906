"""Codes of devices on the deck, of what stands in a pipette's way, and of heads that use some of their nozzles."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from protocols.device_instructions import (
    AwaitTemperature,
    ProfileStep,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.program import AirGap, AnyInstruction, Aspirate, BlowOut, Dispense, MoveLabware, Program, TouchTip
from protocols.specs import Fill, PlacedLabware, WellShape, WellSite, WorkcellSpec
from protocols.verify import RULES, verify

from .flex import of, put, robot, take
from .lab import GRID

FLEX = robot("Flex", left=96, right=1, tips=5, tall=6, plate=9, other=8, trough=7)
OT2 = robot("OT-2", left=8, right=1, shaker=5, tips=2, more=7, plate=5, other=4, trough=9)
ONE = (0,)
EIGHT = tuple(range(8))
COLUMN = tuple(range(88, 96))
OPEN, CLOSE = SetLatch(id="open", device="shaker", open=True), SetLatch(id="close", device="shaker", open=False)
SHAKE, STOP = Shake(id="shake", device="shaker", rpm=500), Shake(id="stop", device="shaker", rpm=None)


def codes(lab: WorkcellSpec, *instructions: AnyInstruction, severity: str = "error", **fields: Any) -> set[str]:
    """The codes of a program's findings; tips left on the channels do not matter here."""
    renamed = [replace(instruction, id=f"i{number}") for number, instruction in enumerate(instructions)]
    found = verify(of(*renamed, **fields), lab).findings
    return {finding.code for finding in found if finding.severity == severity}


def draw(well: str, pipette: str = "right", channels: tuple[int, ...] = ONE, **changes: Any) -> Aspirate:
    return Aspirate(id="draw", **_stroke(well, pipette, channels) | changes)


def push(well: str, pipette: str = "right", channels: tuple[int, ...] = ONE, **changes: Any) -> Dispense:
    return Dispense(id="push", **_stroke(well, pipette, channels) | changes)


def _stroke(well: str, pipette: str, channels: tuple[int, ...]) -> dict[str, Any]:
    return {
        "pipette": pipette,
        "channels": channels,
        "wells": wells(well, len(channels)),
        "volumes": (20.0,) * len(channels),
        "liquid_class": "water",
        "height": 1.0,
    }


def wells(first: str, count: int) -> tuple[str, ...]:
    labware, _, well = first.rpartition("/")
    return tuple(f"{labware}/{GRID[GRID.index(well) + at]}" for at in range(count))


def move(labware: str, site: str, by: Any = "arm") -> MoveLabware:
    return MoveLabware(id="move", labware=labware, site=site, by=by)


def profile(celsius: float) -> RunProfile:
    return RunProfile(id="p", device="cycler", steps=(ProfileStep(celsius=celsius, seconds=30),))


TAKE = take("right", ONE)
DEVICE_CASES: dict[str, tuple[Sequence[AnyInstruction], Sequence[AnyInstruction]]] = {
    "L14": (
        (TAKE, draw("plate/A1", volumes=(195.0,), takes_rest=True)),
        (TAKE, draw("plate/A1", volumes=(180.0,), takes_rest=True, height=0.1)),
    ),
    "L16": (
        (TAKE, draw("plate/A1"), push("other/A1", volumes=(30.0,), gives_rest=True)),
        (TAKE, draw("plate/A1"), push("other/A1", gives_rest=True)),
    ),
    "T09": ((take("left", EIGHT),), (take("left", tuple(range(88, 96))),)),
    "P11": (
        (take("left", tuple(range(96))), move("tall", "C1")),
        (take("left", tuple(range(96))), move("other", "C1")),
    ),
    "P12": (
        (TAKE, move("plate", "off-deck", "person"), draw("plate/A1")),
        (TAKE, move("plate", "off-deck", "person"), move("plate", "B3", "person"), draw("plate/A1")),
    ),
    "D10": ((Shake(id="s", device="cycler", rpm=500),), (CLOSE, SHAKE, STOP)),
    "D11": ((SHAKE,), (CLOSE, SHAKE)),
    "D12": ((CLOSE, SHAKE, OPEN), (CLOSE, SHAKE, STOP, OPEN)),
    "D13": (
        (SetLid(id="l", device="cycler", open=False), move("plate", "A1")),
        (SetLid(id="l", device="cycler", open=True), move("plate", "A1")),
    ),
    "D14": (
        (SetTemperature(id="t", device="shaker", celsius=96),),
        (SetTemperature(id="t", device="shaker", celsius=95),),
    ),
    "D15": (
        (AwaitTemperature(id="a", device="shaker"),),
        (SetTemperature(id="t", device="shaker", celsius=37), AwaitTemperature(id="a", device="shaker")),
    ),
}


@pytest.mark.parametrize("code", DEVICE_CASES)
def test_each_code_is_given_where_it_is_deserved_and_only_there(code: str) -> None:
    bad, good = DEVICE_CASES[code]
    severity = RULES[code].severity
    assert code in codes(FLEX, *bad, severity=severity)
    assert code not in codes(FLEX, *good, severity=severity)
    assert codes(FLEX, *good) == set()


def test_less_declared_than_is_drawn_is_worth_a_warning() -> None:
    fill = Fill(well="plate/A1", liquid="water", volume=100, declared=40)
    found = verify(of(TAKE, contents=[fill]), FLEX).findings
    assert [(finding.code, finding.place, finding.severity) for finding in found if finding.code == "L15"] == [
        ("L15", "plate/A1", "warning")
    ]
    assert "40 µL" in found[0].message
    enough = replace(fill, declared=100)
    assert "L15" not in {finding.code for finding in verify(of(TAKE, contents=[enough]), FLEX).findings}


def test_a_programs_own_carry_over_is_a_warning() -> None:
    film = {"liquid_class": "film"}
    steps = [
        TAKE,
        draw("plate/A1", **film),
        push("other/A1", **film),
        replace(draw("plate/A2", **film), id="again"),
        replace(push("other/A2", **film), id="there"),
        put("right", ONE),
    ]
    fills = [Fill(well="plate/A1", liquid="dye", volume=200), Fill(well="plate/A2", liquid="water", volume=200)]
    strict = {finding.code: finding.severity for finding in verify(of(*steps, contents=fills), FLEX).findings}
    mild = {
        finding.code: finding.severity
        for finding in verify(of(*steps, contents=fills, carry_over="warning"), FLEX).findings
    }
    assert (strict["C01"], mild["C01"]) == ("error", "warning")


def test_the_trash_takes_liquid_like_a_well() -> None:
    kind = FLEX.kinds["trough"].model_copy(update={"kind": "bin", "category": "trash"})
    lab = FLEX.model_copy(
        update={
            "kinds": {**FLEX.kinds, "bin": kind},
            "labware": {**FLEX.labware, "trash": PlacedLabware(kind="bin", site="trash")},
        }
    )
    blow = BlowOut(id="b", pipette="right", channels=ONE, wells=("trash/A1",))
    program = of(TAKE, draw("plate/A1"), push("trash/A1", volumes=(15.0,)), blow, put("right", ONE))
    verified = verify(program, lab)
    assert verified.ok
    assert verified.state.composition("trash/A1") == pytest.approx({"water": 20.0})


def test_a_chute_takes_every_head() -> None:
    shape = WellShape(max_volume=1e9, depth=1.0)
    spot = WellSite(x=0.5, y=30.0, z=0.0, shape="bin")
    kind = FLEX.kinds["trash"].model_copy(update={"kind": "chute", "wells": {"A1": spot}, "shapes": {"bin": shape}})
    lab = FLEX.model_copy(
        update={
            "kinds": {**FLEX.kinds, "chute": kind},
            "labware": {**FLEX.labware, "trash": PlacedLabware(kind="chute", site="trash")},
        }
    )
    blow = BlowOut(id="b", pipette="left", channels=COLUMN, wells=("trash/A1",) * 8)
    steps = (take("left", COLUMN), blow, put("left", COLUMN))
    assert codes(lab, *steps) == set()
    narrow = kind.model_copy(update={"shapes": {"bin": shape.model_copy(update={"opening": (50.0, 60.0)})}})
    tight = lab.model_copy(update={"kinds": {**lab.kinds, "chute": narrow}})
    assert codes(tight, *steps) == {"P07"}


def test_latch_and_shaking_stand_in_the_way_of_pipettes() -> None:
    assert codes(OT2, take("right", ONE, "more/A1"), draw("plate/A1")) == {"D11"}
    assert codes(OT2, CLOSE, take("right", ONE, "more/A1"), draw("plate/A1")) == set()
    assert codes(OT2, CLOSE, SHAKE, take("right", ONE, "more/A1"), draw("plate/A1")) == {"D12"}
    touch = TouchTip(id="t", pipette="right", channels=ONE, wells=("plate/A1",))
    assert codes(OT2, CLOSE, take("right", ONE, "more/A1"), OPEN, touch) == {"D11"}


def test_an_ot2_keeps_pipettes_away_from_beside_a_heater_shaker() -> None:
    """Slot 4 is left of the heater-shaker in 5, slot 2 before it, slot 7 and 9 touch its corners."""
    fills = {"other/A1": 200.0, "trough/A1": 30_000.0}
    beside = draw("other/A1")
    assert codes(OT2, take("right", ONE, "more/A1"), beside, fills=fills) == {"D11"}
    assert codes(OT2, CLOSE, take("right", ONE, "more/A1"), beside, fills=fills) == set()
    assert codes(OT2, CLOSE, SHAKE, take("right", ONE, "more/A1"), beside, fills=fills) == {"D12"}
    assert codes(OT2, take("right", ONE), fills=fills) == set()
    assert codes(OT2, CLOSE, SHAKE, take("right", ONE), fills=fills) == {"D12"}
    eight = take("left", EIGHT)
    assert codes(OT2, CLOSE, eight) == set()  # a tip rack before it
    every = {f"other/{well}": 200.0 for well in GRID[:8]}
    assert codes(OT2, CLOSE, eight, draw("other/A1", "left", EIGHT), fills=every) == {"P07"}
    before = OT2.model_copy(update={"labware": {**OT2.labware, "other": PlacedLabware(kind="plate", site="slot-8")}})
    assert codes(before, CLOSE, eight, draw("other/A1", "left", EIGHT), fills=every) == {"P07"}


def test_a_flex_keeps_pipettes_away_only_while_it_shakes() -> None:
    lab = robot("Flex", left=8, right=1, shaker=5, tips=2, plate=4, more=9)
    assert codes(lab, take("left", EIGHT), draw("plate/A1", "left", EIGHT)) == set()
    assert codes(lab, CLOSE, take("left", EIGHT, "more/A1"), SHAKE, draw("plate/A1", "left", EIGHT)) == {"D12"}


def test_a_device_keeps_its_labware() -> None:
    assert codes(OT2, move("plate", "slot-6", "person")) == {"D11"}
    assert codes(OT2, OPEN, move("plate", "slot-6", "person")) == set()
    assert codes(OT2, move("plate", "slot-10", "person"), SetLid(id="l", device="cycler", open=True)) == {"D11"}
    assert codes(FLEX, move("plate", "A1", "person")) == {"D13"}
    assert codes(FLEX, profile(99)) == set()
    assert codes(FLEX, profile(100)) == {"D14"}
    assert codes(FLEX, SetMagnet(id="m", device="magnet", raised=True, height=21)) == {"D14"}
    assert codes(FLEX, SetMagnet(id="m", device="nobody", raised=True)) == {"D10"}


def test_carrying_labware_to_where_it_stands_is_a_mistake() -> None:
    assert codes(FLEX, move("plate", "C3")) == {"P04"}
    assert codes(FLEX, move("plate", "off-deck", "person"), move("plate", "off-deck", "person")) == set()


def test_an_arm_lets_labware_fall_into_a_chute_where_there_is_one() -> None:
    with_chute = FLEX.model_copy(update={"chute": True})
    assert codes(FLEX, move("plate", "off-deck")) == {"P05"}
    assert codes(with_chute, move("plate", "off-deck")) == set()
    assert codes(with_chute, move("plate", "off-deck"), move("plate", "B3")) == {"P05"}


def test_messages_say_what_where_and_what_to_do() -> None:
    found = verify(of(CLOSE, SHAKE, OPEN), FLEX).findings
    assert str(found[0]) == "D12 error: instruction open, shaker: it is shaking: stop it first"
    hot = verify(of(SetTemperature(id="t", device="cycler", celsius=120)), FLEX).findings[0]
    assert "lies 21 beyond" in hot.message
    assert "4 to 99 °C" in hot.message


# -- heads that use some of their nozzles ----------------------------------------------------------------

HEADS = robot("Flex", left=8, right=1, tips=5, more=8, plate=9, trough=7)
LAST_FIVE = (3, 4, 5, 6, 7)


def test_some_nozzles_of_a_head_pick_up_where_no_tips_stand_under_the_others() -> None:
    """Nozzles D to H at A1 to E1: A to C hang over behind the rack."""
    front = robot("Flex", left=8, right=1, tips=5, plate=9, trough=7)
    assert codes(front, take("left", LAST_FIVE)) == set()
    assert codes(front, take("left", LAST_FIVE, "tips/B1")) == {"T09"}
    assert codes(front, take("left", (0, 1, 2))) == {"T09"}
    assert codes(front, take("left", (0, 1, 2), "tips/F1")) == set()
    assert codes(front, take("left", (0, 2))) == {"D09", "P07"}


def test_nozzles_that_hang_over_reach_into_the_next_rack() -> None:
    """The rack behind stands 90.5 mm farther: its rows F to H come to stand under nozzles A to C."""
    assert codes(HEADS, take("left", LAST_FIVE)) == {"T09"}


def test_all_channels_with_tips_act_together() -> None:
    front = robot("Flex", left=8, right=1, tips=5, plate=9, trough=7)
    five = take("left", LAST_FIVE)
    assert codes(front, five, draw("plate/A1", "left", LAST_FIVE), put("left", LAST_FIVE)) == set()
    assert codes(front, five, draw("plate/A1", "left", LAST_FIVE[:4])) == {"D09"}
    assert codes(front, five, put("left", LAST_FIVE[1:])) == {"D09"}
    assert codes(front, five, AirGap(id="g", pipette="left", channels=EIGHT, volumes=(5.0,) * 8)) == {"D09", "T01"}
    assert codes(front, five, put("left", LAST_FIVE), put("left", EIGHT)) == {"T01"}
    assert codes(front, five, take("left", (0, 1, 2), "tips/F12", "more")) == {"D09"}


def test_a_head_reaches_every_other_row_of_384_wells() -> None:
    spec = HEADS.kinds["plate"]
    names = [f"{row}{column}" for column in range(1, 25) for row in "ABCDEFGHIJKLMNOP"]
    site = spec.wells["A1"]
    dense = spec.model_copy(
        update={
            "kind": "dense",
            "rows": 16,
            "columns": 24,
            "wells": {
                name: site.model_copy(update={"x": 12 + 4.5 * (at // 16), "y": 76 - 4.5 * (at % 16)})
                for at, name in enumerate(names)
            },
        }
    )
    lab = HEADS.model_copy(update={"kinds": {**HEADS.kinds, "plate": dense}})
    odd = tuple(f"plate/{row}1" for row in "ACEGIKMO")
    even = tuple(f"plate/{row}1" for row in "BDFHJLNP")
    fills = dict.fromkeys((*odd, *even), 50.0)
    tips = take("left", EIGHT)
    for column in (odd, even):
        assert codes(lab, tips, draw("plate/A1", "left", EIGHT, wells=column, height=0.1), fills=fills) == set()
    mixed = (*odd[:4], *even[4:])
    assert codes(lab, tips, draw("plate/A1", "left", EIGHT, wells=mixed, height=0.1), fills=fills) == {"P07"}


def test_a_head_of_96_draws_from_twelve_troughs() -> None:
    basin = FLEX.kinds["trough"].shapes["basin"].model_copy(update={"opening": (8.2, 71.0)})
    site = FLEX.kinds["trough"].wells["A1"]
    twelve = FLEX.kinds["trough"].model_copy(
        update={
            "columns": 12,
            "wells": {f"A{n}": site.model_copy(update={"x": 14 + 9.0 * (n - 1), "y": 42.5}) for n in range(1, 13)},
            "shapes": {"basin": basin},
        }
    )
    lab = FLEX.model_copy(update={"kinds": {**FLEX.kinds, "trough": twelve}})
    fills = {f"trough/A{n}": 30_000.0 for n in range(1, 13)}
    every = tuple(range(96))
    columns = tuple(f"trough/A{at // 8 + 1}" for at in every)
    tips = take("left", every)
    stroke = draw("plate/A1", "left", every, wells=columns, height=20.0)
    assert codes(lab, tips, stroke, fills=fills) == set()
    shifted = tuple(f"trough/A{(at + 4) // 8 + 1}" for at in range(92)) + ("trough/A12",) * 4
    assert "P07" in codes(lab, tips, draw("plate/A1", "left", every, wells=shifted, height=20.0), fills=fills)


def test_blow_outs_and_rests_keep_to_the_margin() -> None:
    """A rest that is taken may be less; what is blown out brings its errors to the well."""
    rest: Program = of(TAKE, draw("plate/A1", volumes=(195.0,), takes_rest=True), put("right", ONE))
    assert verify(rest, FLEX, margin=0.05).ok
    blow = BlowOut(id="b", pipette="right", channels=ONE, wells=("other/A1",))
    fills = {"plate/A1": 200.0, "other/A1": 257.0}
    full = of(TAKE, draw("plate/A1", volumes=(100.0,)), blow, put("right", ONE), fills=fills)
    assert verify(full, FLEX).ok
    assert {finding.code for finding in verify(full, FLEX, margin=0.05).findings} == {"L11"}
