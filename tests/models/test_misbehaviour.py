"""Whatever an endpoint does: a checked value, or a typed error; nothing made up, nothing asked too often."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from agents.models import (
    Answer,
    ModelAnswerUnusable,
    ModelError,
    ModelRefused,
    ModelRequestRefused,
    ModelUnavailable,
    Patience,
)
from tests.model_server import (
    Asked,
    Behaviour,
    Completion,
    ModelServer,
    Response,
    Status,
    after,
    broken,
    dropped,
    empty,
    failing,
    fenced,
    filtered,
    garbage,
    in_turn,
    limited,
    no_chat,
    no_schemas,
    only_words,
    prose,
    refusing,
    saying,
    strict,
    truncated,
    truthful,
)
from tests.models.questions import QUICK, TRUTH, VALUE, Trait, model_of, question

RIGHT = truthful(TRUTH)
SAID = VALUE.model_dump_json()
NO_CREDIT = Status(429, "quota", error_code="insufficient_quota")


@dataclass(frozen=True)
class Case:
    """A behaviour, what comes of it, how often the server is asked, and a word of the message."""

    behaviour: Behaviour
    comes: type[ModelError] | None = None
    asked: int = 1
    word: str = ""


CASES = {
    "truthful": Case(RIGHT),
    "strict about schemas": Case(strict(RIGHT)),
    "fences": Case(fenced(TRUTH)),
    "prose": Case(prose(TRUTH)),
    "thoughts first": Case(saying(f'<think>{{"part": "leg"}}?</think>{SAID}')),
    "garbage": Case(garbage, ModelAnswerUnusable, 3, "no JSON object"),
    "empty": Case(empty, ModelAnswerUnusable, 3, "empty"),
    "no content at all": Case(lambda _: Completion(None), ModelAnswerUnusable, 3, "empty"),
    "another object": Case(truthful({"colour": "red"}), ModelAnswerUnusable, 3, "part"),
    "a field too many": Case(truthful(TRUTH | {"extra": 1}), ModelAnswerUnusable, 3, "extra"),
    "a field left out": Case(truthful({name: TRUTH[name] for name in list(TRUTH)[:3]}), ModelAnswerUnusable, 3, "note"),
    "a field of another type": Case(truthful(TRUTH | {"note": 3}), ModelAnswerUnusable, 3, "note"),
    "a number in quotes": Case(truthful(TRUTH | {"confidence": "0.9"}), ModelAnswerUnusable, 3, "confidence"),
    "out of range": Case(truthful(TRUTH | {"confidence": 1.5}), ModelAnswerUnusable, 3, "confidence"),
    "too long": Case(truthful(TRUTH | {"part": "w" * 41}), ModelAnswerUnusable, 3, "40 characters"),
    "two answers": Case(saying(f"{SAID} or {SAID.replace('wing', 'leg')}"), ModelAnswerUnusable, 3, "2 different"),
    "wrong, then right": Case(in_turn(garbage, truthful({"part": "wing"}), RIGHT), None, 3),
    "cut off": Case(truncated(TRUTH), ModelAnswerUnusable, 3, "cut off"),
    "cut off until there is room": Case(truncated(TRUTH, whole_from=4096), None, 3),
    "cut off behind a whole object": Case(
        lambda _: Completion(VALUE.model_dump_json(), finish="length"), ModelAnswerUnusable, 3, "cut off"
    ),
    "refusal": Case(refusing("I will not."), ModelRefused, 1, "I will not"),
    "content filter": Case(filtered, ModelRefused, 1, "filter"),
    "500": Case(failing(500), ModelUnavailable, 4, "HTTP 500"),
    "500, then right": Case(in_turn(failing(500), failing(503), RIGHT), None, 3),
    "429 with Retry-After": Case(in_turn(limited("0.02"), RIGHT), None, 2),
    "429 without": Case(in_turn(limited(), limited(), RIGHT), None, 3),
    "429 with Retry-After, more often than a failure": Case(in_turn(*[limited("0.02")] * 6, RIGHT), None, 7),
    "429 with Retry-After of nothing": Case(limited("0"), ModelUnavailable, 4, "Rate limit"),
    "429 for ever": Case(limited(), ModelUnavailable, 4, "Rate limit"),
    "429 and a pause that is too long": Case(limited("3600"), ModelUnavailable, 1, "3600 s"),
    "no credit": Case(lambda _: NO_CREDIT, ModelRequestRefused, 1, "credit"),
    "400": Case(failing(400, "context too long"), ModelRequestRefused, 1, "context too long"),
    "401": Case(failing(401), ModelRequestRefused, 1, "LABWRIGHT_MODEL_KEY"),
    "404": Case(failing(404, "no such model"), ModelRequestRefused, 1, "LABWRIGHT_MODEL_URL"),
    "413": Case(failing(413), ModelRequestRefused, 1, "smaller"),
    "dropped in the middle": Case(dropped(30), ModelUnavailable, 4, "broke"),
    "dropped at once": Case(dropped(None), ModelUnavailable, 4, "broke"),
    "dropped, then right": Case(in_turn(dropped(30), dropped(None), RIGHT), None, 3),
    "a proxy's page": Case(no_chat, ModelUnavailable, 4, "no chat completion"),
    "no choices": Case(broken, ModelUnavailable, 4, "no chat completion"),
    "no schemas": Case(no_schemas(RIGHT), None, 2),
    "no response_format": Case(only_words(RIGHT), None, 3),
    "no schemas, and fences": Case(no_schemas(fenced(TRUTH)), None, 2),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_comes_of_it(case: Case) -> None:
    with ModelServer(case.behaviour) as server, model_of(server) as model:
        if case.comes is None:
            assert model.ask(question(), Trait).value == VALUE
        else:
            with pytest.raises(case.comes, match=case.word) as raised:
                model.ask(question(), Trait)
            assert type(raised.value) is case.comes
            assert raised.value.call == 1
        assert len(server.asked) == case.asked
        assert model.spent().held_tokens == 0


def test_a_server_that_is_slow_is_given_up() -> None:
    patience = Patience(timeout=0.1, attempts=2, first_wait=0.01)
    with ModelServer(after(2, RIGHT)) as server, model_of(server, patience=patience) as model:
        with pytest.raises(ModelUnavailable, match=r"no answer within 0\.1 s"):
            model.ask(question(), Trait)
        assert model.spent().tokens > 2000, "it may have been billed"


def test_a_server_that_is_not_there() -> None:
    with ModelServer(RIGHT) as server:
        pass
    with model_of(server) as model:
        with pytest.raises(ModelUnavailable, match=r"failed 4 times .* no connection .* See that the server at"):
            model.ask(question(), Trait)
        assert model.spent().tokens == 0


def test_a_dead_server_is_not_waited_for_again_and_again() -> None:
    with ModelServer(failing(503)) as server, model_of(server) as model:
        for text in "abc":
            with pytest.raises(ModelUnavailable):
                model.ask(question(text), Trait)
        assert len(server.asked) == 3 * QUICK.attempts
        with pytest.raises(ModelUnavailable):
            model.ask(question("d"), Trait)
        assert len(server.asked) == 3 * QUICK.attempts + 1
        server.behaviour = RIGHT
        assert model.ask(question("e"), Trait).value == VALUE
        server.behaviour = in_turn(*[failing(503)] * (len(server.asked) + 2), RIGHT)
        assert model.ask(question("f"), Trait).value == VALUE


def test_a_repair_shows_the_answer_and_what_is_wrong_with_it() -> None:
    wrong = truthful(TRUTH | {"state": "maybe"})
    with ModelServer(in_turn(wrong, RIGHT)) as server, model_of(server) as model:
        answer = model.ask(question(), Trait)
        assert (answer.attempts, answer.tokens_in, answer.tokens_out) == (2, 200, 40)
        assert [server.asked[0].repairing, server.asked[1].repairing] == [False, True]
        assert '"maybe"' in server.requests[1]["messages"][-2]["content"]
        assert "'maybe' is not one of ['present', 'absent', 'not visible']" in server.asked[1].question


def test_how_the_form_is_told_is_remembered() -> None:
    with ModelServer(no_schemas(RIGHT)) as server, model_of(server) as model:
        for text in "abc":
            model.ask(question(text), Trait)
        assert [one["response_format"]["type"] for one in server.requests] == ["json_schema", *["json_object"] * 3]
        assert "confidence" in server.asked[1].system
        assert "confidence" not in server.asked[0].system


def test_a_limit_that_has_another_name() -> None:
    def behaviour(asked: Asked) -> Response:
        if "max_tokens" in asked.body:
            return Status(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return RIGHT(asked)

    with ModelServer(behaviour) as server, model_of(server) as model:
        for text in "ab":
            assert model.ask(question(text), Trait).value == VALUE
        assert [one.get("max_completion_tokens") for one in server.requests] == [None, 1024, 1024]


@pytest.mark.parametrize("usage", [None, (0, 0)])
def test_tokens_that_nobody_counted_are_said_to_be_estimates(usage: tuple[int, int] | None) -> None:
    with ModelServer(lambda _: Completion(VALUE.model_dump_json(), usage=usage)) as server, model_of(server) as model:
        answer = model.ask(question(), Trait)
        assert answer.counted is (usage is not None)
        assert (answer.tokens_in > 200) is (usage is None)


def test_what_many_find_out_at_once_is_found_out_once() -> None:
    with ModelServer(after(0.05, only_words(RIGHT))) as server, model_of(server) as model:
        outcomes = dict(model.ask_all([question(str(number)) for number in range(20)], Trait))
        assert all(isinstance(one, Answer) for one in outcomes.values())
        forms = [one.get("response_format", {}).get("type", "words") for one in server.requests]
        assert forms.count("json_schema") <= 8, "as many as were in flight"
        assert forms[-12:] == ["words"] * 12
