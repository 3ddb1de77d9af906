"""What is claimed of drawn organisms, whose parts and states are known, is mostly right; the benchmark counts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.descriptions import QUESTIONS, Score, measure
from pipelines.traits.organisms.taxonomy import TRAITS
from pipelines.traits.vocabulary import shipped_dictionary


def test_every_question_is_of_states_that_there_are() -> None:
    characters = shipped_dictionary().characters
    for question in QUESTIONS:
        drawn = TRAITS[question.kind][question.trait].states
        assert set(question.accepted) <= set(drawn)
        for accepted in question.accepted.values():
            assert all(characters[question.character].state(state) for state in accepted)


def test_a_score_is_that_of_the_textbook() -> None:
    score = Score()
    for right, said in (("red", "red"), ("red", "blue"), ("red", "(unknown)"), ("blue", "blue")):
        score.add((right,), said)
    figures = score.figures()
    assert figures["precision"] == pytest.approx((1 + 1 / 2) / 2)
    assert figures["recall"] == pytest.approx((1 / 3 + 1) / 2, abs=1e-4)
    assert figures["f1"] == pytest.approx((1 / 2 + 2 / 3) / 2, abs=1e-4)
    assert figures["claimed"] == 0.75


@pytest.mark.slow
def test_regions_say_more_than_the_whole_organism_and_than_a_guess(tmp_path: Path) -> None:
    figures = measure(36, 3, tmp_path)
    assert figures["f1"] > figures["baselines"]["whole_organism"] + 0.1
    assert figures["f1"] > figures["baselines"]["commonest_state"] + 0.1
    claimed = [
        row["right_of_claimed"] for row in figures["by_character"].values() if row["right_of_claimed"] is not None
    ]
    assert sum(claimed) / len(claimed) > 0.6
