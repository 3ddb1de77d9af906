"""A whole drawn collection: a folder per species, the truth about every picture beside them."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from pipelines.traits.organisms.drawing import Drawing, draw
from pipelines.traits.organisms.ground_truth import SETTINGS, Mask, Truth, save_ground_truth, saved_settings
from pipelines.traits.organisms.taxonomy import KINDS, Species, taxonomy
from protocols.errors import InputError, RecordError

DRAWING = 1
"""Goes up whenever the same seed draws other pictures."""
CHUNK = 16
"""Pictures that a process draws at a time."""
FEW = 48
"""Pictures up to which starting more processes isn't worth while."""


@dataclass(frozen=True)
class Settings:
    """What a collection is drawn from; the same settings draw the same bytes.

    Attributes:
        images: how many; picture ``i`` is the same whatever this is.
        seed: of the taxonomy and of every picture.
        kinds: which of insect, fish and leaf.
        size: longer side in pixels.
        nuisance: 0 to 1: pose, ground, light, clutter, sensor.
    """

    images: int
    seed: int = 0
    kinds: tuple[str, ...] = KINDS
    size: int = 512
    nuisance: float = 1.0

    def __post_init__(self) -> None:
        if self.images < 1:
            raise InputError(f"{self.images} images can't be drawn", where="images", mend="Ask for at least 1")
        if self.seed < 0:
            raise InputError(f"seed {self.seed} is negative", where="seed", mend="Give 0 or more")
        if not 64 <= self.size <= 4096:
            raise InputError(f"pictures of {self.size} pixels can't be drawn", where="size", mend="Give 64 to 4096")
        if not 0 <= self.nuisance <= 1:
            raise InputError(f"nuisance {self.nuisance} is out of range", where="nuisance", mend="Give 0 to 1")
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            named = ", ".join(unknown) or "no kind"
            raise InputError(f"{named} can't be drawn", where="kinds", mend=f"Choose from {', '.join(KINDS)}")


def draw_collection(
    folder: Path,
    *,
    images: int,
    seed: int = 0,
    kinds: Sequence[str] = KINDS,
    size: int = 512,
    nuisance: float = 1.0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Truth]:
    """Draw organisms into ``folder``: ``Order_Family_Genus_epithet/000017.jpg`` and ``ground_truth.arrow``.

    Species take turns, so each has as many pictures as any other, give or take one. The ground truth is written last: a
    folder that has it is whole. Drawing again into the same folder with the same settings makes the same bytes.

    Args:
        folder: made if it isn't there; must be empty, or drawn with the same settings before.
        images, seed, kinds, size, nuisance: see :class:`Settings`.
        workers: processes; all processors by default, one for a small collection.
        progress: told how many pictures are done and how many there will be.

    Returns:
        What is true of each picture, as :func:`load_ground_truth` reads it.

    Raises:
        InputError: for settings out of range or a folder that holds something else.
        RecordError: where nothing can be written, as on a full disk; there is no ground truth then.
    """
    settings = Settings(images, seed, tuple(kinds), size, nuisance)
    if workers is None:
        workers = 1 if images <= FEW else os.cpu_count() or 1
    truths: list[Truth] = []
    try:
        _claim(folder, settings)
        for done in _drawn(folder, settings, workers):
            truths += done
            if progress is not None:
                progress(len(truths), images)
        save_ground_truth(truths, folder)
    except OSError as error:
        mend = "Make room or choose another folder; drawing again goes over what is there"
        raise RecordError(
            f"the pictures can't be written ({error.strerror or error})", where=str(folder), mend=mend
        ) from error
    return truths


@cache
def species_of(settings: Settings) -> list[Species]:
    """The species of a collection in the order in which they take turns."""
    every = taxonomy(settings.seed, settings.kinds)
    order = np.random.default_rng([settings.seed, 2]).permutation(len(every))
    return [every[int(place)] for place in order]


def picture(settings: Settings, index: int) -> tuple[Species, Drawing]:
    """Picture ``index`` of a collection and its species, the same however many there are."""
    every = species_of(settings)
    species = every[index % len(every)]
    rng = np.random.default_rng([settings.seed, 3, index])
    return species, draw(species, rng, size=settings.size, nuisance=settings.nuisance)


def _claim(folder: Path, settings: Settings) -> None:
    wanted = json.loads(json.dumps({"drawing": DRAWING, **asdict(settings)}))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and saved_settings(folder) != wanted:
        raise InputError(
            "the folder holds something else",
            where=str(folder),
            mend="Give an empty folder, or the settings it was drawn with",
        )
    half = folder / f".{SETTINGS}.part"
    half.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    os.replace(half, folder / SETTINGS)


def _drawn(folder: Path, settings: Settings, workers: int) -> Iterator[list[Truth]]:
    chunks = [range(start, min(start + CHUNK, settings.images)) for start in range(0, settings.images, CHUNK)]
    if workers <= 1:
        yield from (_draw_chunk(folder, settings, chunk) for chunk in chunks)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_alone) as pool:
        yield from pool.map(_draw_chunk, [folder] * len(chunks), [settings] * len(chunks), chunks)


def _alone() -> None:
    """One thread a process: the processes already take all processors."""
    cv2.setNumThreads(1)


def _draw_chunk(folder: Path, settings: Settings, indices: Sequence[int]) -> list[Truth]:
    return [_save(folder, settings, index) for index in indices]


def _save(folder: Path, settings: Settings, index: int) -> Truth:
    species, drawing = picture(settings, index)
    name = f"{species.folder}/{index:06d}.jpg"
    target = folder / name
    quality = int(np.random.default_rng([settings.seed, 4, index]).integers(84, 96))
    fine, encoded = cv2.imencode(".jpg", drawing.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not fine:
        raise OSError(f"{target}: the picture couldn't be encoded")
    content = encoded.tobytes()
    target.parent.mkdir(exist_ok=True)
    half = target.with_name(f".{target.name}.part")
    half.write_bytes(content)
    os.replace(half, target)
    return Truth(
        file_name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        kind=species.kind,
        ground=drawing.ground,
        taxon=species.taxon.names,
        states=drawing.states,
        parts={part: Mask.of(mask) for part, mask in drawing.parts.items()},
        clutter={thing: Mask.of(mask) for thing, mask in drawing.clutter.items()},
        organism=Mask.of(drawing.organism),
    )
