"""Pictures lie where they belong, and drawings say what the numbers say."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.traits.gallery.charts import Row, draw_curves, draw_histogram, draw_map, looks_of
from pipelines.traits.gallery.pictures import (
    CLOSE,
    WHOLE,
    Layer,
    close_up,
    heat_layer,
    heat_size,
    outline,
    whole_picture,
)


def pixels(layer: Layer, flags: int = cv2.IMREAD_UNCHANGED) -> NDArray[np.uint8]:
    data = base64.b64decode(layer.uri.partition(",")[2])
    found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    assert found is not None
    return np.asarray(found, np.uint8)


def test_colours_stay_as_they_are() -> None:
    red = np.zeros((300, 500, 3), np.uint8)
    red[..., 0] = 255
    blue, green, found = pixels(whole_picture(red)).mean((0, 1))
    assert found > 250
    assert blue < 5
    assert green < 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (30, 20), (2160, 2880)])
def test_any_size_becomes_a_picture_of_bounded_size(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    assert max(pixels(whole_picture(image)).shape) <= WHOLE
    assert len(whole_picture(image).uri) < 250_000
    assert max(pixels(close_up(image, (0, 0, *shape[::-1]))).shape) <= CLOSE


@given(
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    corner=st.tuples(st.floats(-50, 450), st.floats(-50, 450)),
    span=st.tuples(st.floats(0, 500), st.floats(0, 500)),
)
def test_a_close_up_lies_in_the_image(
    size: tuple[int, int], corner: tuple[float, float], span: tuple[float, float]
) -> None:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    layer = close_up(image, (*corner, corner[0] + span[0], corner[1] + span[1]))
    assert 0 <= layer.left <= layer.left + layer.width <= size[0]
    assert 0 <= layer.top <= layer.top + layer.height <= size[1]
    assert layer.width == layer.height >= 1


def test_a_close_up_holds_the_region() -> None:
    layer = close_up(np.zeros((600, 800, 3), np.uint8), (700, 500, 790, 590))
    assert layer.left <= 700
    assert layer.top <= 500
    assert layer.left + layer.width >= 790
    assert layer.top + layer.height >= 590


def test_heat_is_where_the_latent_fires_and_nowhere_else() -> None:
    heat = np.zeros((200, 400), np.float32)
    heat[50:100, 300:400] = 5.0
    layer = heat_layer(heat, 400, 800)
    assert (layer.width, layer.height) == (800, 400)
    alpha = pixels(layer)[..., 3]
    places = np.argwhere(alpha > 0) / alpha.shape
    assert np.allclose(places.min(0), (0.25, 0.75), atol=0.03)
    assert np.allclose(places.max(0), (0.5, 1.0), atol=0.05)
    assert pixels(heat_layer(np.zeros((9, 9), np.float32), 9, 9))[..., 3].max() == 0


@given(st.integers(1, 9000), st.integers(1, 9000))
def test_heat_is_small_and_in_proportion(height: int, width: int) -> None:
    high, wide = heat_size(height, width)
    assert 1 <= min(high, wide) <= max(high, wide) <= 96
    assert abs(high * width - wide * height) <= max(height, width)


def test_outlines_are_closed_and_degenerate_ones_left_out() -> None:
    square = [[0, 0], [9, 0], [9, 9], [0, 9]]
    assert outline([square, [[1, 1], [2, 2]]]) == "M0.0 0.0L9.0 0.0L9.0 9.0L0.0 9.0Z"  # type: ignore[list-item]
    assert outline([]) == ""


def test_a_histogram_says_how_many() -> None:
    drawn = draw_histogram([Row("Apis", 3, [0, 1], marked=True)], [0.0, 1.0, 2.0], "how strongly")
    assert "3 of 4 do not fire" in drawn
    assert "1 of 4 between 1 and 2" in drawn
    assert drawn.count("<rect") == 2


def test_a_curve_goes_through_its_values() -> None:
    drawn = draw_curves("FVU", [0, 1, 2, 3], [1.0, float("nan"), 0.5, 0.0])
    points = re.search(r'points="([^"]*)"', drawn)
    assert points is not None
    heights = [float(point.split(",")[1]) for point in points[1].split()]
    assert len(heights) == 3
    assert heights == sorted(heights)


@pytest.mark.parametrize("values", [[], [2.0], [float("inf")], [3.0, 3.0]])
def test_curves_of_little(values: list[float]) -> None:
    assert "nan" not in draw_curves("L0", list(range(len(values))), values)


def test_taxa_on_the_map_differ_by_more_than_colour() -> None:
    groups = [f"taxon {number}" for number in range(16)]
    looks = looks_of(groups)
    assert len(set(looks.values())) == 16
    assert all(a[1] != b[1] for a, b in zip(list(looks.values())[:8], list(looks.values())[8:], strict=True))
    drawn = draw_map(np.zeros((2, 2)), ["a<b", "c"], ["<x>", ""])
    assert "<x>" not in drawn
