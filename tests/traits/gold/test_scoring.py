"""What a score says of a machine whose errors are known, of people who err, and of numbers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pipelines.traits.gold.key import Item, Key
from pipelines.traits.gold.questions import Question, choices, code, questions, read_answer, same
from pipelines.traits.gold.scoring import CharacterScore, score
from pipelines.traits.statements import Statement
from tests.traits.gold.annotated import COLOURS, DICTIONARY, says

Told = dict[str, tuple[str, str]]
PRECISION, RECALL = 0.85, 0.7
"""Of the made-up machine: how often its claims are right, and how often it claims something that is there."""


def item(number: int, said: list[Statement], specimen: str = "", chance: float = 0.5) -> Item:
    first = said[0]
    asked = Question(first.image, first.latent, first.place, "head", first.character, tuple(said))
    return Item(f"{number:04d}", specimen or first.image, ("all",), chance, asked)


def key_of(items: list[Item]) -> Key:
    settings = {"strata": ["character"], "seed": 0, "least": 1}
    return Key("0" * 12, ("Ada", "Ben"), settings, {"all": len(items)}, DICTIONARY, tuple(items))


def told(items: list[Item], answers: list[str]) -> Told:
    return {one.item: (answer, "") for one, answer in zip(items, answers, strict=True)}


def one_score(said: list[list[Statement]], first: list[str], second: list[str] | None = None) -> CharacterScore:
    items = [item(number, of_item) for number, of_item in enumerate(said)]
    return score(key_of(items), told(items, first), told(items, second or first)).all


def machine(rng: random.Random, number: int, chance: float) -> tuple[Item, str]:
    """An item with what is there, as a machine of known precision and recall describes it."""
    image = f"{number // 3:032x}"
    truth = rng.choice(COLOURS)
    if rng.random() < RECALL / PRECISION:
        wrong = rng.choice([name for name in COLOURS if name != truth])
        said = says(image, number % 3, "colour", truth if rng.random() < PRECISION else wrong)
    else:
        said = says(image, number % 3, "colour", "[unknown]")
    return item(number, [said], chance=chance), truth


def test_known_rates_lie_in_the_intervals_as_often_as_these_say() -> None:
    """Two people err in 3 and 6 of 100, and a third settles; 60 samples of 120 items drawn with unequal chances."""
    held = {"precision": 0, "recall": 0}
    for seed in range(60):
        rng = random.Random(seed)
        made = [machine(rng, number, rng.choice([0.1, 0.2, 0.5])) for number in range(120)]
        items = [one for one, _ in made]
        truth = told(items, [there for _, there in made])
        tables = [told(items, [t if rng.random() > e else "[unknown]" for _, t in made]) for e in (0.03, 0.06)]
        found = score(key_of(items), tables[0], tables[1], truth, draws=10).all
        assert found.precision is not None
        assert found.recall is not None
        held["precision"] += found.precision.low <= PRECISION <= found.precision.high
        held["recall"] += found.recall.low <= RECALL <= found.recall.high
        assert found.agreed is not None
        assert 0.8 < found.agreed < 1
    assert min(held.values()) >= 54


def test_what_counts_for_precision_and_recall() -> None:
    image = "0" * 32
    said = [
        ([says(image, 1, "colour", "red")], "red"),
        ([says(image, 2, "colour", "red")], "brown"),
        ([says(image, 3, "colour", "red")], "[not visible]"),
        ([says(image, 4, "colour", "red")], "[background]"),
        ([says(image, 5, "colour", "red")], "[unknown]"),
        ([says(image, 6, "colour", "[absent]")], "[absent]"),
        ([says(image, 7, "colour", "[not visible]")], "red"),
        ([says(image, 8, "colour", "red", doubts=("same elsewhere",))], "red"),
        ([says(image, 9, "colour", "red"), says(image, 9, "colour", "brown", text="again")], "brown"),
    ]
    found = one_score([one for one, _ in said], [answer for _, answer in said])
    assert found.precision is not None
    assert found.recall is not None
    assert found.doubted is not None
    assert (found.precision.right, found.precision.items) == (3, 7)
    assert (found.recall.right, found.recall.items) == (3, 6)
    assert (found.doubted.right, found.doubted.items) == (1, 1)
    assert (found.untold, found.disputed) == (1, 0)


def test_measured_numbers_are_the_same_within_the_tolerance() -> None:
    said = [[says(f"{number:032x}", 1, "width", value)] for number, value in enumerate(("10", "10", "10", "4"))]
    items = [item(number, one) for number, one in enumerate(said)]
    first, second = told(items, ["10.2", "12", "[not visible]", "3"]), told(items, ["9.6", "9", "[not visible]", "3"])
    found = score(key_of(items), first, second)
    assert found.open == ("0001",)
    (width,) = found.characters
    assert width.precision is not None
    assert (width.precision.right, width.precision.items) == (1, 3)
    assert width.off == pytest.approx((0.1 + 1.0) / 2)
    assert (width.confusion, width.agreed) == ((), 0.75)
    assert width.alpha.value == pytest.approx(0.894822006)  # by the package krippendorff 0.9
    assert found.all.alpha.value is None
    settled = score(key_of(items), first, second, {"0001": ("10", "")}, tolerance=0.01)
    assert set(settled.open) == {"0000"}


def test_confidence_is_held_against_what_people_found() -> None:
    items, answers = [], []
    for number in range(80):
        said = says(f"{number:032x}", 1, "colour", "red", confidence=0.9 if number % 2 else 0.3)
        items.append(item(number, [said]))
        answers.append("red" if number % 2 else "brown")
    (found,) = score(key_of(items), told(items, answers), told(items, answers)).calibrations
    assert [(row.reviewed, row.right) for row in found.table] == [(40, 0.0), (40, 1.0)]
    assert found.error == pytest.approx(0.2)


def test_what_the_machine_says_of_one_thing_is_one_question() -> None:
    one, other = "1" * 32, "2" * 32
    said = [
        says(one, 1, "colour", "red"),
        says(one, 1, "pattern", "plain"),
        says(one, 1, "colour", "brown", part=" head "),
        says(one, 2, "colour", "red", doubts=("same elsewhere",)),
        replace(
            says(one, 3, "colour", "red"), describer=replace(says(one, 1, "colour", "red").describer, kind="person")
        ),
        says(one, 4, "colour", "[not visible]"),
        says(other, 1, "colour", "red", confidence=None),
        says(other, 2, "colour", "red", confidence=0.6),
        says(other, 3, "width", "1.5"),
    ]
    found = list(questions(said, ["colour"]))
    assert [(len(each.said), each.band) for each in found] == [
        (2, "sure"), (1, "doubted"), (1, "not visible"), (1, "claimed"), (1, "fairly sure")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("character", "text", "wanted"),
    [
        ("colour", "red", "red"),
        ("colour", " RED ", "red"),
        ("colour", "Not Visible", "[not visible]"),
        ("colour", "[absent]", "[absent]"),
        ("marks", "3", "3"),
        ("marks", "3.0", "3"),
        ("marks", "0", "[absent]"),
        ("width", "1.50", "1.5"),
        ("width", "unknown", "[unknown]"),
    ],
)
def test_answers_that_are_understood(character: str, text: str, wanted: str) -> None:
    assert read_answer(text, DICTIONARY.characters[character]) == wanted


@pytest.mark.parametrize(
    ("character", "text", "says"),
    [
        ("colour", "redish", "write one of black, brown"),
        ("colour", "3", "write one of"),
        ("marks", "2.5", "a whole number"),
        ("marks", "-1", "a whole number"),
        ("width", "1,5", "a point before decimals"),
        ("width", "nan", "a number"),
    ],
)
def test_answers_that_are_none(character: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_answer(text, DICTIONARY.characters[character])


@pytest.mark.parametrize("character", DICTIONARY.characters.values(), ids=lambda one: one.id)
def test_every_choice_is_read_as_itself(character: object) -> None:
    from pipelines.traits.statements import Character

    assert isinstance(character, Character)
    for name, label, _ in choices(character):
        assert read_answer(name, character) == read_answer(label, character) == name
        assert same(name, name, character, 0.0)
    assert code(says("0" * 32, 1, "marks", "0"), DICTIONARY.characters["marks"]) == "[absent]"
