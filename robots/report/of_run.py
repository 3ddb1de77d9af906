"""The report of a run folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from protocols.digests import digest
from protocols.errors import RecordError
from robots.execution.labs import all_simulated
from robots.execution.run_folder import RunFolder
from robots.execution.status import RunStatus, run_status
from robots.report.build import build_report
from robots.report.model import Plan, Report, RunFacts, Status
from robots.report.render import write_report

_STATUS: dict[RunStatus, Status] = {
    "planned": "planned",
    "running": "running",
    "paused": "paused",
    "waiting": "paused",
    "stopped": "stopped",
    "interrupted": "stopped",
    "abandoned": "failed",
    "completed": "completed",
}


def report_of(run: RunFolder) -> Report:
    """The report of a run as far as its journal goes.

    Raises:
        RecordError: a part of the run's folder is missing or damaged.
    """
    events = run.events()
    facts = RunFacts(
        run=run.run,
        title=run.record.title,
        status=_STATUS[run_status(run, run.progress())],
        workcell=run.record.workcell,
        simulated=all_simulated(run.workcell),
        program_digest=digest(run.program),
        workcell_digest=digest(run.workcell),
        started=run.record.created,
    )
    return build_report(facts, _plan(run), run.program, run.workcell, run.start(), events)


def save_report(run: RunFolder, folder: Path | None = None) -> Path:
    """Write the report of a run into ``folder`` (by default the run's own) and return the page's path.

    Raises:
        OSError: the folder cannot be written.
        RecordError: a part of the run's folder is missing or damaged.
    """
    return write_report(folder or run.report_path, report_of(run), run.program, run.workcell)


def _plan(run: RunFolder) -> Plan:
    plain = run.read_extra("plan.json")
    try:
        return Plan() if plain is None else Plan.model_validate(plain)
    except ValidationError:
        raise RecordError("is damaged", where=str(run.path / "plan.json"), mend="Restore it from a copy") from None
