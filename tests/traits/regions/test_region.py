"""Regions: the same organism gives the same region in the original, however it was cropped or padded."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.traits.codes import Codes
from pipelines.traits.grids import Grid
from pipelines.traits.regions import Polygon, Region, region
from protocols.errors import InputError

SPOT = (150.0, 110.0, 40.0)  # where the organism is in the original of 320 x 240 pixels: x, y, radius


def picture(shape: tuple[int, int] = (240, 320), spot: tuple[float, float, float] = SPOT) -> np.ndarray:
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    return (np.hypot(xs - spot[0], ys - spot[1]) < spot[2]).astype(np.float32)


def brightness(image: np.ndarray, grid: Grid) -> Codes:
    """A latent (3) that is the mean brightness of each patch, with 0 beyond the image."""
    values = np.zeros(grid.patches, np.float32)
    for patch in range(grid.patches):
        left, top, right, bottom = (round(edge) for edge in grid.box(patch))
        inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        values[patch] = inside.sum() / ((right - left) * (bottom - top))
    rows = np.flatnonzero(values)
    return Codes(rows, np.full(len(rows), 3), values[rows])


GRIDS = {
    "whole": Grid(12, 16, 0, 0, 320, 240),
    "centre crop": Grid(12, 12, 40, 0, 240, 240),
    "padded to a square": Grid(16, 16, 0, -40, 320, 320),
    "crop off the patches' raster": Grid(10, 10, 47, 13, 200, 200),
    "padding all round": Grid(20, 20, -83, -77, 400, 400),
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_the_same_organism_gives_the_same_region_however_it_was_prepared(grid: Grid) -> None:
    found = region(brightness(picture(), grid), 3, grid, (240, 320))
    truth = picture() > 0
    assert found.mask.shape == found.heat.shape == (240, 320)
    assert (found.mask & truth).sum() / (found.mask | truth).sum() > 0.7
    assert found.box is not None
    assert np.abs(np.array(found.box) - (110, 70, 190, 150)).max() <= 20  # a patch
    (smooth,) = found.outline()
    assert np.abs(np.array(smooth.box) - (110, 70, 190, 150)).max() <= 6
    assert smooth.area == pytest.approx(np.pi * 40**2, rel=0.15)
    peak = np.unravel_index(found.heat.argmax(), found.heat.shape)
    assert truth[peak]


@given(st.integers(-60, 60), st.integers(-40, 40))
@settings(max_examples=15, deadline=None)
def test_a_shifted_organism_gives_a_region_shifted_as_much(right: int, down: int) -> None:
    grid = GRIDS["whole"]
    boxes = [
        region(brightness(image, grid), 3, grid, (240, 320)).outline()[0].box
        for image in (picture(), picture(spot=(SPOT[0] + right, SPOT[1] + down, SPOT[2])))
    ]
    assert np.abs(np.array(boxes[1]) - boxes[0] - (right, down, right, down)).max() <= 20


@given(
    arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7))),
    st.floats(-60, 20), st.floats(-60, 20), st.integers(5, 90), st.integers(5, 90),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_polygons_are_the_union_of_the_patches_clipped_to_the_image(
    cells: np.ndarray, left: float, top: float, width: int, height: int
) -> None:
    left, top = round(left), round(top)
    grid = Grid(*cells.shape, left, top, cells.shape[1] * 10, cells.shape[0] * 10)
    rows = np.flatnonzero(cells)
    found = region(Codes(rows, np.zeros_like(rows), np.ones(len(rows), np.float32)), 0, grid, (height, width))
    drawn = np.zeros((height, width), bool)
    for patch in rows:
        x0, y0, x1, y1 = (int(edge) for edge in grid.box(int(patch)))
        drawn[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    assert (found.mask == drawn).all()
    assert (_filled(found.polygons, (height, width)) == drawn).all()
    assert sum(polygon.area for polygon in found.polygons) == drawn.sum()
    if drawn.any():
        ys, xs = np.nonzero(drawn)
        assert found.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        assert found.fractions["ac:xFrac"] == xs.min() / width
        assert found.fractions["ac:yFrac"] + found.fractions["ac:heightFrac"] == pytest.approx((ys.max() + 1) / height)
        assert len(found.boxes) == len(found.polygons)
    else:
        assert (found.box, found.fractions, found.score) == (None, {}, 0)


def _filled(polygons: tuple[Polygon, ...], shape: tuple[int, int]) -> np.ndarray:
    """Polygons drawn by the even-odd rule at pixel centres: an independent way from points to pixels."""
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, bool)
    for polygon in polygons:
        for ring in (polygon.outer, *polygon.holes):
            for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
                if y0 != y1:
                    crosses = ((y0 > ys) != (y1 > ys)) & (xs < (x1 - x0) * (ys - y0) / (y1 - y0) + x0)
                    inside ^= crosses
    return inside


def test_a_ring_of_patches_has_a_hole_and_patches_that_touch_at_a_corner_are_two() -> None:
    cells = np.ones((3, 4), np.float32)
    cells[1, 1], cells[:, 3], cells[2, 3] = 0, 0, 0
    found = _of(cells)
    (polygon,) = found.polygons
    assert len(polygon.outer) == 4
    assert polygon.holes == (((2.0, 1.0), (1.0, 1.0), (1.0, 2.0), (2.0, 2.0)),) or polygon.area == 8
    assert [one.outer for one in _of(np.eye(2, dtype=np.float32)).polygons] == [
        ((1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)),
        ((2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)),
    ]


def _of(values: np.ndarray, threshold: float | None = None) -> Region:
    rows, columns = values.shape
    where = np.flatnonzero(values)
    codes = Codes(where, np.zeros_like(where), values.reshape(-1)[where])
    return region(codes, 0, Grid(rows, columns, 0, 0, columns, rows), (rows, columns), threshold=threshold)


def test_heat_is_bilinear_between_patch_centres() -> None:
    values = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    where = np.arange(35)
    found = region(Codes(where, np.zeros_like(where), values.reshape(-1)), 0, Grid(5, 7, 0, 0, 70, 50), (50, 70))
    expected = cv2.resize(values, (70, 50), interpolation=cv2.INTER_LINEAR)
    assert found.heat == pytest.approx(expected, abs=1e-5)
    assert found.heat_in((13, 8, 50, 41)) == pytest.approx(expected[8:41, 13:50], abs=1e-5)
    assert found.heat_in((-20, -20, 0, 0)).max() == 0
    assert (found.mask_in((13, 8, 50, 41)) == found.mask[8:41, 13:50]).all()


def test_a_given_threshold_decides_and_other_latents_do_not_matter() -> None:
    values = np.array([[0.2, 0.4, 1.0]], np.float32)
    assert _of(values).firing.tolist() == [[False, False, True]]
    assert _of(values, 0.3).firing.tolist() == [[False, True, True]]
    nothing = region(Codes(np.array([1]), np.array([5]), np.ones(1, np.float32)), 4, GRIDS["whole"], (240, 320))
    assert (nothing.polygons, nothing.box, nothing.score, nothing.outline()) == ((), None, 0, ())
    assert not nothing.mask.any()
    assert not nothing.heat.any()


def test_a_part_of_a_huge_image_takes_memory_for_that_part() -> None:
    grid = Grid(16, 16, 0, 0, 100_000, 100_000)
    where = np.arange(256)
    tracemalloc.start()
    found = region(
        Codes(where, np.zeros_like(where), np.linspace(0.1, 1, 256, dtype=np.float32)), 0, grid, (100_000, 100_000)
    )
    part = found.heat_in((50_000, 50_000, 50_200, 50_100))
    thumbnail = found.heat_in((0, 0, 100_000, 100_000), size=(64, 64))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert part.shape == (100, 200)
    assert thumbnail.shape == (64, 64)
    assert len(found.outline()) == 1
    assert peak < 4_000_000


def test_codes_of_a_larger_grid_are_refused() -> None:
    with pytest.raises(InputError, match="patch 192 with a grid of 192"):
        region(Codes(np.array([192]), np.array([0]), np.ones(1, np.float32)), 0, GRIDS["whole"], (240, 320))
