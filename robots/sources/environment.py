"""The genuine ``opentrons`` package in a Python environment of its own.

Its requirements (numpy below 2, pydantic of its own choosing) are not Labwright's, and only isolated processes
import it. It is installed under ``LABWRIGHT_HOME/environments``, beside its place, and moved there when it is whole.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from protocols.errors import InputError

OPENTRONS = "9.0.0"
"""The release whose analysis is read."""
CONSTRAINTS = Path(__file__).parent.parent / "data" / "opentrons-constraints.txt"
PYTHON_VARIABLE = "LABWRIGHT_OPENTRONS_PYTHON"
"""The environment variable that names the interpreter of another environment that has it."""
LEAST_FREE = 500_000_000
"""Bytes of free disk that installing takes: 170 MB stay, and as much again passes through."""

Told = Callable[[str], None]
"""Told, in a few words, what is being done now."""
_ASK_VERSION = "import importlib.metadata, opentrons.cli; print(importlib.metadata.version('opentrons'))"
_LONGEST = 3600.0
"""s that no installation takes."""
_PATIENCE = 120.0
"""s for a first start, when nothing is compiled or in the disk's cache."""


@dataclass(frozen=True)
class OpentronsEnvironment:
    """A place where opentrons is installed, or is to be.

    Attributes:
        path: the folder of the environment.
    """

    path: Path

    @classmethod
    def under(cls, home: Path) -> OpentronsEnvironment:
        """The one of a ``LABWRIGHT_HOME``."""
        return cls(home / "environments" / f"opentrons-{OPENTRONS}")

    @property
    def python(self) -> Path:
        """Its interpreter, whether it is there or not."""
        return self.path / "bin" / "python"

    def installed(self) -> bool:
        """Whether it is there; :func:`opentrons_version` says whether it works."""
        return self.python.exists()

    def install(self, told: Told = lambda words: None, *, wheels: Path | None = None) -> None:
        """Install it, whole or not at all; nothing is done where it is there and works.

        Args:
            wheels: a folder of wheels to install from, without the network.

        Raises:
            InputError: the packages cannot be had or do not suit this Python, or what stands there does not work.
            OSError: the disk is full, or nothing may be written there.
        """
        if self.installed():
            opentrons_version(self.python)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.path.parent).free < LEAST_FREE:
            raise OSError(errno.ENOSPC, f"less than {LEAST_FREE / 1e6:.0f} MB are free", str(self.path.parent))
        _sweep(self.path)
        beside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            told("making the environment")
            _run([sys.executable, "-m", "venv", str(beside)], told, str(beside))
            _run(_pip(beside, wheels), told, str(beside))
            told("trying it")
            opentrons_version(beside / "bin" / "python")
            _settle(beside, self.path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def find_opentrons(home: Path) -> Path:
    """The interpreter of an environment that has opentrons: the one that the user's environment names, else our own.

    Raises:
        InputError: there is none.
    """
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise InputError(f"{PYTHON_VARIABLE} names no interpreter", where=named, mend="Correct it or unset it")
        return Path(named).absolute()
    environment = OpentronsEnvironment.under(home)
    if not environment.installed():
        raise InputError(
            "an Opentrons protocol in Python is analysed by Opentrons' own software, which is not installed",
            mend="`labwright setup opentrons` installs it, in an environment of its own",
        )
    return environment.python


def opentrons_version(python: Path) -> str:
    """Which release of opentrons an interpreter has, found by importing it.

    Raises:
        InputError: it has none, it does not work, or it is another release than :data:`OPENTRONS`.
    """
    with tempfile.TemporaryDirectory(prefix="labwright-") as folder:  # it writes its settings to its home
        try:
            asked = subprocess.run(
                [str(python), "-I", "-c", _ASK_VERSION],
                env={"HOME": folder, "OT_API_CONFIG_DIR": folder, "PATH": os.defpath},
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"this Python does not start ({type(error).__name__})", where=str(python)) from None
    mend = f"Remove the folder {python.parent.parent} and run `labwright setup opentrons` again"
    if asked.returncode != 0:
        why = (asked.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise InputError(f"opentrons does not work there ({why})", where=str(python), mend=mend)
    version = asked.stdout.strip().splitlines()[-1]
    if version != OPENTRONS:
        raise InputError(f"it is opentrons {version}, and {OPENTRONS} is needed", where=str(python), mend=mend)
    return version


def _pip(environment: Path, wheels: Path | None) -> list[str]:
    source = [] if wheels is None else ["--no-index", "--find-links", str(wheels.absolute())]
    return [
        *(str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"),
        *("--progress-bar", "off", *source, "--constraint", str(CONSTRAINTS), f"opentrons=={OPENTRONS}"),
    ]


def _run(command: list[str], told: Told, where: str) -> None:
    """Run one step, saying what it says, in short.

    Raises:
        InputError: it failed.
        OSError: it failed because the disk is full.
    """
    own = {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    last: deque[str] = deque(maxlen=200)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                if line.startswith(("Collecting ", "Downloading ", "Installing ")):
                    told(line.strip().split(" (")[0][:70])
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise _failure("\n".join(last), where)


def _failure(said: str, where: str) -> Exception:
    """What is told of a step that failed."""
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return OSError(errno.ENOSPC, "no space left on the disk", where)
    unreachable = ("NewConnectionError", "name resolution", "Network is unreachable", "Read timed out", "ProxyError")
    if any(words in said for words in (*unreachable, "ConnectTimeout", "SSLError")):
        return InputError(
            "the package index cannot be reached",
            mend="Connect this computer, set PIP_INDEX_URL, or bring the wheels and give --wheels FOLDER",
        )
    errors = [line for line in said.splitlines() if line.startswith("ERROR:")] or said.splitlines()[-1:]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return InputError(
        f"pip could not install opentrons {OPENTRONS} for Python {version}: {' '.join(errors)[:600]}",
        mend="Labwright in an environment of Python 3.11 or 3.12 can install it",
    )


def _sweep(path: Path) -> None:
    """Remove what an installation that was killed left beside ``path``; one under way is younger."""
    for left in path.parent.glob(f".{path.name}.*"):
        if time.time() - left.stat().st_mtime > _LONGEST:
            shutil.rmtree(left, ignore_errors=True)


def _settle(beside: Path, path: Path) -> None:
    """Give a whole environment its name; somebody else may have been quicker."""
    try:
        os.rename(beside, path)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        opentrons_version(path / "bin" / "python")
