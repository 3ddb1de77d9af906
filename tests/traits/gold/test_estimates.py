"""Drawing and estimating: laws, published figures, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.traits.gold.estimates import interval, items_for, share
from pipelines.traits.gold.sampling import drawn, expected, rounded

SIZES = st.lists(st.integers(1, 200), min_size=1, max_size=30)


@given(SIZES, st.integers(0, 10), st.data())
def test_what_is_expected_of_strata(sizes: list[int], least: int, data: st.DataObject) -> None:
    floor = sum(min(least, size) for size in sizes)
    size = data.draw(st.integers(max(floor, 1), sum(sizes)))
    wanted = expected(sizes, size, least)
    assert wanted.sum() == pytest.approx(size)
    assert (wanted <= np.array(sizes) + 1e-9).all()
    assert (wanted >= np.minimum(sizes, least) - 1e-9).all()
    more = wanted > np.minimum(sizes, least) + 1e-9
    shares = (wanted / np.array(sizes))[more]
    assert not len(shares) or np.ptp(shares) < 1e-9
    counts = rounded(wanted, np.random.default_rng(size))
    assert counts.sum() == size
    assert (np.abs(counts - wanted) < 1).all()
    places = drawn(sizes, counts.tolist(), np.random.default_rng(0))
    assert [len(one) for one in places] == counts.tolist()


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="from 4 to 10"):
        expected([5, 5], 3, 2)
    with pytest.raises(ValueError, match="from 0 to 10"):
        expected([5, 5], 11, 0)


def test_rounding_is_by_chance_and_right_in_the_mean() -> None:
    wanted = np.array([0.25, 1.0, 2.5, 0.25, 3.0])
    draws = np.array([rounded(wanted, np.random.default_rng(seed)) for seed in range(2000)])
    assert draws.mean(0) == pytest.approx(wanted, abs=0.04)
    assert (draws[:, [1, 4]] == [1, 3]).all()


@pytest.mark.parametrize(
    ("right", "items", "low", "high"),
    [
        (81, 263, 0.2552885199, 0.3662095770),
        (15, 148, 0.0623863995, 0.1604872417),
        (0, 20, 0.0, 0.1611251581),
        (1, 29, 0.0061132143, 0.1717552188),
        (50, 60, 0.7196838684, 0.9068682302),
    ],
)
def test_wilson_as_statsmodels_has_it(right: int, items: int, low: float, high: float) -> None:
    """statsmodels 0.14, ``proportion_confint(method="wilson")``; R. G. Newcombe (1998) has the first four, rounded."""
    assert interval(right / items, items) == pytest.approx((low, high), abs=1e-9)


def test_a_simple_sample_is_worth_nearly_as_many_items_as_it_has() -> None:
    right = [True] * 81 + [False] * 182
    found = share(right, [0.1] * 263, [str(number) for number in range(263)])
    assert found is not None
    assert (found.right, found.items, found.specimens) == (81, 263, 263)
    assert found.value == pytest.approx(81 / 263)
    assert found.worth == pytest.approx(262)
    assert share([], [], []) is None


def test_items_of_one_specimen_that_always_agree_are_worth_one() -> None:
    right = [number % 4 > 0 for number in range(40) for _ in range(5)]
    found = share(right, [1.0] * 200, [str(number) for number in range(40) for _ in range(5)])
    apart = share(right, [1.0] * 200, [str(number) for number in range(200)])
    assert found is not None
    assert apart is not None
    assert found.worth < 40 < apart.worth
    perfect = share([True] * 30, [0.5] * 30, [str(number // 3) for number in range(30)])
    assert perfect is not None
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.worth < 10
    assert perfect.low == pytest.approx(interval(1.0, perfect.worth)[0])


def test_what_was_drawn_more_often_counts_less() -> None:
    found = share([True, False, False], [0.1, 0.5, 0.5], ["a", "b", "c"])
    assert found is not None
    assert found.value == pytest.approx(10 / 14)


@pytest.mark.parametrize(("base", "alike"), [(0.6, 0.0), (0.6, 0.3), (0.9, 0.3)])
def test_intervals_hold_the_truth_as_often_as_they_say(base: float, alike: float) -> None:
    """Strata and specimens that differ, several items of a specimen; 0.95 less what 250 draws make uncertain."""
    rng = np.random.default_rng(3)
    strata, specimen, right = [], [], []
    for stratum in range(12):
        rate = float(np.clip(base + rng.normal(0, 0.08), 0.02, 0.98))
        for _ in range(int(rng.integers(4, 60))):
            of_one = rate if not alike else rng.beta(rate * (1 - alike) / alike, (1 - rate) * (1 - alike) / alike)
            for _ in range(int(rng.integers(1, 5))):
                strata.append(stratum)
                specimen.append(str(len(specimen) if not alike else f"{stratum} {rate} {of_one}"))
                right.append(bool(rng.random() < of_one))
    sizes = np.bincount(strata)
    places = [np.flatnonzero(np.array(strata) == stratum) for stratum in range(12)]
    truth, held, values = float(np.mean(right)), 0, []
    for seed in range(250):
        chance = np.random.default_rng([seed, 5])
        wanted = expected(sizes.tolist(), 80, 3)
        chosen = drawn(sizes.tolist(), rounded(wanted, chance).tolist(), chance)
        items = [int(places[stratum][place]) for stratum, some in enumerate(chosen) for place in some]
        chances = [wanted[strata[item]] / sizes[strata[item]] for item in items]
        found = share([right[item] for item in items], chances, [specimen[item] for item in items])
        assert found is not None
        held += found.low <= truth <= found.high
        values.append(found.value)
    assert held >= 0.92 * 250
    assert np.mean(values) == pytest.approx(truth, abs=0.01)


def test_how_many_items_an_interval_needs() -> None:
    assert items_for(0.5, 0.5) == 1
    for value, half in ((0.9, 0.05), (0.5, 0.1), (0.97, 0.02)):
        number = items_for(value, half)
        low, high = interval(value, number)
        assert (high - low) / 2 <= half < np.subtract(*interval(value, number - 1)[::-1]) / 2
