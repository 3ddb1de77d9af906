"""setup: other software that some work needs, each in an environment of its own."""

from __future__ import annotations

import os
from pathlib import Path

from console.cli.exits import ExitCode
from console.cli.screen import Screen
from robots.execution.home import Home
from robots.sources.environment import OPENTRONS, PYTHON_VARIABLE, OpentronsEnvironment, opentrons_version

_STEPS = 24
"""What pip says in about so many lines: a bar that is nearly right."""


def setup_opentrons(screen: Screen, home: Home, wheels: Path | None) -> ExitCode:
    """Install the opentrons package, and say where; nothing is done where it is there and works."""
    environment = OpentronsEnvironment.under(home.path)
    there = environment.installed()
    if not there:
        screen.say(f"Installing opentrons {OPENTRONS} into {environment.path} (170 MB)", whole=True)
    with screen.progress("Installing", _STEPS) as step:
        done = 0

        def told(words: str) -> None:
            nonlocal done
            done = min(done + 1, _STEPS - 1)
            step(done, _STEPS, words)

        environment.install(told, wheels=wheels)
        step(_STEPS, _STEPS, "")
    version = opentrons_version(environment.python)
    screen.say(f"opentrons {version} {'was there already' if there else 'is ready'}: {environment.path}", whole=True)
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        screen.say(f"{PYTHON_VARIABLE} names another one, which is used: {named}", whole=True)
    screen.give({"opentrons": version, "python": str(environment.python), "installed": not there})
    return ExitCode.OK
