"""Drawn organisms: pictures whose parts, trait states and taxa are known, for holding results against the truth."""

from pipelines.traits.organisms.collection import draw_collection
from pipelines.traits.organisms.drawing import Drawing, draw
from pipelines.traits.organisms.ground_truth import Mask, Truth, load_ground_truth
from pipelines.traits.organisms.taxonomy import KINDS, TRAITS, Species, Trait, taxonomy

__all__ = [
    "KINDS",
    "TRAITS",
    "Drawing",
    "Mask",
    "Species",
    "Trait",
    "Truth",
    "draw",
    "draw_collection",
    "load_ground_truth",
    "taxonomy",
]
