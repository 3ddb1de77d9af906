"""The list of runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from console.cli.exits import ExitCode
from console.cli.screen import Screen
from protocols.errors import RecordError
from robots.execution.home import Home
from robots.execution.run_folder import RunFolder, run_folders
from robots.execution.status import run_status

MOST_RUNS = 20
"""Runs that are listed without `--all`."""
_SHORTEST_HANDLE = 4


def list_runs(screen: Screen, home: Home, *, everything: bool = False) -> ExitCode:
    """The runs, the newest first, each by a short part of its id that names it."""
    folders = run_folders(home)
    shown = folders if everything or screen.as_json else folders[-MOST_RUNS:]
    lines = [run_line(folder) for folder in reversed(shown)]
    if not lines:
        screen.say(f"No runs yet under {home.path}.")
    else:
        names = [folder.run for folder in folders]
        screen.table(
            ("run", "made", "status", "done", "workcell", "title"),
            [
                (
                    handle(line["run"], names),
                    local_time(line["created"]),
                    line["status"],
                    _share(line),
                    line["workcell"],
                    line["title"],
                )
                for line in lines
            ],
        )
        if len(lines) < len(folders):
            screen.say(f"and {len(folders) - len(lines):,} older ones; --all shows them")
    screen.give({"home": str(home.path), "runs": lines})
    return ExitCode.OK


def run_line(folder: RunFolder) -> dict[str, Any]:
    """A run in short: the fields of the list, for people and machines."""
    try:
        progress = folder.progress()
        record = folder.record
        status = run_status(folder, progress)
    except RecordError as error:
        return {
            "run": folder.run,
            "title": error.what,
            "workcell": "",
            "status": "damaged",
            "done": None,
            "total": None,
            "created": None,
        }
    return {
        "run": folder.run,
        "title": record.title,
        "workcell": record.workcell,
        "status": status,
        "done": len(progress.finished),
        "total": len(progress.program.instructions),
        "created": record.created,
    }


def handle(run: str, runs: Sequence[str]) -> str:
    """The shortest end of a run's id that no other id contains."""
    others = [name for name in runs if name != run]
    for length in range(_SHORTEST_HANDLE, len(run)):
        if not any(run[-length:] in name for name in others):
            return run[-length:]
    return run


def local_time(moment: str | None) -> str:
    """A UTC time of a record as the clock on the wall shows it."""
    return "" if moment is None else datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def _share(line: dict[str, Any]) -> str:
    return "" if line["done"] is None else f"{line['done']:,}/{line['total']:,}"
