"""LabState against the exact interpreter, on programs made up by hypothesis."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.specs import Fill
from tests.oracles.exact import ExactLab
from tests.oracles.pictures import TOLERANCE, Picture, differences, effect_differences, exactly, of_liquid, picture
from tests.oracles.programs import BENCH, LIQUIDS, Story, story

STORIES = st.randoms(use_true_random=False).map(story)
FAST = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def agree(told: Story) -> None:
    """Both do the story alike, and nothing is lost or made."""
    state, exact = LabState.start(BENCH, told.program), ExactLab(BENCH, told.program)
    for step, outcome in zip(told.program.instructions, told.outcomes, strict=True):
        expected, got = exact.apply(step, outcome), apply(state, told.program, step, outcome)
        assert effect_differences(expected, exactly(got)) == [], step
    seen = picture(state)
    assert differences(picture(exact), seen) == []
    conserved(told.program.contents, picture(exact), Fraction(0))
    conserved(told.program.contents, seen, TOLERANCE)


def conserved(contents: tuple[Fill, ...], seen: Picture, tolerance: Fraction) -> None:
    """Of each liquid there is what was filled in at the start."""
    for liquid in LIQUIDS:
        filled = sum((Fraction(fill.volume) for fill in contents if fill.liquid == liquid), Fraction(0))
        assert abs(of_liquid(seen, liquid) - filled) <= tolerance * max(Fraction(1), filled), liquid


@FAST
@given(STORIES)
def test_labstate_agrees_with_the_exact_interpreter(told: Story) -> None:
    agree(told)


@pytest.mark.slow
@settings(FAST, max_examples=500, derandomize=False)
@given(STORIES)
def test_labstate_agrees_with_the_exact_interpreter_on_many_programs(told: Story) -> None:
    agree(told)
