"""How a job tells of its progress, and how the parts it is made of are listened to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

STAGES = ("scan", "features", "sae", "codes", "marking", "regions", "gallery")
"""In the order in which they are done; each is a folder of this name."""
WORDS = {
    "scan": "Reading the collection",
    "features": "Patch activations",
    "sae": "Sparse autoencoder",
    "codes": "Sparse codes",
    "marking": "What marks a taxon",
    "regions": "Where it shows",
    "gallery": "Gallery",
}
UNITS = {"sae": "steps", "gallery": "pages", "regions": "images"}
"""What is counted in a stage; images where nothing is said."""


@dataclass(frozen=True, slots=True)
class Event:
    """One word on a stage.

    Attributes:
        state: ``begun``, ``going on`` (``done`` of ``total``; 0 where it is not known), ``done`` or ``kept``: it was
            whole already.
        unit: what is counted, where that is not what :data:`UNITS` says.
    """

    stage: str
    state: Literal["begun", "going on", "done", "kept"]
    done: int = 0
    total: int = 0
    unit: str = ""


Report = Callable[[Event], None]


def silent(_: Event) -> None:
    """Tell nobody."""


def counted(report: Report, stage: str) -> Callable[[int, int], None]:
    """A listener for how many are done, of how many."""

    def told(done: int, total: int) -> None:
        report(Event(stage, "going on", done, total))

    return told
