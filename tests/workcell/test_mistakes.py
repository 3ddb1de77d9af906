"""Mistakes in a workcell file: each is told with its line, what is wrong and what to write; all of them at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.errors import FileProblemsError, InputError
from robots.workcell import load_workcell
from robots.workcell.workcell import SHIPPED

STARLET = (SHIPPED / "starlet.yaml").read_text(encoding="utf-8")
OT2 = (SHIPPED / "ot2.yaml").read_text(encoding="utf-8")


def refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_workcell(file)
    assert "Traceback" not in str(error.value)
    return str(error.value)


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def change(old: str, new: str, text: str = STARLET) -> str:
    assert old in text
    return text.replace(old, new, 1)


MISTAKES: dict[str, tuple[str, str, str]] = {
    # what: (in the file, what is written instead, what is said)
    "an unknown kind": ("kind: tips_300, site: tips-a-1", "kind: tips_30, site: tips-a-1", "Did you mean 'tips_300'"),
    "a kind pylabrobot lacks": (
        "cor_96_wellplate_360uL_Fb,",
        "cor_96_wellplate_360ul_FB,",
        "cor_96_wellplate_360uL_Fb",
    ),
    "labware Opentrons lacks": (
        "corning_24_wellplate_3.4ml_flat",
        "corning_24_wellplate_34ml",
        "corning_24_wellplate_3.4ml_flat",
    ),
    "an occupied site": (
        "tips_300_2: {kind: tips_300, site: tips-a-2",
        "tips_300_2: {kind: tips_300, site: tips-a-1",
        "'tips_300_1' stands on 'tips-a-1' already",
    ),
    "a site that does not exist": ("site: tips-a-2", "site: tips-a-9", "there is no site 'tips-a-9'"),
    "a rack on a plate carrier": ("tips_300, site: tips-a-2", "tips_300, site: plates-a-2", "takes no tip rack"),
    "a name of the deck": ("tips_300_2:", "waste_block:", "taken by the deck"),
    "a name of a site": ("tips_300_2:", "tips-a-1:", "taken by the deck, a carrier or a site"),
    "overlapping carriers": ("TIP_CAR_480_A00, rail: 7", "TIP_CAR_480_A00, rail: 4", "overlaps 'tips-a'"),
    "a carrier off the deck": ("Trough_CAR_4R200_A00, rail: 25", "Trough_CAR_4R200_A00, rail: 40", "rail 40"),
    "an unknown carrier": ("PLT_CAR_L5AC_A00, rail: 13", "PLT_CAR_L5AC_A9, rail: 13", "PLT_CAR_L5AC_A00"),
    "an unknown liquid": ("liquid: TE buffer,", "liquid: TE bufer,", "Did you mean 'TE buffer'"),
    "an unknown well": ("wells: diluent/A1", "wells: diluent/A2", "'diluent' has no well 'A2'"),
    "too much liquid": ("volume: 80 mL", "volume: 800 mL", "it takes 200000"),
    "a volume without a unit": ("volume: 80 mL", "volume: 80", "unit"),
    "a negative volume": ("volume: 80 mL", "volume: -80 mL", "negative"),
    "not a number": ("volume: 80 mL", "volume: nan mL", "finite"),
    "an unknown field": ("schema_version: 1", "schema_version: 1\ncolour: blue", "colour"),
    "a driver that does not exist": ("driver: simulated}", "driver: STARR}", "STAR"),
    "a driver of another deck": ("driver: simulated}", "driver: OT-2, host: 10.0.0.1}", "is not moved by 'OT-2'"),
    "no such liquid handler": ("channels: {device: handler,", "channels: {device: handle,", "Did you mean 'handler'"),
    "no such arm": ("arm: gripper", "arm: griper", "Did you mean 'gripper'"),
    "a pipette of another maker": (
        "{device: handler, type: Hamilton CO-RE 96 head}",
        "{device: handler, type: p20_single_gen2, mount: left}",
        "a STARlet has no p20_single_gen2",
    ),
    "a lid on a trough": ("trough_200ml, site: troughs-1}", "trough_200ml, site: troughs-1, lid: true}", "has no lid"),
    "a section of another name": (
        "kinds:\n",
        "labware_kinds_of_another_lab:\n",
        "there is no field 'labware_kinds_of_another_lab'",
    ),
    "a newer schema": ("schema_version: 1", "schema_version: 2", "schema_version"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, what: str) -> None:
    old, new, said = MISTAKES[what]
    text = change(old, new)
    message = refused(tmp_path, text)
    assert said in message
    assert f"lab.yaml:{line_of(text, new.splitlines()[-1])}" in message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = STARLET
    for what in ("an unknown kind", "a site that does not exist", "an unknown liquid", "no such arm"):
        text = change(*MISTAKES[what][:2], text)
    file = tmp_path / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblemsError) as error:
        load_workcell(file)
    assert len(error.value.problems) == 4


def test_tips_that_no_pipette_takes(tmp_path: Path) -> None:
    tips = "{pylabrobot: hamilton_96_tiprack_300uL_filter}"
    text = change(tips, "{opentrons: opentrons_96_tiprack_300ul}")
    message = refused(tmp_path, text)
    assert "no pipette takes its tips (OT-2 P300)" in message
    assert all(f"lab.yaml:{line_of(text, f'tips_300_{rack}:')}" in message for rack in (1, 2, 3, 4))


def test_a_plate_that_is_too_large_for_its_site(tmp_path: Path) -> None:
    wells = "{first: [70 mm, 45 mm], floor: 1 mm, depth: 9 mm, diameter: 9 mm, max_volume: 1 mL}"
    own = f"  big: {{size: [140 mm, 90 mm, 14 mm], wells: {wells}}}\nlabware:\n  p: {{kind: big, site: plates-a-1}}\n"
    assert "is larger than the site's" in refused(tmp_path, change("\nlabware:\n", "\n" + own))


def test_two_pipettes_on_one_mount(tmp_path: Path) -> None:
    message = refused(tmp_path, change("mount: right", "mount: left", OT2))
    assert "'p300' is on the left mount already" in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("p300_single_gen2", "p300_multi_gen2", "single-channel pipettes only"),
        ("  p300: {device: handler, type: p300_single_gen2, mount: left}\n", "", "left pipette"),
    ],
)
def test_an_ot2_that_pylabrobot_cannot_move(tmp_path: Path, old: str, new: str, said: str) -> None:
    real = change("driver: simulated", "driver: OT-2, host: 169.254.1.1", OT2).replace("tips_300_", "#")
    assert said in refused(tmp_path, change(old, new, real))
    simulated = tmp_path / "simulated.yaml"
    simulated.write_text(change(old, new, OT2).replace("  tips_300_", "  #"), encoding="utf-8")
    load_workcell(simulated)


def test_carriers_on_an_ot2(tmp_path: Path) -> None:
    message = refused(tmp_path, OT2 + "\ncarriers: {a: {type: TIP_CAR_480_A00, rail: 1}}\n")
    assert "slots and no carriers" in message


def test_a_name_that_is_not_shipped() -> None:
    with pytest.raises(InputError, match="Did you mean 'starlet'"):
        load_workcell("starlett")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lab\.yaml"):
        load_workcell(tmp_path / "lab.yaml")


def own_labware(tmp_path: Path, broken: Callable[[dict[str, object]], object]) -> str:
    source = Path(__file__).parents[2] / "examples" / "workcells" / "labware" / "assay_96_custom.json"
    definition = json.loads(source.read_text(encoding="utf-8"))
    broken(definition)
    (tmp_path / "plate.json").write_text(json.dumps(definition, indent=1), encoding="utf-8")
    return refused(tmp_path, change("kinds:\n", "kinds:\n  own: {file: plate.json}\n"))


def test_own_labware_json_is_told_with_its_line(tmp_path: Path) -> None:
    message = own_labware(tmp_path, lambda definition: definition["wells"]["A1"].pop("diameter"))  # type: ignore[index]
    assert "plate.json:" in message
    assert "diameter" in message


def test_own_labware_whose_ordering_forgets_a_well(tmp_path: Path) -> None:
    message = own_labware(tmp_path, lambda definition: definition["ordering"][0].pop())  # type: ignore[index]
    assert "each of the wells once" in message


def test_own_labware_with_a_negative_depth(tmp_path: Path) -> None:
    message = own_labware(tmp_path, lambda definition: definition["wells"]["B7"].update(depth=-1))  # type: ignore[index]
    assert "plate.json:" in message
    assert "depth" in message


def test_own_labware_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.json" in refused(tmp_path, change("kinds:\n", "kinds:\n  own: {file: nowhere.json}\n"))
