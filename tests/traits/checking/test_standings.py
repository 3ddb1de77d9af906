"""Standings: what was not seen has no state."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipelines.traits.checking import broken_rule, check_lengths, check_names, check_parts, check_standings
from pipelines.traits.prompting import NameGuard
from pipelines.traits.specimens import Taxon
from pipelines.traits.statements import STANDINGS, Describer
from tests.traits.checking.saying import DICTIONARY, state


@pytest.mark.parametrize("standing", STANDINGS)
def test_a_state_goes_with_observed_and_with_no_other_standing(standing: str) -> None:
    with_state = broken_rule(state("i", "red", standing=standing))
    without = broken_rule(state("i", "", standing=standing))
    if standing == "observed":
        assert (with_state, without) == ("", "observed without a state or a number")
    else:
        assert (with_state, without) == (f"{standing}, with a state", "")


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"standing": "guessed"}, "no such standing"),
        ({"value": 2.0}, "a state and a number"),
        ({"what": "", "value": math.nan}, "a number that is not finite"),
        ({"what": "", "value": 2.0, "uncertainty": -1.0}, "an uncertainty below 0"),
        ({"uncertainty": 1.0}, "an uncertainty without a number"),
        ({"confidence": 1.2}, "a confidence outside 0 to 1"),
        ({"what": "two", "character": "number"}, "number is a count, without a number"),
        ({"what": "", "character": "number", "value": 1.5}, "a count that is no count"),
        ({"what": "", "character": "number", "value": 2.0}, ""),
        ({"what": "", "value": 3.0}, "colour has states, and no number"),
        ({"what": "", "character": "lightness", "value": 55.5, "uncertainty": 0.5}, ""),
        ({"what": "", "standing": "absent", "value": 1.0}, "absent, with a number"),
    ],
)
def test_rules(told: dict[str, Any], rule: str) -> None:
    what = told.pop("what", "red")
    assert broken_rule(state("i", what, **told), DICTIONARY) == rule


def test_what_is_background_or_absent_is_not_described_by_the_same_answer() -> None:
    said = [
        state("i", "", part="region", character="", standing="background"),
        state("i"),
        state("i", sample=1),
        state("i", "", part="antenna", character="", standing="absent", sample=1),
        state("i", part="Antenna", sample=1),
    ]
    found = check_standings(said)
    assert [one.doubts for one in found] == [
        (),
        ("incoherent: background is described",),
        (),
        (),
        ("incoherent: an absent part is described",),
    ]


def test_parts_in_no_vocabulary_and_on_background_are_marked_once_each() -> None:
    said = [state("i", part=part) for part in ("flux organ", "Region", "crest")]
    said.append(state("i", "", standing="unknown"))
    found = check_parts(said, known=["Crest"], on_organism={("i", 3): 0.1})
    assert [one.doubts for one in found] == [
        ("part in no vocabulary", "said of background"),
        ("said of background",),
        ("said of background",),
        (),
    ]


@pytest.mark.parametrize(
    ("told", "doubt"),
    [
        ({"text": "About 5 mm long."}, "length by eye"),
        ({"what": "2 millimetres"}, "length by eye"),
        ({"text": "Looks like an Aus to me."}, "names a taxon"),
        ({"part": "wing of A. bus"}, "names a taxon"),
        ({"text": "Two bands, 3 in all; a 5-branched vein."}, ""),
        ({"text": "5 mm", "describer": Describer("measured", "scale", "")}, ""),
        ({"text": "Aus", "describer": Describer("person", "A. Curator", "")}, ""),
    ],
)
def test_words_that_a_model_should_not_have_written(told: dict[str, Any], doubt: str) -> None:
    names = NameGuard([Taxon({"genus": "Aus", "species": "Aus bus"})]).names_in
    (found,) = check_names(check_lengths([state("i", told.pop("what", "red"), **told)]), names)
    assert found.doubts == ((doubt,) if doubt else ())
