"""doctor: whether this computer and this installation can do the work."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from console.cli.exits import ExitCode
from console.cli.screen import Screen

OUR_NAMES = ("agents", "console", "pipelines", "protocols", "robots")
"""Top-level packages that must be Labwright's own."""
LEAST_FREE = 200e6
"""Bytes of free disk below which runs may fail."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it is well, what was seen, and what to do if it is not."""

    name: str
    ok: bool
    seen: str
    mend: str = ""


def examine(screen: Screen) -> ExitCode:
    """Look at everything that a run needs."""
    checks = list(_checks())
    for check in checks:
        if check.ok:
            screen.say(f"ok   {check.name}: {check.seen}")
        else:
            screen.say(f"BAD  {check.name}: {check.seen}\n     {check.mend}.", style="bold red")
    bad = sum(not check.ok for check in checks)
    screen.say("All is well." if not bad else f"{bad} of {len(checks)} checks failed.")
    fields = ("name", "ok", "seen", "mend")
    screen.give({"ok": not bad, "checks": [{name: getattr(check, name) for name in fields} for check in checks]})
    return ExitCode.FINDINGS if bad else ExitCode.OK


def _checks() -> Iterator[Check]:
    version = platform.python_version()
    yield Check("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer")
    for work in (_versions, _collisions, _home, _sqlite, _sockets, _isolation, _opentrons, _workcells, _rehearsal):
        yield from _guarded(work)


def _guarded(work: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    name = work.__name__.strip("_")
    try:
        yield from work()
    except Exception as error:  # a broken installation may raise anything
        seen = f"{type(error).__name__}: {error}".splitlines()[0]
        yield Check(name, False, seen, "Install Labwright anew in an environment of its own")


def _versions() -> Iterator[Check]:
    from packaging.requirements import Requirement

    for text in metadata.requires("labwright") or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            seen = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Check(requirement.name, False, "missing", f"pip install '{requirement}'")
            continue
        ok = requirement.specifier.contains(seen, prereleases=True)
        yield Check(requirement.name, ok, seen, f"pip install '{requirement}'")


def _collisions() -> Iterator[Check]:
    """Other distributions may install top-level packages of the same names."""
    owners = metadata.packages_distributions()
    strangers = {
        name: sorted({owner for owner in owners.get(name, ()) if owner.lower() != "labwright"}) for name in OUR_NAMES
    }
    found = "; ".join(f"'{name}' also comes with {', '.join(others)}" for name, others in strangers.items() if others)
    yield Check("package names", not found, found or "no collisions", "Keep Labwright in an environment of its own")


def _home() -> Iterator[Check]:
    from robots.execution.home import Home

    home = Home.find().path
    mend = "Set LABWRIGHT_HOME to a folder that you may write to"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"x")
            os.fsync(file.fileno())
    except OSError as error:
        yield Check("home", False, f"{home}: {error.strerror}", mend)
        return
    free = shutil.disk_usage(home).free
    yield Check("home", free > LEAST_FREE, f"{home}, {free / 1e9:.1f} GB free", "Make room on this disk")


def _sqlite() -> Iterator[Check]:
    seen = sqlite3.sqlite_version
    yield Check("SQLite", sqlite3.sqlite_version_info >= (3, 37), seen, "Use a Python with SQLite 3.37 or newer")


def _sockets() -> Iterator[Check]:
    from robots.execution.sockets import socket_path

    yield Check("sockets", True, str(socket_path(Path("/"), "control").parent))


def _isolation() -> Iterator[Check]:
    """Without it other people's Python is not run, and all else works."""
    from robots.sources.isolation import protection, run_isolated, workspace

    found = protection()
    if not found.complete:
        yield Check("isolation", True, f"{found}: other people's Python runs only with --trust-source")
        return
    with workspace() as folder:
        tried = run_isolated(["/usr/bin/env"], folder)
    namespaces = "namespaces of its own" if tried.namespaces else "no namespaces of its own"
    yield Check("isolation", tried.code == 0, f"{found}, {namespaces}", "Report this")


def _opentrons() -> Iterator[Check]:
    """Only protocols in Opentrons' Python need it."""
    from protocols.errors import InputError
    from robots.execution.home import Home
    from robots.sources.environment import PYTHON_VARIABLE, OpentronsEnvironment, find_opentrons, opentrons_version

    home = Home.find().path
    if not os.environ.get(PYTHON_VARIABLE) and not OpentronsEnvironment.under(home).installed():
        yield Check("opentrons", True, "not installed; `labwright setup opentrons` does it, for protocols in Python")
        return
    try:
        python = find_opentrons(home)
        yield Check("opentrons", True, f"{opentrons_version(python)}, {python}")
    except InputError as error:
        yield Check("opentrons", False, error.what, error.mend or f"Correct {PYTHON_VARIABLE}")


def _workcells() -> Iterator[Check]:
    from robots.workcell import load_workcell, shipped_workcells

    for name in shipped_workcells():
        spec = load_workcell(name).spec
        yield Check(f"workcell {name}", True, f"{len(spec.kinds)} kinds of labware, {len(spec.sites)} sites")


def _rehearsal() -> Iterator[Check]:
    """A small run from end to end, in a simulated lab that is gone afterwards."""
    from console.cli.rehearsal import rehearse

    done, total = rehearse()
    yield Check("rehearsal", done == total, f"{done} of {total} instructions on the simulated lab", "Report this")
