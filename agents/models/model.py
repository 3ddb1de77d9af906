"""The one wrapper around a model: ask for a value of a type, and get it, or a typed error."""

from __future__ import annotations

import asyncio
import math
import queue
import weakref
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar

from agents.models.answers import Answer, Estimate, Spent, as_money
from agents.models.asking import Line, Question, endpoint_key, make_answer, price
from agents.models.background import Background
from agents.models.cache import Cache, Entry, cache_key
from agents.models.config import ModelConfig, find_key
from agents.models.endpoint import Endpoint, Learnt, Reply
from agents.models.errors import ModelError
from agents.models.estimates import request_tokens
from agents.models.limiter import Limiter
from agents.models.reading import Unusable, read_answer
from agents.models.requests import Request
from agents.models.schemas import AnswerForm
from agents.models.transcript import Taken, Transcript
from protocols.errors import InputError

T = TypeVar("T")


class Model:
    """One model at one endpoint. Use it as a context manager, from any thread, with or without an event loop.

    Every question is looked up in the cache first, counted against the limits, spaced as the rates allow, asked again
    while the endpoint fails, repaired a bounded number of times, checked strictly, and written down.

    Attributes:
        config: as given.
        transcript: what was asked and answered, and what was spent.
        line: what all questions to the endpoint share.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        cache: Path | None = None,
        transcript: Path | None = None,
        key: str | None = None,
    ) -> None:
        """Make a wrapper; nothing is sent yet.

        Args:
            cache: file of the answers; None keeps none.
            transcript: file of the calls; None keeps them in memory, for this object's life.
            key: the secret; found in environment or keyring where it is not given.

        Raises:
            InputError: money is limited and no price is known.
            RecordError: cache or transcript cannot be opened.
        """
        if config.limits.money is not None and config.price is None:
            raise InputError(
                f"money is limited, and the price of {config.model} is not known",
                where="model.limits.money",
                mend="Give `price` (input and output, for a million tokens), or limit tokens instead",
            )
        self.config = config
        self._cache = None if cache is None else Cache(cache)
        self.transcript = Transcript(transcript)
        self._background = Background()
        facts = {} if self._cache is None else self._cache.learnt(endpoint_key(config))
        self.line = Line(
            config=config,
            endpoint=Endpoint(config, key if key is not None else find_key(config), _as_learnt(facts)),
            limiter=Limiter(config.rates),
            transcript=self.transcript,
            cache=self._cache,
            slots=asyncio.Semaphore(config.rates.in_flight),
        )
        self._asking: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    # -- asking -----------------------------------------------------------------------------------------

    def ask(self, request: Request, answer_type: type[T]) -> Answer[T]:
        """The model's answer, as a value of ``answer_type`` (a pydantic model, or what one can have as a field).

        Raises:
            ModelRefused: the model declined.
            ModelAnswerUnusable: it answered in no usable form, after all repairs.
            ModelUnavailable: the endpoint could not be reached, or kept failing.
            ModelRequestRefused: the endpoint does not take the request.
            BudgetSpent: the call could cost more than is left.
            RecordError: cache or transcript cannot be written.
        """
        return self._background.result(self._answer(request, form_of(answer_type)))

    async def ask_async(self, request: Request, answer_type: type[T]) -> Answer[T]:
        """As :meth:`ask`, in an event loop; cancelling it cancels the call."""
        return await asyncio.wrap_future(self._background.start(self._answer(request, form_of(answer_type))))

    def ask_all(
        self, requests: Iterable[Request], answer_type: type[T]
    ) -> Iterator[tuple[int, Answer[T] | ModelError]]:
        """Many answers, several calls at once, in the order in which they come: number of the request, and its answer
        or error. Requests are taken from the iterable as there is room. Closing the iterator cancels what is going on.

        Raises:
            RecordError: cache or transcript cannot be written.
        """
        form = form_of(answer_type)
        ready: queue.SimpleQueue[tuple[int, Future[Answer[T]]]] = queue.SimpleQueue()
        going: dict[int, Future[Answer[T]]] = {}
        numbered = enumerate(requests)
        try:
            while True:
                while len(going) < self._window and (one := next(numbered, None)) is not None:
                    number, request = one
                    future = self._background.start(self._answer(request, form))
                    going[number] = future
                    future.add_done_callback(lambda done, number=number: ready.put((number, done)))  # type: ignore[misc]
                if not going:
                    return
                number, done = ready.get()
                del going[number]
                yield number, _outcome(done)
        finally:
            for future in going.values():
                future.cancel()

    async def ask_all_async(
        self, requests: Iterable[Request], answer_type: type[T]
    ) -> AsyncIterator[tuple[int, Answer[T] | ModelError]]:
        """As :meth:`ask_all`, in an event loop."""
        form = form_of(answer_type)
        going: dict[asyncio.Future[Answer[T]], int] = {}
        numbered = enumerate(requests)
        try:
            while True:
                while len(going) < self._window and (one := next(numbered, None)) is not None:
                    number, request = one
                    going[asyncio.wrap_future(self._background.start(self._answer(request, form)))] = number
                if not going:
                    return
                done, _ = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    yield going.pop(future), _outcome(future)
        finally:
            for future in going:
                future.cancel()

    @property
    def _window(self) -> int:
        """Questions that are begun at once: enough that some are ready whenever a call may go out."""
        return self.config.rates.in_flight + 8

    # -- before and after -------------------------------------------------------------------------------

    def estimate(self, requests: Iterable[Request], answer_type: type[Any]) -> Estimate:
        """What requests are expected to take, and at most; nothing is sent. Failures and repairs come on top."""
        form = form_of(answer_type)
        count = cached = expected_in = most = most_cost = 0
        expected_out: float | None = 0.0
        uncached_out = 0
        for request in requests:
            count += 1
            if self.cached(request, answer_type):
                cached += 1
                continue
            tokens = request_tokens(request, form, self.config.image_tokens)
            expected_in += tokens.expected_in
            uncached_out += tokens.most_out
            most += tokens.most
            most_cost += price(self.config, tokens.most_in, tokens.most_out) or 0
            mean = self.transcript.mean_length(request.name)
            expected_out = None if mean is None or expected_out is None else expected_out + mean
        out = None if expected_out is None else math.ceil(expected_out)
        known = self.config.price is not None
        return Estimate(
            requests=count,
            cached=cached,
            expected_in=expected_in,
            expected_out=out,
            most=most,
            expected_cost=None if out is None else as_money(price(self.config, expected_in, out)),
            most_cost=as_money(most_cost) if known else None,
            least_seconds=self._least_seconds(count - cached, expected_in + uncached_out),
        )

    def _least_seconds(self, calls: int, tokens: int) -> float:
        rates = self.config.rates
        pairs = ((calls, rates.requests_per_minute), (tokens, rates.tokens_per_minute))
        return max(60 * amount / rate if rate else 0.0 for amount, rate in pairs)

    def cached(self, request: Request, answer_type: type[Any]) -> bool:
        """Whether the answer is there already."""
        return self.cached_key(cache_key(request, form_of(answer_type), self.config))

    def cached_key(self, key: str) -> bool:
        """Whether there is an answer under a key."""
        return self._cache is not None and self._cache.has(key)

    def kept(self, request: Request, answer_type: type[T]) -> Answer[T] | None:
        """The answer that is there already; None where there is none. Nothing is sent."""
        form = form_of(answer_type)
        return self._from_cache(request, form, cache_key(request, form, self.config))

    @property
    def keeps_answers(self) -> bool:
        """Whether there is a cache."""
        return self._cache is not None

    def spent(self) -> Spent:
        """What the transcript's calls took, of this process and others, now and before."""
        return self.transcript.spent()

    def close(self) -> None:
        """Cancel what is going on, and let go of connections and files."""
        self._background.close(self.line.endpoint.close)
        self.transcript.close()
        if self._cache is not None:
            self._cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- in the loop's thread ---------------------------------------------------------------------------

    async def _answer(self, request: Request, form: AnswerForm[T]) -> Answer[T]:
        """From the cache, else from the model; the same question twice at once is asked once."""
        key = cache_key(request, form, self.config)
        if self._cache is None:
            return await self._asked(request, form, key)
        async with self._asking.setdefault(key, asyncio.Lock()):
            return self._from_cache(request, form, key) or await self._asked(request, form, key)

    async def _asked(self, request: Request, form: AnswerForm[T], key: str) -> Answer[T]:
        return await Question(self.line, request, form, key, self.begin(request, key)).answer()

    async def finish(
        self, request: Request, form: AnswerForm[T], key: str, call: int, reply: Reply, taken: Taken
    ) -> Answer[T]:
        """The answer from a reply that came another way, as out of a batch; repaired by asking where it must be.

        Raises:
            ModelError: there is no usable answer.
        """
        return await Question(self.line, request, form, key, call).answer(reply, taken)

    def begin(self, request: Request, key: str) -> int:
        """Record that something is asked; the call's number."""
        return self.transcript.begin(
            key=key,
            prompt=request.prompt,
            version=request.version,
            endpoint=self.config.endpoint,
            model=self.config.model,
        )

    def _from_cache(self, request: Request, form: AnswerForm[T], key: str) -> Answer[T] | None:
        entry = None if self._cache is None else self._cache.get(key)
        if entry is None:
            return None
        try:
            value = read_answer(entry.text, form)
        except Unusable:  # the type has become stricter than its schema says
            return None
        return make_answer(value, entry, request, call=self._call_of(entry, request, key), key=key, cached=True)

    def _call_of(self, entry: Entry, request: Request, key: str) -> int:
        """The call in this transcript that has the answer; made where it was answered for another job."""
        call = self.transcript.answered(key)
        if call is None:
            call = self.begin(request, key)
            self.transcript.end(call, "cached", answer=entry.text)
        return call

    @property
    def background(self) -> Background:
        """The event loop in which everything is asked."""
        return self._background


def form_of(answer_type: type[T]) -> AnswerForm[T]:
    """The form of a type, made once."""
    kind: Any = answer_type
    return _made_form(kind)


@lru_cache(maxsize=64)
def _made_form(answer_type: Any) -> AnswerForm[Any]:
    return AnswerForm(answer_type)


def _as_learnt(facts: dict[str, Any]) -> Learnt:
    mode, limit = facts.get("mode"), facts.get("limit")
    return Learnt(
        mode=mode if mode in ("schema", "object", "words") else "schema",
        limit="max_completion_tokens" if limit == "max_completion_tokens" else "max_tokens",
    )


def _outcome(done: Future[Answer[T]] | asyncio.Future[Answer[T]]) -> Answer[T] | ModelError:
    """An answer, or what a model's error says; other errors are raised."""
    error = done.exception()
    if error is None:
        return done.result()
    if isinstance(error, ModelError):
        return error
    raise error
