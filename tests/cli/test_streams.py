"""Output into closed pipes, in poor encodings, to narrow terminals and to files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import COMMAND, DILUTION, environment, labwright
from tests.cli.conftest import Call
from tests.cli.terminal import on_terminal

pytestmark = pytest.mark.slow
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("words", [["verify"], ["verify", "--json"], ["run", "--approve", "Ada"]])
def test_a_reader_that_goes_away_changes_nothing(home: Path, words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [str(COMMAND), *words, str(DILUTION)],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    if words[0] == "run":
        assert "completed" in labwright(home, "runs", "list").out


@pytest.mark.parametrize("env", [ASCII, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"}])
def test_a_poor_encoding(home: Path, env: dict[str, str]) -> None:
    shown = labwright(home, "verify", str(DILUTION), env=env)
    assert (shown.code, shown.err) == (0, "")
    assert "Verified: no errors." in shown.out
    if env != {"PYTHONIOENCODING": "cp1252"}:
        assert "220 uL of dye" in shown.out
    assert labwright(home, "verify", str(DILUTION), "--json", env=env).json()["ok"]
    assert labwright(home, "--help", env=env).code == 0


def test_a_table_in_a_pipe_is_a_line_for_each_run(after_a_run: Path) -> None:
    listed = labwright(after_a_run, "runs", "list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["run", listed[1].split()[0]]
    assert listed[1].endswith("Ten-fold serial dilution of a dye")
    assert "\x1b" not in "".join(listed)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_words_are_not_broken_on_a_terminal(after_a_run: Path, width: int) -> None:
    for words in (["runs", "show", "last"], ["verify", str(DILUTION)], ["runs", "list"]):
        shown = on_terminal(after_a_run, *words, width=width)
        assert shown.code == 0
        kept_whole = ("folder:", "Report:", "20")
        lines = [line for line in shown.lines if not line.startswith(kept_whole)]
        assert max(map(len, lines)) <= width, lines
        assert "instruct\n" not in "\n".join(lines)


def test_no_colour_where_none_is_wanted(after_a_run: Path) -> None:
    assert "\x1b[3" in on_terminal(after_a_run, "verify", str(DILUTION)).raw
    assert "\x1b[3" not in on_terminal(after_a_run, "verify", str(DILUTION), env={"NO_COLOR": "1"}).raw


def test_nothing_is_left_outside_the_home(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    report = tmp_path / "report"
    for words in (["run", str(DILUTION)], ["simulate", str(DILUTION), "--report", str(report)]):
        assert labwright(home, *words, env={"HOME": str(elsewhere)}, cwd=elsewhere).code == 0
    assert not list(elsewhere.iterdir())
    assert sorted(path.name for path in report.iterdir()) == ["report.html", "report.json"]
    assert sorted(path.name for path in home.iterdir()) == ["runs", "workcells"]
    assert not [path for path in home.rglob("*") if path.name.startswith(".")]


def test_the_list_names_runs_by_the_end_of_their_ids(call: Call, after_a_run: Path) -> None:
    name = call("runs", "list").out.splitlines()[1].split()[0]
    assert len(name) == 4
    assert call("runs", "show", name).code == 0
