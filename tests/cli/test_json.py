"""With --json each command prints one object with the fields that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.commands import DILUTION, WASH, Ended, labwright, newest
from tests.cli.conftest import Call

PLAN = {
    "ok",
    "title",
    "workcell",
    "channel_operations",
    "seconds",
    "schema_version",
    "source",
    "description",
    "options",
    "tallies",
    "setup",
    "notes",
    "unreachable",
    "findings",
}
OUTCOME = {"phase", "done", "total", "skipped", "stop_reason", "question", "lab_seconds", "report"}
LINE = {"run", "title", "workcell", "status", "done", "total", "created"}


def fields(ended: Ended, code: ExitCode = ExitCode.OK) -> set[str]:
    assert ended.code == code, ended
    return set(ended.json())


@pytest.mark.slow
def test_verify_and_simulate(call: Call, tmp_path: Path) -> None:
    assert fields(call("verify", DILUTION, "--json")) == PLAN
    simulated = call("simulate", DILUTION, "--report", tmp_path / "report", "--json")
    assert fields(simulated) == PLAN | OUTCOME | {"strays"}
    assert simulated.json()["report"] == str(tmp_path / "report" / "report.html")


def test_findings_are_for_machines_too(call: Call, tmp_path: Path) -> None:
    dry = tmp_path / "dry.json"
    assert call("verify", DILUTION, "--program", dry).code == ExitCode.OK
    program = json.loads(dry.read_text())
    program["contents"][0]["volume"] = 1.0
    dry.write_text(json.dumps(program))
    for command in ("verify", "run", "simulate"):
        ended = call(command, dry, "--json")
        assert fields(ended, ExitCode.FINDINGS) == PLAN
        assert not ended.json()["ok"]
        assert {"code", "severity", "message"} <= set(ended.json()["findings"][0])
    assert not call("runs", "list", "--json").json()["runs"]


def test_a_run_and_what_can_be_asked_of_it(call: Call, after_a_run: Path) -> None:
    run = newest(after_a_run).run
    listed = call("runs", "list", "--json")
    assert fields(listed) == {"home", "runs"}
    assert [set(line) for line in listed.json()["runs"]] == [LINE]
    shown = call("runs", "show", "last", "--json")
    more = {"record", "approved_by", "question", "stop_reason", "steps", "deviations", "events"}
    assert fields(shown) == LINE | more
    assert (shown.json()["run"], shown.json()["status"], shown.json()["approved_by"]) == (run, "completed", "Ada")
    assert len(call("runs", "show", "last", "--all", "--json").json()["events"]) == 84
    assert fields(call("report", "last", "--json")) == {"run", "report", "data"}
    refused = {"error", "where", "mend", "problems", "exit_code"}
    for command in ("pause", "stop", "abandon", "resume"):
        assert fields(call("runs", command, "last", "--json"), ExitCode.INPUT) == refused
    assert fields(call("runs", "answer", "last", "done", "--json"), ExitCode.INPUT) == refused


@pytest.mark.slow
def test_a_run_that_waits_for_a_person(call: Call, home: Path) -> None:
    ended = labwright(home, "run", str(WASH), "--json")
    assert fields(ended, ExitCode.STOPPED) == OUTCOME | {"run"}
    assert ended.json()["question"]["choices"] == ["done", "stop"]
    call("runs", "resume", "last", "--answer", "perhaps").refused(ExitCode.INPUT, "Possible: done, stop")
    call("runs", "answer", "last", "done").refused(ExitCode.INPUT, "--answer done")
    resumed = labwright(home, "runs", "resume", "last", "--answer", "done", "--json")
    assert fields(resumed) == OUTCOME | {"run"}
    assert (resumed.json()["phase"], resumed.json()["stop_reason"]) == ("done", "")
    call("runs", "resume", "last", "--answer", "done").refused(ExitCode.INPUT, "ended already")


def test_the_workcell(call: Call, after_a_run: Path) -> None:
    assert fields(call("workcell", "check", "starlet", "--json")) == {"workcell", "file", "doubts"}
    assert {"file", "name", "devices", "sites", "labware"} <= fields(call("workcell", "show", "--json"))
    state = call("workcell", "state", "--json")
    assert fields(state) == {"workcell", "open_run", "last_run", "updated", "differences", "uncertain", "state"}
    assert state.json()["differences"]
    call("workcell", "reset", "starlet", "--json").refused(ExitCode.NOT_ALLOWED, "--yes")
    assert call("workcell", "state", "--json").json()["differences"]
    assert fields(call("workcell", "reset", "starlet", "--yes", "--json")) == {"workcell", "reset"}
    assert not call("workcell", "state", "--json").json()["differences"]


def test_doctor(call: Call) -> None:
    ended = call("doctor", "--json")
    assert fields(ended) == {"ok", "checks"}
    assert all(set(check) == {"name", "ok", "seen", "mend"} for check in ended.json()["checks"])
