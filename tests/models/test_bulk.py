"""Many questions, with and without an event loop; and what is broken off."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.models import Answer, ModelRefused, Rates, Request
from tests.model_server import Asked, Completion, ModelServer, Response, after, refusing, truthful
from tests.models.questions import TRUTH, VALUE, Trait, model_of, question


def by_question(asked: Asked) -> Response:
    """The part is what was asked; every seventh is refused."""
    if asked.question == "leave me alone":
        return refusing()(asked)
    return truthful(TRUTH | {"part": asked.question})(asked)


REQUESTS = [question(f"part {number}" if number % 7 else "leave me alone", sample=number) for number in range(50)]


def check(outcomes: dict[int, object]) -> None:
    assert sorted(outcomes) == list(range(50))
    for number, outcome in outcomes.items():
        if number % 7:
            assert isinstance(outcome, Answer)
            assert outcome.value.part == f"part {number}"
        else:
            assert isinstance(outcome, ModelRefused)


def test_each_request_has_its_own_outcome(tmp_path: Path) -> None:
    with ModelServer(by_question) as server, model_of(server, tmp_path) as model:
        check(dict(model.ask_all(REQUESTS, Trait)))
        check(dict(model.ask_all(iter(REQUESTS), Trait)))
        assert len(server.asked) == 50 + 8, "refusals are asked again"


def test_in_an_event_loop_too(tmp_path: Path) -> None:
    async def go() -> dict[int, object]:
        one, other = await asyncio.gather(
            model.ask_async(question("alone"), Trait), model.ask_async(question("alone"), Trait)
        )
        assert one.value == other.value
        assert sorted([one.cached, other.cached]) == [False, True], "asked once"
        return {number: outcome async for number, outcome in model.ask_all_async(REQUESTS, Trait)}

    with ModelServer(by_question) as server, model_of(server, tmp_path) as model:
        check(asyncio.run(go()))
        assert len(server.asked) == 51


def test_requests_are_taken_only_as_there_is_room() -> None:
    taken: list[int] = []

    def requests() -> Iterator[Request]:
        for number in range(10**6):
            taken.append(number)
            yield question(str(number))

    with ModelServer(truthful(TRUTH)) as server, model_of(server, rates=Rates(concurrency=2)) as model:
        outcomes = model.ask_all(requests(), Trait)
        for _ in range(5):
            next(outcomes)
        assert len(taken) <= 5 + 10
        outcomes.close()  # type: ignore[attr-defined]


def test_what_is_cancelled_is_cancelled_and_booked() -> None:
    async def go() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.ask_async(question(), Trait), 0.1)

    with ModelServer(after(5.0, truthful(TRUTH))) as server, model_of(server) as model:
        began = time.monotonic()
        asyncio.run(go())
        assert time.monotonic() - began < 4
        wait_until(lambda: all(call["state"] != "asked" for call in model.transcript.calls()))
        assert model.spent().held_tokens == 0
        assert model.spent().tokens > 0, "it may be billed"
        (call,) = model.transcript.calls()
        assert call["state"] == "cancelled"
        assert [one["problem"] for one in call["exchanges"]] == ["cancelled"]
        server.behaviour = truthful(TRUTH)
        assert model.ask(question(), Trait).value == VALUE


def test_closing_does_not_wait_for_slow_answers() -> None:
    with ModelServer(after(5.0, truthful(TRUTH))) as server:
        model = model_of(server)
        raised: list[BaseException] = []

        def ask() -> None:
            try:
                model.ask(question(), Trait)
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: bool(server.asked))
        began = time.monotonic()
        model.close()
        thread.join()
        assert time.monotonic() - began < 4
        assert len(raised) == 1


def test_from_many_threads_at_once() -> None:
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        found[number] = model.ask(question(f"part {number}"), Trait).value.part

    with ModelServer(by_question) as server, model_of(server) as model:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: f"part {number}" for number in range(12)}


def test_an_error_among_the_requests_ends_it() -> None:
    def requests() -> Iterator[Request]:
        yield question("a")
        raise ZeroDivisionError

    with (
        ModelServer(lambda _: Completion(VALUE.model_dump_json())) as server,
        model_of(server) as model,
        pytest.raises(ZeroDivisionError),
    ):
        list(model.ask_all(requests(), Trait))


def wait_until(holds: object, seconds: float = 5.0) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
