"""Whole jobs: compiled, verified, then driven on the simulated lab and through the genuine STAR and OT-2 code."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocols.compiler import compile_protocol
from protocols.fold import apply
from protocols.liquids import Liquid
from protocols.outcomes import Outcome
from protocols.program import Program
from protocols.protocol import Distribute, LabwareNeed, Material, MixWells, Move, Protocol, SerialDilution, Transfer
from protocols.verify import verify
from robots.driver.dialects import Plain
from robots.driver.driver import PyLabRobotDriver
from robots.driver.machines import Machine
from robots.workcell import Workcell, load_workcell
from tests.driver.lab import Bench
from tests.driver.test_ot2_witness import RecordingOpentrons
from tests.driver.test_simulated import Lab


def job(diluent: str, *, plates: int, move: str | None) -> Protocol:
    """Cherry-picking from ``plates`` plates, dilution, mixing, a dilution series, and a plate carried away."""
    libraries = [f"lib_{number}" for number in range(1, plates + 1)]
    picks = [
        (f"{library}/{row}{column}", 5.0 + 3 * column) for library in libraries for row in "ADH" for column in (1, 7)
    ]
    names = [f"{library} {row}{column}" for library in libraries for row in "ABCDEFGH" for column in (1, 7)]
    steps: list[Any] = [
        Transfer(
            id="pick",
            source=tuple(well for well, _ in picks),
            destination=tuple(f"hits/{'ABCDEFGH'[index % 8]}{index // 8 + 1}" for index in range(len(picks))),
            volume=tuple(f"{volume} uL" for _, volume in picks),
        ),
        Distribute(id="dilute", source=diluent, destination="hits/A1:H1", volume="30 uL"),
        MixWells(id="mix", wells="hits/A1:H1", volume="20 uL", cycles=3),
        SerialDilution(id="series", wells="hits/A1:A5", diluent=diluent, factor=2, volume="60 uL"),
    ]
    if move is not None:
        steps.append(Move(id="away", labware="hits", site=move))
    return Protocol(
        title="a whole job",
        labware={name: LabwareNeed() for name in (*libraries, "hits")},
        liquids={name: Liquid(name=name) for name in names},
        materials=tuple(Material(liquid=name, wells=name.replace(" ", "/"), volume="60 uL") for name in names),
        steps=tuple(steps),
    )


def compiled(workcell: Workcell, protocol: Protocol) -> Program:
    program = compile_protocol(protocol, workcell.spec).program
    assert verify(program, workcell.spec).ok
    return program


def failures(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.status != "done"]


@pytest.fixture(scope="module")
def ot2() -> Workcell:
    return load_workcell("ot2")


def test_a_job_on_the_simulated_starlet_ends_as_expected(starlet: Workcell) -> None:
    lab = Lab(starlet, compiled(starlet, job("diluent/A1", plates=4, move="plates-b-5")))
    assert not failures(list(asyncio.run(lab.run()).values()))
    truth = lab.truth()
    for well in lab.state.wells:
        assert truth.volume(well) == pytest.approx(lab.state.volume(well), abs=1e-9)
    assert truth.site_of("hits") == "plates-b-5"


@pytest.mark.robots
def test_the_genuine_star_code_takes_every_instruction(starlet: Workcell) -> None:
    bench = Bench(starlet, compiled(starlet, job("diluent/A1", plates=4, move="plates-b-5")))
    assert not failures(asyncio.run(bench.run()))
    commands = {command[:4] for command in bench.backend.sent}
    assert {"C0TP", "C0AS", "C0DS", "C0TR", "C0PP", "C0PR"} <= commands


def test_a_job_on_the_simulated_ot2_ends_as_expected(ot2: Workcell) -> None:
    lab = Lab(ot2, compiled(ot2, job("reservoir/A1", plates=2, move=None)))
    assert not failures(list(asyncio.run(lab.run()).values()))


@pytest.mark.robots
def test_the_genuine_ot2_code_takes_every_instruction(ot2: Workcell) -> None:
    program = compiled(ot2, job("reservoir/A1", plates=2, move=None))
    bench = Bench(ot2, program)
    bench.driver = PyLabRobotDriver(
        ot2, program, bench.state, "run", Machine(RecordingOpentrons(verbose=False), Plain(), answers=False)
    )

    async def story() -> list[Outcome]:
        await bench.driver.setup()
        outcomes = []
        for instruction in program.instructions:
            outcomes.append(await bench.driver.execute(instruction))
            apply(bench.state, program, instruction, outcomes[-1])
        return outcomes

    assert not failures(asyncio.run(story()))
