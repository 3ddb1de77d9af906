"""Real Opentrons protocols through driver, guard and simulated lab: each runs to its end, or fails for its reason."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from protocols.fold import apply
from protocols.opentrons.inference import infer_contents
from protocols.outcomes import Outcome
from protocols.program import Aspirate, BlowOut, Dispense, Program
from protocols.specs import OFF_DECK
from robots.workcell import Workcell
from tests.driver.test_simulated import Lab
from tests.exporting.imported import imported
from tests.opentrons import corpus

pytestmark = pytest.mark.robots


def taken_over(name: str, folder: Path) -> tuple[Program, Workcell]:
    found, workcell = imported(corpus.write(name, folder), folder / "lab")
    return infer_contents(found, workcell.spec).program, workcell


def lab_of(name: str, folder: Path) -> Lab:
    program, workcell = taken_over(name, folder)
    return Lab(workcell, program)


class Followed:
    """Which calls of the handler pylabrobot's trackers followed."""

    def __init__(self, lab: Lab) -> None:
        self.last = False
        for name in ("aspirate", "dispense"):
            self._listen(lab.driver.handler, name)

    def _listen(self, handler: Any, name: str) -> None:
        call = getattr(handler, name)

        async def listened(*args: Any, **kwargs: Any) -> None:
            self.last = not kwargs.get("above") and not kwargs.get("untracked")
            await call(*args, **kwargs)

        setattr(handler, name, listened)


async def carry_out(lab: Lab) -> tuple[list[Outcome], int]:
    """Every outcome, and how many strokes pylabrobot's trackers agreed to; where they could follow, they must."""
    followed, agreed = Followed(lab), 0
    await lab.set_up()
    outcomes = []
    for instruction in lab.program.instructions:
        outcomes.append(await lab.driver.execute(instruction))
        apply(lab.state, lab.program, instruction, outcomes[-1])
        stroke = isinstance(instruction, Aspirate | Dispense | BlowOut)
        if not stroke or not followed.last or outcomes[-1].status != "done":
            continue
        agreed += 1
        for well in set(instruction.wells):
            labware, _, place = well.partition("/")
            if labware != lab.workcell.spec.trash:
                tracker = lab.driver._mirror.container(f"{labware}/{place}").tracker
                assert tracker.volume == pytest.approx(lab.state.volume(well), abs=1e-6), f"{instruction.id} {well}"
    return outcomes, agreed


def test_a_gripper_lets_labware_fall_into_the_waste_chute_one_piece_after_the_other(tmp_path: Path) -> None:
    lab = lab_of("flex_96_partial", tmp_path)
    outcomes, _ = asyncio.run(carry_out(lab))
    assert [outcome for outcome in outcomes if outcome.status != "done"] == []
    fallen = [move.labware for move in lab.program.instructions if getattr(move, "site", "") == OFF_DECK]
    assert len(fallen) == 3
    assert {lab.truth().site_of(name) for name in fallen} == {OFF_DECK}


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus.SUCCEEDED)
def test_a_real_protocol_runs_to_its_end(name: str, tmp_path: Path) -> None:
    lab = lab_of(name, tmp_path)
    outcomes, agreed = asyncio.run(carry_out(lab))
    assert [outcome for outcome in outcomes if outcome.status != "done"] == []
    strokes = [item for item in lab.program.instructions if isinstance(item, Aspirate | Dispense | BlowOut)]
    assert agreed > len(strokes) / 2
    truth = lab.truth()
    assert {well: truth.volume(well) for well in lab.state.wells} == pytest.approx(
        {well: lab.state.volume(well) for well in lab.state.wells}, abs=1e-6
    )
    assert {name: truth.site_of(name) for name in lab.state.labware} == {
        name: lab.state.site_of(name) for name in lab.state.labware
    }
    assert truth.devices == lab.state.devices


REASONS = {
    "Flex_X_v8_P1000_96_HS_GRIP_TC_TM_GripperCollisionWithTips": ("gripper failed", "the tips on the pipette met"),
    "OT2_X_v6_P20S_None_SimpleTransfer": ("refused", "over the limit of 20"),
    "OT2_X_v6_P300M_P20S_HS_MM_TM_TC_AllMods": ("refused", "it shakes"),
}


@pytest.mark.parametrize("name", corpus.FAILED)
def test_a_protocol_that_cannot_be_done_fails_for_its_reason(name: str, tmp_path: Path) -> None:
    outcomes, _ = asyncio.run(carry_out(lab_of(name, tmp_path)))
    kind, words = REASONS[name]
    faults = [fault for outcome in outcomes for fault in outcome.faults]
    assert [fault.kind for fault in faults] == [kind]
    assert words in faults[0].message
