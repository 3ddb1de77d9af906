"""A process that runs one command confined, within its limits, and ends all that the command started.

``python -I -m robots.sources.supervisor`` reads an :class:`Order` as JSON from its input and answers with a
:class:`Verdict` as JSON. :mod:`robots.sources.isolation` is the only one to start it. It ends with whoever started
it, and with it everything below it:

- where the kernel allows new namespaces, the command is the first of its own process namespace: when that one ends,
  the kernel ends all others in it;
- elsewhere all of it is one process group, which nobody may leave and the kernel ends at one stroke, and orphans
  become children of this process (it is their "subreaper"), which hears of each that it is gone.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from robots.sources import kernel, landlock, seccomp
from robots.sources.processes import folder_usage, tree_usage, unlinked_bytes

TAIL = 64 * 1024
"""Bytes of the command's words that are kept: the last ones, where an error stands."""
_GLANCE = 0.02
"""s between two looks at the processes."""
_DISK_GLANCE = 0.25
"""s between two looks at the folder."""
_LINUX = sys.platform == "linux"


@dataclass(frozen=True)
class Order:
    """What to run, and within which limits.

    Attributes:
        command: the program's absolute path and its arguments.
        folder: where it runs, and the only place that it may write to.
        readable: files and folders that it may read beside.
        environment: all that it gets of it.
        seconds: wall clock.
        memory: bytes of main memory of all its processes together.
        processes: how many of them, threads among them, at one time.
        disk: bytes of its folder.
        files: how many of them in its folder.
        output: bytes of what it says.
        confined: ``False`` leaves out the protection of files and the network; limits stay.
        namespaces: take namespaces where the kernel allows it.
        parent: the process that gave the order.
    """

    command: tuple[str, ...]
    folder: str
    readable: tuple[str, ...]
    environment: dict[str, str]
    seconds: float
    memory: int
    processes: int
    disk: int
    files: int
    output: int
    confined: bool
    namespaces: bool
    parent: int


@dataclass(frozen=True)
class Verdict:
    """How the command ended.

    Attributes:
        ended: "exit" by itself; "time", "memory", "processes", "disk", "files" or "output": the limit that ended
            it; "refused": it was never begun, ``said`` tells why.
        code: its exit status, or minus the signal that ended it.
        said: the last of what it wrote to its output and error output.
        seconds: wall clock.
        namespaces: whether the process had namespaces of its own.
    """

    ended: str
    code: int
    said: str
    seconds: float
    namespaces: bool


class _Confinement(Exception):
    """Raised where the command cannot be begun as ordered."""


def main() -> None:
    """Carry out the order on the standard input."""
    data = json.load(sys.stdin)
    order = Order(**{**data, "command": tuple(data["command"]), "readable": tuple(data["readable"])})
    verdict = Supervisor(order).run()
    json.dump(dataclasses.asdict(verdict), sys.stdout)
    sys.stdout.flush()


class Supervisor:
    """Runs one order."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.group = 0
        self.said = bytearray()
        self.heard = 0
        self.namespaces = False

    def run(self) -> Verdict:
        """Run the command to its end or its limit; nothing of it is left when this returns."""
        started = time.monotonic()
        self._end_with_parent()
        words, troubles = self._start()
        try:
            trouble = _read_all(troubles)
            if trouble:
                raise _Confinement(trouble)
            ended, code = self._watch(words, started)
        except _Confinement as error:
            ended, code = "refused", 1
            self.said[:] = str(error).encode()
        finally:
            self._end_all()
            os.close(words)
        said = bytes(self.said).decode("utf-8", "replace")
        return Verdict(ended, code, said, time.monotonic() - started, self.namespaces)

    # -- beginning ----------------------------------------------------------------------------------

    def _end_with_parent(self) -> None:
        signal.signal(signal.SIGTERM, self._die)
        if not _LINUX:
            return
        self.namespaces = self.order.namespaces and _new_namespaces()
        kernel.prctl(kernel.SET_CHILD_SUBREAPER, 1)
        kernel.prctl(kernel.SET_PDEATHSIG, int(signal.SIGTERM))  # after the namespaces: they clear it
        if os.getppid() != self.order.parent:
            raise SystemExit(1)

    def _die(self, number: int, frame: FrameType | None) -> None:
        self._end_all()
        os._exit(128 + number)

    def _start(self) -> tuple[int, int]:
        """Start the command; where to read its words, and what kept it from being begun."""
        words_out, words_in = os.pipe()
        troubles_out, troubles_in = os.pipe()
        self.group = os.fork()
        if self.group == 0:
            try:
                self._become(words_in)
            except BaseException as error:
                os.write(troubles_in, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(127)
        os.close(words_in)
        os.close(troubles_in)
        return words_out, troubles_out

    def _become(self, words: int) -> None:
        """In the child: be confined, then be the command. The exec closes all descriptors but the first three."""
        order = self.order
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        if _LINUX:
            kernel.prctl(kernel.SET_PDEATHSIG, int(signal.SIGKILL))
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in enumerate((nothing, words, words)):
            os.dup2(source, target)
        os.chdir(order.folder)
        os.umask(0o077)
        _limit(order)
        if _LINUX:
            kernel.prctl(kernel.SET_NO_NEW_PRIVS, 1)
            kernel.drop_capabilities()
        if order.confined:
            devices = [Path("/dev", name) for name in ("null", "zero", "random", "urandom")]
            landlock.confine([Path(order.folder)], map(Path, order.readable), devices)
            seccomp.confine()
        os.execve(order.command[0], order.command, order.environment)

    # -- watching -----------------------------------------------------------------------------------

    def _watch(self, words: int, started: float) -> tuple[str, int]:
        """Until the command ends or meets a limit: which, and its exit status."""
        looked_at_disk = 0.0
        while True:
            self._listen(words)
            done, status = os.waitpid(self.group, os.WNOHANG)
            if done:
                self._listen(words)
                return "exit", os.waitstatus_to_exitcode(status)
            now = time.monotonic()
            limit = "time" if now - started > self.order.seconds else self._exceeded()
            if limit is None and now - looked_at_disk > _DISK_GLANCE:
                looked_at_disk = now
                limit = self._disk_exceeded()
            if limit is not None:
                return limit, -int(signal.SIGKILL)

    def _listen(self, words: int) -> None:
        """Keep the last of what the command says, until there is nothing more to read now."""
        wait = _GLANCE
        while select.select([words], [], [], wait)[0]:
            heard = os.read(words, TAIL)
            if not heard:
                time.sleep(wait)  # it closed its output, and still goes on
                return
            self.heard += len(heard)
            self.said += heard
            del self.said[:-TAIL]
            if self.heard > self.order.output:
                return
            wait = 0.0

    def _exceeded(self) -> str | None:
        if self.heard > self.order.output:
            return "output"
        if not _LINUX:
            return None
        used = tree_usage(os.getpid())
        if used.processes > self.order.processes:
            return "processes"
        return "memory" if used.memory > self.order.memory else None

    def _disk_exceeded(self) -> str | None:
        size, count = folder_usage(Path(self.order.folder), self.order.disk, self.order.files)
        if count > self.order.files:
            return "files"
        if _LINUX:
            size += unlinked_bytes(tree_usage(os.getpid()).members)
        return "disk" if size > self.order.disk else None

    # -- ending -------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        """Kill everything below this process, and be told of each that it is gone."""
        while True:
            members = tree_usage(os.getpid()).members if _LINUX else (self.group,)
            if members and self.group:
                _kill(self.group, group=True)
            for process in members:
                _kill(process)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return  # there is none any more
            time.sleep(0.002)


def _new_namespaces() -> bool:
    """Take namespaces of its own for processes to come, the network and the kernel's shared memory, where allowed."""
    user, group = os.geteuid(), os.getegid()
    alone = kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC
    try:
        kernel.unshare(kernel.CLONE_NEWUSER | alone)
    except OSError:
        return False
    for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(line, encoding="ascii")
    return True


def _limit(order: Order) -> None:
    """The kernel's own limits, for each process."""
    seconds = int(order.seconds) + 2
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, order.disk),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_AS, 2 * order.memory),
    ]
    if _LINUX:
        limits.append((resource.RLIMIT_NPROC, _processes_now() + order.processes))
    for which, value in limits:
        _, most = resource.getrlimit(which)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(which, (value, value))


def _processes_now() -> int:
    """Processes and threads of this user, which is what the kernel's limit counts."""
    return tree_usage(None, user=os.getuid()).processes


def _kill(process: int, *, group: bool = False) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it is gone, or was never ours
        (os.killpg if group else os.kill)(process, signal.SIGKILL)


def _read_all(descriptor: int) -> str:
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read()


if __name__ == "__main__":
    main()
