"""Calibration: what a describer's confidence is worth, by statements that people reviewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.checking.claims import Source, source
from pipelines.traits.checking.controls import wilson
from pipelines.traits.checking.doubts import SELDOM_RIGHT, doubted
from pipelines.traits.statements import Statement

FEWEST = 50
"""Reviewed statements below which no confidence is calibrated."""
BINS = 10
"""Bins of equal width of the reliability table."""
FOLDS = 5
Floats = NDArray[np.float64]
Method = Literal["isotonic", "platt"]


@dataclass(frozen=True, slots=True)
class Bin:
    """One row of a reliability table.

    Attributes:
        low, high: bounds of the confidence.
        reviewed: statements in it.
        confidence: their mean.
        right: share that people found right.
        right_low, right_high: its 95 % interval.
    """

    low: float
    high: float
    reviewed: int
    confidence: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A describer's confidence against what people found.

    Attributes:
        source: whose.
        reviewed: statements with a confidence and a decision.
        table: the bins that have any.
        error: expected calibration error of the confidence as said: mean distance between confidence and share right,
            weighted by bin (M. P. Naeini and others, AAAI 2015); ``None`` where nothing was reviewed.
        calibrated_error: the same after calibration, each fifth by the other four; ``None`` where not calibrated.
        confidences, shares: points between which calibrated confidence is interpolated; empty where not calibrated.
    """

    source: Source
    reviewed: int
    table: tuple[Bin, ...]
    error: float | None
    calibrated_error: float | None = None
    confidences: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    def calibrated(self, confidence: float) -> float | None:
        """The share of statements of this confidence that is right; ``None`` where too few were reviewed."""
        return float(np.interp(confidence, self.confidences, self.shares)) if self.confidences else None

    def __str__(self) -> str:
        name = self.source.name
        if not self.confidences:
            return f"{name}: not calibrated, {self.reviewed} of at least {FEWEST} reviewed"
        return (
            f"{name}: error {self.error:.3f} as said, {self.calibrated_error:.3f} calibrated, {self.reviewed} reviewed"
        )


def calibrate(
    statements: Sequence[Statement],
    decisions: Mapping[str, bool],
    *,
    method: Method = "isotonic",
    fewest: int = FEWEST,
) -> list[Calibration]:
    """Hold the confidence of each source against what people decided, one calibration for each.

    Args:
        statements: those without a confidence or a decision are left out.
        decisions: by the statement's id, whether a person found it right.
        method: ``isotonic``: any curve that does not fall; ``platt``: a logistic one, for few decisions.
        fewest: decisions below which nothing is calibrated.
    """
    pairs: dict[Source, list[tuple[float, bool]]] = {}
    for one in statements:
        known = pairs.setdefault(source(one.describer), [])
        if one.confidence is not None and one.id in decisions:
            known.append((one.confidence, decisions[one.id]))
    return [_calibration(whose, known, method, fewest) for whose, known in sorted(pairs.items())]


def _calibration(whose: Source, pairs: list[tuple[float, bool]], method: Method, fewest: int) -> Calibration:
    said = np.array([confidence for confidence, _ in pairs], float)
    right = np.array([agreed for _, agreed in pairs], float)
    table = reliability(said, right)
    error = calibration_error(table) if pairs else None
    if len(pairs) < max(fewest, FOLDS):
        return Calibration(whose, len(pairs), table, error)
    points, shares = _fitted(said, right, method)
    folds = np.random.default_rng(0).permutation(len(pairs)) % FOLDS
    held_out = np.empty(len(pairs))
    for fold in range(FOLDS):
        held_out[folds == fold] = np.interp(
            said[folds == fold], *_fitted(said[folds != fold], right[folds != fold], method)
        )
    after = calibration_error(reliability(held_out, right))
    return Calibration(whose, len(pairs), table, error, after, tuple(points.tolist()), tuple(shares.tolist()))


def reliability(confidence: Floats, right: Floats) -> tuple[Bin, ...]:
    """The reliability table: confidence (n,) against right or wrong (n,), 1 or 0, in :data:`BINS` bins."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for number in range(BINS):
        here = place == number
        if count := int(here.sum()):
            bounds = wilson(int(right[here].sum()), count)
            means = float(confidence[here].mean()), float(right[here].mean())
            rows.append(Bin(number / BINS, (number + 1) / BINS, count, *means, *bounds))
    return tuple(rows)


def calibration_error(table: Sequence[Bin]) -> float:
    """Expected calibration error of a reliability table; 0 for an empty one."""
    total = sum(row.reviewed for row in table)
    return sum(row.reviewed * abs(row.confidence - row.right) for row in table) / max(total, 1)


def _fitted(said: Floats, right: Floats, method: Method) -> tuple[Floats, Floats]:
    """Points (n,) of a curve from confidence to the share that is right."""
    return _isotonic(said, right) if method == "isotonic" else _platt(said, right)


def _isotonic(said: Floats, right: Floats) -> tuple[Floats, Floats]:
    """R. E. Barlow and others, Statistical Inference under Order Restrictions (1972); equal confidences together."""
    from scipy.optimize import isotonic_regression

    points, places, counts = np.unique(said, return_inverse=True, return_counts=True)
    means = np.bincount(places, weights=right) / counts
    return points, np.asarray(isotonic_regression(means, weights=counts).x, float)


def _platt(said: Floats, right: Floats) -> tuple[Floats, Floats]:
    """J. Platt, "Probabilistic outputs for support vector machines" (1999), with his targets, on a grid of 101."""
    from scipy.optimize import minimize

    hits = right.sum()
    target = np.where(right > 0, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))

    def loss(line: Floats) -> float:
        score = line[0] * said + line[1]
        return float(np.mean(np.logaddexp(0, score) - target * score))

    slope, offset = minimize(loss, np.zeros(2)).x
    grid = np.linspace(0, 1, 101)
    return grid, 1 / (1 + np.exp(-(max(slope, 0.0) * grid + offset)))


def check_confidence(
    statements: Sequence[Statement], calibrations: Sequence[Calibration], *, bar: float = 0.5
) -> list[Statement]:
    """Doubt statements of which, by review, fewer than ``bar`` are right at their confidence.

    Statements by a source that is not calibrated are left as they are.
    """
    by_source = {one.source: one for one in calibrations}
    found = []
    for one in statements:
        known = by_source.get(source(one.describer))
        share = None if known is None or one.confidence is None else known.calibrated(one.confidence)
        found.append(doubted(one, SELDOM_RIGHT) if share is not None and share < bar else one)
    return found
