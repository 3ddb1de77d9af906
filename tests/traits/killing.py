"""Jobs that kill themselves, for tests that nothing is lost by it.

A module that does so is started once: it imports everything, and forks a process for each attempt, so that a kill costs
milliseconds and not seconds of imports. The parent has one thread and never computes. For each line of stdin, ``OUT
POINT``, the attempt kills itself with SIGKILL at the POINT-th place that it passes, counted from 0; -1 lets it run to
its end. The answer is how it ended, and how many places it passed.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.traits.finding.lock import LOCK


class Points:
    """Places at which a kill may come; the count is shared with whoever forked this process."""

    def __init__(self, kill_at: int, told: int) -> None:
        self._kill_at = kill_at
        self._told = told
        self.passed = 0

    def point(self) -> None:
        if self.passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1
        os.pwrite(self._told, str(self.passed).encode(), 0)

    def around(self, owner: Any, name: str) -> None:
        """A place before and one after each call of a function."""
        original: Callable[..., Any] = getattr(owner, name)

        def with_points(*args: Any, **kwargs: Any) -> Any:
            self.point()
            found = original(*args, **kwargs)
            self.point()
            return found

        setattr(owner, name, with_points)


def serve(attempt: Callable[[Path, Path, Points], None]) -> None:
    """Make attempts as stdin says, over the images and in the home that the command line names."""
    images, count = Path(sys.argv[1]), Path(sys.argv[2]) / "count"
    for line in sys.stdin:
        out, _, kill_at = line.strip().rpartition(" ")
        told = os.open(count, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        child = os.fork()
        if child == 0:
            try:
                attempt(images, Path(out), Points(int(kill_at), told))
            except BaseException as error:
                print(f"failed: {error!r}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(told)
        print(ended, count.read_text() or "0", flush=True)


class Jobs:
    """Attempts over the same images, by a module that calls :func:`serve`."""

    def __init__(self, module: str, images: Path, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(images), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, out: Path, kill_at: int = -1) -> tuple[int, int]:
        """How an attempt ended, and how many places it passed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{out} {kill_at}\n")
        self._process.stdin.flush()
        code, passed = self._process.stdout.readline().split()
        return int(code), int(passed)

    def close(self) -> None:
        self._process.communicate()


def contents(folder: Path) -> dict[str, str]:
    """Every file of a job by its bytes, but its lock, and the record of calls to a model, which has times."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and (name := path.relative_to(folder).as_posix()) != LOCK
        and not name.startswith("transcripts/")
    }
