"""A small collection whose traits are known: two species, one banded brown, the other plain yellow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from pipelines.traits.finding import Settings
from tests.traits.describing.drawn import GROUND, Image, Scene, bands, painted

FINDING = Settings(steps=40, expansion=2, k=4, licence="CC0 1.0")
SMALL = replace(FINDING, steps=20, expansion=1, k=1)
"""With which few regions are found, quickly."""
EACH = 6
FEW_WORDS = """\
dictionary: few
version: 1
characters:
  brightness: {kind: categorical, states: {dark: , medium: , light: }}
  relative_area: {kind: continuous, unit: "1"}
"""
"""A dictionary with which describing is quick."""


def wider(scene: Scene, seed: int) -> Image:
    """The picture with more ground around the organism, as pictures of specimens have."""
    picture = cv2.copyMakeBorder(scene.image, 60, 60, 80, 80, cv2.BORDER_CONSTANT, value=GROUND)
    noise = 2 * np.random.default_rng(seed).standard_normal(picture.shape)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


def draw(folder: Path, each: int = EACH) -> Path:
    """Draw it, so many images of each species; the same bytes each time."""
    for number in range(each):
        angle = 12.0 * number
        for name, scene in (
            ("Genus_fasciata", painted((150, 96, 60), bands(40, angle), angle=angle, noise=3, seed=number)),
            ("Genus_lutea", painted((240, 200, 60), angle=angle, noise=3, seed=number)),
        ):
            (folder / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / name / f"{number}.png"), wider(scene, number)[..., ::-1])
    return folder
