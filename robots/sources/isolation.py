"""Other people's programs, run so that they can neither do harm nor outlive their time.

A confined program may write to one folder, made for it and removed after it, and read what Python needs. It has no
network, no sockets, no signals to others, nothing of the environment, and no descriptor but its three. What it may
use of time, memory, processes and disk is limited, and when it ends or meets a limit, nothing that it started is
left, however it was started. On Linux (5.13 or newer, x86-64 or 64-bit ARM) Landlock and seccomp do this without any
privilege, and bind root too; where the kernel allows it, the program has process and network namespaces of its own
beside. Elsewhere a program runs only where a person says that they trust it: with limits, without the rest.

What is not kept from it: the processor's time up to its limits, the names and sizes of files (not what is in
them), and what the folders it may read say.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from protocols.errors import InputError
from robots.sources import landlock, seccomp
from robots.sources.supervisor import Order, Verdict

_PATIENCE = 30.0
"""s beyond the limit after which a supervisor that does not answer is killed."""
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu")
_TELL_PYTHON = (
    "import json, os, sys; print(json.dumps([sys.executable, os.path.realpath(sys.executable), sys.prefix,"
    " sys.base_prefix, sys.path]))"
)


@dataclass(frozen=True)
class Limits:
    """What an isolated program may use.

    Attributes:
        seconds: wall clock, from its start to its end.
        memory: bytes of main memory, all its processes together.
        processes: at one time, threads counted.
        disk: bytes of its folder.
        files: how many in its folder.
        output: bytes of what it says.
    """

    seconds: float = 60.0
    memory: int = 2 << 30
    processes: int = 64
    disk: int = 256 << 20
    files: int = 10_000
    output: int = 10 << 20


@dataclass(frozen=True)
class Protection:
    """What this computer can do to confine a program.

    Attributes:
        landlock: its version; 0 is none.
        seccomp: whether calls of the kernel can be taken away.
    """

    landlock: int
    seccomp: bool

    @property
    def complete(self) -> bool:
        """Whether a program can be confined at all."""
        return self.landlock > 0 and self.seccomp

    def __str__(self) -> str:
        if not sys.platform.startswith("linux"):
            return "programs can only be confined on Linux"
        has = f"Landlock {self.landlock}" if self.landlock else "no Landlock (Linux 5.13 or newer has it)"
        return f"{has}, {'seccomp' if self.seccomp else 'no seccomp for this processor'}"


@cache
def protection() -> Protection:
    """What this computer can do to confine a program."""
    if not sys.platform.startswith("linux"):
        return Protection(0, False)
    return Protection(landlock.version(), seccomp.available())


def run_isolated(
    command: Sequence[str],
    folder: Path,
    *,
    readable: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    trusted: bool = False,
    namespaces: bool = True,
) -> Verdict:
    """Run ``command`` in ``folder``, confined; when this returns nothing of it is running.

    Args:
        command: a program by its absolute path, and its arguments.
        readable: files and folders that it may read, beside the system's and its own.
        environment: added to the few things that it is told.
        trusted: a person trusts the program: it may write and read what this user may, within the limits.
        namespaces: give it process and network namespaces of its own where the kernel allows it.

    Raises:
        InputError: this computer cannot confine a program, and this one is not trusted.
    """
    if not trusted and not protection().complete:
        raise InputError(
            f"another's program is not run here, because it cannot be confined: {protection()}",
            mend="Run it on such a computer, or give --trust-source if you know what is in it",
        )
    given = limits or Limits()
    order = Order(
        command=tuple(command),
        folder=str(folder),
        readable=(*_SYSTEM, *readable),
        environment={**_environment(folder), **(environment or {})},
        confined=not trusted,
        namespaces=namespaces,
        parent=os.getpid(),
        **dataclasses.asdict(given),
    )
    verdict = _supervised(order)
    if verdict.ended == "refused":
        raise InputError(f"the isolated process could not be begun: {verdict.said}", where=command[0])
    return verdict


def _supervised(order: Order) -> Verdict:
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "robots.sources.supervisor"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"LANG": "C.UTF-8"},
        start_new_session=True,  # a Ctrl-C is heard here, which then ends it
    )
    try:
        asked = json.dumps(dataclasses.asdict(order)).encode()
        answered, complaint = process.communicate(asked, timeout=order.seconds + _PATIENCE)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"the supervisor failed: {complaint.decode(errors='replace')}")
    return Verdict(**json.loads(answered))


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "USER": "labwright",
        "LOGNAME": "labwright",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


@cache
def folders_of(python: str) -> tuple[str, ...]:
    """What an interpreter, which is ours, must read to start and to import what is installed for it.

    Raises:
        InputError: it does not start.
    """
    try:
        told = subprocess.run(
            [python, "-I", "-c", _TELL_PYTHON], capture_output=True, check=True, timeout=_PATIENCE, text=True
        )
        executable, real, prefix, base, path = json.loads(told.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise InputError(f"this Python does not start ({type(error).__name__})", where=python) from None
    inside = [item for item in path if item.startswith((prefix, base)) or item.endswith("-packages")]
    parts = [f"{top}/{name}" for top in (prefix, base) for name in ("lib", "lib64", "pyvenv.cfg")]
    return tuple(dict.fromkeys([python, executable, real, *parts, *inside]))


# -- the folder -------------------------------------------------------------------------------------


@contextmanager
def workspace() -> Iterator[Path]:
    """A new folder for one isolated program, removed at the end whatever it left there."""
    folder = Path(tempfile.mkdtemp(prefix="labwright-source-")).resolve()
    try:
        yield folder
    finally:
        _remove(folder)


def read_left(folder: Path, name: str, *, most: int) -> bytes | None:
    """What an isolated program left as ``name`` in its folder; ``None`` if that is no ordinary file of ``most`` bytes.

    A link is not followed, and a pipe not waited for.
    """
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)


_LIMITS_IN_WORDS = {
    "time": "it did not end within {0.seconds:g} s",
    "memory": "it took more than {0.memory:,} bytes of memory",
    "processes": "it started more than {0.processes} processes and threads",
    "disk": "it wrote more than {0.disk:,} bytes",
    "files": "it wrote more than {0.files:,} files",
    "output": "it said more than {0.output:,} bytes",
}


def require_end(verdict: Verdict, path: Path, limits: Limits) -> None:
    """Refuse a program that did not end by itself.

    Raises:
        InputError: with the limit that it met.
    """
    if verdict.ended != "exit":
        mend = "Give it longer with --time-limit SECONDS, if that is meant" if verdict.ended == "time" else ""
        met = _LIMITS_IN_WORDS[verdict.ended].format(limits)
        raise InputError(f"its Python was ended: {met}", where=str(path), mend=mend)


def plain(text: str) -> str:
    """Words of an isolated program without characters that a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):  # folders without permissions, or thousands inside each other
        for command in (["chmod", "-R", "u+rwx", str(folder)], ["rm", "-rf", str(folder)]):
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
