"""Latents that mark a taxon: prevalence among specimens, exact tests, false discoveries kept down, held-out figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipelines.traits.marking.firing import BINS, Absolute, Firing, FractionOfPeak, bins_of, edges_of, threshold_bins
from pipelines.traits.marking.marks import RANKED, TESTED, Counts, Findings, Mark, Untestable
from pipelines.traits.marking.prevalence import HELD_OUT, SELECTING, Prevalence
from pipelines.traits.marking.taxa import Group, groups_of
from pipelines.traits.marking.testing import Control, attainable_p, auc, enrichment_p, false_discovery_rates

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marking:
    """How marks are chosen.

    Attributes:
        firing: when a latent fires. ``Absolute`` must be the one that was counted.
        false_discoveries: the rate that is kept, over all tests of all taxa and latents.
        control: how it is kept.
        least_specimens: of a taxon, and of others, among those that select; fewer are not tested.
        least_effect: difference of prevalence below which a mark is not worth looking at, however significant.
        most_background: share of a latent's firings on background above which it marks nothing.
        candidates: latents listed of each taxon that cannot be tested.
        ranks: whose taxa are looked at, all if empty. Taxa of others are not tested, so the rate of false discoveries
            is not spent on them.
    """

    firing: Firing = field(default_factory=FractionOfPeak)
    false_discoveries: float = 0.05
    control: Control = Control.BENJAMINI_HOCHBERG
    least_specimens: int = 3
    least_effect: float = 0.2
    most_background: float = 0.5
    candidates: int = 16
    ranks: tuple[str, ...] = ()

    def asks(self, group: Group) -> bool:
        """Whether a taxon is looked at: one of its ranks, where it is the only one in wider taxa, is asked for."""
        return not self.ranks or any(rank in self.ranks for rank, _ in ((group.rank, group.name), *group.wider))


def mark(prevalence: Prevalence, marking: Marking | None = None) -> list[Mark]:
    """The marks that tests keep, then the candidates of taxa too small to test (``Mark.tested`` tells which)."""
    findings = find_marks(prevalence, marking)
    return [*findings.marks, *findings.candidates]


def find_marks(prevalence: Prevalence, marking: Marking | None = None) -> Findings:
    """Test every latent that could mark, in every taxon at every rank that is asked for.

    A latent marks a taxon if it fires in more of its specimens than in all others, and than in the nearest kin (a
    species: the rest of its genus), and still does when the child taxon in which it fires most is left out (else it
    marks that child): each an exact one-sided test, the largest p counts. The rate of false discoveries is kept over
    all these tests; those that could not be significant whatever specimens were of the taxon are not made.

    Raises:
        ValueError: an absolute threshold other than the counted one.
    """
    marking = marking or Marking()
    table = _Table(prevalence, marking.firing)
    groups = [group for group in groups_of(prevalence.lineages) if marking.asks(group)]
    found: list[_Found] = []
    untestable: list[Untestable] = []
    candidates: list[Mark] = []
    tests = on_background = 0
    for group in groups:
        reason = _why_not(table, group, marking)
        if not reason:
            made, passed = _test(table, group, marking)
            tests += made
            found += passed
            reason = "" if made else _nothing_attainable(table, group)
        if reason:
            total = int(table.specimens[group.members].sum())
            untestable.append(Untestable(group.rank, group.name, total, reason))
            listed, left_out = _candidates(table, group, marking, reason)
            candidates += listed
            on_background += left_out
    rates = false_discovery_rates(np.array([hit.p for hit in found]), tests, marking.control)
    kept = [
        (hit, float(rate))
        for hit, rate in zip(found, rates, strict=True)
        if rate <= marking.false_discoveries and hit.effect >= marking.least_effect
    ]
    marks = [_mark(table, hit, rate) for hit, rate in kept if table.background[hit.latent] <= marking.most_background]
    on_background += len(kept) - len(marks)
    place = {(group.rank, group.name): number for number, group in enumerate(groups)}
    marks.sort(key=lambda one: (place[one.rank, one.taxon], -one.score, one.latent))
    return Findings(tuple(marks), tuple(candidates), tuple(untestable), tests, on_background)


def thresholds(prevalence: Prevalence, firing: Firing | None = None) -> NDArray[np.float32]:
    """The activation (latents,) from which a patch fires; infinite for a latent never seen.

    Raises:
        ValueError: an absolute threshold other than the counted one.
    """
    return _Table(prevalence, firing or FractionOfPeak()).thresholds


class _Found(NamedTuple):
    group: Group
    latent: int
    p: float
    effect: float


class _Comparison(NamedTuple):
    """One latent each: firing in a taxon and in others, with the numbers of both."""

    firing: Ints
    specimens: int
    others_firing: Ints
    others: int

    @property
    def effect(self) -> Floats:
        """Difference of prevalence; that of a taxon without specimens is 0."""
        return np.asarray(self.firing / max(self.specimens, 1) - self.others_firing / max(self.others, 1))


class _Table:
    """What the pass counted, at a threshold: images of each lineage in which each latent fires."""

    def __init__(self, prevalence: Prevalence, firing: Firing) -> None:
        self.latents = prevalence.counting.latents
        self.specimens = prevalence.specimens
        self.peaks = prevalence.peaks()
        if isinstance(firing, Absolute):
            if firing != prevalence.counting.absolute:
                raise ValueError(f"activations above {firing.above} were not counted")
            counted = prevalence.above_absolute()
            self.thresholds = np.full(self.latents, np.nextafter(np.float32(firing.above), np.float32(np.inf)))
            self.bins = bins_of(self.thresholds)
        else:
            self.bins = threshold_bins(firing, self.latents, self.peaks.latent, self.peaks.peak, self.peaks.images)
            self.thresholds = np.where(self.bins < BINS, edges_of(np.minimum(self.bins, BINS - 1)), np.float32(np.inf))
            fires = self.peaks.peak >= self.bins[self.peaks.latent]
            counted = type(self.peaks)(*(column[fires] for column in self.peaks))
        shape = (len(prevalence.lineages), self.latents)
        self.parts = []
        for part in (SELECTING, HELD_OUT):
            of = counted.part == part
            self.parts.append(csr_array((counted.images[of], (counted.lineage[of], counted.latent[of])), shape=shape))
        self.by_latent = [part.tocsc() for part in self.parts]
        self.totals = [self._sum(part, np.arange(shape[0])) for part in (SELECTING, HELD_OUT)]
        self.order = np.argsort(self.peaks.latent, kind="stable")
        self.starts = np.searchsorted(self.peaks.latent[self.order], np.arange(self.latents + 1))
        lineage, latent, _, patches = prevalence.patches()
        self.patches = csr_array((patches, (lineage, latent)), shape=shape)
        self.background = np.nan_to_num(prevalence.background_shares(self.bins), nan=-1.0)

    def firing(self, lineages: Ints, parts: tuple[int, ...]) -> Ints:
        """Specimens (latents,) of some lineages and parts in which each latent fires."""
        if 2 * len(lineages) <= len(self.specimens):
            return np.asarray(sum(self._sum(part, lineages) for part in parts))
        rest = np.setdiff1d(np.arange(len(self.specimens)), lineages)
        return np.asarray(sum(self.totals[part] - self._sum(part, rest) for part in parts))

    def _sum(self, part: int, lineages: Ints) -> Ints:
        rows = self.parts[part][lineages]
        return np.bincount(rows.indices, rows.data, self.latents).astype(np.int64)

    def compare(self, members: Ints, others: Ints, parts: tuple[int, ...]) -> _Comparison:
        return _Comparison(
            self.firing(members, parts),
            int(self.specimens[members][:, list(parts)].sum()),
            self.firing(others, parts),
            int(self.specimens[others][:, list(parts)].sum()),
        )

    def counts(self, group: Group, others: Ints, latent: int, part: int) -> Counts:
        table = self.by_latent[part]
        here = slice(table.indptr[latent], table.indptr[latent + 1])
        firing = np.bincount(table.indices[here], table.data[here], len(self.specimens))
        sizes = self.specimens[:, part]
        return Counts(
            int(sizes[group.members].sum()), int(firing[group.members].sum()),
            int(sizes[others].sum()), int(firing[others].sum()),
        )  # fmt: skip


def _why_not(table: _Table, group: Group, marking: Marking) -> str:
    """Why a taxon cannot be tested; empty where it can."""
    total, chosen = table.specimens[group.members].sum(), table.specimens[group.members, SELECTING].sum()
    if not len(group.others):
        return "not tested: no specimen is known to be of another taxon"
    if total < marking.least_specimens:
        return f"not tested: {_specimens(total)}"
    if chosen < marking.least_specimens:
        return f"not tested: {_specimens(total)}, {chosen} of them not held out"
    others = table.specimens[group.others, SELECTING].sum()
    if others < marking.least_specimens:
        return f"not tested: {_specimens(others)} of other taxa not held out"
    return ""


def _nothing_attainable(table: _Table, group: Group) -> str:
    chosen = table.specimens[group.members, SELECTING].sum()
    return f"not tested: {_specimens(chosen)} not held out, too few for any latent to be significant"


def _specimens(number: int) -> str:
    return f"{number} specimen" if number == 1 else f"{number} specimens"


def _test(table: _Table, group: Group, marking: Marking) -> tuple[int, list[_Found]]:
    """How many tests were made, and those whose p alone is not above the rate.

    Which are made is decided by the margins of the comparison with all others alone: it knows nothing of who is who.
    """
    part = (SELECTING,)
    everyone = table.compare(group.members, group.others, part)
    together, inverse = np.unique(everyone.firing + everyone.others_firing, return_inverse=True)
    best = attainable_p(together, everyone.specimens, everyone.others)
    made = (best <= marking.false_discoveries)[inverse]
    look = np.flatnonzero(made & (everyone.effect > 0))
    p, effect = _exact(everyone, look), everyone.effect[look]
    kin = table.compare(group.members, group.siblings, part)
    if marking.least_specimens <= kin.others != everyone.others:
        p, effect = np.maximum(p, _exact(kin, look)), np.minimum(effect, kin.effect[look])
    for latents, rest in _without_leading_child(table, group, everyone, look):
        p[latents] = np.maximum(p[latents], _exact(rest, np.arange(len(latents))))
        effect[latents] = np.minimum(effect[latents], rest.effect)
    kept = np.flatnonzero((p <= marking.false_discoveries) & (effect > 0))
    return int(made.sum()), [_Found(group, int(look[one]), float(p[one]), float(effect[one])) for one in kept]


def _exact(comparison: _Comparison, latents: Ints) -> Floats:
    firing, others_firing = comparison.firing[latents], comparison.others_firing[latents]
    return enrichment_p(firing, comparison.specimens, others_firing, comparison.others)


def _without_leading_child(
    table: _Table, group: Group, everyone: _Comparison, look: Ints
) -> Iterator[tuple[Ints, _Comparison]]:
    """By child taxon: places in ``look`` of the latents that fire in most specimens of it, and the taxon without it."""
    if not group.children or not len(look):
        return
    firing = np.stack([table.firing(child, (SELECTING,))[look] for child in group.children])
    leading = np.argmax(firing, axis=0)
    for child in np.unique(leading):
        places = np.flatnonzero(leading == child)
        rest = everyone.specimens - int(table.specimens[group.children[child], SELECTING].sum())
        left = everyone.firing[look[places]] - firing[child, places]
        yield places, _Comparison(left, rest, everyone.others_firing[look[places]], everyone.others)


def _mark(table: _Table, hit: _Found, rate: float) -> Mark:
    group, latent = hit.group, hit.latent
    held_out = table.counts(group, group.others, latent, HELD_OUT)
    usable = held_out.specimens > 0 and held_out.others > 0
    held_out_p = None
    if usable:
        held_out_p = float(
            enrichment_p(
                np.array([held_out.firing]), held_out.specimens, np.array([held_out.others_firing]), held_out.others
            )[0]
        )
    background = float(table.background[latent])
    return Mark(
        latent=latent,
        rank=group.rank,
        taxon=group.name,
        rule=TESTED,
        effect=hit.effect,
        p=hit.p,
        q=rate,
        seen=table.counts(group, group.others, latent, SELECTING),
        kin=table.counts(group, group.siblings, latent, SELECTING) if len(group.siblings) else None,
        held_out=held_out if usable else None,
        held_out_p=held_out_p,
        auc=_auc(table, group, latent),
        background=background if background >= 0 else None,
        score=hit.effect * (1 - max(background, 0.0)),
        threshold=float(table.thresholds[latent]),
        wider=group.wider,
        note="" if usable else "no held-out specimens of this taxon and others",
    )


def _candidates(table: _Table, group: Group, marking: Marking, reason: str) -> tuple[list[Mark], int]:
    """The strongest latents of a taxon that cannot be tested, over all its specimens, and how many background took.

    Equal effects (one specimen: all latents that fire in it alone) go by the number of patches, then by latent.
    """
    if not len(group.others):
        return [], 0
    both = (SELECTING, HELD_OUT)
    comparison = table.compare(group.members, group.others, both)
    foreground = 1 - np.maximum(table.background, 0.0)
    score = comparison.effect * foreground
    eligible = (comparison.firing > 0) & (comparison.effect >= marking.least_effect)
    on_background = eligible & (table.background > marking.most_background)
    chosen = np.flatnonzero(eligible & ~on_background)
    rows = table.patches[group.members]
    patches = np.bincount(rows.indices, rows.data, table.latents)
    best = chosen[np.lexsort((chosen, -patches[chosen], -score[chosen]))][: marking.candidates]
    listed = [
        Mark(
            latent=int(latent),
            rank=group.rank,
            taxon=group.name,
            rule=RANKED,
            effect=float(comparison.effect[latent]),
            p=None,
            q=None,
            seen=Counts(
                comparison.specimens,
                int(comparison.firing[latent]),
                comparison.others,
                int(comparison.others_firing[latent]),
            ),
            auc=_auc(table, group, int(latent)),
            background=float(table.background[latent]) if table.background[latent] >= 0 else None,
            score=float(score[latent]),
            threshold=float(table.thresholds[latent]),
            wider=group.wider,
            note=reason,
        )
        for latent in best
    ]
    return listed, int(on_background.sum())


def _auc(table: _Table, group: Group, latent: int) -> float | None:
    of_latent = table.order[table.starts[latent] : table.starts[latent + 1]]
    lineage, peak, images = (column[of_latent] for column in table.peaks[0:1] + table.peaks[3:5])
    histograms = []
    for lineages in (group.members, group.others):
        of = np.isin(lineage, lineages)
        histogram = np.bincount(peak[of], images[of], BINS).astype(np.int64)
        histogram[0] += int(table.specimens[lineages].sum()) - int(histogram.sum())
        histograms.append(histogram)
    return auc(*histograms)
