"""What comes back: a value, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

T = TypeVar("T")

BILLION = 1_000_000_000


def as_money(billionths: int | None) -> Decimal | None:
    """Billionths as a sum; None stays None."""
    return None if billionths is None else Decimal(billionths) / BILLION


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A value that a model gave, in the form that was asked for.

    Attributes:
        model: as the endpoint named it.
        prompt: name of the prompt.
        version: version of the prompt.
        tokens_in: sent, over all attempts; of a cached answer, when it was made.
        tokens_out: received, likewise.
        counted: whether the endpoint counted the tokens; else they are estimates.
        cost: in the currency of the price, likewise; None where no price is known.
        cached: whether it came from the cache, so that nothing was spent now.
        attempts: exchanges with the endpoint until it was there.
        call: number of the call in the transcript.
        key: of the answer in the cache.
    """

    value: T
    model: str
    prompt: str
    version: str
    tokens_in: int
    tokens_out: int
    counted: bool
    cost: Decimal | None
    cached: bool
    attempts: int
    call: int
    key: str


@dataclass(frozen=True)
class Estimate:
    """What a list of requests is expected to take, before any is sent.

    Attributes:
        requests: all of them.
        cached: how many are answered already.
        expected_in: tokens to be sent, as expected.
        expected_out: tokens to come, as earlier answers to the same prompts had in the mean; None where there are none.
        most: tokens sent and received, at most, if each is answered at the first attempt.
        expected_cost: None where no price is known, or no ``expected_out``.
        most_cost: None where no price is known.
        least_seconds: s that the rates a minute alone take; 0 where none are set.
    """

    requests: int
    cached: int
    expected_in: int
    expected_out: int | None
    most: int
    expected_cost: Decimal | None
    most_cost: Decimal | None
    least_seconds: float

    def __str__(self) -> str:
        out = "unknown" if self.expected_out is None else f"{self.expected_out:,}"
        if self.most_cost is None:
            cost = "cost unknown: no price is configured"
        elif self.expected_cost is None:
            cost = f"cost at most {self.most_cost:.2f}"
        else:
            cost = f"cost about {self.expected_cost:.2f}, at most {self.most_cost:.2f}"
        return (
            f"{self.requests:,} requests, {self.cached:,} answered already; about {self.expected_in:,} tokens in, "
            f"{out} out, at most {self.most:,} together; {cost}"
        )


@dataclass(frozen=True)
class Spent:
    """What a transcript's calls took: settled, and held for calls in flight (or cut off) at the most they can take."""

    tokens: int
    money: Decimal
    held_tokens: int
    held_money: Decimal
