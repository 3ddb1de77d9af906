"""`labwright diff`: what two files do differently, for people and machines, and by its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.commands import DILUTION
from tests.cli.conftest import Call
from tests.opentrons import corpus

FILL = DILUTION.parent / "fill_plate.yaml"


def edited(folder: Path) -> Path:
    path = folder / "edited.yaml"
    path.write_text(FILL.read_text(encoding="utf-8").replace("volume: 100 uL", "volume: 60 uL"), encoding="utf-8")
    return path


def test_files_that_do_the_same(call: Call, tmp_path: Path) -> None:
    ended = call("diff", FILL, FILL)
    assert (ended.code, ended.out.strip()) == (0, "No difference: both do the same.")
    assert call("verify", FILL, "--program", tmp_path / "p.json").code == 0
    assert call("diff", FILL, tmp_path / "p.json").code == 0


def test_one_edit_is_one_line(call: Call, tmp_path: Path) -> None:
    ended = call("diff", FILL, edited(tmp_path))
    assert ended.code == 1
    assert "1 difference:" in ended.out
    (line,) = (line for line in ended.out.splitlines() if line.startswith("~"))
    assert line.split() == ["~", "move", "pbs/A1", "→", "assay/A1:H12", "100", "µL", "60", "µL"]
    assert "In the wells at the end:" in ended.out


def test_for_machines_each_thing_is_said_by_itself(call: Call, tmp_path: Path) -> None:
    ended = call("diff", FILL, edited(tmp_path), "--json")
    said: dict[str, Any] = json.loads(ended.out)
    assert (ended.code, said["equal"], len(said["changes"]), len(said["wells"])) == (1, False, 96, 97)
    assert said["changes"][0] == {
        "kind": "changed",
        "what": "move",
        "key": ["pbs/A1", "assay/A1"],
        "first": {"volume": 100.0},
        "second": {"volume": 60.0},
        "first_at": "fill",
        "second_at": "fill",
        "after": ["", ""],
    }
    assert said["wells"][0] == {"well": "assay/A1", "first": {"PBS": 100.0}, "second": {"PBS": 60.0}}
    assert json.loads(call("diff", FILL, FILL, "--json").out)["equal"]


def test_a_file_that_cannot_be_read(call: Call, tmp_path: Path) -> None:
    ended = call("diff", FILL, tmp_path / "none.yaml")
    assert ended.code == 2
    assert "none.yaml" in ended.err


def test_an_opentrons_protocol_and_what_it_is_lifted_to(call: Call, tmp_path: Path) -> None:
    analysis = corpus.write("OT2_S_v6_P20S_P300M_TransferReTransferLiquid", tmp_path)
    assert call("convert", analysis, "--out", tmp_path / "lifted.yaml").code == 0
    ended = call("diff", analysis, tmp_path / "lifted.yaml")
    assert ended.code == 0, ended.out
    assert call("diff", analysis, analysis).code == 0
