"""The page on models: its file is read, its variables are those that are read, its programs are run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agents.models import Transcript, find_config
from agents.models.config import KEY_VARIABLE, MODEL_VARIABLE, URL_VARIABLE
from tests.docs.pages import blocks, page
from tests.model_server import ModelServer, truthful

PAGE = page("how-to/models.md")


def of_language(language: str) -> list[str]:
    return [block.text for block in blocks(PAGE) if block.language == language]


def test_the_variables_are_those_that_are_read() -> None:
    (exports,) = of_language("sh")
    names = [line.removeprefix("export ").partition("=")[0] for line in exports.splitlines()]
    assert names == [URL_VARIABLE, MODEL_VARIABLE, KEY_VARIABLE]


def test_the_file_is_read(tmp_path: Path) -> None:
    (table,) = of_language("toml")
    file = tmp_path / "labwright.toml"
    file.write_text(table, encoding="utf-8")
    config = find_config(file, {})
    assert config is not None
    assert config.price is not None
    assert config.rates.in_flight == 256


def test_the_programs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as on the page, in one module."""
    monkeypatch.chdir(tmp_path)
    Path("region.png").write_bytes(b"pixels")
    names: dict[str, Any] = {"__name__": "page"}
    with ModelServer(truthful({"name": "wing", "state": "present"})) as server:
        server.shelf.polls = 0
        monkeypatch.setitem(os.environ, URL_VARIABLE, server.url)
        monkeypatch.setitem(os.environ, MODEL_VARIABLE, "stand-in")
        for program in of_language("python"):
            exec(compile(program, str(PAGE), "exec", dont_inherit=True), names)  # the documentation's own programs
        assert len(server.asked) == 101
    told = capsys.readouterr().out
    assert "present 120 False" in told
    assert "100 requests, 0 answered already" in told
    assert "99 wing" in told
    assert "12120 tokens so far" in told
    assert len(names["outcomes"]) == 100
    transcript = Transcript(Path("transcript.sqlite"))
    assert len(Path("calls.jsonl").read_text().splitlines()) == sum(1 for _ in transcript.calls()) == 101
    transcript.close()
