"""Runs and simulated labs that are killed with SIGKILL, again and again, and what is left of them.

A zygote (``python -m benchmarks.killing``) imports everything once and forks a process for each attempt at a run and
for the lab it works in, so that a kill costs milliseconds and not seconds of imports. The zygote has one thread.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from protocols.digests import digest
from protocols.labstate import LabState
from protocols.program import MoveLabware, Program
from robots.execution import executor as executor_module
from robots.execution.approval import SIMULATION
from robots.execution.executor import Company, Executor
from robots.execution.home import Home, write_atomically
from robots.execution.journal import Journal
from robots.execution.labs import RemoteLab
from robots.execution.run_folder import RunFolder, Simulation, create_run
from robots.execution.sockets import socket_path
from robots.execution.standing import open_run_on
from robots.simulator import RemoteWorld, end_world
from robots.simulator.record import ActRecord, WorldLog
from robots.simulator.remote import listens
from robots.workcell import Workcell, load_workcell
from robots.workcell.workcell import SHIPPED

SETTLED = 30.0
"""s after which an attempt counts as hanging."""


# -- making runs ------------------------------------------------------------------------------------


def lab_that(folder: Path, *, answers: bool) -> Path:
    """A workcell file like the shipped STARlet, whose devices can, or cannot, say what they did.

    It has no tip racks but the two that the program uses: pylabrobot takes its time for each of the others.
    """
    lines = (SHIPPED / "starlet.yaml").read_text().splitlines()
    text = "\n".join(line for line in lines if not re.match(r"  tips_(?!300_[12]:)\w+_\d:", line))
    return _written(text, folder / "starlet", answers)


def modules_that(folder: Path, *, answers: bool) -> Path:
    """A workcell file of an OT-2 with every kind of module, whose devices can, or cannot, say what they did."""
    return _written((Path(__file__).parent / "ot2-modules.yaml").read_text(), folder / "ot2-modules", answers)


def _written(text: str, path: Path, answers: bool) -> Path:
    assert "driver: simulated" in text
    said = f"driver: simulated, answers: {'true' if answers else 'false'}"
    file = path.with_name(f"{path.name}-{'answers' if answers else 'silent'}.yaml")
    file.write_text(text.replace("driver: simulated", said))
    return file


def make_run(home: Home, workcell: Workcell, program: Program, *, seed: int = 0) -> RunFolder:
    """An approved run, ready to be carried out."""
    deck = LabState.start(workcell.spec)
    run = create_run(
        home, program, workcell.spec, deck, workcell_file=str(workcell.path), simulation=Simulation(seed=seed)
    )
    run.approve(SIMULATION)
    return run


def world_log(home: Home, workcell: Workcell) -> tuple[ActRecord, ...]:
    """The log of the lab that the runs of ``home`` worked in, which must have ended."""
    log = WorldLog(home.workcell(workcell.spec.name) / "world" / "world.sqlite", digest(workcell.spec))
    try:
        return log.acts()
    finally:
        log.close()


# -- the processes that are killed ------------------------------------------------------------------


class _KillPoints:
    """Kills this process at the n-th point that it passes, from 0."""

    def __init__(self, kill_at: int | None) -> None:
        self._left = kill_at

    def passed(self) -> None:
        """One more point."""
        if self._left is not None:
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self._left -= 1

    def around(self, owner: Any, name: str) -> None:
        """Make a point before and one after each call of a method of a class, or a function of a module."""
        original: Callable[..., Any] = getattr(owner, name)

        def with_points(*args: Any, **kwargs: Any) -> Any:
            self.passed()
            result = original(*args, **kwargs)
            self.passed()
            return result

        setattr(owner, name, with_points)


class _Waiting:
    """The lab's process, which the zygote starts, and starts again when it dies."""

    def __init__(self, workcell: Workcell, socket: Path) -> None:
        self.socket = socket
        self._workcell = workcell

    def start(self) -> RemoteWorld:
        """Wait until it listens."""
        until = time.monotonic() + SETTLED
        while not listens(self.socket) and time.monotonic() < until:
            time.sleep(0.002)
        return RemoteWorld(self.socket, self._workcell.spec)

    def end(self) -> None:
        """The run has ended."""
        end_world(self.socket)


def _truthful(home: Home, workcell: Workcell, run: RunFolder) -> Callable[[str, tuple[str, ...]], str | None]:
    """A person who looks into the lab before they say whether something happened."""
    moves = {item.id for item in run.program.instructions if isinstance(item, MoveLabware) and item.by == "arm"}

    def answer(question: str, choices: tuple[str, ...]) -> str | None:
        if "done" in choices:
            return "done"
        found = question.rpartition("): begun")[0].rpartition("(")[2].partition(",")[0]
        done = _acts_in(home.workcell(workcell.spec.name) / "world" / "world.sqlite", f"{run.run}:{found}")
        if done >= (2 if found in moves else 1):
            return "it happened"
        return "the arm holds it" if done and "the arm holds it" in choices else "it did not happen"

    return answer


def _acts_in(path: Path, instruction: str) -> int:
    import sqlite3

    database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10.0)
    try:
        query = "SELECT count(*) FROM act WHERE instruction = ?"
        return int(database.execute(query, (instruction,)).fetchone()[0])
    finally:
        database.close()


class _Zygote:
    """Forks an attempt at a run, and the lab it works in, for each line it reads."""

    def __init__(self) -> None:
        self._workcells: dict[str, Workcell] = {}
        self._labs: dict[Path, int] = {}

    def serve(self, lines: Iterator[str]) -> None:
        """Until there are no more lines."""
        for line in lines:
            print(json.dumps(self._attempt(**json.loads(line))), flush=True)

    def _attempt(
        self,
        home: str,
        run: str,
        kill_at: int | None = None,
        kill_after: float | None = None,
        lab_kill_at: int | None = None,
        lab_kill_after: float | None = None,
    ) -> dict[str, Any]:
        place = Home(Path(home))
        folder = RunFolder(place.run(run))
        workcell = self._workcell(folder.record.workcell_file)
        socket = socket_path(place.workcell(workcell.spec.name), "world")
        self._lab_ended(socket)
        if socket not in self._labs:
            self._labs[socket] = _forked(lambda: _lab(place, workcell, folder, socket, lab_kill_at))
        child = _forked(lambda: _carry_out(place, workcell, folder, socket, kill_at))
        began = time.monotonic()
        lab_kills = 0
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                killed = os.WIFSIGNALED(status)
                code = None if killed else os.WEXITSTATUS(status)
                if not killed:
                    self._end_lab(socket)
                return {"killed": killed, "code": code, "lab_kills": lab_kills}
            passed = time.monotonic() - began
            if (kill_after is not None and passed >= kill_after) or passed > SETTLED:
                os.kill(child, signal.SIGKILL)
            if lab_kill_after is not None and passed >= lab_kill_after and socket in self._labs:
                lab_kill_after = None
                os.kill(self._labs[socket], signal.SIGKILL)
            if (
                ended := self._lab_ended(socket)
            ) is not None:  # closed, too: a run may be killed while it closes its lab
                lab_kills += ended == "killed"
                self._labs[socket] = _forked(lambda: _lab(place, workcell, folder, socket, None))
            time.sleep(0.001)

    def _workcell(self, path: str) -> Workcell:
        if path not in self._workcells:
            self._workcells[path] = load_workcell(path)
            digest(self._workcells[path].spec)  # once for all attempts
            gc.freeze()  # the children leave what is here in the memory that they share
        return self._workcells[path]

    def _end_lab(self, socket: Path) -> None:
        """Nobody needs the lab any more; one that was killed while its run ended was started again."""
        lab = self._labs.pop(socket, None)
        if lab is not None:
            os.kill(lab, signal.SIGTERM)
            os.waitpid(lab, 0)

    def _lab_ended(self, socket: Path) -> str | None:
        """ "killed" or "closed", once; ``None`` while it lives."""
        lab = self._labs.get(socket)
        if lab is None:
            return None
        pid, status = os.waitpid(lab, os.WNOHANG)
        if not pid:
            return None
        del self._labs[socket]
        return "killed" if os.WIFSIGNALED(status) else "closed"


def _forked(work: Callable[[], int]) -> int:
    """Do ``work`` in a child that ends with it; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(quiet, stream)
        code = work()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _lab(home: Home, workcell: Workcell, run: RunFolder, socket: Path, kill_at: int | None) -> int:
    from robots.simulator import serve

    folder = home.workcell(workcell.spec.name) / "world"
    folder.mkdir(exist_ok=True)
    spec = folder / "workcell-spec.json"
    if not spec.exists():
        write_atomically(spec, workcell.spec.model_dump_json())
    _KillPoints(kill_at).around(WorldLog, "append")
    simulation = run.record.simulation
    assert simulation is not None
    arguments = {"workcell-spec": spec, "log": folder / "world.sqlite", "socket": socket, "seed": simulation.seed}
    return serve.main([part for name, value in arguments.items() for part in (f"--{name}", str(value))])


def _carry_out(home: Home, workcell: Workcell, run: RunFolder, socket: Path, kill_at: int | None) -> int:
    if run.progress().phase == "done" and open_run_on(home, workcell.spec.name) is None:
        return 0  # it was killed when all was over and written down
    points = _KillPoints(kill_at)
    points.around(Journal, "append")
    points.around(executor_module, "write_standing")
    process = _Waiting(workcell, socket)
    executor = Executor(home, workcell, devices=lambda folder: RemoteLab(workcell, folder.program, folder.run, process))
    progress = executor.execute(run, Company(person=_truthful(home, workcell, run)))
    if progress.phase != "done":
        print(f"{run.run} stopped: {progress.stop_reason}", file=sys.stderr, flush=True)
        return 3
    return 0


# -- from the outside -------------------------------------------------------------------------------


class Killer:
    """Speaks to a zygote of its own."""

    def __init__(self) -> None:
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.killing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )

    def attempt(self, home: Home, run: RunFolder, **kill: Any) -> dict[str, Any]:
        """Carry the run out, or go on with it, until it ends or is killed.

        Returns whether it was ``killed``, its exit ``code`` if not, and ``lab_kills``: how often the lab was.

        Args:
            kill: ``kill_at`` (a point, from 0: before and after each write to the record of the deck and to the
                journal) or ``kill_after`` (s); the same with ``lab_`` before it for the lab and its log.
        """
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps({"home": str(home.path), "run": run.run, **kill}) + "\n")
        self._zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self._zygote.stdout.readline())
        return answer

    def close(self) -> None:
        """End the zygote."""
        self._zygote.communicate(timeout=SETTLED)


if __name__ == "__main__":
    _Zygote().serve(iter(sys.stdin.readline, ""))
