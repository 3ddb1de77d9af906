"""Mixtures: nothing is lost, nothing that was drawn changes afterwards."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.mixtures import Content, Mixture, blend

VOLUMES = st.floats(min_value=0.01, max_value=1000)
STEPS = st.lists(st.tuples(st.sampled_from("abcde"), VOLUMES, st.floats(min_value=0, max_value=0.999)), max_size=40)


@given(STEPS)
def test_a_content_agrees_with_exact_fractions(steps: list[tuple[str, float, float]]) -> None:
    content, exact = Content(), dict.fromkeys("abcde", Fraction(0))
    for liquid, volume, drawn_off in steps:
        content.add(Mixture.pure(liquid), volume)
        exact[liquid] += Fraction(volume)
        content.mixture()
        left = content.volume * (1 - drawn_off)
        kept = Fraction(left) / Fraction(content.volume)
        content.volume = left
        exact = {name: amount * kept for name, amount in exact.items()}
    for liquid, amount in content.amounts().items():
        assert amount == pytest.approx(float(exact[liquid]), rel=1e-9, abs=1e-12)


@given(STEPS)
def test_what_was_drawn_stays_as_it_was(steps: list[tuple[str, float, float]]) -> None:
    content = Content()
    drawn: list[tuple[Mixture, dict[str, float]]] = []
    for liquid, volume, _ in steps:
        content.add(Mixture.pure(liquid), volume)
        mixture = content.mixture()
        drawn.append((mixture, mixture.amounts(1.0)))
        content.volume *= 0.5
    assert all(mixture.amounts(1.0) == before for mixture, before in drawn)


def test_drawing_copies_nothing() -> None:
    content = Content()
    content.add(Mixture.pure("a"), 10)
    content.add(Mixture.pure("b"), 10)
    assert content.mixture().parts is content.mixture().parts is content.parts


def test_a_content_drained_and_refilled_many_times_stays_finite() -> None:
    content = Content()
    content.add(Mixture.pure("a"), 100.0)
    for _ in range(5000):
        content.mixture()
        content.volume *= 0.01
        content.add(Mixture.pure("b"), 100.0)
    amounts = content.amounts()
    assert sum(amounts.values()) == pytest.approx(content.volume)
    assert amounts["b"] == pytest.approx(content.volume)


def test_a_blend_is_the_weighted_mean() -> None:
    both = blend(Mixture.pure("a"), 3, Mixture.pure("b"), 1)
    assert both.amounts(4) == {"a": 3, "b": 1}
    assert blend(both, 5, both, 2) is both


def test_liquids_that_are_only_a_trace_are_neither_brought_nor_there() -> None:
    pure, trace, some = (
        Mixture.pure("a"),
        Mixture({"a": 1.0, "b": 1e-8}, 1.0 + 1e-8),
        Mixture({"a": 1.0, "b": 1e-4}, 1.0001),
    )
    assert pure.lacks(trace) == ()
    assert pure.lacks(some) == trace.lacks(some) == ("b",)
    assert some.lacks(some) == some.lacks(trace) == ()
    assert (trace.liquids(), some.liquids()) == (("a",), ("a", "b"))
