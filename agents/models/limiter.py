"""How fast an endpoint may be asked: requests and tokens a minute, and pauses it asks for.

Calls are spaced by the generic cell rate algorithm (ITU-T I.371, annex A: virtual scheduling): each takes its share of
the minute, none may come at once. Endpoints measure their minutes in shorter spans ("60,000 a minute may be enforced as
1,000 a second", https://platform.openai.com/docs/guides/rate-limits), so there is no burst at the beginning either.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from agents.models.config import Rates

LATE = 0.1
"""s by which a call may go out late without the next being later for it."""
MARGIN = 0.98
"""How much of a rate is used: a call that arrives a moment early is refused, and a refusal costs a pause."""


class Pace:
    """One rate. Times in s of any steady clock."""

    def __init__(self, per_minute: float) -> None:
        self._per_second = MARGIN * per_minute / 60
        self._next = float("-inf")

    def due(self, now: float) -> float:
        """When the next call may go out, at the earliest ``now``."""
        return max(self._next, now)

    def take(self, amount: float, moment: float) -> None:
        """Take ``amount`` out of the rate for a call that goes out, counted from the moment when it was to go."""
        self._next = max(self._next, moment) + amount / self._per_second


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
        self._first_in_line = asyncio.Lock()
        self._clock = clock
        self._sleep = sleep
        self._paused_until = float("-inf")
        self._refusals = 0

    async def turn(self, tokens: int) -> None:
        """Wait until a call of so many tokens may go out; first come, first served.

        One call at a time waits for its moment, so that after a pause they go out as evenly as before it.
        """
        paces = [(pace, amount) for pace, amount in ((self._requests, 1), (self._tokens, tokens)) if pace is not None]
        async with self._first_in_line:
            moment = self._clock()
            while True:
                now = self._clock()
                due = max([self._paused_until, *(pace.due(now) for pace, _ in paces)])
                if due <= now:
                    break
                moment = due
                await self._sleep(due - now)
            for pace, amount in paces:
                pace.take(amount, max(moment, now - LATE))

    def refused(self, wait: float) -> None:
        """The endpoint asks for a pause of so many s: let nobody through.

        But where calls are spaced already, one refusal between others that pass is a collision: only that call waits.
        """
        self._refusals += 1
        if self._refusals > 1 or (self._requests is None and self._tokens is None):
            self._paused_until = max(self._paused_until, self._clock() + wait)

    def passed(self) -> None:
        """The endpoint took a call."""
        self._refusals = 0
