"""When to ask again: how long an endpoint asks one to wait, and how long one waits by oneself."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Mapping
from datetime import UTC, datetime

from agents.models.config import Patience


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that ``Retry-After`` (or ``retry-after-ms``) asks for: a number or a date; None where it says nothing."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        if 0 <= wait < float("inf"):
            return wait
    try:
        date = email.utils.parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())


def own_wait(attempt: int, patience: Patience, chance: random.Random) -> float:
    """Seconds before the attempt after ``attempt`` (from 1): doubling, and between half and all of that by chance.

    The half is kept so that waits do grow; the chance keeps many callers from coming back together ("equal jitter",
    M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    longest = min(patience.longest_wait, patience.first_wait * 2.0 ** min(attempt - 1, 60))
    return longest * chance.uniform(0.5, 1.0)
