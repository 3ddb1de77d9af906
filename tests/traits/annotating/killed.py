"""A job that kills itself while it describes and checks; see :mod:`tests.traits.finding.killed`.

``python -m tests.traits.annotating.killed IMAGES HOME``, an attempt for each line of stdin, ``OUT POINT``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from pipelines.traits.annotating import AnnotationSettings, annotate
from pipelines.traits.finding.stage import Stage
from tests.traits.annotating.collection import FINDING
from tests.traits.finding.killed import Points


def attempt(images: Path, out: Path, kill_at: int, told: int) -> None:
    """One attempt, in this process: every file that gets its name and every stage is a place."""
    points = Points(kill_at, told)
    for owner, name in ((os, "replace"), (os, "fsync"), (Stage, "begin"), (Stage, "finish")):
        points.around(owner, name)
    torch.set_num_threads(1)
    own = AnnotationSettings(dictionary=str(images.parent / "few.yaml"))
    annotate(images, out, own, FINDING, workers=1)


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
