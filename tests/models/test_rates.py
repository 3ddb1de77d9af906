"""As fast as is allowed, no faster, and back off when told to."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models import Answer, BudgetSpent, Limits, ModelUnavailable, Patience, Rates
from agents.models.limiter import Limiter
from agents.models.retries import asked_wait, own_wait
from tests.model_server import ModelServer, Status, after, failing, in_turn, truthful
from tests.models.questions import TRUTH, VALUE, Trait, model_of, question


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 500)), min_size=1, max_size=60),
    st.floats(1, 6000),
    st.floats(1000, 100_000),
)
def test_in_no_span_more_goes_out_than_the_rates_allow(
    calls: list[tuple[float, int]], requests_per_minute: float, tokens_per_minute: float
) -> None:
    clock = Clock()
    rates = Rates(requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute)
    limiter = Limiter(rates, clock, clock.sleep)
    sent: list[tuple[float, int]] = []

    async def go() -> None:
        for idle, tokens in calls:
            clock.now += idle
            await limiter.turn(tokens)
            sent.append((clock.now, tokens))

    asyncio.run(go())
    for first, (start, _) in enumerate(sent):
        for last in range(first, len(sent)):
            span = sent[last][0] - start
            # The last one's own amount is paid for after it.
            assert last - first <= requests_per_minute / 60 * span + 1e-3
            assert sum(tokens for _, tokens in sent[first:last]) <= tokens_per_minute / 60 * span + 1e-3


@given(st.integers(2, 200), st.floats(10, 6000))
def test_the_rate_is_reached(calls: int, per_minute: float) -> None:
    clock = Clock()
    limiter = Limiter(Rates(requests_per_minute=per_minute), clock, clock.sleep)

    async def go() -> None:
        for _ in range(calls):
            await limiter.turn(1)

    asyncio.run(go())
    assert clock.now - 1000.0 <= (calls - 1) / (per_minute / 60) / 0.98 + 1e-6


def test_a_pause_holds_everybody() -> None:
    clock = Clock()
    limiter = Limiter(Rates(), clock, clock.sleep)
    limiter.refused(7)
    limiter.refused(3)
    asyncio.run(limiter.turn(1))
    assert clock.now == 1007.0


def test_where_calls_are_spaced_a_collision_holds_nobody_but_two_refusals_do() -> None:
    clock = Clock()
    limiter = Limiter(Rates(requests_per_minute=60_000), clock, clock.sleep)
    for _ in range(3):
        limiter.refused(7)
        limiter.passed()
        asyncio.run(limiter.turn(1))
    assert clock.now < 1000.01
    limiter.refused(7)
    limiter.refused(7)
    asyncio.run(limiter.turn(1))
    assert clock.now >= 1007.0


def test_without_rates_nobody_waits() -> None:
    clock = Clock()
    asyncio.run(Limiter(Rates(), clock, clock.sleep).turn(10**9))
    assert clock.now == 1000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "12", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_what_the_endpoint_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers) == seconds


def test_a_date_is_understood() -> None:
    wait = asked_wait({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)})
    assert wait is not None
    assert 88 < wait <= 90
    assert asked_wait({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@given(st.integers(1, 2000), st.integers(0, 10**6))
def test_own_waits_grow_up_to_the_longest(attempt: int, seed: int) -> None:
    patience = Patience(first_wait=0.5, longest_wait=30)
    wait = own_wait(attempt, patience, random.Random(seed))
    full = 30.0 if attempt > 6 else min(30.0, 0.5 * 2 ** (attempt - 1))
    assert full / 2 <= wait <= full


def test_retry_after_is_honoured_by_all_calls() -> None:
    told = Status(429, "slow down", {"Retry-After": "0.3"})
    behaviour = in_turn(lambda _: told, truthful(TRUTH))
    with ModelServer(behaviour) as server, model_of(server, rates=Rates(concurrency=1)) as model:
        outcomes = dict(model.ask_all([question(str(number)) for number in range(5)], Trait))
        assert all(isinstance(one, Answer) for one in outcomes.values())
        assert min(one.at for one in server.asked[1:]) - server.asked[0].at >= 0.3


def test_a_server_that_counts_is_not_overrun() -> None:
    requests = [question(str(number), max_tokens=50) for number in range(30)]
    with (
        ModelServer(after(0.2, truthful(TRUTH)), per_minute=3000) as server,
        model_of(server, rates=Rates(requests_per_minute=3000)) as model,
    ):
        began = time.monotonic()
        outcomes = [outcome for _, outcome in model.ask_all(requests, Trait)]
        seconds = time.monotonic() - began
        assert [one.value for one in outcomes if isinstance(one, Answer)] == [VALUE] * 30
        assert len(server.asked) <= 33, "hardly one was refused"
        assert server.most_at_once >= 5, "calls overlap"
        assert seconds < 30 / 50 + 0.2 + 1.5


def test_no_more_calls_than_allowed_are_in_flight() -> None:
    with (
        ModelServer(after(0.02, truthful(TRUTH))) as server,
        model_of(server, rates=Rates(concurrency=3)) as model,
    ):
        list(model.ask_all([question(str(number)) for number in range(30)], Trait))
        assert server.most_at_once == 3


def test_a_pause_that_is_too_long_holds_nobody_else() -> None:
    behaviour = in_turn(lambda _: Status(429, "tomorrow", {"Retry-After": "86400"}), truthful(TRUTH))
    with ModelServer(behaviour) as server, model_of(server) as model:
        with pytest.raises(ModelUnavailable, match="86400 s"):
            model.ask(question("a"), Trait)
        began = time.monotonic()
        assert model.ask(question("b"), Trait).value == VALUE
        assert time.monotonic() - began < 1


def test_nobody_waits_for_a_turn_when_the_budget_is_spent() -> None:
    settings = {"rates": Rates(requests_per_minute=6), "limits": Limits(tokens=10)}
    with ModelServer(truthful(TRUTH)) as server, model_of(server, **settings) as model:
        began = time.monotonic()
        outcomes = [outcome for _, outcome in model.ask_all([question(str(number)) for number in range(9)], Trait)]
        assert {type(one) for one in outcomes} == {BudgetSpent}
        assert time.monotonic() - began < 2
        assert server.asked == []


def test_waiting_for_a_turn_does_not_use_up_the_patience() -> None:
    patience = Patience(timeout=5, attempts=3, total=0.3, first_wait=0.01)
    behaviour = in_turn(truthful(TRUTH), truthful(TRUTH), failing(503), truthful(TRUTH))
    with (
        ModelServer(behaviour) as server,
        model_of(server, patience=patience, rates=Rates(requests_per_minute=300)) as model,
    ):
        outcomes = dict(model.ask_all([question(str(number)) for number in range(3)], Trait))
        assert all(isinstance(one, Answer) for one in outcomes.values())
        assert len(server.asked) == 4
