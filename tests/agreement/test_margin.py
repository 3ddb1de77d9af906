"""With noise: what verification accepts with a margin that covers the noise fails no more often than is stated.

The margin is :func:`robots.simulator.noise.margin_for`'s. Programs are as tight as it lets them be: the least liquid,
or the fullest wells and tips, that are just accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.program import Aspirate, Dispense, Mix, Program
from protocols.specs import Fill
from protocols.verify import verify
from robots.simulator import Noise
from robots.simulator.noise import largest_error, margin_for
from tests.agreement.bench import Bench
from tests.agreement.harm import Harm, air_drawn, failures, overfilled, spilled
from tests.agreement.programs import ROWS, STARLET, Builder, hand_built, program, workcell

SPEC = workcell("starlet").spec
NOMINAL = SPEC.kinds["tips_300"].tip.capacity
RATE = 0.01
"""How often a run may fail: one in a hundred."""
CONFIDENCE = 0.95
LEAST = 20.0
"""µL, the smallest stroke of the tight programs."""
MOST_STROKES = 200
"""More than any of the tight programs has, each channel counted."""

Tight = Callable[[float], Program]


def margin(rate: float, *, head: bool = False) -> float:
    return margin_for(Noise(), NOMINAL, LEAST, rate=rate, strokes=MOST_STROKES, shared_drive=head)


def failing(bench: Bench) -> list[Harm]:
    """What counts as a failure under noise; that a dispense brings a little less than asked does not."""
    return [*failures(bench), *air_drawn(bench), *spilled(bench), *overfilled(bench)]


# -- tight programs: the larger ``x``, the tighter -----------------------------------------------------


def fills(**wells: float) -> list[Fill]:
    return [Fill(well=f"a/{well}", liquid="red", volume=volume) for well, volume in wells.items()]


def drained(x: float) -> Program:
    """Eight strokes from one well, to its dead volume."""
    builder = Builder(STARLET)
    builder.pick(1)
    for column in range(1, 9):
        builder.stroke(Aspirate, 1, "a/1", LEAST, "film", 0.5)
        builder.stroke(Dispense, 1, f"b/{column}", LEAST, "film", 5.0)
    return program(STARLET, fills(A1=360.0 - x), builder.instructions)


def brimming(x: float) -> Program:
    """Eight strokes into one well, to its rim."""
    builder = Builder(STARLET)
    builder.pick(1)
    for _ in range(8):
        builder.stroke(Aspirate, 1, "diluent/A1", LEAST, "jet", 5.0)
        builder.stroke(Dispense, 1, "a/1", LEAST, "jet", 5.0)
    return program(STARLET, fills(A1=x), builder.instructions)


def last_of_many(x: float) -> Program:
    """One draw for six wells; the last well, nearly full, gets what is left in the tip."""
    builder = Builder(STARLET)
    builder.pick(1)
    builder.stroke(Aspirate, 1, "diluent/A1", 6 * LEAST + 0.2, "jet", 5.0)
    for column in range(6, 0, -1):
        builder.stroke(Dispense, 1, f"a/{column}", LEAST, "jet", 5.0)
    return program(STARLET, fills(A1=x), builder.instructions)


def gathered(x: float) -> Program:
    """Five draws into one tip, as full as it goes."""
    builder = Builder(STARLET)
    builder.pick(1)
    for column in range(1, 6):
        builder.stroke(Aspirate, 1, f"a/{column}", max(LEAST, x / 5), "bare", 0.5)
    return program(STARLET, fills(**{f"A{column}": 300.0 for column in range(1, 6)}), builder.instructions)


def stirred(x: float) -> Program:
    """A well is filled by four strokes and mixed with nearly all of it."""
    builder = Builder(STARLET)
    builder.pick(1)
    for _ in range(4):
        builder.stroke(Aspirate, 1, "diluent/A1", 30.0, "jet", 5.0)
        builder.stroke(Dispense, 1, "b/1", 30.0, "jet", 5.0)
    builder.stroke(Mix, 1, "b/1", max(LEAST, x), "film", 0.0, cycles=2)
    return program(STARLET, [], builder.instructions)


def handed_on(x: float) -> Program:
    """What came into a well goes on to the next one, down a row."""
    builder = Builder(STARLET)
    builder.pick(1)
    builder.stroke(Aspirate, 1, "diluent/A1", 150.0, "film", 5.0)
    builder.stroke(Dispense, 1, "b/1", 150.0, "film", 5.0)
    builder.stroke(Aspirate, 1, "b/1", max(LEAST, x), "film", 0.0)
    builder.stroke(Dispense, 1, "b/2", max(LEAST, x), "film", 5.0)
    return program(STARLET, [], builder.instructions)


def stamped(x: float) -> Program:
    """The head draws all of a plate."""
    builder = Builder(STARLET)
    builder.pick(96)
    builder.stroke(Aspirate, 96, "a/1", 100.0, "bare", 0.0)
    wells = {f"{row}{column}": 360.0 - x for row in ROWS for column in range(1, 13)}
    return program(STARLET, fills(**wells), builder.instructions)


TIGHT: dict[str, Tight] = {
    made.__name__: made for made in (drained, brimming, last_of_many, gathered, stirred, handed_on, stamped)
}


def tightest(made: Tight, kept: float) -> Program:
    """The tightest program that is accepted with the margin ``kept``, to a hundredth of a µL."""
    loose, tight = 0.0, 360.0
    assert verify(made(loose), SPEC, margin=kept).ok
    while tight - loose > 0.01:
        middle = (loose + tight) / 2
        loose, tight = (middle, tight) if verify(made(middle), SPEC, margin=kept).ok else (loose, middle)
    return made(loose)


@cache
def tight_programs(rate: float | None) -> dict[str, Program]:
    """Each tightest program, for the margin of ``rate``; without one, for no margin."""
    return {
        name: tightest(made, 0.0 if rate is None else margin(rate, head=made is stamped))
        for name, made in TIGHT.items()
    }


def failed(wanted: Program, seeds: Iterable[int]) -> int:
    """In how many runs under noise, one for each seed, something failed."""
    count = 0
    for seed in seeds:
        bench = Bench(wanted, SPEC, noise=Noise(), seed=seed).tell()
        count += bool(failing(bench))
        bench.world.close()
    return count


# -- exact bounds for a rate, Clopper and Pearson (1934) -----------------------------------------------


def at_most(count: int, runs: int, rate: float) -> float:
    """Probability of no more than ``count`` failures in ``runs``."""
    return sum(comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(count + 1))


def upper_bound(count: int, runs: int) -> float:
    """The largest rate that ``count`` failures in ``runs`` leave possible."""
    return _crossing(lambda rate: at_most(count, runs, rate) - (1 - CONFIDENCE))


def lower_bound(count: int, runs: int) -> float:
    """The smallest rate that ``count`` failures in ``runs`` leave possible."""
    return _crossing(lambda rate: at_most(count - 1, runs, rate) - CONFIDENCE) if count else 0.0


def _crossing(falling: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high


def test_the_bounds_are_those_of_the_tables() -> None:
    # no failure in n runs: 1 - 0.05 ** (1 / n); 10 of 100, one-sided 95 %: 5.5 % and 16.4 % (Clopper and Pearson)
    assert upper_bound(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))
    assert lower_bound(10, 100) == pytest.approx(0.0553, abs=2e-4)
    assert upper_bound(10, 100) == pytest.approx(0.1637, abs=2e-4)


def test_the_margin_is_the_standards_limit_and_the_quantile_of_the_rate() -> None:
    # ISO 8655-2 at 360 µL: 2.88 and 1.08 µL; at 20 of 360 µL a fifth and 0.8 / 18 of it
    share = 0.2 + 0.8 / 18
    assert margin(0.0) == pytest.approx((2.88 + 4 * 1.08) * share / 20)
    assert margin(0.0) == pytest.approx(0.0880)
    assert margin(0.0, head=True) == pytest.approx(2 * margin(0.0))
    # one in a hundred over 200 strokes: each strays beyond 3.8906 standard deviations once in 20 000 (normal table)
    assert margin(0.01) == pytest.approx((2.88 + 3.8906 * 1.08) * share / 20, rel=1e-4)
    assert margin(1e-9) == margin(0.0)


# -- the contract --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_with_the_margin_runs_fail_more_rarely_than_stated() -> None:
    runs = failures_seen = 0
    for wanted in tight_programs(RATE).values():
        failures_seen += failed(wanted, range(120))
        runs += 120
    assert upper_bound(failures_seen, runs) < RATE, f"{failures_seen} of {runs} runs failed"


@pytest.mark.parametrize("name", TIGHT)
def test_without_a_margin_tight_programs_do_fail(name: str) -> None:
    """So noise does harm, and it is the margin that keeps it away."""
    runs = 25
    assert lower_bound(failed(tight_programs(None)[name], range(runs)), runs) > 10 * RATE


# -- the worst strokes ---------------------------------------------------------------------------------

Sides = Callable[[str, int], float]
SIDES: tuple[Sides, ...] = (
    lambda act, channel: 1.0,
    lambda act, channel: -1.0,
    lambda act, channel: 1.0 if "1#" in act else -1.0,
)


def strays(monkeypatch: pytest.MonkeyPatch, wanted: Program, sides: Sides) -> list[Harm]:
    """What fails if every stroke strays as far as noise ever does, to the side that ``sides`` says."""

    def farthest(noise, seed, act_id, pipette, channel, tip_kind, nominal, volume, *, shared_drive=False):
        return max(
            0.0, volume + sides(act_id, channel) * largest_error(noise, nominal, volume, shared_drive=shared_drive)
        )

    with monkeypatch.context() as patch:
        patch.setattr("robots.simulator.physics.moved_volume", farthest)
        bench = Bench(wanted, SPEC, noise=Noise()).tell()
    bench.world.close()
    return failing(bench)


def by_chance(seed: int) -> Sides:
    return lambda act, channel: Random(f"{seed}{act}{channel}").choice((-1.0, 1.0))


def own_margin(wanted: Program) -> float:
    """The margin that covers every stroke of a program."""
    strokes = [
        (volume, stroke.pipette == "head96")
        for stroke in wanted.instructions
        if isinstance(stroke, Aspirate | Dispense)
        for volume in stroke.volumes
    ]
    return max((margin_for(Noise(), NOMINAL, least, shared_drive=head) for least, head in strokes), default=0.0)


@pytest.mark.parametrize("made", [drained, brimming])
def test_the_margin_is_no_larger_than_it_must_be(made: Tight, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nine tenths of it, strokes that are all of the smallest volume can fail."""
    wanted = tightest(made, 0.9 * margin(0.0))
    assert any(strays(monkeypatch, wanted, sides) for sides in SIDES)


@pytest.mark.parametrize("name", TIGHT)
def test_with_the_whole_margin_even_the_worst_strokes_do_no_harm(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = tightest(TIGHT[name], margin(0.0, head=name == "stamped"))
    for sides in (*SIDES, *map(by_chance, range(10))):
        assert not strays(monkeypatch, wanted, sides)


def assert_margin_covers(examples: int) -> None:
    accepted = 0

    @settings(max_examples=examples, deadline=None)
    @given(hand_built(STARLET), st.integers(0, 1000))
    def check(wanted: Program, seed: int) -> None:
        nonlocal accepted
        if not verify(wanted, SPEC, margin=own_margin(wanted)).ok:
            return
        accepted += 1
        with pytest.MonkeyPatch.context() as patch:
            for sides in (*SIDES, by_chance(seed)):
                assert not strays(patch, wanted, sides)

    check()
    assert accepted >= 0.1 * examples


def test_a_margin_that_covers_every_stroke_covers_every_program() -> None:
    assert_margin_covers(40)


@pytest.mark.slow
def test_a_margin_that_covers_every_stroke_covers_every_program_at_length() -> None:
    assert_margin_covers(150)
