"""The whole job over images whose traits are known, and again, and with other settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.traits.annotating import AnnotationSettings, annotate, read_annotated
from pipelines.traits.annotating.stored import read_statements, write_statements
from pipelines.traits.statements import STANDINGS, Statement
from pipelines.traits.vocabulary import resolve, shipped_dictionary
from protocols.errors import InputError, RecordError
from tests.traits.annotating.collection import EACH, FINDING, draw

pytestmark = pytest.mark.slow
OWN = "dictionary: own\nversion: 1\ncharacters:\n  colour: {kind: categorical, states: {yellow: , brown: }}\n"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("annotated") / "images")


@pytest.fixture(scope="module")
def whole(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole job; not to be changed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    annotate(images, out, finding=FINDING)
    return out


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.is_file()}


def test_statements_are_of_regions_and_say_what_is_there(whole: Path) -> None:
    statements = list(read_statements(whole / "checks"))
    text = "".join(path.read_text() for path in sorted((whole / "regions").glob("*.jsonl")))
    regions = [json.loads(line) for line in text.splitlines()]
    assert {(one.image, one.latent) for one in statements} == {(line["image"], line["latent"]) for line in regions}
    assert len({one.id for one in statements}) == len(statements)
    species = {line["image"]: line["source"].partition("/")[0] for line in regions}
    right = {"Genus_fasciata": {"brown", "black"}, "Genus_lutea": {"yellow"}}
    colours = [one for one in statements if one.character == "colour" and one.standing == "observed"]
    assert len(colours) > EACH
    assert all(one.state in right[species[one.image]] for one in colours)
    for one in statements:
        assert one.character in shipped_dictionary().characters
        assert one.standing in STANDINGS
        assert (one.part, one.review) == ("region", "machine-proposed")
        assert not one.state_term or resolve(one.state_term)


def test_checks_only_add_doubts(whole: Path) -> None:
    before, after = (list(read_statements(whole / stage)) for stage in ("descriptions", "checks"))
    assert [one.id for one in before] == [one.id for one in after]
    assert not any(one.doubts for one in before)
    assert {doubt for one in after for doubt in one.doubts} <= {
        "same of another region",
        "differs from other images of the taxon",
    }


def test_the_summary_is_that_of_the_files(whole: Path) -> None:
    found = read_annotated(whole)
    assert found.statements == len(list(read_statements(whole / "checks"))) == sum(found.standings.values())
    assert found.found.images == found.released == 2 * EACH
    assert (found.dataset / "README.md").is_file()
    json.dumps(found.as_json())


def test_the_same_again_changes_nothing(images: Path, copy: Path) -> None:
    before = times(copy)
    annotate(images, copy)
    assert times(copy) == before


def test_other_settings_are_refused_unless_wanted(images: Path, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    own = AnnotationSettings(dictionary=str(tmp_path / "own.yaml"))
    before = times(copy)
    with pytest.raises(InputError, match="--dictionary by default, now"):
        annotate(images, copy, own)
    assert times(copy) == before
    annotate(images, copy, own, again=True)
    assert {one.character for one in read_statements(copy / "checks")} == {"colour"}
    assert times(copy)[copy / "regions" / "stage.json"] == before[copy / "regions" / "stage.json"]
    (tmp_path / "own.yaml").write_text(OWN.replace("version: 1", "version: 2"))
    with pytest.raises(InputError, match="another text of its dictionary"):
        annotate(images, copy)


def test_millimetres_by_calibration(images: Path, copy: Path) -> None:
    annotate(images, copy, AnnotationSettings(pixels_per_mm=20.0, pixels_per_mm_sd=1.0), again=True)
    lengths = [one for one in read_statements(copy / "checks") if one.character == "length" and one.value]
    assert lengths
    assert all(one.unit == "mm" and one.uncertainty and one.uncertainty >= 0.049 * (one.value or 0) for one in lengths)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (AnnotationSettings(pixels_per_mm=-1.0), "no scale"),
        (AnnotationSettings(pixels_per_mm=float("nan")), "no scale"),
        (AnnotationSettings(pixels_per_mm=5.0, pixels_per_mm_sd=6.0), "no scale"),
        (AnnotationSettings(pixels_per_mm_sd=1.0), "no scale is given|a deviation is given"),
        (AnnotationSettings(dictionary="nowhere.yaml"), "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    images: Path, tmp_path: Path, settings: AnnotationSettings, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        annotate(images, tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()


def test_damage_is_said(images: Path, copy: Path) -> None:
    path = copy / "checks" / "statements-000000.jsonl"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(RecordError, match="statements-000000"):
        annotate(images, copy)
    (copy / "annotation.json").write_text("{")
    with pytest.raises(RecordError, match=r"annotation\.json"):
        annotate(images, copy)


def test_what_has_not_ended_is_not_shown(copy: Path) -> None:
    shutil.rmtree(copy / "checks")
    with pytest.raises(InputError, match="has not ended"):
        read_annotated(copy)


def test_statements_are_read_as_they_were_written(whole: Path, tmp_path: Path) -> None:
    statements = list(read_statements(whole / "checks"))
    write_statements(tmp_path / "statements-000000.jsonl", statements)
    again = list(read_statements(tmp_path))
    assert again == statements
    assert all(isinstance(one, Statement) for one in again)
