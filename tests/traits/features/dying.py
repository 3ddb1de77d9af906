"""A program that is killed at every step it takes on the disk, and goes on each time; prints what differed.

Run by the tests in a process of its own: each death is that of a forked child.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from pipelines.traits.features import Activations, write_activations
from protocols.errors import RecordError
from tests.traits.features.plain import Plain, contents, images

CALLS = ("write", "fsync", "replace", "unlink", "open")


def make(folder: Path) -> None:
    write_activations(Plain(), images(7), folder, shard_images=3, batch_images=2, workers=1)


def die_at(step: int, *, half: bool) -> None:
    """From now on the ``step``-th call that touches the disk is the last; of a write only half is done."""
    left = step
    originals = {name: getattr(os, name) for name in CALLS}

    def wrapped(name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                if half and name == "write":
                    originals["write"](args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return originals[name](*args, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(name))


def deaths(root: Path, expected: dict[str, bytes], *, half: bool) -> int:
    step = 0
    while True:
        step += 1
        folder = root / str(step)
        child = os.fork()
        if child == 0:
            die_at(step, half=half)
            make(folder)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status):
            return step - 1
        if not (folder / "activations.json").exists():
            try:
                Activations.open(folder)
                print(f"step {step}: taken for whole")
            except RecordError:
                pass
        make(folder)
        if contents(folder) != expected:
            print(f"step {step}: {sorted(contents(folder))}")
        shutil.rmtree(folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    work = Path(sys.argv[1])
    make(work / "whole")
    whole = contents(work / "whole")
    for part in (False, True):
        print("deaths", deaths(work / f"dying-{part}", whole, half=part))
