"""The benchmark's judgement of a coder, on pictures where every figure is known without computing."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from benchmarks.trait_scores import Scores, by_size, judge, rule_scores, trait_chance
from benchmarks.trait_sets import PatchSet
from pipelines.traits.codes import Codes
from pipelines.traits.grids import Grid
from pipelines.traits.specimens import Specimen, Taxon

IMAGES, SIDE, LATENTS = 96, 10, 6
GRID = Grid(SIDE, SIDE, 0, 0, 40, 40)
PARTS = {"eye": 2, "wing": 12}
"""Patches of each."""


def _set(seed: int = 0) -> tuple[PatchSet, np.ndarray]:
    """Two species of one genus: eye and wing at random places, the wing spotted in the first; what latents should say.

    Latent 0 is the eye, 1 the wing, 2 the spots of a spotted wing, 3 noise.
    """
    rng = np.random.default_rng(seed)
    truth = np.zeros((IMAGES * SIDE * SIDE, 2), bool)
    values = np.zeros((len(truth), LATENTS), np.float32)
    specimens, masks, spotted = [], [], np.arange(IMAGES) % 2 == 0
    for image in range(IMAGES):
        row, column = rng.integers(0, 7), rng.integers(0, 6)
        cells = np.zeros((2, SIDE, SIDE), bool)
        eye = rng.integers(0, SIDE - 1)
        cells[0, 9, eye : eye + 2] = True
        cells[1, row : row + 3, column : column + 4] = True
        here = slice(image * SIDE * SIDE, (image + 1) * SIDE * SIDE)
        truth[here] = cells.reshape(2, -1).T
        values[here, :2] = truth[here] * rng.uniform(1, 1.5, (SIDE * SIDE, 1))
        values[here, 2] = truth[here, 1] * spotted[image] * rng.uniform(1, 1.5)
        values[here, 3] = rng.random(SIDE * SIDE)
        masks.append({name: np.kron(cells[place], np.ones((4, 4), bool)) for place, name in enumerate(PARTS)})
        name = f"Genus {'spotted' if spotted[image] else 'plain'}"
        identity = hashlib.sha256(f"{seed}/{image}".encode()).hexdigest()[:32]
        specimens.append(Specimen(identity, f"{image}.png", Taxon({"genus": "Genus", "species": name}), 40, 40))
    choosing = np.arange(IMAGES) // 2 % 2 == 0
    owner = np.repeat(np.arange(IMAGES), SIDE * SIDE)
    return PatchSet(
        "known", specimens, values, owner, [GRID] * IMAGES, list(PARTS), truth, masks.__getitem__, [choosing],
        ["wing spotted"], spotted[:, None], ["moth"] * IMAGES,
    ), values  # fmt: skip


def _codes(values: np.ndarray) -> Codes:
    rows, latents = np.nonzero(values)
    return Codes(rows, latents, values[rows, latents])


def _judged(*latents: int) -> tuple[PatchSet, Scores]:
    """The scores of some of the latents alone."""
    data, values = _set()
    kept = np.zeros_like(values)
    kept[:, latents] = values[:, latents]
    return data, judge(data, _codes(kept), LATENTS)


def test_a_coder_that_knows_every_answer_gets_full_marks() -> None:
    data, scores = _judged(0, 1, 2, 3)
    assert scores.map_parts == pytest.approx(1)
    assert (scores.coverage, scores.purity, scores.region_iou) == (1, 1, 1)
    assert (scores.trait_f1, scores.trait_purity, scores.by_state["wing spotted"]) == (1, 1, (1, 1))
    assert by_size(data, scores.by_part) == pytest.approx(
        {"1 to 4 % of a picture (1 parts)": 1, "4 to 100 % of a picture (1 parts)": 1}
    )


def test_noise_gets_what_chance_gives() -> None:
    data, scores = _judged(3)
    chance = {"eye": 0.02, "wing": 0.12}
    for part, reached in scores.by_part.items():
        assert reached == pytest.approx(chance[part], rel=0.5)
    assert scores.coverage == 0
    assert scores.purity is not None
    assert scores.purity < 0.4
    assert trait_chance(data) == pytest.approx(2 / 3)
    assert scores.trait_purity == pytest.approx(0.5, abs=0.35)


def test_what_no_latent_knows_is_missed_and_the_rest_stays() -> None:
    _, scores = _judged(1, 3)
    assert scores.by_part["wing"] == pytest.approx(1)
    assert scores.by_part["eye"] < 0.06
    assert scores.coverage == 0.5
    assert scores.trait_f1 is not None
    assert scores.trait_f1 < 0.8


def test_rules_are_confirmed_where_a_latent_marks_and_not_where_species_are_dealt_out() -> None:
    data, values = _set()
    tested = rule_scores(data, _codes(values), LATENTS, "tested", shuffles=3, seed=0)
    assert (tested.marks, tested.confirmed, tested.null_marks) == (1, 1, 0)
    published = rule_scores(data, _codes(values), LATENTS, "published", shuffles=3, seed=0)
    assert published.marks > 1  # patches of the other latents are never in exactly the same shares
    assert published.confirmed == 1 / published.marks
