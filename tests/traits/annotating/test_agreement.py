"""How far specimens agree: nothing is erased, and two common states are a result."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.traits.annotating.agreement import Verdict, agreements, read_agreements, verdict_of, write_agreements
from pipelines.traits.describing import MEASURED
from pipelines.traits.statements import Standing, Statement
from pipelines.traits.vocabulary import shipped_dictionary
from tests.traits.describing.drawn import MIDDLE

WORDS = shipped_dictionary()
TAXA = [("genus", "Genus"), ("species", "Genus lutea")]


def said(image: int, state: str, standing: Standing = "observed", doubts: tuple[str, ...] = ()) -> Statement:
    return Statement(f"{image:032x}", 5, MIDDLE, "region", "colour", standing, MEASURED, state=state, doubts=doubts)


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ({}, "too few"),
        ({"red": 2}, "too few"),
        ({"red": 3}, "agrees"),
        ({"red": 8, "blue": 2}, "agrees"),
        ({"red": 6, "blue": 4}, "polymorphic"),
        ({"red": 3, "blue": 2}, "differs"),
        ({"red": 5, "blue": 4, "green": 1}, "polymorphic"),
        ({"red": 4, "blue": 3, "green": 3}, "differs"),
        ({"red": 70, "blue": 10, "green": 10, "black": 10}, "differs"),
    ],
)
def test_what_the_numbers_say(states: dict[str, int], verdict: Verdict) -> None:
    assert verdict_of(states) == verdict


def test_everything_is_counted() -> None:
    statements = [
        *(said(image, "yellow") for image in range(4)),
        said(4, "brown", doubts=("same elsewhere",)),
        said(5, "", "not visible"),
        said(6, "", "absent"),
    ]
    genus, species = agreements(((one, TAXA) for one in statements), WORDS)
    assert (genus.rank, species.taxon) == ("genus", "Genus lutea")
    assert genus.states == {"yellow": 4, "absent": 1, "brown": 1}
    assert genus.standings == {"not visible": 1}
    assert (genus.specimens, genus.doubted, genus.commonest) == (6, 1, "yellow")
    assert genus.share == pytest.approx(4 / 6, abs=1e-4)


def test_numbers_have_no_states_to_agree_on() -> None:
    one = Statement("0" * 32, 5, MIDDLE, "region", "lightness", "observed", MEASURED, value=50.0, unit="1")
    assert list(agreements([(one, TAXA)], WORDS)) == []


def test_what_was_written_is_read(tmp_path: Path) -> None:
    found = list(agreements(((said(image, "yellow"), TAXA) for image in range(4)), WORDS))
    write_agreements(tmp_path / "agreement.jsonl", found)
    assert read_agreements(tmp_path) == found


@given(st.lists(st.sampled_from(["red", "blue", "green", "yellow"]), max_size=60))
def test_counts_add_up_in_any_order(states: list[str]) -> None:
    statements = [(said(number, state), TAXA[:1]) for number, state in enumerate(states)]
    forward, backward = list(agreements(statements, WORDS)), list(agreements(statements[::-1], WORDS))
    assert forward == backward
    for one in forward:
        assert dict(one.states) == dict(Counter(states))
        assert one.share == pytest.approx(max(Counter(states).values()) / len(states), abs=1e-4)
