"""Scans on the disk: the same bytes for the same input, whole or told to be not; the same for any number of workers."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.collections import CollectionError, Scan, load_scan, open_image, read_collection, save_scan
from pipelines.traits.collections.headers import quiet
from pipelines.traits.collections.inspecting import inspect_image
from protocols.errors import RecordError
from tests.traits.collections.pictures import archive, encoded, put


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All kinds of things: duplicates of both sorts, contradictions, damage, rows, an archive."""
    root = tmp_path_factory.mktemp("collection")
    for number in range(40):
        put(root / f"Genus{'abcd'[number % 4]} species" / f"{number:02}.jpg", encoded(number))
    put(root / "Genusa species" / "00 again.jpg", encoded(0))
    put(root / "Genusa species" / "00 again.png", encoded(0, "PNG"))
    put(root / "Genusb species" / "other.png", encoded(4, "PNG"))
    put(root / "Genusc species" / "cut.jpg", encoded(60, size=(300, 300))[:-900])
    put(root / "Genusc species" / "none.jpg", b"")
    archive(
        root / "more.tar", {"x.png": encoded(70, "PNG"), "x.json": '{"species": "Apis mellifera", "note": "\\ud800é"}'}
    )
    put(
        root / "metadata.csv",
        "file_name,species,note\nGenusa species/04.jpg,Apis mellifera,é\nno.jpg,Apis mellifera,\n",
    )
    return root


@pytest.fixture(scope="module")
def scan(collection: Path) -> Scan:
    return read_collection(collection, workers=1)


def test_the_scan_is_as_it_should_be(scan: Scan) -> None:
    assert scan.reasons() == {"duplicate": 1, "empty file": 1, "near duplicate": 1, "truncated": 1}
    assert len(scan.specimens) == 42
    assert len(scan.alike) == 1
    assert scan.rows_without_image == ["metadata.csv:3 no.jpg"]


@pytest.mark.parametrize("workers", [2, 7])
def test_the_number_of_workers_changes_nothing(collection: Path, scan: Scan, tmp_path: Path, workers: int) -> None:
    told: list[tuple[int, int]] = []
    other = read_collection(collection, workers=workers, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (46, 46)
    save_scan(scan, tmp_path / "one")
    save_scan(other, tmp_path / "many")
    for file in ("specimens.jsonl", "quarantine.jsonl", "scan.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "many" / file).read_bytes()


def test_what_is_loaded_is_what_was_saved(collection: Path, scan: Scan, tmp_path: Path) -> None:
    save_scan(scan, tmp_path)
    loaded = load_scan(tmp_path)
    assert loaded == scan
    assert [specimen.taxon for specimen in loaded.specimens] == [specimen.taxon for specimen in scan.specimens]
    assert loaded.specimens[-1].terms["note"] == "?é"
    assert open_image(collection, loaded.specimens[-1]).shape == (36, 48, 3)
    assert sorted(os.listdir(tmp_path)) == ["quarantine.jsonl", "scan.json", "specimens.jsonl"]


@pytest.mark.parametrize("file", ["specimens.jsonl", "quarantine.jsonl", "scan.json"])
@pytest.mark.parametrize("harm", ["missing", "cut", "changed", "empty"])
def test_a_scan_that_is_not_whole(scan: Scan, tmp_path: Path, file: str, harm: str) -> None:
    save_scan(scan, tmp_path)
    path = tmp_path / file
    data = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes({"cut": data[: len(data) // 2], "changed": data[:50] + b"!" + data[51:], "empty": b""}[harm])
    if (file, harm) == ("scan.json", "changed"):
        json.loads(data)
        path.write_bytes(data.replace(b'"schema_version": 1', b'"schema_version": 9'))
    with pytest.raises(RecordError, match="Scan the collection again"):
        load_scan(tmp_path)


@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_full_disk_leaves_no_half_file(
    scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    save_scan(Scan("folders", "an older one"), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    calls = 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == which:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecordError, match="Make room on the disk"):
        save_scan(scan, tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(before)
    if which == 1:
        assert load_scan(tmp_path).recognised == "an older one"
    else:
        with pytest.raises(RecordError, match="Scan the collection again"):
            load_scan(tmp_path)


def test_stopping_ends_the_workers(collection: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_collection(collection, workers=2, progress=stop)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_are_never_an_exception(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever is changed in an image file, it is used or set aside."""
    form = data.draw(st.sampled_from(["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM"]))
    whole = bytearray(encoded(data.draw(st.integers(0, 3)), form))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, min(len(whole) - 1, 400)))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(whole)))
    root = tmp_path_factory.getbasetemp() / "fuzz"
    put(root / "x.jpg", bytes(whole[:cut]))
    with quiet:
        found = inspect_image(root, "x.jpg")
    assert (found.reason is None) == (min(found.width, found.height) >= 16 and not found.what)


@given(text=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_bytes_as_a_table(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    root = tmp_path_factory.getbasetemp() / "tables"
    put(root / "a.jpg", encoded(1))
    for suffix in ("csv", "tsv", "jsonl", "parquet", "txt"):
        put(root / f"metadata.{suffix}", b"file_name,a\n" + text if suffix == "csv" else text)
    try:
        assert [specimen.source for specimen in read_collection(root).specimens] == ["a.jpg"]
    except CollectionError:
        pytest.fail("the images are usable")
