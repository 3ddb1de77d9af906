"""The organism is told from its background, and from labels, scale bars and colour cards beside it."""

from __future__ import annotations

import time
import tracemalloc

import cv2
import numpy as np
import pytest

from pipelines.traits.codes import Codes
from pipelines.traits.grids import Grid
from pipelines.traits.regions import coarse_foreground, foreground, foreground_share, patch_foreground, region

HIGH, WIDE = 480, 640


def background(kind: str, rng: np.random.Generator) -> np.ndarray:
    ys, xs = np.mgrid[-1 : 1 : HIGH * 1j, -1 : 1 : WIDE * 1j]
    light = {
        "plain": np.full((HIGH, WIDE), 220.0),
        "uneven": 200 + 35 * xs - 20 * ys - 30 * xs**2,
        "dark": np.full((HIGH, WIDE), 15.0),
        "well": 205 - 10 * (xs**2 + ys**2) + 30 * (np.abs(np.hypot(xs, ys) - 0.5) < 0.03),
    }[kind]
    if kind == "well":
        light = np.where(np.abs(np.hypot(xs * 1.3, ys) - 1.12) < 0.06, 90, light)  # its rim
    noisy = light[..., None] * [1.0, 0.98, 0.93] + rng.normal(0, 2, (HIGH, WIDE, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def insect(picture: np.ndarray, centre: tuple[int, int], colour: tuple[int, int, int], size: int = 60) -> np.ndarray:
    """An ellipse with six legs, drawn into a picture; its mask."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.ellipse(mask, centre, (size, size // 2), 25, 0, 360, 1, -1)
    for number in range(6):
        angle = np.pi / 6 + number * np.pi / 3
        end = (int(centre[0] + 1.7 * size * np.cos(angle)), int(centre[1] + 1.7 * size * np.sin(angle)))
        cv2.line(mask, centre, end, 1, 5)
    picture[mask > 0] = colour
    return mask > 0


def label(picture: np.ndarray, left: int, top: int, paper: int | None) -> np.ndarray:
    """A printed label; of the background's own colour, without an edge, if ``paper`` is ``None``."""
    mask = np.zeros(picture.shape[:2], bool)
    mask[top : top + 72, left : left + 140] = True
    if paper is not None:
        picture[mask] = paper
    for row, text in enumerate(("Monte Rosa 1832", "4.VII.1921 leg. Wu", "No. 48 213 MZUF")):
        cv2.putText(picture, text, (left + 6, top + 20 + 22 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (20, 20, 20), 1)
    return mask


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("kind", ["plain", "uneven", "dark", "well"])
@pytest.mark.parametrize("centre", [(330, 250), (240, 180)])
def test_the_organism_is_found_on_any_smooth_background(kind: str, centre: tuple[int, int]) -> None:
    picture = background(kind, np.random.default_rng(1))
    truth = insect(picture, centre, (150, 140, 120) if kind == "dark" else (90, 60, 30))
    found = foreground(picture)
    assert found.shape == (HIGH, WIDE)
    assert iou(found, truth) > 0.8
    assert (found & ~cv2.dilate(truth.astype(np.uint8), np.ones((25, 25))).astype(bool)).sum() == 0


@pytest.mark.parametrize("paper", [255, 235, None])
@pytest.mark.parametrize("kind", ["plain", "uneven"])
def test_a_printed_label_is_left_out(kind: str, paper: int | None) -> None:
    picture = background(kind, np.random.default_rng(2))
    truth = insect(picture, (270, 200), (90, 60, 30))
    written = label(picture, 470, 380, paper)
    found = foreground(picture)
    assert (found & written).sum() < 0.02 * written.sum()
    assert iou(found, truth) > 0.8


def test_scale_bar_and_colour_card_are_left_out() -> None:
    picture = background("plain", np.random.default_rng(3))
    truth = insect(picture, (330, 200), (90, 60, 30))
    picture[440:450, 40:200] = 10
    for number, colour in enumerate([(200, 30, 30), (30, 160, 40), (30, 50, 190), (240, 220, 40), (128, 128, 128)]):
        picture[380:430, 380 + 45 * number : 425 + 45 * number] = colour
    found = foreground(picture)
    assert not found[370:].any()
    assert iou(found, truth) > 0.8


def test_an_organism_that_runs_out_of_the_picture_is_still_one() -> None:
    picture = background("plain", np.random.default_rng(4))
    truth = insect(picture, (590, 240), (90, 60, 30), size=140)
    assert iou(foreground(picture), truth) > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 3), (240, 320)])
def test_where_nothing_stands_out_nothing_is_foreground(shape: tuple[int, int]) -> None:
    assert not foreground(np.full((*shape, 3), 200, np.uint8)).any()
    assert foreground(np.zeros((*shape, 3), np.uint8)).shape == shape


def test_the_coarse_mask_says_the_same_of_patches_as_the_full_one() -> None:
    picture = cv2.resize(background("uneven", np.random.default_rng(5)), None, fx=3, fy=3)
    insect(picture, (900, 800), (90, 60, 30), size=200)
    full, coarse = foreground(picture), coarse_foreground(picture)
    assert max(coarse.shape) == 320
    for grid in (Grid(16, 16, 0, 0, 1920, 1440), Grid(14, 14, 240, 0, 1440, 1440), Grid(20, 20, 0, -240, 1920, 1920)):
        close = patch_foreground(coarse, grid, full.shape)
        assert np.abs(close - patch_foreground(full, grid)).max() < 0.05
        assert close.max() == 1


def test_share_of_a_patch_is_that_of_its_pixels_and_padding_is_background() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:20, 0:15] = True
    shares = patch_foreground(mask, Grid(6, 6, 0, -10, 60, 60)).reshape(6, 6)
    assert shares[2].tolist() == [1, 0.5, 0, 0, 0, 0]
    assert shares.sum() == 1.5
    assert patch_foreground(np.ones((40, 60), bool), Grid(6, 6, 0, -10, 60, 60)).sum() == 24


def test_share_of_a_region_is_that_of_its_pixels() -> None:
    mask = np.zeros((40, 60), bool)
    mask[:, :5] = True
    grid = Grid(4, 6, 0, 0, 60, 40)
    two = region(Codes(np.array([0, 1]), np.zeros(2, np.int64), np.ones(2, np.float32)), 0, grid, (40, 60))
    assert foreground_share(two, mask) == 0.25
    assert foreground_share(region(no_codes(), 0, grid, (40, 60)), mask) is None


def no_codes() -> Codes:
    return Codes(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def test_twenty_megapixels_take_little_memory_and_time() -> None:
    picture = np.full((4000, 5000, 3), 200, np.uint8)
    cv2.ellipse(picture, (2500, 2000), (900, 500), 20, 0, 360, (60, 90, 30), -1)
    tracemalloc.start()
    start = time.process_time()
    found = coarse_foreground(picture)
    took = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.any()
    assert peak < 30_000_000
    assert took < 1.5
