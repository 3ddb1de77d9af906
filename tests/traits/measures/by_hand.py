"""The measures once more, slowly and plainly, from their definitions alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes


def dense(codes: Codes, rows: int, latents: int) -> NDArray[np.float64]:
    table = np.zeros((rows, latents))
    for row, latent, value in zip(*codes, strict=True):
        table[row, latent] = value
    return table


def sparse(table: NDArray[np.floating]) -> Codes:
    rows, latents = np.nonzero(table > 0)
    return Codes(rows.astype(np.int64), latents.astype(np.int64), table[rows, latents].astype(np.float32))


def average_precision(scores: Sequence[float], truth: Sequence[bool]) -> float:
    """Walk down the distinct scores; add precision times the recall gained there."""
    positives = sum(truth)
    if not positives:
        return math.nan
    area, before = 0.0, 0.0
    for limit in sorted(set(scores), reverse=True):
        taken = [true for score, true in zip(scores, truth, strict=True) if score >= limit]
        recall = sum(taken) / positives
        area += (recall - before) * sum(taken) / len(taken)
        before = recall
    return area


def f1(predicted: Sequence[bool], truth: Sequence[bool]) -> float:
    both = sum(p and t for p, t in zip(predicted, truth, strict=True))
    if not both:
        return 0.0
    precision, recall = both / sum(predicted), both / sum(truth)
    return 2 * precision * recall / (precision + recall)


def entropy(labels: Sequence[object]) -> float:
    shares = [labels.count(label) / len(labels) for label in set(labels)]
    return -sum(share * math.log2(share) for share in shares)
