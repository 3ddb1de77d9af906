"""Measures that hold results against what is known to be true: pure functions of arrays."""

from pipelines.traits.measures.parts import (
    PartScores,
    best_match,
    coverage_at,
    one_hot,
    part_map,
    purity_at,
    region_iou,
    shown,
)
from pipelines.traits.measures.ranking import average_precision, average_precisions
from pipelines.traits.measures.traits import StateScores, best_f1, f1, mutual_information, strongest, trait_f1
from pipelines.traits.measures.yields import Against, against_permutations, yield_at

__all__ = [
    "Against",
    "PartScores",
    "StateScores",
    "against_permutations",
    "average_precision",
    "average_precisions",
    "best_f1",
    "best_match",
    "coverage_at",
    "f1",
    "mutual_information",
    "one_hot",
    "part_map",
    "purity_at",
    "region_iou",
    "shown",
    "strongest",
    "trait_f1",
    "yield_at",
]
