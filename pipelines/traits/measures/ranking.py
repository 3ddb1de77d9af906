"""How well a latent's activations rank what is true above what isn't, for all latents and labels in one pass.

Activations are sparse: where a latent isn't listed it is 0, and all those zeros are one tie at the end of its ranking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


def average_precision(scores: NDArray[np.floating], truth: Truths) -> float:
    """Average precision of scores (n,) for a truth (n,): the sum over thresholds of gain in recall times precision.

    Equal scores share a threshold. Without a positive it is not defined: NaN. Source: the usual information-retrieval
    definition without interpolation, C. D. Manning et al., "Introduction to Information Retrieval", 2008, section 8.4.
    """
    positives = int(np.count_nonzero(truth))
    if not positives:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(truth[order])
    last = np.append(ranked[1:] != ranked[:-1], True)
    hits, seen = hits[last], np.flatnonzero(last) + 1
    return float(np.sum(np.diff(hits, prepend=0) * hits / seen) / positives)


@dataclass(frozen=True)
class Ranking:
    """Each latent's activations from strong to weak, with the hits so far at each distinct value.

    Attributes:
        latent: (t,) which latent.
        value: (t,) the activation that is the threshold.
        seen: (t,) how many of the latent's activations are at least as strong.
        hits: (t, labels) how many of those are true.
        first: (t,) whether this is the latent's strongest threshold.
        rows: how many activations were encoded, firing or not.
        positives: (labels,) how many of them are true.
    """

    latent: NDArray[np.int64]
    value: NDArray[np.float32]
    seen: NDArray[np.int64]
    hits: NDArray[np.int64]
    first: Truths
    rows: int
    positives: NDArray[np.int64]

    @classmethod
    def of(cls, codes: Codes, truth: Truths) -> Ranking:
        """Rank codes over ``n`` rows against a truth (n, labels)."""
        order = np.lexsort((-codes.values, codes.latents))
        latent, value, row = codes.latents[order], codes.values[order], codes.rows[order]
        positives = truth.sum(axis=0, dtype=np.int64)
        total = np.cumsum(truth[row], axis=0, dtype=np.int64)
        start = np.append(True, latent[1:] != latent[:-1])[: len(latent)]
        begin = np.maximum.accumulate(np.where(start, np.arange(len(latent)), 0)) if len(latent) else np.zeros(0, int)
        before = np.vstack([np.zeros((1, truth.shape[1]), np.int64), total])[begin]
        last = np.append((latent[1:] != latent[:-1]) | (value[1:] != value[:-1]), True)[: len(latent)]
        kept = np.flatnonzero(last)
        first = np.append(True, np.diff(latent[kept]) != 0)[: len(kept)]
        seen = kept - begin[kept] + 1
        return cls(latent[kept], value[kept], seen, total[kept] - before[kept], first, len(truth), positives)


def average_precisions(codes: Codes, truth: Truths, latents: int) -> Floats:
    """Average precision (latents, labels) of every latent for every label; NaN for a label without a positive.

    The same as :func:`average_precision` of each latent's dense activations, without making them dense.

    Args:
        codes: over ``n`` rows.
        truth: (n, labels).
        latents: how many there are.
    """
    ranking = Ranking.of(codes, truth)
    before = np.vstack([np.zeros((1, truth.shape[1]), np.int64), ranking.hits[:-1]])[: len(ranking.hits)]
    gained = ranking.hits - np.where(ranking.first[:, None], 0, before)
    table = np.zeros((latents, truth.shape[1]))
    reached = np.zeros((latents, truth.shape[1]), np.int64)
    if len(ranking.latent):
        starts = np.flatnonzero(ranking.first)
        names = ranking.latent[starts]
        table[names] = np.add.reduceat(gained * ranking.hits / ranking.seen[:, None], starts, axis=0)
        reached[names] = np.add.reduceat(gained, starts, axis=0)
    silent = (ranking.positives - reached) * (ranking.positives / max(ranking.rows, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((table + silent) / ranking.positives)
