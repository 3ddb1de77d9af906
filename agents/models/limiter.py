"""How fast an endpoint may be asked: requests and tokens a minute, and pauses it asks for.

Calls are spaced by the generic cell rate algorithm (ITU-T I.371, annex A: virtual scheduling): each takes its share of
the minute, and a tenth of a second's worth may come at once, which makes up for a loop that is late. Endpoints measure
their minutes in shorter spans ("60,000 a minute may be enforced as 1,000 a second",
https://platform.openai.com/docs/guides/rate-limits), so there is no larger burst at the beginning.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from agents.models.config import Rates

BURST = 0.1
"""s of a rate's worth that may come at once."""


class Pace:
    """One rate. Times in s of any steady clock."""

    def __init__(self, per_minute: float, burst: float = BURST) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._next = float("-inf")

    def book(self, amount: float, now: float) -> float:
        """Take ``amount`` out of the rate; when it may be used, at the earliest ``now``."""
        due = max(self._next, now - self._burst)
        self._next = due + amount / self._per_second
        return max(due, now)


class Limiter:
    """Lets calls through as :class:`Rates` allow. For one event loop."""

    def __init__(
        self,
        rates: Rates,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._requests = Pace(rates.requests_per_minute) if rates.requests_per_minute else None
        self._tokens = Pace(rates.tokens_per_minute) if rates.tokens_per_minute else None
        self._clock = clock
        self._sleep = sleep
        self._paused_until = float("-inf")

    async def turn(self, tokens: int) -> None:
        """Wait until a call of so many tokens may go out."""
        now = self._clock()
        due = now
        if self._requests is not None:
            due = self._requests.book(1, now)
        if self._tokens is not None:
            due = max(due, self._tokens.book(tokens, now))
        while (wait := max(due, self._paused_until) - self._clock()) > 0:
            await self._sleep(wait)

    def pause(self, seconds: float) -> None:
        """Let nobody through for so long: the endpoint asked for it."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)
