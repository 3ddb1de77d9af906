"""Limits hold, whatever happens at once, and whatever was cut off."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models import (
    Answer,
    BudgetSpent,
    Image,
    Limits,
    PatchTokens,
    Price,
    Rates,
    Request,
    TileTokens,
)
from agents.models.estimates import image_tokens, request_tokens
from agents.models.schemas import AnswerForm
from agents.models.transcript import Need, NoRoom, Taken, Transcript
from protocols.errors import InputError
from tests.model_server import Completion, ModelServer, after, failing, in_turn, truthful
from tests.models.questions import PRICE, TRUTH, VALUE, Trait, model_of, question

FORM = AnswerForm(Trait)
USED = Completion(VALUE.model_dump_json(), usage=(300, 40))
SHORT = {"max_tokens": 100}


def most(request: Request) -> int:
    return request_tokens(request, FORM, TileTokens()).most


def test_many_at_once_never_spend_more(tmp_path: Path) -> None:
    requests = [question(str(number), **SHORT) for number in range(40)]
    limit = most(requests[0]) + 340 * 9 + 5
    with (
        ModelServer(after(0.01, lambda _: USED)) as server,
        model_of(server, tmp_path, limits=Limits(tokens=limit), rates=Rates(concurrency=8)) as model,
    ):
        outcomes = [outcome for _, outcome in model.ask_all(requests, Trait)]
        answers = [one for one in outcomes if isinstance(one, Answer)]
        assert len(answers) == 10, "as many as fit: others wait for what is held to be settled"
        assert all(isinstance(one, Answer | BudgetSpent) for one in outcomes)
        assert len(server.asked) == 10
        spent = model.spent()
        assert (spent.tokens, spent.held_tokens) == (3400, 0)
        # What is answered stays available when nothing is left.
        again = [outcome for _, outcome in model.ask_all(requests, Trait)]
        assert sum(isinstance(one, Answer) for one in again) == 10
    with model_of(server, tmp_path, limits=Limits(tokens=limit)) as model, pytest.raises(BudgetSpent, match="3,400 of"):
        model.ask(question("after a restart", **SHORT), Trait)


def test_money_is_limited_too() -> None:
    price = Price(input=Decimal(1000), output=Decimal(1000))
    worst = Decimal(most(question(**SHORT))) / 1000
    with ModelServer(lambda _: USED) as server, model_of(server, price=price, limits=Limits(money=worst)) as model:
        assert model.ask(question(**SHORT), Trait).cost == Decimal("0.34")
        with pytest.raises(BudgetSpent, match=r"0\.34 of .* money; this call can take up to .* Raise `limits\.money`"):
            model.ask(question("b", **SHORT), Trait)
        assert len(server.asked) == 1


def test_money_without_a_price_is_refused_and_tokens_alone_are_said() -> None:
    with ModelServer(truthful(TRUTH)) as server:
        with pytest.raises(InputError, match="price of stand-in is not known"):
            model_of(server, price=None, limits=Limits(money=Decimal(1)))
        with model_of(server, price=None) as model:
            assert "no price is configured" in str(model.estimate([question()], Trait))
            assert model.ask(question(), Trait).cost is None


def test_a_call_that_was_not_billed_gives_its_share_back() -> None:
    behaviour = in_turn(failing(500), failing(503), lambda _: USED)
    with ModelServer(behaviour) as server, model_of(server, limits=Limits(tokens=most(question(**SHORT)))) as model:
        assert model.ask(question(**SHORT), Trait).tokens_in == 300


def test_repairs_count() -> None:
    limit = most(question(**SHORT)) + 200
    wrong = Completion("nonsense", usage=(300, 40))
    with ModelServer(lambda _: wrong) as server, model_of(server, limits=Limits(tokens=limit)) as model:
        with pytest.raises(BudgetSpent, match=f"340 of {limit:,} tokens"):
            model.ask(question(**SHORT), Trait)
        assert len(server.asked) == 1


amounts = st.integers(0, 60)


@settings(max_examples=60)
@given(st.lists(st.tuples(amounts, amounts, st.booleans()), max_size=25), st.integers(0, 200))
def test_spent_and_held_never_exceed_the_limit(calls: list[tuple[int, int, bool]], limit: int) -> None:
    """Each call needs an amount, takes at most that, and is settled at once or later."""
    transcript = Transcript()
    open_calls: list[tuple[int, int]] = []
    for needed, part, at_once in calls:
        call = transcript.begin(key="k", prompt="p", version="1", endpoint="e", model="m")
        try:
            exchange = transcript.hold(call, "question", {}, Need(needed, 0), Limits(tokens=limit))
        except (BudgetSpent, NoRoom):
            spent = transcript.spent()
            assert spent.tokens + spent.held_tokens + needed > limit
        else:
            open_calls.append((exchange, min(part, needed)))
        if at_once and open_calls:
            settled, took = open_calls.pop(0)
            transcript.settle(settled, Taken(tokens_in=took), seconds=0)
            transcript.settle(settled, Taken(tokens_in=took), seconds=0)  # twice is once
        spent = transcript.spent()
        assert spent.tokens + spent.held_tokens <= limit
    transcript.close()


def test_what_is_held_elsewhere_is_said(tmp_path: Path) -> None:
    """As after a crash in the middle of a call, or beside another process."""
    other = Transcript(tmp_path / "transcript.sqlite")
    call = other.begin(key="k", prompt="p", version="1", endpoint="e", model="m")
    other.hold(call, "question", {}, Need(5000, 0), Limits())
    other.close()
    with ModelServer(truthful(TRUTH)) as server, model_of(server, tmp_path, limits=Limits(tokens=5500)) as model:
        with pytest.raises(BudgetSpent, match="held for calls that are in flight elsewhere or were cut off"):
            model.ask(question(), Trait)
        assert server.asked == []


# -- estimates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "detail", "tokens"),
    [
        ((1024, 1024), "high", 765),
        ((2048, 4096), "high", 1105),
        ((4096, 8192), "low", 85),
        ((512, 512), "auto", 255),
        ((None, None), "auto", 1445),
    ],
)
def test_image_tokens_are_those_of_the_published_examples(size: tuple[int, int], detail: str, tokens: int) -> None:
    """The first three are OpenAI's own examples."""
    image = Image(b"", width=size[0], height=size[1], detail=detail)  # type: ignore[arg-type]
    assert image_tokens(image, TileTokens()) == tokens


@pytest.mark.parametrize(("size", "tokens"), [((1024, 1024), 1024), ((4000, 4000), 1536), ((None, None), 1536)])
def test_image_tokens_by_patches(size: tuple[int, int], tokens: int) -> None:
    image = Image(b"", width=size[0], height=size[1])
    assert image_tokens(image, PatchTokens(by="patches")) == tokens
    assert image_tokens(image, PatchTokens(by="patches", factor=1.62)) == -(-tokens * 162 // 100)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_no_image_takes_more_than_one_of_unknown_size(width: int, height: int) -> None:
    unknown = image_tokens(Image(b""), TileTokens())
    assert 255 <= image_tokens(Image(b"", width=width, height=height), TileTokens()) <= unknown


def test_an_estimate_before_and_what_it_took(tmp_path: Path) -> None:
    requests = [question(str(number)) for number in range(5)]
    config = {"rates": Rates(requests_per_minute=6000)}
    with ModelServer(lambda _: USED) as server, model_of(server, tmp_path, **config) as model:
        before = model.estimate(requests, Trait)
        assert (before.requests, before.cached, before.expected_out) == (5, 0, None)
        assert before.least_seconds == pytest.approx(0.05)
        assert server.asked == []
        model.ask(requests[0], Trait)
        after_one = model.estimate(requests, Trait)
        assert (after_one.cached, after_one.expected_out) == (1, 160)
        assert after_one.expected_cost is not None
        assert after_one.most_cost is not None
        assert after_one.expected_cost < after_one.most_cost < (before.most_cost or 0)
        list(model.ask_all(requests, Trait))
        spent = model.spent()
        assert spent.tokens == 5 * 340
        assert spent.money == Decimal(5 * 300) * PRICE.input / 10**6 + Decimal(5 * 40) * PRICE.output / 10**6
        assert spent.money < (before.most_cost or 0)


def test_a_limit_below_any_call(tmp_path: Path) -> None:
    with ModelServer(truthful(TRUTH)) as server, model_of(server, limits=Limits(tokens=0)) as model:
        with pytest.raises(BudgetSpent):
            model.ask(question(), Trait)
        assert server.asked == []
