"""One coder on one set of images: every measure, with whatever is chosen chosen away from what is scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.trait_rivals import probe
from benchmarks.trait_sets import Bools, PatchSet, part_of
from pipelines.traits.codes import Codes
from pipelines.traits.marking import Counting, Mark, Prevalence, mark, published_rule, thresholds
from pipelines.traits.measures import (
    average_precision,
    coverage_at,
    part_map,
    purity_at,
    region_iou,
    strongest,
    trait_f1,
    yield_at,
)
from pipelines.traits.regions import region
from pipelines.traits.specimens import Specimen, Taxon

SIZES = (0.0025, 0.01, 0.04)
"""Shares of a picture's patches at which parts are divided by size: 2, 8 and 31 of 784 patches."""


@dataclass(frozen=True)
class Scores:
    """What a coder reaches on a set; ``None`` where the set has no such truth.

    Attributes:
        map_parts: mean average precision of each part's best latent.
        coverage: share of parts at 0.3 or more.
        purity: share of the 16 images in which each part's latent fires most that show the part in that very patch.
        region_iou: overlap of that latent's regions with the part's masks, mean over parts. A region is what the
            pipeline makes of a mark: patches from the latent's own threshold on, which the choosing images set.
        trait_f1: mean F1 of each state's best latent.
        trait_purity: share of the 16 images in which that latent fires most that are in the state, of what can be
            reached where fewer are.
        l0: activations that are not zero, of one patch.
        by_part: average precision of each part.
        by_state: F1 and purity of each state.
    """

    map_parts: float
    coverage: float
    purity: float | None
    region_iou: float | None
    trait_f1: float | None
    trait_purity: float | None
    l0: float
    by_part: dict[str, float]
    by_state: dict[str, tuple[float, float]]

    def figures(self) -> dict[str, float | None]:
        """All but single parts and states."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("by_")}


def halves(data: PatchSet, *, inner: bool) -> Iterator[tuple[Bools, Bools]]:
    """Images that choose and images that are scored; ``inner`` divides the choosing ones and touches no others."""
    for fold in data.folds:
        if not inner:
            yield fold, ~fold
            continue
        places = np.flatnonzero(fold)
        by_name = places[np.argsort([data.specimens[place].taxon.name for place in places], kind="stable")]
        choosing = np.zeros(len(fold), bool)
        choosing[by_name[::2]] = True
        yield choosing, fold & ~choosing


def judge(data: PatchSet, codes: Codes, latents: int, *, inner: bool = False, regions: bool = True) -> Scores:
    """Hold codes of all patches of a set against its truth, mean over folds."""
    found = [_fold(data, codes, latents, choosing, scored, regions) for choosing, scored in halves(data, inner=inner)]
    parts = {part: _mean([one.by_part[part] for one in found]) for part in data.parts}
    states = {
        state: (_mean([one.by_state[state][0] for one in found]), _mean([one.by_state[state][1] for one in found]))
        for state in data.states
    }
    return Scores(
        _mean([one.map_parts for one in found]),
        _mean([one.coverage for one in found]),
        _mean_known([one.purity for one in found]),
        _mean_known([one.region_iou for one in found]),
        _mean_known([one.trait_f1 for one in found]),
        _mean_known([one.trait_purity for one in found]),
        _mean([one.l0 for one in found]),
        parts,
        states,
    )


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _mean_known(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _mean(known) if known else None


def _fold(data: PatchSet, codes: Codes, latents: int, choosing: Bools, scored: Bools, regions: bool) -> Scores:
    ours, theirs = data.rows_of(choosing), data.rows_of(scored)
    mine, other = part_of(codes, ours), part_of(codes, theirs)
    parts = part_map(mine, data.truth[ours], other, data.truth[theirs], latents)
    asked = np.isin(other.latents, parts.latents)
    few = Codes(other.rows[asked], other.latents[asked], other.values[asked])
    pure = purity_at(_one_patch_an_image(few, data.image[theirs]), data.truth[theirs], latents)
    chosen = [(latent, place) for place, latent in enumerate(parts.latents) if not np.isnan(parts.precisions[place])]
    states = _states(data, codes, latents, choosing, scored) if data.states else {}
    return Scores(
        parts.mean,
        coverage_at(parts.precisions),
        _mean([float(pure[latent, place]) for latent, place in chosen]) if scored.sum() >= 16 else None,
        _iou(data, codes, parts.latents, latents, choosing, scored) if regions and data.masks else None,
        _mean([score for score, _ in states.values()]) if states else None,
        _mean([purity for _, purity in states.values()]) if states else None,
        len(codes.rows) / len(data.image),
        dict(zip(data.parts, parts.precisions.tolist(), strict=True)),
        states,
    )


def _states(
    data: PatchSet, codes: Codes, latents: int, choosing: Bools, scored: Bools
) -> dict[str, tuple[float, float]]:
    """F1 and purity of each state's best latent."""
    images = strongest(codes, data.image)
    mine, theirs, truth = part_of(images, choosing), part_of(images, scored), data.state_truth[scored]
    found = trait_f1(mine, data.state_truth[choosing], theirs, truth, latents)
    places = np.arange(len(data.states))
    pure = purity_at(theirs, truth, latents)[found.latents, places] / np.clip(truth.sum(axis=0) / 16, 1 / 16, 1)
    pure = np.where(np.isnan(found.f1), np.nan, np.where(found.latents >= 0, pure, 0.0))
    return {
        state: (score, purity)
        for state, score, purity in zip(data.states, found.f1.tolist(), pure.tolist(), strict=True)
    }


def _one_patch_an_image(codes: Codes, image: NDArray[np.int64]) -> Codes:
    """Of each image and latent the strongest patch alone, so that 16 patches are 16 images."""
    order = np.lexsort((-codes.values, codes.latents, image[codes.rows]))
    key = np.column_stack([image[codes.rows][order], codes.latents[order]])
    first = np.append(True, (key[1:] != key[:-1]).any(axis=1))[: len(key)]
    kept = np.sort(order[first])
    return Codes(codes.rows[kept], codes.latents[kept], codes.values[kept])


def _iou(
    data: PatchSet, codes: Codes, chosen: NDArray[np.int64], latents: int, choosing: Bools, scored: Bools
) -> float:
    """Mean over parts of the mean over images that show the part, of its latent's region against its mask."""
    assert data.masks is not None
    overlaps: dict[str, list[float]] = {part: [] for part in data.parts}
    latent_of = dict(zip(data.parts, chosen.tolist(), strict=True))
    limits = thresholds(_counted(data, codes, latents, choosing, data.specimens))
    for place in np.flatnonzero(scored).tolist():
        own = _of_image(data, codes, place)
        for part, mask in data.masks(place).items():
            latent = latent_of[part]
            if latent >= 0:
                shape = (mask.shape[0], mask.shape[1])
                found = region(own, latent, data.grids[place], shape, threshold=float(limits[latent]))
                overlaps[part].append(region_iou(found.mask, mask))
    return _mean([_mean(each) for each in overlaps.values() if each])


def _of_image(data: PatchSet, codes: Codes, place: int) -> Codes:
    first, last = np.searchsorted(codes.rows, data.first[place : place + 2])
    here = slice(first, last)
    return Codes(codes.rows[here] - data.first[place], codes.latents[here], codes.values[here])


def by_size(data: PatchSet, by_part: Mapping[str, float]) -> dict[str, float]:
    """Mean average precision of parts by the share of a picture's patches in which they are seen."""
    edges = [0.0, *SIZES, 1.0]
    found = {}
    for low, high in pairwise(edges):
        mine = [by_part[part] for part, size in zip(data.parts, data.sizes, strict=True) if low < size <= high]
        if mine:
            found[f"{100 * low:g} to {100 * high:g} % of a picture ({len(mine)} parts)"] = _mean(mine)
    return found


def trait_chance(data: PatchSet) -> float | None:
    """Mean F1 of saying of every held-out image that it is in the state."""
    shares = [data.state_truth[scored].mean(axis=0) for _, scored in halves(data, inner=False)]
    return _mean([float(2 * p / (1 + p)) for share in shares for p in share if p > 0]) if data.states else None


def ceiling(data: PatchSet) -> tuple[float, float]:
    """Mean average precision of a linear probe that was shown the labels, and of chance."""
    reached, chance = [], []
    for choosing, scored in halves(data, inner=False):
        ours, theirs = data.rows_of(choosing), data.rows_of(scored)
        scores = probe(data.activations[ours], data.truth[ours], data.activations[theirs])
        truth = data.truth[theirs]
        reached.append(_mean([average_precision(scores[:, at], truth[:, at]) for at in range(truth.shape[1])]))
        chance.append(float(truth.mean()))
    return _mean(reached), _mean(chance)


# -- rules of selection ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleScores:
    """What a rule that picks latents of taxa is worth.

    Attributes:
        marks: pairs of latent and species that the rule keeps, chosen on one half of the images.
        confirmed: share of them that fire, on the other half, in a share of the species' images at least 0.2 above that
            in all others and above that in the rest of its genus.
        species, singles: species with a confirmed mark, as a share of all; the same of species alone in their genus.
        first_50: share of a budget of 50 marks, the rule's first, that are confirmed; fewer marks count as wrong ones.
        null_marks, null_first_50: the same with species dealt out to images at random: every mark is false.
        shuffled: how often that was done.
    """

    marks: int
    confirmed: float | None
    species: float
    singles: float
    first_50: float
    null_marks: float
    null_first_50: float
    shuffled: int


def rule_scores(data: PatchSet, codes: Codes, latents: int, rule: str, *, shuffles: int, seed: int) -> RuleScores:
    """Apply the rule ``"tested"`` or ``"published"`` to the choosing half and look at the other one."""
    peaks = strongest(codes, data.image)
    marks, right = _found(data, codes, peaks, latents, rule)
    genera: dict[str, set[str]] = {}
    for specimen in data.specimens:
        genera.setdefault(specimen.taxon.names["genus"], set()).add(specimen.taxon.names["species"])
    every = {name for names in genera.values() for name in names}
    alone = {name for names in genera.values() if len(names) == 1 for name in names}
    named = {_species(one) for one, fine in zip(marks, right, strict=True) if fine}
    rng = np.random.default_rng(seed)
    null = []
    for _ in range(shuffles):
        false, fine = _found(replace(data, specimens=_dealt(data, rng)), codes, peaks, latents, rule)
        null.append((len(false), _first(false, fine)))
    return RuleScores(
        len(marks), float(right.mean()) if marks else None, len(named & every) / len(every),
        len(named & alone) / max(len(alone), 1), _first(marks, right),
        _mean([many for many, _ in null]), _mean([share for _, share in null]), shuffles,
    )  # fmt: skip


def _found(data: PatchSet, codes: Codes, peaks: Codes, latents: int, rule: str) -> tuple[list[Mark], Bools]:
    """The marks of a rule on the choosing half, and which of them the other half confirms."""
    marks = _marks(data, codes, latents, rule, data.folds[0], data.specimens)
    return marks, np.array([_confirmed(data, peaks, one, ~data.folds[0]) for one in marks], bool)


def _first(marks: list[Mark], right: Bools) -> float:
    return yield_at(np.array([one.score for one in marks]), right, 50)


def _marks(
    data: PatchSet, codes: Codes, latents: int, rule: str, choosing: Bools, specimens: list[Specimen]
) -> list[Mark]:
    prevalence = _counted(data, codes, latents, choosing, specimens)
    found = published_rule(prevalence) if rule == "published" else [one for one in mark(prevalence) if one.tested]
    return [one for one in found if _species(one)]


def _counted(data: PatchSet, codes: Codes, latents: int, choosing: Bools, specimens: list[Specimen]) -> Prevalence:
    """A pass over the choosing images. All of them select: the other half is held out here, out of its sight."""
    prevalence = Prevalence(Counting(latents=latents, held_out=0.0))
    for place in np.flatnonzero(choosing).tolist():
        prevalence.add(specimens[place], _of_image(data, codes, place), data.grids[place].patches)
    return prevalence


def _species(one: Mark) -> str | None:
    return one.taxon if one.rank == "species" else dict(one.wider).get("species")


def _dealt(data: PatchSet, rng: np.random.Generator) -> list[Specimen]:
    """The same specimens with taxa dealt out at random among those of a kind."""
    kinds, taxa = np.array(data.kinds), [one.taxon for one in data.specimens]
    dealt: list[Taxon] = list(taxa)
    for kind in np.unique(kinds):
        places = np.flatnonzero(kinds == kind)
        for place, source in zip(places, rng.permutation(places), strict=True):
            dealt[place] = taxa[source]
    return [
        Specimen(one.id, one.source, taxon, one.width, one.height)
        for one, taxon in zip(data.specimens, dealt, strict=True)
    ]


def _confirmed(data: PatchSet, peaks: Codes, one: Mark, scored: Bools) -> bool:
    fires = np.zeros(len(scored), bool)
    fires[peaks.rows[(peaks.latents == one.latent) & (peaks.values >= one.threshold)]] = True
    name = _species(one)
    mine = np.array([specimen.taxon.names["species"] == name for specimen in data.specimens])
    genus = next(s.taxon.names["genus"] for s in data.specimens if s.taxon.names["species"] == name)
    kin = np.array([specimen.taxon.names["genus"] == genus for specimen in data.specimens]) & ~mine
    share = fires[mine & scored].mean() if (mine & scored).any() else 0.0
    others = fires[~mine & scored].mean()
    return bool(share >= others + 0.2 and (not (kin & scored).any() or share > fires[kin & scored].mean()))
