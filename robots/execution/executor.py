"""The executor: carries out runs on one workcell, one at a time, and keeps the record of its deck between them."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from protocols.errors import ApprovalError, InputError, LeaseError, RecordError
from protocols.labstate import LabState
from protocols.ports import Approval, CheckpointHook, EventListener, Person
from robots.execution.approval import check_approval
from robots.execution.control import ControlServer, Stopper, Switches
from robots.execution.devices import Devices
from robots.execution.home import Home, utc_now
from robots.execution.journal import Journal
from robots.execution.labs import make_lab
from robots.execution.lease import Lease
from robots.execution.ledger import Clock, Ledger, VirtualClock, WallClock
from robots.execution.progress import Progress
from robots.execution.run_folder import RunFolder
from robots.execution.runner import Progressed, Runner
from robots.execution.signals import loop_wakes_on_signals
from robots.execution.sockets import socket_path
from robots.execution.standing import Standing, left_uncertain, open_run_on, read_standing, write_standing
from robots.simulator import end_world
from robots.workcell import Workcell

MakeDevices = Callable[[RunFolder], Devices]


@dataclass(frozen=True, kw_only=True)
class Company:
    """Who is there while a run goes on: someone to answer, to look, and to be told.

    Attributes:
        person: answers questions, as the control channel can meanwhile; without one a question stops the run.
        checkpoint: looks before and after each instruction.
        progressed: is told after each instruction.
        listeners: are told of each event.
    """

    person: Person | None = None
    checkpoint: CheckpointHook | None = None
    progressed: Progressed | None = None
    listeners: Sequence[EventListener] = ()


class Executor:
    """Carries out runs on one workcell."""

    def __init__(self, home: Home, workcell: Workcell, *, devices: MakeDevices | None = None) -> None:
        """``devices``: makes the devices for a run; by default those that the workcell file names."""
        self.home = home
        self.workcell = workcell
        self._folder = home.workcell(workcell.spec.name)
        self._make_devices = devices or self._lab

    def execute(self, run: RunFolder, company: Company | None = None) -> Progress:
        """Begin a run, or go on with it, until it has ended or is stopped; returns how far it is.

        SIGINT, SIGTERM and SIGHUP stop it and make the devices safe, if this is the main thread.

        Raises:
            ApprovalError: nobody approved exactly this, or the deck changed since.
            DeviceError: a device failed in a way that nobody foresaw; the run can be resumed.
            InputError: the run has ended already, or belongs to another workcell.
            LeaseError: another process holds the workcell, or another run there has not ended.
            RecordError: a record is damaged, or the journal cannot be written.
        """
        company = company or Company()
        with ExitStack() as stack:
            lease = stack.enter_context(Lease(self._folder / "lease", run.run))
            ledger = stack.enter_context(_opened(run, company.listeners))
            if ledger.progress.phase == "done":
                _free(self.home, run, ledger.progress)  # a process that was killed right after the end could not
                return ledger.progress
            standing = self._admit(run)
            check_approval(_approval(ledger.journal), run.program, self.workcell.spec, run.record.policy)
            self._write(run.deck(), open_run=run.run, last_run=standing.last_run)
            try:
                self._carry_out(run, ledger, lease, company)
            finally:
                self._settle(run, ledger, standing)
            return ledger.progress

    def reset(self) -> None:
        """Forget what earlier runs left on the deck: it is as the workcell file says.

        Raises:
            LeaseError: a run is going on, or one that began has not ended.
            OSError: the record cannot be removed.
        """
        with Lease(self._folder / "lease", "reset"):
            self._refuse_open_run()
            end_world(socket_path(self._folder, "world"))
            for path in (*(self._folder / "world").glob("world.sqlite*"), self._folder / "state.json"):
                path.unlink(missing_ok=True)

    # -- inside -------------------------------------------------------------------------------------

    def _lab(self, run: RunFolder) -> Devices:
        return make_lab(self.workcell, run, self._folder / "world", socket_path(self._folder, "world"))

    def _write(self, state: LabState, *, open_run: str | None, last_run: str | None) -> None:
        write_standing(self.home, self.workcell.spec, state, open_run=open_run, last_run=last_run)

    def _admit(self, run: RunFolder) -> Standing:
        """Make sure that this run may begin, or go on, here."""
        spec, where = self.workcell.spec, f"run {run.run}"
        if run.record.workcell != spec.name:
            raise InputError(f"it is a run of workcell '{run.record.workcell}', not of '{spec.name}'", where=where)
        if run.workcell != spec:
            raise ApprovalError(
                "the workcell file changed after this run was made",
                where=where,
                mend=f"Undo the change, or give the run up (`labwright runs abandon {run.run}`) and make it anew",
            )
        self._refuse_open_run(other_than=run.run)
        standing = read_standing(self.home, spec)
        planned = (run.deck().snapshot(), run.start().snapshot())
        if standing.open_run is None and standing.state.snapshot() not in planned:
            raise ApprovalError(
                "the deck changed after this run was made: another run has used tips or liquids",
                where=where,
                mend="Make the run anew",
            )
        return standing

    def _refuse_open_run(self, *, other_than: str | None = None) -> None:
        name = open_run_on(self.home, self.workcell.spec.name)
        if name is None or name == other_than:
            return
        raise LeaseError(
            f"run {name} began on this workcell and has not ended",
            where=self.workcell.spec.name,
            mend=f"Go on with it (`labwright runs resume {name}`) or give it up (`labwright runs abandon {name}`)",
        )

    def _settle(self, run: RunFolder, ledger: Ledger, before: Standing) -> None:
        """Write down what is on the deck now, unless the run keeps the workcell."""
        if ledger.progress.phase == "done":
            _free(self.home, run, ledger.progress)
        elif all(event.kind != "intent" for event in ledger.journal.events):
            # nothing moved; what a person set up for the run is all that changed
            end_world(socket_path(self._folder, "world"))
            self._write(run.start(), open_run=None, last_run=before.last_run)

    def _carry_out(self, run: RunFolder, ledger: Ledger, lease: Lease, company: Company) -> None:
        devices, switches = self._make_devices(run), Switches()
        stopper = Stopper(switches, ledger, devices.make_safe)
        with ControlServer(run.path, ledger, switches, stopper) as server, _stop_on_signals(stopper):
            lease.announce(server.address)
            ledger.append("resumed" if _started(ledger.journal) else "run_started")
            asyncio.run(self._until_over(self._runner(ledger, devices, switches, run, company), devices))

    def _runner(self, ledger: Ledger, devices: Devices, switches: Switches, run: RunFolder, company: Company) -> Runner:
        return Runner(
            ledger,
            devices,
            switches,
            self.workcell.spec,
            policy=run.record.policy,
            person=company.person,
            checkpoint=company.checkpoint,
            progressed=company.progressed,
        )

    async def _until_over(self, runner: Runner, devices: Devices) -> None:
        with loop_wakes_on_signals():
            try:
                await runner.run()
            finally:
                await devices.close()


def abandon(home: Home, run: RunFolder, by: str) -> Progress:
    """Give up a run that has not ended: it can never be resumed, and its workcell is free again.

    What its journal says is where becomes the record of the deck.

    Raises:
        InputError: the run has ended already.
        LeaseError: it is going on.
        RecordError: a record is damaged, or the journal cannot be written.
    """
    with Lease(run.lease_path, run.run), _opened(run) as ledger:
        if ledger.progress.phase != "done":
            ledger.append("run_ended", payload={"abandoned": by})
            if open_run_on(home, run.workcell.name) != run.run:
                return ledger.progress  # it never began
        _free(home, run, ledger.progress)
        return ledger.progress


@contextmanager
def _opened(run: RunFolder, listeners: Sequence[EventListener] = ()) -> Iterator[Ledger]:
    with Journal(run.journal_path, run.run, must_exist=True) as journal:
        yield Ledger(journal, Progress(run.program, run.start()), _clock(run, journal), listeners)


def _free(home: Home, run: RunFolder, progress: Progress) -> None:
    """Let others use the workcell of a run that has ended.

    Raises:
        InputError: it was free already.
    """
    name = run.workcell.name
    if open_run_on(home, name) != run.run:
        raise InputError("the run has ended already", where=f"run {run.run}")
    end_world(socket_path(home.workcell(name), "world"))
    uncertain = left_uncertain(progress) if progress.abandoned else ()
    write_standing(home, run.workcell, progress.state, open_run=None, last_run=run.run, uncertain=uncertain)


def _approval(journal: Journal) -> Approval | None:
    """The last approval that was written down."""
    given = [event.payload for event in journal.events if event.kind == "approved"]
    return Approval.model_validate(given[-1]) if given else None


def _started(journal: Journal) -> str | None:
    """When the run began, UTC, ISO 8601."""
    return next((event.wall_time for event in journal.events if event.kind == "run_started"), None)


def _clock(run: RunFolder, journal: Journal) -> Clock:
    return WallClock(_started(journal) or utc_now()) if run.record.simulation is None else VirtualClock()


_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "the terminal was closed"}


def _stop(stopper: Stopper, reason: str) -> None:
    with suppress(RecordError):  # the runner meets it too, and tells it
        stopper.stop(reason)


@contextmanager
def _stop_on_signals(stopper: Stopper) -> Iterator[None]:
    """Let signals that end a process stop the run instead."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        threading.Thread(target=_stop, args=(stopper, _SIGNALS[signal.Signals(number)]), daemon=True).start()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
