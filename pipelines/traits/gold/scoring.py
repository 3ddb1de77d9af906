"""What a sample shows: how far people agree, and how often the machine says what they agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from pipelines.traits.checking import Calibration, calibrate
from pipelines.traits.checking.agreement import DRAWS, Alpha, Answers, alpha_of
from pipelines.traits.gold.estimates import Share, share
from pipelines.traits.gold.key import Item, Key
from pipelines.traits.gold.questions import CLAIMS, UNKNOWN, code, is_claim, same
from pipelines.traits.statements import Character, Statement

TOLERANCE = 0.1
"""Within which two measured numbers are the same, as a share of the larger."""
Told = Mapping[str, tuple[str, str]]
"""By item an answer and a note."""


@dataclass(frozen=True, slots=True)
class CharacterScore:
    """One character, or all of them.

    Attributes:
        character: its id; empty for all.
        items: questions on it.
        agreed: share of them to which both annotators gave the same answer.
        alpha: Krippendorff's, of the annotators: nominal, or interval for measured numbers.
        precision: of what the machine claims without doubts, the share that people found so. Claims about what people
            found not visible, inapplicable or background are wrong; where people could not tell, nothing is counted.
        recall: of what people found there, or absent, the share that the machine claims without doubts.
        doubted: as precision, of claims that a check spoke against.
        untold: items of which people could not tell.
        disputed: items that are not settled yet; nothing is counted of them.
        off: of measured numbers the median distance between machine and people; ``None`` for others.
        confusion: what the machine says without doubts, what people found, and how often.
    """

    character: str
    items: int
    agreed: float | None
    alpha: Alpha
    precision: Share | None
    recall: Share | None
    doubted: Share | None
    untold: int
    disputed: int
    off: float | None
    confusion: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Score:
    """What a sample shows.

    Attributes:
        sample: its id.
        annotators: their names.
        characters: each by itself.
        all: all of them together; alpha is of those that are no measured numbers.
        calibrations: what the confidence of each describer that states one is worth.
        disputed: by item the answers and notes of both annotators, where they differ.
        open: items of those that nobody has settled.
        tolerance: within which measured numbers count as the same.
    """

    sample: str
    annotators: tuple[str, str]
    characters: tuple[CharacterScore, ...]
    all: CharacterScore
    calibrations: tuple[Calibration, ...]
    disputed: Mapping[str, tuple[tuple[str, str], tuple[str, str]]]
    open: tuple[str, ...]
    tolerance: float

    def as_json(self) -> dict[str, Any]:
        """Everything but the notes, for machines."""
        found = asdict(self)
        found["disputed"] = {item: [answer for answer, _ in both] for item, both in self.disputed.items()}
        for one in (*found["characters"], found["all"]):
            one["alpha"] = one["alpha"]._asdict()
        return found


@dataclass(frozen=True, slots=True)
class _Judged:
    """An item with what both annotators said, and the answer that holds; empty where it is disputed."""

    item: Item
    character: Character
    both: tuple[str, str]
    truth: str

    @property
    def told(self) -> bool:
        return self.truth not in ("", UNKNOWN)


def disputed(key: Key, first: Told, second: Told, tolerance: float = TOLERANCE) -> list[str]:
    """Items to which the annotators gave different answers."""
    return [
        one.item
        for one in key.items
        if not same(first[one.item][0], second[one.item][0], _character(key, one), tolerance)
    ]


def score(
    key: Key,
    first: Told,
    second: Told,
    settled: Told | None = None,
    *,
    tolerance: float = TOLERANCE,
    draws: int = DRAWS,
) -> Score:
    """Hold the machine's statements, and the annotators, against each other.

    Args:
        key: to the sample.
        first, second: what each annotator answered, item by item.
        settled: by item the answer that holds where they differ.
        tolerance: within which measured numbers count as the same, as a share of the larger.
        draws: of the bootstrap.
    """
    settled = settled or {}
    differ = disputed(key, first, second, tolerance)
    judged = [_judged(key, one, first, second, settled, set(differ)) for one in key.items]
    groups: dict[str, list[_Judged]] = {}
    for one in judged:
        groups.setdefault(one.item.question.character, []).append(one)
    answers = {name: _answers(group) for name, group in groups.items()}
    each = tuple(_scored(name, groups[name], [answers[name]], tolerance, draws) for name in sorted(groups))
    nominal = [one for one in answers.values() if one.metric == "nominal"]
    together = _scored("", judged, nominal, tolerance, draws)
    both = {item: (first[item], second[item]) for item in differ}
    still = tuple(item for item in differ if item not in settled)
    calibrations = tuple(_calibrations(judged, tolerance))
    return Score(key.sample, key.annotators, each, together, calibrations, both, still, tolerance)


def _character(key: Key, item: Item) -> Character:
    return key.dictionary.characters[item.question.character]


def _judged(key: Key, item: Item, first: Told, second: Told, settled: Told, differ: set[str]) -> _Judged:
    character, name = _character(key, item), item.item
    one, other = first[name][0], second[name][0]
    truth = settled.get(name, ("", ""))[0] if name in differ else one
    if truth == one != other and name not in differ:  # two measured numbers that count as the same: their mean
        truth = f"{(float(one) + float(other)) / 2:.12g}"
    return _Judged(item, character, (one, other), truth)


def _answers(group: Sequence[_Judged]) -> Answers:
    clusters = [one.item.specimen for one in group]
    if group[0].character.kind != "continuous":
        return Answers.of([one.both for one in group], clusters, "nominal")
    numbers = [[None if answer.startswith("[") else float(answer) for answer in one.both] for one in group]
    return Answers.of(numbers, clusters, "interval")


def _scored(
    name: str, group: Sequence[_Judged], answers: Sequence[Answers], tolerance: float, draws: int
) -> CharacterScore:
    settled = [one for one in group if one.told]
    claims = [(one, said) for one in settled for said in one.item.question.said if said.standing in CLAIMS]
    trusted = [(one, said) for one, said in claims if not said.doubts]
    shown = [one for one in settled if is_claim(one.truth)]
    return CharacterScore(
        name,
        len(group),
        sum(same(*one.both, one.character, tolerance) for one in group) / len(group) if group else None,
        alpha_of(answers, draws=draws),
        _share((_right(one, said, tolerance), one) for one, said in trusted),
        _share((_found(one, tolerance), one) for one in shown),
        _share((_right(one, said, tolerance), one) for one, said in claims if said.doubts),
        sum(one.truth == UNKNOWN for one in group),
        sum(not one.truth for one in group),
        _off(trusted) if name else None,
        _confusion(group) if name else (),
    )


def _right(one: _Judged, said: Statement, tolerance: float) -> bool:
    return same(code(said, one.character), one.truth, one.character, tolerance)


def _found(one: _Judged, tolerance: float) -> bool:
    said = one.item.question.said
    return any(_right(one, each, tolerance) for each in said if each.standing in CLAIMS and not each.doubts)


def _share(rows: Iterable[tuple[bool, _Judged]]) -> Share | None:
    found = list(rows)
    chances, specimens = [one.item.chance for _, one in found], [one.item.specimen for _, one in found]
    return share([right for right, _ in found], chances, specimens)


def _off(trusted: Sequence[tuple[_Judged, Statement]]) -> float | None:
    distances = [
        abs(said.value - float(one.truth))
        for one, said in trusted
        if one.character.kind == "continuous" and said.value is not None and not one.truth.startswith("[")
    ]
    return median(distances) if distances else None


def _confusion(group: Sequence[_Judged]) -> tuple[tuple[str, str, int], ...]:
    if group[0].character.kind == "continuous":
        return ()
    counts = Counter(
        (code(said, one.character), one.truth)
        for one in group
        if one.truth
        for said in one.item.question.said
        if not said.doubts
    )
    return tuple((*pair, count) for pair, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _calibrations(group: Sequence[_Judged], tolerance: float) -> list[Calibration]:
    statements, decisions = [], {}
    for one in group:
        for said in one.item.question.said if one.told else ():
            if said.standing in CLAIMS and said.confidence is not None:
                statements.append(said)
                decisions[said.id] = _right(one, said, tolerance)
    return calibrate(statements, decisions)
