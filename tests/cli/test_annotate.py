"""labwright annotate, as a person meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from tests.cli.conftest import Call
from tests.traits.annotating.collection import FEW_WORDS, draw

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
        (("--backbone", "nowhere/model"), "nowhere/model"),
    ],
)
def test_what_cannot_be_meant(call: Call, images: Path, tmp_path: Path, words: tuple[str, str], says: str) -> None:
    refused = call("annotate", images, "--out", tmp_path / "out", *words)
    refused.refused(ExitCode.INPUT, says)


def test_nothing_is_written_before_the_images_are_found(call: Call, tmp_path: Path) -> None:
    call("annotate", tmp_path / "nowhere", "--out", tmp_path / "out").refused(ExitCode.INPUT, "no such folder")
    assert not (tmp_path / "out").exists()
