"""Does a latent tell the state of a trait: measures over images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.measures.ranking import Floats, Ranking, Truths


def strongest(codes: Codes, image: NDArray[np.int64]) -> Codes:
    """Codes of patches made codes of images: each latent's strongest patch in each image.

    Args:
        codes: over ``n`` patches.
        image: (n,) which image a patch is of.
    """
    rows = image[codes.rows]
    order = np.lexsort((-codes.values, codes.latents, rows))
    rows, latents, values = rows[order], codes.latents[order], codes.values[order]
    first = np.append(True, (rows[1:] != rows[:-1]) | (latents[1:] != latents[:-1]))[: len(rows)]
    return Codes(rows[first], latents[first], values[first])


def f1(predicted: Truths, truth: Truths) -> float:
    """Harmonic mean of precision and recall of predictions (n,); 0 where nothing is predicted or nothing is true.

    Source: C. J. van Rijsbergen, "Information Retrieval", 1979.
    """
    both = int(np.count_nonzero(predicted & truth))
    either = int(np.count_nonzero(predicted)) + int(np.count_nonzero(truth))
    return 2 * both / either if both else 0.0


def mutual_information(fires: Truths, truth: Truths) -> float:
    """What firing (n,) tells of the truth (n,), in bits: 0 when they are independent, at most 1.

    Source: C. E. Shannon, 1948, with observed frequencies in place of probabilities.
    """
    n = len(truth)
    if not n:
        return 0.0
    table = (
        np.array([[np.count_nonzero((fires == a) & (truth == b)) for b in (False, True)] for a in (False, True)]) / n
    )
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True)
    known = table > 0
    return max(0.0, float(np.sum(table[known] * np.log2(table[known] / expected[known]))))


@dataclass(frozen=True)
class StateScores:
    """How well the best latent of each state tells it, on images it wasn't chosen on.

    Attributes:
        latents: (states,) the latent chosen; -1 where the choosing images show none that fires.
        thresholds: (states,) activation from which on it counts as firing.
        f1: (states,) on the held-out images; NaN where these have no image in that state.
        information: (states,) mutual information in bits, on the held-out images.
        chance: (states,) F1 of saying that every held-out image is in that state.
    """

    latents: NDArray[np.int64]
    thresholds: Floats
    f1: Floats
    information: Floats
    chance: Floats

    @property
    def mean(self) -> float:
        """Mean F1 over the states that both halves have; NaN where there is none."""
        known = self.f1[~np.isnan(self.f1)]
        return float(known.mean()) if len(known) else float("nan")


def best_f1(codes: Codes, truth: Truths, latents: int) -> tuple[Floats, Floats]:
    """The best F1 (latents, states) over all thresholds, and the threshold that reaches it (inf where none does).

    Args:
        codes: over ``n`` images.
        truth: (n, states).
        latents: how many there are.
    """
    ranking = Ranking.of(codes)
    named = ranking.latent[ranking.starts]
    best = np.zeros((latents, truth.shape[1]))
    threshold = np.full((latents, truth.shape[1]), np.inf)
    for state, positives in enumerate(truth.sum(axis=0).tolist()):
        if not positives or not len(named):
            continue
        scores = 2 * ranking.hits(truth[:, state]) / (ranking.seen + positives)
        best[named, state] = np.maximum.reduceat(scores, ranking.starts)
        reached = np.flatnonzero((scores > 0) & (scores == best[ranking.latent, state]))[::-1]
        threshold[ranking.latent[reached], state] = ranking.value[reached]  # of equals the highest threshold stays
    return best, threshold


def trait_f1(
    choosing: Codes, choosing_truth: Truths, held_out: Codes, held_out_truth: Truths, latents: int
) -> StateScores:
    """How purely latents tell trait states: latent and threshold are chosen on one half, scored on the other.

    Args:
        choosing, held_out: codes of two disjoint sets of images (see :func:`strongest`).
        choosing_truth, held_out_truth: (images, states): which image is in which state.
        latents: how many there are.
    """
    table, thresholds = best_f1(choosing, choosing_truth, latents)
    states = np.arange(table.shape[1])
    best = np.argmax(table, axis=0)
    best = np.where(table[best, states] > 0, best, -1)
    limit = np.where(best >= 0, thresholds[best, states], np.inf)
    reached, told = np.full(len(states), np.nan), np.full(len(states), np.nan)
    for state in states:
        truth = held_out_truth[:, state]
        mine = held_out.latents == best[state]
        fires = np.zeros(len(truth), bool)
        fires[held_out.rows[mine & (held_out.values >= limit[state])]] = True
        if truth.any() and choosing_truth[:, state].any():
            reached[state], told[state] = f1(fires, truth), mutual_information(fires, truth)
    prevalence = held_out_truth.mean(axis=0)
    return StateScores(best, limit, reached, told, 2 * prevalence / (1 + prevalence))
