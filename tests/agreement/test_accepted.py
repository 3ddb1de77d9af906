"""What verification accepts does no harm in a World without noise."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy

from protocols.program import Program
from protocols.verify import verify
from tests.agreement.bench import Bench
from tests.agreement.harm import harms
from tests.agreement.programs import OT2, STARLET, compiled, hand_built, perturbed, workcell

WORTH = 0.25
"""Share of the programs that must be accepted (and, where some are meant to be bad, rejected): else little is shown."""
PROGRAMS = {
    "hand-built, starlet": ("starlet", hand_built(STARLET)),
    "hand-built, ot2": ("ot2", hand_built(OT2)),
    "compiled, starlet": ("starlet", compiled("starlet")),
    "compiled, ot2": ("ot2", compiled("ot2")),
}


def perturbations(name: str) -> SearchStrategy[Program]:
    """Accepted programs of one sort, each with one thing changed."""
    lab, programs = PROGRAMS[name]
    return programs.filter(lambda program: verify(program, workcell(lab).spec).ok).flatmap(perturbed)


def agree(lab: str, programs: SearchStrategy[Program], examples: int, *, driven: bool) -> Counter[str]:
    """Carry out every accepted program and find no harm; how many were accepted and rejected."""
    tally: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None)
    @given(programs)
    def check(program: Program) -> None:
        accepted = verify(program, workcell(lab).spec).ok
        tally["accepted" if accepted else "rejected"] += 1
        if accepted:
            bench = Bench(program, workcell(lab).spec)
            found = harms(bench.drive(workcell(lab)) if driven else bench.tell())
            bench.world.close()
            assert not found

    check()
    return tally


def share(tally: Counter[str], of: str) -> float:
    return tally[of] / tally.total()


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_accepted_does_no_harm(name: str) -> None:
    lab, programs = PROGRAMS[name]
    assert share(agree(lab, programs, 40, driven=False), "accepted") >= WORTH


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_accepted_is_not_refused_by_pylabrobot_or_the_guard(name: str) -> None:
    lab, programs = PROGRAMS[name]
    assert share(agree(lab, programs, 10, driven=True), "accepted") > 0


def test_a_slip_is_either_rejected_or_harmless() -> None:
    tally: Counter[str] = Counter()
    for name, (lab, _) in PROGRAMS.items():
        tally += agree(lab, perturbations(name), 25, driven=False)
    assert share(tally, "accepted") >= WORTH
    assert share(tally, "rejected") >= WORTH


def test_a_slip_is_either_rejected_or_done_by_pylabrobot() -> None:
    for name, examples in (("hand-built, starlet", 8), ("compiled, ot2", 20)):
        assert agree(PROGRAMS[name][0], perturbations(name), examples, driven=True).total()


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_accepted_does_no_harm_at_length(name: str) -> None:
    lab, programs = PROGRAMS[name]
    assert share(agree(lab, programs, 100, driven=False), "accepted") >= WORTH
    assert share(agree(lab, programs, 15, driven=True), "accepted") >= WORTH


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_slip_is_either_rejected_or_harmless_at_length(name: str) -> None:
    agree(PROGRAMS[name][0], perturbations(name), 100, driven=False)
    agree(PROGRAMS[name][0], perturbations(name), 15, driven=True)
