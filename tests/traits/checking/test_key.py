"""The key of insect orders: what each order cannot have is found, what it has is left alone."""

from __future__ import annotations

import pytest

from pipelines.traits.checking import check_key, parsed_key, shipped_key
from pipelines.traits.specimens import Taxon
from protocols.errors import InputError
from tests.traits.checking.saying import state


def doubts(order: str, part: str, *, within: str = "Insecta", **more: object) -> tuple[str, ...]:
    taxa = {"i": Taxon({"class": within, "order": order, "species": "Aus bus"})}
    (found,) = check_key([state("i", str(more.pop("what", "brown")), part=part, **more)], taxa)
    return found.doubts


@pytest.mark.parametrize(
    ("order", "part", "group"),
    [
        ("Diptera", "hind wing", "Diptera"),
        ("Diptera", "left hindwing margin", "Diptera"),
        ("Diptera", "Elytra", "Diptera"),
        ("Hymenoptera", "haltere", "Hymenoptera"),
        ("Lepidoptera", "elytron", "Lepidoptera"),
        ("Coleoptera", "halteres", "Coleoptera"),
        ("Siphonaptera", "fore-wing", "Siphonaptera"),
        ("Coleoptera", "dorsal fin", "Insecta"),
        ("Embioptera", "petals", "Insecta"),
    ],
)
def test_parts_that_an_order_does_not_have(order: str, part: str, group: str) -> None:
    assert doubts(order, part) == (f"contradicts the key of {group}",)


@pytest.mark.parametrize(
    ("order", "part"),
    [
        ("Diptera", "haltere"),
        ("Diptera", "fore wing"),
        ("Coleoptera", "elytron"),
        ("Coleoptera", "hind wing"),
        ("Orthoptera", "elytra"),
        ("Strepsiptera", "halteres"),
        ("Hemiptera", "hemelytron"),
        ("Hymenoptera", "sting"),
        ("Diptera", "abdomen"),
        ("Siphonaptera", "wing pad"),
        ("Perciformes", "dorsal fin"),
    ],
)
def test_parts_that_an_order_has_or_that_the_key_does_not_know(order: str, part: str) -> None:
    assert doubts(order, part, within="" if order == "Perciformes" else "Insecta") == ()


@pytest.mark.parametrize(
    ("order", "part", "number", "doubt"),
    [
        ("Diptera", "wing", 4, "contradicts the key of Diptera"),
        ("Diptera", "wing", 2, ""),
        ("Hymenoptera", "wing", 4, ""),
        ("Hymenoptera", "legs", 8, "contradicts the key of Insecta"),
        ("Hymenoptera", "legs", 5, ""),
        ("Diptera", "hind wing", 0, ""),
    ],
)
def test_numbers_of_parts(order: str, part: str, number: int, doubt: str) -> None:
    found = doubts(order, part, what="", character="number", value=float(number))
    assert found == ((doubt,) if doubt else ())


def test_saying_that_a_part_is_absent_or_hidden_contradicts_only_where_every_adult_has_it() -> None:
    assert doubts("Diptera", "hind wing", what="", standing="absent", character="") == ()
    assert doubts("Diptera", "antennae", what="", standing="absent", character="") == (
        "contradicts the key of Insecta",
    )
    assert doubts("Diptera", "antennae", what="", standing="not visible", character="") == ()
    larva = (("life stage", "larva"),)
    assert doubts("Diptera", "antennae", what="", standing="absent", character="", conditions=larva) == ()


def test_wings_of_a_larva_cannot_be_there() -> None:
    assert doubts("Lepidoptera", "wing", conditions=(("life stage", "Caterpillar"),)) == ("part cannot be there",)
    assert doubts("Lepidoptera", "leg", conditions=(("life stage", "larva"),)) == ()


def test_an_order_is_judged_as_an_insect_without_its_class() -> None:
    (found,) = check_key([state("i", part="tail fin")], {"i": Taxon({"order": "Odonata"})})
    assert found.doubts == ("contradicts the key of Insecta",)


def test_every_group_names_its_sources_and_no_part_is_judged_that_is_not_there() -> None:
    key = shipped_key()
    assert all(group.sources and set(group.sources) <= key.sources.keys() for group in key.groups.values())
    assert len(key.groups) >= 20
    assert all(not set(group.never) & set(group.most) - {"wing"} or group.within for group in key.groups.values())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key: [", "is no key"),
        ("key: a", "is no key"),
        ("key: a\nversion: 1\nparts: {}\ngroups: {A: {never: [tail]}}", "A: tail is not there"),
        ("key: a\nversion: 1\nparts: {}\ngroups: {A: {within: B}}", "A: B is not there"),
        ("key: a\nversion: 1\nparts: {x: {}}\ngroups: {}", "names"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parsed_key(text, "key.yaml")
