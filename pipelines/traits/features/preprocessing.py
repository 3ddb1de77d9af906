"""Pixels for a backbone: resized, cut or padded, scaled and normalised as its own configuration says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipelines.traits.features.backbone import Prepared
from pipelines.traits.features.framing import CentreCrop, Framing, Plan, Stretch
from pipelines.traits.grids import Grid
from protocols.errors import InputError

_MOST_UNSEEN = 8
"""Of a very long image, of which a crop sees a small part, only that part is resized: memory stays bounded."""

_MEND = "Take the file from where the checkpoint came from, and put it beside the weights"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From an image to normalised pixels.

    Attributes:
        framing: what of the image is seen, and at which size.
        patch: edge of a patch, pixels.
        mean, std: of the channels red, green, blue, after scaling.
        scale: what a channel of 0 to 255 is multiplied by.
        resample: Pillow's number of the filter (0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming).
    """

    framing: Framing
    patch: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = 1 / 255
    resample: int = Image.Resampling.BICUBIC

    @property
    def identity(self) -> str:
        """Name of the framing, and the first 8 hexadecimal digits of the SHA-256 over everything."""
        plain = asdict(self) | {"framing": {type(self.framing).__name__: asdict(self.framing)}}
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:8]
        return f"{type(self.framing).__name__.lower()}-{digest}"

    def framed(self, framing: Framing | None) -> Preprocessing:
        """The same with another framing; itself for ``None``."""
        return self if framing is None else replace(self, framing=framing)

    def grid(self, height: int, width: int) -> Grid:
        """Where the patches of an image of this size lie."""
        return self.framing.plan(height, width, self.patch).grid(height, width, self.patch)

    def pixels(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Normalised pixels, (height, width, 3).

        Args:
            image: (height, width, 3) RGB, upright.
        """
        height, width = image.shape[:2]
        plan = self.framing.plan(height, width, self.patch)
        top, left = max(plan.top, 0), max(plan.left, 0)
        bottom = min(plan.top + plan.seen[0], plan.resized[0])
        right = min(plan.left + plan.seen[1], plan.resized[1])
        seen = self._resized(image, plan, (left, top, right, bottom))
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        seen *= np.float32(self.scale) / std
        seen -= mean / std
        if seen.shape[:2] == plan.seen:
            return seen
        whole = np.zeros((*plan.seen, 3), np.float32)
        whole[top - plan.top : bottom - plan.top, left - plan.left : right - plan.left] = seen
        return whole

    def _resized(self, image: NDArray[np.uint8], plan: Plan, box: tuple[int, int, int, int]) -> NDArray[np.float32]:
        """The pixels of a box (left, top, right, bottom) of the resized image."""
        left, top, right, bottom = box
        resample = Image.Resampling(self.resample)
        picture = Image.fromarray(image)
        if plan.resized[0] * plan.resized[1] <= _MOST_UNSEEN * plan.seen[0] * plan.seen[1]:
            # Pillow rounds between its two passes, so to be the same as others everything is resized, then cut.
            whole = picture.resize((plan.resized[1], plan.resized[0]), resample)
            return np.asarray(whole, dtype=np.float32)[top:bottom, left:right]
        down, across = image.shape[0] / plan.resized[0], image.shape[1] / plan.resized[1]
        source = (left * across, top * down, right * across, bottom * down)
        return np.asarray(picture.resize((right - left, bottom - top), resample, box=source), dtype=np.float32)

    def prepare(self, image: NDArray[np.uint8]) -> Prepared:
        """Pixels as a tensor (3, height, width) float32, with the grid."""
        pixels = np.ascontiguousarray(self.pixels(image).transpose(2, 0, 1))
        return Prepared(torch.from_numpy(pixels), self.grid(*image.shape[:2]))


def read_preprocessing(folder: Path, patch: int) -> Preprocessing:
    """The preprocessing that a checkpoint's ``preprocessor_config.json`` (or ``processor_config.json``) asks for.

    Args:
        folder: of the checkpoint.
        patch: edge of a patch, pixels.

    Raises:
        InputError: there is no such file, or it cannot be used.
    """
    for name in ("preprocessor_config.json", "processor_config.json"):
        path = folder / name
        if path.exists():
            found = read_json(path)
            return _parse(found.get("image_processor", found), patch, path)
    raise InputError("the checkpoint does not say how to prepare images", where=str(path.parent), mend=_MEND)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a checkpoint.

    Raises:
        InputError: it cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot be read as JSON ({error})", where=str(path), mend=_MEND) from None
    return found


def _parse(config: Mapping[str, Any], patch: int, path: Path) -> Preprocessing:
    try:
        plain = config.get("do_normalize", True)
        return Preprocessing(
            framing=_framing(config),
            patch=patch,
            mean=_channels(config["image_mean"]) if plain else (0.0, 0.0, 0.0),
            std=_channels(config["image_std"]) if plain else (1.0, 1.0, 1.0),
            scale=float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
            resample=int(Image.Resampling(config.get("resample", Image.Resampling.BILINEAR))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"does not say how to prepare images ({error!r})", where=str(path), mend=_MEND) from None


def _channels(values: Any) -> tuple[float, ...]:
    found = tuple(float(value) for value in values)
    if len(found) != 3:
        raise ValueError(f"{len(found)} channels instead of 3")
    return found


def _framing(config: Mapping[str, Any]) -> Framing:
    size = config["size"]
    shortest = size if isinstance(size, int) else size.get("shortest_edge")
    if config.get("do_center_crop", False):
        crop = config["crop_size"]
        height, width = (crop, crop) if isinstance(crop, int) else (int(crop["height"]), int(crop["width"]))
        if shortest is None:
            raise ValueError("a centre crop without a shortest edge")
        return CentreCrop(int(shortest), height, width)
    if isinstance(size, int):
        return Stretch(size, size)
    if shortest is not None:
        return CentreCrop(int(shortest), int(shortest), int(shortest))
    return Stretch(int(size["height"]), int(size["width"]))
