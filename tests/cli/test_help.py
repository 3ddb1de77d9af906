"""Help is quick, is there for everything, and a wrong command line is told like any other mistake."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.commands import COMMAND, environment
from tests.cli.conftest import Call

COMMANDS = [
    "run",
    "verify",
    "simulate",
    "report",
    "doctor",
    *(f"runs {name}" for name in ("list", "show", "resume", "pause", "stop", "answer", "abandon")),
    *(f"workcell {name}" for name in ("check", "show", "state", "reset")),
]
HEAVY = {"pylabrobot", "pydantic", "numpy", "pint", "jinja2", "yaml", "protocols", "robots"}


def test_help_imports_nothing_that_only_a_command_needs() -> None:
    program = (
        "import sys; sys.argv = ['labwright', '--help']\n"
        "from console.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert "console.cli.app" in done.stderr.split()
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.slow
def test_help_is_quick(tmp_path: Path) -> None:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([str(COMMAND), "--help"], env=environment(tmp_path), capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < 1.0, times  # 0.2 s on a quiet machine


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_command_has_help_that_ends_well(call: Call, home: Path, command: str) -> None:
    shown = call(*command.split(), "--help")
    assert shown.code == 0
    assert "Usage: labwright" in shown.out
    assert not home.exists()


def test_version(call: Call) -> None:
    assert call("--version").out == "labwright 0.1.0\n"


@pytest.mark.parametrize("group", ["", "runs", "workcell"])
def test_no_command_shows_the_help(call: Call, group: str) -> None:
    shown = call(*group.split())
    assert shown.code == ExitCode.INPUT
    assert "Commands" in shown.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("bogus", "no such command 'bogus'"),
        ("runs shw", "Did you mean 'show'?"),
        ("--bogus", "no such option"),
        ("run --bogus", "`labwright run --help`"),
        ("run", "missing argument 'FILE'"),
        ("verify a b", "unexpected extra argument"),
        ("verify x --margin abc", "'--margin'"),
        ("verify x --margin 51", "'--margin'"),
        ("verify x --margin -1", "'--margin'"),
        ("verify x --margin nan", "'--margin'"),
        ("simulate x --noise inf", "'--noise'"),
        ("simulate x --noise nan", "'--noise'"),
        ("simulate x --seed 1.5", "'--seed'"),
        ("simulate x --seed 99999999999999999999999999", "'--seed'"),
        ("simulate x --pace inf", "'--pace'"),
        ("simulate x --pace nan", "'--pace'"),
        ("simulate x --pace 1e300", "'--pace'"),
        ("runs answer last", "missing argument 'CHOICE'"),
        ("runs show", "missing argument 'RUN'"),
        ("workcell check", "missing argument"),
    ],
)
def test_a_wrong_command_line(call: Call, words: str, says: str) -> None:
    call(*words.split()).refused(ExitCode.INPUT, says, "--help`")


def test_a_wrong_command_line_is_told_to_machines_too(call: Call) -> None:
    ended = call("verify", "x", "--margin", "abc", "--json").refused(ExitCode.INPUT)
    said = ended.json()
    assert (said["where"], said["exit_code"]) == ("verify", 2)
    assert "--margin" in said["error"]


def test_bytes_that_are_no_text(call: Call) -> None:
    call("verify", b"x\xff.yaml".decode("utf-8", "surrogateescape")).refused(ExitCode.INPUT, "not UTF-8 text")
