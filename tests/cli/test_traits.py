"""labwright traits, as a person meets it: an example, what is found in it, and what is said when something is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from console.cli.exits import ExitCode
from pipelines.traits.finding import Settings, find_traits
from tests.cli.commands import Ended, labwright
from tests.cli.conftest import Call
from tests.cli.terminal import on_terminal

QUICK = ("--steps", "40", "--expansion", "2", "--k", "4")
"""Options of a training that takes a second."""


def draw(folder: Path, taxa: int, each: int) -> Path:
    """Images of discs and squares, a folder for each taxon."""
    rng = np.random.default_rng(0)
    for taxon in range(taxa):
        (folder / f"Genus_species{'abcdefghij'[taxon]}").mkdir(parents=True)
        for number in range(each):
            image = rng.integers(180, 220, (96, 128, 3)).astype(np.uint8)
            colour = (int(40 * taxon) % 255, int(90 * taxon) % 255, 40)
            x, y = (int(value) for value in rng.integers(30, 60, 2))
            if taxon % 2:
                cv2.circle(image, (x, y), 18, colour, -1)
            else:
                cv2.rectangle(image, (x, y), (x + 30, y + 12), colour, -1)
            cv2.imwrite(str(folder / f"Genus_species{'abcdefghij'[taxon]}" / f"{number}.png"), image)
    return folder


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("images") / "discs and squares", 2, 4)


@pytest.fixture(scope="module")
def found(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was found in it; not to be changed."""
    out = tmp_path_factory.mktemp("found") / "found"
    find_traits(collection, out, Settings(steps=40, expansion=2, k=4), workers=2)
    return out


@pytest.fixture
def copy(found: Path, tmp_path: Path) -> Path:
    shutil.copytree(found, tmp_path / "copy")
    return tmp_path / "copy"


def find(call: Call, images: Path, out: Path, *more: str) -> Ended:
    return call("traits", "find", images, "--out", out, *more)


def test_what_was_found_is_shown(call: Call, found: Path) -> None:
    shown = call("traits", "show", found)
    assert shown.code == 0
    assert "Images: 8 of 2 taxa" in shown.out
    assert f"Gallery: {found}/gallery/index.html" in shown.out
    assert (found / "gallery" / "index.html").is_file()


def test_what_was_found_is_there_for_machines(call: Call, found: Path) -> None:
    shown = call("traits", "show", found, "--json").json()
    assert shown["images"] == 8
    assert Path(shown["gallery"]).is_file()
    assert {line["rank"] for line in shown["lines"]} <= {"genus", "species"}


def test_the_same_again_changes_nothing(call: Call, collection: Path, copy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*.*") if path.is_file()}
    assert find(call, collection, copy).code == 0
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*.*") if path.is_file()} == before


def test_other_settings_are_refused_with_what_to_do(call: Call, collection: Path, copy: Path) -> None:
    refused = find(call, collection, copy, "--k", "5").refused(ExitCode.INPUT, "--k 4, now 5", "--again")
    assert str(copy) in refused.err
    assert find(call, collection, copy).code == 0


def test_other_images_are_refused_with_what_to_do(call: Call, copy: Path, tmp_path: Path) -> None:
    other = draw(tmp_path / "other", 3, 2)
    find(call, other, copy).refused(ExitCode.INPUT, "another collection", "--again")


def test_a_copy_of_the_images_is_the_same_collection(call: Call, collection: Path, copy: Path, tmp_path: Path) -> None:
    shutil.copytree(collection, tmp_path / "moved" / collection.name)
    assert find(call, tmp_path / "moved" / collection.name, copy).code == 0


def test_a_folder_of_something_else_is_left_alone(call: Call, collection: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    find(call, collection, tmp_path / "out").refused(ExitCode.INPUT, "not of this job")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name != "lock"] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--rank", "tribe"), "no rank"),
        (("--backbone", "nowhere/model"), "nowhere/model"),
        (("--variant", "bogus"), "bogus"),
        (("--sae", "nowhere/sae"), "nowhere/sae"),
        (("--device", "abacus"), "abacus"),
        (("--layout", "bogus"), "bogus"),
        (("--layer", "3"), "no layers"),
    ],
)
def test_a_choice_that_is_none(call: Call, collection: Path, tmp_path: Path, words: tuple[str, str], says: str) -> None:
    find(call, collection, tmp_path / "out", *words).refused(ExitCode.INPUT, says)


def test_places_that_cannot_be(call: Call, collection: Path, tmp_path: Path) -> None:
    find(call, tmp_path / "nowhere", tmp_path / "out").refused(ExitCode.INPUT, "no such folder")
    find(call, collection, collection / "found").refused(ExitCode.INPUT, "among the images")
    (tmp_path / "file").touch()
    find(call, collection, tmp_path / "file").refused(ExitCode.INPUT, "is a file")
    (tmp_path / "empty").mkdir()
    find(call, tmp_path / "empty", tmp_path / "out").refused(ExitCode.INPUT, "holds no images")
    call("traits", "show", tmp_path / "empty").refused(ExitCode.INPUT, "nothing was found here")


def test_damage_is_said(call: Call, collection: Path, copy: Path) -> None:
    (copy / "scan" / "scan.json").write_text("{}")
    find(call, collection, copy).refused(ExitCode.RECORD, "scan.json", "delete")
    (copy / "job.json").write_text("{")
    find(call, collection, copy).refused(ExitCode.RECORD, "job.json")


def test_what_has_not_ended_is_not_shown_as_found(call: Call, copy: Path) -> None:
    shutil.rmtree(copy / "gallery")
    call("traits", "show", copy).refused(ExitCode.INPUT, "has not ended")


@pytest.mark.slow
def test_a_person_sees_each_stage(collection: Path, found: Path, tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, "traits", "find", str(collection), "--out", str(found), width=120)
    assert shown.code == 0
    assert "Reading the collection" in shown.text
    assert "done before" in shown.text


@pytest.mark.slow
def test_an_example_from_nothing(call: Call, tmp_path: Path) -> None:
    """As a user runs it: nobody at a terminal, so that there is nothing but what was found."""
    home, folder = tmp_path / "home", tmp_path / "organisms"
    drawn = labwright(home, "traits", "example", str(folder), "--images", "12")
    assert drawn.code == 0
    assert "labwright traits find" in drawn.out
    ended = labwright(home, "traits", "find", str(folder), "--out", str(tmp_path / "out"), *QUICK)
    assert (ended.code, ended.err) == (0, "")
    assert "Images: 12" in ended.out
    assert "Gallery: " in ended.out
    assert call("traits", "show", tmp_path / "out").out == ended.out
