"""A slip in a sound program that verification rejects fails or harms, whatever slip it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings

from protocols.program import Program
from protocols.verify import verify
from tests.agreement.bench import Bench
from tests.agreement.harm import failures, foreign, harms
from tests.agreement.measures import Measure, driven, ot2_refuses, squeezed, star_refuses, told
from tests.agreement.programs import workcell
from tests.agreement.test_accepted import PROGRAMS, perturbations


def traces(bench: Bench) -> list[object]:
    """Foreign liquid in any amount."""
    return [*foreign(bench, least=0.0)]


WAYS: dict[str, tuple[Measure, ...]] = {
    "starlet": (driven(failures), told(harms), told(traces), star_refuses, squeezed),
    "ot2": (driven(failures), told(harms), told(traces), ot2_refuses),
}
"""The ways in which something may be seen to fail or harm."""


def harmless(wanted: Program, lab: str) -> bool:
    return all(measure(wanted, workcell(lab)) <= 0.0 for measure in WAYS[lab])


def slips(name: str, examples: int) -> Callable[[], None]:
    """Makes slips in accepted programs, and finds none that is rejected without harm."""
    lab = PROGRAMS[name][0]

    @settings(max_examples=examples, deadline=None)
    @given(perturbations(name))
    def check(wanted: Program) -> None:
        assert verify(wanted, workcell(lab).spec).ok or not harmless(wanted, lab)

    made: Callable[[], None] = check
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_slip_that_is_rejected_fails_or_harms(name: str) -> None:
    slips(name, 60)()
