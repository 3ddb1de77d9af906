"""labwright annotate, as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.conftest import Call
from tests.model_server import Completion, ModelServer
from tests.traits.annotating.collection import FEW_WORDS, draw
from tests.traits.annotating.test_model import seen

QUICK = ("--steps", "40", "--expansion", "2", "--k", "4")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("annotate") / "two species")


@pytest.mark.slow
def test_from_images_to_statements_and_again(call: Call, images: Path, tmp_path: Path) -> None:
    out, own = tmp_path / "dataset", tmp_path / "few.yaml"
    own.write_text(FEW_WORDS)
    said = call("annotate", images, "--out", out, "--dictionary", own, "--licence", "CC0 1.0", *QUICK)
    assert (said.code, said.err) == (0, "")
    assert "Images: 12 of 2 taxa" in said.out
    assert "Most common in each taxon:" in said.out
    assert "brightness" in said.out
    assert f"Dataset: {out}/dataset/release (12 images)" in said.out
    assert (out / "dataset" / "release" / "README.md").is_file()
    assert f"Gallery: {out}/gallery/index.html" in said.out
    told = call("annotate", images, "--out", out, "--json").json()
    lines = sum(len(path.read_text().splitlines()) for path in (out / "checks").glob("statements-*.jsonl"))
    assert told["statements"] == lines == sum(told["standings"].values())
    assert {one["verdict"] for one in told["agreements"]} <= {"too few", "agrees", "polymorphic", "differs"}
    call("annotate", images, "--out", out, "--pixels-per-mm", "20").refused(ExitCode.INPUT, "--again")
    (out / "checks" / "agreement.jsonl").write_text("")
    call("annotate", images, "--out", out).refused(ExitCode.RECORD, "agreement.jsonl", "delete")


@pytest.mark.slow
def test_a_model_is_asked_once_someone_agrees_and_within_the_budget(call: Call, tmp_path: Path, home: Path) -> None:
    images, own = draw(tmp_path / "images", 2), tmp_path / "few.yaml"
    own.write_text(FEW_WORDS)
    words = ("annotate", images, "--out", tmp_path / "out", "--dictionary", own, "--licence", "CC0 1.0")
    words += ("--steps", "20", "--expansion", "1", "--k", "1", "--model", "eyes")
    call(*words).refused(ExitCode.INPUT, "the model eyes is configured without its url", "[models.eyes]")
    assert not (tmp_path / "out").exists()
    with ModelServer(lambda asked: Completion(json.dumps(seen(asked)), usage=(4000, 100))) as server:
        (tmp_path / "labwright.toml").write_text(
            f'[models.eyes]\nurl = "{server.url}"\nprice = {{input = 100, output = 100}}\n'
        )
        call(*words).refused(ExitCode.INPUT, "eyes is not asked before someone agrees", "requests", "--yes")
        call(*words, "--yes", "--budget", "2x").refused(ExitCode.INPUT, "no sum of money")
        assert server.asked == []
        call(*words, "--yes", "--budget", "2").refused(ExitCode.STOPPED, "the budget is spent", "--budget")
        asked = len(server.asked)
        assert asked > 0
        said = call(*words, "--yes", "--budget", "50")
        assert (said.code, said.err) == (0, "")
        assert f"eyes at {server.url}: " in said.out
        assert f"{asked:,} answered already" in said.out
        assert "Spent on this dataset so far:" in said.out
        assert "Model: eyes" in said.out
        assert "Shown a blank image, 0 of" in said.out
        assert (home / "answers.sqlite").is_file()
    again = call(*words, "--json").json()
    assert again["model"]["model"] == "eyes"
    assert again["model"]["unanswered"] == {}


def test_a_dictionary_with_mistakes(call: Call, images: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("dictionary: own\nversion: 1\ncharacters:\n  colour:\n    kind: categoricl\n  hue: 3\n")
    refused = call("annotate", images, "--out", tmp_path / "out", "--dictionary", own)
    refused.refused(ExitCode.INPUT, "line 5", "line 6", "categorical")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--dictionary", "nowhere.yaml"), "nowhere.yaml"),
        (("--pixels-per-mm", "0"), "no scale"),
        (("--pixels-per-mm-sd", "1"), "no scale"),
        (("--rank", "tribe"), "no rank"),
        (("--samples", "3"), "of a model, and none is named"),
        (("--checklist", "nowhere.csv"), "nowhere.csv"),
        (("--reviews", "nowhere.csv"), "nowhere.csv"),
        (("--backbone", "nowhere/model"), "nowhere/model"),
    ],
)
def test_what_cannot_be_meant(call: Call, images: Path, tmp_path: Path, words: tuple[str, str], says: str) -> None:
    refused = call("annotate", images, "--out", tmp_path / "out", *words)
    refused.refused(ExitCode.INPUT, says)


def test_nothing_is_written_before_the_images_are_found(call: Call, tmp_path: Path) -> None:
    call("annotate", tmp_path / "nowhere", "--out", tmp_path / "out").refused(ExitCode.INPUT, "no such folder")
    assert not (tmp_path / "out").exists()
