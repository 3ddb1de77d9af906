"""How well a latent's activations rank what is true above what isn't, for all latents and labels in one sort.

Activations are sparse: where a latent isn't listed it is 0, and all those zeros are one tie at the end of its ranking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
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
    """Each latent's activations from strong to weak, and where its distinct values, the thresholds, end.

    Attributes:
        row: (m,) the activations' rows, latent by latent.
        latent, value: (t,) of each threshold.
        end: (t,) place in ``row`` after the threshold's last activation.
        begin: (t,) place of the latent's first activation.
        starts: (l,) first threshold of each latent that fires.
    """

    row: Ints
    latent: Ints
    value: NDArray[np.float32]
    end: Ints
    begin: Ints
    starts: Ints

    @classmethod
    def of(cls, codes: Codes) -> Ranking:
        """Rank every latent's activations."""
        order = np.lexsort((-codes.values, codes.latents))
        latent, value = codes.latents[order], codes.values[order]
        other = latent[1:] != latent[:-1]
        ends = np.flatnonzero(np.append(other | (value[1:] != value[:-1]), True))[: len(latent)]
        firsts = np.flatnonzero(np.append(True, other))[: len(latent)]
        begin = firsts[np.searchsorted(firsts, ends, side="right") - 1]
        starts = np.flatnonzero(np.append(True, begin[1:] != begin[:-1]))[: len(begin)]
        return cls(codes.rows[order], latent[ends], value[ends], ends + 1, begin, starts)

    @property
    def seen(self) -> Ints:
        """How many (t,) of a latent's activations are at least as strong as each threshold."""
        return self.end - self.begin

    def hits(self, truth: Truths) -> Ints:
        """How many (t,) of those are true; ``truth`` is (n,) over the rows."""
        total = np.concatenate([[0], np.cumsum(truth[self.row], dtype=np.int64)])
        return np.asarray(total[self.end] - total[self.begin])


def average_precisions(codes: Codes, truth: Truths, latents: int) -> Floats:
    """Average precision (latents, labels) of every latent for every label; NaN for a label without a positive.

    The same as :func:`average_precision` of each latent's dense activations, without making them dense.

    Args:
        codes: over ``n`` rows.
        truth: (n, labels).
        latents: how many there are.
    """
    ranking = Ranking.of(codes)
    seen, named = ranking.seen, ranking.latent[ranking.starts]
    table = np.full((latents, truth.shape[1]), np.nan)
    for label, positives in enumerate(truth.sum(axis=0).tolist()):
        if not positives:
            continue
        area, reached = np.zeros(latents), np.zeros(latents, np.int64)
        if len(named):
            hits = ranking.hits(truth[:, label])
            gained = np.diff(hits, prepend=0)
            gained[ranking.starts] = hits[ranking.starts]
            area[named] = np.add.reduceat(gained * hits / seen, ranking.starts)
            reached[named] = np.add.reduceat(gained, ranking.starts)
        table[:, label] = area / positives + (1 - reached / positives) * (positives / len(truth))
    return table
