"""What the gallery draws is what the regions say, and what was asked for is what is found."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.traits.finding import Settings, find_traits
from pipelines.traits.finding.looking import read_regions
from pipelines.traits.finding.looks import read_look


@pytest.mark.slow
def test_the_red_line_is_the_region_that_was_written_down_and_a_rank_nobody_bears_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for number in range(8):
        folder = tmp_path / "images" / f"Genus_species{'ab'[number % 2]}"
        folder.mkdir(parents=True, exist_ok=True)
        image = rng.integers(180, 220, (96, 128, 3)).astype(np.uint8)
        cv2.circle(image, tuple(int(place) for place in rng.integers(30, 60, 2)), 18, (20, 90 * (number % 2), 40), -1)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    find_traits(tmp_path / "images", tmp_path / "out", Settings(steps=40, expansion=2, k=4), workers=1)
    regions = {(line["latent"], line["image"]): line for line in read_regions(tmp_path / "out" / "regions")}
    patch = 128 / 28  # nearly: patches of an image wider than high are as many along it
    beyond = []
    for path in sorted((tmp_path / "out" / "regions" / "looks").glob("*.json")):
        look = read_look(tmp_path / "out" / "regions", int(path.stem))
        for shot in (*look.shots, *(each for shots in look.of_taxa.values() for each in shots)):
            line = regions.get((look.latent, shot.id))
            if line is None:
                continue
            points = np.array(re.findall(r"([\d.]+) ([\d.]+)", shot.outline), float)
            drawn = np.array([*points.min(axis=0), *points.max(axis=0)])
            beyond.append((drawn - line["box"]) * (-1, -1, 1, 1) / patch)
    assert len(beyond) >= 6
    assert np.abs(beyond).max() < 0.6
    # The strongest patches reach four times the threshold, so the line, which is smooth, runs outside their squares; at
    # half of the strongest it would run along them (0.05 inside, on average).
    assert np.mean(beyond) > 0.1

    family = find_traits(tmp_path / "images", tmp_path / "out", Settings(rank="family"), workers=1, again=True)
    assert not family.lines
    assert "the images bear no names of the rank family" in family.notes[0]
