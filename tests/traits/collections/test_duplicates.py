"""The same file and the same picture twice."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from pipelines.traits.collections import Reason, read_collection
from pipelines.traits.collections.duplicates import NEAR, Prints, fingerprint, near_duplicates
from tests.traits.collections.pictures import archive, encoded, only, pixels, put, taxa


def test_equal_files_are_used_once_where_most_is_known(tmp_path: Path) -> None:
    for folder in ("images", "Apis", "Apis mellifera", "train/Apis mellifera"):
        put(tmp_path / folder / "a.jpg", encoded(1))
    archive(tmp_path / "s.tar", {"b.jpg": encoded(1)})
    scan = read_collection(tmp_path)
    assert list(taxa(scan)) == ["Apis mellifera/a.jpg"]
    assert {item.reason for item in scan.quarantined} == {Reason.DUPLICATE}
    assert len(scan.quarantined) == 4
    assert "the same file is Apis mellifera/a.jpg, which is used" in scan.quarantined[0].detail


def test_equal_files_under_contradictory_names_are_both_set_aside(tmp_path: Path) -> None:
    put(tmp_path / "Apis mellifera" / "a.jpg", encoded(1))
    put(tmp_path / "Apis cerana" / "b.jpg", encoded(1))
    put(tmp_path / "Apis" / "c.jpg", encoded(1))
    put(tmp_path / "Apis" / "d.jpg", encoded(2))
    scan = read_collection(tmp_path)
    assert list(taxa(scan)) == ["Apis/d.jpg"]
    assert [item.reason for item in scan.quarantined] == [Reason.CONTRADICTORY] * 3
    assert "Apis mellifera/a.jpg (Apis mellifera)" in scan.quarantined[0].detail


def altered(image: Image.Image, how: str) -> bytes:
    stream = io.BytesIO()
    if how == "smaller":
        image = image.resize((image.width // 2, image.height // 2))
    elif how == "contrast":
        image = ImageEnhance.Contrast(image).enhance(1.15)
    image.save(stream, "JPEG", quality=35 if how == "compressed" else 90, comment=how)
    return stream.getvalue()


@pytest.mark.parametrize("how", ["smaller", "contrast", "compressed", "comment"])
def test_near_duplicates_are_used_once_in_the_larger_size(tmp_path: Path, how: str) -> None:
    image = Image.fromarray(pixels(1, 640, 480))
    put(tmp_path / "Apis" / "original.png", encoded(1, "PNG", size=(640, 480)))
    put(tmp_path / "Apis" / "copy.jpg", altered(image, how))
    put(tmp_path / "Apis" / "other.jpg", encoded(2, size=(320, 240)))
    scan = read_collection(tmp_path)
    assert only(scan).reason is Reason.NEAR_DUPLICATE
    assert len(scan.specimens) == 2
    assert "Apis/other.jpg" in taxa(scan)
    if how == "smaller":
        assert only(scan).source == "Apis/copy.jpg"
        assert "it looks like Apis/original.png, which is used" in only(scan).detail
    assert len(read_collection(tmp_path, near_duplicates=False).specimens) == 3


def test_near_duplicates_of_different_taxa_are_both_kept_and_told(tmp_path: Path) -> None:
    put(tmp_path / "Apis mellifera" / "a.png", encoded(1, "PNG", size=(320, 240)))
    put(tmp_path / "Apis cerana" / "b.jpg", encoded(1, size=(320, 240)))
    scan = read_collection(tmp_path)
    assert len(scan.specimens) == 2
    (pair,) = scan.alike
    assert (pair.source, pair.other) == ("Apis cerana/b.jpg", "Apis mellifera/a.png")
    assert pair.distance < NEAR


def test_colour_forms_and_plain_pictures_are_no_duplicates(tmp_path: Path) -> None:
    grey = np.asarray(Image.fromarray(pixels(1, 320, 240)).convert("L"), np.float32)[:, :, None]
    for name, colour in (("red", (1.0, 0.55, 0.4)), ("blue", (0.5, 0.7, 1.0))):
        put(tmp_path / "Apis" / f"{name}.png", png(np.clip(grey * np.float32(colour), 0, 255).astype(np.uint8)))
    for shade in (200, 201):
        put(tmp_path / "Apis" / f"plain{shade}.png", png(np.full((40, 40, 3), shade, np.uint8)))
    assert not read_collection(tmp_path).quarantined


def png(array: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.0, 0.2, 0.5, 0.9, 1.1, 1.5])), min_size=2, max_size=30
    ),
    st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_every_near_duplicate_is_found_and_nothing_else(made: list[tuple[int, float]], seed: int) -> None:
    """Against all pairs: what is dropped lies near something kept, what is kept lies near nothing kept before it."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, 287))
    prints: list[NDArray[np.float16] | None] = []
    for centre, far in made:
        low = centres[centre, :255] / np.linalg.norm(centres[centre, :255])
        aside = rng.normal(size=255)
        moved = low + aside / np.linalg.norm(aside) * far * NEAR
        prints.append(np.concatenate([moved, np.full(32, 128)]).astype(np.float16))
    order = [int(at) for at in rng.permutation(len(prints))]
    dropped = dropped_of(prints, order)
    table = np.stack([np.asarray(one, np.float32)[:255] for one in prints])
    expected: dict[int, int] = {}
    for at, one in enumerate(order):
        if one in expected:
            continue
        for two in order[at + 1 :]:
            if two not in expected and np.linalg.norm(table[one] - table[two]) < NEAR:
                expected[two] = one
    assert {two: one for two, (one, _) in dropped.items()} == expected


def dropped_of(every: list[NDArray[np.float16] | None], order: Sequence[int]) -> dict[int, tuple[int, float]]:
    with Prints() as prints:
        for own in every:
            prints.add(own)
        dropped, both = near_duplicates(prints, order, lambda one, two: False)
    assert not both
    return dropped


def drawn(count: int, seed: int, spread: float) -> list[NDArray[np.float16] | None]:
    """Fingerprints as those of pictures are: low frequencies strongest."""
    rng = np.random.default_rng(seed)
    fall = 1 / (1 + np.arange(255)) ** 0.8
    low = rng.normal(size=255) * fall + spread * rng.normal(size=(count, 255)) * fall
    low /= np.linalg.norm(low, axis=1, keepdims=True)
    return list(np.hstack([low, np.full((count, 32), 128)]).astype(np.float16))


@pytest.mark.slow
@pytest.mark.parametrize("spread", [1.0, 0.01, 0.0], ids=["all different", "all nearly alike", "all alike"])
def test_a_hundred_thousand_pictures(spread: float) -> None:
    """Not with the square of the number: also where all are alike, as a time lapse is."""
    prints = drawn(100_000, 1, spread)
    started = time.process_time()
    dropped = dropped_of(prints, range(len(prints)))
    took = time.process_time() - started
    assert took < 30
    if spread < 1:
        assert len(dropped) == 99_999


def test_a_fingerprint_is_of_unit_length_and_blind_to_size() -> None:
    small, large = (fingerprint(Image.fromarray(pixels(1, *size))) for size in ((96, 72), (960, 720)))
    assert small is not None
    assert large is not None
    assert np.linalg.norm(small[:255].astype(np.float64)) == pytest.approx(1, abs=1e-3)
    assert np.linalg.norm(small[:255].astype(np.float64) - large[:255]) < NEAR / 2
