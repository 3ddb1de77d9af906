"""labwright traits gold, as a person meets it."""

from __future__ import annotations

from pathlib import Path

from console.cli.exits import ExitCode
from tests.cli.conftest import Call
from tests.traits.gold.annotated import annotated, fill


def test_draw_and_score_for_people_and_for_machines(call: Call, tmp_path: Path) -> None:
    out, sample = annotated(tmp_path, 8), tmp_path / "sample"
    who = ("--annotators", "Ada Byron", "Ben Kiel")
    drawn = call("traits", "gold", "draw", out, "--out", sample, "--size", "30", "--strata", "character", *who)
    assert (drawn.code, drawn.err) == (0, "")
    assert "Drawn: 30 of 72 questions, from 3 strata" in drawn.out
    assert f"For ben-kiel: {sample}/ben-kiel/answer.html" in drawn.out
    again = call("traits", "gold", "draw", out, "--out", sample, "--size", "30")
    again.refused(ExitCode.INPUT, "never overwritten")
    first = fill(sample / "ada-byron" / "answers.csv", tmp_path / "a.csv", lambda item: "[absent]")
    second = fill(sample / "ben-kiel" / "answers.csv", tmp_path / "b.csv", lambda item: "[unknown]")
    scored = call("traits", "gold", "score", sample, first, second, "--bar", "0.5")
    assert scored.code == ExitCode.FINDINGS
    assert "30 disputes are open" in scored.out
    assert f"Report: {sample}/report.md" in scored.out
    fill(second, second, lambda item: "[absent]")
    told = call("traits", "gold", "score", sample, first, second, "--bar", "0.5", "--json").json()
    assert (told["all"]["agreed"], told["bar"], told["adjudication"]) == (1, 0.5, None)
    assert told["all"]["precision"]["value"] < 0.5
    assert set(told["left_out"]) == {"", "colour", "marks", "pattern", "width"}
    said = call("traits", "gold", "score", sample, first, second)
    assert "The bar of 0.5 keeps 3 characters out of the dataset, and 1 never scored" in said.out


def test_what_cannot_be_meant(call: Call, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("item,answer\n")
    call("traits", "gold", "score", tmp_path, table, table).refused(ExitCode.INPUT, "no sample here")
    out = annotated(tmp_path, 2)
    draw = ("traits", "gold", "draw", out, "--out", tmp_path / "sample")
    call(*draw, "--size", "999").refused(ExitCode.INPUT, "there are 18")
    call(*draw, "--size", "2").refused(ExitCode.INPUT, "--least 0")
    call(*draw, "--size", "2", "--strata", "hue").refused(ExitCode.INPUT, "taxon, character, band")
