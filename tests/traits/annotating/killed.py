"""A job that kills itself while it measures, asks a model, checks or writes; see :mod:`tests.traits.killing`."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import jsonschema
import openai
import pandas
import torch

from agents.models import ModelConfig, Price, Rates
from agents.models.cache import Cache
from agents.models.transcript import Transcript
from pipelines.traits.annotating import AnnotationSettings, Asking, annotate
from pipelines.traits.annotating.asking import linker_of
from pipelines.traits.finding.stage import Stage
from tests.traits.annotating.collection import SMALL
from tests.traits.killing import Points, serve

IMPORTED_ONCE = (jsonschema, openai, pandas, linker_of(False))
"""What a job loads when it needs it: here before the first fork, which shortens each attempt."""


def attempt(images: Path, out: Path, points: Points) -> None:
    """One attempt: every file that gets its name and every stage is a place, and so is each moment of a call."""
    for owner, name in (
        (os, "replace"),
        (os, "fsync"),
        (Stage, "begin"),
        (Stage, "finish"),
        (Transcript, "hold"),
        (Transcript, "settle"),
        (Cache, "put"),
    ):
        points.around(owner, name)
    torch.set_num_threads(1)
    url = (images.parent / "url").read_text()
    config = ModelConfig(
        url=url,
        model="stand-in",
        name="local",
        price=Price(input=Decimal(1), output=Decimal(2)),
        rates=Rates(concurrency=3),
    )
    settings = AnnotationSettings(dictionary=str(images.parent / "few.yaml"), model="stand-in", controls=0.2)
    annotate(
        images,
        out,
        settings,
        SMALL,
        model=lambda _: Asking(config=config, cache=out.with_suffix(".sqlite")),
        workers=1,
    )


if __name__ == "__main__":
    serve(attempt)
