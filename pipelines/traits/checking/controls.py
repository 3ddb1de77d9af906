"""Controls: the same question with something else shown, or with a wrong name told.

A description that stays the same when another region, or a blank image, is shown does not come from the region. One
that moves towards the textbook of a taxon because its name was told shows how far a name would leak into it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pipelines.traits.checking.claims import Claim, answers, claims, part_key, said
from pipelines.traits.checking.doubts import SAME_ELSEWHERE, SAME_WHEN_BLANK, doubted
from pipelines.traits.statements import Statement

UNCHANGED = 0.8
"""Share of claims, of all that either description makes, from which two descriptions are the same."""
Textbook = Mapping[tuple[str, str], str]
"""What is known of a taxon: by part and character the state."""


@dataclass(frozen=True, slots=True)
class Changed:
    """How far descriptions changed when something else was shown.

    Attributes:
        compared: descriptions for which there is a control.
        unchanged: of these, how many stayed the same.
        described: controls in which something was described at all: of a blank image each one is made up.
    """

    compared: int
    unchanged: int
    described: int


@dataclass(frozen=True, slots=True)
class Leak:
    """How far a wrong name moves descriptions towards that taxon's textbook.

    Attributes:
        chances: statements that differ from the textbook of the name that was told, without the name.
        moved: of these, how many are as in the textbook once the name is told.
        moved_untold: how many moved as far in another answer without the name: what chance does.
        share: moved less moved untold, of the chances; ``None`` without any chance.
        low, high: its 95 % interval.
    """

    chances: int
    moved: int
    moved_untold: int
    share: float | None
    low: float | None
    high: float | None


def check_regions(statements: Sequence[Statement], elsewhere: Sequence[Statement]) -> tuple[list[Statement], Changed]:
    """Doubt descriptions that stayed the same when another region of the same image was shown.

    Args:
        statements: of the regions.
        elsewhere: of the other region that was shown instead, under the image and latent it stood in for.
    """
    controls: dict[Hashable, list[Statement]] = defaultdict(list)
    for one in elsewhere:
        controls[one.image, one.latent, one.describer.kind, one.describer.name].append(one)
    found, compared, unchanged, described = list(statements), 0, 0, 0
    for places in answers(statements).values():
        first = statements[places[0]]
        control = controls.get((first.image, first.latent, first.describer.kind, first.describer.name))
        if control is None:
            continue
        compared += 1
        described += bool(claims(control))
        if is_same([statements[place] for place in places], control):
            unchanged += 1
            for place in places:
                found[place] = doubted(found[place], SAME_ELSEWHERE)
    return found, Changed(compared, unchanged, described)


def check_blank(statements: Sequence[Statement], blank: Sequence[Statement]) -> tuple[list[Statement], Changed]:
    """Doubt descriptions that are the same as what the same model says of a blank image.

    Args:
        statements: of the regions.
        blank: what was said of blank images; each answer is held against every description by the same model.
    """
    controls: dict[Hashable, set[frozenset[Claim]]] = defaultdict(set)
    described = 0
    for places in answers(blank).values():
        claimed = claims([blank[place] for place in places])
        described += bool(claimed)
        by = blank[places[0]].describer
        controls[by.kind, by.name].add(claimed)
    found, compared, unchanged = list(statements), 0, 0
    for places in answers(statements).values():
        by = statements[places[0]].describer
        own = controls.get((by.kind, by.name), set())
        compared += bool(own)
        claimed = claims([statements[place] for place in places])
        if any(_same(claimed, control) for control in own):
            unchanged += 1
            for place in places:
                found[place] = doubted(found[place], SAME_WHEN_BLANK)
    return found, Changed(compared, unchanged, described)


def is_same(one: Sequence[Statement], other: Sequence[Statement]) -> bool:
    """Whether two descriptions claim the same; two that claim nothing do not."""
    return _same(claims(one), claims(other))


def _same(ours: frozenset[Claim], theirs: frozenset[Claim]) -> bool:
    return bool(ours) and len(ours & theirs) >= UNCHANGED * len(ours | theirs)


def consensus(statements: Sequence[Statement], taxa: Mapping[str, str]) -> dict[str, dict[tuple[str, str], str]]:
    """The textbook of each taxon as a dataset has it: what most of the statements without doubts say.

    Args:
        statements: of any describers.
        taxa: name of the taxon of each image.
    """
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for one in statements:
        what = said(one)
        if what is not None and one.character and not one.doubts and one.image in taxa:
            counts[taxa[one.image], part_key(one), one.character][what] += 1
    books: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for (taxon, part, character), states in sorted(counts.items()):
        state, count = states.most_common(1)[0]
        if 2 * count > states.total():
            books[taxon][part, character] = state
    return dict(books)


def name_leak(
    untold: Sequence[Statement],
    told: Sequence[Statement],
    again: Sequence[Statement],
    names: Mapping[str, str],
    textbooks: Mapping[str, Textbook],
) -> Leak:
    """How far telling a wrong name moves descriptions towards that taxon's textbook.

    Args:
        untold: without any name, as all descriptions are made.
        told: of the same regions, with the wrong name.
        again: of the same regions without a name, another sample; what moves here moves by chance.
        names: of each image, the wrong name it was told with.
        textbooks: by these names.
    """
    after, repeated = _by_question(told), _by_question(again)
    chances = moved = chance = 0
    for question, before in _by_question(untold).items():
        image, _, part, character = question
        expected = textbooks.get(names.get(image, ""), {}).get((part, character))
        if expected is None or before == expected or question not in after or question not in repeated:
            continue
        chances += 1
        moved += after[question] == expected
        chance += repeated[question] == expected
    return _leak(chances, moved, chance)


def _by_question(statements: Sequence[Statement]) -> dict[tuple[str, int, str, str], str]:
    """What is said by image, latent, part and character; the first where one is said twice."""
    found: dict[tuple[str, int, str, str], str] = {}
    for one in statements:
        what = said(one)
        if what is not None:
            found.setdefault((one.image, one.latent, part_key(one), one.character), what)
    return found


def _leak(chances: int, moved: int, chance: int) -> Leak:
    if not chances:
        return Leak(0, 0, 0, None, None, None)
    low, high = difference(moved, chances, chance, chances)
    return Leak(chances, moved, chance, (moved - chance) / chances, low, high)


def difference(hits: int, trials: int, other_hits: int, other_trials: int) -> tuple[float, float]:
    """The 95 % interval of a difference of two proportions, as of independent ones.

    Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 873, method 10.
    """
    p, q = hits / trials, other_hits / other_trials
    (low_p, high_p), (low_q, high_q) = wilson(hits, trials), wilson(other_hits, other_trials)
    low = p - q - ((p - low_p) ** 2 + (high_q - q) ** 2) ** 0.5
    high = p - q + ((high_p - p) ** 2 + (q - low_q) ** 2) ** 0.5
    return max(low, -1.0), min(high, 1.0)


def wilson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of a proportion by E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    p = hits / trials
    middle = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * (p * (1 - p) / trials + z * z / (4 * trials * trials)) ** 0.5 / (1 + z * z / trials)
    return max(middle - half, 0.0), min(middle + half, 1.0)
