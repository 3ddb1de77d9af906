"""One question on its way to an answer: asked, asked again while the endpoint fails, repaired, or given up."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from agents.models.answers import Answer, as_money
from agents.models.cache import Cache, Entry
from agents.models.config import KEY_VARIABLE, MODEL_VARIABLE, URL_VARIABLE, ModelConfig
from agents.models.endpoint import Endpoint, Failure, Reply, body_of
from agents.models.errors import (
    BudgetSpent,
    ModelAnswerUnusable,
    ModelError,
    ModelRefused,
    ModelRequestRefused,
    ModelUnavailable,
)
from agents.models.estimates import PER_MESSAGE, request_tokens
from agents.models.limiter import Limiter
from agents.models.reading import Unusable, read_answer
from agents.models.requests import Request
from agents.models.retries import own_wait
from agents.models.schemas import AnswerForm
from agents.models.transcript import Need, NoRoom, Purpose, State, Taken, Transcript

T = TypeVar("T")

_STATES: dict[type[ModelError], State] = {
    ModelRefused: "refused",
    ModelAnswerUnusable: "unusable",
    ModelUnavailable: "unavailable",
    ModelRequestRefused: "not taken",
    BudgetSpent: "budget spent",
}
DOWN = 3
"""After so many questions in a row that the endpoint failed, each is asked only once until one is answered."""
_LOOK_AGAIN = 0.02
"""s between looks at whether others have settled what they hold."""
_MENDS = {
    401: f"Check {KEY_VARIABLE}",
    403: f"Check {KEY_VARIABLE}, and whether the key may use this model",
    404: f"Check {URL_VARIABLE} and {MODEL_VARIABLE}",
    413: "Send smaller or fewer images",
    429: "Add credit at the provider, or use another key",
}


@dataclass
class Line:
    """What all questions to one endpoint share. For one event loop.

    Attributes:
        in_flight: exchanges of this process that are held and not settled.
        failed: questions in a row that the endpoint failed.
    """

    config: ModelConfig
    endpoint: Endpoint
    limiter: Limiter
    transcript: Transcript
    cache: Cache | None
    slots: asyncio.Semaphore
    chance: random.Random = field(default_factory=random.Random)
    in_flight: int = 0
    failed: int = 0


class Question(Generic[T]):
    """One request and all exchanges that it takes."""

    def __init__(self, line: Line, request: Request, form: AnswerForm[T], key: str, call: int) -> None:
        self._line = line
        self._request = request
        self._form = form
        self._key = key
        self._call = call
        self._taken: list[Taken] = []

    # -- the whole way ----------------------------------------------------------------------------------

    async def answer(self, first: Reply | None = None, first_took: Taken | None = None) -> Answer[T]:
        """Ask until there is a usable answer; keep it.

        Args:
            first: a reply that is there already, as out of a batch; and what it took.

        Raises:
            ModelError: there is none; recorded in the transcript.
        """
        transcript = self._line.transcript
        if first_took is not None:
            self._taken.append(first_took)
        try:
            value, reply = await self._usable(first)
            entry = self._entry(reply)
            if self._line.cache is not None:
                self._line.cache.put(self._key, entry)
        except ModelError as error:
            error.call = self._call
            transcript.end(self._call, _STATES[type(error)], error=str(error))
            raise
        except asyncio.CancelledError:
            transcript.end(self._call, "cancelled")
            raise
        transcript.end(self._call, "answered", answer=entry.text)
        transcript.note_length(self._request.name, max(1, self._taken[-1].tokens_out))
        return make_answer(value, entry, self._request, call=self._call, key=self._key, cached=False)

    async def _usable(self, reply: Reply | None) -> tuple[T, Reply]:
        """Ask, and let the model repair what is not usable."""
        request, text, problem = self._request, "", ""
        turns: list[dict[str, Any]] = []
        for repair in range(self._line.config.patience.repairs + 1):
            if reply is None:
                reply = await self._reply(request, turns, "repair" if repair else "question")
            text = reply.text or ""
            if reply.refusal:
                raise ModelRefused(
                    f"the model declined: {reply.refusal.rstrip('.')}",
                    where=self._where,
                    mend="Word the prompt differently, or leave this one out",
                )
            if reply.cut_off:
                problem = f"it was cut off at {request.max_tokens} tokens"
                request, turns = replace(request, max_tokens=2 * request.max_tokens), []
            else:
                try:
                    return read_answer(text, self._form), reply
                except Unusable as error:
                    problem = str(error)
                    turns = _repair_turns(text, problem)
            reply = None
        raise ModelAnswerUnusable(
            f"no answer had the form of {self._form.name}; the last: {problem}",
            where=self._where,
            mend="See the transcript; a larger model, or a simpler form, may do",
            text=text,
            problem=problem,
        )

    @property
    def _where(self) -> str:
        return f"{self._request.name}, {self._line.config.model} at {self._line.config.endpoint}"

    def _entry(self, reply: Reply) -> Entry:
        billionths = [taken.billionths for taken in self._taken]
        return Entry(
            text=reply.text or "",
            model=reply.model or self._line.config.model,
            tokens_in=sum(taken.tokens_in for taken in self._taken),
            tokens_out=sum(taken.tokens_out for taken in self._taken),
            counted=all(taken.counted for taken in self._taken),
            billionths=None if self._line.config.price is None else sum(one or 0 for one in billionths),
            attempts=len(self._taken),
        )

    # -- one reply --------------------------------------------------------------------------------------

    async def _reply(self, request: Request, turns: list[dict[str, Any]], purpose: Purpose) -> Reply:
        """Ask while the endpoint fails, as often and as long as is allowed."""
        line, patience = self._line, self._line.config.patience
        began, asked, attempt = 0.0, 0, 0
        while True:
            result = await self._exchange(request, turns, purpose)
            began = began or time.monotonic() - result.seconds  # waiting for the first turn does not count
            if isinstance(result, Reply):
                line.failed = 0
                line.limiter.passed()
                return result
            if result.kind == "no":
                raise ModelRequestRefused(result.text, where=self._where, mend=_MENDS.get(result.status or 0, ""))
            if result.kind != "again":
                _keep(line)
                continue
            asked += 1
            down = line.failed >= DOWN
            if result.wait and not down:  # the endpoint is well, and says when: only time bounds that
                wait = result.wait + patience.first_wait * line.chance.uniform(0, 0.5)
            else:
                attempt += 1
                wait = own_wait(attempt, patience, line.chance)
            left = patience.total - (time.monotonic() - began)
            if attempt >= (1 if down else patience.attempts) or wait > left:
                line.failed += 1
                raise self._unavailable(result, asked, time.monotonic() - began)
            if result.wait:
                line.limiter.refused(result.wait)
            await asyncio.sleep(wait)

    def _unavailable(self, failure: Failure, asked: int, seconds: float) -> ModelUnavailable:
        times = "once" if asked == 1 else f"{asked} times"
        pause = "" if not failure.wait else f", and asks for a pause of {failure.wait:g} s"
        return ModelUnavailable(
            f"the endpoint failed {times} in {seconds:.0f} s{pause}; the last: {failure.text}",
            where=self._where,
            mend=f"See that the server at {self._line.config.url} is up, then go on: what was answered is kept",
        )

    async def _exchange(self, request: Request, turns: list[dict[str, Any]], purpose: Purpose) -> Reply | Failure:
        """Hold, send, settle."""
        line, config = self._line, self._line.config
        tokens = request_tokens(request, self._form, config.image_tokens)
        added = sum(len(turn["content"].encode()) + PER_MESSAGE for turn in turns)
        most_in = tokens.most_in + added
        worst = Taken(most_in, tokens.most_out, counted=False, billionths=price(config, most_in, tokens.most_out))
        line.transcript.check(_need(worst), config.limits)  # so that nobody waits for a turn without hope
        async with line.slots:
            await line.limiter.turn(tokens.expected_in + added // 4 + tokens.most_out)
            learnt = line.endpoint.learnt
            recorded = body_of(request, self._form, config, learnt, spare_images=True)
            recorded["messages"] += turns
            exchange = await self._held(purpose, recorded, worst)
            began = time.monotonic()
            try:
                body = body_of(request, self._form, config, learnt)
                body["messages"] += turns
                result = await line.endpoint.exchange(body, learnt)
                taken = what_it_took(result, worst, config)
            except BaseException:
                line.transcript.settle(exchange, worst, seconds=time.monotonic() - began, problem="cancelled")
                raise
            finally:
                line.in_flight -= 1
        self._taken.append(taken)
        status, problem = (200, None) if isinstance(result, Reply) else (result.status, result.text)
        line.transcript.settle(
            exchange, taken, seconds=result.seconds, status=status, response=result.raw, problem=problem
        )
        return result

    async def _held(self, purpose: Purpose, body: dict[str, Any], worst: Taken) -> int:
        """Hold the worst case; wait for others of this process to settle where that is what is missing."""
        line = self._line
        while True:
            try:
                exchange = line.transcript.hold(self._call, purpose, body, _need(worst), line.config.limits)
            except NoRoom:
                if line.in_flight == 0:
                    raise BudgetSpent(
                        "what is left of the budget is held for calls that are in flight elsewhere or were cut off",
                        where=self._where,
                        mend="Wait for the others, or raise the limits",
                    ) from None
                await asyncio.sleep(_LOOK_AGAIN)
                continue
            line.in_flight += 1
            return exchange


def _need(worst: Taken) -> Need:
    return Need(worst.tokens_in + worst.tokens_out, worst.billionths or 0)


def _repair_turns(text: str, problem: str) -> list[dict[str, Any]]:
    """What the model is shown of its last answer; nothing where that was empty."""
    if not text.strip():
        return []
    told = f"That answer cannot be used:\n{problem}\nAnswer again, with one valid JSON object and nothing else."
    return [{"role": "assistant", "content": text}, {"role": "user", "content": told}]


def _keep(line: Line) -> None:
    """Remember what the endpoint turned out to understand."""
    if line.cache is not None:
        learnt = line.endpoint.learnt
        line.cache.learn(endpoint_key(line.config), {"mode": learnt.mode, "limit": learnt.limit})


def endpoint_key(config: ModelConfig) -> str:
    """Under what name things are learnt about an endpoint."""
    return f"{config.endpoint} {config.model}"


def price(config: ModelConfig, tokens_in: int, tokens_out: int, *, batch: bool = False) -> int | None:
    """Billionths; None where no price is known."""
    return None if config.price is None else config.price.billionths(tokens_in, tokens_out, batch=batch)


def what_it_took(result: Reply | Failure, worst: Taken, config: ModelConfig, *, batch: bool = False) -> Taken:
    """Tokens and money of an exchange: as counted by the endpoint, else at most; nothing where it failed at once."""
    if isinstance(result, Failure):
        return worst if result.billed else Taken(billionths=None if config.price is None else 0)
    counted = result.tokens_in is not None and result.tokens_out is not None
    tokens_in = worst.tokens_in if result.tokens_in is None else result.tokens_in
    tokens_out = min(worst.tokens_out, len((result.text or "").encode()))
    tokens_out = tokens_out if result.tokens_out is None else result.tokens_out
    return Taken(tokens_in, tokens_out, counted, price(config, tokens_in, tokens_out, batch=batch))


def make_answer(value: T, entry: Entry, request: Request, *, call: int, key: str, cached: bool) -> Answer[T]:
    """An answer with where it came from."""
    return Answer(
        value=value,
        model=entry.model,
        prompt=request.prompt,
        version=request.version,
        tokens_in=entry.tokens_in,
        tokens_out=entry.tokens_out,
        counted=entry.counted,
        cost=as_money(entry.billionths),
        cached=cached,
        attempts=entry.attempts,
        call=call,
        key=key,
    )
