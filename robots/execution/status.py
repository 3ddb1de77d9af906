"""Where a run stands, in one word: what its journal says, and whether a process is carrying it out now."""

from __future__ import annotations

from typing import Literal

from robots.execution.lease import Holder, lease_holder
from robots.execution.progress import Progress
from robots.execution.run_folder import RunFolder

RunStatus = Literal["planned", "running", "paused", "waiting", "stopped", "interrupted", "abandoned", "completed"]
"""Interrupted: its process ended without writing down why. Waiting: for a person's answer."""


def holder_of(run: RunFolder) -> Holder | None:
    """The process that is carrying out the run now."""
    holder = lease_holder(run.lease_path)
    return holder if holder is not None and holder.run == run.run else None


def run_status(run: RunFolder, progress: Progress) -> RunStatus:
    """Where the run stands."""
    match progress.phase:
        case "done":
            return "abandoned" if progress.abandoned else "completed"
        case "created":
            return "planned"
        case "stopped":
            return "stopped"
    if holder_of(run) is None:
        return "interrupted"
    if progress.phase == "paused":
        return "paused"
    return "waiting" if progress.question is not None and progress.answer is None else "running"
