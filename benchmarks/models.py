"""Calls to a model: how much of what a rate limit allows is reached, and what the wrapper adds to each call.

A local server (in a process of its own) answers each question after a second, or at once. *Rate*: it lets so many
requests a minute through, counted in every second, and refuses others with ``Retry-After``; the fraction of that which
is reached while there are questions that were not sent yet, with the limit known to the wrapper and with the limit
found out by being refused; and over the whole job, with its start and its last second. *Overhead*: ms for each call at
a server that answers at once, beside the bare ``openai`` client with the same number in flight; and for each answer
out of the cache.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agents.models import Answer, Model, ModelConfig, Patience, Rates, Request
from benchmarks.output import options, show, write
from tests.model_server import ModelServer, after, truthful

LATENCY = 1.0
"""s until the slow server answers."""
PER_MINUTE = (600.0, 1800.0)
"""What it lets through."""
IN_FLIGHT = 16
"""Calls at once where the overhead is measured."""


class Trait(BaseModel):
    """What is asked for."""

    part: str
    state: str


TRUTH = {"part": "wing", "state": "present"}


def question(number: int) -> Request:
    return Request("describe", "1", "You describe regions.", (f"Region {number}",), max_tokens=100)


def serve(latency: float, per_minute: float | None, pipe: Connection) -> None:
    """The server's process: says its URL, and at the end when it let requests through."""
    with ModelServer(after(latency, truthful(TRUTH)), per_minute=per_minute, leeway=0.0) as server:
        pipe.send(server.url)
        while pipe.recv() != "end":
            pipe.send((server.let_through, [(one.at, one.question) for one in server.asked]))


@contextmanager
def served(latency: float, per_minute: float | None = None) -> Iterator[tuple[str, Connection]]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(latency, per_minute, there))
    process.start()
    try:
        yield here.recv(), here
    finally:
        here.send("end")
        process.join()


def reached(per_minute: float, calls: int, known: bool) -> dict[str, float]:
    """What fraction of a rate is reached over so many calls."""
    rates = Rates(requests_per_minute=per_minute) if known else Rates(concurrency=128)
    with served(LATENCY, per_minute) as (url, pipe):
        patience = Patience(attempts=100, total=300)
        config = ModelConfig(url=url, model="slow", rates=rates, patience=patience)
        began = time.perf_counter()
        with Model(config, key="none") as model:
            answers = [one for _, one in model.ask_all(map(question, range(calls)), Trait) if isinstance(one, Answer)]
        seconds = time.perf_counter() - began
        pipe.send("times")
        let_through, asked = pipe.recv()
    assert len(answers) == calls, "every question is answered"
    first_seen: dict[str, float] = {}
    for at, text in asked:
        first_seen.setdefault(text, at)
    begin, end = let_through[0], max(first_seen.values())
    meanwhile = sum(begin < at <= end for at in let_through)
    return {
        "fraction": meanwhile / (end - begin) / (per_minute / 60),
        "fraction_with_start_and_end": calls / seconds / (per_minute / 60),
        "refused": len(asked) - calls,
    }


async def bare(url: str, calls: int) -> float:
    """Seconds of the ``openai`` client alone, with as many in flight."""
    import openai

    slots = asyncio.Semaphore(IN_FLIGHT)
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:

        async def one(number: int) -> Trait | None:
            async with slots:
                completion = await client.chat.completions.parse(
                    model="quick",
                    messages=[{"role": "user", "content": f"Region {number}"}],
                    response_format=Trait,
                    max_tokens=100,
                )
            return completion.choices[0].message.parsed

        await one(-1)
        began = time.perf_counter()
        await asyncio.gather(*map(one, range(calls)))
        return time.perf_counter() - began


def overhead(calls: int) -> dict[str, float]:
    """ms for each call: wrapped, bare, and out of the cache."""
    with served(0.0) as (url, _), tempfile.TemporaryDirectory() as folder:
        config = ModelConfig(url=url, model="quick", rates=Rates(concurrency=IN_FLIGHT))
        cache, transcript = Path(folder) / "cache.sqlite", Path(folder) / "transcript.sqlite"
        before = asyncio.run(bare(url, calls))
        with Model(config, cache=cache, transcript=transcript, key="none") as model:
            model.ask(question(-1), Trait)
            wrapped, again = (timed(model, calls) for _ in range(2))
        after_it = asyncio.run(bare(url, calls))
    alone = (before + after_it) / 2
    return {
        "wrapped_ms": 1000 * wrapped / calls,
        "bare_ms": 1000 * alone / calls,
        "overhead_ms": 1000 * (wrapped - alone) / calls,
        "cached_ms": 1000 * again / calls,
        "calls_per_s": calls / wrapped,
    }


def timed(model: Model, calls: int) -> float:
    """Seconds of so many questions."""
    began = time.perf_counter()
    for _, outcome in model.ask_all(map(question, range(calls)), Trait):
        assert isinstance(outcome, Answer)
    return time.perf_counter() - began


def figures(quick: bool) -> dict[str, Any]:
    """Both measurements."""
    seconds, rates = (15, PER_MINUTE[-1:]) if quick else (30, PER_MINUTE)
    known = {f"{rate:g}": reached(rate, int(rate / 60 * seconds), True) for rate in rates}
    found_out = {f"{rate:g}": reached(rate, int(rate / 60 * seconds), False) for rate in rates}
    return {
        "fraction_of_rate": min(one["fraction"] for one in known.values()),
        "fraction_of_rate_found_out": min(one["fraction"] for one in found_out.values()),
        "by_rate": known,
        "by_rate_found_out": found_out,
        "latency_s": LATENCY,
        **overhead(200 if quick else 1000),
    }


def main() -> None:
    given = options(__doc__ or "").parse_args()
    found = figures(given.quick)
    rows: list[tuple[str, object]] = []
    for name, by_rate in (("limit known", found["by_rate"]), ("limit found out", found["by_rate_found_out"])):
        for rate, one in by_rate.items():
            rows.append((f"{rate} a minute, {name}", f"{one['fraction']:.1%}, {one['refused']} refused"))
    rows += [
        ("ms a call, wrapped", found["wrapped_ms"]),
        ("ms a call, bare openai client", found["bare_ms"]),
        ("ms an answer out of the cache", found["cached_ms"]),
    ]
    show("Models", rows)
    write(given.json, found)


if __name__ == "__main__":
    main()
