"""What the workcell commands tell: modules with place and range, adapters, the trash; and decks that are taken over."""

from __future__ import annotations

import json
from pathlib import Path

from pylabrobot.resources import PLT_CAR_L5AC_A00, TIP_CAR_480_A00, Resource
from pylabrobot.resources import cor_96_wellplate_360uL_Fb as make_plate
from pylabrobot.resources.hamilton import STARLetDeck

from console.cli.exits import ExitCode
from tests.cli.conftest import Call


def saved_deck(folder: Path) -> Path:
    deck = STARLetDeck()
    plates = PLT_CAR_L5AC_A00("plates")
    plates[0] = make_plate("samples")
    plates[1] = Resource("a block", size_x=127, size_y=85, size_z=20)
    deck.assign_child_resource(plates, rails=8)
    deck.assign_child_resource(TIP_CAR_480_A00("tips"), rails=1)
    file = folder / "deck.json"
    file.write_text(json.dumps(deck.serialize()), encoding="utf-8")
    return file


def test_a_flex_is_checked_and_shown(call: Call) -> None:
    checked = call("workcell", "check", "flex").out
    assert "thermocycler: thermocycler at B1, 0 to 99 °C, lid 37 to 110 °C" in checked
    assert "magnetic_block: fixed at C1" in checked
    assert "trash: opentrons_1_trash_3200ml_fixed" in checked
    shown = call("workcell", "show", "flex").out
    assert "heater_shaker with deep_well_adapter" in shown
    assert "0 to 95 °C, 200 to 3000 rpm" in shown


def test_a_deck_is_taken_over(call: Call, tmp_path: Path) -> None:
    ended = call("workcell", "import", saved_deck(tmp_path), "--out", tmp_path / "lab")
    assert ended.code == ExitCode.OK
    assert "a block: a Resource is no labware" in ended.out
    assert "pipettes: eight channels" in ended.out
    assert call("workcell", "check", tmp_path / "lab" / "workcell.yaml").code == ExitCode.OK
    again = call("workcell", "import", saved_deck(tmp_path), "--out", tmp_path / "lab")
    assert again.code != ExitCode.OK
    assert "there is one already" in again.err


def test_for_machines(call: Call, tmp_path: Path) -> None:
    ended = call("workcell", "import", saved_deck(tmp_path), "--out", tmp_path / "lab", "--json")
    assert set(ended.json()) == {"workcell", "file", "left_out", "guessed"}
