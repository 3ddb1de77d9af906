"""As few tips as can be, then as few instructions: against brute force and against bounds worked out by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.compiler import Compilation, compile_protocol
from protocols.protocol import Protocol
from protocols.verify import verify
from tests.compiler.bench import spec_of, tips_used, workcell

SOURCES = {"red": "plate/A1", "blue": "plate/B1", "green": "plate/C1"}
Step = tuple[str, str]
"""A liquid, and the well it goes to."""


def job(step: dict[str, Any], fills: dict[str, tuple[str, float]]) -> Protocol:
    """One step on two plates and a trough; ``fills``: liquid and µL by well."""
    return Protocol.model_validate(
        {
            "title": "few",
            "labware": {"plate": {}, "other": {}, "bath": {"category": "trough"}},
            "liquids": {liquid: {"name": liquid} for liquid, _ in fills.values()},
            "materials": [
                {"liquid": liquid, "wells": well, "volume": f"{volume} uL"} for well, (liquid, volume) in fills.items()
            ],
            "steps": [{"id": "step", **step}],
        }
    )


def compiled(lab: str, step: dict[str, Any], fills: dict[str, tuple[str, float]], favour: Any = "tips") -> Compilation:
    compilation = compile_protocol(job(step, fills), spec_of(lab), favour=favour)
    assert verify(compilation.program, spec_of(lab)).ok
    return compilation


def fewest_by_brute_force(steps: list[Step], *, touching: bool) -> int:
    """The fewest tips over every order of the transfers, one tip after the other, nothing carried over."""
    return min(_tips_in_this_order(order, touching=touching) for order in itertools.permutations(steps))


def _tips_in_this_order(steps: Sequence[Step], *, touching: bool) -> int:
    """A tip stays on as long as it may: dropping one early never saves another."""
    wells: dict[str, set[str]] = {}
    count, tip = 0, set[str]()
    for liquid, well in steps:
        if tip != {liquid}:
            count, tip = count + 1, {liquid}
        wells.setdefault(well, set()).add(liquid)
        if touching:
            tip |= wells[well]
    return count


def assert_as_few_as_by_brute_force(steps: list[Step], touching: bool, lab: str) -> None:
    transfer = {
        "do": "transfer",
        "source": [SOURCES[liquid] for liquid, _ in steps],
        "destination": [well for _, well in steps],
        "volume": "30 uL",
        "handling": {"touch": touching},
    }
    fills = {well: (liquid, 200.0) for liquid, well in SOURCES.items()}
    found = tips_used(compiled(lab, transfer, fills).program)
    assert found == fewest_by_brute_force(steps, touching=touching)


four_wells = st.builds("other/{}{}".format, st.sampled_from("AB"), st.integers(1, 2))
small_jobs = st.lists(st.tuples(st.sampled_from(sorted(SOURCES)), four_wells), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(steps=small_jobs, touching=st.booleans(), lab=st.sampled_from(["starlet", "ot2"]))
def test_as_few_tips_as_brute_force_finds(steps: list[Step], touching: bool, lab: str) -> None:
    assert_as_few_as_by_brute_force(steps, touching, lab)


def different_jobs(count: int) -> set[tuple[Step, ...]]:
    """Every job of so many transfers of three liquids into four wells, but for the names of liquids and wells."""
    wells = ["other/A1", "other/B1", "other/A2", "other/B2"]
    renamings = [
        {(old, well): (new, into) for old, new in zip(sorted(SOURCES), liquids, strict=True) for well, into in pairs}
        for liquids in itertools.permutations(SOURCES)
        for pairs in (list(zip(wells, order, strict=True)) for order in itertools.permutations(wells))
    ]
    jobs = itertools.combinations_with_replacement(itertools.product(sorted(SOURCES), wells), count)
    return {min(tuple(sorted(renaming[step] for step in job)) for renaming in renamings) for job in jobs}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_as_few_tips_as_brute_force_finds_for_every_small_job_in_every_order(count: int) -> None:
    """Of jobs of six and seven, about 1 in 200 could do with one tip less: the same liquid twice into one well."""
    for job_of_some in different_jobs(count):
        for order in set(itertools.permutations(job_of_some)):
            assert_as_few_as_by_brute_force(list(order), True, "starlet")


COLUMN = [f"{row}1" for row in "ABCDEFGH"]
EACH_ITS_OWN = {f"plate/{well}": (f"sample {well}", 100.0) for well in COLUMN}
ALL_OWN = {f"plate/{row}{column}": (f"{row}{column}", 100.0) for row in "ABCDEFGH" for column in range(1, 13)}


@pytest.mark.parametrize(
    ("lab", "step", "fills", "tips", "instructions"),
    [
        pytest.param(
            "starlet",
            {"do": "transfer", "source": "plate/A1:H1", "destination": "other/A1:H1", "volume": "50 uL"},
            EACH_ITS_OWN,
            8,
            4,
            id="eight samples, eight channels: pick up, draw, dispense, drop",
        ),
        pytest.param(
            "ot2",
            {"do": "transfer", "source": "plate/A1:H1", "destination": "other/A1:H1", "volume": "50 uL"},
            EACH_ITS_OWN,
            8,
            32,
            id="eight samples, one channel: four for each",
        ),
        pytest.param(
            "ot2 multi",
            {"do": "transfer", "source": "plate/A1:H1", "destination": "other/A1:H1", "volume": "50 uL"},
            EACH_ITS_OWN,
            8,
            4,
            id="eight samples, eight nozzles that move as one",
        ),
        pytest.param(
            "starlet",
            {"do": "transfer", "source": "plate/A1:H12", "destination": "other/A1:H12", "volume": "20 uL"},
            ALL_OWN,
            96,
            4,
            id="96 samples under the 96 head",
        ),
        pytest.param(
            "starlet",
            {"do": "consolidate", "source": "plate/A1:H1", "destination": "other/A1", "volume": "20 uL"},
            EACH_ITS_OWN,
            8,
            11,
            id="eight samples into one well, which is too narrow for two channels: eight dispenses",
        ),
        pytest.param(
            "starlet",
            {"do": "distribute", "source": "bath/A1", "destination": "other/A1:H12", "volume": "100 uL"},
            {"bath/A1": ("buffer", 15000.0)},
            1,
            110,
            id="96 x 100 uL with one tip of 1065 uL: ten at a draw (982 and 20 uL kept), 97 dispenses, pick up, drop",
        ),
        pytest.param(
            "ot2",
            {"do": "distribute", "source": "bath/A1", "destination": "other/A1:A4", "volume": "50 uL"},
            {"bath/A1": ("buffer", 5000.0)},
            1,
            8,
            id="four at one draw, and what is kept goes back",
        ),
        pytest.param(
            "starlet",
            {"do": "mix", "wells": "plate/A1:H1", "volume": "40 uL"},
            EACH_ITS_OWN,
            8,
            3,
            id="mixing eight samples: pick up, mix, drop",
        ),
        pytest.param(
            "starlet",
            {"do": "transfer", "source": "plate/A1:H1", "destination": "other/A1:H1", "volume": "0 uL"},
            EACH_ITS_OWN,
            0,
            0,
            id="nothing to move",
        ),
        pytest.param(
            "starlet",
            {
                "do": "distribute",
                "source": "bath/A1",
                "destination": ["other/B1", "other/A1"],
                "volume": ["5 uL", "480 uL"],
                "handling": {"mix_after": 1},
            },
            {"bath/A1": ("buffer", 15000.0)},
            2,
            10,
            id="a small tip for 5 uL and a large one for 480 uL, not ten small ones: five instructions for each",
        ),
    ],
)
def test_hand_worked_jobs(
    lab: str, step: dict[str, Any], fills: dict[str, tuple[str, float]], tips: int, instructions: int
) -> None:
    tallies = compiled(lab, step, fills).tallies
    assert (tallies.tips_in_all, tallies.instructions_in_all) == (tips, instructions)


def test_favouring_moves_spends_a_tip_on_each_channel() -> None:
    """96 wells from a trough: eight channels make 12 dispenses and 1 for what is kept, where one makes 97."""
    step = {"do": "distribute", "source": "bath/A1", "destination": "other/A1:H12", "volume": "50 uL"}
    fills = {"bath/A1": ("buffer", 15000.0)}
    sparing = compiled("starlet", step, fills).tallies
    quick = compiled("starlet", step, fills, "moves").tallies
    assert (sparing.tips_in_all, quick.tips_in_all) == (1, 8)
    assert quick.instructions == {"pick_up_tips": 1, "aspirate": 1, "dispense": 13, "drop_tips": 1}
    assert quick.instructions_in_all < sparing.instructions_in_all


def test_favouring_moves_puts_a_whole_plate_of_one_liquid_under_the_head() -> None:
    step = {"do": "transfer", "source": "plate/A1:H12", "destination": "other/A1:H12", "volume": "20 uL"}
    fills = dict.fromkeys(ALL_OWN, ("buffer", 100.0))
    quick = compiled("starlet", step, fills, "moves")
    assert {getattr(said, "pipette", "") for said in quick.program.instructions} == {"head96"}
    assert (quick.tallies.tips_in_all, quick.tallies.instructions_in_all) == (96, 4)
    assert compiled("starlet", step, fills).tallies.tips_in_all == 1


def test_a_clean_tip_stays_on_from_step_to_step() -> None:
    protocol = job({"do": "wait", "duration": "1 s"}, {"bath/A1": ("buffer", 5000.0)})
    first = {"id": "one", "do": "transfer", "source": "bath/A1", "destination": "other/A1", "volume": "50 uL"}
    steps = [first, first | {"id": "two", "destination": "other/B1"}]
    data = protocol.model_dump(mode="json") | {"steps": steps}
    program = compile_protocol(Protocol.model_validate(data), workcell("ot2").spec).program
    assert tips_used(program) == 1
    apart = [steps[0], {"id": "pause", "do": "wait", "duration": "10 min"}, steps[1]]
    data["steps"] = apart
    program = compile_protocol(Protocol.model_validate(data), workcell("ot2").spec).program
    assert tips_used(program) == 2, "a tip does not hang on the channel while people wait"
