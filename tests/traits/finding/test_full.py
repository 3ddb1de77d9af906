"""A disk that fills up while any of the stages is at work: one sentence, nothing half written, and it goes on."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import cv2
import numpy as np
import pytest

from console.cli.exits import ExitCode
from console.cli.failures import explain
from pipelines.traits.finding import Settings, find_traits
from pipelines.traits.finding.progress import STAGES, Event
from pipelines.traits.finding.room import told_if_full
from protocols.errors import InputError, RecordError

SETTINGS = Settings(steps=4, expansion=2, k=4)
_, HARD = resource.getrlimit(resource.RLIMIT_FSIZE)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    for number in range(6):
        folder = tmp_path / "images" / f"Genus_species{'ab'[number % 2]}"
        folder.mkdir(parents=True, exist_ok=True)
        image = rng.integers(190, 210, (64, 80, 3)).astype(np.uint8)
        cv2.circle(image, (30 + number, 34), 12, (20, 90 * (number % 2), 40), -1)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    return tmp_path / "images"


@pytest.mark.slow
def test_every_stage_says_a_full_disk_alike_and_goes_on_once_there_is_room(images: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    find_traits(images, whole, SETTINGS)
    for stage in STAGES:

        def fills_up(event: Event, stage: str = stage) -> None:
            if event.stage == stage and event.state == "begun":
                resource.setrlimit(resource.RLIMIT_FSIZE, (600, HARD))  # enough for the record of a stage begun

        try:
            with pytest.raises(OSError, match="may not grow") as caught:
                find_traits(images, out, SETTINGS, report=fills_up)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (HARD, HARD))
        failure = explain(caught.value)
        assert (caught.value.errno, failure.code) == (errno.EFBIG, ExitCode.SYSTEM)
        assert failure.where.startswith(str(out))
        assert "Make room" in failure.mend
        assert (out / stage).is_dir()
        assert not [path for path in (out / stage).rglob("*") if path.name.startswith(".") or path.suffix == ".part"]
    find_traits(images, out, SETTINGS)
    left, wanted = ({path.relative_to(of) for path in of.rglob("*")} for of in (out, whole))
    assert left == wanted
    for stage in STAGES:
        assert (out / stage / "stage.json").read_bytes() == (whole / stage / "stage.json").read_bytes()


@pytest.mark.parametrize("kind", [InputError, RecordError])
def test_only_what_comes_from_a_full_disk_is_told_as_one(kind: type[InputError] | type[RecordError]) -> None:
    def written(number: int) -> None:
        try:
            raise OSError(number, "refused")
        except OSError:
            raise kind("cannot be written", where="there") from None

    with pytest.raises(OSError, match="disk is full") as caught, told_if_full(Path("out")):
        written(errno.ENOSPC)
    assert caught.value.filename == "there"
    with pytest.raises(kind, match="cannot be written"), told_if_full(Path("out")):
        written(errno.EACCES)
    with pytest.raises(OSError, match="disk is full") as caught, told_if_full(Path("out")):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == "out"
