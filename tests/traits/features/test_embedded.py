"""The embedded backbone."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipelines.traits.features import Backbone, load_backbone
from pipelines.traits.features.embedded import Embedded
from pipelines.traits.features.framing import CentreCrop, Letterbox
from protocols.errors import InputError

Picture = NDArray[np.uint8]


def _beetle(seed: int, size: int = 300) -> tuple[Picture, NDArray[np.int64]]:
    """A round body with one thin horn, turned anyhow, somewhere, on a ground of any shade; and what each pixel is."""
    rng = np.random.default_rng(seed)
    image = np.full((size, size, 3), rng.integers(190, 250), np.uint8)
    what = np.zeros((size, size), np.uint8)
    middle = rng.integers(120, 180, 2)
    angle = rng.uniform(0, 2 * np.pi)
    tip = middle + np.round(100 * np.array([np.cos(angle), np.sin(angle)])).astype(int)
    shade = int(rng.integers(20, 90))
    for plane, body, horn in ((image, (shade, shade, shade), (shade, shade, shade)), (what, 1, 2)):
        cv2.line(plane, middle.tolist(), tip.tolist(), horn, 9)
        cv2.circle(plane, middle.tolist(), 45, body, -1)
    noise = rng.normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), what.astype(np.int64)


def _encode(backbone: Backbone, image: Picture) -> torch.Tensor:
    return backbone.encode(backbone.prepare(image).pixels[None])[0]


def _kinds(backbone: Backbone, what: NDArray[np.int64]) -> NDArray[np.int64]:
    """What fills the middle of each patch."""
    grid = backbone.grid(*what.shape)
    boxes = [grid.box(patch) for patch in range(grid.patches)]
    return np.array([what[int((top + bottom) / 2), int((left + right) / 2)] for left, top, right, bottom in boxes])


def test_patches_of_a_part_are_known_again_in_other_pictures_by_their_nearest_neighbour() -> None:
    backbone = load_backbone("embedded")
    found = [(_encode(backbone, image), _kinds(backbone, what)) for image, what in map(_beetle, range(8))]
    known, kinds = torch.cat([one for one, _ in found[:5]]), np.concatenate([kind for _, kind in found[:5]])
    asked, truth = torch.cat([one for one, _ in found[5:]]), np.concatenate([kind for _, kind in found[5:]])
    guess = kinds[torch.cdist(asked, known).argmin(dim=1).numpy()]
    for kind, least in ((0, 0.97), (1, 0.9), (2, 0.6)):  # ground, body, horn; chance for the horn is 0.01
        assert (guess[truth == kind] == kind).mean() > least, kind


def test_turning_or_mirroring_the_picture_turns_the_patches_and_little_else() -> None:
    """Position, pose and side are left out. Edges between pixels fall a little differently."""
    backbone = load_backbone("embedded")
    image, _ = _beetle(3, 448)
    plain = _encode(backbone, image).reshape(28, 28, -1)
    spread = float((plain - plain.mean((0, 1))).norm(dim=-1).mean())
    for turned, back in (
        (image[:, ::-1], lambda found: found.flip(1)),
        (image[::-1], lambda found: found.flip(0)),
        (np.rot90(image), lambda found: found.rot90(-1, (0, 1))),
    ):
        other: torch.Tensor = back(_encode(backbone, np.ascontiguousarray(turned)).reshape(28, 28, -1))
        assert float((other - plain).norm(dim=-1).mean()) < 0.05 * spread


def test_the_same_picture_gives_the_same_bytes_alone_or_with_others_and_by_any_number_of_threads() -> None:
    several = [_beetle(seed)[0] for seed in range(3)]
    one, two = Embedded(workers=1), Embedded(workers=3)
    batch = torch.stack([one.prepare(image).pixels for image in several])
    expected = one.encode(batch)
    assert expected.shape == (3, 784, one.dimensions)
    assert expected.dtype == torch.float32
    assert torch.equal(two.encode(batch), expected)
    assert torch.equal(one.encode(batch[1:2])[0], expected[1])
    assert one.identity == two.identity == load_backbone("embedded").identity


def test_a_bright_square_changes_the_patches_that_lie_over_it_most() -> None:
    for framing in (None, Letterbox(448, 448), CentreCrop(480, 448, 448)):
        backbone = load_backbone("embedded", framing=framing)
        image = np.full((301, 407, 3), 60, np.uint8)
        other = image.copy()
        other[100:140, 200:240] = (250, 240, 40)
        change = (_encode(backbone, other) - _encode(backbone, image)).norm(dim=1)
        left, top, right, bottom = backbone.grid(301, 407).box(int(change.argmax()))
        assert 198 < (left + right) / 2 < 242
        assert 98 < (top + bottom) / 2 < 142


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3), (333, 1000)])
@pytest.mark.parametrize("fill", ["black", "white", "noise", "edge"])
def test_odd_pictures_give_finite_numbers_of_moderate_size(shape: tuple[int, int], fill: str) -> None:
    backbone = load_backbone("embedded")
    image = np.zeros((*shape, 3), np.uint8)
    if fill == "white":
        image[:] = 255
    elif fill == "noise":
        image[:] = np.random.default_rng(0).integers(0, 256, image.shape)
    elif fill == "edge":
        image[:, shape[1] // 2 :] = 255
    found = _encode(backbone, image)
    assert found.shape == (backbone.grid(*shape).patches, backbone.dimensions)
    assert torch.isfinite(found).all()
    assert float(found.abs().max()) < 3


def test_it_has_no_layers() -> None:
    with pytest.raises(InputError, match="no layers"):
        load_backbone("embedded", layer=-2)


def test_dimensions_are_known_before_any_picture() -> None:
    backbone: Any = load_backbone("embedded")
    assert 128 <= backbone.dimensions <= 384
