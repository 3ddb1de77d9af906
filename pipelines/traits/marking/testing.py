"""Exact tests for many latents at once, and the share of false discoveries among them."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import false_discovery_control

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_NEGLIGIBLE = 1e-17


class Control(Enum):
    """How the false discovery rate is kept.

    Benjamini-Hochberg (1995) holds where tests are independent or positively dependent; Benjamini-Yekutieli (2001)
    holds under any dependence and finds less.
    """

    BENJAMINI_HOCHBERG = "bh"
    BENJAMINI_YEKUTIELI = "by"


def enrichment_p(firing: Ints, specimens: int, others_firing: Ints, others: int) -> Floats:
    """Fisher's exact test, one-sided: how probable at least so many firing specimens are, all margins given.

    The hypergeometric tail, summed upwards by the ratio of neighbouring terms; the same to about nine digits as
    ``scipy.stats.fisher_exact(..., alternative="greater")``, which takes tens of microseconds for each.

    Args:
        firing: (m,) specimens of the taxon in which the latent fires.
        specimens: of the taxon.
        others_firing: (m,) other specimens in which it fires.
        others: other specimens.
    """
    pairs, inverse = np.unique(np.stack([firing, others_firing], axis=1), axis=0, return_inverse=True)
    term_at, all_firing = pairs[:, 0].astype(np.float64), pairs.sum(axis=1).astype(np.float64)
    term = np.exp(_log_probability(term_at, specimens, all_firing, specimens + others))
    total = term.copy()
    while np.any(term > _NEGLIGIBLE * total):
        ratio = (specimens - term_at) * (all_firing - term_at)
        ratio /= (term_at + 1) * (others - all_firing + term_at + 1)
        term = term * ratio
        total += term
        term_at += 1
    return np.asarray(np.minimum(total, 1.0)[inverse.reshape(-1)])


def attainable_p(all_firing: Ints, specimens: int, others: int) -> Floats:
    """The smallest p that :func:`enrichment_p` can give when ``all_firing`` (m,) specimens of both kinds fire.

    It depends on the margins alone, not on which specimens are of the taxon, so tests that could never be
    significant may be left out beforehand (Tarone 1990; Gilbert 2005).
    """
    best = np.minimum(all_firing, specimens).astype(np.float64)
    return np.asarray(np.exp(_log_probability(best, specimens, all_firing.astype(np.float64), specimens + others)))


def false_discovery_rates(p: Floats, tests: int, control: Control) -> Floats:
    """The lowest false discovery rate (m,) at which each of the ``p`` (m,) smallest of ``tests`` p-values is kept.

    The other ``tests - m`` need not be given: they change a rate only where it is above them.
    """
    if not len(p):
        return np.empty(0)
    scale = tests / len(p)
    if control is Control.BENJAMINI_YEKUTIELI:
        scale *= float(np.sum(1 / np.arange(1, tests + 1)) / np.sum(1 / np.arange(1, len(p) + 1)))
    rates = false_discovery_control(p, method=control.value)
    return np.asarray(np.minimum(rates * scale, 1.0))


def log_odds_ratio(firing: int, specimens: int, others_firing: int, others: int) -> float:
    """Natural logarithm of the odds ratio with half a specimen added to each cell (Haldane 1956, Anscombe 1956)."""
    inside = (firing + 0.5) / (specimens - firing + 0.5)
    outside = (others_firing + 0.5) / (others - others_firing + 0.5)
    return float(np.log(inside / outside))


def auc(inside: Ints, outside: Ints) -> float | None:
    """Area under the ROC curve from two histograms over the same ascending bins: Mann-Whitney's U by both numbers.

    Ties (the same bin, among them "not at all") count half. ``None`` where either is empty.
    """
    if not inside.sum() or not outside.sum():
        return None
    below = np.cumsum(outside) - outside
    return float(np.sum(inside * (below + outside / 2)) / (inside.sum() * outside.sum()))


def _log_probability(k: Floats, n: float, all_firing: Floats, total: float) -> Floats:
    return np.asarray(_log_choose(n, k) + _log_choose(total - n, all_firing - k) - _log_choose(total, all_firing))


def _log_choose(n: float, k: Floats) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
