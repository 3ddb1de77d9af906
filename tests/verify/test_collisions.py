"""Heads that use some of their nozzles: what their body hits, how far it goes, and racks on adapters."""

from __future__ import annotations

import pytest

from protocols.program import AnyInstruction, Aspirate, DropTips, MoveLabware
from protocols.specs import DeviceSpec, LabwareSpec, PlacedLabware, SiteSpec, WorkcellSpec
from protocols.verify import verify

from .flex import of, put, robot, take

CORNER = {"Flex": (204.31, 76.59), "OT-2": (115.65, 68.03)}
PITCH = {"Flex": (164.0, 107.0), "OT-2": (132.5, 90.5)}
HEAD_BODY = (-31.0, 25.5, 130.0, -87.5)
EIGHT_BODY = (-16.0, 11.65, 16.0, -74.65)
FIRST, LAST, CORNER_NOZZLE = tuple(range(8)), tuple(range(88, 96)), (95,)
PINS = LabwareSpec(kind="pins", category="adapter", size=(127, 85, 132))


def lab(kind: str = "Flex", *, adapter: str | None = None, **labware: int) -> WorkcellSpec:
    """A robot without devices, its slots where its maker has them; ``adapter`` is the slot of one with pins."""
    name = "Flex" if kind == "Flex" else "OT-2"
    plain = robot(name, left=96 if kind == "Flex" else 8, right=1, **labware)  # type: ignore[arg-type]
    (x, y), (across, along) = CORNER[name], PITCH[name]
    sites: dict[str, SiteSpec] = {"trash": plain.sites["trash"].model_copy(update={"device": None, "x": 900})}
    for number in range(1, 12):
        old = list(plain.sites.values())[number - 1]
        column, row = (number - 1) % 3, (number - 1) // 3
        place = {"x": x + across * column, "y": y + along * row, "device": None}
        sites[old.id] = old.model_copy(update=place | {"adapter": "pins" if old.id == adapter else None})
    body = HEAD_BODY if kind == "Flex" else EIGHT_BODY
    pipettes = {**plain.pipettes, "left": plain.pipettes["left"].model_copy(update={"body": body})}
    kinds = {**plain.kinds, "pins": PINS}
    return plain.model_copy(update={"sites": sites, "devices": {}, "pipettes": pipettes, "kinds": kinds})


def codes(spec: WorkcellSpec, *instructions: AnyInstruction) -> set[str]:
    found = verify(of(*instructions, fills={}), spec).findings
    return {finding.code for finding in found if finding.code in {"P16", "P17", "T10"}}


@pytest.mark.parametrize(
    ("neighbour", "slot", "wrong"),
    [("tall", 4, True), ("tall", 6, False), ("tall", 9, False), ("plate", 4, False), ("other", 4, False)],
)
def test_the_body_hangs_over_on_the_side_of_the_idle_nozzles(neighbour: str, slot: int, wrong: bool) -> None:
    spec = lab(tips=5, **{neighbour: slot})
    assert codes(spec, take("left", LAST)) == ({"P16"} if wrong else set())


def test_the_other_end_hangs_over_on_the_other_side() -> None:
    take_last = take("left", FIRST, "tips/A12")
    assert codes(lab(tips=5, tall=6), take_last) == {"P16"}
    assert codes(lab(tips=5, tall=4), take_last) == set()


def test_labware_that_is_carried_away_is_no_longer_hit_and_the_other_way_round() -> None:
    carry = MoveLabware(id="carry", labware="tall", site="D3", by="person")
    assert codes(lab(tips=5, tall=4), carry, take("left", LAST)) == set()
    back = MoveLabware(id="back", labware="tall", site="C1", by="person")
    first = take("left", LAST), DropTips(id="return", pipette="left", channels=LAST, spots=take("left", LAST).spots)
    assert codes(lab(tips=5, tall=3), *first, back, take("left", LAST, name="again")) == {"P16"}


def test_tips_lift_the_body_over_what_is_lower_than_they_are_long() -> None:
    """Tips of 50 mm in a plate whose rim lies 11 mm high: the nozzles are at 61 mm or below, the tall rack at 99."""
    wells = tuple(f"plate/{row}1" for row in "ABCDEFGH")
    draw = Aspirate(
        id="draw", pipette="left", channels=LAST, wells=wells, volumes=(20.0,) * 8, liquid_class="water", height=5.0
    )
    assert codes(lab(tips=9, plate=5, tall=4), take("left", LAST), draw) == {"P16"}
    assert codes(lab(tips=9, plate=5, other=4), take("left", LAST), draw) == set()
    assert codes(lab(tips=9, plate=5, tall=6), take("left", LAST), draw) == set()


def test_a_head_goes_no_further_than_its_gantry() -> None:
    assert codes(lab(tips=11), take("left", CORNER_NOZZLE)) == {"P17"}
    assert codes(lab(tips=5), take("left", CORNER_NOZZLE)) == set()
    first_nozzle = take("left", (0,), "tips/H12")
    assert codes(lab(tips=2), first_nozzle) == {"P17"}
    assert codes(lab(tips=8), first_nozzle) == set()


def test_eight_channels_of_an_ot2_keep_to_its_front_and_back_alone() -> None:
    assert codes(lab("OT-2", tips=11), take("left", (7,))) == {"P17"}
    assert codes(lab("OT-2", tips=5), take("left", (7,))) == set()
    assert codes(lab("OT-2", tips=5, tall=8), take("left", (7,))) == {"P16"}
    assert codes(lab("OT-2", tips=5, tall=2), take("left", (7,))) == set()


def test_a_chute_and_the_lid_of_a_thermocycler_are_in_the_way() -> None:
    spec, last = lab(tips=2), take("left", FIRST, "tips/A12")
    assert codes(spec, last) == set()
    assert codes(spec.model_copy(update={"chute": True}), last) == {"P16"}
    behind = lab(tips=11)
    cycler = {"cycler": DeviceSpec(id="cycler", kind="thermocycler")}
    assert codes(behind, take("left", LAST)) == set()
    assert codes(behind.model_copy(update={"devices": cycler}), take("left", LAST)) == {"P16"}


def test_all_nozzles_and_bodies_that_nobody_drew_are_not_judged() -> None:
    whole = tuple(range(96))
    assert codes(lab(tips=5, tall=4, adapter="C2"), take("left", whole), put("left", whole)) == set()
    spec = lab(tips=5, tall=4)
    unknown = {**spec.pipettes, "left": spec.pipettes["left"].model_copy(update={"body": None})}
    assert codes(spec.model_copy(update={"pipettes": unknown}), take("left", LAST)) == set()


def test_an_adapter_is_needed_for_all_tips_and_in_the_way_of_some() -> None:
    whole = tuple(range(96))
    assert codes(lab(tips=5), take("left", whole)) == {"T10"}
    assert codes(lab(tips=5, adapter="C2"), take("left", whole)) == set()
    assert codes(lab(tips=5, adapter="C2"), take("left", LAST)) == {"T10"}
    assert codes(lab(tips=5), take("left", LAST)) == set()


def test_an_empty_adapter_is_as_high_as_it_is() -> None:
    assert codes(lab(tips=5, adapter="C1"), take("left", LAST)) == {"P16"}
    assert codes(lab(tips=5, adapter="C3"), take("left", LAST)) == set()


def test_a_finding_says_by_how_much() -> None:
    found = verify(of(take("left", LAST), fills={}), lab(tips=5, tall=4)).findings
    message = next(finding.message for finding in found if finding.code == "P16")
    assert message == "the body of 'left' would hit 'tall', 39 mm above its nozzles"
    assert PlacedLabware(kind="tall rack", site="C1") == lab(tips=5, tall=4).labware["tall"]
