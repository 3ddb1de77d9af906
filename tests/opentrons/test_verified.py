"""Real protocols run to their end; those that cannot are refused for their physical reason; damaged ones are caught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.opentrons import corpus
from tests.opentrons.bench import carried_through

Commands = list[dict[str, Any]]


def test_there_are_sixteen_that_succeed_and_three_that_fail() -> None:
    assert (len(corpus.SUCCEEDED), len(corpus.FAILED)) == (16, 3)


@pytest.mark.parametrize("name", corpus.SUCCEEDED)
def test_a_protocol_that_ran_has_no_error(name: str, tmp_path: Path) -> None:
    bench = carried_through(corpus.analysis(name), tmp_path)
    assert bench.errors == set(), bench.findings[:3]


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus.NAMES)
def test_what_opentrons_found_is_not_read(name: str, tmp_path: Path) -> None:
    data = corpus.analysis(name)
    before = carried_through(data, _folder(tmp_path, "before"))
    data["errors"], data["result"] = [{"errorType": "Nonsense"}], "not-ok" if data["result"] == "ok" else "ok"
    for command in data["commands"]:
        command["status"] = "failed" if command["status"] == "succeeded" else "succeeded"
        command.pop("error", None)
    after = carried_through(data, _folder(tmp_path, "after"))
    assert before.findings == after.findings


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


REASONS = {
    "Flex_X_v8_P1000_96_HS_GRIP_TC_TM_GripperCollisionWithTips": {"P11"},
    "OT2_X_v6_P20S_None_SimpleTransfer": {"D03", "T06"},
    "OT2_X_v6_P300M_P20S_HS_MM_TM_TC_AllMods": {"D12"},
}


@pytest.mark.parametrize("name", corpus.FAILED)
def test_a_protocol_that_failed_is_refused_for_its_physical_reason(name: str, tmp_path: Path) -> None:
    assert carried_through(corpus.analysis(name), tmp_path).errors == REASONS[name]


def _drop_before_the_move(commands: Commands) -> None:
    pipette = next(c["params"]["pipetteId"] for c in commands if c["commandType"] == "pickUpTip")
    drop = {"commandType": "dropTipInPlace", "params": {"pipetteId": pipette}}
    to_bin = {
        "commandType": "moveToAddressableArea",
        "params": {"pipetteId": pipette, "addressableAreaName": "movableTrashA3"},
    }
    assert commands[-1]["commandType"] == "moveLabware"
    commands[-1:-1] = [to_bin, drop]


def _twenty(commands: Commands) -> None:
    assert commands[-1]["params"]["volume"] == 21.0
    commands[-1]["params"]["volume"] = 20.0


def _stop_first(commands: Commands) -> None:
    assert commands[-1]["commandType"] == "heaterShaker/openLabwareLatch"
    stop = {"commandType": "heaterShaker/deactivateShaker", "params": dict(commands[-1]["params"])}
    commands[-1:-1] = [stop]


REPAIRS = {
    "Flex_X_v8_P1000_96_HS_GRIP_TC_TM_GripperCollisionWithTips": _drop_before_the_move,
    "OT2_X_v6_P20S_None_SimpleTransfer": _twenty,
    "OT2_X_v6_P300M_P20S_HS_MM_TM_TC_AllMods": _stop_first,
}


@pytest.mark.parametrize("name", corpus.FAILED)
def test_its_least_repaired_twin_is_accepted(name: str, tmp_path: Path) -> None:
    data = corpus.analysis(name)
    REPAIRS[name](data["commands"])
    bench = carried_through(data, tmp_path)
    assert bench.errors == set(), bench.findings[:3]
