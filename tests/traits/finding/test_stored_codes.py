"""Codes come back as they were written, whatever was there before, and damage is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.finding import stored_codes
from pipelines.traits.finding.stored_codes import StoredCodes, write_codes
from protocols.errors import RecordError


class Rows:
    """Activations that are random, and counted."""

    def __init__(self, images: int, patches: int = 5) -> None:
        self.values = np.random.default_rng(images).normal(size=(images, patches, 6)).astype(np.float32)
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.values)

    def patches(self, index: int) -> NDArray[np.float32]:
        self.read.append(index)
        return self.values[index]

    def foreground(self, index: int) -> NDArray[np.float32]:
        return np.full(self.values.shape[1], index / 255, np.float32)


class Positive:
    """An autoencoder whose codes are the activations above zero."""

    def encode_sparse(self, x: torch.Tensor) -> Codes:
        rows, latents = np.nonzero(x.numpy() > 0)
        return Codes(rows, latents, x.numpy()[rows, latents])


def same(one: Codes, other: Codes) -> bool:
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("images", [1, 63, 64, 65, 130])
def test_codes_come_back(tmp_path: Path, images: int) -> None:
    rows = Rows(images)
    write_codes(rows, Positive(), tmp_path)
    stored = StoredCodes(tmp_path, images)
    assert len(stored) == images
    for image, codes in enumerate(stored):
        assert same(codes, Positive().encode_sparse(torch.from_numpy(rows.values[image])))
        assert np.allclose(stored.foreground(image), image / 255)


def test_files_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    write_codes(Rows(130), Positive(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "codes-000001.safetensors").unlink()
    rows = Rows(130)
    write_codes(rows, Positive(), tmp_path)
    assert rows.read == list(range(64, 128))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", None])
def test_a_damaged_or_missing_file_is_said(tmp_path: Path, spoilt: bytes | None) -> None:
    write_codes(Rows(3), Positive(), tmp_path)
    path = tmp_path / "codes-000000.safetensors"
    if spoilt is None:
        path.unlink()
    else:
        path.write_bytes(spoilt)
    with pytest.raises(RecordError, match=r"codes-000000\.safetensors"):
        StoredCodes(tmp_path, 3)[0]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored_codes.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_codes(Rows(3), Positive(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 99_999), st.integers(0, 1 << 20)), max_size=6, unique=True),
        min_size=1,
        max_size=5,
    )
)
def test_any_codes_survive_packing(images: list[list[tuple[int, int]]]) -> None:
    codes = [
        Codes(
            np.array([row for row, _ in image], np.int64),
            np.array([latent for _, latent in image], np.int64),
            np.arange(1, len(image) + 1, dtype=np.float32),
        )
        for image in images
    ]
    back, _ = stored_codes._unpacked(stored_codes.load(stored_codes._packed(codes, [np.zeros(1) for _ in codes])))
    assert all(same(one, other) for one, other in zip(codes, back, strict=True))
