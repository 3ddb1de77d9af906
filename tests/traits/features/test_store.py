"""Stores: written, gone on with, checked, read and shuffled."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipelines.traits.features import Activations, write_activations
from pipelines.traits.features.shards import Precision
from pipelines.traits.grids import Grid
from protocols.errors import InputError, RecordError
from tests.traits.features.plain import Plain, contents, images, picture


@pytest.mark.parametrize(("dtype", "exact"), [("float32", 0.0), ("float16", 2**-11), ("bfloat16", 2**-8)])
def test_what_is_read_is_what_the_backbone_said(tmp_path: Path, dtype: Precision, exact: float) -> None:
    backbone = Plain()
    done: list[int] = []
    store = write_activations(backbone, images(11), tmp_path, dtype=dtype, shard_images=4, progress=done.append)
    store.verify()
    assert (len(store), store.backbone, store.dimensions) == (11, "plain@1", 6)
    assert store.ids == [f"{number:032x}" for number in range(11)]
    assert done[-1] == 11
    assert done == sorted(done)
    for number in range(11):
        prepared = backbone.prepare(picture(number))
        expected = backbone.encode(prepared.pixels[None])[0].numpy()
        assert store.grids[number] == prepared.grid
        assert store.patches(number).dtype == np.float32
        np.testing.assert_allclose(store.patches(number), expected, rtol=exact, atol=1e-7)


def test_bfloat16_lies_in_the_file_as_documented(tmp_path: Path) -> None:
    store = write_activations(Plain(), images(3), tmp_path, dtype="bfloat16")
    raw = np.fromfile(tmp_path / "000000.bin", dtype="<u2").reshape(-1, 6)
    by_hand = (raw.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(by_hand, np.concatenate([store.patches(number) for number in range(3)]))


def test_an_epoch_has_every_row_once_and_starts_anywhere(tmp_path: Path) -> None:
    store = write_activations(Plain(), images(20), tmp_path, dtype="float32", shard_images=6)
    every = torch.cat([torch.from_numpy(store.patches(number)) for number in range(20)])
    for window in (None, 64):
        size = 7
        steps = -(-store.rows // size)
        stream = list(itertools.islice(store.batches(size, 3, window=window), 2 * steps))
        epoch = torch.cat(stream)[: store.rows]
        assert sorted(map(tuple, epoch.tolist())) == sorted(map(tuple, every.tolist()))
        assert not torch.equal(epoch, every)
        later = list(itertools.islice(store.batches(size, 3, steps - 2, window=window), 5))
        for ours, theirs in zip(later, stream[steps - 2 :], strict=False):
            assert ours.dtype == torch.float32
            assert torch.equal(ours, theirs)
        other = next(store.batches(size, 4, window=window))
        assert not torch.equal(other, stream[0])


def test_going_on_makes_the_same_bytes_and_only_what_is_missing(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    write_activations(Plain(), images(11), whole, shard_images=3)

    def fails_at(number: int):
        yield from images(number)
        raise KeyboardInterrupt

    for stop in (2, 5, 9):
        with pytest.raises(KeyboardInterrupt):
            write_activations(Plain(), fails_at(stop), broken, shard_images=3)
        with pytest.raises(RecordError, match="not whole"):
            Activations.open(broken)
    backbone = Plain()
    write_activations(backbone, images(11), broken, shard_images=3)
    assert backbone.encoded == 2
    assert contents(broken) == contents(whole)


@pytest.mark.parametrize("harm", ["gone", "cut", "longer", "record"])
def test_a_missing_or_cut_shard_is_named_and_made_again_alone(tmp_path: Path, harm: str) -> None:
    write_activations(Plain(), images(9), tmp_path, shard_images=3)
    whole = contents(tmp_path)
    victim = tmp_path / ("000001.json" if harm == "record" else "000001.bin")
    if harm in ("gone", "record"):
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:-1] if harm == "cut" else victim.read_bytes() + b"!")
    with pytest.raises(RecordError, match=r"000001.*only this shard is made anew"):
        Activations.open(tmp_path)
    backbone = Plain()
    write_activations(backbone, images(9), tmp_path, shard_images=3)
    assert backbone.encoded == 3
    assert contents(tmp_path) == whole


def test_a_changed_byte_is_found_by_verify(tmp_path: Path) -> None:
    write_activations(Plain(), images(9), tmp_path, shard_images=3)
    victim = tmp_path / "000002.bin"
    data = bytearray(victim.read_bytes())
    data[7] ^= 1
    victim.write_bytes(data)
    with pytest.raises(RecordError, match=r"000002\.bin: the shard is damaged.*Delete 000002\.bin"):
        Activations.open(tmp_path).verify()
    victim.unlink()
    write_activations(Plain(), images(9), tmp_path, shard_images=3).verify()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1, "made": {}}', "null"]
)
@pytest.mark.parametrize("name", ["000000.json", "activations.json"])
def test_damaged_records_are_no_bugs(tmp_path: Path, name: str, text: str) -> None:
    write_activations(Plain(), images(2), tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(RecordError, match=name):
        Activations.open(tmp_path)


def test_another_backbone_or_other_images_or_settings_are_refused(tmp_path: Path) -> None:
    write_activations(Plain(), images(5), tmp_path, shard_images=2)
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"made with the backbone plain@1, not with plain@2"):
        Activations.open(tmp_path, backbone="plain@2")
    with pytest.raises(InputError, match=r"plain@1, not with plain@2"):
        write_activations(Plain("plain@2"), images(5), tmp_path, shard_images=2)
    with pytest.raises(InputError, match="other settings"):
        write_activations(Plain(), images(5), tmp_path, shard_images=2, dtype="float32")
    for others in (images(5, first=1), images(4), images(3), images(6), images(7), []):
        with pytest.raises(InputError, match="other images"):
            write_activations(Plain(), others, tmp_path, shard_images=2)
    assert contents(tmp_path) == before
    assert Activations.open(tmp_path, backbone="plain@1").rows == sum(
        grid.patches for grid in Activations.open(tmp_path).grids
    )


def test_numbers_too_large_for_the_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"too large for float16.*bfloat16"):
        write_activations(Plain(gain=1e6), images(2), tmp_path)
    assert contents(tmp_path) == {}
    write_activations(Plain(gain=1e6), images(2), tmp_path, dtype="bfloat16")


def test_an_empty_collection_makes_an_empty_store(tmp_path: Path) -> None:
    store = write_activations(Plain(), [], tmp_path)
    assert (store.rows, store.ids) == (0, [])
    with pytest.raises(InputError, match="no batches"):
        store.batches(4, 0)


def test_an_image_that_cannot_be_read_stops_with_its_own_error(tmp_path: Path) -> None:
    def gone() -> None:
        raise InputError("the image is gone", where="bees/5.png")

    several = [*images(5), (images(1, 5)[0][0], gone), *images(3, 6)]
    with pytest.raises(InputError, match=r"bees/5\.png: the image is gone"):
        write_activations(Plain(), several, tmp_path, shard_images=2)
    assert sorted(contents(tmp_path)) == ["000000.bin", "000000.json", "000001.bin", "000001.json"]


def test_the_foreground_comes_back_and_is_written_only_if_asked_for(tmp_path: Path) -> None:
    def ground(image: NDArray[np.uint8], grid: Grid) -> NDArray[np.float32]:
        return np.full(grid.patches, image[0, 0, 0] / 255, np.float32)

    store = write_activations(Plain(), images(5), tmp_path / "looked", shard_images=2, foreground=ground)
    for number in range(5):
        assert store.foreground(number).tolist() == ground(picture(number), store.grids[number]).tolist()
    with pytest.raises(RecordError, match="nobody looked"):
        write_activations(Plain(), images(5), tmp_path / "plain").foreground(0)
    with pytest.raises(InputError, match="other settings"):
        write_activations(Plain(), images(5), tmp_path / "looked", shard_images=2)
