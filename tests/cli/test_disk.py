"""A disk that fills up: a clear word, no half file, and a run that goes on once there is room."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.commands import DILUTION, Ended, labwright

pytestmark = pytest.mark.slow


def full_after(size: int, home: Path, *words: str) -> Ended:
    """Run the command where no file may grow beyond ``size`` bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    return labwright(home, *words, preexec_fn=limit)


def half_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize("size", [0, 1_000, 20_000, 60_000, 100_000])
def test_a_run_on_a_full_disk(home: Path, size: int) -> None:
    ended = full_after(size, home, "run", str(DILUTION))
    assert ended.code in (ExitCode.SYSTEM, ExitCode.STOPPED), ended
    assert "Traceback" not in ended.err
    assert "bug in Labwright" not in ended.err
    assert not half_files(home)
    listed = labwright(home, "runs", "list", "--json").json()["runs"]
    assert "damaged" not in [line["status"] for line in listed]
    if listed:
        resumed = labwright(home, "runs", "resume", "last", "--json")
        # a lab whose own log could not be written may leave a fault for a person to decide about
        assert resumed.code == ExitCode.OK or resumed.json()["question"] is not None, resumed


@pytest.mark.parametrize("size", [0, 5_000])
def test_outputs_on_a_full_disk(home: Path, tmp_path: Path, size: int) -> None:
    program = tmp_path / "program.json"
    program.write_text("as before")
    full_after(size, home, "verify", str(DILUTION), "--program", str(program)).refused(ExitCode.INPUT, "program.json")
    assert program.read_text() == "as before"
    assert sorted(tmp_path.iterdir()) == [program]


def test_a_report_on_a_full_disk(after_a_run: Path, tmp_path: Path) -> None:
    full_after(40_000, after_a_run, "report", "last", "--out", str(tmp_path / "report")).refused(ExitCode.SYSTEM)
    assert not (tmp_path / "report" / "report.html").exists()
    assert not half_files(tmp_path)
