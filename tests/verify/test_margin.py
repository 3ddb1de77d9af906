"""The margin: errors of strokes add up in wells and in tips, and go where the liquid goes."""

import pytest

from protocols.liquids import LiquidClass
from protocols.program import AnyInstruction, Mix, PickUpTips
from protocols.verify import verify

from .lab import draw, drop, pick, program, push, workcell

LAB = workcell()
BLOWN = {"water": LiquidClass(name="water", blow_out=20)}


def kept(*instructions: AnyInstruction, margin: float = 0.1, **fields: object) -> bool:
    made = program(*instructions, **fields)  # type: ignore[arg-type]
    errors = {finding.code for finding in verify(made, LAB, margin=margin).findings if finding.severity == "error"}
    assert errors <= {"L11"}
    return not errors


@pytest.mark.parametrize(("start", "enough"), [(130.0, True), (129.0, False)])
def test_errors_of_draws_from_one_well_add_up(start: float, enough: bool) -> None:
    # two times 50 µL, 10 % of 100 µL and 20 µL that no tip at 0.56 mm reaches
    steps = [step for n in range(2) for step in (draw(name=f"d{n}", height=0.5555555), push(name=f"p{n}"))]
    assert kept(pick(), *steps, drop(), fills={"plate/A1": start}) is enough


@pytest.mark.parametrize(("share", "room"), [(90.0, True), (92.0, False)])
def test_errors_of_draws_into_one_tip_add_up(share: float, room: bool) -> None:
    # three draws into 300 µL: 270 + 27 fit, 276 + 27.6 do not
    wells = {f"plate/{row}1": 300.0 for row in "ABC"}
    draws = [draw(well, share, name=well, height=1) for well in wells]
    assert kept(pick(), *draws, fills=wells) is room


@pytest.mark.parametrize(("start", "room"), [(320.0, True), (330.0, False)])
def test_the_last_well_of_a_distribution_gets_the_errors_of_all_strokes(start: float, room: bool) -> None:
    # 150 µL for six wells: 25 µL and as much as draws and dispenses before strayed, 15 + 12.5 - 12.5 at the most
    rows = "BCDEFG"
    pushes = [push(f"plate/{row}1", 25.0, name=row) for row in rows]
    fills = {"plate/A1": 320.0, "plate/G1": start}
    liquid_classes = {"water": LiquidClass(name="water", blow_out=10)}
    assert (
        kept(
            pick(), draw(volume=150, height=2), *pushes, drop(), fills=fills, margin=0.02, liquid_classes=liquid_classes
        )
        is room
    )


@pytest.mark.parametrize(("volume", "enough"), [(85.0, True), (86.0, False)])
def test_a_mix_needs_what_may_be_missing_in_its_well(volume: float, enough: bool) -> None:
    # 100 µL dispensed may be 95, of which 10 are out of reach
    stir = Mix(
        id="mix",
        pipette="p8",
        channels=(0,),
        wells=("plate/B1",),
        volumes=(volume,),
        cycles=1,
        liquid_class="water",
        height=0,
    )
    steps = (pick(), draw(volume=100), push(volume=100), stir, drop())
    assert kept(*steps, margin=0.05, liquid_classes=BLOWN) is enough


def test_a_tip_that_is_blown_out_forgets_its_errors() -> None:
    fills = {"plate/A1": 320.0}
    rounds = [
        step for n in range(8) for step in (draw(volume=30, name=f"d{n}", height=1), push(volume=30, name=f"p{n}"))
    ]
    full = draw("trough/A1", 245, name="full", height=40)
    fills["trough/A1"] = 50_000.0
    assert kept(pick(), *rounds, full, fills=fills, liquid_classes=BLOWN)
    assert not kept(pick(), *rounds, full, fills=fills)


def test_new_tips_come_without_errors() -> None:
    fills = {"plate/A1": 320.0, "trough/A1": 50_000.0}
    rounds = [
        step for n in range(8) for step in (draw(volume=30, name=f"d{n}", height=1), push(volume=30, name=f"p{n}"))
    ]
    new = PickUpTips(id="new", pipette="p8", channels=(0,), spots=("tips/B1",))
    full = draw("trough/A1", 265, name="full", height=40)
    assert kept(pick(), *rounds, drop(), new, full, fills=fills)
