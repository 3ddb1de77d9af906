"""Krippendorff's alpha against the examples of its authors, and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.traits.checking import alpha
from pipelines.traits.checking.agreement import Alpha, Answers, Metric, alpha_of

Units = list[list[str | float | None]]
KRIPPENDORFF = ("123321412***", "1233224125*3", "*3332342251*", "12332441251*")
"""K. Krippendorff (2011), section C: four observers of twelve units."""
HAYES = (
    "112.001122.01311211000201001111223222221",
    "1130000.21102311121000302102111122222221",
    "203000222100221123001.30.1012202.2232.21",
    ".13....0.10022...31.103021122..122...12.",
    "2..0001.2....3112..0.0..2.0..20.2.2222.1",
)
"""A. F. Hayes and K. Krippendorff, Communication Methods and Measures 1 (2007), 77: five observers of 40 newspapers."""


def units(rows: tuple[str, ...]) -> Units:
    return [[None if sign in ".*" else float(sign) for sign in unit] for unit in zip(*rows, strict=True)]


def one_by_one(of: Units) -> list[str]:
    return [str(number) for number in range(len(of))]


@pytest.mark.parametrize(
    ("rows", "metric", "value"),
    [
        (KRIPPENDORFF, "nominal", 0.743),
        (KRIPPENDORFF, "interval", 0.849),
        (HAYES, "nominal", 0.4765),
        (HAYES, "interval", 0.7574),
    ],
)
def test_published_examples(rows: tuple[str, ...], metric: Metric, value: float) -> None:
    """The last two digits of Hayes and Krippendorff's data as the package krippendorff 0.9 has them."""
    found = alpha_of([Answers.of(units(rows), one_by_one(units(rows)), metric)])
    assert found.value == pytest.approx(value, abs=5e-4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < value < found.high


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=4), min_size=1, max_size=12))
def test_one_group_has_the_alpha_of_its_questions(of: list[list[str]]) -> None:
    found = alpha_of([Answers.of(of, one_by_one(list(of)), "nominal")], draws=50)
    expected = alpha(of)
    assert (found.value is None) == (expected is None)
    assert expected is None or found.value == pytest.approx(expected)


@given(st.floats(-1e4, 1e4), st.floats(0.01, 1e3))
def test_of_numbers_neither_origin_nor_unit_matters(origin: float, unit: float) -> None:
    of = units(HAYES)
    moved: Units = [[None if one is None else origin + unit * float(one) for one in each] for each in of]
    found = alpha_of([Answers.of(moved, one_by_one(of), "interval")], draws=10)
    assert found.value == pytest.approx(0.757378277, abs=1e-6)


def test_answers_to_one_character_are_not_held_against_those_to_another() -> None:
    colour: Units = [["red", "red"], ["red", "blue"], ["blue", "blue"], ["blue", "blue"]]
    pattern: Units = [["plain", "plain"], ["plain", "banded"]]
    groups = [Answers.of(one, one_by_one(one), "nominal") for one in (colour, pattern)]
    within, expected = 2 + 2, (64 - 9 - 25) / 7 + (16 - 9 - 1) / 3
    assert alpha_of(groups).value == pytest.approx(1 - within / expected)


def test_where_there_is_nothing_to_tell_there_is_no_interval() -> None:
    assert alpha_of([]) == Alpha(None)
    assert alpha_of([Answers.of([["a", "a"]] * 9, one_by_one([[]] * 9), "nominal")]) == Alpha(None)
    assert alpha_of([Answers.of([["a", "a"], ["b", None]], ["x", "y"], "nominal")]) == Alpha(None)
    of_one = alpha_of([Answers.of([["a", "a"], ["b", "a"]], ["x", "x"], "nominal")])
    assert (of_one.value, of_one.low, of_one.high) == (0.0, None, None)


def test_the_interval_holds_alpha_about_as_often_as_it_says() -> None:
    """Two people who are each right four times in five of three states: alpha is 0.49 for very many questions."""
    rng = np.random.default_rng(2)
    states = np.array(["a", "b", "c"])

    def asked(number: int) -> Units:
        truth = rng.choice(3, number)
        err = rng.random((2, number)) > 0.8
        answers = (truth + err * rng.integers(1, 3, (2, number))) % 3
        return [list(states[pair]) for pair in answers.T]

    chance = 0.8**2 + 2 * 0.1**2
    truth = 1 - (1 - chance) / (2 / 3)
    held = 0
    for _ in range(120):
        of = asked(80)
        found = alpha_of([Answers.of(of, one_by_one(of), "nominal")], draws=400)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert truth == pytest.approx(0.49)
    assert held >= 0.9 * 120
