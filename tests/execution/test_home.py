"""Where things are kept: names that stay apart, files that are whole or not there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.errors import InputError, RecordError
from robots.execution import home
from robots.execution.home import Home, read_json, write_atomically, write_json


def test_home_is_where_one_says_else_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABWRIGHT_HOME", str(tmp_path / "there"))
    assert Home.find(tmp_path / "here").path == tmp_path / "here"
    assert Home.find().path == tmp_path / "there"
    monkeypatch.delenv("LABWRIGHT_HOME")
    assert Home.find().path.name == "labwright"
    monkeypatch.chdir(tmp_path)
    assert Home.find("here").path == tmp_path / "here"


# -- runs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title", ["Serial dilution", "x" * 500, "---", "", "Ünïcode 漢字", "../../etc", "a\nb\0c", "A.B"]
)
def test_every_title_makes_a_run_of_its_own(tmp_path: Path, title: str) -> None:
    lab = Home(tmp_path)
    made = [lab.new_run(title) for _ in range(5)]
    assert len({run for run, _ in made}) == 5
    for run, folder in made:
        assert folder == lab.run(run) == tmp_path / "runs" / run
        assert folder.is_dir()
    assert lab.runs() == sorted(run for run, _ in made)


def test_a_run_id_says_when_and_what(tmp_path: Path) -> None:
    run, _ = Home(tmp_path).new_run("ELISA: plate 7, second try!")
    when, words = run.split("-", 1)
    assert len(when) == 15
    assert words.startswith("elisa-plate-7-second-try-")


def test_two_runs_that_draw_the_same_digits_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = iter(["aaaa", "aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr(home.secrets, "token_hex", lambda _: next(digits))
    lab = Home(tmp_path)
    (first, _), (second, _) = lab.new_run("x"), lab.new_run("x")
    assert first != second


@pytest.mark.parametrize(
    "run",
    ["", ".", "..", "../x", "20260101T000000-x-0000/..", "20260101T000000-x-0000\n", "20260101T000000-X-0000", "last",
     "20260101T000000--00g0", "20260101T000000-" + "x" * 41 + "-0000", "20260101T000000-x-0000.json"],
)  # fmt: skip
def test_what_is_no_run_id_names_no_folder(tmp_path: Path, run: str) -> None:
    with pytest.raises(InputError, match="is not the id of a run"):
        Home(tmp_path).run(run)


def test_other_things_beside_the_runs_are_not_runs(tmp_path: Path) -> None:
    lab = Home(tmp_path)
    assert lab.runs() == []
    run, _ = lab.new_run("x")
    (tmp_path / "runs" / ".DS_Store").touch()
    (tmp_path / "runs" / "notes").mkdir()
    assert lab.runs() == [run]


# -- workcells ----------------------------------------------------------------------------------------

NASTY = [
    *("starlet", "A", "con", "a b", "~", ".", "..", "...", ".hidden", "..%", "%", "%2e", "a/b", "a%2fb"),
    *("a\0b", "\n1", "\xa1", "\ud800", "x" * 128, "漢" * 128, "漢" * 127 + "字"),
]


@pytest.mark.parametrize("name", NASTY)
def test_any_workcell_name_is_one_folder_below_home(tmp_path: Path, name: str) -> None:
    folder = Home(tmp_path).workcell(name)
    assert folder.is_dir()
    assert folder.resolve().parent == (tmp_path / "workcells").resolve()
    assert Home(tmp_path).workcell(name) == folder


def test_unlike_names_have_unlike_folders(tmp_path: Path) -> None:
    assert len({Home(tmp_path).workcell(name) for name in NASTY}) == len(NASTY)


@given(st.lists(st.text(min_size=1, max_size=128), min_size=2, max_size=2, unique=True))
@example(["\n1", "\xa1"])
@example(["漢" * 128, "漢" * 127 + "字"])
@example(["..", "%.."])
def test_no_two_names_share_a_folder(names: list[str]) -> None:
    one, other = (home._file_name(name) for name in names)
    assert one != other
    for name in (one, other):
        assert len(name.encode()) <= 255
        assert "/" not in name
        assert name not in ("", ".", "..")


# -- files --------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_json(path, {"schema_version": 1, "text": "Ä\u2028"})
    write_json(path, {"schema_version": 1, "text": "second"})
    assert read_json(path, 1) == {"schema_version": 1, "text": "second"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, "first")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(home.os, step, fail)
    with pytest.raises(RecordError, match="No space left on device") as caught:
        write_atomically(path, "second")
    assert str(path) in str(caught.value)
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_a_write_that_is_interrupted_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, "first")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(home.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "second")
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, "\ud800"])
def test_what_is_no_json_is_not_written(tmp_path: Path, value: object) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, "first")
    with pytest.raises((ValueError, TypeError)):
        write_json(path, {"value": value})
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be written"):
        write_atomically(tmp_path / "nowhere" / "state.json", "text")


REWRITER = """
import sys
from pathlib import Path
from robots.execution.home import write_atomically
for number in range(10**9):
    write_atomically(Path(sys.argv[1]), str(number % 10) * 200_000)
    print(number, flush=True)
"""


@pytest.mark.kill
@pytest.mark.slow
def test_a_process_that_is_killed_while_writing_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for number in range(6):
        writer = subprocess.Popen([sys.executable, "-c", REWRITER, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(1 + number * 3):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        said = writer.stdout.readlines()
        writer.stdout.close()
        writer.wait(10.0)
        text = path.read_text()
        assert len(text) == 200_000
        assert len(set(text)) == 1
        assert not said or int(text[0]) in {int(said[-1]) % 10, (int(said[-1]) + 1) % 10}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "the file is missing"),
        ("", "cannot be read"),
        ('{"schema_version": 1', "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "is no record"),
        ("{}", "is no record"),
        ('{"schema_version": 2}', "has schema version 2, this Labwright reads 1"),
        ('{"schema_version": null}', "has schema version None"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str | bytes | None, words: str) -> None:
    path = tmp_path / "state.json"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RecordError, match=words) as caught:
        read_json(path, 1)
    assert str(path) in str(caught.value)


def test_the_time_is_utc_to_the_microsecond() -> None:
    assert len(home.utc_now()) == len("2026-01-01T00:00:00.000000+00:00")
    assert home.utc_now().endswith("+00:00")
    assert json.dumps(home.utc_now())
