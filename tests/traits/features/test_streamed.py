"""Training straight from images."""

from __future__ import annotations

import itertools

import pytest
import torch

from pipelines.traits.features import Streamed
from protocols.errors import InputError
from tests.traits.features.plain import Plain, images, picture


def _everything(count: int) -> list[tuple[float, ...]]:
    backbone = Plain()
    found = [backbone.encode(backbone.prepare(picture(number)).pixels[None])[0] for number in range(count)]
    return sorted(map(tuple, torch.cat(found).tolist()))


@pytest.mark.parametrize("window", [1, 4, 100])
def test_an_epoch_has_every_row_once_and_starts_anywhere(window: int) -> None:
    source = Streamed(Plain(), images(10), window_images=window)
    steps = -(-source.rows // 9)
    stream = list(itertools.islice(source.batches(9, 1), 3 * steps))
    assert all(batch.shape == (9, 6) for batch in stream)
    assert sorted(map(tuple, torch.cat(stream)[: source.rows].tolist())) == _everything(10)
    for start in (1, steps - 1, 2 * steps + 3):
        later = list(itertools.islice(source.batches(9, 1, start), 4))
        for ours, theirs in zip(later, stream[start:], strict=False):
            assert torch.equal(ours, theirs)
    assert not torch.equal(next(source.batches(9, 2)), stream[0])


def test_starting_late_encodes_no_more_than_one_window_for_nothing() -> None:
    backbone = Plain()
    source = Streamed(backbone, images(30), window_images=5)
    next(source.batches(4, 0, start=10 * source.rows // 4 + 50))
    assert backbone.encoded <= 10


def test_a_picture_of_another_size_than_its_specimen_is_refused() -> None:
    (first, _), (second, read) = images(2)
    source = Streamed(Plain(), [(first, read), (second, read)])
    with pytest.raises(InputError, match=r"bees/0\.png: the image is not the 40 x 20 pixels"):
        next(source.batches(4, 0))


def test_no_images_is_said_at_once() -> None:
    with pytest.raises(InputError, match="no batches"):
        Streamed(Plain(), []).batches(4, 0)
