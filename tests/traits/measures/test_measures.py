"""Every measure against its definition worked out by hand, and against tables small enough to check on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.grids import Grid
from pipelines.traits.measures import (
    against_permutations,
    average_precision,
    average_precisions,
    best_f1,
    best_match,
    coverage_at,
    f1,
    mutual_information,
    one_hot,
    part_map,
    purity_at,
    region_iou,
    shown,
    strongest,
    trait_f1,
    yield_at,
)
from tests.traits.measures import by_hand

LEVELS = st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, 2.0])  # few, so that equal scores come up


@st.composite
def problems(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Activations (rows, latents) and a truth (rows, labels)."""
    rows, latents, labels = draw(st.integers(1, 9)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    table = np.array(draw(st.lists(LEVELS, min_size=rows * latents, max_size=rows * latents)))
    truth = np.array(draw(st.lists(st.booleans(), min_size=rows * labels, max_size=rows * labels)))
    return table.reshape(rows, latents), truth.reshape(rows, labels)


def test_average_precision_of_a_ranking_on_paper() -> None:
    # ranks: hit, miss, hit, miss, hit -> (1/1 + 2/3 + 3/5) / 3
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    truth = np.array([True, False, True, False, True])
    assert average_precision(scores, truth) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert math.isnan(average_precision(scores, np.zeros(5, bool)))


def test_equal_scores_share_a_threshold_whatever_their_order() -> None:
    for truth in ([True, False], [False, True]):
        assert average_precision(np.array([1.0, 1.0]), np.array(truth)) == pytest.approx(0.5)


@given(problems())
def test_average_precisions_equal_those_of_dense_activations(
    problem: tuple[NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    table, truth = problem
    found = average_precisions(by_hand.sparse(table), truth, table.shape[1])
    for latent in range(table.shape[1]):
        for label in range(truth.shape[1]):
            expected = by_hand.average_precision(table[:, latent].tolist(), truth[:, label].tolist())
            assert found[latent, label] == pytest.approx(expected, nan_ok=True)
            assert average_precision(table[:, latent], truth[:, label]) == pytest.approx(expected, nan_ok=True)


@given(problems())
def test_the_best_f1_is_that_of_the_best_threshold(problem: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> None:
    table, truth = problem
    best, threshold = best_f1(by_hand.sparse(table), truth, table.shape[1])
    for latent in range(table.shape[1]):
        for label in range(truth.shape[1]):
            limits = [value for value in sorted(set(table[:, latent]), reverse=True) if value > 0]
            scores = [by_hand.f1((table[:, latent] >= limit).tolist(), truth[:, label].tolist()) for limit in limits]
            assert best[latent, label] == pytest.approx(max(scores, default=0.0))
            if max(scores, default=0.0) > 0:
                assert threshold[latent, label] == limits[int(np.argmax(scores))]
            else:
                assert threshold[latent, label] == np.inf


def test_codes_without_a_single_activation_rank_by_chance() -> None:
    nothing = Codes(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    truth = np.array([[True], [False], [False], [False]])
    assert average_precisions(nothing, truth, 2).tolist() == [[0.25], [0.25]]
    assert best_f1(nothing, truth, 2)[0].tolist() == [[0.0], [0.0]]
    assert purity_at(nothing, truth, 2).tolist() == [[0.0], [0.0]]
    assert trait_f1(nothing, truth, nothing, truth, 2).latents.tolist() == [-1]


def test_the_latent_of_a_part_is_chosen_on_one_half_and_scored_on_the_other() -> None:
    truth = np.array([[True], [True], [False], [False]])
    # latent 0 is right where it is chosen and wrong where it is scored; latent 1 the other way round
    one = np.array([[2.0, 0.0], [1.0, 0.0], [0.0, 3.0], [0.0, 1.0]])
    other = one[:, ::-1]
    scores = part_map(by_hand.sparse(one), truth, by_hand.sparse(other), truth, 2)
    assert scores.latents.tolist() == [0]
    assert scores.precisions[0] == pytest.approx((1 / 2) * (2 / 4) * 2)  # both hits in the last tie of four
    assert scores.mean == pytest.approx(0.5)
    assert scores.chance.tolist() == [0.5]


def test_a_part_that_one_half_lacks_is_left_out_of_the_mean() -> None:
    both = np.array([[True, True, False], [False, False, False]])
    later = np.array([[True, False, True], [False, False, False]])
    codes = by_hand.sparse(np.array([[1.0], [0.0]]))
    scores = part_map(codes, both, codes, later, 1)
    assert scores.precisions[0] == 1.0
    assert np.isnan(scores.precisions[1:]).all()
    assert scores.latents.tolist() == [0, 0, -1]
    assert scores.mean == 1.0
    assert coverage_at(scores.precisions) == 1.0


def test_coverage_counts_parts_from_the_threshold_on() -> None:
    assert coverage_at(np.array([0.3, 0.29, 0.9, np.nan])) == pytest.approx(2 / 3)
    assert math.isnan(coverage_at(np.array([np.nan])))


def test_purity_looks_at_the_strongest_rows_and_counts_missing_ones_as_impure() -> None:
    table = np.array([[3.0, 0.0], [2.0, 0.0], [1.0, 5.0], [0.5, 0.0]])
    _, truth = one_hot(["a", "a", "b", "b"])
    assert purity_at(by_hand.sparse(table), truth, 2, k=2).tolist() == [[1.0, 0.0], [0.0, 0.5]]
    assert purity_at(by_hand.sparse(table), truth, 2, k=4).tolist() == [[0.5, 0.5], [0.0, 0.25]]


@given(problems(), st.integers(1, 6))
def test_purity_equals_a_sorted_table(problem: tuple[NDArray[np.float64], NDArray[np.bool_]], k: int) -> None:
    table, truth = problem
    found = purity_at(by_hand.sparse(table), truth, table.shape[1], k=k)
    for latent in range(table.shape[1]):
        top = sorted((row for row in range(len(table)) if table[row, latent] > 0), key=lambda r: -table[r, latent])[:k]
        assert found[latent].tolist() == pytest.approx((truth[top].sum(axis=0) / k).tolist())


def test_regions_are_compared_pixel_by_pixel() -> None:
    part = np.zeros((4, 4), bool)
    part[:2] = True
    region = np.zeros((4, 4), bool)
    region[1:3] = True
    assert region_iou(region, part) == pytest.approx(4 / 12)
    assert region_iou(np.zeros((4, 4), bool), np.zeros((4, 4), bool)) == 0.0
    assert best_match([region, part], {"wing": part, "leg": ~part}) == {"wing": 1.0, "leg": pytest.approx(4 / 12)}
    assert best_match([], {"wing": part}) == {"wing": 0.0}
    with pytest.raises(ValueError, match="can't be compared"):
        region_iou(region, part[:2])


def test_a_patch_shows_what_covers_enough_of_it() -> None:
    mask = np.zeros((8, 8), bool)
    mask[0:4, 0:4] = True
    mask[4, 4] = True
    assert shown(mask, Grid(2, 2, 0, 0, 8, 8)).tolist() == [True, False, False, False]
    assert shown(mask, Grid(2, 2, 0, 0, 8, 8), share=1 / 16).tolist() == [True, False, False, True]


def test_a_grid_that_reaches_beyond_the_image_shows_only_what_is_inside() -> None:
    mask = np.ones((4, 4), bool)
    found = shown(mask, Grid(4, 4, -4, -4, 12, 12), share=0.1).reshape(4, 4)
    assert found.sum() == 4
    assert found[1:3, 1:3].all()


def test_the_strongest_patch_stands_for_an_image() -> None:
    patches = Codes(np.array([0, 1, 1, 2, 3]), np.array([7, 7, 8, 7, 8]), np.array([1, 3, 2, 5, 4], np.float32))
    images = strongest(patches, np.array([0, 0, 1, 1]))
    assert images.rows.tolist() == [0, 0, 1, 1]
    assert images.latents.tolist() == [7, 8, 7, 8]
    assert images.values.tolist() == [3, 2, 5, 4]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_information_is_what_the_entropies_leave(pairs: list[tuple[bool, bool]]) -> None:
    fires, truth = [a for a, _ in pairs], [b for _, b in pairs]
    expected = by_hand.entropy(fires) + by_hand.entropy(truth) - by_hand.entropy(pairs)
    assert mutual_information(np.array(fires), np.array(truth)) == pytest.approx(expected, abs=1e-9)
    assert f1(np.array(fires), np.array(truth)) == pytest.approx(by_hand.f1(fires, truth))


def test_a_trait_is_told_with_the_threshold_of_the_choosing_half() -> None:
    truth = np.array([[True], [True], [False], [False]])
    choosing = by_hand.sparse(np.array([[3.0], [2.0], [1.0], [0.0]]))
    held_out = by_hand.sparse(np.array([[3.0], [1.5], [2.5], [0.0]]))
    scores = trait_f1(choosing, truth, held_out, truth, 1)
    assert scores.thresholds.tolist() == [2.0]
    assert scores.f1[0] == pytest.approx(0.5)  # 3.0 rightly, 2.5 wrongly, 1.5 missed
    assert scores.information[0] == pytest.approx(0.0)
    assert scores.chance[0] == pytest.approx(2 / 3)
    assert scores.mean == pytest.approx(0.5)


def test_a_short_list_of_finds_is_held_against_the_whole_budget() -> None:
    order, right = np.array([0.1, 0.9, 0.5]), np.array([True, True, False])
    assert yield_at(order, right, 1) == 1.0
    assert yield_at(order, right, 2) == 0.5
    assert yield_at(order, right, 4) == 0.5
    with pytest.raises(ValueError, match="budget"):
        yield_at(order, right, 0)


def test_a_real_find_beats_permuted_labels_and_a_vain_one_does_not() -> None:
    labels = np.arange(40) < 20
    signal, noise = labels.astype(float), np.random.default_rng(1).normal(size=40)
    real = against_permutations(lambda order: average_precision(signal, labels[order]), 40)
    vain = against_permutations(lambda order: average_precision(noise, labels[order]), 40)
    assert (real.observed, real.p) == (1.0, 1 / 100)
    assert vain.p > 0.05
    assert 0.4 < real.expected < 0.6
    assert real == against_permutations(lambda order: average_precision(signal, labels[order]), 40)
