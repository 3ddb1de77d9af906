"""Names of taxa as people write them, and columns as they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.traits.collections.names import GENERIC, file_name, folder_name, folders, rank_of, scientific_name
from pipelines.traits.collections.terms import contradict, key, stated_licence, taxon, taxon_names, term_names
from pipelines.traits.specimens import RANKS

APIS = {"genus": "Apis", "species": "Apis mellifera"}
HYMENOPTERA = {"order": "Hymenoptera", "family": "Apidae"} | APIS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Apis mellifera", APIS),
        ("Apis_mellifera", APIS),
        ("apis_mellifera", APIS),
        ("Apis+mellifera", APIS),
        ("Apis mellifera carnica", APIS),
        ("Apis mellifera Linnaeus, 1758", APIS),
        ("Apis (Apis) mellifera", APIS),
        ("Apis_sp.", {"genus": "Apis"}),
        ("Apis cf. mellifera", {"genus": "Apis"}),
        ("Hymenoptera_Apidae_Apis_mellifera", HYMENOPTERA),
        ("Hymenoptera_Apidae_Apis_Apis mellifera", HYMENOPTERA),
        (
            "02691_Animalia_Arthropoda_Insecta_Hymenoptera_Apidae_Apis_mellifera",
            {"kingdom": "Animalia", "phylum": "Arthropoda", "class": "Insecta"} | HYMENOPTERA,
        ),
        ("Longanata_Longanidae_Junymna_mira", None),
        ("order=Hymenoptera", {"order": "Hymenoptera"}),
        ("family_Apidae", {"family": "Apidae"}),
        ("species=Apis mellifera", APIS),
        ("Apidae", {"family": "Apidae"}),
        ("Rosaceae", {"family": "Rosaceae"}),
        ("Fagales", {"order": "Fagales"}),
        ("Passeriformes", {"order": "Passeriformes"}),
        ("Hymenoptera", {"order": "Hymenoptera"}),
        ("Apis", {"genus": "Apis"}),
        ("001.Black_footed_Albatross", {"species": "Black footed Albatross"}),
        ("unknown", {}),
        ("images", {}),
        ("2024-05-06", {}),
        ("", {}),
    ],
)
def test_folder_names(name: str, said: dict[str, str] | None) -> None:
    if said is None:
        said = {"order": "Longanata", "family": "Longanidae", "genus": "Junymna", "species": "Junymna mira"}
    assert folder_name(name) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Hymenoptera/Apidae/Apis/mellifera", HYMENOPTERA),
        ("order=Hymenoptera/family=Apidae/Apis mellifera", HYMENOPTERA),
        ("train/Apis mellifera/dorsal", APIS),
        ("Apis mellifera/box_3", APIS),
        ("Kew/Apis mellifera", APIS),
        ("Apis/male", {"genus": "Apis"}),
        ("Hymenoptera/unknown", {"order": "Hymenoptera"}),
        ("images", {}),
    ],
)
def test_nested_folders(path: str, said: dict[str, str]) -> None:
    assert folders(path.split("/")) == said


def test_file_names() -> None:
    assert file_name("Blattodea", binomials=False) == {"order": "Blattodea"}
    assert file_name("Apidae (12)", binomials=False) == {"family": "Apidae"}
    assert file_name("Apis_mellifera_012", binomials=True) == APIS
    assert file_name("Apis_mellifera_012", binomials=False) == {}
    assert file_name("IMG_0123", binomials=True) == {}
    assert file_name("BIOUG68001-C12_crop", binomials=True) == {}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"scientificName": "Apis mellifera Linnaeus, 1758"}, APIS),
        ({"scientificName": "Apidae", "taxonRank": "FAMILY"}, {"family": "Apidae"}),
        ({"scientificName": "Apis mellifera carnica", "taxonRank": "SUBSPECIES"}, APIS),
        ({"genus": "Apis", "specificEpithet": "mellifera"}, APIS),
        ({"genus": "Apis", "species": "mellifera"}, APIS),
        ({"genericName": "Apis", "specificEpithet": "mellifera"}, APIS),
        ({"species": "Apis mellifera"}, APIS),
        ({"species": "Apis sp.", "order": "Hymenoptera"}, {"order": "Hymenoptera", "genus": "Apis"}),
        ({"species": "not_classified", "order": "Hymenoptera", "family": "NA"}, {"order": "Hymenoptera"}),
        ({"scientificName": "Carabidae", "family": "Carabidae"}, {"family": "Carabidae"}),
        ({"label": "Apis_mellifera"}, APIS),
        ({"label": "3"}, {"species": "class 3"}),
        ({"label": "3", "genus": "Apis"}, {"genus": "Apis"}),
        ({"vernacularName": "bee"}, {}),
    ],
)
def test_rows(row: dict[str, str], said: dict[str, str]) -> None:
    assert taxon_names(row) == said


def test_columns() -> None:
    columns = [
        "dwc:scientificName",
        "http://rs.tdwg.org/dwc/terms/order",
        "decimal_latitude",
        "lat",
        "Licence",
        "foo Bar",
    ]
    expected = ["scientificName", "order", "decimalLatitude", "lat", "dcterms:license", "foo Bar"]
    assert term_names(columns) == expected
    assert term_names(["a", "a", "", "a"]) == ["a", "a (2)", "column 3", "a (3)"]
    assert key("ac:accessURI") == "accessuri"


def test_licences() -> None:
    assert stated_licence({"dcterms:rights": "© me", "dcterms:license": "CC0"}) == "CC0"
    assert stated_licence({"dcterms:rights": "© me"}) == "© me"
    assert stated_licence({}) == ""


def test_contradictions() -> None:
    apis, mellifera, cerana = (taxon(scientific_name(name)) for name in ("Apis", "Apis mellifera", "Apis cerana"))
    assert not contradict(apis, mellifera)
    assert contradict(mellifera, cerana)
    assert taxon({"species": "Apis mellifera"}).at("genus") == "Apis"


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_names_say_ranks_in_order_or_nothing(names: list[str]) -> None:
    said = folders(names)
    assert list(said) == [rank for rank in RANKS if rank in said]
    assert all(name.strip() == name != "" for name in said.values())


@given(
    st.dictionaries(
        st.sampled_from([*RANKS, "scientificName", "label", "specificEpithet", "taxonRank"]), st.text(max_size=20)
    )
)
def test_any_row_says_ranks_in_order_or_nothing(row: dict[str, str]) -> None:
    said = taxon_names(row)
    assert list(said) == [rank for rank in RANKS if rank in said]
    assert all(said.values())


@given(st.from_regex(r"[A-Z][a-z]{3,9}", fullmatch=True), st.from_regex(r"[a-z]{4,9}", fullmatch=True))
def test_a_binomial_is_read_back_however_it_is_joined(genus: str, epithet: str) -> None:
    if rank_of(genus) or epithet in GENERIC or f"{genus} {epithet}".casefold() in RANKS or genus.casefold() in RANKS:
        return
    expected = {"genus": genus, "species": f"{genus} {epithet}"}
    for joined in (f"{genus} {epithet}", f"{genus}_{epithet}", f"{genus.lower()}_{epithet}"):
        assert folder_name(joined) == expected
    assert folders([genus, epithet]) == expected
