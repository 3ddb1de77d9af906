"""Whole: a described collection with one fault of each kind, each of which gets its own doubt and no other."""

from __future__ import annotations

from dataclasses import replace

from pipelines.traits.checking import DOUBTS, Evidence, check, doubted, kind_of
from pipelines.traits.specimens import Taxon
from pipelines.traits.statements import Describer, Statement
from tests.traits.checking.saying import DICTIONARY, MODEL, PLACE, state

FLY = Taxon({"order": "Diptera", "species": "Musca domestica"})
BEE = Taxon({"order": "Hymenoptera", "species": "Apis mellifera"})
TAXA = {f"f{i}": FLY for i in range(6)} | {f"b{i}": BEE for i in range(6)}


def collection() -> list[Statement]:
    """Wings of flies are red, of bees blue; two answers on each."""
    return [
        state(image, "red" if taxon is FLY else "blue", sample=sample, part_term="AISM:0000033", confidence=0.9)
        for image, taxon in TAXA.items()
        for sample in (0, 1)
    ]


def test_a_consistent_collection_has_no_doubts() -> None:
    checked = check(collection(), Evidence(TAXA, DICTIONARY))
    assert checked.statements == collection()
    assert [(tally.group.taxon, tally.counts, tally.agreement) for tally in checked.tallies] == [
        ("Apis mellifera", {"blue": 6}, 1.0),
        ("Musca domestica", {"red": 6}, 1.0),
    ]
    assert [(one.character, one.questions, one.agreement, one.alpha) for one in checked.repeats] == [
        ("colour", 12, 1.0, 1.0)
    ]


def test_each_fault_gets_its_own_doubt() -> None:
    wing, hind = {"part_term": "AISM:0000033"}, {"part": "hind wing", "part_term": "AISM:0000038"}
    faults = {
        "differs from other images of the taxon": [state("f0", "blue", sample=s, latent=9, **wing) for s in (0, 1)],
        "differs between repeated prompts": [state("b0", "red", sample=1, **wing)],
        "contradicts the key of Diptera": [state("f1", sample=s, **hind) for s in (0, 1)],
        "part in no vocabulary": [state("b1", sample=s, part="flux organ", latent=4) for s in (0, 1)],
        "said of background": [state("b2", "blue", sample=s, latent=5, **wing) for s in (0, 1)],
        "incoherent: not visible, with a state": [state("b3", sample=s, standing="not visible") for s in (0, 1)],
        "part cannot be there": [
            state("b4", "blue", sample=s, latent=6, conditions=(("life stage", "pupa"),), **wing) for s in (0, 1)
        ],
    }  # fmt: skip
    said = [one for one in collection() if one.image != "f0"] + [one for those in faults.values() for one in those]
    checked = check(said, Evidence(TAXA, DICTIONARY, on_organism={("b2", 5): 0.05}))
    found = {doubt: {one.id for one in checked.statements if doubt in one.doubts} for doubt in faults}
    expected = {doubt: {one.id for one in those} for doubt, those in faults.items()}
    expected["differs from other images of the taxon"] |= expected["differs between repeated prompts"]
    assert found == expected
    assert {doubt for one in checked.statements for doubt in one.doubts} == set(faults)
    assert [replace(one, doubts=()) for one in checked.statements] == said


def test_descriptions_that_do_not_change_with_what_is_shown_are_doubted() -> None:
    said = [state("f0", "red"), state("f1", "red"), state("f1", "blue", character="number")]
    other = Describer("model", "seer-1", "describe-region 1, another region")
    blank = Describer("model", "seer-1", "describe-region 1, blank image")
    evidence = Evidence(
        TAXA,
        known_parts=["wing"],
        elsewhere=[state("f0", "red", describer=other), state("f1", "blue", describer=other)],
        blank=[state("", "red", describer=blank)],
    )
    checked = check(said, evidence)
    assert [one.doubts for one in checked.statements] == [("same of another region", "same of a blank image"), (), ()]
    assert (checked.elsewhere.compared, checked.elsewhere.unchanged, checked.elsewhere.described) == (2, 1, 2)
    assert (checked.blank.compared, checked.blank.unchanged, checked.blank.described) == (2, 1, 1)


def test_the_other_region_under_another_model_is_no_control() -> None:
    other = Describer("model", "seer-2", "x")
    checked = check([state("f0")], Evidence({}, known_parts=["wing"], elsewhere=[state("f0", describer=other)]))
    assert (checked.elsewhere.compared, checked.statements[0].doubts) == (0, ())


def test_two_empty_descriptions_are_not_the_same_description() -> None:
    nothing = Statement("f0", 3, PLACE, "region", "", "background", MODEL)
    checked = check([nothing], Evidence({}, elsewhere=[nothing], blank=[nothing]))
    assert checked.statements == [nothing]


def test_a_doubt_is_held_once_and_every_doubt_is_defined() -> None:
    once = doubted(state("f0"), "said of background")
    assert doubted(once, "said of background") is once
    assert kind_of("contradicts the key of Diptera") == "contradicts the key of"
    assert kind_of("no answer: refused") == "no answer"
    assert kind_of("no answers") == ""
    assert all(definition.endswith(".") for definition in DOUBTS.values())
