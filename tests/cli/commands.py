"""The command, called in this process or run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.cli.exits import ExitCode
from protocols.errors import RecordError
from robots.execution.home import Home
from robots.execution.run_folder import RunFolder, run_folders

COMMAND = Path(sys.executable).with_name("labwright")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DILUTION = EXAMPLES / "protocols" / "serial_dilution.yaml"
WASH = EXAMPLES / "protocols" / "cell_wash.yaml"
BROKEN = EXAMPLES / "worklists" / "broken_worklist.csv"
SHORT = EXAMPLES / "worklists" / "dna_normalisation_96.csv"
PATIENCE = 30.0
"""s after which a run that was waited for counts as hanging."""
PACE = "0.02"
"""Of runs that are to be disturbed: about 4 s for the dilution."""


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Its one JSON object."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    def refused(self, code: ExitCode, *says: str) -> Ended:
        """Check that it failed with ``code`` and one paragraph that says all of ``says``."""
        assert self.code == code, self.err
        is_one_paragraph(self.err)
        for words in says:
            assert words in self.err
        return self


def is_one_paragraph(err: str) -> None:
    """Check that an error is told as people are told things."""
    assert err.startswith("labwright: "), err
    assert err.endswith("\n"), err
    assert err.count("labwright: ") == 1, err
    assert "Traceback" not in err
    assert "bug in Labwright" not in err
    assert "\n\n" not in err


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a command whose runs are kept in ``home``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LABWRIGHT", "COV"))}
    return kept | {"LABWRIGHT_HOME": str(home), **more}


def labwright(
    home: Path, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, **options: Any
) -> Ended:
    """Run the command to its end, with nobody at its input."""
    done = subprocess.run(
        [str(COMMAND), *words],
        env=environment(home, **(env or {})),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE * 2,
        check=False,
        **options,
    )
    return Ended(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class Going:
    """A command that is going on."""

    def __init__(self, home: Path, *words: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [str(COMMAND), *words],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def until(self, outcomes: int) -> Going:
        """Wait until the newest run has so many more outcomes than when it was waited for first."""
        wait_for(lambda: self.process.poll() is not None or outcomes_of(self.home) >= outcomes)
        assert self.process.poll() is None, self.process.communicate()
        return self

    def signal(self, number: int) -> Ended:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> Ended:
        """Wait for the end."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return Ended(self.process.returncode, out.decode(), err.decode())


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def newest(home: Path) -> RunFolder:
    """The newest run in ``home``."""
    return run_folders(Home(home))[-1]


def outcomes_of(home: Path) -> int:
    """How many instructions of the newest run have an outcome so far."""
    try:
        return sum(event.kind == "outcome" for event in newest(home).events())
    except (IndexError, RecordError):  # it has not been made yet
        return 0
