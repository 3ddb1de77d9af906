"""Do latents find the parts of an organism: measures over patches and over pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.grids import Grid
from pipelines.traits.measures.ranking import Floats, Truths, average_precisions

SHARE = 0.1
"""Share of a patch that a part must cover for the patch to show it: low, since antennae are thinner than patches."""


def shown(mask: Truths, grid: Grid, *, share: float = SHARE) -> Truths:
    """Which patches (patches,) of a grid show a part, given its mask (H, W) in the original image.

    A patch shows a part that covers at least ``share`` of it. What of a patch lies outside the image shows nothing.
    """
    high, wide = mask.shape
    total = cv2.integral(mask.astype(np.uint8)).astype(np.int64)
    rows = grid.top + np.arange(grid.rows + 1) * (grid.height / grid.rows)
    columns = grid.left + np.arange(grid.columns + 1) * (grid.width / grid.columns)
    y = np.clip(np.round(rows), 0, high).astype(int)
    x = np.clip(np.round(columns), 0, wide).astype(int)
    inside = np.diff(np.diff(total[y[:, None], x[None, :]], axis=0), axis=1)
    area = (grid.height / grid.rows) * (grid.width / grid.columns)
    return np.asarray(inside >= share * area).ravel()


@dataclass(frozen=True)
class PartScores:
    """What the best latent of each part reaches on data it wasn't chosen on.

    Attributes:
        latents: (parts,) the latent chosen for each part, -1 where the choosing data show none.
        precisions: (parts,) average precision on the held-out data; NaN where these show none.
        chance: (parts,) share of the held-out patches that show the part: what a random ranking reaches.
    """

    latents: NDArray[np.int64]
    precisions: Floats
    chance: Floats

    @property
    def mean(self) -> float:
        """Mean over the parts that both halves show; NaN where there is none."""
        known = self.precisions[~np.isnan(self.precisions)]
        return float(known.mean()) if len(known) else float("nan")


def part_map(
    choosing: Codes, choosing_truth: Truths, held_out: Codes, held_out_truth: Truths, latents: int
) -> PartScores:
    """Latent-to-part mean average precision: the best latent of each part is chosen on one half, scored on the other.

    Args:
        choosing, held_out: codes of the patches of two disjoint sets of images.
        choosing_truth, held_out_truth: (patches, parts), which patch shows which part.
        latents: how many there are.

    Source: part mAP of arXiv 2511.17735, there with the choice and the score on the same data; the held-out half is
    ours, since the best of thousands of latents is good by chance.
    """
    table = average_precisions(choosing, choosing_truth, latents)
    known = choosing_truth.any(axis=0)
    best = np.where(known, np.argmax(np.nan_to_num(table, nan=-1.0), axis=0), -1)
    asked = np.isin(held_out.latents, best)
    chosen = Codes(held_out.rows[asked], held_out.latents[asked], held_out.values[asked])
    scores = average_precisions(chosen, held_out_truth, latents)
    reached = np.where(known, scores[best, np.arange(len(best))], np.nan)
    return PartScores(best, reached, held_out_truth.mean(axis=0))


def coverage_at(precisions: Floats, threshold: float = 0.3) -> float:
    """Share of the parts (those not NaN) for which some latent reaches an average precision of ``threshold``.

    Source: Coverage@0.3 of arXiv 2511.17735.
    """
    known = precisions[~np.isnan(precisions)]
    return float(np.mean(known >= threshold)) if len(known) else float("nan")


def purity_at(codes: Codes, truth: Truths, latents: int, *, k: int = 16) -> Floats:
    """Share (latents, labels) of each latent's ``k`` strongest rows that bear each label.

    A latent that fires in fewer than ``k`` rows is divided by ``k`` all the same. Purity@16 of a latent is the maximum
    over labels. Of equal activations the earlier row comes first.

    Args:
        codes: over ``n`` rows (patches or images), at most one activation for a row and a latent.
        truth: (n, labels): part shown, trait state, taxon.
        latents: how many there are.
        k: how many rows are looked at.
    """
    order = np.lexsort((codes.rows, -codes.values, codes.latents))
    latent, row = codes.latents[order], codes.rows[order]
    start = np.append(True, latent[1:] != latent[:-1])[: len(latent)]
    begin = np.maximum.accumulate(np.where(start, np.arange(len(latent)), 0)) if len(latent) else np.zeros(0, int)
    top = np.arange(len(latent)) - begin < k
    table = np.zeros((latents, truth.shape[1]))
    np.add.at(table, latent[top], truth[row[top]].astype(np.float64))
    return table / k


def one_hot(labels: Sequence[str]) -> tuple[list[str], Truths]:
    """The distinct labels in order, and which row bears which (n, labels)."""
    names, index = np.unique(np.asarray(labels), return_inverse=True)
    return [str(name) for name in names], np.asarray(index[:, None] == np.arange(len(names)))


def region_iou(region: Truths, part: Truths) -> float:
    """Pixels in both masks (H, W) as a share of pixels in either; 0 where both are empty.

    Source: P. Jaccard, 1912.

    Raises:
        ValueError: when the masks are of different sizes.
    """
    if region.shape != part.shape:
        raise ValueError(f"masks of {region.shape} and {part.shape} can't be compared")
    either = int(np.count_nonzero(region | part))
    return int(np.count_nonzero(region & part)) / either if either else 0.0


def best_match(regions: Mapping[int, Truths] | Sequence[Truths], parts: Mapping[str, Truths]) -> dict[str, float]:
    """For each part of an image the intersection over union of the region that matches it best; 0 without regions."""
    masks = list(regions.values()) if isinstance(regions, Mapping) else list(regions)
    return {name: max((region_iou(mask, part) for mask in masks), default=0.0) for name, part in parts.items()}
