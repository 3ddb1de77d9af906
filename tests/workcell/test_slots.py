"""OT-2 and Flex decks: where slots, modules, adapters and bins put labware, as Opentrons' own software has it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from protocols.errors import FileProblemsError
from protocols.specs import OFF_DECK, PlacedLabware
from robots.workcell import Workcell, load_workcell
from robots.workcell.config import ModuleName, OpentronsPipetteName
from robots.workcell.labware import containers_of
from robots.workcell.modules import MODULES
from robots.workcell.pipettes import is_flex_pipette

FLEX = """schema_version: 1
name: a flex
deck: {type: Flex}
kinds:
  block: {module: magneticBlockV1}
  aluminium: {opentrons: opentrons_96_well_aluminum_block}
  pcr: {opentrons: opentrons_96_wellplate_200ul_pcr_full_skirt}
  tips: {opentrons: opentrons_flex_96_tiprack_200ul}
adapters: {C1: block, C3: aluminium}
devices:
  handler: {kind: liquid handler}
  gripper: {kind: arm}
  hs: {kind: heater-shaker, model: heaterShakerModuleV1, slot: D1}
  tm: {kind: temperature module, model: temperatureModuleV2, slot: C3}
  tc: {kind: thermocycler, model: thermocyclerModuleV2, slot: B1, starts_open: true}
pipettes: {left: {device: handler, type: p1000_96, mount: left}}
arm: gripper
"""
OT2 = """schema_version: 1
name: an ot-2
deck: {type: OT-2}
kinds:
  plate: {opentrons: nest_96_wellplate_100ul_pcr_full_skirt}
  reservoir: {opentrons: nest_1_reservoir_195ml}
devices:
  handler: {kind: liquid handler}
  mag: {kind: magnetic module, model: magneticModuleV2, slot: slot-1}
  tm: {kind: temperature module, model: temperatureModuleV2, slot: slot-3}
  tc: {kind: thermocycler, model: thermocyclerModuleV1, slot: slot-7}
pipettes: {left: {device: handler, type: p300_multi_gen2, mount: left}}
"""
CORNER = (204.31, 76.59)
"""mm, from the Flex's deck plate to the corner of D1: ``cornerOffsetFromOrigin`` of ot3_standard."""


def load(tmp_path: Path, text: str) -> Workcell:
    file = tmp_path / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    return load_workcell(file)


def place(workcell: Workcell, site: str) -> tuple[float, float, float]:
    spec = workcell.spec.sites[site]
    return spec.x, spec.y, spec.z


def test_where_labware_stands_on_a_flex(tmp_path: Path) -> None:
    flex = load(tmp_path, FLEX)
    x, y = CORNER
    assert place(flex, "D2") == pytest.approx((x + 164, y, 0), abs=1e-3)
    assert place(flex, "B3") == pytest.approx((x + 328, y + 214, 0), abs=1e-3)
    assert place(flex, "D1") == pytest.approx((x, y, 18.95), abs=1e-3)
    # the plate sinks 10.7 mm into a thermocycler, 3.54 mm onto a magnetic block and 11.91 mm into an aluminium block
    assert place(flex, "B1") == pytest.approx((x - 20.005, y + 214 + 67.96, 10.96 - 10.7), abs=1e-3)
    assert place(flex, "C1") == pytest.approx((x, y + 107, 38 - 3.54), abs=1e-3)
    assert place(flex, "C3") == pytest.approx((x + 328, y + 107, 9 + 18.16 - 11.91), abs=1e-3)
    assert flex.spec.sites["C3"].device == "tm"
    assert flex.spec.sites["C3"].adapter == "aluminium"


def test_where_labware_stands_on_an_ot2(tmp_path: Path) -> None:
    ot2, plain = load(tmp_path, OT2), load_workcell("ot2")
    for site, offset in {
        "slot-1": (-1.175, -0.125, 82.25),
        "slot-3": (1.15, -0.15, 80.09),  # turned round in the right column
        "slot-7": (0, 82.56, 97.8),
    }.items():
        bare = place(plain, site)
        assert place(ot2, site) == pytest.approx(tuple(a + b for a, b in zip(bare, offset, strict=True)), abs=1e-3)


@pytest.mark.parametrize("text", [FLEX, OT2], ids=["flex", "ot2"])
def test_spec_and_deck_say_the_same_place(tmp_path: Path, text: str) -> None:
    workcell = load(tmp_path, text)
    kind = next(kind for kind in workcell.spec.kinds.values() if kind.category == "plate")
    free = [site for site in workcell.spec.sites.values() if "plate" in site.accepts]
    placed = {f"on {site.id}": PlacedLabware(kind=kind.kind, site=site.id) for site in free}
    deck = workcell.build_deck(placed)
    for name, item in placed.items():
        for well, container in containers_of(deck.get_resource(name)).items():
            where = container.get_location_wrt(deck) + container.get_anchor("c", "c", "b")
            x, y, z = place(workcell, item.site)
            site = kind.wells[well]
            assert (where.x, where.y, where.z) == pytest.approx((x + site.x, y + site.y, z + site.z), abs=0.01)


def test_what_modules_and_bins_take_is_no_site(tmp_path: Path) -> None:
    flex = load(tmp_path, FLEX).spec
    assert "A1" not in flex.sites  # under the thermocycler
    assert "A3" not in flex.sites  # the trash bin
    assert "D4" not in flex.sites
    assert set(load(tmp_path, OT2).spec.sites) & {"slot-8", "slot-10", "slot-11"} == set()


def test_a_staging_area_is_there_where_it_is_asked_for_and_fits(tmp_path: Path) -> None:
    every = load(tmp_path, FLEX.replace("{type: Flex}", "{type: Flex, staging: true}")).spec
    assert {"B4", "D4"} == {site for site in every.sites if site.endswith("4")}  # A3 is a bin's, C3 a module's
    assert not every.sites["D4"].pipettes
    assert every.sites["D4"].gripper
    assert every.sites["D2"].pipettes
    used = load(tmp_path, FLEX + "labware: {spare: {kind: tips, site: B4}}\n").spec
    assert {"B4"} == {site for site in used.sites if site.endswith("4")}


@pytest.mark.parametrize(
    ("trash", "gone", "kind"),
    [
        ("A3", {"A3"}, "opentrons_1_trash_3200ml_fixed"),
        ("C1", {"C1"}, "opentrons_1_trash_3200ml_fixed"),
        ("waste chute", {"D3"}, "waste chute"),
        ("[waste chute, D1]", {"D3", "D1"}, "waste chute"),
        ("[]", set(), "no trash"),
    ],
)
def test_the_trash_is_where_the_file_says(tmp_path: Path, trash: str, gone: set[str], kind: str) -> None:
    text = FLEX.replace("{type: Flex}", f"{{type: Flex, trash: {trash}}}").replace("adapters", "motion: {}\nadapters")
    text = text.replace("C1: block, ", "").replace("  hs: {kind: heater-shaker", "  #").replace("A1, ", "")
    workcell = load(tmp_path, text)
    spec = workcell.spec
    assert {"A3", "C1", "D1", "D3"} - set(spec.sites) == gone
    assert spec.labware["trash"].kind == kind
    assert spec.labware["trash"].site == ("trash" if gone else OFF_DECK)
    assert spec.kinds[kind].shape("A1").max_volume >= 3_200_000
    assert workcell.build_deck().get_trash_area().name == "trash"


def test_the_ot2s_trash_takes_liquid() -> None:
    ot2 = load_workcell("ot2")
    kind = ot2.spec.kinds[ot2.spec.labware["trash"].kind]
    assert kind.shape("A1").max_volume == 1_100_000
    assert set(containers_of(ot2.build_deck().get_resource("trash"))) == {"A1"}


@pytest.mark.parametrize("name", get_args(OpentronsPipetteName))
def test_every_opentrons_pipette(tmp_path: Path, name: str) -> None:
    text = FLEX if is_flex_pipette(name) else OT2
    own = text.replace("p1000_96", name).replace("p300_multi_gen2", name)
    pipette = load(tmp_path, own).spec.pipettes["left"]
    size = float(name.split("_")[0].removeprefix("p"))
    assert pipette.max_volume == size
    assert 0 < pipette.min_volume <= size / 5
    assert pipette.channels == (96 if name.endswith("_96") else 8 if "multi" in name else 1)
    assert (pipette.model, pipette.mount, pipette.independent) == (name, "left", False)
    assert (pipette.fits == {"Opentrons Flex"}) == is_flex_pipette(name)


def test_devices_say_what_they_can_be_set_to(tmp_path: Path) -> None:
    assert set(get_args(ModuleName)) == set(MODULES)
    devices = load(tmp_path, FLEX).spec.devices
    assert devices["hs"].speeds == (200, 3000)
    assert devices["hs"].starts_open is None
    assert devices["tc"].lid_temperatures == (37, 110)
    assert devices["tc"].starts_open is True
    assert load(tmp_path, OT2).spec.devices["mag"].magnet_heights == (-2.5, 22.5)


def test_a_gripper_reaches_modules_and_holds_plates_where_their_maker_says(tmp_path: Path) -> None:
    spec = load(tmp_path, FLEX).spec
    assert all(site.gripper for site in spec.sites.values() if site.id != "trash")
    assert spec.kinds["pcr"].grip_height == 10
    assert load(tmp_path, OT2).spec.kinds["reservoir"].grip_height == 16.8
    assert not any(site.gripper for site in load(tmp_path, OT2).spec.sites.values())


MISTAKES = {
    # what: (in the file, what is written instead, what is said)
    "a module where none stands": ("slot: C3}", "slot: C2}", "a temperatureModuleV2 cannot stand on C2 of a Flex"),
    "two modules on a slot": ("slot: C3}", "slot: D1}", "it needs D1, which 'hs' takes"),
    "a module under a thermocycler": ("slot: C3}", "slot: A1}", "it needs A1, which"),
    "a module on a bin": ("slot: C3}", "slot: A3}", "it needs A3, which a trash bin takes"),
    "a module of the OT-2": ("thermocyclerModuleV2", "thermocyclerModuleV1", "cannot stand on B1 of a Flex"),
    "a model of another kind": ("heaterShakerModuleV1", "temperatureModuleV2", "is a temperature module, not a"),
    "a module without a slot": (", slot: C3}", "}", "needs a 'model' and a 'slot'"),
    "a real module": ("kind: temperature module,", "kind: temperature module, driver: STAR,", "simulated lab only"),
    "a slot for an arm": ("gripper: {kind: arm}", "gripper: {kind: arm, slot: D1}", "an arm has no slot"),
    "an unknown model": ("temperatureModuleV2", "temperatureModuleV9", "temperatureModuleV1"),
    "an adapter of no kind": ("C3: aluminium", "C3: aluminum", "Did you mean 'aluminium'"),
    "an adapter that is a plate": ("C3: aluminium", "C3: pcr", "'pcr' is a plate, not an adapter"),
    "an adapter on no site": ("C3: aluminium", "C9: aluminium", "there is no site 'C9'"),
    "a block on a module": ("C1: block", "D1: block", "cannot stand on D1, which 'hs' takes"),
    "a pipette of the OT-2": ("type: p1000_96", "type: p300_multi_gen2", "a Flex has no p300_multi_gen2"),
    "a head on the right": ("mount: left", "mount: right", "takes both mounts"),
    "a bin in the middle": ("{type: Flex}", "{type: Flex, trash: A2}", "A2"),
    "two bins at one place": ("{type: Flex}", "{type: Flex, trash: [A3, A3]}", "two bins at A3"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told(tmp_path: Path, what: str) -> None:
    old, new, said = MISTAKES[what]
    assert old in FLEX
    with pytest.raises(FileProblemsError) as error:
        load(tmp_path, FLEX.replace(old, new, 1))
    assert said in str(error.value)
    assert "lab.yaml:" in str(error.value)


@pytest.mark.parametrize(
    ("site", "said"),
    [("A1", "'tc' covers it"), ("A3", "the trash stands there"), ("C4", "what stands on C3 leaves no room")],
)
def test_why_there_is_no_such_site(tmp_path: Path, site: str, said: str) -> None:
    with pytest.raises(FileProblemsError, match=said):
        load(tmp_path, FLEX + f"labware: {{spare: {{kind: tips, site: {site}}}}}\n")


def test_only_a_flex_has_bins_and_a_staging_area(tmp_path: Path) -> None:
    with pytest.raises(FileProblemsError) as error:
        load(tmp_path, OT2.replace("{type: OT-2}", "{type: OT-2, trash: A3, staging: true}"))
    assert "the trash of an OT-2 is not chosen here" in str(error.value)
    assert "has no staging area" in str(error.value)


def test_two_pipettes_and_a_head_of_both_mounts(tmp_path: Path) -> None:
    both = FLEX.replace("mount: left}", "mount: left}, right: {device: handler, type: p50_single_flex, mount: right}")
    with pytest.raises(FileProblemsError, match="is on the right mount already"):
        load(tmp_path, both)


def test_the_check_tells_what_stands_in_each_others_way(tmp_path: Path) -> None:
    shaker = "  hs: {kind: heater-shaker, model: heaterShakerModuleV1, slot: slot-2}\npipettes:"
    workcell = load(tmp_path, OT2.replace("pipettes:", shaker))
    told = {doubt.where.rpartition(", ")[2] for doubt in workcell.check() if "next to the heater-shaker" in doubt.what}
    assert told == {"mag", "tm"}
