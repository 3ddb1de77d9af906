"""`labwright convert`: any file in any form that can say it; whole or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.cli.convert import SUFFIXES, form_of
from protocols.errors import InputError
from protocols.formats.protocol_file import read_input, read_program, read_protocol
from tests.cli.commands import Ended
from tests.exporting.recording import perform
from tests.opentrons import corpus

Call = Callable[..., Ended]
EXAMPLES = Path(__file__).parents[2] / "examples"
DILUTION = EXAMPLES / "protocols" / "serial_dilution.yaml"
PICKS = EXAMPLES / "worklists" / "cherry_pick_4_plates.csv"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_name_of_the_output_says_the_form(suffix: str) -> None:
    assert form_of(None, Path(f"out{suffix.upper()}")) == SUFFIXES[suffix]


def test_a_form_that_nobody_names_is_asked_for() -> None:
    for said, out in (("word", None), (None, None), (None, Path("x.docx"))):
        with pytest.raises(InputError, match="opentrons, worklist, markdown, html, yaml, json, program"):
            form_of(said, out)


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@pytest.mark.parametrize("file", [DILUTION, PICKS], ids=lambda file: file.suffix)
def test_a_protocol_comes_back_equal(call: Call, tmp_path: Path, file: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    assert call("convert", file, "--out", out).code == 0
    assert read_protocol(out) == read_input(file).protocol


def test_a_program_comes_back_equal(call: Call, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert call("convert", DILUTION, "--to", "program", "--out", first, "-w", "ot2").code == 0
    assert call("convert", first, "--to", "program", "--out", second, "-w", "ot2").code == 0
    assert read_program(first) == read_program(second)


def test_without_a_file_to_write_the_text_is_printed_and_notes_go_aside(call: Call) -> None:
    ended = call("convert", DILUTION, "--to", "opentrons")
    assert ended.code == 0
    assert "def run(protocol: protocol_api.ProtocolContext)" in ended.out
    assert "what it does not say" in ended.err
    assert perform(ended.out)


def test_json_says_all_of_it(call: Call, tmp_path: Path) -> None:
    said: dict[str, Any] = json.loads(call("convert", PICKS, "--to", "worklist", "-w", "ot2", "--json").out)
    assert said["form"] == "worklist"
    assert said["text"].startswith("SourcePlate,")
    assert said["errors"] == []
    out = tmp_path / "page.html"
    said = json.loads(call("convert", DILUTION, "--out", out, "--json").out)
    assert said["out"] == str(out)
    assert "text" not in said


def test_what_cannot_be_said_writes_nothing(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out.py"
    ended = call("convert", DILUTION, "--out", out, "-w", "starlet")
    assert ended.code == 2
    assert "its robot is STARlet" in ended.err
    assert list(tmp_path.iterdir()) == [] or not out.exists()


def test_a_page_has_the_deck_where_a_workcell_is_named(call: Call) -> None:
    bench = call("convert", DILUTION, "--to", "markdown").out
    robot = call("convert", DILUTION, "--to", "markdown", "-w", "ot2").out
    assert "Carried out on workcell ot2" in robot
    assert "on slot-1" in robot
    assert "Carried out" not in bench


@pytest.mark.parametrize("form", ["opentrons", "worklist", "markdown", "html", "yaml", "json", "program"])
def test_an_opentrons_analysis_becomes_each_of_them(call: Call, tmp_path: Path, form: str) -> None:
    file = corpus.write("OT2_S_v6_P300M_P20S_MixTransferManyLiquids", tmp_path)
    ended = call("convert", file, "--to", form)
    assert ended.code == 0, ended.err
    assert ended.out


def test_a_faulty_file_is_converted_and_said_to_be_so(call: Call, tmp_path: Path) -> None:
    file = corpus.write("OT2_X_v6_P20S_None_SimpleTransfer", tmp_path)
    ended = call("convert", file, "--out", tmp_path / "out.py")
    assert ended.code == 1
    assert "Verification finds errors" in ended.out
    assert (tmp_path / "out.py").exists()
