"""What stands in whose way on an OT-2: the same verdicts as Opentrons' own rules, slot by slot."""

from __future__ import annotations

import pytest

from protocols.deck_conflicts import conflicts
from protocols.program import MoveLabware
from protocols.specs import PlacedLabware, SiteSpec, WorkcellSpec
from protocols.verify import verify

from .flex import TALL_RACK, of, robot

SITES = tuple(f"slot-{number}" for number in range(1, 12))


def deck(shaker: str, module: str | None = None, *, named: str | None = None, height: float = 99) -> WorkcellSpec:
    """An OT-2 with a heater-shaker, perhaps a magnetic module, and a kind of rack so high."""
    plain = robot("OT-2", left=8, right=1)
    on = {shaker: "shaker", module: "magnet"}
    sites: dict[str, SiteSpec] = {
        name: plain.sites[name].model_copy(update={"device": on.get(name), "z": 0.0}) for name in SITES
    }
    rack = TALL_RACK.model_copy(update={"size": (127.0, 85.0, height), "opentrons": named})
    return plain.model_copy(
        update={"sites": {**sites, "trash": plain.sites["trash"]}, "kinds": {**plain.kinds, "tall rack": rack}}
    )


def around(shaker: str) -> tuple[set[str], set[str]]:
    """The slots beside a slot, and those before and behind it."""
    number = int(shaker.removeprefix("slot-"))
    beside = {n for n in (number - 1, number + 1) if (n - 1) // 3 == (number - 1) // 3}
    others = {n for n in (number - 3, number + 3) if 1 <= n <= 12}
    return {f"slot-{n}" for n in beside}, {f"slot-{n}" for n in others}


@pytest.mark.parametrize("shaker", [site for site in SITES if site not in ("slot-9", "slot-11")])
def test_modules_keep_a_slot_between_them_and_a_heater_shaker(shaker: str) -> None:
    beside, others = around(shaker)
    for module in set(SITES) - {shaker}:
        found = conflicts(deck(shaker, module), {})
        assert bool(found) == (module in beside | others), module
        assert {conflict.place for conflict in found} <= {"magnet"}


@pytest.mark.parametrize("shaker", ["slot-1", "slot-5", "slot-10"])
def test_what_is_high_stays_away_from_the_latch(shaker: str) -> None:
    beside, _ = around(shaker)
    for slot in set(SITES) - {shaker}:
        placed = {"rack": PlacedLabware(kind="tall rack", site=slot)}
        assert bool(conflicts(deck(shaker), placed)) == (slot in beside), slot
        assert not conflicts(deck(shaker, height=52.9), placed)
        assert bool(conflicts(deck(shaker, height=53.0), placed)) == (slot in beside)
        assert not conflicts(deck(shaker, named="opentrons/opentrons_96_tiprack_300ul/1", height=64.49), placed)
        assert bool(conflicts(deck(shaker, named="mine/opentrons_96_tiprack_300ul/1"), placed)) == (slot in beside)


@pytest.mark.parametrize("shaker", ["slot-9", "slot-11"])
def test_a_heater_shaker_keeps_away_from_the_trash(shaker: str) -> None:
    assert [found.place for found in conflicts(deck(shaker), {})] == ["shaker"]


@pytest.mark.parametrize(("shaker", "wrong"), [("slot-4", True), ("slot-5", False)])
def test_a_thermocycler_counts_as_standing_on_its_own_slot(shaker: str, wrong: bool) -> None:
    plain = deck(shaker)
    sites = {name: site for name, site in plain.sites.items() if name not in ("slot-8", "slot-10", "slot-11")}
    sites["slot-7"] = sites["slot-7"].model_copy(update={"device": "cycler"})
    assert bool(conflicts(plain.model_copy(update={"sites": sites}), {})) == wrong


def test_a_flex_sinks_its_modules_into_the_deck() -> None:
    spec = deck("slot-1", "slot-2").model_copy(update={"robot": "Flex"})
    assert conflicts(spec, {"rack": PlacedLabware(kind="tall rack", site="slot-2")}) == []


def test_a_program_is_refused_for_it() -> None:
    spec = deck("slot-1")
    placed = {"rack": PlacedLabware(kind="tall rack", site="slot-2")}
    found = [finding for finding in verify(of(labware=placed), spec).findings if finding.code == "P14"]
    assert [(finding.place, finding.severity) for finding in found] == [("rack", "error")]
    moved = {"rack": PlacedLabware(kind="tall rack", site="slot-4")}
    assert "P14" not in {finding.code for finding in verify(of(labware=moved), spec).findings}


def test_labware_that_is_carried_next_to_a_heater_shaker_is_in_its_way_from_then_on() -> None:
    spec = deck("slot-1")
    placed = {"rack": PlacedLabware(kind="tall rack", site="slot-4")}
    for site, wrong in (("slot-2", True), ("slot-5", False), ("off-deck", False)):
        carry = MoveLabware(id="carry", labware="rack", site=site, by="person")
        found = [finding for finding in verify(of(carry, labware=placed), spec).findings if finding.code == "P14"]
        assert [(finding.place, finding.instruction) for finding in found] == ([("rack", "carry")] if wrong else [])
