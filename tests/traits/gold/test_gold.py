"""A blind sample from the draw to the dataset that is bound by what people found."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from pipelines.traits.annotating.stored import read_statements
from pipelines.traits.collections import load_scan
from pipelines.traits.dataset import DatasetSettings, bar_of, read_gold, write_dataset
from pipelines.traits.finding.lock import locked
from pipelines.traits.gold import Drawn, DrawSettings, draw, judge
from pipelines.traits.gold.forms import slug
from pipelines.traits.gold.key import read_key
from protocols.errors import InputError, LeaseError, RecordError
from tests.traits.gold.annotated import DICTIONARY, MODEL, SECRET, annotated, fill, says, truth_of

SETTINGS = DrawSettings(size=60, strata=("taxon", "character"), least=2)
WHO = ("Ada Byron", "Ben Kiel")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An annotation, and beside it a sample; not to be changed."""
    root = tmp_path_factory.mktemp("gold")
    annotated(root)
    draw(root / "out", root / "sample", SETTINGS, WHO)
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(whole, tmp_path / "own")
    head = tmp_path / "own" / "sample" / "sample.json"
    told = json.loads(head.read_text())
    head.write_text(json.dumps(told | {"annotation": str(tmp_path / "own" / "out")}))
    return tmp_path / "own"


def filled(root: Path, errs: float = 0.0, wrong: float = 0.0) -> tuple[Path, Path, dict[str, str]]:
    """Both tables, answered by people who err, and what is really there."""
    _, key = read_key(root / "sample")
    truth = truth_of(key, {"colour": wrong, "pattern": wrong, "marks": wrong})
    rng = random.Random(1)

    def table(name: str, slip: str) -> Path:
        form = root / "sample" / name / "answers.csv"
        return fill(form, root / f"{name}.csv", lambda item: slip if rng.random() < errs else truth[item])

    return table("ada-byron", "[not visible]"), table("ben-kiel", "[background]"), truth


def test_people_who_agree_find_the_machine_as_wrong_as_it_is(root: Path) -> None:
    first, second, truth = filled(root, wrong=0.3)
    found = judge(root / "sample", first, second)
    _, key = read_key(root / "sample")
    assert found.score.all.alpha.value == 1
    assert (found.adjudication, found.score.open) == (None, ())
    for one in found.score.characters:
        mine = [item for item in key.items if item.question.character == one.character]
        claims = [item for item in mine if truth[item.item] == says_of(item)]
        assert one.items == len(mine) > 10
        assert one.precision is not None
        assert one.precision.right == sum(says_of(item) != "[unknown]" for item in claims)
        assert one.precision.low < one.precision.value < one.precision.high
        assert sum(count for *_, count in one.confusion) == one.items
    assert json.loads(json.dumps(found.score.as_json(), allow_nan=False))["all"]["alpha"]["value"] == 1
    text = found.report.read_text()
    assert all(f"### {name}" in text for name in ("colour", "pattern", "marks"))


def says_of(item: object) -> str:
    from pipelines.traits.gold.key import Item
    from pipelines.traits.gold.questions import code

    assert isinstance(item, Item)
    return code(item.question.said[0], DICTIONARY.characters[item.question.character])


def test_nothing_tells_annotators_what_the_machine_said_or_what_it_is(whole: Path) -> None:
    _, key = read_key(whole / "sample")
    files = [path for name in ("ada-byron", "ben-kiel") for path in (whole / "sample" / name).rglob("*")]
    paths = [path for path in files if path.is_file()]
    assert {path.name for path in paths if path.suffix != ".jpg"} == {
        "README.txt", "answers.csv", "answer.html", "form.xml", "tasks.json"
    }  # fmt: skip
    hidden = [*SECRET, str(whole), *{one.question.image for one in key.items}]
    hidden += [said.id for one in key.items for said in one.question.said]
    for path in paths:
        text = path.read_bytes() if path.suffix == ".jpg" else re.sub(rb"base64,[^\"]+", b"", path.read_bytes())
        assert not [word for word in hidden if word.encode() in text], path
        assert not [word for word in hidden if word in str(path.relative_to(whole / "sample"))]
        if path.suffix == ".jpg":
            with Image.open(path) as image:
                assert not image.getexif()
                assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    with open(whole / "sample" / "ada-byron" / "answers.csv", encoding="utf-8-sig", newline="") as file:
        assert all(row["answer"] == row["note"] == "" for row in csv.DictReader(file))
    assert sorted(path.name for path in (whole / "sample").iterdir()) == ["ada-byron", "ben-kiel", "sample.json"]


def test_both_get_the_same_questions_in_another_order(whole: Path) -> None:
    def items(name: str) -> list[str]:
        with open(whole / "sample" / name / "answers.csv", encoding="utf-8-sig", newline="") as file:
            return [row["item"] for row in csv.DictReader(file)]

    one, other = items("ada-byron"), items("ben-kiel")
    assert one != other
    assert sorted(one) == sorted(other)
    page = (whole / "sample" / "ada-byron" / "answer.html").read_text()
    shown = json.loads(re.search(r'id="data">(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    assert [item["item"] for item in shown["items"]] == one
    tasks = json.loads((whole / "sample" / "ada-byron" / "label_studio" / "tasks.json").read_text())
    assert [task["data"]["item"] for task in tasks] == one


def test_people_of_any_script_have_folders() -> None:
    assert [slug(name) for name in ("Ada Byron", "Ödön 2", "李明", "../..", " ")] == [
        "ada-byron", "ödön-2", "李明", "annotator", "annotator"
    ]  # fmt: skip


def test_the_same_seed_draws_the_same_and_another_does_not(whole: Path, tmp_path: Path) -> None:
    def again(name: str, settings: DrawSettings) -> tuple[Drawn, str]:
        drawn = draw(whole / "out", tmp_path / name, settings, WHO)
        return drawn, (tmp_path / name / "ada-byron" / "answers.csv").read_text()

    same, text = again("same", SETTINGS)
    assert same.sample == read_key(whole / "sample")[1].sample
    assert text == (whole / "sample" / "ada-byron" / "answers.csv").read_text()
    other, text_of_other = again("other", DrawSettings(size=60, least=2, seed=7))
    assert (other.sample, text_of_other) != (same.sample, text)
    assert other.key.exists()
    assert same.key.exists()


def test_strata_get_their_least_and_chances_are_kept(whole: Path, tmp_path: Path) -> None:
    settings = DrawSettings(size=30, strata=("character", "band"), least=5, characters=("pattern", "marks"))
    draw(whole / "out", tmp_path / "sample", settings)
    _, key = read_key(tmp_path / "sample")
    assert dict(key.population) == {"marks | sure": 36, "pattern | sure": 24,
                                    "pattern | unknown": 12}  # fmt: skip
    drawn = {name: [one for one in key.items if one.stratum == name] for name in {one.stratum for one in key.items}}
    assert all(len(items) >= 5 for items in drawn.values())
    assert sum(1 / one.chance for one in key.items) == pytest.approx(72, rel=0.1)
    small = drawn["pattern", "unknown"]
    assert {one.chance for one in small} == {5 / 12}


def test_disputes_are_settled_and_scored_again(root: Path) -> None:
    first, second, truth = filled(root, errs=0.2)
    found = judge(root / "sample", first, second, bar=0.8)
    assert found.adjudication == root / "sample" / "adjudication.csv"
    assert (found.record, read_gold(root / "out")) == (None, None)
    assert len(found.score.open) == len(found.score.disputed) > 5
    assert found.score.all.disputed == len(found.score.open)
    assert "not settled" in found.report.read_text()
    text = found.adjudication.read_text(encoding="utf-8-sig")
    assert not [word for word in SECRET if word in text]
    with open(found.adjudication, encoding="utf-8-sig", newline="") as file:
        assert all(
            (root / "sample" / row[name]).is_file() for row in csv.DictReader(file) for name in ("near", "whole")
        )
    settled = fill(found.adjudication, root / "settled.csv", lambda item: truth[item])
    after = judge(root / "sample", first, second, settled, bar=0.8)
    assert (after.score.open, after.score.all.disputed) == ((), 0)
    assert after.score.all.precision is not None
    assert after.score.all.precision.value == 1
    assert after.score.all.alpha == found.score.all.alpha
    gold = read_gold(root / "out")
    assert gold is not None
    assert (gold.bar, set(gold.characters)) == (0.8, {"colour", "pattern", "marks"})
    assert judge(root / "sample", first, second, settled).bar == 0.8


def test_a_second_sample_adds_its_characters(root: Path) -> None:
    first, second, _ = filled(root)
    judge(root / "sample", first, second, bar=0.8)
    before = read_gold(root / "out")
    draw(root / "out", root / "more", DrawSettings(size=20, characters=("width", "marks"), seed=3), WHO)
    answers = [fill(root / "more" / name / "answers.csv", root / f"{name}.csv", lambda item: "[absent]")
               for name in ("ada-byron", "ben-kiel")]  # fmt: skip
    judge(root / "more", *answers)
    after = read_gold(root / "out")
    assert before is not None
    assert after is not None
    assert after.bar == 0.8
    assert {name: one.sample == before.characters["colour"].sample for name, one in after.characters.items()} == {
        "colour": True, "pattern": True, "marks": False, "width": False
    }  # fmt: skip
    assert after.characters["colour"] == before.characters["colour"]


def test_what_was_settled_in_part_is_never_lost(root: Path) -> None:
    first, second, truth = filled(root, errs=0.2)
    found = judge(root / "sample", first, second)
    assert found.adjudication
    some = found.score.open[0]
    fill(found.adjudication, found.adjudication, lambda item: truth[item] if item == some else "")
    assert found.adjudication.read_text().count(truth[some]) >= 1
    again = judge(root / "sample", first, second, found.adjudication)
    assert set(again.score.open) == set(found.score.open) - {some}
    judge(root / "sample", first, second)
    kept = judge(root / "sample", first, second, found.adjudication)
    assert kept.score.open == again.score.open


def test_what_people_did_not_confirm_stays_out_of_a_release(root: Path) -> None:
    first, second, _ = filled(root)
    _, key = read_key(root / "sample")
    wrong = truth_of(key, {"marks": 1.0})
    one = fill(root / "sample" / "ada-byron" / "answers.csv", first, lambda item: wrong[item])
    other = fill(root / "sample" / "ben-kiel" / "answers.csv", second, lambda item: wrong[item])
    found = judge(root / "sample", one, other, bar=0.5)
    assert {name for name, _ in found.left_out} == {"", "marks", "width"}
    bar = bar_of(read_gold(root / "out"), None, DICTIONARY)
    specimens = list(load_scan(root / "out" / "scan").specimens)
    said = list(read_statements(root / "out" / "checks"))
    stranger = says(specimens[0].id, 9, "colour", "red", describer=type(MODEL)("model", "another"))
    settings = DatasetSettings(allow_unlicensed=True, bar=bar)
    written = write_dataset(
        specimens, [*said, stranger], DICTIONARY, root / "Museum of Bees", root / "release", settings
    )
    assert written.barred == {"colour": 1, "marks": 36, "width": 36}
    assert written.statements == sum(one.character in ("colour", "pattern") for one in said)
    for name in ("specimens.csv", "taxa.csv", "taxa_long.csv", "taxa.nex"):
        text = (written.folder / name).read_text()
        assert "colour" in text
        assert "marks" not in text
    with open(written.folder / "left_out_characters.csv", newline="", encoding="utf-8") as file:
        why = {(row["character"], int(row["statements"])): row["why"] for row in csv.DictReader(file)}
    assert "never scored" in why["width", 36]
    assert "below the bar of 0.5: precision 0.000" in why["marks", 36]
    assert "another was never scored" in why["colour", 1]
    assert "Reached it: colour, pattern." in (written.folder / "README.md").read_text()


def test_a_bar_without_a_score_lets_nothing_through_and_no_bar_lets_all() -> None:
    bar = bar_of(None, 0.5, DICTIONARY)
    assert bar is not None
    assert all(bar.why_not(says("0" * 32, 1, name, "[absent]")) for name in DICTIONARY.characters)
    assert bar_of(None, None, DICTIONARY) is bar_of(None, 0.0, DICTIONARY) is None


def test_label_studios_export_is_read(root: Path) -> None:
    _, second, truth = filled(root)
    tasks = json.loads((root / "sample" / "ada-byron" / "label_studio" / "tasks.json").read_text())
    for number, task in enumerate(tasks):
        said = truth[task["data"]["item"]]
        is_number = said[0].isdigit()
        result = {"from_name": "number" if is_number else "answer", "type": "textarea" if is_number else "choices"}
        labels = {one["alias"]: one["value"] for one in task["data"]["choices"]}
        result["value"] = {"text": [said]} if is_number else {"choices": [labels[said]]}  # type: ignore[assignment]
        task |= {"id": number, "annotations": [{"result": [result], "completed_by": 1}]}
    (root / "export.json").write_text(json.dumps(tasks))
    assert judge(root / "sample", root / "export.json", second).score.all.agreed == 1


def test_tables_saved_by_other_spreadsheets_are_read(root: Path) -> None:
    first, second, _ = filled(root)
    with open(first, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    with open(first, "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    assert judge(root / "sample", first, second).score.all.agreed == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[1].__setitem__(-2, "reddish"), r"line 2.*'reddish' is no answer.*rite"),
        (lambda rows: rows[2].__setitem__(-2, ""), r"line 3.*has no answer.*\[unknown\]"),
        (lambda rows: rows[3].__setitem__(0, "ffff-001"), r"line 4.*'ffff-001' is no item of this sample"),
        (lambda rows: rows.append(rows[1]), r"line 62.*is there twice"),
        (lambda rows: rows.pop(), r"is missing.*Add its row"),
        (lambda rows: rows[0].__setitem__(-2, "reply"), r"there is no column 'answer'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(root: Path, change: object, says: str) -> None:
    first, second, _ = filled(root)
    with open(first, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    change(rows)  # type: ignore[operator]
    with open(first, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(InputError, match=f"(?s){says}"):
        judge(root / "sample", first, second)
    assert not (root / "sample" / "report.md").exists()


def test_what_cannot_be_meant_is_refused(root: Path, tmp_path: Path) -> None:
    first, second, _ = filled(root)
    with pytest.raises(InputError, match="both tables are the same"):
        judge(root / "sample", first, first)
    with pytest.raises(InputError, match="--bar: nan is no share"):
        judge(root / "sample", first, second, bar=float("nan"))
    with pytest.raises(InputError, match="cannot be read as answers"):
        judge(root / "sample", first, root)
    with pytest.raises(InputError, match="no sample here"):
        judge(root, first, second)
    with pytest.raises(InputError, match=r"cannot be read as answers.*nowhere"):
        judge(root / "sample", first, root / "nowhere.csv")
    (root / "out" / "gold").rename(root / "gold")
    with pytest.raises(InputError, match="key to this sample is not there"):
        judge(root / "sample", first, second)
    (root / "gold").rename(root / "out" / "gold")
    for path in (root / "out" / "gold").iterdir():
        path.write_text("{")
    with pytest.raises(RecordError, match="draw a new sample"):
        judge(root / "sample", first, second)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (DrawSettings(size=5, least=2), r"6 strata by taxon and character need 12 items.*--least 0"),
        (DrawSettings(size=999), "there are 108"),
        (DrawSettings(size=9, rank="tribe"), "no rank"),
        (DrawSettings(size=9, strata=("colour",)), "nothing to tell strata apart"),  # type: ignore[arg-type]
        (DrawSettings(size=9, characters=("hue",)), r"'hue' is no character.*colour"),
    ],
)
def test_samples_that_cannot_be_drawn(whole: Path, tmp_path: Path, settings: DrawSettings, says: str) -> None:
    with pytest.raises(InputError, match=says):
        draw(whole / "out", tmp_path / "sample", settings)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_used(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="never overwritten"):
        draw(whole / "out", whole / "sample", SETTINGS)
    with pytest.raises(InputError, match="beside its key"):
        draw(whole / "out", whole / "out" / "sample", SETTINGS)
    with pytest.raises(InputError, match="share a folder"):
        draw(whole / "out", tmp_path / "sample", SETTINGS, ("Ada B.", "ada b"))
    with pytest.raises(InputError, match="nothing was described here"):
        draw(tmp_path, tmp_path / "sample", SETTINGS)


def test_one_at_a_time(root: Path) -> None:
    with locked(root / "out"), pytest.raises(LeaseError, match="in use"):
        draw(root / "out", root / "another", SETTINGS)


def test_an_image_that_is_gone_leaves_nothing_behind(root: Path) -> None:
    shutil.rmtree(root / "Museum of Bees")
    write = json.dumps({"schema_version": 1, "images": str(root / "Museum of Bees")})
    (root / "out" / "job.json").write_text(write)
    with pytest.raises(InputError):
        draw(root / "out", root / "another", SETTINGS)
    assert not [path for path in root.iterdir() if "another" in path.name]


def test_a_damaged_record_is_said(root: Path) -> None:
    first, second, _ = filled(root)
    (root / "out" / "gold.json").write_text('{"schema_version": 1, "characters": {}}')
    with pytest.raises(RecordError, match="Delete it, and score the sample again"):
        judge(root / "sample", first, second)
