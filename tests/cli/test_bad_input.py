"""Whatever file or option is given: one clear paragraph, the right exit code, and nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.commands import BROKEN, DILUTION, SHORT
from tests.cli.conftest import Call

PROTOCOL = """\
title: Small
labware: {plate: {category: plate}}
liquids: {dye: {name: dye}}
materials: [{liquid: dye, wells: plate/A1, volume: 100 uL}]
steps: [{id: move, do: transfer, source: plate/A1, destination: plate/B1, volume: 50 uL}]
"""
CHERRY = "Sample,Source,SourceWell,Destination,DestinationWell,Volume (uL)\nS1,lib,A1,hits,B1,5\n"


def changed(old: str, new: str) -> str:
    assert old in PROTOCOL
    return PROTOCOL.replace(old, new)


FILES: dict[str, tuple[str, str | bytes]] = {
    "empty": ("p.yaml", ""),
    "empty CSV": ("w.csv", ""),
    "empty JSON": ("p.json", ""),
    "only a comment": ("p.yaml", "# nothing\n"),
    "only a header": ("w.csv", "Sample,Volume\n"),
    "binary": ("p.yaml", bytes(range(256))),
    "binary CSV": ("w.csv", bytes(range(256)) * 9),
    "binary JSON": ("p.json", b"\xff\xfe\x00{"),
    "a zip": ("w.csv", b"PK\x03\x04\x14\x00\x00\x00"),
    "UTF-16": ("w.csv", CHERRY.encode("utf-16")),
    "Latin-1": ("p.yaml", changed("Small", "Größe").encode("latin-1")),
    "zero byte": ("p.yaml", PROTOCOL + "\0"),
    "a list": ("p.yaml", "- a\n- b\n"),
    "a word": ("p.yaml", "hello\n"),
    "a number": ("p.json", "12"),
    "null": ("p.json", "null"),
    "unclosed": ("p.yaml", PROTOCOL + "more: [1, 2"),
    "tabs": ("p.yaml", PROTOCOL + "\tmore: 1\n"),
    "unclosed JSON": ("p.json", '{"title": "x"'),
    "JSON with a comma": ("p.json", '{"title": "x",}'),
    "JSON twice": ("p.json", '{"title": "x", "title": "y"}'),
    "JSON NaN": ("p.json", '{"title": NaN}'),
    "deep JSON": ("p.json", "[" * 100_000),
    "deep YAML": ("p.yaml", "a: " + "[" * 5_000),
    "bomb": ("p.yaml", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"),
    "tag": ("p.yaml", "title: !!python/object/apply:os.system ['true']\n"),
    "key twice": ("p.yaml", PROTOCOL + "title: again\n"),
    "an extra field": ("p.yaml", PROTOCOL + "colour: red\n"),
    "an unknown verb": ("p.yaml", changed("do: transfer", "do: teleport")),
    "unknown labware": ("p.yaml", changed("source: plate/A1", "source: other/A1")),
    "unknown kind": ("p.yaml", changed("category: plate", "kind: plate_of_gold")),
    "unknown category": ("p.yaml", changed("category: plate", "category: spoon")),
    "no such well": ("p.yaml", changed("plate/B1", "plate/Z99")),
    "no well": ("p.yaml", changed("plate/B1", "plate")),
    "no unit": ("p.yaml", changed("50 uL", "50")),
    "wrong unit": ("p.yaml", changed("50 uL", "50 s")),
    "unknown unit": ("p.yaml", changed("50 uL", "50 spoons")),
    "NaN": ("p.yaml", changed("50 uL", "nan uL")),
    "infinity": ("p.yaml", changed("50 uL", "inf uL")),
    "negative": ("p.yaml", changed("50 uL", "-50 uL")),
    "huge": ("p.yaml", changed("50 uL", "1e300 uL")),
    "too big a number": ("p.yaml", changed("50 uL", "1e999 uL")),
    "no volume": ("p.yaml", changed("50 uL", '""')),
    "a schema version of tomorrow": ("p.yaml", PROTOCOL + "schema_version: 99\n"),
    "no columns": ("w.csv", "a,b\n1,2\n"),
    "a column too many": ("w.csv", CHERRY + "S2,lib,A2,hits,B2,5,6\n"),
    "an unclosed quote": ("w.csv", CHERRY + 'S2,"lib,A2,hits,B2,5\n'),
    "an endless line": ("w.csv", CHERRY + "S" * 1_000_000 + ",lib,A2,hits,B2,5\n"),
    "no extension": ("protocol", "hello"),
    "another extension": ("p.docx", "hello"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_cannot_be_used(call: Call, home: Path, tmp_path: Path, kind: str) -> None:
    name, content = FILES[kind]
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    ended = call("verify", file, "--json")
    if ended.code == ExitCode.FINDINGS:  # it can be read, and verification says what is wrong
        assert not ended.json()["ok"]
        assert ended.json()["findings"]
    else:
        ended.refused(ExitCode.INPUT)
        assert len(ended.err) < 20_000
        assert ended.json()["exit_code"] == ExitCode.INPUT
    assert sorted(tmp_path.iterdir()) == [file]


def test_the_small_protocol_is_right_before_it_is_spoilt(call: Call, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL)
    assert call("verify", tmp_path / "p.yaml").code == 0


@pytest.mark.parametrize("command", ["run", "verify", "simulate"])
@pytest.mark.parametrize("file", ["/nowhere/p.yaml", "/tmp", "", ".", "p" * 300, "a/" * 2000 + "p.yaml", "/dev/null"])
def test_no_file_to_read(call: Call, command: str, file: str) -> None:
    call(command, file).refused(ExitCode.INPUT)


@pytest.mark.parametrize(
    "options",
    [
        "--shortfall bogus",
        "--too-dilute bogus",
        "--too-dilute=smaller volume",
        "--plate x",
        "--plate =",
        "--plate extraction=",
        "--plate extraction=plate_of_gold",
        "--plate extraction=pcr_96_200ul@nowhere",
        "--source-volume 5",
        "--source-volume 5 s",
        "--source-volume -5 uL",
        "--dead-volume nan uL",
        "--dead-volume=1e999 uL",
        "--least-diluent=-1 uL",
        "--favour speed",
        "--diluent-well nowhere",
        "--diluent-well nowhere/A1/B2",
        "--diluent-well diluent/Z99",
        "--diluent=",
        "--diluent= ",
        "--workcell nolab",
        "--workcell=",
        "--workcell /tmp",
        "--workcell /nowhere/lab.yaml",
    ],
)
def test_an_option_that_cannot_be_used(call: Call, home: Path, options: str) -> None:
    option, _, value = options.partition("=" if "=" in options.split(" ")[0] else " ")
    ended = call("verify", SHORT, f"{option}={value}", *([] if "shortfall" in option else ["--shortfall", "neat"]))
    if ended.code != ExitCode.FINDINGS:
        ended.refused(ExitCode.INPUT)
    assert ended.code != ExitCode.OK
    assert not home.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--on-fault", "x"), "there is no fault 'x'"),
        (("--on-fault", "clog=pray"), "there is no choice 'pray'"),
        (("--on-fault", ""), "there is no fault ''"),
        (("--faults", "/nowhere.yaml"), "/nowhere.yaml"),
        (("--faults", "/tmp"), "/tmp"),
        (("--approve", ""), "needs a name"),
        (("--approve", " "), "needs a name"),
        (("--approve", "x" * 1000), "at most 200"),
        (("--approve", "a\nb"), "one line"),
    ],
)
def test_an_option_of_a_run_that_cannot_be_used(call: Call, home: Path, options: tuple[str, str], says: str) -> None:
    call("run", DILUTION, *options).refused(ExitCode.INPUT, says)
    assert not (home / "runs").exists()


@pytest.mark.parametrize("plan", ["", "faults: 3\n", "faults: [{kind: earthquake, nth: 1}]", "faults: [{kind: clog}]"])
def test_a_fault_plan_that_cannot_be_used(call: Call, tmp_path: Path, plan: str) -> None:
    (tmp_path / "f.yaml").write_text(plan)
    call("simulate", DILUTION, "--faults", tmp_path / "f.yaml").refused(ExitCode.INPUT)


@pytest.mark.parametrize(
    "text", ["", "name: x", "[]", "\0", "name: x\ndeck: attic\n", "name: 'x'\ndeck: STARLet\nmore: 1"]
)
def test_a_workcell_file_that_cannot_be_used(call: Call, tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.yaml").write_text(text)
    for command in ("check", "show", "state"):
        call("workcell", command, tmp_path / "lab.yaml").refused(ExitCode.INPUT, "lab.yaml")


def test_every_problem_of_a_worklist_is_told_once_by_its_line(call: Call) -> None:
    ended = call("verify", BROKEN).refused(ExitCode.INPUT, "8 problems", "line 3, column 'SourceWell'", "--pool")
    assert ended.err.count(str(BROKEN)) == 1
    said = call("verify", BROKEN, "--json").json()
    assert said["error"] == "8 problems"
    assert len(said["problems"]) == 8
    assert all(item["where"].startswith(f"{BROKEN}:") and item["what"] for item in said["problems"])


def test_samples_that_cannot_reach_their_target_say_which_option_settles_it(call: Call) -> None:
    call("verify", SHORT).refused(ExitCode.INPUT, "--too-dilute", "--shortfall")


@pytest.mark.parametrize("run", ["", "last", "nothing", "../../etc", "20261124T224808-x-889a", "a" * 5000, "%", "*"])
@pytest.mark.parametrize("command", ["show", "resume", "pause", "stop", "abandon"])
def test_no_such_run(call: Call, home: Path, command: str, run: str) -> None:
    call("runs", command, run).refused(ExitCode.INPUT, "there is no run")
    assert not home.exists()


@pytest.mark.parametrize("place", ["/nowhere/p.json", ".", ""])
def test_a_program_that_cannot_be_written(call: Call, tmp_path: Path, place: str) -> None:
    ended = call("verify", DILUTION, "--program", place)
    ended.refused(ExitCode.INPUT)
    assert not list(tmp_path.iterdir())


def test_a_program_is_written_over_no_pipe_or_device(call: Call, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    call("verify", DILUTION, "--program", tmp_path / "pipe").refused(ExitCode.INPUT, "Name a file")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("place", ["/proc/nowhere", str(DILUTION), f"{DILUTION}/report"])
def test_a_report_folder_that_cannot_be_made(call: Call, place: str) -> None:
    ended = call("simulate", DILUTION, "--report", place).refused(ExitCode.SYSTEM, place)
    assert "Done" not in ended.out


@pytest.mark.parametrize("home", ["/proc/nowhere", str(DILUTION), f"{DILUTION}/home", "/" + "h" * 300])
@pytest.mark.usefixtures("tmp_path")
def test_a_home_that_cannot_be_made(call: Call, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.setenv("LABWRIGHT_HOME", home)
    call("run", DILUTION).refused(ExitCode.SYSTEM, home)


def test_a_file_that_may_not_be_read(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(PROTOCOL)
    file.chmod(0)
    ended = call("verify", file)
    if os.geteuid() == 0:  # root reads everything
        assert ended.code == 0
    else:
        ended.refused(ExitCode.INPUT, "permission")
