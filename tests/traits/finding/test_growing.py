"""Images are added: no latent is renumbered, nothing that was done is done again, and a kill changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.traits.finding import Settings, find_traits, learning, looking, stored_codes
from pipelines.traits.finding.growing import EARLIER
from pipelines.traits.sae import training
from protocols.errors import InputError
from tests.traits.killing import contents

SETTINGS = Settings(steps=12, expansion=2, k=4)
SHARD = 4


def draw(folder: Path, numbers: range) -> None:
    for number in numbers:
        rng = np.random.default_rng(number)
        place = folder / f"Genus_species{'ab'[number % 2]}"
        place.mkdir(parents=True, exist_ok=True)
        image = rng.integers(190, 210, (64, 80, 3)).astype(np.uint8)
        cv2.circle(image, (30 + number, 34), 12, (20, 90 * (number % 2), 40), -1)
        cv2.imwrite(str(place / f"{30 - number:02d}.png"), image)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of four images."""
    for module in (learning, looking, stored_codes):
        monkeypatch.setattr(module, "SHARD_IMAGES", SHARD)


def ids(out: Path) -> list[str]:
    return [json.loads(line)["id"] for line in (out / "scan" / "specimens.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_images_are_added(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    images, out = tmp_path / "images", tmp_path / "out"
    draw(images, range(10))
    find_traits(images, out, SETTINGS, workers=1)
    before, first = contents(out), ids(out)
    draw(images, range(10, 15))
    with pytest.raises(InputError, match="--add if images were added"):
        find_traits(images, out, workers=1)
    shutil.copytree(out, tmp_path / "copy")

    def trained(*_: object) -> None:
        raise AssertionError("nothing is trained")

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "advance", trained)
        found = find_traits(images, out, add=True, workers=1)
        assert found.images == 15
        after = contents(out)
        assert ids(out)[:10] == first, "the images of before come first, though the new ones' names go before theirs"
        kept = {name for name in before if after.get(name) == before[name]}
        assert {name for name in before if name.startswith("sae/")} <= kept
        whole = {f"features/{number:06d}.{kind}" for number in (0, 1) for kind in ("bin", "json")}
        assert whole | {f"codes/codes-{number:06d}.safetensors" for number in (0, 1)} <= kept
        assert "features/000002.bin" not in kept
        times = {path: path.stat().st_mtime_ns for path in out.rglob("*.bin")}
        find_traits(images, out, workers=1)
        assert contents(out) == after
        assert {path: path.stat().st_mtime_ns for path in out.rglob("*.bin")} == times

        copy = tmp_path / "copy"  # the same, interrupted in each stage that keeps something
        for stage in ("scan", "features", "codes"):

            def interrupted(*_: object, **__: object) -> None:
                raise KeyboardInterrupt

            name = {"scan": "save_scan", "features": "write_activations", "codes": "write_codes"}[stage]
            with monkeypatch.context() as once:
                once.setattr(learning, name, interrupted)
                with pytest.raises(KeyboardInterrupt):
                    find_traits(images, copy, add=True, workers=1)
        find_traits(images, copy, workers=1)
        assert contents(copy) == after

    next(images.rglob("*.png")).unlink()
    with pytest.raises(InputError, match="images of before are not among the usable ones"):
        find_traits(images, out, add=True, workers=1)
    assert find_traits(images, out, again=True, workers=1).images == 14
    assert not (out / EARLIER).exists()
    fresh = tmp_path / "fresh"
    find_traits(images, fresh, SETTINGS, workers=1)
    assert ids(out) == ids(fresh)
    assert contents(out) == contents(fresh)
