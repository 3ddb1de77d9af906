"""Controls: the same question with something else shown, or with a wrong name told.

A description that stays the same when another region, or a blank image, is shown does not come from the region. One
that moves towards the textbook of a taxon because its name was told shows how far a name would leak into it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pipelines.traits.checking.claims import Claim, answers, claim, claims, part_key, said
from pipelines.traits.checking.doubts import SAME_ELSEWHERE, SAME_WHEN_BLANK, doubted
from pipelines.traits.statements import Statement

UNCHANGED = 0.8
"""Share of claims, of all that either description makes, from which two descriptions are the same."""
LEAST_PLACES = 2
"""Other places in which something measured must be the same before it says nothing about its region."""
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

    compared: int = 0
    unchanged: int = 0
    described: int = 0

    def __add__(self, other: Changed) -> Changed:
        """Of these descriptions and others."""
        return Changed(
            self.compared + other.compared, self.unchanged + other.unchanged, self.described + other.described
        )


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

    @classmethod
    def of(cls, chances: int = 0, moved: int = 0, moved_untold: int = 0) -> Leak:
        """The share and its interval, from the counts."""
        if not chances:
            return cls(0, 0, 0, None, None, None)
        low, high = difference(moved, chances, moved_untold, chances)
        return cls(chances, moved, moved_untold, (moved - moved_untold) / chances, low, high)

    def __add__(self, other: Leak) -> Leak:
        """Over these statements and others."""
        return Leak.of(self.chances + other.chances, self.moved + other.moved, self.moved_untold + other.moved_untold)


def check_regions(statements: Sequence[Statement], elsewhere: Sequence[Statement]) -> tuple[list[Statement], Changed]:
    """Doubt what stayed the same when another region of the same image was shown.

    A description in words is judged as a whole. What was measured is judged statement by statement: it is doubted
    where each of several other places has the same state, or a number no further away than both deviations.

    Args:
        statements: of the regions.
        elsewhere: of what was shown instead, under the image and latent it stood in for; each place is a sample.
    """
    controls: dict[Hashable, list[Statement]] = defaultdict(list)
    for one in elsewhere:
        controls[one.image, one.latent, one.describer.kind, one.describer.name].append(one)
    found, changed = list(statements), Changed()
    for places in answers(statements).values():
        first = statements[places[0]]
        control = controls.get((first.image, first.latent, first.describer.kind, first.describer.name))
        if control is None:
            continue
        if first.describer.kind == "measured":
            same = [place for place in places if _is_everywhere(statements[place], control)]
        else:
            same = places if is_same([statements[place] for place in places], control) else []
        for place in same:
            found[place] = doubted(found[place], SAME_ELSEWHERE)
        changed += Changed(1, len(same) == len(places), bool(claims(control)))
    return found, changed


def check_blank(statements: Sequence[Statement], blank: Sequence[Statement]) -> tuple[list[Statement], Changed]:
    """Doubt what the same describer says of a blank image, too.

    A description in words is judged as a whole; of what was measured, each statement that says of a blank image what it
    says of the region.

    Args:
        statements: of the regions.
        blank: what was said of blank images; each answer is held against every description by the same describer.
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
        same = _said_of_nothing([statements[place] for place in places], own)
        for place, is_said in zip(places, same, strict=True):
            if is_said:
                found[place] = doubted(found[place], SAME_WHEN_BLANK)
        compared, unchanged = compared + bool(own), unchanged + all(same)
    return found, Changed(compared, unchanged, described)


def _said_of_nothing(description: Sequence[Statement], blank: set[frozenset[Claim]]) -> list[bool]:
    """Of each statement of a description, whether it is of a blank image."""
    if description[0].describer.kind == "measured":
        every = frozenset[Claim]().union(*blank)
        return [claim(one) in every for one in description]
    claimed = claims(description)
    return [any(_same(claimed, control) for control in blank)] * len(description)


def _is_everywhere(one: Statement, elsewhere: Sequence[Statement]) -> bool:
    """Whether something measured is the same in every other place that was measured."""
    others = {
        other.describer.sample: other
        for other in elsewhere
        if other.character == one.character and part_key(other) == part_key(one)
    }
    places = {other.describer.sample for other in elsewhere}
    alike = len(others) == len(places) and all(_measured_alike(one, other) for other in others.values())
    return one.standing == "observed" and alike and len(places) >= LEAST_PLACES


def _measured_alike(one: Statement, other: Statement) -> bool:
    """The same state, or numbers no further apart than their deviations."""
    if other.standing != one.standing or other.state != one.state:
        return False
    if one.value is None or other.value is None:
        return one.value is other.value
    return abs(one.value - other.value) <= math.hypot(one.uncertainty or 0.0, other.uncertainty or 0.0)


def is_same(one: Sequence[Statement], other: Sequence[Statement]) -> bool:
    """Whether two descriptions claim the same; two that claim nothing do not."""
    return _same(claims(one), claims(other))


def _same(ours: frozenset[Claim], theirs: frozenset[Claim]) -> bool:
    return bool(ours) and len(ours & theirs) >= UNCHANGED * len(ours | theirs)


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
    return Leak.of(chances, moved, chance)


def _by_question(statements: Sequence[Statement]) -> dict[tuple[str, int, str, str], str]:
    """What is said by image, latent, part and character; the first where one is said twice."""
    found: dict[tuple[str, int, str, str], str] = {}
    for one in statements:
        what = said(one)
        if what is not None:
            found.setdefault((one.image, one.latent, part_key(one), one.character), what)
    return found


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
