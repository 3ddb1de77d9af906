"""What verification only warns of, or notes, does no harm that can be measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocols.liquids import LiquidClass
from protocols.program import (
    AirGap,
    Aspirate,
    Dispense,
)
from protocols.specs import Fill, PlacedLabware
from protocols.verify import verify
from tests.agreement.harm import (
    harms,
)
from tests.agreement.measures import driven, star_refuses
from tests.agreement.programs import workcell
from tests.agreement.small import BOTH, TRANSFER, draw, drop, made, pick, push, two

PUSHED = (draw("a/A2"), push())
DOUBTFUL = {
    "L13": made(*TRANSFER, contents=[Fill(well="a/A1", liquid="mystery", volume=200.0)]),
    "P09": made(
        pick(*BOTH),
        two(Aspirate, "draw", "a/A1", "a/B2"),
        two(Dispense, "push", "b/B1", "b/A2", height=5.0),
        drop(channels=(0, 1)),
    ),
    "P10": made(*TRANSFER, labware={"b": PlacedLabware(kind="flat_96_360ul", site="tips-a-3")}),
    "P15": made(*TRANSFER, labware={"diluent": PlacedLabware(kind="trough_200ml", site="troughs-1", barcode="T1")}),
    "C03": made(pick(), *PUSHED, draw("a/A1", name="next"), push("b/C1", name="again"), drop()),
    # the tip still holds blue when it goes into the red, and is meant to bring both
    "C03 loaded": made(
        pick(), draw("a/A2"), draw("a/A1", name="next"), push("b/B1", 60), push("b/C1", 40, name="again"), drop()
    ),
    # air keeps the rest of blue from the red
    "C03 gap": made(
        pick(),
        draw("a/A2", liquid_class="film"),
        push(liquid_class="film"),
        AirGap(id="gap", volumes=(10.0,), pipette="channels", channels=(0,)),
        draw("a/A1", name="next", liquid_class="part"),
        push("b/C1", name="again", liquid_class="part"),
        drop(),
    ),
}
UNUSED = {"fast": LiquidClass(name="f", aspirate_flow_rate=2000, dispense_flow_rate=2000)}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_only_doubtful_does_no_harm(name: str) -> None:
    lab, wanted = workcell("starlet"), DOUBTFUL[name]
    if name == "P10":  # a rack less stands on the deck
        own = {rack: placed for rack, placed in lab.spec.labware.items() if placed.site != "tips-a-3"}
        lab = replace(lab, spec=lab.spec.model_copy(update={"labware": own}))
    found = verify(wanted, lab.spec)
    assert found.ok
    assert name.split()[0] in {finding.code for finding in found.findings}
    assert driven(harms)(wanted, lab) == 0.0
    assert star_refuses(wanted, lab) == 0.0


def test_a_liquid_class_that_nobody_uses_is_no_error() -> None:
    wanted = made(*TRANSFER, classes=UNUSED)
    assert verify(wanted, workcell("starlet").spec).ok
    assert driven(harms)(wanted, workcell("starlet")) == 0.0
