"""How colours are laid out over a region: plain, in bands or stripes, in spots, or mottled.

The region's rim is left out and a quadratic surface is taken from each channel of CIE L*a*b*, so that the shading of a
rounded body is no pattern. What is left is parted in two along its first principal component (Otsu 1979). Bands and
stripes are told by the coherence of the structure tensor over the whole region (Bigün and Granlund 1987): 1 where
every gradient runs one way, 0 where none is preferred. Spots are told from mottling by how well marks fill their own
ellipses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.describing.cutting import LONG, Cut, Mask, Organism
from pipelines.traits.describing.estimates import Blocks, Estimate, Floats, between, jackknife, judged
from pipelines.traits.describing.fields import LEAST_PIXELS, SMOOTHING, Field, core_of, smoothed

CONTRAST = 12.0
"""Difference in CIE L*a*b* of the two shades below which a region is plain."""
COHERENCE = 0.45
"""Of the structure tensor from which there are bands or stripes."""
COMPACT = 0.86
"""Share of its own ellipse that a spot fills; a solid ellipse fills all of it."""
ACROSS, ALONG = 35.0, 55.0
"""Degrees between the change of shade and the long axis: below the first are bands, above the second stripes."""
OWN_AXIS = 2.0
"""Elongation from which a region without gaps or lobes has a long axis of its own."""
_LEAST_MARK = 0.004
_SAMPLES, _ROUNDS = 2000, 5


@dataclass(frozen=True)
class Pattern:
    """What is measured of a region's pattern.

    Attributes:
        state: ``plain``, ``banded``, ``striped``, ``spotted``, ``mottled``; ``None`` where it cannot be told.
        words: what was seen.
        contrast: between the two shades.
        marks: how many bands, stripes or spots; ``None`` where there are none to count.
        angle: of the stripes to the long axis, degrees, 0 along to 90 across; ``None`` without stripes.
    """

    state: str | None
    words: str
    contrast: Estimate
    marks: Estimate | None = None
    angle: Estimate | None = None


def pattern(cut: Cut, organism: Organism) -> Pattern | None:
    """The pattern of what is inside a region; ``None`` where too little is."""
    core = core_of(cut.inside)
    if np.count_nonzero(core) < LEAST_PIXELS:
        return None
    smooth = smoothed(cut.lab, cut.inside, max(cut.diameter * SMOOTHING, 1.0))
    flat, shade = _parted(smooth, core)
    blocks = Blocks(core)
    marks = shade & core
    contrast = _contrast(blocks, flat[core], shade[core])
    seen = judged(contrast, (CONTRAST,), ("plain", "marked"))
    if seen != "marked":
        words = "one shade" if seen else "one shade or a faint pattern"
        return Pattern(seen, words, contrast)
    tensor = blocks.sums(_tensor(flat, core))
    coherence = jackknife(tensor, _coherence)
    lined = judged(coherence, (COHERENCE,), ("no", "yes"))
    if lined is None:
        return Pattern(None, "marks that may be stripes", contrast)
    return _lines(tensor, marks, core, organism, contrast) if lined == "yes" else _spots(marks, core, contrast)


# -- two shades --------------------------------------------------------------------------------------------


def _parted(lab: Field, core: Mask) -> tuple[Field, Mask]:
    """What is left of the colours without shading, (h, w, 3), and the rarer of the two shades, (h, w)."""
    ys, xs = np.mgrid[-1 : 1 : lab.shape[0] * 1j, -1 : 1 : lab.shape[1] * 1j]
    terms = np.stack([np.ones_like(xs), xs, ys, xs * ys, xs * xs, ys * ys], axis=2).astype(np.float32)
    step = max(int(np.count_nonzero(core)) // _SAMPLES, 1)
    flat = lab - terms @ _shading(terms[core][::step], lab[core][::step])
    _, _, axes = np.linalg.svd(flat[core][:: max(np.count_nonzero(core) // 4000, 1)], full_matrices=False)
    level = flat @ axes[0]
    shade = level > _otsu(level[core])
    return np.asarray(flat, np.float32), shade if 2 * shade[core].mean() <= 1 else ~shade


def _shading(terms: Field, colours: Field) -> Field:
    """Coefficients (6, 3) of a surface through most of the colours; what is far off counts less (Cauchy weights)."""
    weight = np.ones(len(terms), np.float32)
    for _ in range(_ROUNDS):
        weighted = (terms * weight[:, None]).T.astype(np.float64)
        fit = np.linalg.solve(weighted @ terms + 1e-6 * np.eye(6), weighted @ colours).astype(np.float32)
        away = np.linalg.norm(terms @ fit - colours, axis=1)
        weight = 1 / (1 + (away / max(float(np.median(away)), 1.0)) ** 2) ** 2
    return fit


def _otsu(values: NDArray[np.floating]) -> float:
    """The threshold that parts values so that the two parts differ most (Otsu 1979)."""
    counts, edges = np.histogram(values, 64)
    middles = (edges[:-1] + edges[1:]) / 2
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * middles)[:-1]
    above, rest = counts.sum() - below, (counts * middles).sum() - sums
    apart = below * above * (sums / np.maximum(below, 1) - rest / np.maximum(above, 1)) ** 2
    return float(edges[1 + int(apart.argmax())])


def _contrast(blocks: Blocks, flat: Field, shade: NDArray[np.bool_]) -> Estimate:
    sums = blocks.sums(np.concatenate([flat * shade[:, None], flat * ~shade[:, None], shade[:, None]], axis=1))

    def apart(total: Floats) -> Floats:
        many = total[..., 6:7]
        one = total[..., :3] / np.maximum(many, 1)
        other = total[..., 3:6] / np.maximum(total[..., 7:8] - many, 1)
        return np.asarray(np.linalg.norm(one - other, axis=-1))

    return jackknife(sums, apart)


# -- bands and stripes -------------------------------------------------------------------------------------


def _tensor(flat: Field, core: Mask) -> Field:
    """Structure tensor at the core's pixels, summed over channels: xx, xy, yy, (pixels, 3)."""
    down, across = np.gradient(flat, axis=(0, 1))
    inner = np.asarray(cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    down, across = down * inner[..., None], across * inner[..., None]
    parts = [(across * across).sum(axis=2), (across * down).sum(axis=2), (down * down).sum(axis=2)]
    return np.stack([part[core] for part in parts], axis=1)


def _coherence(total: Floats) -> Floats:
    xx, xy, yy = total[..., 0], total[..., 1], total[..., 2]
    return np.asarray(np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-9))


def _lines(tensor: Floats, marks: Mask, core: Mask, organism: Organism, contrast: Estimate) -> Pattern:
    """Bands or stripes, by how they run to the long axis: the region's own where it is long itself."""
    axis, elongation, whose = _long_axis(core, organism)
    turned = math.atan2(axis[1], axis[0])

    def away(total: Floats) -> Floats:
        """Degrees from the long axis to the direction in which shade changes most, 0 to 90."""
        change = np.arctan2(2 * total[..., 1], total[..., 0] - total[..., 2]) / 2
        return np.degrees(np.abs((change - turned + np.pi / 2) % np.pi - np.pi / 2))

    change = jackknife(tensor, away)
    total = tensor.sum(axis=0)
    count = _runs(marks, core, math.atan2(2 * total[1], total[0] - total[2]) / 2)
    number = int(count.value)
    angle = Estimate(90 - change.value, change.sd)
    if elongation < LONG:
        words = f"{number} in line; the organism has no long axis"
        return Pattern(None, words, contrast, count if number else None, None)
    state = judged(change, (ACROSS, ALONG), ("banded", "", "striped")) or None
    kind = {"banded": "band", "striped": "stripe"}.get(state or "", "line")
    words = f"{number} {kind}{'s' if number != 1 else ''}, at {angle.value:.0f}° to {whose} long axis"
    return Pattern(state, words, contrast, count if number else None, angle)


def _long_axis(core: Mask, organism: Organism) -> tuple[tuple[float, float], float, str]:
    """Direction and elongation of the region where it is as long as a part may be, or else of the organism."""
    moments = cv2.moments(core.astype(np.uint8), binaryImage=True)
    area = moments["m00"]
    xx, yy, xy = moments["mu20"] / area + 1 / 12, moments["mu02"] / area + 1 / 12, moments["mu11"] / area
    half, root = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    own = math.sqrt((half + root) / max(half - root, 1e-9))
    if own < OWN_AXIS or _filling(core) < COMPACT:
        return organism.axis, organism.elongation, "the organism's"
    angle = math.atan2(2 * xy, xx - yy) / 2
    return (math.cos(angle), math.sin(angle)), own, "its own"


def _runs(marks: Mask, core: Mask, direction: float) -> Estimate:
    """How often one comes upon marks on the way across stripes; the deviation is by where a stripe is said to begin."""
    ys, xs = np.nonzero(core)
    along = xs * math.cos(direction) + ys * math.sin(direction)
    place = np.rint((along - along.min()) / 2).astype(int)
    share = np.bincount(place, marks[core]) / np.maximum(np.bincount(place), 1)
    covered = [np.r_[False, share > least] for least in (1 / 3, 1 / 2, 2 / 3)]
    return between(*(int(np.count_nonzero(line[1:] & ~line[:-1])) for line in covered))


# -- spots -------------------------------------------------------------------------------------------------


def _spots(marks: Mask, core: Mask, contrast: Estimate) -> Pattern:
    number, parts, boxes, _ = cv2.connectedComponentsWithStats(marks.astype(np.uint8))
    sizes = boxes[:, cv2.CC_STAT_AREA].astype(np.float64)
    least = max(_LEAST_MARK * np.count_nonzero(core), 9)
    kept = [part for part in range(1, number) if sizes[part] >= least]
    if not kept:
        return Pattern(None, "marks too small to tell", contrast)
    filled = np.array([[sizes[part] * _filling(parts == part), sizes[part]] for part in kept])
    compact = jackknife(filled, lambda total: total[..., 0] / np.maximum(total[..., 1], 1e-9))
    compact = Estimate(compact.value, max(compact.sd, 0.02))
    state = judged(compact, (COMPACT,), ("mottled", "spotted"))
    count = _count(marks, len(kept), least) if state == "spotted" else None
    return Pattern(state, f"{len(kept)} mark{'s' if len(kept) != 1 else ''}", contrast, count)


def _count(marks: Mask, number: int, least: float) -> Estimate:
    """How many spots, and how many if each were a pixel smaller or larger."""
    others = []
    for change in (cv2.erode, cv2.dilate):
        changed = change(marks.astype(np.uint8), np.ones((3, 3), np.uint8))
        many, _, boxes, _ = cv2.connectedComponentsWithStats(changed)
        others.append(sum(int(boxes[part, cv2.CC_STAT_AREA]) >= least for part in range(1, many)))
    return between(others[0], number, others[1])


def _filling(part: Mask) -> float:
    """Share of the ellipse with its second moments that a part fills, at most 1."""
    moments = cv2.moments(part.astype(np.uint8), binaryImage=True)
    area = moments["m00"]
    xx, yy, xy = moments["mu20"] / area + 1 / 12, moments["mu02"] / area + 1 / 12, moments["mu11"] / area
    return min(area / (4 * math.pi * math.sqrt(max(xx * yy - xy * xy, 1e-9))), 1.0)
