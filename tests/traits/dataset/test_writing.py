"""Whole datasets: what is in them, that they are whole or not there, that the same input gives the same bytes."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.traits.collections import CollectionError
from pipelines.traits.dataset import DatasetSettings, write_dataset
from pipelines.traits.dataset.staging import Staging
from protocols.errors import InputError
from tests.traits.dataset.drawn import DICTIONARY, ODD, collection, statements

SETTINGS = DatasetSettings(title="Tiny", creators=("A. Person",), licence="CC0 1.0", published="2026-01-02")


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_whole_dataset(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    said = statements(specimens)
    written = write_dataset(specimens, said, DICTIONARY, tmp_path / "in", tmp_path / "out", SETTINGS)
    out = written.folder
    assert (written.images, written.statements, written.taxa) == (4, 36, 2)
    assert written.left_out == {"its licence forbids to hand it on": 1, "no licence is stated": 1}
    rows = pq.read_table(out / "data").to_pylist()
    assert len(rows) == 36
    (odd,) = [row for row in rows if row["text"] == ODD and row["licence"] == "MIT"]
    assert (odd["standing"], odd["state"], odd["state_term"]) == ("observed", "red", "PATO:0000322")
    assert (odd["x_frac"], odd["y_frac"], odd["width_frac"], odd["height_frac"]) == (0.25, 0.25, 0.5, 0.5)
    assert odd["rights_holder"] == odd["attribution"] == "Museum of Tést"
    assert json.loads(odd["conditions"]) == {"view": "top"}
    assert {row["standing"] for row in rows} == {
        "observed", "absent", "not visible", "inapplicable", "unknown", "background",
    }  # fmt: skip
    for row in rows:
        data = (out / row["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["image_sha256"]
        assert row["image_sha256"].startswith(row["image"])
    with open(out / "left_out.csv", encoding="utf-8") as file:
        left = list(csv.DictReader(file))
    assert [(row["source"], row["statements"]) for row in left] == [
        ("imgs/specimen 3.png", "9"),
        ("imgs/specimen 4.png", "9"),
    ]


def test_the_manifest_lists_every_file(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    out = write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", tmp_path / "out").folder
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    found = digests(out)
    del found["manifest.json"]
    assert {name: about["sha256"] for name, about in manifest["files"].items()} == found
    assert all((out / name).stat().st_size == about["size"] for name, about in manifest["files"].items())


def test_the_order_of_input_does_not_matter(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    said = statements(specimens)
    small = replace(SETTINGS, rows=7)
    one = write_dataset(specimens, said, DICTIONARY, tmp_path / "in", tmp_path / "one", small).folder
    mixed = random.Random(0).sample(said, len(said))
    two = write_dataset(specimens[::-1], [*mixed, *said], DICTIONARY, tmp_path / "in", tmp_path / "two", small).folder
    assert digests(one) == digests(two)
    assert len(list((one / "data").iterdir())) == 6


def test_no_statements_and_no_images(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    assert write_dataset(specimens, [], DICTIONARY, tmp_path / "in", tmp_path / "a", SETTINGS).images == 4
    assert write_dataset([], [], DICTIONARY, tmp_path / "in", tmp_path / "b", SETTINGS).images == 0


def test_the_same_image_twice_is_reported(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    twice = [*specimens, replace(specimens[0], source="zz/copy.png")]
    out = write_dataset(twice, [], DICTIONARY, tmp_path / "in", tmp_path / "out").folder
    assert "zz/copy.png" in (out / "left_out.csv").read_text(encoding="utf-8")


def test_a_taken_folder_is_left_alone(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_dataset(specimens, [], DICTIONARY, tmp_path / "in", out)
    with pytest.raises(InputError, match="is no dataset"):
        write_dataset(specimens, [], DICTIONARY, tmp_path / "in", out, DatasetSettings(replace=True))
    assert digests(out).keys() == {"thesis.tex"}


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specimens = collection(tmp_path / "in")
    out = tmp_path / "out"
    write_dataset(specimens, [], DICTIONARY, tmp_path / "in", out)
    before = digests(out)
    again = DatasetSettings(replace=True)
    with pytest.raises(InputError, match="of no specimen"):
        write_dataset([], statements(specimens), DICTIONARY, tmp_path / "in", out, again)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Staging, "files", full)
        with pytest.raises(OSError, match="No space"):
            write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", out, again)
    (tmp_path / "in" / specimens[0].source).write_bytes(b"something else")
    with pytest.raises(CollectionError, match="not the file"):
        write_dataset(specimens, [], DICTIONARY, tmp_path / "in", out, again)
    assert digests(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}


def test_replacing(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    out = tmp_path / "out"
    write_dataset(specimens, [], DICTIONARY, tmp_path / "in", out)
    again = write_dataset(specimens[:1], [], DICTIONARY, tmp_path / "in", out, DatasetSettings(replace=True))
    assert again.images == len(pq.read_table(out / "images" / "metadata.parquet")) == 1
    (tmp_path / ".out.old").mkdir()
    out.rename(tmp_path / ".out.old" / "x")
    (tmp_path / ".out.old" / "x").rename(tmp_path / "y")
    (tmp_path / ".out.old").rmdir()
    (tmp_path / "y").rename(tmp_path / ".out.old")  # as a kill between two renames leaves it
    with pytest.raises(InputError, match="is there already"):
        write_dataset(specimens, [], DICTIONARY, tmp_path / "in", out)
    assert (out / "manifest.json").is_file()


def test_pictures_without_derivatives_are_never_written_anew(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    jpeg = replace(SETTINGS, reencode="jpeg")
    out = write_dataset(specimens, [], DICTIONARY, tmp_path / "in", tmp_path / "out", jpeg).folder
    kinds = {
        row["licence"]: row["file_name"][-4:] for row in pq.read_table(out / "images/metadata.parquet").to_pylist()
    }
    assert kinds == {"CC BY 4.0": ".jpg", "CC0 1.0": ".jpg", "CC BY-NC-ND 4.0": ".png", "MIT": ".jpg"}


def test_halves_of_characters_are_replaced(tmp_path: Path) -> None:
    """As in names of files that are no UTF-8."""
    (one, *_) = collection(tmp_path / "in", ("CC0",))
    odd = replace(one, terms={"note\udc80": "a\udc80b", "rightsHolder": "\ud83d"})
    said = [replace(statement, text="x\udcffy") for statement in statements([one])]
    out = write_dataset([odd], said, DICTIONARY, tmp_path / "in", tmp_path / "out", SETTINGS).folder
    assert {row["text"] for row in pq.read_table(out / "data").to_pylist()} == {"x\ufffdy"}
