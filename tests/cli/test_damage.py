"""Records that are damaged, or that another version wrote, are refused, and never made worse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.commands import DILUTION, is_one_paragraph, labwright, newest
from tests.cli.conftest import Call

PARTS = ["run.json", "program.json", "workcell.json", "start.json", "journal.sqlite"]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:2000] = b"\xa5" * len(content[100:2000])
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def replaced_by_a_list(path: Path) -> None:
    path.write_text("[1, 2]")


def removed(path: Path) -> None:
    path.unlink()


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [truncated, garbled, emptied, replaced_by_a_list, removed, made_a_folder]


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file but those that SQLite makes and removes as it reads."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_run(call: Call, after_a_run: Path, part: str, damage: Callable[[Path], None]) -> None:
    run = newest(after_a_run)
    damage(run.path / part)
    before = content_of(run.path)
    unlisted = not (run.path / "run.json").exists()
    commands = [("runs", "show"), ("report",)]
    if damage in (truncated, removed):  # these load the workcell first and take their time
        commands += [("runs", "resume"), ("runs", "abandon")]
    for words in commands:
        ended = call(*words, run.run)
        assert ended.code in (ExitCode.INPUT if unlisted else ExitCode.RECORD,), (words, ended)
        is_one_paragraph(ended.err)
    listed = call("runs", "list")
    assert listed.code == ExitCode.OK
    assert ("  damaged  " in listed.out) is not unlisted
    assert content_of(run.path) == before


@pytest.mark.parametrize("version", [0, 2, 99, "1", None])
@pytest.mark.parametrize("part", ["run.json", "program.json", "workcell.json", "start.json"])
def test_a_run_of_another_version(call: Call, after_a_run: Path, part: str, version: object) -> None:
    run = newest(after_a_run)
    value = json.loads((run.path / part).read_text())
    value["schema_version"] = version
    (run.path / part).write_text(json.dumps(value))
    call("runs", "show", "last").refused(ExitCode.RECORD, "schema version", part)
    call("runs", "show", "last", "--json").refused(ExitCode.RECORD)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_of_the_deck(call: Call, after_a_run: Path, damage: Callable[[Path], None]) -> None:
    damage(after_a_run / "workcells" / "starlet" / "state.json")
    for words in (("workcell", "state", "starlet"), ("verify", DILUTION, "--as-is")):
        ended = call(*words)
        if damage is removed:  # as on the first day
            assert ended.code == ExitCode.OK
        else:
            ended.refused(ExitCode.RECORD, "state.json")


@pytest.mark.slow
def test_a_workcell_file_that_changed_after_a_run(call: Call, home: Path, tmp_path: Path) -> None:
    from robots.workcell.workcell import SHIPPED

    lab = tmp_path / "lab.yaml"
    shutil.copy(SHIPPED / "starlet.yaml", lab)
    assert labwright(home, "run", str(DILUTION), "-w", str(lab)).code == 0
    lab.write_text(lab.read_text().replace("80 mL", "60 mL", 1))
    call("run", DILUTION, "-w", lab).refused(ExitCode.RECORD, "changed", "labwright workcell reset")
    assert call("workcell", "reset", lab, "--yes").code == 0
    assert labwright(home, "run", str(DILUTION), "-w", str(lab)).code == 0
