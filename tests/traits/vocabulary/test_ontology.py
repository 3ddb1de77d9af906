"""Terms are found by their names in any usual spelling, and never by likeness."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.traits.vocabulary import Ontology, load_ontology, resolve
from pipelines.traits.vocabulary.obo import compact
from pipelines.traits.vocabulary.ontology import NAMES

PATO, AISM = load_ontology("pato"), load_ontology("aism")


def found(ontology: Ontology, text: str, *, in_domain: bool = False) -> str:
    term = ontology.find(text, in_domain=in_domain)
    return term.id if term else ""


def test_what_comes_with_labwright() -> None:
    assert (PATO.version, PATO.licence) == ("2025-05-14", "https://creativecommons.org/licenses/by/3.0/")
    assert AISM.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert PATO.attribution.startswith("PATO")
    assert "Girón" in AISM.attribution
    assert len(PATO.terms) == 1887
    assert len(AISM.terms) == 740
    data = files("pipelines.traits.vocabulary") / "data"
    assert sum(len((data / f"{name}.json.gz").read_bytes()) for name in NAMES) < 400_000


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("red", "PATO:0000322"),
        ("Red", "PATO:0000322"),
        ("  brown ", "PATO:0000952"),
        ("colour", "PATO:0000014"),
        ("colour pattern", "PATO:0000019"),
        ("gray", "PATO:0000950"),
        ("multi-coloured", "PATO:0001533"),
        ("multi_colored", "PATO:0001533"),
        ("variegated", "PATO:0001533"),
    ],
)
def test_states_in_any_usual_spelling(text: str, id: str) -> None:
    assert found(PATO, text) == id


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("antennae", "antenna"),
        ("fore-wings", "fore wing"),
        ("Forewing", "fore wing"),
        ("wing, fore", "fore wing"),
        ("the antenna", "antenna"),
        ("femora", "femur"),
        ("tibiae", "tibia"),
        ("tarsi", "tarsus"),
        ("cerci", "cercus"),
        ("margin of the head", ""),
        ("legs", ""),
    ],
)
def test_parts_in_any_usual_spelling(text: str, name: str) -> None:
    term = AISM.find(text)
    assert (term.name if term else "") == name


def test_names_of_an_insects_parts_may_leave_the_insect_out() -> None:
    assert found(AISM, "legs", in_domain=True) == found(AISM, "insect leg") != ""
    assert found(AISM, "vein of the wing", in_domain=True) == found(AISM, "insect wing vein") != ""


@pytest.mark.parametrize("text", ["", "…", "brownish", "re", "reddest", "wingless", "head and thorax", "spot", "42"])
def test_what_is_only_alike_is_not_found(text: str) -> None:
    assert found(PATO, text) == ""
    assert found(AISM, text, in_domain=True) == ""


def test_what_two_terms_could_be_is_not_found() -> None:
    text = "\n".join(
        [
            "ontology: pato",
            'property_value: owl:versionInfo "1"',
            'property_value: dc:title "two alike"',
            "property_value: terms:license https://example.org/",
            "",
            "[Term]",
            "id: PATO:1",
            "name: pale",
            'synonym: "faint" EXACT []',
            "",
            "[Term]",
            "id: PATO:2",
            'name: light {note="a"}',
            'def: "It says \\"light\\"." [X:1]',
            'synonym: "faint" EXACT []',
            'synonym: "bright" RELATED []',
            "is_a: PATO:1 ! pale",
            "",
            "[Term]",
            "id: PATO:3",
            "name: obsolete dim",
            'synonym: "dim" EXACT []',
            "is_obsolete: true",
            "replaced_by: PATO:1",
            "",
            "[Typedef]",
            "id: PATO:9",
            "name: part of",
        ]
    )
    made = compact(text, "nobody")
    assert made["terms"] == {
        "PATO:1": ["pale", ["faint"], [], ""],
        "PATO:2": ["light", ["faint"], ["PATO:1"], 'It says "light".'],
    }
    from pipelines.traits.vocabulary.ontology import Term

    terms = {
        id: Term(id, label, tuple(synonyms), tuple(parents), about)
        for id, (label, synonyms, parents, about) in made["terms"].items()
    }
    small = Ontology("pato", "1", "", "", "", "", terms, made["obsolete"])
    assert small.find("faint") is None
    assert small.find("bright") is None
    assert small.find("dim") is None
    assert small.get("PATO:3") == terms["PATO:1"]
    assert small.ancestors("PATO:2") == {"PATO:1"}


def test_obsolete_terms_are_never_found() -> None:
    assert PATO.obsolete
    assert not set(PATO.obsolete) & set(PATO.terms)
    assert resolve(next(iter(PATO.obsolete))) is None


@pytest.mark.parametrize("ontology", [PATO, AISM], ids=lambda one: one.name)
def test_every_term_is_found_by_its_label_unless_two_share_it(ontology: Ontology) -> None:
    labels = [term.name.casefold() for term in ontology.terms.values()]
    for term in ontology.terms.values():
        wanted = term.id if labels.count(term.name.casefold()) == 1 else ""
        assert found(ontology, term.name) == wanted
        assert found(ontology, term.name.upper()) == wanted


def test_parents_are_terms() -> None:
    assert all(parent in PATO.terms for term in PATO.terms.values() for parent in term.parents)
    assert "PATO:0000001" in PATO.ancestors("PATO:0000322")


@given(st.text())
def test_any_text_can_be_asked_for(text: str) -> None:
    for ontology in (PATO, AISM):
        term = ontology.find(text, in_domain=True)
        assert term is None or term.id in ontology.terms
