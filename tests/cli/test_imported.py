"""An Opentrons analysis through the command line: planned, simulated, run, on a workcell of its own or a lab's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.conftest import Call
from tests.opentrons import corpus

SMALL = "OT2_S_v6_P300M_P20S_MixTransferManyLiquids"


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    return corpus.write(SMALL, tmp_path)


def test_it_is_simulated_on_a_workcell_of_its_own(call: Call, home: Path, analysis: Path) -> None:
    said = call("simulate", analysis, "--noise", "0", "--json").json()
    assert said["ok"] is True
    assert said["phase"] == "done"
    assert said["strays"]["by"] == pytest.approx(0.0, abs=1e-6)
    (folder,) = (home / "imports").iterdir()
    assert said["workcell"] == folder.name
    assert (folder / "workcell.yaml").is_file()
    assert said["tallies"]["tips"] == 43


def test_the_plan_says_what_to_set_up_and_what_was_not_carried_over(call: Call, analysis: Path) -> None:
    said = call("verify", analysis, "--json").json()
    assert said["not_carried_over"] == [
        {"command": "home", "count": 1, "first": 0, "reason": "nothing moves liquid; the driver homes by itself"}
    ]
    assert "Mount p300_multi_gen2 on the left" in said["setup"]
    shown = call("verify", analysis, "--all").out
    assert "Set up:" in shown
    assert "not carried over: home (1)" in shown


def test_the_workcell_is_written_once(call: Call, home: Path, analysis: Path) -> None:
    first = call("verify", analysis, "--json").json()["workcell"]
    assert call("verify", analysis, "--json").json()["workcell"] == first
    assert len(list((home / "imports").iterdir())) == 1


def test_another_protocol_has_another_workcell(call: Call, home: Path, analysis: Path, tmp_path: Path) -> None:
    data = corpus.analysis(SMALL)
    data["commands"][1]["params"]["pipetteName"] = "p300_single_gen2"
    call("verify", analysis)
    analysis.write_text(json.dumps(data))
    call("verify", analysis)
    assert len(list((home / "imports").iterdir())) == 2


def test_it_runs_and_is_recorded(call: Call, analysis: Path) -> None:
    ended = call("run", analysis, "--approve", "Ada", "--noise", "0")
    assert ended.code == ExitCode.OK, ended.err
    assert "Done: 78 instructions" in ended.out


def test_a_labs_own_workcell_is_taken_where_it_has_everything(
    call: Call, home: Path, analysis: Path, tmp_path: Path
) -> None:
    name = call("verify", analysis, "--json").json()["workcell"]
    own = tmp_path / "lab"
    (home / "imports" / name).rename(own)
    assert call("verify", analysis, "--workcell", own / "workcell.yaml", "--json").json()["ok"] is True
    assert not list((home / "imports").iterdir())


def test_what_a_named_workcell_lacks_is_said(call: Call, analysis: Path) -> None:
    call("verify", analysis, "--workcell", "ot2").refused(ExitCode.INPUT, "agilent_1_reservoir_290ml", "--workcell")
    call("verify", analysis, "--workcell", "starlet").refused(ExitCode.INPUT, "robot")


def test_a_workcell_that_is_named_for_all_files_stands_back(
    call: Call, analysis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABWRIGHT_WORKCELL", "starlet")
    assert call("verify", analysis, "--json").json()["ok"] is True


def test_a_protocol_that_failed_is_refused(call: Call, tmp_path: Path) -> None:
    file = corpus.write("OT2_X_v6_P20S_None_SimpleTransfer", tmp_path)
    ended = call("simulate", file)
    assert ended.code == ExitCode.FINDINGS
    assert "D03 error" in ended.out


def test_a_run_log_is_named(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    file.write_text(json.dumps({"data": {"id": "r", "status": "succeeded"}, "commands": {"data": []}}))
    call("verify", file).refused(ExitCode.INPUT, "run log", "analyze")
