"""The rules of a validator of Darwin Core Archives, written out, and EML's order of elements.

Rules: https://dwc.tdwg.org/text/, https://www.gbif.org/tools/data-validator, EML 2.2.0's eml-resource.xsd.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.traits.dataset import DatasetSettings, write_dataset
from pipelines.traits.dataset.regions import outlines, signed_area
from pipelines.traits.specimens import Specimen, Taxon
from pipelines.traits.statements import Place, Statement
from tests.traits.dataset.drawn import DICTIONARY, PLACE, collection, said_of, statements
from tests.traits.dataset.test_writing import SETTINGS

TEXT = "{http://rs.tdwg.org/dwc/text/}"
BASES = {"PreservedSpecimen", "FossilSpecimen", "LivingSpecimen", "MaterialSample", "HumanObservation"}
BASES |= {"MachineObservation", "Occurrence", "MaterialCitation", "Event", "Taxon"}
ORDER = ["alternateIdentifier", "shortName", "title", "creator", "metadataProvider", "associatedParty", "pubDate"]
ORDER += ["language", "series", "abstract", "keywordSet", "additionalInfo", "intellectualRights", "licensed"]
ORDER += ["distribution", "coverage", "annotation", "purpose", "introduction", "gettingStarted", "contact"]
PARTY = {"individualName", "organizationName", "positionName", "electronicMailAddress", "onlineUrl"}
ANY = st.text(st.characters(codec=None), max_size=12)


def tables(path: Path) -> dict[str, list[dict[str, str]]]:
    """Rows of each file by term, and under ``id``; every structural rule is checked."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        meta = ElementTree.fromstring(archive.read("meta.xml"))
        assert meta.tag == f"{TEXT}archive"
        assert meta.get("metadata") in names
        assert len(meta.findall(f"{TEXT}core")) == 1
        found = {}
        for table in meta:
            kind = "core" if table.tag == f"{TEXT}core" else "extension"
            assert table.tag == TEXT + kind
            assert (table.get("encoding"), table.get("fieldsTerminatedBy"), table.get("linesTerminatedBy")) == (
                "UTF-8", "\\t", "\\n",
            )  # fmt: skip
            assert re.fullmatch(r"http://\S+/\w+", table.get("rowType", ""))
            location = table.findtext(f"{TEXT}files/{TEXT}location")
            assert location in names
            fields = {int(one.get("index", "")): one.get("term", "") for one in table.findall(f"{TEXT}field")}
            assert len(set(fields.values())) == len(fields) == len(table.findall(f"{TEXT}field")), "a term twice"
            assert all(re.fullmatch(r"http://\S+/\w+", term) for term in fields.values())
            id = table.find(TEXT + ("id" if kind == "core" else "coreid"))
            assert id is not None
            assert id.get("index") == "0"
            lines = archive.read(location or "").decode("utf-8").split("\n")
            assert lines.pop() == ""
            width = max(fields) + 1
            rows = [line.split("\t") for line in lines[int(table.get("ignoreHeaderLines", "0")) :]]
            assert all(len(row) == width for row in rows), "columns and meta.xml differ"
            assert not any(re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", cell) for row in rows for cell in row)
            found[location or ""] = [{"id": row[0], **{fields[i]: row[i] for i in fields}} for row in rows]
    return found


def value(row: dict[str, str], term: str) -> str:
    return next(cell for name, cell in row.items() if name.rpartition("/")[2] == term)


def check(path: Path) -> dict[str, list[dict[str, str]]]:
    """Everything that a validator asks of the values."""
    found = tables(path)
    core = found["occurrence.txt"]
    ids = [row["id"] for row in core]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    for row in core:
        assert row["id"] == value(row, "occurrenceID")
        assert value(row, "basisOfRecord") in BASES
        assert value(row, "occurrenceStatus") in ("present", "absent")
        assert value(row, "license") == "" or re.match(r"https?://|MIT$", value(row, "license"))
    for name in ("measurements.txt", "multimedia.txt"):
        assert {row["id"] for row in found[name]} <= set(ids)
    facts = [value(row, "measurementID") for row in found["measurements.txt"]]
    assert len(set(facts)) == len(facts)
    assert all(value(row, "measurementType") and value(row, "measurementValue") for row in found["measurements.txt"])
    media = {value(row, "identifier") for row in found["multimedia.txt"]}
    assert len(media) == len(found["multimedia.txt"])
    for row in found["multimedia.txt"]:
        assert value(row, "type") == "StillImage"
        of = value(row, "isROIOf")
        assert of in media or not of
        x, y, width, height = (value(row, term) for term in ("xFrac", "yFrac", "widthFrac", "heightFrac"))
        assert bool(of) == bool(x) == bool(height)
        if of:
            assert 0 <= float(x) <= float(x) + float(width) <= 1.000001
            assert 0 <= float(y) <= float(y) + float(height) <= 1.000001
    return found


def check_eml(path: Path) -> ElementTree.Element:
    with zipfile.ZipFile(path) as archive:
        eml = ElementTree.fromstring(archive.read("eml.xml"))
    assert eml.tag == "{https://eml.ecoinformatics.org/eml-2.2.0}eml"
    assert eml.get("packageId")
    assert eml.get("system")
    (dataset,) = eml
    places = [ORDER.index(one.tag) for one in dataset]
    assert places == sorted(places)
    assert {"title", "creator", "contact"} <= {one.tag for one in dataset}
    assert (dataset.findtext("title") or "").strip()
    for tag in ("creator", "contact"):
        for party in dataset.findall(tag):
            assert party[0].tag in ("individualName", "organizationName", "positionName")
            assert {one.tag for one in party} <= PARTY
    return dataset


def test_the_archive_keeps_the_rules(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    whole = replace(SETTINGS, url="https://example.org/tiny/", contact="a@example.org")
    out = write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", tmp_path / "out", whole).folder
    found = check(out / "darwin_core.zip")
    dataset = check_eml(out / "darwin_core.zip")
    assert dataset.findtext("intellectualRights/para/ulink/citetitle") == "CC0 1.0"
    facts = {(value(row, "measurementType"), value(row, "measurementValue")) for row in found["measurements.txt"]}
    assert facts == {
        ("head: colour", "red"), ("head: colour", "brown"), ("head: aspect ratio", "1.5"), ("wing: presence", "absent"),
        ("leg: colour", "not visible"), ("sting: colour", "inapplicable"), ("eye: colour", "unknown"),
        ("abdomen: colour", "a 'burnt' umber"),
    }  # fmt: skip
    red = next(row for row in found["measurements.txt"] if value(row, "measurementValue") == "red")
    assert value(red, "measurementTypeID") == "http://purl.obolibrary.org/obo/PATO_0000014"
    assert value(red, "measurementValueID") == "http://purl.obolibrary.org/obo/PATO_0000322"
    assert value(red, "measurementDeterminedBy") == "machine-proposed"
    region = next(row for row in found["multimedia.txt"] if value(row, "isROIOf"))
    assert [value(region, term) for term in ("xFrac", "yFrac", "widthFrac", "heightFrac")] == [
        "0.250000", "0.250000", "0.500000", "0.500000",
    ]  # fmt: skip


def test_two_images_of_one_occurrence_are_one_row(tmp_path: Path) -> None:
    specimens = [replace(one, terms={"occurrenceID": "urn:x:1"}) for one in collection(tmp_path / "in")[:2]]
    out = write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", tmp_path / "out").folder
    found = check(out / "darwin_core.zip")
    assert [row["id"] for row in found["occurrence.txt"]] == ["urn:x:1"]


def test_nexus(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    out = write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", tmp_path / "out").folder
    names, characters, rows = nexus((out / "taxa.nex").read_text(encoding="utf-8"))
    assert names == ["Apis mellifera", "Bombus terrestris"]
    assert characters["head: colour"] == ["red", "brown"]
    assert characters["abdomen: colour"] == ["a 'burnt' umber"]
    assert dict(zip(characters, rows["Apis mellifera"], strict=True)) == {
        "abdomen: colour": "0", "eye: colour": "?", "head: colour": "(01)", "leg: colour": "?", "sting: colour": "-",
        "wing: presence": "0",
    }  # fmt: skip
    assert "head: aspect]" in (out / "taxa.nex").read_text(encoding="utf-8")
    ids, _, _ = nexus((out / "specimens.nex").read_text(encoding="utf-8"))
    assert len(ids) == 4


def nexus(text: str) -> tuple[list[str], dict[str, list[str]], dict[str, list[str]]]:
    """Read by the grammar: comments, quoted tokens, the counts that are declared."""
    assert text.startswith("#NEXUS")
    token = r"'(?:[^']|'')*'|\[[^\]]*\]|[;/,=]|[^\s;/,='\[]+"
    tokens = [one for one in re.findall(token, text[6:]) if not one.startswith("[")]
    commands, command = [], []
    for one in tokens:
        if one == ";":
            commands.append(command)
            command = []
        else:
            command.append(one[1:-1].replace("''", "'") if one.startswith("'") else one)
    assert not command
    by_name = {one[0]: one for one in commands}
    dimensions = [int(one[3]) for one in commands if one[0] == "DIMENSIONS"]
    names = by_name["TAXLABELS"][1:]
    assert dimensions[0] == len(names)
    if len(dimensions) == 1:
        return names, {}, {}
    characters: dict[str, list[str]] = {}
    rest = by_name["CHARSTATELABELS"][1:]
    while rest:
        end = rest.index(",") if "," in rest else len(rest)
        assert int(rest[0]) == len(characters) + 1
        characters[rest[1]] = rest[3:end]
        rest = rest[end + 1 :]
    assert dimensions[1] == len(characters)
    matrix = by_name["MATRIX"][1:]
    rows = dict(zip(matrix[::2], (re.findall(r"\(\w+\)|\S", one) for one in matrix[1::2]), strict=True))
    assert list(rows) == names
    assert all(len(row) == len(characters) for row in rows.values())
    return names, characters, rows


@given(word=ANY, name=ANY, title=ANY)
@example(word="", name="\r", title="")
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words(tmp_path_factory: pytest.TempPathFactory, word: str, name: str, title: str) -> None:
    root = tmp_path_factory.mktemp("odd")
    (specimen, *_) = collection(root / "in", ("CC0",))
    names = {"species": name} if name else {}
    specimen = replace(specimen, taxon=Taxon(names), terms={"scientificName": word, "note": name, "sex": word})
    said = [odd(one, word) for one in said_of(specimen)]
    chosen = DatasetSettings(title=title, creators=(name,), description=word, contact=word)
    out = write_dataset([specimen], said, DICTIONARY, root / "in", root / "out", chosen).folder
    check(out / "darwin_core.zip")
    check_eml(out / "darwin_core.zip")
    json.loads((out / "coco.json").read_text(encoding="utf-8"))
    json.loads((out / "croissant.json").read_text(encoding="utf-8"))
    ElementTree.parse(out / "label_studio" / "form.xml")
    rows = list(csv.reader(io.StringIO((out / "specimens.csv").read_bytes().decode(), newline="")))
    assert len({len(row) for row in rows}) == 1


def odd(said: Statement, word: str) -> Statement:
    return replace(said, text=word, part=word or "region", conditions=((word, word),))


@pytest.mark.parametrize("turned", [False, True])
def test_a_hole_is_cut_out(turned: bool) -> None:
    ring, hole = PLACE.polygons[0]
    place = Place(PLACE.box, ((ring, hole[::-1] if turned else hole),), PLACE.image_size)
    (outline,) = outlines(place)
    assert abs(signed_area(outline)) == 600 - 100


def test_a_specimen_is_plain(tmp_path: Path) -> None:
    """What the collection never said is said nowhere."""
    (one, *_) = collection(tmp_path / "in", ("CC0",))
    bare = Specimen(one.id, one.source, Taxon({}), 60, 40, "CC0")
    out = write_dataset([bare], [], DICTIONARY, tmp_path / "in", tmp_path / "out").folder
    (row,) = check(out / "darwin_core.zip")["occurrence.txt"]
    assert value(row, "basisOfRecord") == "Occurrence"
    assert value(row, "scientificName") == ""
    assert "not stated" in (out / "README.md").read_text(encoding="utf-8")
