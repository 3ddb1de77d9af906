"""Images to pixels, and where their patches lie in the original."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.features.framing import CentreCrop, Framing, Letterbox, Stretch, Whole
from pipelines.traits.features.preprocessing import Preprocessing, read_preprocessing
from protocols.errors import InputError

FRAMINGS: list[Framing] = [
    CentreCrop(256, 224, 224),
    CentreCrop(160, 112, 140),
    Stretch(224, 168),
    Stretch(230, 230),  # 230 is no multiple of 14: what is left over is seen by no patch
    Letterbox(224, 224),
    Letterbox(140, 280),
    Whole(256),
]


def _plain(framing: Framing) -> Preprocessing:
    return Preprocessing(framing, 14, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), resample=2)


@pytest.mark.parametrize("framing", FRAMINGS)
@settings(deadline=None, max_examples=50)
@given(st.integers(40, 400), st.integers(40, 400), st.data())
def test_a_bright_square_is_found_in_the_patches_that_lie_over_it(
    framing: Framing, height: int, width: int, data: st.DataObject
) -> None:
    preprocessing = _plain(framing)
    grid = preprocessing.grid(height, width)
    patch = data.draw(st.integers(0, grid.patches - 1))
    left, top, right, bottom = grid.box(patch)
    if left < 0 or top < 0 or right > width or bottom > height:
        return  # padding
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    image = np.zeros((height, width, 3), np.uint8)
    half_x, half_y = max(1, round((right - left) / 4)), max(1, round((bottom - top) / 4))
    x, y = round(middle_x), round(middle_y)
    image[max(0, y - half_y) : y + half_y, max(0, x - half_x) : x + half_x] = 255
    pixels = preprocessing.pixels(image)[..., 0]
    cells = pixels[: grid.rows * 14, : grid.columns * 14].reshape(grid.rows, 14, grid.columns, 14).mean((1, 3))
    assert int(cells.argmax()) == patch
    assert cells.max() > 0


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(16, 1024))
def test_the_whole_image_is_seen_in_at_most_so_many_patches(height: int, width: int, patches: int) -> None:
    grid = Whole(patches).plan(height, width, 14).grid(height, width, 14)
    assert 1 <= grid.patches <= patches
    assert (grid.left, grid.top) == (0, 0)
    assert grid.width == pytest.approx(width)
    assert grid.height == pytest.approx(height)
    if patches >= 256 and 1 / 4 < height / width < 4:
        assert grid.patches > 0.75 * patches
        wide, high = grid.width / grid.columns, grid.height / grid.rows
        assert 0.85 < wide / high < 1.18


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_letterbox_covers_the_whole_image(height: int, width: int) -> None:
    grid = Letterbox(224, 224).plan(height, width, 14).grid(height, width, 14)
    assert grid.left <= 0
    assert grid.top <= 0
    assert grid.left + grid.width >= width - 1e-6
    assert grid.top + grid.height >= height - 1e-6


def test_padding_is_zero_after_normalising() -> None:
    preprocessing = Preprocessing(Letterbox(28, 28), 14, (0.4, 0.5, 0.6), (0.2, 0.2, 0.2))
    pixels = preprocessing.pixels(np.full((10, 30, 3), 255, np.uint8))
    assert (pixels[0] == 0).all()
    assert (pixels[-1] == 0).all()
    np.testing.assert_allclose(pixels[14, 14], [3.0, 2.5, 2.0], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(300, 451), (451, 300), (224, 224), (97, 130)])
def test_pixels_equal_those_of_transformers(tmp_path: Path, shape: tuple[int, int]) -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    from pipelines.traits.features.transformer import quiet_transformers

    with quiet_transformers():
        theirs = CLIPImageProcessorPil(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224})
        theirs.save_pretrained(tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = theirs(image, return_tensors="np")["pixel_values"][0]
    found = read_preprocessing(tmp_path, 14).prepare(image).pixels.numpy()
    one_level = 1 / 255 / 0.26
    assert np.abs(found - expected).max() <= 1.01 * one_level
    assert np.abs(found - expected).mean() < 0.01 * one_level


CONFIG = {"size": {"height": 56, "width": 70}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 3}


@pytest.mark.parametrize(
    ("change", "framing"),
    [
        ({}, Stretch(56, 70)),
        ({"size": 56}, Stretch(56, 56)),
        ({"size": {"shortest_edge": 64}}, CentreCrop(64, 64, 64)),
        (
            {"size": {"shortest_edge": 64}, "do_center_crop": True, "crop_size": {"height": 56, "width": 42}},
            CentreCrop(64, 56, 42),
        ),
        ({"size": 64, "do_center_crop": True, "crop_size": 56}, CentreCrop(64, 56, 56)),
    ],
)
def test_sizes_are_read_in_every_form(tmp_path: Path, change: dict[str, Any], framing: Framing) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(CONFIG | change))
    assert read_preprocessing(tmp_path, 14).framing == framing
    (tmp_path / "preprocessor_config.json").unlink()
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": CONFIG | change}))
    assert read_preprocessing(tmp_path, 14).framing == framing


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{}", json.dumps(CONFIG | {"image_mean": [0.5]}), json.dumps(CONFIG | {"size": None}),
     json.dumps(CONFIG | {"resample": 17}), json.dumps(CONFIG | {"do_center_crop": True, "crop_size": 3})],
)  # fmt: skip
def test_a_damaged_configuration_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(InputError, match=r"preprocessor_config\.json"):
        read_preprocessing(tmp_path, 14)


def test_a_missing_configuration_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say how to prepare images"):
        read_preprocessing(tmp_path, 14)


def test_a_framing_smaller_than_a_patch_is_refused() -> None:
    with pytest.raises(InputError, match="no patch of 14 pixels"):
        _plain(Stretch(13, 100)).grid(50, 50)


def test_every_setting_changes_the_identity() -> None:
    several = [_plain(framing).identity for framing in FRAMINGS]
    several.append(Preprocessing(Whole(256), 14, (0.1, 0.0, 0.0), (1.0, 1.0, 1.0), resample=2).identity)
    several.append(Preprocessing(Whole(256), 14, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), resample=3).identity)
    assert len(set(several)) == len(several)
