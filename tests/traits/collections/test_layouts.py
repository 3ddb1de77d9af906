"""Whole collections in each layout: recognised, matched, with what is known of every image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from pipelines.traits.collections import CollectionError, Layout, Reason, open_image, read_collection
from tests.traits.collections.pictures import archive, encoded, only, pixels, put, taxa

APIS = {"genus": "Apis", "species": "Apis mellifera"}
BOMBUS = {"genus": "Bombus", "species": "Bombus terrestris"}


def test_a_folder_per_taxon_with_ranks_in_each_other(tmp_path: Path) -> None:
    put(tmp_path / "LICENSE.txt", "\nCC0 1.0 Universal\n\nmore words")
    put(tmp_path / "notes.docx", "x")
    put(tmp_path / ".DS_Store", "x")
    for number, folder in enumerate(
        [
            "Apis mellifera",
            "bombus_terrestris",
            "Coleoptera/Carabidae/Carabus/granulatus/dorsal",
            "Diptera_Syrphidae_Eristalis_tenax",
            "train/Formicidae",
        ]
    ):
        put(tmp_path / folder / "b.jpg", encoded(number))
        put(tmp_path / folder / "a.PNG", encoded(number + 100, "PNG"))
    scan = read_collection(tmp_path)
    assert scan.layout == Layout.FOLDERS
    assert "10 images have their taxon from one of 5 folders" in scan.recognised
    assert "3 families, 4 genera, 4 species" in scan.recognised
    assert not scan.quarantined
    assert scan.ignored == {".docx": 1, ".txt": 1, "hidden": 1}
    found = taxa(scan)
    assert list(found) == sorted(found, key=lambda source: [part.encode() for part in source.split("/")])
    assert found["Apis mellifera/b.jpg"] == APIS
    assert found["bombus_terrestris/a.PNG"] == BOMBUS
    assert found["Coleoptera/Carabidae/Carabus/granulatus/dorsal/a.PNG"] == {
        "order": "Coleoptera",
        "family": "Carabidae",
        "genus": "Carabus",
        "species": "Carabus granulatus",
    }
    assert found["Diptera_Syrphidae_Eristalis_tenax/b.jpg"] == {
        "order": "Diptera",
        "family": "Syrphidae",
        "genus": "Eristalis",
        "species": "Eristalis tenax",
    }
    assert found["train/Formicidae/a.PNG"] == {"family": "Formicidae"}
    assert {specimen.licence for specimen in scan.specimens} == {"CC0 1.0 Universal (LICENSE.txt)"}
    stated = read_collection(tmp_path, licence="CC BY 3.0").specimens
    assert {specimen.licence for specimen in stated} == {"CC BY 3.0"}, "a person knows better than a file nearby"
    for specimen in scan.specimens:
        assert open_image(tmp_path, specimen).shape == (36, 48, 3) == (specimen.height, specimen.width, 3)


def rows(count: int) -> list[dict[str, Any]]:
    names = ["Apis mellifera Linnaeus, 1758", "Bombus terrestris (L.)"]
    return [
        {
            "file_name": f"{number:03}.jpg",
            "dwc:scientificName": names[number % 2],
            "dwc:order": "Hymenoptera",
            "license": "CC BY 4.0",
            "decimal_latitude": 47.5,
            "recorded_by": 'A. Nonymous, "Nobody"',
            "wing length mm": number,
            "remarks": None,
        }
        for number in range(count)
    ]


def csv_text(table: list[dict[str, Any]], delimiter: str = ",") -> str:
    def cell(value: Any) -> str:
        text = "" if value is None else str(value)
        return text if delimiter == "\t" else '"' + text.replace('"', '""') + '"'

    lines = [delimiter.join(table[0])] + [delimiter.join(map(cell, row.values())) for row in table]
    return "\r\n".join(lines) + "\r\n"


def write_table(path: Path, table: list[dict[str, Any]]) -> None:
    if path.suffix == ".parquet":
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), path)
    elif path.suffix == ".jsonl":
        put(path, "".join(json.dumps(row) + "\n" for row in table))
    else:
        put(path, "\ufeff" + csv_text(table, "\t" if path.suffix in (".tsv", ".txt") else ","))


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("metadata.csv", Layout.IMAGEFOLDER),
        ("metadata.jsonl", Layout.IMAGEFOLDER),
        ("metadata.parquet", Layout.IMAGEFOLDER),
        ("specimens.tsv", Layout.TABLE),
        ("occurrence.txt", Layout.TABLE),
        ("tables/all.parquet", Layout.TABLE),
    ],
)
def test_images_and_a_table(tmp_path: Path, name: str, layout: Layout) -> None:
    for number in range(4):
        put(tmp_path / f"{number:03}.jpg", encoded(number))
    put(tmp_path / "extra.jpg", encoded(50))
    write_table(tmp_path / name, rows(6))
    scan = read_collection(tmp_path)
    assert scan.layout == layout
    assert f"4 of 5 images have a row in {name}" in scan.recognised
    assert taxa(scan)["000.jpg"] == {"order": "Hymenoptera"} | APIS
    assert taxa(scan)["001.jpg"] == {"order": "Hymenoptera"} | BOMBUS
    assert taxa(scan)["extra.jpg"] == {}
    assert scan.images_without_row == ["extra.jpg"]
    assert scan.rows_without_image_count == 2
    assert [text.split()[-1] for text in scan.rows_without_image] == ["004.jpg", "005.jpg"]
    first = scan.specimens[0]
    assert first.licence == "CC BY 4.0"
    assert first.terms == {
        "file_name": "000.jpg",
        "scientificName": "Apis mellifera Linnaeus, 1758",
        "order": "Hymenoptera",
        "dcterms:license": "CC BY 4.0",
        "decimalLatitude": "47.5",
        "recordedBy": 'A. Nonymous, "Nobody"',
        "wing length mm": "0",
    }


def test_an_imagefolder_with_splits_has_metadata_in_each(tmp_path: Path) -> None:
    for split, number in (("train", 1), ("test", 2)):
        put(tmp_path / split / "a.jpg", encoded(number))
        put(tmp_path / split / "metadata.csv", f"file_name,species\na.jpg,Apis species{'ab'[number - 1]}\n")
    scan = read_collection(tmp_path)
    assert scan.layout == Layout.IMAGEFOLDER
    assert [specimen.taxon.name for specimen in scan.specimens] == ["Apis speciesb", "Apis speciesa"]


def test_a_manifest_of_urls_whose_images_are_on_the_disk(tmp_path: Path) -> None:
    put(tmp_path / "pictures" / "777.jpg", encoded(1))
    put(tmp_path / "pictures" / "Bee 2.png", encoded(2, "PNG"))
    put(
        tmp_path / "manifest.csv",
        "gbif_id,identifier,species\n"
        "1,https://inaturalist-open-data.s3.amazonaws.com/photos/777/original.jpg,Apis mellifera\n"
        "2,https://example.org/media/Bee%202.png?size=large,Bombus terrestris\n"
        "3,https://example.org/media/gone.png,Bombus terrestris\n",
    )
    scan = read_collection(tmp_path)
    assert scan.layout == Layout.MANIFEST
    assert taxa(scan) == {"pictures/777.jpg": APIS, "pictures/Bee 2.png": BOMBUS}
    assert scan.rows_without_image == ["manifest.csv:4 https://example.org/media/gone.png"]


def test_a_local_path_goes_before_a_url(tmp_path: Path) -> None:
    put(tmp_path / "x.jpg", encoded(1))
    put(tmp_path / "y.jpg", encoded(2))
    put(tmp_path / "m.csv", "url,local_path,species\nhttp://e.org/y.jpg,C:\\bees\\x.jpg,Apis mellifera\n")
    assert taxa(read_collection(tmp_path))["x.jpg"] == APIS


def test_a_darwin_core_archive_joins_media_and_occurrences(tmp_path: Path) -> None:
    put(tmp_path / "media" / "bee.jpg", encoded(1))
    put(
        tmp_path / "multimedia.txt",
        'gbifID\tidentifier\tlicense\tcreator\n9\thttps://e.org/i/bee.jpg\tCC BY-NC 4.0\tA "B" C\n',
    )
    put(
        tmp_path / "occurrence.txt",
        "gbifID\tscientificName\torder\tfamily\tlocality\n"
        "8\tNo bee\t\t\t\n9\tApis mellifera Linnaeus, 1758\tHymenoptera\tApidae\tUlm\n",
    )
    scan = read_collection(tmp_path)
    assert taxa(scan) == {"media/bee.jpg": {"order": "Hymenoptera", "family": "Apidae"} | APIS}
    (specimen,) = scan.specimens
    assert specimen.licence == "CC BY-NC 4.0"
    assert specimen.terms["locality"] == "Ulm"
    assert specimen.terms["dcterms:creator"] == 'A "B" C'
    assert "occurrence.txt (by gbifID)" in scan.recognised


def test_names_without_ending_and_the_same_name_in_two_folders(tmp_path: Path) -> None:
    for number, path in enumerate(["part1/A1.jpg", "part1/B1.jpg", "part2/A1.jpg"]):
        put(tmp_path / path, encoded(number))
    put(tmp_path / "bioscan.csv", "processid,chunk,species\nB1,1,Apis mellifera\nA1,1,Bombus terrestris\n")
    put(tmp_path / "metadata.csv", "file_name,species\n/home/you/part2/A1.jpg,Bombus terrestris\n")
    scan = read_collection(tmp_path)
    assert taxa(scan)["part1/B1.jpg"] == APIS
    assert taxa(scan)["part2/A1.jpg"] == BOMBUS
    assert scan.rows_without_image == ["bioscan.csv:3 A1"]
    assert scan.images_without_row == ["part1/A1.jpg"]


def test_webdataset_shards(tmp_path: Path) -> None:
    archive(
        tmp_path / "shard-000.tar",
        {
            "a/0001.jpg": encoded(1),
            "a/0001.json": json.dumps({"taxon": {"genus": "Apis"}, "genus": "Apis", "species": "mellifera", "n": 3.0}),
            "0002.txt": "Bombus terrestris",
            "0002.jpg": encoded(2),
            "0003.jpg": encoded(3),
            "0003.cls": "1",
            "0003.txt": "a bee on a flower",
            "0004.sci.txt": "Apis cerana",
            "0004.jpg": encoded(4),
            "0004.com.txt": "eastern honey bee",
        },
    )
    archive(tmp_path / "shard-001.tar", {"0001.png": encoded(5, "PNG"), "0001.cls": "0"})
    put(tmp_path / "classnames.txt", "Osmia bicornis\nXylocopa violacea\n")
    scan = read_collection(tmp_path)
    assert not scan.quarantined
    assert scan.layout == Layout.WEBDATASET
    found = {source.removeprefix("shard-00"): names.get("species") for source, names in taxa(scan).items()}
    assert found == {
        "0.tar::a/0001.jpg": "Apis mellifera",
        "0.tar::0002.jpg": "Bombus terrestris",
        "0.tar::0003.jpg": "Xylocopa violacea",
        "0.tar::0004.jpg": "Apis cerana",
        "1.tar::0001.png": "Osmia bicornis",
    }
    first, *_, last = scan.specimens
    assert (first.terms["n"], first.terms["taxon.genus"]) == ("3", "Apis")

    assert np.array_equal(open_image(tmp_path, last), pixels(5))


def test_a_flat_folder_whose_files_are_called_by_their_taxon(tmp_path: Path) -> None:
    put(tmp_path / "Blattodea.jpg", encoded(1))
    put(tmp_path / "Apidae_003.jpg", encoded(2))
    put(tmp_path / "Image_bee.jpg", encoded(3))
    scan = read_collection(tmp_path)
    assert scan.layout == Layout.FLAT
    assert taxa(scan) == {
        "Apidae_003.jpg": {"family": "Apidae"},
        "Blattodea.jpg": {"order": "Blattodea"},
        "Image_bee.jpg": {},
    }
    assert "1 of unknown taxon" in scan.recognised


def test_a_flat_folder_of_binomials(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path / f"Apis_mellifera_{number}.jpg", encoded(number))
    assert set(map(str, taxa(read_collection(tmp_path)).values())) == {str(APIS)}


def test_a_layout_can_be_named(tmp_path: Path) -> None:
    put(tmp_path / "Apis mellifera" / "a.jpg", encoded(1))
    put(tmp_path / "metadata.csv", "file_name,species\nApis mellifera/a.jpg,Bombus terrestris\n")
    archive(tmp_path / "s.tar", {"x.jpg": encoded(2)})
    assert taxa(read_collection(tmp_path, layout="folders")) == {"Apis mellifera/a.jpg": APIS}
    assert taxa(read_collection(tmp_path, layout=Layout.TABLE)) == {"Apis mellifera/a.jpg": BOMBUS}
    assert list(taxa(read_collection(tmp_path, layout=Layout.WEBDATASET))) == ["s.tar::x.jpg"]
    with pytest.raises(CollectionError, match="Name one of folders, table"):
        read_collection(tmp_path, layout="zip")


@pytest.mark.parametrize("layout", [Layout.TABLE, Layout.WEBDATASET, Layout.MANIFEST])
def test_a_layout_that_is_not_there(tmp_path: Path, layout: Layout) -> None:
    put(tmp_path / "Apis mellifera" / "a.jpg", encoded(1))
    with pytest.raises(CollectionError, match="is no collection of the layout"):
        read_collection(tmp_path, layout=layout)


@pytest.mark.parametrize("case", ["missing", "file", "empty"])
def test_what_is_no_collection(tmp_path: Path, case: str) -> None:
    root = {"missing": tmp_path / "no", "file": put(tmp_path / "x.jpg", b"x"), "empty": tmp_path / "empty"}[case]
    (tmp_path / "empty").mkdir()
    with pytest.raises(CollectionError, match="Name the folder") as caught:
        read_collection(root)
    assert str(root) in str(caught.value)


def test_rows_that_are_no_rows_are_set_aside(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", encoded(1))
    put(tmp_path / "metadata.jsonl", '{"file_name": "a.jpg", "species": "Apis mellifera"}\n{"file\n[1]\n')
    scan = read_collection(tmp_path)
    assert [(item.source, item.reason) for item in scan.quarantined] == [
        ("metadata.jsonl:2", Reason.BAD_ROW),
        ("metadata.jsonl:3", Reason.BAD_ROW),
    ]
    assert taxa(scan) == {"a.jpg": APIS}


def test_two_rows_with_contradictory_taxa(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", encoded(1))
    put(
        tmp_path / "m.csv",
        "file;species;box\na.jpg;Apis mellifera;1\na.jpg;Apis mellifera;2\na.jpg;Bombus terrestris;3\n",
    )
    scan = read_collection(tmp_path)
    assert taxa(scan) == {"a.jpg": APIS}
    assert only(scan).source == "m.csv:4"
    assert "another taxon" in only(scan).detail


def test_a_line_with_too_many_fields(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", encoded(1))
    put(tmp_path / "m.csv", "file,species\na.jpg,Apis mellifera,L.,1758\n")
    scan = read_collection(tmp_path)
    assert "the line has 4 fields, the table 2 columns" in only(scan).detail
    assert scan.specimens[0].taxon.name == "unknown"


@pytest.mark.parametrize("name", ["metadata.parquet", "metadata.csv", "metadata.jsonl"])
def test_a_table_that_is_none(tmp_path: Path, name: str) -> None:
    put(tmp_path / "Apis mellifera" / "a.jpg", encoded(1))
    put(tmp_path / name, b"\0\1\2\xff" * 100)
    scan = read_collection(tmp_path)
    assert taxa(scan) == {"Apis mellifera/a.jpg": APIS}
    assert [item.source.partition(":")[0] for item in scan.quarantined] == [name]


def test_tables_of_other_things_are_not_taken_for_metadata(tmp_path: Path) -> None:
    put(tmp_path / "Apis mellifera" / "1.jpg", encoded(1))
    put(tmp_path / "Apis mellifera" / "2.jpg", encoded(2))
    put(tmp_path / "results.csv", "epoch,loss\n" + "".join(f"{n % 2 + 1},0.{n}\n" for n in range(40)))
    put(tmp_path / "README.txt", "Pictures\tof bees\n\nby us\n")
    scan = read_collection(tmp_path)
    assert scan.layout == Layout.FOLDERS
    assert taxa(scan) == {"Apis mellifera/1.jpg": APIS, "Apis mellifera/2.jpg": APIS}
    assert scan.ignored == {"tables that name no image": 2}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8", "utf-8-sig"])
def test_tables_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    put(tmp_path / "a.jpg", encoded(1))
    put(tmp_path / "m.csv", "file;species;finder\na.jpg;Apis mellifera;José Müller\n".encode(encoding))
    (specimen,) = read_collection(tmp_path).specimens
    assert specimen.terms["finder"] == "José Müller"
    assert specimen.taxon.names == APIS


def test_the_answer_is_not_read(tmp_path: Path) -> None:
    put(tmp_path / "Hymenoptera_Apidae_Apis_mellifera" / "a.jpg", encoded(1))
    write_table(tmp_path / "ground_truth.parquet", [{"file_name": "a.jpg", "species": "Bombus terrestris"}])
    put(tmp_path / "ground_truth.csv", "file_name,species\na.jpg,Bombus terrestris\n")
    (specimen,) = read_collection(tmp_path).specimens
    assert specimen.taxon.name == "Apis mellifera"
    assert not specimen.terms


def test_ranks_wider_than_the_rows_come_from_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "Hymenoptera_Apidae" / "a.jpg", encoded(1))
    put(tmp_path / "Diptera_Syrphidae_Eristalis_tenax" / "b.jpg", encoded(2))
    table = [
        {"file_name": "a.jpg", "genus": "Apis", "taxon": [["order", "x"]]},
        {"file_name": "b.jpg", "genus": "Apis", "taxon": None},
    ]
    write_table(tmp_path / "metadata.parquet", table)
    found = taxa(read_collection(tmp_path))
    assert found["Hymenoptera_Apidae/a.jpg"] == {"order": "Hymenoptera", "family": "Apidae", "genus": "Apis"}
    assert found["Diptera_Syrphidae_Eristalis_tenax/b.jpg"] == {"genus": "Apis"}


def test_images_that_stand_in_a_table_are_told(tmp_path: Path) -> None:
    put(tmp_path / "Apis" / "a.jpg", encoded(1))
    table = pyarrow.Table.from_pylist([{"image": {"bytes": encoded(1), "path": "a.jpg"}, "label": 3}])
    pyarrow.parquet.write_table(table, tmp_path / "train-00000.parquet")
    scan = read_collection(tmp_path)
    assert only(scan).reason is Reason.UNSUPPORTED
    assert "Write them out as an image folder" in only(scan).detail
    assert list(taxa(scan)) == ["Apis/a.jpg"]
