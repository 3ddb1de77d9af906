"""Calibration and the leak of names: each is shown a describer whose fault is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.checking import (
    Tallying,
    calibrate,
    calibration_error,
    check_confidence,
    difference,
    name_leak,
    reliability,
    wilson,
)
from pipelines.traits.statements import Statement
from tests.traits.checking.saying import state


def boasting(count: int, seed: int = 0) -> tuple[list[Statement], dict[str, bool]]:
    """Statements whose confidence c is right in c² of the cases, and what reviewers found."""
    rng = np.random.default_rng(seed)
    said = [state(f"i{n}", confidence=float(c)) for n, c in enumerate(rng.uniform(0.2, 1, count).round(2))]
    return said, {one.id: bool(rng.random() < (one.confidence or 0) ** 2) for one in said}


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_a_boasting_describer_is_put_right(method: str) -> None:
    said, decisions = boasting(1500)
    (found,) = calibrate(said, decisions, method=method)  # type: ignore[arg-type]
    assert found.error == pytest.approx(0.187, abs=0.03)
    assert found.calibrated_error is not None
    assert found.calibrated_error < 0.06
    for confidence in (0.4, 0.6, 0.9):
        assert found.calibrated(confidence) == pytest.approx(confidence**2, abs=0.1)
    doubtful = {one.confidence for one in check_confidence(said, [found]) if one.doubts}
    assert max(doubtful, key=lambda c: c or 0) == pytest.approx(0.5**0.5, abs=0.07)


def test_with_few_decisions_nothing_is_calibrated_and_nothing_doubted() -> None:
    said, decisions = boasting(49)
    (found,) = calibrate(said, decisions)
    assert str(found) == "seer-1: not calibrated, 49 of at least 50 reviewed"
    assert found.calibrated(0.3) is None
    assert found.calibrated_error is None
    assert found.error is not None
    assert check_confidence(said, [found]) == said
    (nobody,) = calibrate(said, {})
    assert (nobody.error, nobody.table) == (None, ())


def test_reliability_by_hand() -> None:
    table = reliability(np.array([0.1, 0.15, 0.95, 1.0]), np.array([0.0, 1.0, 1.0, 1.0]))
    assert [(row.low, row.high, row.reviewed, row.right) for row in table] == [(0.1, 0.2, 2, 0.5), (0.9, 1.0, 2, 1.0)]
    assert calibration_error(table) == pytest.approx((2 * 0.375 + 2 * 0.025) / 4)


@given(st.integers(60, 200), st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_calibrated_confidence_never_falls_as_confidence_rises(count: int, seed: int) -> None:
    (found,) = calibrate(*boasting(count, seed))
    shares = [found.calibrated(c) or 0.0 for c in np.linspace(0, 1, 30)]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


def test_wilson_is_that_of_newcombes_example() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), 857, table I: 81 of 263 is 0.2553 to 0.3662."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


# -- names ---------------------------------------------------------------------------------------------

BOOKS = {"Aus": {("wing", "colour"): "blue"}, "Bus": {("wing", "colour"): "red"}}


def leak(after: str, again: str, count: int = 40) -> tuple[float, float, float]:
    """Wings that are red, of which ``after`` is said once the name Aus was told."""
    said = [[state(f"i{n}", what) for n in range(count)] for what in ("red", after, again)]
    found = name_leak(*said, {f"i{n}": "Aus" for n in range(count)}, BOOKS)
    assert found.chances == count
    assert None not in (found.share, found.low, found.high)
    return found.share or 0.0, found.low or 0.0, found.high or 0.0


def test_a_describer_that_recites_the_textbook_leaks_wholly() -> None:
    share, low, high = leak("blue", "red")
    assert (share, high) == (1, 1)
    assert low > 0.8


def test_one_that_looks_does_not_leak_and_one_that_guesses_is_not_blamed() -> None:
    for after, again in (("red", "red"), ("blue", "blue")):
        share, low, high = leak(after, again)
        assert share == 0
        assert low <= 0 <= high


def test_the_interval_of_a_difference_is_that_of_newcombes_example() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), 873, table II, example (a), method 10."""
    assert difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_without_a_chance_there_is_no_figure() -> None:
    found = name_leak([state("i", "red")], [state("i", "red")], [], {"i": "Bus"}, BOOKS)
    assert (found.chances, found.share, found.low) == (0, None, None)


def test_the_textbook_is_what_a_describer_says_of_most_specimens() -> None:
    said = [state("a"), state("b"), state("c", "blue"), state("d", "", part="region")]
    said += [state("a", "red", part="leg"), state("b", "blue", part="leg"), state("e", "", standing="unknown")]
    tallying = Tallying()
    tallying.add(said, dict.fromkeys("abcde", ("genus", "Aus")))
    assert tallying.textbooks("model", "seer-1") == {"Aus": {("wing", "colour"): "red"}}
    assert tallying.textbooks("model", "seer-2") == {}
