"""A person at the terminal: approves, answers, interrupts."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.commands import DILUTION, WASH, labwright, newest
from tests.cli.terminal import on_terminal

pytestmark = pytest.mark.slow
APPROVE = "Approve and run this?"


@pytest.mark.parametrize(("typed", "by"), [("Grace Hopper\n", "Grace Hopper"), ("YES\n", None)])
def test_whoever_approves_is_recorded(home: Path, typed: str, by: str | None) -> None:
    shown = on_terminal(home, "run", str(DILUTION), typed=[(APPROVE, typed)])
    assert shown.code == ExitCode.OK, shown.text
    approved = next(event.payload["by"] for event in newest(home).events() if event.kind == "approved")
    assert approved == by if by else approved.lower() != "yes"
    assert "Done: 40 instructions" in shown.text
    assert shown.lines[-2].startswith("Report: ")


@pytest.mark.parametrize("typed", ["\n", "no\n", "N\n", "\x04"])
def test_nothing_moves_unless_somebody_approves(home: Path, typed: str) -> None:
    shown = on_terminal(home, "run", str(DILUTION), typed=[(APPROVE, typed)])
    assert shown.code == ExitCode.NOT_ALLOWED
    assert any(line.startswith("labwright: nobody approved this run") for line in shown.lines), shown.text
    assert not (home / "runs").exists()


def test_ctrl_c_at_the_approval(home: Path) -> None:
    shown = on_terminal(home, "run", str(DILUTION), typed=[(APPROVE, "\x03")])
    assert shown.code == ExitCode.INTERRUPTED
    assert "labwright: interrupted" in shown.lines
    assert not (home / "runs").exists()


def test_a_question_is_asked_again_until_it_is_answered(home: Path) -> None:
    shown = on_terminal(
        home, "run", str(WASH), "--approve", "Ada", typed=[("> ", "\n"), ("> ", "maybe\n"), ("> ", "1\n")]
    )
    assert shown.code == ExitCode.OK, shown.text
    assert shown.text.count("Type a number from 1 to 2, or one of: done, stop") == 2


@pytest.mark.parametrize("typed", ["\x03", "\x04", "stop\n"])
def test_a_question_that_is_not_answered_leaves_a_run_to_be_resumed(home: Path, typed: str) -> None:
    shown = on_terminal(home, "run", str(WASH), "--approve", "Ada", typed=[("> ", typed)])
    assert shown.code == ExitCode.STOPPED, shown.text
    assert any(line.startswith("Go on with: labwright runs resume ") for line in shown.lines)
    assert "Traceback" not in shown.text
    assert labwright(home, "runs", "show", "last").code == ExitCode.OK


def test_a_person_resets_the_deck(after_a_run: Path) -> None:
    shown = on_terminal(after_a_run, "workcell", "reset", "starlet", typed=[("> ", "2\n")])
    assert shown.code == ExitCode.NOT_ALLOWED
    shown = on_terminal(after_a_run, "workcell", "reset", "starlet", typed=[("> ", "yes\n")])
    assert shown.code == ExitCode.OK
