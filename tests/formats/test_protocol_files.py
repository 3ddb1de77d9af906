"""Protocols and programs written and read back, and inputs told by their content."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.compiler import compile_protocol
from protocols.errors import InputError
from protocols.formats import load_document, protocol_file
from protocols.formats.protocol_file import (
    dump_protocol,
    read_input,
    read_program,
    read_protocol,
    write_program,
    write_protocol,
    write_whole,
)
from protocols.formats.worklist import WorklistOptions, read_worklist
from protocols.liquids import Liquid
from protocols.protocol import Distribute, Handling, LabwareNeed, Material, Protocol, Transfer
from protocols.step import Citation
from tests.compiler.bench import workcell
from tests.compiler.generated import protocols

EXAMPLES = Path(__file__).parents[2] / "examples"
PROTOCOLS = sorted((EXAMPLES / "protocols").glob("*.yaml"))
CHERRY_PICK = EXAMPLES / "worklists" / "cherry_pick_4_plates.csv"


def read_back(folder: Path, protocol: Protocol) -> Protocol:
    write_protocol(protocol, folder / "written.yaml")
    return read_protocol(folder / "written.yaml")


@pytest.mark.parametrize("file", PROTOCOLS, ids=lambda file: file.stem)
def test_every_example_reads_back_equal(file: Path, tmp_path: Path) -> None:
    protocol = read_protocol(file)
    assert read_back(tmp_path, protocol) == protocol
    assert dump_protocol(read_back(tmp_path, protocol)) == dump_protocol(protocol)
    as_json = tmp_path / "as.json"
    as_json.write_text(protocol.model_dump_json(), encoding="utf-8")
    assert read_protocol(as_json) == protocol


@pytest.mark.parametrize("options", [WorklistOptions(shortfall="skip")])
@pytest.mark.parametrize("name", ["cherry_pick_4_plates", "dna_normalisation_96"])
def test_the_protocol_of_a_worklist_reads_back_equal(name: str, options: WorklistOptions, tmp_path: Path) -> None:
    """96 volumes of their own, samples and rows: nothing is rounded."""
    protocol = read_worklist(EXAMPLES / "worklists" / f"{name}.csv", options).protocol
    assert read_back(tmp_path, protocol) == protocol


@settings(max_examples=60, deadline=None)
@given(protocol=protocols("starlet"))
def test_drawn_protocols_read_back_equal(protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert read_back(tmp_path_factory.getbasetemp(), protocol) == protocol


awkward = st.one_of(
    st.sampled_from(
        ["on", "no", "1:30", "1e3", "007", "0x1F", "~", "null", ".inf", "=", "<<", "- a", "a: b", "# a", "'"]
    ),
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=30),
)


@settings(max_examples=150, deadline=None)
@given(title=awkward, name=awkward, note=awkward, volumes=st.lists(st.floats(1e-3, 1e5), min_size=2, max_size=4))
def test_awkward_texts_and_exact_volumes_read_back_equal(
    title: str, name: str, note: str, volumes: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    protocol = Protocol(
        title=title,
        description=note,
        labware={name: LabwareNeed(barcode=note)},
        liquids={name: Liquid(name=name, lot=note, behaviours=frozenset({"viscous", "foaming"}), solutes={name: 0.1})},
        materials=(Material(liquid=name, wells="plate/A1", volume="1 uL"),),
        steps=(
            Transfer(
                id=name,
                note=note,
                cited=Citation(document=title, page=3),
                source="plate/A1",
                destination=tuple(f"plate/A{n + 2}" for n in range(len(volumes))),
                volume=tuple(f"{volume!r} uL" for volume in volumes),
                handling=Handling(mix_volume="3 uL"),
            ),
        ),
    )
    assert read_back(tmp_path_factory.getbasetemp(), protocol) == protocol


def test_a_list_of_volumes_is_written_as_a_list() -> None:
    step = Distribute(id="a", source="t/A1", destination="p/A1:B1", volume=("1 uL", "2.5 uL"))
    assert json.loads(step.model_dump_json())["volume"] == ["1.0 uL", "2.5 uL"]
    assert json.loads(step.model_copy(update={"volume": 4.0}).model_dump_json())["volume"] == "4.0 uL"


@pytest.mark.parametrize("lab", ["starlet", "ot2"])
def test_a_program_reads_back_equal(lab: str, tmp_path: Path) -> None:
    file = tmp_path / "program.json"
    for protocol in (read_worklist(CHERRY_PICK).protocol, read_protocol(EXAMPLES / "protocols" / "stain_column.yaml")):
        program = compile_protocol(protocol, workcell(lab).spec).program
        write_program(program, file)
        assert read_program(file) == program
        assert read_input(file).program == program
        before = file.read_bytes()
        write_program(read_program(file), file)
        assert file.read_bytes() == before


# -- what an input is -----------------------------------------------------------------------------------


def kind_of(file: Path) -> str:
    given_input = read_input(file, WorklistOptions(shortfall="skip"))
    if given_input.program is not None:
        assert given_input.protocol is None
        return "program"
    assert given_input.protocol is not None
    return "protocol" if given_input.worklist is None else given_input.worklist.kind


def test_inputs_are_told_by_their_content_not_by_their_name(tmp_path: Path) -> None:
    protocol = read_protocol(PROTOCOLS[1])
    program = compile_protocol(protocol, workcell("starlet").spec).program
    contents = {
        "protocol": dump_protocol(protocol),
        "program": program.model_dump_json(),
        "cherry-pick": CHERRY_PICK.read_text(encoding="utf-8"),
        "normalisation": (EXAMPLES / "worklists" / "dna_normalisation_96.csv").read_text(encoding="utf-8"),
    }
    for ending in ("", ".txt", ".yaml", ".dat"):
        for kind, text in contents.items():
            file = tmp_path / f"input{ending}"
            file.write_text(text, encoding="utf-8")
            assert kind_of(file) == kind, ending
    file = tmp_path / "protocol.json"
    file.write_text(protocol.model_dump_json(), encoding="utf-8")
    assert kind_of(file) == "protocol"


def test_a_csv_that_is_no_worklist_says_which_columns_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name,age\nx,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="there is no column for the source plate"):
        read_input(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("[1, 2]", "it is not a mapping"),
        ("just text", "it is not a mapping"),
        (
            "schema_version: 2\ntitle: t\nsteps: []\n",
            "of schema version 2, this Labwright reads version 1. Use a newer",
        ),
        ("title: t\nschema_version: 0\nsteps: []\n", "schema version 0"),
        ("title: t\nsteps: []\nschema_version: true\n", "schema version True"),
    ],
)
def test_what_is_no_protocol(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_input(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


def test_what_an_included_file_says_wrongly_is_told_with_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "stock.yaml").write_text("liquids:\n  dye:\n    name: dye\n    colour: red\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("include: [stock.yaml]\ntitle: t\nsteps: []\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_protocol(tmp_path / "a.yaml")
    assert str(caught.value).startswith(f"{tmp_path / 'stock.yaml'}:4: liquids, dye")
    assert load_document(tmp_path / "a.yaml").data["liquids"]["dye"]["colour"] == "red"


# -- nothing half-written -------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "killed"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    fails: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "protocol.yaml"
    protocol = read_protocol(PROTOCOLS[1])
    write_protocol(protocol, file)
    before = file.read_bytes()

    def failing(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(protocol_file.os, fails, failing)
    expected = InputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_protocol(protocol.model_copy(update={"title": "another"}), file)
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["protocol.yaml"]


def test_a_process_that_dies_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """The child dies without any clean-up at the moment before the new file takes the old one's place."""
    file = tmp_path / "program.json"
    file.write_text("old", encoding="utf-8")
    child = os.fork()
    if child == 0:
        protocol_file.os.replace = lambda *_: os._exit(9)  # type: ignore[assignment]
        write_whole(file, b"new" * 100_000)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    assert file.read_text(encoding="utf-8") == "old"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "gone" / "a.yaml", b"x")


def test_a_written_file_has_the_rights_that_files_have_here(tmp_path: Path) -> None:
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_bytes(b"")
    write_whole(ours, b"x")
    assert ours.stat().st_mode == plain.stat().st_mode
    ours.chmod(0o600)
    write_whole(ours, b"y")
    assert (ours.stat().st_mode & 0o777, ours.read_bytes()) == (0o600, b"y")
