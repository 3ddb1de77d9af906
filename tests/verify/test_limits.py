"""What a device would refuse although each stroke for itself is sound: heads, heights, limits, empty wells."""

import pytest

from protocols.liquids import LiquidClass
from protocols.program import AirGap, AnyInstruction, Aspirate, Mix, PickUpTips, Program
from protocols.specs import PlacedLabware
from protocols.verify import verify

from .lab import GRID, RACK, TIP, TROUGH, WATER, draw, drop, pick, program, push, workcell

LONG_RACK = RACK.model_copy(
    update={"kind": "long rack", "tip": TIP.model_copy(update={"kind": "long", "capacity": 900})}
)
BASIN = TROUGH.shapes["basin"]
WIDE = TROUGH.model_copy(
    update={"kind": "wide trough", "shapes": {"basin": BASIN.model_copy(update={"opening": (101, 65)})}}
)
PLAIN = workcell()
LAB = workcell(
    kinds={**PLAIN.kinds, "long rack": LONG_RACK, "wide trough": WIDE},
    labware={**PLAIN.labware, "long": PlacedLabware(kind="long rack", site="site 5")},
)
ALL = {"pipette": "head", "channels": tuple(range(96))}
FULL = {f"plate/{well}": 200.0 for well in GRID}


def codes(*instructions: AnyInstruction, **fields: object) -> set[str]:
    made: Program = program(*instructions, **fields)  # type: ignore[arg-type]
    return {finding.code for finding in verify(made, LAB).findings if finding.severity == "error"}


def stamp(kind: type, place: str | None = None, **changes: object) -> AnyInstruction:
    wells = tuple(f"plate/{well}" for well in GRID) if place is None else (place,) * 96
    given = {"id": "s", "wells": wells, "volumes": (20.0,) * 96, "liquid_class": "water", "height": 0.1}
    made: AnyInstruction = kind(**{**given, **ALL, **changes})
    return made


HEAD_TIPS = PickUpTips(id="pick", spots=tuple(f"tips/{well}" for well in GRID), **ALL)


def test_a_head_takes_all_its_channels_in_order() -> None:
    some = {"pipette": "head", "channels": tuple(range(8))}
    turned = {"pipette": "head", "channels": tuple(reversed(range(96)))}
    assert codes(HEAD_TIPS, drop(**ALL)) == set()
    assert codes(HEAD_TIPS, drop(**some)) == {"D09"}
    assert codes(PickUpTips(id="p", spots=HEAD_TIPS.spots[:8], **some)) == {"D09"}
    assert codes(HEAD_TIPS, drop(**turned)) == {"D09"}


def test_a_head_draws_one_volume_of_air() -> None:
    gap = AirGap(id="gap", volumes=(5.0,) * 96, **ALL)
    uneven = AirGap(id="gap", volumes=(5.0,) * 95 + (6.0,), **ALL)
    assert codes(HEAD_TIPS, gap) == set()
    assert codes(HEAD_TIPS, uneven) == {"D09"}


def test_a_head_needs_a_trough_that_its_nozzles_fit_into() -> None:
    wide = {"wide": PlacedLabware(kind="wide trough", site="site 6")}
    fills = {"wide/A1": 40_000.0, "trough/A1": 40_000.0}
    deep = {"height": 30.0}
    assert codes(HEAD_TIPS, stamp(Aspirate, "wide/A1", **deep), labware=wide, fills=fills) == set()
    assert codes(HEAD_TIPS, stamp(Aspirate, "trough/A1", **deep), labware=wide, fills=fills) == {"P07"}


def test_tips_of_two_kinds_are_not_picked_up_at_once() -> None:
    assert "D09" in codes(PickUpTips(id="p", pipette="p8", channels=(0, 1), spots=("tips/A1", "long/B1")))


def test_two_channels_at_one_spot_are_a_finding_and_no_error() -> None:
    assert codes(PickUpTips(id="p", pipette="p8", channels=(0, 1), spots=("tips/A1", "tips/A1"))) == {"P07", "T02"}


@pytest.mark.parametrize(("volume", "found"), [(300.0, set()), (301.0, {"D03"})])
def test_air_is_drawn_within_the_pipettes_stroke(volume: float, found: set[str]) -> None:
    gap = AirGap(id="gap", pipette="p8", channels=(0,), volumes=(volume,))
    windy = {"water": WATER.model_copy(update={"blow_out": volume})}
    assert codes(pick("long/A1"), gap, drop()) == found
    assert codes(pick("long/A1"), draw(), push(volume=50), drop(), liquid_classes=windy) == found


def test_heights_lie_within_the_well_but_for_jets() -> None:
    jet = {"water": LiquidClass(name="water", jet=True)}
    assert codes(pick(), draw(), push(height=12), drop()) == {"P08"}
    assert codes(pick(), draw(), push(height=12), drop(), liquid_classes=jet) == set()
    assert codes(pick(), draw(height=12), push(), drop(), liquid_classes=jet) == {"P08", "L01"}


def test_no_surface_is_found_in_an_empty_well() -> None:
    following = {"water": LiquidClass(name="water", level_detection=True)}
    nothing = draw("plate/C1", volume=0)
    assert codes(pick(), nothing, drop()) == set()
    assert codes(pick(), nothing, drop(), liquid_classes=following) == {"L01"}
    stir = Mix(id="m", pipette="p8", channels=(0,), wells=("plate/C1",), volumes=(0.0,), cycles=1, liquid_class="water")
    assert codes(pick(), stir, drop(), liquid_classes=following) == {"L01"}
