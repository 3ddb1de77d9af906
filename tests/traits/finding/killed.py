"""A job that kills itself: ``python -m tests.traits.finding.killed IMAGES HOME``, an attempt for each line of stdin.

It imports everything once and forks a process for each attempt, so that a kill costs milliseconds and not seconds of
imports. The parent has one thread and never computes. A line is ``OUT POINT``: the attempt kills itself with SIGKILL at
the POINT-th place that it passes, counted from 0; -1 lets it run to its end. The answer is how it ended, and how many
places it passed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pipelines.traits.features import embedded, shards
from pipelines.traits.finding import Settings, find_traits, learning, looking, marks, pages
from pipelines.traits.finding.stage import Stage
from pipelines.traits.sae import training

IMPORTED_ONCE = (embedded, learning, looking, marks, pages)
"""What a job imports when it needs it: here before the first fork, which shortens each attempt."""
SETTINGS = Settings(steps=12, expansion=2, k=4)


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


def attempt(images: Path, out: Path, kill_at: int, told: int) -> None:
    """One attempt at the job, in this process: every file that gets its name, every step, every stage is a place."""
    points = Points(kill_at, told)
    for owner, name in (
        (os, "replace"),
        (os, "fsync"),
        (Stage, "begin"),
        (Stage, "finish"),
        (shards, "write_shard"),
        (training.Training, "advance"),
    ):
        points.around(owner, name)
    torch.set_num_threads(1)
    find_traits(images, out, SETTINGS, workers=1)


def main() -> None:
    images, count = Path(sys.argv[1]), Path(sys.argv[2]) / "count"
    for line in sys.stdin:
        out, _, kill_at = line.strip().rpartition(" ")
        told = os.open(count, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        child = os.fork()
        if child == 0:
            try:
                attempt(images, Path(out), int(kill_at), told)
            except BaseException as error:
                print(f"failed: {error!r}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(told)
        print(ended, count.read_text() or "0", flush=True)


if __name__ == "__main__":
    main()
