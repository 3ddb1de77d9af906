"""A job that finds regions and kills itself; see :mod:`tests.traits.killing`."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from pipelines.traits.features import embedded, shards
from pipelines.traits.finding import Settings, find_traits, learning, looking, marks, pages
from pipelines.traits.finding.stage import Stage
from pipelines.traits.sae import training
from tests.traits.killing import Points, serve

IMPORTED_ONCE = (embedded, learning, looking, marks, pages)
"""What a job imports when it needs it: here before the first fork, which shortens each attempt."""
SETTINGS = Settings(steps=12, expansion=2, k=4)


def attempt(images: Path, out: Path, points: Points) -> None:
    """One attempt at the job, in this process: every file that gets its name, every step, every stage is a place."""
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


if __name__ == "__main__":
    serve(attempt)
