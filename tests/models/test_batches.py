"""Batches: sent once, answered later, and then as any answer."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from agents.models import (
    Answer,
    Batches,
    BudgetSpent,
    Limits,
    ModelRefused,
    ModelRequestRefused,
    ModelUnavailable,
    Price,
)
from agents.models import batches as batches_module
from protocols.errors import InputError
from tests.model_server import Asked, Completion, ModelServer, Response, failing, garbage, in_turn, truthful
from tests.models.questions import TRUTH, Trait, model_of, question

HALF = Price(input=Decimal(10), output=Decimal(10), batch=Decimal("0.5"))


def by_question(asked: Asked) -> Response:
    match asked.question:
        case "refuse":
            return Completion(None, refusal="no")
        case "fail":
            return failing(400)(asked)
        case "nonsense":
            return garbage(asked)
        case part if not asked.repairing:
            return truthful(TRUTH | {"part": part})(asked)
    return truthful(TRUTH | {"part": "repaired"})(asked)


REQUESTS = [question(text) for text in ("a", "b", "refuse", "fail", "nonsense", "a")]


def test_a_batch_from_beginning_to_end(tmp_path: Path) -> None:
    with ModelServer(by_question) as server, model_of(server, tmp_path, price=HALF) as model:
        batches = Batches(model)
        (batch,) = batches.submit(REQUESTS, Trait)
        held = model.spent()
        assert held.tokens == 0
        assert held.held_tokens > 5 * 1024
        assert batches.submit(REQUESTS, Trait) == [], "nothing is sent twice"
        assert batches.collect(REQUESTS, Trait) == {}
        seen: list[list[str]] = []
        ended = batches.wait(0.01, lambda found: seen.append([one.state for one in found]))
        assert [(one.batch, one.state, len(one.items)) for one in ended] == [(batch, "completed", 5)]
        assert seen[0] == ["in_progress"]
        outcomes = batches.collect(REQUESTS, Trait)
        assert list(outcomes) == [0, 1, 2, 3, 4, 5]
        a, b, refused, failed, repaired, same = outcomes.values()
        assert isinstance(a, Answer)
        assert isinstance(b, Answer)
        assert isinstance(repaired, Answer)
        assert (a.value.part, b.value.part, repaired.value.part) == ("a", "b", "repaired")
        assert isinstance(refused, ModelRefused)
        assert isinstance(failed, ModelRequestRefused)
        assert same == a
        # 120 tokens at half of 10 for a million; the repair at the full price.
        assert a.cost == Decimal("0.0006")
        assert repaired.cost == Decimal("0.0006") + Decimal("0.0012")
        spent = model.spent()
        assert (spent.tokens, spent.held_tokens) == (4 * 120 + 120, 0)
        assert model.ask(question("b"), Trait).cached
        assert batches.collect(REQUESTS[:2], Trait) == {0: a, 1: b}
        assert len(server.shelf.batches) == 1


def test_only_what_is_not_answered_is_sent(tmp_path: Path) -> None:
    with ModelServer(by_question) as server, model_of(server, tmp_path) as model:
        model.ask(question("a"), Trait)
        batches = Batches(model)
        batches.submit([question("a"), question("b")], Trait)
        (content,) = server.shelf.files.values()
        (line,) = [json.loads(one) for one in content.splitlines()]
        assert line["body"]["messages"][-1]["content"] == "b"
        assert (line["method"], line["url"], len(line["custom_id"])) == ("POST", "/v1/chat/completions", 64)
        batches.wait(0.01)
        assert sorted(batches.collect([question("a"), question("b")], Trait)) == [0, 1]


def test_another_process_goes_on(tmp_path: Path) -> None:
    with ModelServer(by_question) as server:
        with model_of(server, tmp_path) as model:
            Batches(model).submit(REQUESTS[:2], Trait)
        with model_of(server, tmp_path) as model:
            batches = Batches(model)
            assert batches.submit(REQUESTS[:2], Trait) == []
            batches.wait(0.01)
            assert len(batches.collect(REQUESTS[:2], Trait)) == 2
            assert model.spent().held_tokens == 0
        assert len(server.shelf.batches) == 1


@pytest.mark.parametrize("arrived", [True, False])
def test_a_crash_while_it_is_sent(tmp_path: Path, arrived: bool) -> None:
    """Before the endpoint's id is written down: found again where it arrived, else sent now."""
    with ModelServer(by_question) as server:
        with model_of(server, tmp_path) as model:
            Batches(model).submit(REQUESTS[:2], Trait)
        with sqlite3.connect(tmp_path / "transcript.sqlite") as database:
            database.execute("UPDATE batches SET remote = NULL, state = 'unsent'")
        database.close()
        if not arrived:
            server.shelf.batches.clear()
        with model_of(server, tmp_path) as model:
            batches = Batches(model)
            assert len(batches.submit(REQUESTS[:2], Trait)) == (0 if arrived else 1)
            batches.wait(0.01)
            assert len(batches.collect(REQUESTS[:2], Trait)) == 2
            assert (model.spent().tokens, model.spent().held_tokens) == (240, 0)
        assert len(server.shelf.batches) == 1


def test_a_batch_that_expires(tmp_path: Path) -> None:
    requests = [question(str(number)) for number in range(4)]
    with ModelServer(by_question) as server, model_of(server, tmp_path) as model:
        server.shelf.ends = "expired"
        batches = Batches(model)
        batches.submit(requests, Trait)
        batches.wait(0.01)
        outcomes = batches.collect(requests, Trait)
        assert [isinstance(one, Answer) for one in outcomes.values()] == [True, True, False, False]
        assert isinstance(outcomes[3], ModelUnavailable)
        assert "expired" in str(outcomes[3])
        assert model.spent().held_tokens == 0
        server.shelf.ends = "completed"
        batches.submit(requests, Trait)
        batches.wait(0.01)
        assert all(isinstance(one, Answer) for one in batches.collect(requests, Trait).values())
        assert len(server.asked) == 4


def test_files_are_as_large_as_they_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches_module, "MOST_REQUESTS", 2)
    requests = [question(str(number)) for number in range(5)]
    with ModelServer(by_question) as server, model_of(server, tmp_path) as model:
        batches = Batches(model)
        assert len(batches.submit(requests, Trait)) == 3
        assert sorted(len(content.splitlines()) for content in server.shelf.files.values()) == [1, 2, 2]
        monkeypatch.setattr(batches_module, "MOST_REQUESTS", 50)
        monkeypatch.setattr(batches_module, "MOST_BYTES", 1)
        assert len(batches.submit([question("x"), question("y")], Trait)) == 2
        batches.wait(0.01)
        assert len(batches.collect(requests, Trait)) == 5


def test_a_batch_beyond_the_budget_is_not_sent(tmp_path: Path) -> None:
    with ModelServer(by_question) as server, model_of(server, tmp_path, limits=Limits(tokens=3000)) as model:
        with pytest.raises(BudgetSpent):
            Batches(model).submit(REQUESTS, Trait)
        assert server.shelf.files == {}
        assert (model.spent().held_tokens, list(model.transcript.calls())) == (0, [])


def test_an_endpoint_without_batches(tmp_path: Path) -> None:
    with ModelServer(by_question) as server, model_of(server, tmp_path) as model:
        server.shelf.add_file = lambda *_: (_ for _ in ()).throw(OSError)  # type: ignore[method-assign, assignment]
        with pytest.raises(ModelUnavailable, match="no connection"):
            Batches(model).submit(REQUESTS, Trait)
        with pytest.raises(ModelRequestRefused, match="HTTP 404"):
            Batches(model)._retrieve("batch_9")


def test_results_that_cannot_be_read_count_as_not_answered(tmp_path: Path) -> None:
    with ModelServer(in_turn(by_question)) as server, model_of(server, tmp_path) as model:
        batches = Batches(model)
        batches.submit(REQUESTS[:2], Trait)
        batches.wait(0.01)
        output = server.shelf.batches["batch_0"]["output_file_id"]
        first, second = server.shelf.files[output].splitlines()
        server.shelf.files[output] = first + b"\n" + second[: len(second) // 2]
        outcomes = batches.collect(REQUESTS[:2], Trait)
        assert sorted(type(one).__name__ for one in outcomes.values()) == ["Answer", "ModelUnavailable"]


def test_batches_need_a_cache() -> None:
    with ModelServer(by_question) as server, model_of(server) as model, pytest.raises(InputError, match="need a cache"):
        Batches(model)
