"""Exact tests and false discovery rates, against independent references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, fisher_exact, mannwhitneyu

from pipelines.traits.marking import Control, Counts
from pipelines.traits.marking.testing import attainable_p, auc, enrichment_p, false_discovery_rates


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    specimens, others = draw(st.integers(1, 60)), draw(st.integers(1, 400))
    return draw(st.integers(0, specimens)), specimens, draw(st.integers(0, others)), others


@settings(deadline=None, max_examples=40)
@given(tables())
def test_p_is_fishers(table: tuple[int, int, int, int]) -> None:
    k, n, k_out, n_out = table
    expected = fisher_exact([[k, n - k], [k_out, n_out - k_out]], alternative="greater").pvalue
    found = enrichment_p(np.array([k]), n, np.array([k_out]), n_out)
    assert found[0] == pytest.approx(expected, rel=1e-8)


@settings(deadline=None, max_examples=40)
@given(tables())
def test_attainable_p_is_the_least_over_all_tables_with_these_margins(table: tuple[int, int, int, int]) -> None:
    k, n, k_out, n_out = table
    total = k + k_out
    firing = np.arange(max(0, total - n_out), min(n, total) + 1)
    least = enrichment_p(firing, n, total - firing, n_out).min()
    assert attainable_p(np.array([total]), n, n_out)[0] == pytest.approx(least, rel=1e-8)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.01, 0.5), st.sampled_from(Control))
def test_rates_of_the_smallest_are_those_among_all(p: list[float], cut: float, control: Control) -> None:
    everything = np.array(p)
    expected = false_discovery_control(everything, method=control.value)
    small = everything <= cut
    found = false_discovery_rates(everything[small], len(p), control)
    kept = expected[small] <= cut
    assert ((found <= cut) == kept).all()
    assert found[kept] == pytest.approx(expected[small][kept])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_area_is_mann_whitneys(inside: list[int], outside: list[int]) -> None:
    u = mannwhitneyu(inside, outside).statistic
    found = auc(np.bincount(inside, minlength=6), np.bincount(outside, minlength=6))
    assert found == pytest.approx(u / (len(inside) * len(outside)))


def test_area_of_nothing_is_unknown() -> None:
    assert auc(np.zeros(3, np.int64), np.ones(3, np.int64)) is None


def test_counts_say_their_effect() -> None:
    counts = Counts(10, 8, 40, 4)
    assert counts.effect == pytest.approx(0.7)
    assert counts.log_odds == pytest.approx(np.log((8.5 / 2.5) / (4.5 / 36.5)))
    assert np.isfinite(Counts(5, 5, 5, 0).log_odds)
    assert Counts(0, 0, 0, 0).effect == 0
