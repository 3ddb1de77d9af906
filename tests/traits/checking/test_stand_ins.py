"""Stand-in models of which it is known how they answer: the checks tell them apart."""

from __future__ import annotations

import pytest

from benchmarks.stand_ins import Collection, Scores, ablation, judge, stand_ins

ALWAYS = "seldom right at this confidence"


@pytest.fixture(scope="module")
def collection() -> Collection:
    return Collection(5, 6)


@pytest.fixture(scope="module")
def scores(collection: Collection) -> dict[str, Scores]:
    return {name: judge(collection, name, one)[0] for name, one in stand_ins(collection).items()}


@pytest.mark.slow
def test_the_truth_is_left_alone(scores: dict[str, Scores]) -> None:
    truthful = scores["truthful"]
    assert truthful.before[0] == truthful.checked[0] == truthful.reviewed[0] == 1
    assert truthful.right_doubted == 0
    assert truthful.before[1] > 0.95
    assert truthful.alpha == 1
    assert truthful.blank_described == 0
    assert truthful.leak[0] == 0


@pytest.mark.slow
def test_each_other_is_found_by_what_is_peculiar_to_it(scores: dict[str, Scores]) -> None:
    textbook = scores["textbook"]
    assert textbook.caught["same of another region"] == textbook.wrong
    assert textbook.leak[0] == 1
    assert textbook.checked[1] == 0
    chance = scores["random"]
    assert chance.caught["differs between repeated prompts"] > 0.7 * chance.wrong
    assert abs(chance.alpha or 0) < 0.2
    assert chance.blank_described == 5
    assert chance.leak[1] is not None
    assert chance.leak[1] <= 0 <= (chance.leak[2] or 0) + 0.05
    inventing = scores["inventing"]
    assert inventing.caught["contradicts the key of"] > 0
    assert inventing.caught["part in no vocabulary"] > 0
    assert inventing.caught["said of background"] > 0
    assert (inventing.checked[0] or 0) > (inventing.before[0] or 0) + 0.2


@pytest.mark.slow
def test_whoever_is_wrong_in_full_agreement_is_found_by_review_alone(scores: dict[str, Scores]) -> None:
    alike = scores["wrong alike"]
    assert alike.checked[0] == 0
    assert alike.alpha == 1
    assert alike.caught[ALWAYS] == alike.wrong == alike.wrong_found
    unsure = scores["unsure"]
    assert (unsure.reviewed[0] or 0) > (unsure.before[0] or 0) + 0.1
    assert unsure.wrong_found / unsure.wrong > 2 * unsure.right_doubted / unsure.right


@pytest.mark.slow
def test_regions_tell_more_than_whole_images_and_several_specimens_are_surer(collection: Collection) -> None:
    one, several, whole = ablation(collection).values()
    assert (one["f1"] or 0) > (whole["f1"] or 1)
    assert (several["precision"] or 0) > (one["precision"] or 1)
    assert (several["recall"] or 1) < (one["recall"] or 0)
