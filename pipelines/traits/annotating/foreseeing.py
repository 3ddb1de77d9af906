"""What asking a model will take, before anything is sent; and asking through the batch interface."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from agents.models import Batches, Estimate, Model, ModelConfig, ModelUnavailable, Request, Spent
from pipelines.traits.annotating.asking import Questions
from pipelines.traits.annotating.pictures import Shard
from pipelines.traits.prompting import Description, Subject, requests

MOST_LOOKED_AT = 400
"""Requests that are made for an estimate, evenly chosen; beyond, it is scaled."""
_ROUNDS = 3
"""How often what a batch left without an answer goes into another one; after that it is asked directly."""
_TOGETHER = 8
"""Shards in one batch: some 2,000 requests."""


@dataclass(frozen=True)
class Foreseen:
    """What asking is expected to take.

    Attributes:
        model, endpoint: who is asked.
        descriptions: questions that describe; ``controls`` come on top.
        estimate: of all of them, scaled from those that were looked at.
        looked_at: requests that were made for it.
        spent: what this dataset's calls took so far.
        batch: whether costs are those of the batch interface.
    """

    model: str
    endpoint: str
    descriptions: int
    controls: int
    estimate: Estimate
    looked_at: int
    spent: Spent
    batch: bool = False

    @property
    def to_ask(self) -> int:
        """Questions that are not answered yet."""
        return self.estimate.requests - self.estimate.cached


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who is asked, at what expense and in which way; what comes of it depends on the model alone.

    Attributes:
        config: of the model, with its limits.
        cache: file of the answers.
        consent: asked before anything is sent, with what is foreseen.
        batch: whether the batch interface is used.
        poll: s between looks at how a batch stands.
    """

    config: ModelConfig
    cache: Path
    consent: Callable[[Foreseen], bool] = lambda _: True
    batch: bool = False
    poll: float = 60.0

    @property
    def endpoint(self) -> dict[str, Any]:
        """Which model at which endpoint: all that answers depend on."""
        config = self.config
        return {"endpoint": config.endpoint, "model": config.model, "parameters": config.parameters}


def foresee(model: Model, shards: Iterable[Shard], questions: Questions, *, batch: bool = False) -> Foreseen:
    """Estimate what is left; nothing is sent. Pictures of the questions that are looked at are read.

    Raises:
        NameShown: a request would show the name of a taxon.
        CollectionError: an image is not there any more, or another.
    """
    chosen: list[Subject] = []
    descriptions = controls = 0
    every = 1
    for shard in shards:
        for question in questions.arrangement.questions(shard.shown):
            if (descriptions + controls) % every == 0:
                chosen.append(question.subject)
                if len(chosen) > MOST_LOOKED_AT:
                    chosen, every = chosen[::2], 2 * every
            descriptions, controls = descriptions + (question.kind is None), controls + (question.kind is not None)
    made = requests(chosen, questions.prompt, questions.guard())
    estimate = _scaled(model.estimate(made, Description), descriptions + controls)
    if batch and model.config.price is not None:
        estimate = _cheaper(estimate, model.config.price.batch)
    return Foreseen(
        model.config.model,
        model.config.endpoint,
        descriptions,
        controls,
        estimate,
        len(chosen),
        model.spent(),
        batch,
    )


def _scaled(estimate: Estimate, requests: int) -> Estimate:
    """An estimate of so many requests, from one of some of them."""
    if estimate.requests == requests:
        return estimate
    factor = requests / max(estimate.requests, 1)

    def whole(value: int) -> int:
        return math.ceil(value * factor)

    def money(value: Any) -> Any:
        return None if value is None else value * requests / max(estimate.requests, 1)

    out = estimate.expected_out
    return Estimate(
        requests=requests,
        cached=math.floor(estimate.cached * factor),
        expected_in=whole(estimate.expected_in),
        expected_out=None if out is None else whole(out),
        most=whole(estimate.most),
        expected_cost=money(estimate.expected_cost),
        most_cost=money(estimate.most_cost),
        least_seconds=estimate.least_seconds * factor,
    )


def _cheaper(estimate: Estimate, factor: Any) -> Estimate:
    expected, most = estimate.expected_cost, estimate.most_cost
    return replace(
        estimate,
        expected_cost=None if expected is None else expected * factor,
        most_cost=None if most is None else most * factor,
    )


def answer_in_batches(
    model: Model,
    shards: Callable[[], Iterable[Shard]],
    questions: Questions,
    *,
    poll: float,
    told: Callable[[int], None] = lambda waiting: None,
) -> None:
    """Have all questions answered through the batch interface, so that the answers are in the cache.

    Killed and called again, it goes on: nothing is sent twice. What stays without an answer is left to be asked.

    Args:
        model: with a cache.
        shards: gives what is asked about; several go into one batch.
        questions: how.
        poll: s between looks.
        told: of how many questions are in batches that have not ended.

    Raises:
        BudgetSpent: a batch could cost more than is left.
        ModelUnavailable: the endpoint could not be reached.
        ModelRequestRefused: it has no batch interface, or takes no such batch.
    """
    batches = Batches(model)

    def groups() -> Iterator[list[Request]]:
        for _, group in groupby(shards(), lambda shard: shard.number // _TOGETHER):
            yield _requests(group, questions)

    for _ in range(_ROUNDS):
        for made in groups():
            batches.submit(made, Description)
        batches.wait(every=poll, report=lambda open: told(sum(len(one.items) for one in open)))
        lost = 0
        for made in groups():
            outcomes = batches.collect(made, Description)
            lost += len(made) - len(outcomes)
            lost += sum(isinstance(one, ModelUnavailable) for one in outcomes.values())
        if not lost:
            return


def _requests(group: Iterable[Shard], questions: Questions) -> list[Request]:
    subjects = (one.subject for shard in group for one in questions.arrangement.questions(shard.shown))
    return list(requests(subjects, questions.prompt, questions.guard()))
