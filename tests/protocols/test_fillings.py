"""Fills gathered by well are what pouring them one by one would give."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.fillings import gathered
from protocols.labstate import LabState
from protocols.program import Program
from protocols.specs import Fill
from tests.oracles.bench import hand_workcell

FILLS = st.builds(
    Fill,
    well=st.sampled_from(["plate/A1", "plate/B1", "trough/A1", "nowhere/A1"]),
    liquid=st.sampled_from(["water", "dye", "salt"]),
    volume=st.sampled_from([0.0, 0.125, 20.0, 90.5]),
    settled=st.sampled_from([None, None, "pellet"]),
    settled_height=st.sampled_from([0.5, 1.5]),
    declared=st.sampled_from([None, 10.0]),
)


@settings(deadline=None)
@given(st.lists(FILLS, max_size=12))
def test_each_fill_is_in_its_wells_filling(fills: list[Fill]) -> None:
    volumes: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for fill in fills:
        volumes[fill.well][fill.liquid] += fill.volume
    found = gathered(fills)
    assert found.keys() == volumes.keys()
    for well, filling in found.items():
        own = [fill for fill in fills if fill.well == well]
        settled = [fill.settled_height for fill in own if fill.settled]
        assert filling.amounts == pytest.approx({name: volume for name, volume in volumes[well].items() if volume})
        assert filling.settled_height == (max(settled) if settled else None)
        assert filling.short == any(fill.declared is not None and fill.declared < fill.volume for fill in own)


@settings(deadline=None)
@given(st.lists(FILLS, max_size=12))
def test_a_state_starts_with_them_and_is_no_part_of_another(fills: list[Fill]) -> None:
    program = Program(title="filled", contents=tuple(fills), instructions=())
    lab = hand_workcell()
    first, second = LabState.start(lab, program), LabState.start(lab, program)
    for well, filling in gathered(fills).items():
        assert first.composition(well) == pytest.approx(filling.amounts if well in first.wells else {})
    before = second.snapshot()
    first.set_up(program)
    assert second.snapshot() == before
