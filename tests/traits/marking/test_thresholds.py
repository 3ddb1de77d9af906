"""Thresholds: bins, references, and which threshold finds planted latents whatever their scale and spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.traits.marking import Absolute, Firing, FractionOfPeak, Marking, mark, thresholds
from pipelines.traits.marking.firing import BINS, bins_of, edges_of, threshold_bins
from tests.traits.marking.simulated import counted, noise, several
from tests.traits.marking.test_marking import EXPECTED, SPECIES

positive = st.floats(2.0**-140, 2.0**120, width=32)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float32, st.integers(1, 20), elements=positive))
def test_bins_rise_with_values_and_hold_a_quarter_of_a_doubling_at_most(values: np.ndarray) -> None:
    bins = bins_of(values)
    assert ((bins >= 0) & (bins < BINS)).all()
    assert (edges_of(bins) <= values).all()
    assert (values < edges_of(bins + 1)).all()
    assert (np.diff(bins[np.argsort(values)]) >= 0).all()
    normal = values >= np.finfo(np.float32).tiny
    assert (bins_of(values[normal] * np.float32(2)) == bins[normal] + 4).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(400, 600), st.integers(1, 5)), max_size=30), st.integers(1, 6))
def test_reference_is_the_peak_at_its_place(rows: list[tuple[int, int, int]], place: int) -> None:
    columns = [np.array([row[column] for row in rows], np.int64) for column in range(3)]
    bins = threshold_bins(FractionOfPeak(0.25, place), 4, *columns)
    for latent in range(4):
        peaks = sorted((row[1] for row in rows if row[0] == latent for _ in range(row[2])), reverse=True)
        assert bins[latent] == (peaks[:place][-1] - 8 if peaks else BINS)


def test_an_outlier_does_not_move_the_threshold_and_an_unseen_latent_never_fires() -> None:
    peaks = np.ones((12, 3), np.float32)
    peaks[0, 0], peaks[1, 0], peaks[:, 2] = 1000, 500, 0
    assert thresholds(counted(several(SPECIES[:3], 4), peaks)).tolist() == [0.25, 0.25, np.inf]
    assert thresholds(counted(several(SPECIES[:3], 4), peaks), Absolute())[0] == np.nextafter(np.float32(0.9), 1)


def recall(shape: float, weak: float, firing: Firing) -> float:
    """Share of planted latents found; peaks spread as 1/sqrt(shape), fire weakly in a share of other specimens."""
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(12):
        specimens = several(SPECIES, 40)
        peaks = noise(rng, len(specimens), 120)
        for latent, of in enumerate([*([name] for name in SPECIES), SPECIES[:2], SPECIES[2:4]]):
            inside = np.array([one.taxon.at("species") in of for one in specimens])
            strong = inside & (rng.random(len(specimens)) < 0.9)
            elsewhere = (rng.random(len(specimens)) < weak) * 0.15 * rng.gamma(2, 0.5, len(specimens))
            values = np.where(strong, rng.gamma(shape, 1 / shape, len(specimens)), elsewhere)
            peaks[:, latent] = 10 ** rng.uniform(-1, 1) * values
        marks = mark(counted(specimens, peaks), Marking(firing=firing))
        found += len({(one.latent, one.rank, one.taxon) for one in marks} & EXPECTED)
    return found / (12 * len(EXPECTED))


@pytest.mark.slow
def test_a_quarter_of_its_own_peak_finds_what_one_threshold_for_all_loses() -> None:
    for shape in (2, 16):
        for weak in (0.04, 0.8):
            relative, absolute = recall(shape, weak, FractionOfPeak()), recall(shape, weak, Absolute())
            assert relative >= 0.9
            assert absolute <= 0.65
