"""pylabrobot's own trackers as a witness: without film they agree with LabState after every instruction."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.fold import apply
from protocols.liquids import LiquidClass
from protocols.program import Aspirate, Dispense, DropTips, PickUpTips
from robots.workcell import Workcell
from tests.driver.lab import Bench, program

pytestmark = pytest.mark.robots

BARE = LiquidClass(name="bare")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    strokes=st.lists(
        st.tuples(
            st.sampled_from(range(8)),
            st.sampled_from(range(8)),
            st.floats(min_value=1.0, max_value=60.0),
            st.floats(min_value=0.1, max_value=1.0),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_trackers_agree_with_labstate(starlet: Workcell, strokes: list[tuple[int, int, float, float]]) -> None:
    rows = "ABCDEFGH"
    instructions: list[object] = [
        PickUpTips(id="pick", pipette="channels", channels=(2,), spots=("tips_300_1/C1",)),
    ]
    for number, (source, target, volume, part) in enumerate(strokes):
        shared = {"pipette": "channels", "channels": (2,), "liquid_class": "w", "height": 0.0}
        instructions += [
            Aspirate(id=f"draw {number}", wells=(f"p/{rows[source]}1",), volumes=(volume,), **shared),
            Dispense(id=f"give {number}", wells=(f"p/{rows[target]}2",), volumes=(volume * part,), **shared),
        ]
    instructions.append(DropTips(id="drop", pipette="channels", channels=(2,)))
    bench = Bench(starlet, program(*instructions, own=BARE))  # type: ignore[arg-type]

    async def follow() -> None:
        await bench.driver.setup()
        for instruction in bench.program.instructions:
            outcome = await bench.driver.execute(instruction)
            assert outcome.status == "done", outcome
            apply(bench.state, bench.program, instruction, outcome)
            for well in getattr(instruction, "wells", ()):
                tracker = bench.driver.handler.deck.get_resource("p").get_well(well.split("/")[1]).tracker
                assert tracker.volume == pytest.approx(bench.state.volume(well), abs=1e-6)
            tracker = bench.driver.handler.head[2]
            assert tracker.has_tip == bench.state.has_tip("channels", 2)
            if tracker.has_tip:
                held = bench.state.tip_volume("channels", 2)
                assert tracker.get_tip().tracker.volume == pytest.approx(held, abs=1e-6)

    asyncio.run(follow())
