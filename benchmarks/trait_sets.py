"""Images whose right answer is known, as activations of patches beside the truth about each patch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.collections import open_image, read_collection
from pipelines.traits.features import Activations, Backbone, write_activations
from pipelines.traits.grids import Grid
from pipelines.traits.measures import shown
from pipelines.traits.organisms import TRAITS, draw_collection, load_ground_truth
from pipelines.traits.specimens import Specimen

Bools = NDArray[np.bool_]
NEAR = 6.0
"""Pixels from a landmark within which a patch of a fly's picture shows it; a patch is 6.9 wide, a fly 130 long."""


@dataclass
class PatchSet:
    """Activations of the patches of some images, and the truth about them.

    Attributes:
        name: what the table calls it, and the folder of its autoencoders.
        specimens: one an image, in order.
        activations: (n, d) float32.
        image: (n,) which image a patch is of.
        grids: of each image.
        parts: names of parts; ``truth`` (n, parts) tells which patch shows which.
        masks: of an image, the mask (H, W) of each part that it shows; ``None`` where the truth is points.
        folds: (images,) each: which images choose; the others are held out.
        states: ``trait=state``; ``state_truth`` (images, states) tells which image is in which. Empty without traits.
        kinds: (images,) what each image shows.
    """

    name: str
    specimens: list[Specimen]
    activations: NDArray[np.float32]
    image: NDArray[np.int64]
    grids: Sequence[Grid]
    parts: list[str]
    truth: Bools
    masks: Callable[[int], Mapping[str, Bools]] | None
    folds: list[Bools]
    states: list[str]
    state_truth: Bools
    kinds: list[str]

    def rows_of(self, images: Bools) -> Bools:
        """Which patches (n,) are of these images."""
        return np.asarray(images[self.image])

    @cached_property
    def sizes(self) -> list[float]:
        """Share of the patches of a picture in which each part is seen, mean over the pictures that show it."""
        counts = np.add.reduceat(self.truth.astype(np.int64), self.first[:-1], axis=0)
        shares = counts / np.diff(self.first)[:, None]
        shown_in = np.maximum((counts > 0).sum(axis=0), 1)
        return [float(share) for share in shares.sum(axis=0) / shown_in]

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Where each image's patches begin, and where the last one's end."""
        return np.searchsorted(self.image, np.arange(len(self.specimens) + 1))


def part_of(codes: Codes, kept: Bools) -> Codes:
    """Codes of some of the rows, numbered anew."""
    number = np.cumsum(kept) - 1
    mine = kept[codes.rows]
    return Codes(number[codes.rows[mine]], codes.latents[mine], codes.values[mine])


def _encoded(backbone: Backbone, root: Path, specimens: list[Specimen], folder: Path) -> Activations:
    def images() -> Iterator[tuple[Specimen, NDArray[np.uint8]]]:
        for specimen in specimens:
            yield specimen, open_image(root, specimen)

    return write_activations(backbone, images(), folder, dtype="float16", shard_images=64)


def _stacked(store: Activations) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    blocks = [store.patches(place) for place in range(len(store.ids))]
    return np.concatenate(blocks), np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])


def drawn(
    backbone: Backbone, folder: Path, *, images: int, seed: int, kinds: tuple[str, ...], size: int, name: str = "drawn"
) -> PatchSet:
    """Drawn organisms; within each species every second image chooses, and the others are held out."""
    root = folder / name
    draw_collection(root, images=images, seed=seed, kinds=kinds, size=size)
    truths = {truth.sha256[:32]: truth for truth in load_ground_truth(root)}
    specimens = sorted(read_collection(root, workers=1).specimens, key=lambda one: one.source.rsplit("/", 1)[-1])
    about = [truths[specimen.id] for specimen in specimens]
    store = _encoded(backbone, root, specimens, folder / f"{name}-activations")
    activations, image = _stacked(store)
    parts = sorted({f"{truth.kind} {part}" for truth in about for part in truth.parts})
    column = {name: place for place, name in enumerate(parts)}
    truth = np.zeros((len(image), len(parts)), bool)
    begin = np.searchsorted(image, np.arange(len(about) + 1))
    for place, (one, grid) in enumerate(zip(about, store.grids, strict=True)):
        for part, mask in one.parts.items():
            truth[begin[place] : begin[place + 1], column[f"{one.kind} {part}"]] = shown(mask.pixels(), grid)
    turn: dict[str, int] = {}
    choosing = np.zeros(len(about), bool)
    for place, one in enumerate(about):
        species = one.taxon["species"]
        turn[species] = turn.get(species, 0) + 1
        choosing[place] = turn[species] % 2 == 1
    names, table = _states([(one.kind, one.states) for one in about], choosing)

    def masks(place: int) -> dict[str, Bools]:
        return {f"{about[place].kind} {part}": mask.pixels() for part, mask in about[place].parts.items()}

    kinds_of = [one.kind for one in about]
    return PatchSet(
        name, specimens, activations, image, store.grids, parts, truth, masks, [choosing], names, table, kinds_of
    )


def _named(kind: str, states: Mapping[str, str]) -> set[str]:
    return {f"{kind} {trait}={state}" for trait, state in states.items()}


def _states(about: list[tuple[str, Mapping[str, str]]], choosing: Bools) -> tuple[list[str], Bools]:
    """States with at least three images in each half; that something is absent is not asked for."""
    found = sorted({state for kind, states in about for state in _named(kind, states)})
    plain = {f"{kind} {name}={trait.states[0]}" for kind, traits in TRAITS.items() for name, trait in traits.items()
             if trait.states[0] in ("absent", "smooth", "plain")}  # fmt: skip
    plain.add("leaf lesions=absent")
    names, columns = [], []
    for state in found:
        mine = np.array([state in _named(kind, states) for kind, states in about])
        if state not in plain and min(mine[choosing].sum(), mine[~choosing].sum()) >= 3:
            names.append(state)
            columns.append(mine)
    return names, np.array(columns, bool).reshape(len(names), len(about)).T


def flies(backbone: Backbone, root: Path, folder: Path) -> PatchSet:
    """Pictures of flies with 32 body points each, left and right of a pair taken together; halves change places."""
    points = json.loads((root / "keypoints.json").read_text(encoding="utf-8"))["keypoints"]
    rows = [line.split(",") for line in (root / "skeleton.csv").read_text(encoding="utf-8").split()[1:]]
    merged = [_unpaired(name) for name, *_ in rows]
    parts = sorted(set(merged))
    specimens = read_collection(root, workers=1).specimens
    specimens = sorted(specimens, key=lambda one: one.source)
    store = _encoded(backbone, root, specimens, folder / "fly-activations")
    activations, image = _stacked(store)
    truth = np.zeros((len(image), len(parts)), bool)
    begin = np.searchsorted(image, np.arange(len(specimens) + 1))
    for place, (specimen, grid) in enumerate(zip(specimens, store.grids, strict=True)):
        boxes = np.array([grid.box(patch) for patch in range(grid.patches)])
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        for name, point in zip(merged, points[Path(specimen.source).name], strict=True):
            near = np.linalg.norm(middle - np.asarray(point), axis=1) <= NEAR
            truth[begin[place] : begin[place + 1], parts.index(name)] |= near
    half = np.arange(len(specimens)) % 2 == 0
    return PatchSet("flies", specimens, activations, image, store.grids, parts, truth, None, [half, ~half],
                    [], np.zeros((len(specimens), 0), bool), ["fly"] * len(specimens))  # fmt: skip


def _unpaired(name: str) -> str:
    """``midlegR2`` becomes ``midleg2``: a latent can't know left from right in a picture that may be turned."""
    return name.replace("R", "", 1) if "R" in name else name.replace("L", "", 1)


STRUCTURES = {1: "structure 1", 2: "structure 2", 3: "structure 3"}
"""Values in the masks of the ovary; their source names them no further."""


def ovaries(backbone: Backbone, root: Path, folder: Path) -> PatchSet:
    """Ovary slices with masks of three structures; each slice in turn is held out."""
    scan = read_collection(root, workers=1).specimens
    specimens = sorted((one for one in scan if one.source.endswith(".jpg")), key=lambda one: one.source)
    store = _encoded(backbone, root, specimens, folder / "ovary-activations")
    activations, image = _stacked(store)
    drawn_masks = []
    for specimen in specimens:
        path = root / f"{Path(specimen.source).stem}_structures.png"
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert labels is not None
        drawn_masks.append({name: labels == value for value, name in STRUCTURES.items()})
    parts = list(STRUCTURES.values())
    truth = np.concatenate(
        [
            np.column_stack([shown(masks[part], grid, share=0.5) for part in parts])
            for masks, grid in zip(drawn_masks, store.grids, strict=True)
        ]
    )
    folds = [np.arange(len(specimens)) != place for place in range(len(specimens))]
    return PatchSet("ovary", specimens, activations, image, store.grids, parts, truth, drawn_masks.__getitem__, folds,
                    [], np.zeros((len(specimens), 0), bool), ["ovary"] * len(specimens))  # fmt: skip
