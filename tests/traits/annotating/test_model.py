"""The whole job with a model at a local endpoint that tells the truth, or misbehaves, or dies."""

from __future__ import annotations

import json
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pyarrow.parquet import read_table

from agents.models import BudgetSpent, Limits, ModelRequestRefused, ModelUnavailable, Patience, Price, Rates, Transcript
from console.cli.exits import ExitCode
from console.cli.failures import explain
from pipelines.traits.annotating import Annotated, AnnotationSettings, Asking, Foreseen, annotate, measuring
from pipelines.traits.annotating.stored import read_controls, read_statements
from pipelines.traits.dataset import Review
from pipelines.traits.describing import Picture
from pipelines.traits.finding import find_traits
from pipelines.traits.finding.progress import Event
from pipelines.traits.statements import Statement
from protocols.errors import ApprovalError, InputError, RecordError
from tests.model_server import Asked, ModelServer, Status, garbage, refusing, truthful
from tests.models.questions import QUICK, config_of
from tests.traits.annotating.collection import FEW_WORDS, SMALL, draw
from tests.traits.killing import contents
from tests.traits.prompting.insects import SAID

pytestmark = pytest.mark.slow
ASKED = AnnotationSettings(model="stand-in", controls=0.2)


def seen(asked: Asked) -> dict[str, Any]:
    """What is there to see in the last picture: how light its middle is; of even grey, nothing."""
    picture = cv2.imdecode(np.frombuffer(asked.images[-1], np.uint8), cv2.IMREAD_COLOR)
    middle = picture[picture.shape[0] // 3 : -picture.shape[0] // 3, picture.shape[1] // 3 : -picture.shape[1] // 3]
    if float(picture.std()) < 30 and abs(float(np.median(picture)) - 128) < 3:
        return SAID | {"shows": "background", "part": "", "characters": [], "text": "Nothing."}
    state = "light" if float(np.median(middle)) > 150 else "medium" if float(np.median(middle)) > 90 else "dark"
    character = {"character": "brightness", "state": state, "standing": "observed", "confidence": 0.8}
    return SAID | {"part": "body", "characters": [character], "text": "Smooth."}


class Job:
    """The job over the small collection, with its regions found already, at an endpoint of its own."""

    def __init__(self, home: Path, folder: Path, server: ModelServer) -> None:
        self.images, self.out, self.server = home / "images", folder / "out", server
        self.words = AnnotationSettings(dictionary=str(home / "few.yaml"))
        self.folder = folder
        self.foreseen: list[Foreseen] = []
        shutil.copytree(home / "found", self.out)

    def asking(self, consent: bool = True, **more: Any) -> Callable[[str], Asking]:
        batch = {name: more.pop(name) for name in ("batch", "poll") if name in more}

        def agreed(foreseen: Foreseen) -> bool:
            self.foreseen.append(foreseen)
            return consent

        config = config_of(self.server, **more)
        return lambda name: Asking(config=config, cache=self.folder / "answers.sqlite", consent=agreed, **batch)

    def run(self, chosen: AnnotationSettings = ASKED, again: bool = False, **more: Any) -> Annotated:
        own = chosen.over(self.words)
        reviews = more.pop("reviews", None)
        return annotate(
            self.images, self.out, own, SMALL, model=self.asking(**more), workers=1, again=again, reviews=reviews
        )

    def said(self) -> list[Statement]:
        """What the model said, checked."""
        return [one for one in read_statements(self.out / "checks") if one.describer.kind == "model"]

    def contents(self) -> dict[str, str]:
        return contents(self.out)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images, and in ``found`` a job whose regions are found and not described."""
    home = tmp_path_factory.mktemp("asked")
    (home / "few.yaml").write_text(FEW_WORDS)
    find_traits(draw(home / "images", 3), home / "found", SMALL, workers=1)
    return home


@pytest.fixture(scope="module")
def whole(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Job, Annotated]]:
    """A job that nothing befell, and what it gave; not to be changed."""
    with ModelServer(truthful(seen)) as server:
        job = Job(home, tmp_path_factory.mktemp("whole"), server)
        yield job, job.run()


@pytest.fixture
def job(home: Path, tmp_path: Path) -> Iterator[Job]:
    with ModelServer(truthful(seen)) as server:
        yield Job(home, tmp_path, server)


def test_a_model_describes_beside_the_measurements_and_both_are_checked(whole: tuple[Job, Annotated]) -> None:
    job, made = whole
    said, lines = job.said(), (job.out / "regions" / "regions-000000.jsonl").read_text().splitlines()
    regions = [json.loads(line) for line in lines]
    assert {(one.image, one.latent) for one in said} == {(line["image"], line["latent"]) for line in regions}
    assert {one.describer.name for one in said} == {"stand-in-1"}
    assert {one.describer.kind for one in read_statements(job.out / "checks")} == {"measured", "model"}
    assert {one.state for one in said if one.character == "brightness"} >= {"light"}
    assert made.asked is not None
    count = -(-len(regions) // 5)
    kinds = [one.kind for one in read_controls(job.out / "answers" / "controls-000000.jsonl")]
    assert [kinds.count(kind) for kind in ("again", "blank image", "wrong name told")] == [count] * 3
    assert 0 < kinds.count("another region") <= count
    (foreseen,) = job.foreseen
    assert (foreseen.descriptions, foreseen.controls) == (len(regions), len(kinds))
    told = made.asked.figures
    assert (told["blank_image"]["described"], told["blank_image"]["compared"]) == (0, len(regions))
    assert told["another_region"]["compared"] == kinds.count("another region")
    assert made.asked.tokens == 120 * len(job.server.asked)


def test_a_name_is_told_as_a_control_and_nowhere_else(whole: tuple[Job, Annotated]) -> None:
    job, _ = whole
    wire = json.dumps(job.server.requests)
    plain = re.sub(r"The organism was identified as \w+\.", "", wire)
    assert plain != wire
    assert not [name for name in ("fasciata", "lutea", ".png", "identified as") if name in plain]
    transcript = Transcript(job.out / "transcripts" / "calls.sqlite")
    calls = list(transcript.calls())
    transcript.close()
    assert len([one for one in calls if one["exchanges"]]) == len(job.server.asked)
    assert "base64" not in json.dumps(calls)


def test_the_same_again_asks_nothing_and_needs_no_endpoint(whole: tuple[Job, Annotated], job: Job) -> None:
    shutil.rmtree(job.out)
    shutil.copytree(whole[0].out, job.out)
    shutil.copy(whole[0].folder / "answers.sqlite", job.folder)
    before = job.contents()
    annotate(job.images, job.out)
    assert job.contents() == before
    other = AnnotationSettings(model="stand-in", samples=2)
    with pytest.raises(InputError, match="--samples by default, now 2"):
        job.run(other)
    job.run(other, again=True)
    first, second = ({one.image for one in job.said() if one.describer.sample == sample} for sample in (0, 1))
    assert first == second
    assert len(job.server.asked) <= len({(one.image, one.latent) for one in job.said()}), "what was answered is kept"


def test_what_a_model_does_not_say_is_not_invented(job: Job) -> None:
    moody = (truthful(seen), refusing(), garbage)
    job.server.behaviour = lambda asked: moody[asked.number % 3](asked)
    made = job.run(replace(ASKED, controls=0.0), patience=Patience(**QUICK.model_dump() | {"repairs": 0}))
    rows = [one for one in job.said() if one.standing == "unknown"]
    assert made.asked is not None
    assert set(made.asked.unanswered) == {"the model refused", "its answers had no usable form"}
    assert sum(made.asked.unanswered.values()) == len(rows)
    assert {(one.part, one.character, one.state, one.text) for one in rows} == {("region", "", "", "")}
    assert all(one.doubts[0].startswith("no answer: ") for one in rows)
    job.server.behaviour = moody[0]
    job.run(again=True)
    assert not [one for one in job.said() if one.standing == "unknown"]


@pytest.mark.parametrize(("code", "error"), [(500, ModelUnavailable), (402, ModelRequestRefused)])
def test_an_endpoint_that_dies_stops_the_job_and_is_asked_for_the_rest(
    job: Job, whole: tuple[Job, Annotated], monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    monkeypatch.setattr("pipelines.traits.annotating.asking.MOST_FAILED", 6)
    mended = truthful(seen)
    job.server.behaviour = lambda asked: mended(asked) if asked.number < 5 else Status(code)
    with pytest.raises(error, match="6 questions in a row"):
        job.run(patience=Patience(**QUICK.model_dump() | {"attempts": 1}), rates=Rates(concurrency=2))
    assert not (job.out / "answers" / "statements-000000.jsonl").exists()
    job.server.behaviour, before = mended, len(job.server.asked)
    job.run()
    assert len(job.server.asked) - before == len(whole[0].server.asked) - 5
    assert job.contents() == whole[0].contents()


def test_a_spent_budget_is_said_and_more_of_it_ends_with_the_same_bytes(job: Job, whole: tuple[Job, Annotated]) -> None:
    with pytest.raises(BudgetSpent, match="the budget is spent") as spent:
        job.run(limits=Limits(money=Decimal("0.02")))
    assert "--budget" in spent.value.mend
    assert not (job.out / "checks").exists()
    assert len(job.server.asked) > 0
    job.run(limits=Limits(money=Decimal(10)))
    assert len(job.server.asked) == len(whole[0].server.asked)
    assert job.contents() == whole[0].contents()


def test_nothing_is_sent_before_someone_agrees(job: Job) -> None:
    with pytest.raises(ApprovalError, match="not asked"):
        job.run(consent=False, price=Price(input=Decimal(1), output=Decimal(2)))
    assert job.server.asked == []
    (foreseen,) = job.foreseen
    assert foreseen.descriptions > 5
    assert foreseen.estimate.most_cost is not None
    assert (job.out / "descriptions" / "stage.json").exists(), "what was measured is kept"
    with pytest.raises(InputError, match="--model stand-in, now none"):
        annotate(job.images, job.out, AnnotationSettings(model="none"))
    made = annotate(job.images, job.out, AnnotationSettings(model="none"), again=True)
    assert (made.asked, job.said(), job.server.asked) == (None, [], [])


def test_several_specimens_at_once_with_examples_in_a_box(job: Job) -> None:
    cv2.imwrite(str(job.folder / "wing.png"), np.full((80, 100, 3), 90, np.uint8))
    answer = json.dumps(SAID | {"characters": []})
    examples = f"examples:\n- {{image: wing.png, box: [5, 5, 60, 60], answer: {answer}}}\n"
    (job.folder / "own.yaml").write_text(examples)
    job.run(replace(ASKED, images_per_prompt=3, look="box", examples=str(job.folder / "own.yaml")))
    body = job.server.requests[0]
    assert [one["role"] for one in body["messages"]] == ["system", "user", "assistant", "user"]
    assert "red box" in job.server.asked[0].question
    assert max(len(one.images) for one in job.server.asked) == 4
    assert {dict(one.conditions).get("shared by", "1") for one in job.said()} >= {"3"}
    (job.folder / "own.yaml").write_text("examples:\n- {image: wing.png, answer: " + answer + "}\n")
    with pytest.raises(InputError, match="another text of its examples"):
        job.run(AnnotationSettings())
    shutil.rmtree(job.out / "answers")
    (job.folder / "own.yaml").write_text(examples)
    elsewhere = Asking(config=job.asking()("").config.model_copy(update={"name": "elsewhere"}), cache=job.folder)
    with pytest.raises(InputError, match="was begun with stand-in at local, and stand-in is now stand-in at elsewhere"):
        annotate(job.images, job.out, model=lambda _: elsewhere)


def test_a_batch_gives_the_same_dataset(job: Job, whole: tuple[Job, Annotated]) -> None:
    job.run(batch=True, poll=0.01)
    assert len(job.server.shelf.batches) == 1
    assert not [one for one in job.server.asked if one.headers], "nothing is asked directly"
    assert job.contents() == whole[0].contents()


def test_a_person_who_looks_is_kept_and_what_they_found_wrong_is_doubted(
    job: Job, whole: tuple[Job, Annotated]
) -> None:
    shutil.rmtree(job.out)
    shutil.copytree(whole[0].out, job.out)
    first, second, *_ = job.said()
    made = [Review(first.id, "accept", "Ada Byron"), Review(second.id, "reject", "Ada Byron")]
    for settings in (AnnotationSettings(creators=("Ada Byron",), title="Beetles"), AnnotationSettings()):
        annotate(job.images, job.out, settings, reviews=made)
        assert len((job.out / "reviews.jsonl").read_text().splitlines()) == 2, "a decision is kept once"
    rows = {row["id"]: row for row in read_table(job.out / "dataset/release/data/statements-00000.parquet").to_pylist()}
    assert rows[first.id]["review"] == "Ada Byron"
    assert "rejected by Ada Byron" in rows[second.id]["doubts"]
    card = (job.out / "dataset" / "release" / "README.md").read_text()
    assert "Ada Byron" in card
    assert "Beetles" in card


def test_images_are_added_and_only_what_is_new_is_measured_and_asked(
    job: Job, whole: tuple[Job, Annotated], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(job.out)
    shutil.copytree(whole[0].out, job.out)
    shutil.copy(whole[0].folder / "answers.sqlite", job.folder)
    job.images = shutil.copytree(job.images, job.folder / "images")
    before = {one.id for one in read_statements(job.out / "checks")}
    (more := job.images / "Genus_aurea").mkdir()
    shutil.copy(draw(job.folder / "more", 4) / "Genus_lutea" / "3.png", more)
    measured: list[str] = []
    original = measuring._measure_region

    def counted(picture: Picture, *rest: Any) -> None:
        measured.append(picture.id)
        original(picture, *rest)

    monkeypatch.setattr(measuring, "_measure_region", counted)
    asking = job.asking()
    annotate(job.images, job.out, model=asking, add=True, workers=1)
    after = list(read_statements(job.out / "checks"))
    new = {one.image for one in after} - {one.image for one in whole[0].said()}
    assert len(new) == 1
    regions = {(one.image, one.latent) for one in after if one.id not in before}
    assert {image for image, _ in regions} >= new
    assert len(measured) == len(regions)
    kept = {one.id for one in after if one.describer.kind == "model"} & before
    assert len(kept) > 8
    assert job.foreseen[0].estimate.cached >= len(kept)
    assert len(job.server.asked) <= job.foreseen[0].to_ask
    fresh = job.out.with_name("fresh")
    shutil.copytree(job.out, fresh)
    shutil.rmtree(fresh / "descriptions")
    annotate(job.images, fresh, model=asking, workers=1)
    assert contents(fresh) == contents(job.out), "what is kept is what would be measured"


@pytest.mark.parametrize("stage", ["descriptions", "answers", "checks", "dataset"])
def test_a_full_disk_is_said_and_the_job_goes_on_once_there_is_room(
    job: Job, whole: tuple[Job, Annotated], stage: str
) -> None:
    shutil.rmtree(job.out)
    shutil.copytree(whole[0].out, job.out)
    shutil.rmtree(job.out / stage)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fills_up(event: Event) -> None:
        if event.stage == stage and event.state == "begun":
            resource.setrlimit(resource.RLIMIT_FSIZE, (2500, hard))  # enough for the record of a stage begun

    try:
        with pytest.raises((OSError, RecordError)) as caught:
            annotate(job.images, job.out, model=job.asking(), report=fills_up, workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    failure = explain(caught.value)
    assert failure.code == ExitCode.SYSTEM
    assert "\n" not in failure.what
    assert not [path for path in (job.out / stage).rglob("*") if path.name.startswith(".")]
    annotate(job.images, job.out, model=job.asking(), workers=1)
    assert job.contents() == whole[0].contents()
