"""The folder of one run: what it is to do, on what, from which state, and its journal.

Everything but the journal is written once, when the run is made, and never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from protocols.digests import digest
from protocols.errors import InputError, RecordError
from protocols.events import Event
from protocols.labstate import LabState
from protocols.liquids import Name, Record
from protocols.ports import Approval, RecoveryPolicy
from protocols.program import Program
from protocols.specs import SCHEMA_VERSION, WorkcellSpec
from robots.execution.approval import approve
from robots.execution.home import Home, read_json, utc_now, write_atomically, write_json
from robots.execution.journal import Journal, read_journal
from robots.execution.progress import Progress
from robots.simulator.faults import FaultPlan
from robots.simulator.noise import Noise

AnyModel = TypeVar("AnyModel", bound=BaseModel)


class Simulation(Record):
    """How the simulated lab behaves.

    Attributes:
        pace: real seconds for each second of the lab's clock; 0 lets no time pass.
    """

    seed: int = 0
    noise: Noise = Noise()
    faults: FaultPlan = FaultPlan()
    pace: float = 0.0


class RunRecord(Record):
    """What a run is: ``run.json``.

    Attributes:
        workcell_file: where its workcell file stood.
        simulation: how the simulated lab behaves; ``None`` where a real device moves.
        source: the file it was made from.
        created: UTC, ISO 8601.
    """

    schema_version: Literal[1] = 1
    run: Name
    title: str
    workcell: Name
    workcell_file: str
    simulation: Simulation | None
    policy: RecoveryPolicy = RecoveryPolicy()
    source: str = ""
    created: Name


@dataclass(frozen=True)
class RunFolder:
    """One run on the disk."""

    path: Path

    @property
    def run(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def journal_path(self) -> Path:
        """Where its journal is."""
        return self.path / "journal.sqlite"

    @property
    def lease_path(self) -> Path:
        """Where the lease of its workcell is."""
        return Home(self.path.parent.parent).workcell(self.record.workcell) / "lease"

    @property
    def report_path(self) -> Path:
        """The folder of its report."""
        return self.path / "report"

    @cached_property
    def record(self) -> RunRecord:
        """What it is.

        Raises:
            RecordError: the file is missing, damaged or of another schema version; so for the next three.
        """
        return self._read("run.json", RunRecord)

    @cached_property
    def program(self) -> Program:
        """What it is to do."""
        return self._read("program.json", Program)

    @cached_property
    def workcell(self) -> WorkcellSpec:
        """On what workcell."""
        return self._read("workcell.json", WorkcellSpec)

    def deck(self) -> LabState:
        """What was where before a person set the deck up for this run; each call makes a new one.

        Raises:
            RecordError: the record is missing or damaged; so for the next.
        """
        return LabState.restore(self.workcell, read_json(self.path / "start.json", SCHEMA_VERSION))

    def start(self) -> LabState:
        """What was where when the run began, its own labware and liquids included; each call makes a new one."""
        state = self.deck()
        state.set_up(self.program)
        return state

    def events(self) -> tuple[Event, ...]:
        """All events so far; may be called while the run goes on.

        Raises:
            RecordError: the journal is missing or damaged.
        """
        return read_journal(self.journal_path)

    def progress(self) -> Progress:
        """How far it is.

        Raises:
            RecordError: a part of the folder is missing or damaged.
        """
        return Progress(self.program, self.start()).take_all(self.events())

    def approve(self, by: str) -> Approval:
        """Write down that ``by`` approved exactly this program on exactly this workcell.

        Raises:
            RecordError: the journal cannot be written.
        """
        approval = approve(self.program, self.workcell, self.record.policy, by=by)
        with Journal(self.journal_path, self.run, must_exist=True) as journal:
            journal.append("approved", virtual_time=0.0, payload=approval.model_dump(mode="json"))
        return approval

    def read_extra(self, name: str) -> dict[str, Any] | None:
        """A file that an upper floor put into the folder with :func:`create_run`; ``None`` if it did not.

        Raises:
            RecordError: the file is damaged or of another schema version.
        """
        path = self.path / name
        return read_json(path, SCHEMA_VERSION) if path.exists() else None

    def _read(self, name: str, model: type[AnyModel]) -> AnyModel:
        path = self.path / name
        plain = read_json(path, SCHEMA_VERSION)
        try:
            return model.model_validate(plain)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise RecordError(
                f"is damaged ({place}: {first['msg']})", where=str(path), mend="Restore it from a copy"
            ) from None


def run_folders(home: Home) -> tuple[RunFolder, ...]:
    """All runs, oldest first; a folder whose making was cut off is no run."""
    folders = (RunFolder(home.run(name)) for name in home.runs())
    return tuple(folder for folder in folders if (folder.path / "run.json").exists())


def open_run(home: Home, run: str) -> RunFolder:
    """The folder of a run; ``run`` may be any part of an id that only one run has, or "last".

    Raises:
        InputError: there is no such run, or several.
    """
    known = [folder.run for folder in run_folders(home)]
    found = known[-1:] if run == "last" else [name for name in known if name == run]
    found = found or [name for name in known if run and run in name]
    if len(found) == 1:
        return RunFolder(home.run(found[0]))
    if not found:
        raise InputError(f"there is no run '{run}'", where=str(home.path), mend="`labwright runs list` shows them")
    shown = ", ".join(found[:5]) + (" and more" if len(found) > 5 else "")
    raise InputError(f"'{run}' fits {len(found)} runs: {shown}", mend="Write more of the id")


def create_run(
    home: Home,
    program: Program,
    workcell: WorkcellSpec,
    deck: LabState,
    *,
    workcell_file: str,
    simulation: Simulation | None,
    policy: RecoveryPolicy | None = None,
    source: str = "",
    extra: Sequence[tuple[str, BaseModel]] = (),
) -> RunFolder:
    """Make the folder of a new run.

    Args:
        deck: what is where on the workcell now, before a person sets it up for this run.
        extra: files of upper floors, by name, each a record with a ``schema_version``.

    Raises:
        OSError: the folder cannot be made.
        RecordError: a file cannot be written.
    """
    run, path = home.new_run(program.title)
    policy = policy or RecoveryPolicy()
    record = RunRecord(
        run=run,
        title=program.title,
        workcell=workcell.name,
        workcell_file=workcell_file,
        simulation=simulation,
        policy=policy,
        source=source,
        created=utc_now(),
    )
    snapshot = deck.snapshot()
    snapshot["clock"] = 0.0
    write_json(path / "start.json", snapshot)
    for name, part in (("program.json", program), ("workcell.json", workcell), *extra):
        write_atomically(path / name, part.model_dump_json(indent=1) + "\n")
    with Journal(path / "journal.sqlite", run) as journal:
        digests = {"program": digest(program), "workcell": digest(workcell), "recovery_policy": digest(policy)}
        journal.append("run_created", virtual_time=0.0, payload=digests)
    # last of all: a folder without it is no run
    write_atomically(path / "run.json", record.model_dump_json(indent=1) + "\n")
    return RunFolder(path)
