"""The workcells that Labwright ships and those a lab starts from, whole."""

from __future__ import annotations

import shutil
import urllib.request
from pathlib import Path

import pytest
from pylabrobot.resources import Coordinate

from protocols.specs import WorkcellSpec
from robots.workcell import Workcell, load_workcell, shipped_workcells
from robots.workcell.labware import containers_of, reference_of

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "workcells").glob("*.yaml"))


@pytest.fixture(scope="module")
def starlet() -> Workcell:
    return load_workcell("starlet")


@pytest.fixture(scope="module")
def ot2() -> Workcell:
    return load_workcell("ot2")


def test_three_workcells_are_shipped() -> None:
    assert shipped_workcells() == ("flex", "ot2", "starlet")
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_load_and_build(file: Path) -> None:
    workcell = load_workcell(file)
    deck = workcell.build_deck()
    assert all(deck.has_resource(name) for name in workcell.spec.labware)


@pytest.mark.parametrize("name", ["starlet", "ot2", "flex"])
def test_a_workcell_spec_survives_json(name: str) -> None:
    spec = load_workcell(name).spec
    assert WorkcellSpec.model_validate_json(spec.model_dump_json()) == spec


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_web(*args: object, **kwargs: object) -> None:
        raise AssertionError("something asked the network")

    monkeypatch.setattr(urllib.request, "urlopen", no_web)
    for name in shipped_workcells():
        load_workcell(name).build_deck()


def test_the_starlet_holds_a_four_plate_cherry_pick_and_a_normalisation(starlet: Workcell) -> None:
    spec = starlet.spec
    taken = {placed.site for placed in spec.labware.values()}
    free = [site for site in spec.sites.values() if "plate" in site.accepts and site.id not in taken]
    assert len(free) >= 9
    assert all(site.gripper for site in free)
    assert next(kind.kind for kind in spec.kinds.values() if kind.category == "plate") == "pcr_96_200ul"
    tips = {spec.kinds[placed.kind].tip for placed in spec.labware.values()} - {None}
    assert {(tip.capacity, tip.min_volume) for tip in tips if tip} == {(360.0, 10.0), (60.0, 1.0), (1065.0, 20.0)}


def test_pipettes_are_what_the_makers_say(starlet: Workcell, ot2: Workcell) -> None:
    channels, head = starlet.spec.pipettes["channels"], starlet.spec.pipettes["head96"]
    assert (channels.channels, channels.independent, channels.max_volume) == (8, True, 1000.0)
    assert (head.channels, head.independent) == (96, False)
    p300, p20 = ot2.spec.pipettes["p300"], ot2.spec.pipettes["p20"]
    assert (p300.min_volume, p300.max_volume) == (20.0, 300.0)
    assert (p20.min_volume, p20.max_volume) == (1.0, 20.0)
    assert not p300.fits & p20.fits


@pytest.mark.parametrize("name", ["starlet", "ot2", "flex"])
def test_spec_and_deck_say_the_same_place_for_every_well(name: str) -> None:
    """Site + well centre of the spec = where pylabrobot puts the well, within what a plate sinks into its carrier."""
    workcell = load_workcell(name)
    deck = workcell.build_deck()
    for instance, placed in workcell.spec.labware.items():
        site, kind = workcell.spec.sites[placed.site], workcell.spec.kinds[placed.kind]
        if not kind.wells:  # a STAR's trash, into which nothing is dispensed
            continue
        for well, container in containers_of(deck.get_resource(instance)).items():
            where = container.get_location_wrt(deck) + container.get_anchor("c", "c", "b")
            spec = kind.wells[well]
            assert where.x == pytest.approx(site.x + spec.x, abs=0.01)
            assert where.y == pytest.approx(site.y + spec.y, abs=0.01)


@pytest.mark.parametrize("name", ["starlet", "ot2", "flex"])
def test_a_reference_leads_to_a_well_and_back(name: str) -> None:
    workcell = load_workcell(name)
    deck = workcell.build_deck()
    for instance in workcell.spec.labware:
        for well, container in containers_of(deck.get_resource(instance)).items():
            assert reference_of(container) == f"{instance}/{well}"


def test_sites_run_from_front_to_back(starlet: Workcell) -> None:
    y = [starlet.spec.sites[f"plates-a-{number}"].y for number in range(1, 6)]
    assert y == sorted(y)


def test_a_placed_lid_stands_on_its_plate(starlet: Workcell) -> None:
    from protocols.specs import PlacedLabware

    deck = starlet.build_deck({"p": PlacedLabware(kind="flat_96_360ul", site="plates-a-1", lid=True)})
    assert deck.get_resource("p").has_lid()
    assert deck.get_resource("p").get_location_wrt(deck) != Coordinate.zero()


def test_what_is_doubtful_is_said() -> None:
    file = next(file for file in EXAMPLES if file.stem == "starlet-cell-culture")
    doubts = [str(doubt) for doubt in load_workcell(file).check()]
    assert any("assay_96" in doubt and "guessed" in doubt for doubt in doubts)
    assert any("culture_dish" in doubt and "guessed" in doubt for doubt in doubts)
    assert not any("spheroid_96" in doubt for doubt in doubts)
    assert load_workcell("starlet").check() == ()


def test_labware_that_channels_would_hit_is_said(tmp_path: Path) -> None:
    text = next(file for file in EXAMPLES if file.stem.startswith("starlet")).read_text()
    tower = text.replace("size: [127.8 mm, 85.5 mm, 14 mm]", "size: [127.8 mm, 85.5 mm, 180 mm]")
    file = tmp_path / "tower.yaml"
    own = "labware:\n  tower: {kind: culture_dish, site: plates-1}\n  tips"
    file.write_text(tower.replace("labware:\n  tips", own))
    shutil.copytree(EXAMPLES[0].parent / "labware", tmp_path / "labware")
    said = [str(doubt) for doubt in load_workcell(file).check()]
    assert any("labware, tower: its top is" in doubt for doubt in said)
