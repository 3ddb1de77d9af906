"""A run that is interrupted, stopped, killed or resumed twice at once, from the outside."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.every_kind import compare
from benchmarks.killing import world_log
from console.cli.exits import ExitCode
from robots.execution.home import Home
from robots.workcell import load_workcell
from tests.cli.commands import DILUTION, PACE, Going, labwright, newest, outcomes_of, wait_for
from tests.cli.conftest import Call

pytestmark = [pytest.mark.slow, pytest.mark.kill]


def halts(home: Path) -> int:
    """How often the simulated lab was told to be safe."""
    log = home / "workcells" / "starlet" / "world" / "world.sqlite"
    with closing(sqlite3.connect(f"{log.as_uri()}?mode=ro", uri=True, timeout=10)) as database:
        return int(database.execute("SELECT count(*) FROM halt").fetchone()[0])


def going(home: Path) -> Going:
    """A paced run that has done a few things."""
    return Going(home, "run", str(DILUTION), "--approve", "Ada", "--pace", PACE).until(outcomes=4)


def did_the_program_once(home: Path) -> None:
    """Hold the lab's own log against the program."""
    assert compare(newest(home).program, world_log(Home(home), load_workcell("starlet"))).equal


@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_stops_makes_safe_and_leaves_the_run_to_be_resumed(
    home: Path, number: signal.Signals, said: str
) -> None:
    ended = going(home).signal(number)
    assert ended.code == ExitCode.STOPPED
    assert f": {said}." in ended.out
    assert "The devices are safe." in ended.out
    assert ended.err == ""
    assert halts(home) >= 1
    shown = labwright(home, "runs", "show", "last")
    assert f"stopped: {said}" in shown.out
    assert shown.out.rstrip().splitlines()[-1].startswith("Go on with: labwright runs resume ")
    assert labwright(home, "runs", "resume", "last").code == ExitCode.OK
    did_the_program_once(home)


def test_a_killed_run_is_resumed_by_the_name_in_the_list(home: Path) -> None:
    assert going(home).signal(signal.SIGKILL).code == -signal.SIGKILL
    listed = labwright(home, "runs", "list").out.splitlines()[1]
    assert "interrupted" in listed
    resumed = labwright(home, "runs", "resume", listed.split()[0])
    assert resumed.code == ExitCode.OK
    did_the_program_once(home)


def test_killed_again_and_again(home: Path) -> None:
    going(home).signal(signal.SIGKILL)
    for _ in range(3):
        before = outcomes_of(home)
        Going(home, "runs", "resume", "last").until(before + 3).signal(signal.SIGKILL)
    assert labwright(home, "runs", "resume", "last").code == ExitCode.OK
    did_the_program_once(home)


def test_of_two_who_resume_at_once_one_is_told_who_holds_it(home: Path) -> None:
    going(home).signal(signal.SIGKILL)
    pair = [Going(home, "runs", "resume", "last") for _ in range(2)]
    ended = {going.process.pid: going.end() for going in pair}
    winner, loser = sorted(ended, key=lambda pid: ended[pid].code)
    assert ended[winner].code == ExitCode.OK, ended
    ended[loser].refused(ExitCode.NOT_ALLOWED, f"process {winner} ")
    did_the_program_once(home)


def test_a_second_shell_pauses_resumes_and_stops(home: Path, call: Call) -> None:
    run = going(home)
    name = newest(home).run
    call("runs", "resume", name).refused(ExitCode.NOT_ALLOWED, f"process {run.process.pid} ")
    call("run", DILUTION).refused(ExitCode.NOT_ALLOWED, f"process {run.process.pid} ")
    call("workcell", "reset", "starlet", "--yes").refused(ExitCode.NOT_ALLOWED, "in use")
    call("runs", "abandon", name).refused(ExitCode.NOT_ALLOWED, "in use")
    assert "carried out by" in call("runs", "show", name).out
    assert call("runs", "pause", name, "--json").json() == {"run": name, "ok": True}
    wait_for(lambda: call("runs", "show", name, "--json").json()["status"] == "paused")
    done = outcomes_of(home)
    call("runs", "answer", name, "yes").refused(ExitCode.INPUT, "no question is open", name)
    assert outcomes_of(home) == done
    assert call("runs", "resume", name, "--json").json()["phase"] == "running"
    run.until(done + 2)
    assert call("runs", "stop", name, "--reason", "a tip fell").code == ExitCode.OK
    ended = run.end()
    assert ended.code == ExitCode.STOPPED
    assert "a tip fell" in ended.out
    assert len(list((home / "runs").iterdir())) == 1  # the run that was refused left nothing


def test_an_unfinished_run_keeps_the_workcell_until_it_is_given_up(home: Path, call: Call) -> None:
    going(home).signal(signal.SIGINT)
    name = newest(home).run
    call("run", DILUTION).refused(ExitCode.NOT_ALLOWED, f"labwright runs resume {name}", "abandon")
    call("workcell", "reset", "starlet", "--yes").refused(ExitCode.NOT_ALLOWED, name)
    assert newest(home).run == name
    assert call("runs", "abandon", "last").code == ExitCode.OK
    call("runs", "resume", "last").refused(ExitCode.INPUT, "ended already")
    assert "dilutions" in call("workcell", "state").out
    assert call("workcell", "reset", "starlet", "--yes").code == ExitCode.OK
