"""Real protocols, damaged in one place, are caught by a finding: in every file where the damage can be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.opentrons import corpus
from tests.opentrons.bench import carried_through

Data = dict[str, Any]
Commands = list[dict[str, Any]]


def at(commands: Commands, *kinds: str) -> list[int]:
    return [number for number, command in enumerate(commands) if command["commandType"] in kinds]


def spread(found: list[int], most: int = 1) -> list[int]:
    """Some of them, in the middle."""
    return found[len(found) // (2 * most) :: max(1, len(found) // most)][:most]


def without_a_tip(commands: Commands) -> Iterator[int]:
    for number in spread(at(commands, "pickUpTip")):
        yield number
        del commands[number]


def too_much(commands: Commands) -> Iterator[int]:
    for number in spread(at(commands, "aspirate")):
        yield number
        commands[number]["params"]["volume"] = 1234.5


def more_than_was_drawn(commands: Commands) -> Iterator[int]:
    for number in spread(at(commands, "dispense")):
        yield number
        commands[number]["params"]["volume"] += 1100


def _in_slots(commands: Commands) -> list[int]:
    return [
        number
        for number in at(commands, "loadLabware")
        if isinstance(commands[number]["params"]["location"], dict)
        and "slotName" in commands[number]["params"]["location"]
    ]


def labware_on_labware(commands: Commands) -> Iterator[int]:
    first, *others = _in_slots(commands)
    for number in spread(others):
        yield number
        commands[number]["params"]["location"] = dict(commands[first]["params"]["location"])


def labware_below_a_module(commands: Commands) -> Iterator[int]:
    modules, labware = at(commands, "loadModule"), _in_slots(commands)
    for number in spread(labware) if modules else ():
        yield number
        commands[number]["params"]["location"] = dict(commands[modules[0]]["params"]["location"])


def module_on_labware(commands: Commands) -> Iterator[int]:
    modules, labware = at(commands, "loadModule"), _in_slots(commands)
    for number in spread(modules) if labware else ():
        yield number
        commands[number]["params"]["location"] = dict(commands[labware[-1]]["params"]["location"])


def latch_left_open(commands: Commands) -> Iterator[int]:
    for number in spread(at(commands, "heaterShaker/setAndWaitForShakeSpeed")):
        closing = [n for n in at(commands, "heaterShaker/closeLabwareLatch") if n < number]
        yield number
        for earlier in reversed(closing):
            del commands[earlier]


def latch_opened_while_it_shakes(commands: Commands) -> Iterator[int]:
    for number in spread(at(commands, "heaterShaker/setAndWaitForShakeSpeed")):
        module = {"moduleId": commands[number]["params"]["moduleId"]}
        yield number
        commands.insert(number + 1, {"commandType": "heaterShaker/openLabwareLatch", "params": module})


DAMAGES: dict[str, tuple[Callable[[Commands], Iterator[int]], set[str]]] = {
    "a tip is not picked up": (without_a_tip, {"T01"}),
    "more is drawn than a tip takes": (too_much, {"D03", "T06"}),
    "more is pushed out than was drawn": (more_than_was_drawn, {"D03", "L03"}),
    "labware stands on labware": (labware_on_labware, {"P04"}),
    "labware stands where a module is": (labware_below_a_module, {"P04"}),
    "a module stands where labware is": (module_on_labware, {"P04", "P05"}),
    "a latch is left open": (latch_left_open, {"D11"}),
    "a latch is opened while it shakes": (latch_opened_while_it_shakes, {"D12"}),
}


def damaged(name: str, damage: Callable[[Commands], Iterator[int]]) -> Iterator[Data]:
    """The file with one place damaged, once for each place."""
    for wanted in range(10):
        data = corpus.analysis(name)
        work = damage(data["commands"])
        for number, _ in enumerate(work):
            if number == wanted:
                next(work, None)  # what follows the yield is the damage
                break
        else:
            return
        yield data


@cache
def errors_of(name: str) -> frozenset[tuple[str, str, str, int]]:
    """The errors of the file as it is: none, or the physical reason for which it failed."""
    if name in corpus.SUCCEEDED:  # another test says so
        return frozenset()
    with TemporaryDirectory() as folder:
        found = carried_through(corpus.analysis(name), Path(folder)).findings
    return frozenset((item.code, item.place, item.message, item.count) for item in found if item.severity == "error")


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus.NAMES)
@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_found(name: str, what: str, tmp_path: Path) -> None:
    damage, codes = DAMAGES[what]
    known = errors_of(name)
    for data in damaged(name, damage):
        after = carried_through(data, tmp_path).findings
        new = {
            finding.code
            for finding in after
            if finding.severity == "error"
            and (finding.code, finding.place, finding.message, finding.count) not in known
        }
        assert new & codes, (new, after[:2])


def _sources(name: str) -> list[int]:
    """Commands that declare a liquid which is drawn before anything is put there; one well, or one liquid, each."""
    commands = corpus.analysis(name)["commands"]
    touched: dict[tuple[str, str], str] = {}
    for command in commands:
        if command["commandType"] in ("aspirate", "dispense"):
            touched.setdefault((command["params"]["labwareId"], command["params"]["wellName"]), command["commandType"])
    return [
        number
        for number in at(commands, "loadLiquid")
        for wells in [commands[number]["params"]["volumeByWell"]]
        if any(
            touched.get((commands[number]["params"]["labwareId"], well)) == "aspirate" and volume > 0
            for well, volume in wells.items()
        )
    ]


SOUND = [
    "Flex_S_v2_18_KAPA_Library_Quant",
    "Flex_S_v2_18_ligseq",
    "Flex_X_v8_P1000_96_HS_GRIP_TC_TM_GripperCollisionWithTips",
    "OT2_S_v6_P20S_P300M_TransferReTransferLiquid",
    "OT2_S_v6_P300M_P20S_MixTransferManyLiquids",
    "OT2_S_v6_P300M_P300S_HS_HS_NormalUseWithTransfer",
]
"""Protocols whose declared amounts are those in the wells."""


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("how", ["emptied", "left out"])
def test_a_source_that_is_empty_is_found(name: str, how: str, tmp_path: Path) -> None:
    if how == "left out" and "KAPA" in name:
        pytest.skip("another of its sources is declared nowhere, so which one is missing cannot be told")
    places = _sources(name)
    assert places
    for place in spread(places, most=3):
        data = corpus.analysis(name)
        if how == "emptied":
            wells = data["commands"][place]["params"]["volumeByWell"]
            data["commands"][place]["params"]["volumeByWell"] = dict.fromkeys(wells, 0.0)
        else:
            del data["commands"][place]
        assert "L01" in carried_through(data, tmp_path).errors, place


def test_amounts_for_one_sample_do_not_prove_that_liquid_is_missing(tmp_path: Path) -> None:
    bench = carried_through(corpus.analysis("Flex_S_v2_18_Illumina_DNA_PCR_Free"), tmp_path)
    short = [finding for finding in bench.findings if finding.code == "L15"]
    assert (len(short), bench.errors) == (72, set())
