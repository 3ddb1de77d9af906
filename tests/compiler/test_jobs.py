"""Whole jobs: compiled, verified, run on the simulated lab, and measured against the protocol's own arithmetic.

Tolerance: a film clings to every tip (0.05 to 1 % of its capacity), so a well from which tips draw ends short by one
film for each tip that went in, and a composition may be off by as much. A well that is only filled gets exactly what
the protocol asks: 1e-6 µL is allowed for rounding.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from protocols.compiler import Compilation, compile_protocol
from protocols.fold import apply
from protocols.formats.protocol_file import read_input
from protocols.formats.worklist import WorklistOptions, read_worklist
from protocols.labstate import LabState
from protocols.program import Aspirate, Dispense, Mix, Program
from protocols.protocol import Protocol
from protocols.verify import verify
from robots.driver import make_driver
from robots.simulator import LocalWorld, Noise, World
from robots.workcell import Workcell
from tests.compiler.bench import EXAMPLES, ROUNDING, Walk, by_hand, tips_used, workcell

WORKLISTS = EXAMPLES / "worklists"
NORMALISATION = WORKLISTS / "dna_normalisation_96.csv"
CHERRY_PICK = WORKLISTS / "cherry_pick_4_plates.csv"
CELL_CULTURE = str(EXAMPLES / "workcells" / "starlet-cell-culture.yaml")
TEACHING = str(EXAMPLES / "workcells" / "ot2-teaching.yaml")


def run_on_world(lab: Workcell, program: Program) -> LabState:
    """The truth after the program ran on the simulated lab without noise."""
    world = World(lab.spec, noise=Noise.off())
    state = LabState.start(lab.spec, program)

    async def run() -> None:
        port = LocalWorld(world)
        await port.prepare(program.labware, program.contents, program.liquids)
        driver = make_driver(lab, program, state, "run", world=port)
        await driver.setup()
        for instruction in program.instructions:
            outcome = await driver.execute(instruction)
            assert outcome.status == "done", (instruction, outcome)
            apply(state, program, instruction, outcome)

    asyncio.run(run())
    return LabState.restore(lab.spec, world.snapshot()["state"])


def films(program: Program) -> dict[str, float]:
    """µL by which each well that tips go into may end short: a film for each channel's stroke."""
    most: Counter[str] = Counter()
    for said in program.instructions:
        if isinstance(said, Aspirate | Mix | Dispense) and not (
            isinstance(said, Dispense) and program.liquid_classes[said.liquid_class].jet
        ):
            for well in said.wells:
                most[well] += program.liquid_classes[said.liquid_class].film  # type: ignore[assignment]
    return most


def assert_does_what_is_asked(protocol: Protocol, compiled: Compilation, lab: Workcell) -> LabState:
    verified = verify(compiled.program, lab.spec)
    assert verified.ok, [str(finding) for finding in verified.findings]
    truth = run_on_world(lab, compiled.program)
    short = films(compiled.program)
    drawn_from = {
        well for said in compiled.program.instructions if isinstance(said, Aspirate | Mix) for well in said.wells
    }
    for well, parts in by_hand(protocol, lab.spec).items():
        asked, held = sum(parts.values()), truth.volume(well)
        assert held <= asked + ROUNDING, well
        assert held >= asked - ROUNDING - (short[well] if well in drawn_from else 0.0), well
        found = truth.composition(well)
        for liquid, volume in parts.items():
            assert found.get(liquid, 0.0) == pytest.approx(volume, abs=0.01 * asked + short[well] + ROUNDING), well
    return truth


@pytest.mark.parametrize(
    ("name", "lab"),
    [
        ("cell_wash", "starlet"),
        ("fill_plate", "starlet"),
        ("fill_plate", "ot2"),
        ("fill_plate", CELL_CULTURE),
        ("fill_plate", TEACHING),
        ("serial_dilution", "starlet"),
        ("serial_dilution", "ot2"),
        ("serial_dilution", TEACHING),
        ("stain_column", "starlet"),
        ("stain_column", "ot2"),
        ("stain_column", CELL_CULTURE),
    ],
    ids=lambda value: Path(value).stem,
)
def test_every_example_runs_on_the_workcells_it_names(name: str, lab: str) -> None:
    file = EXAMPLES / "protocols" / f"{name}.yaml"
    said = file.read_text(encoding="utf-8").split("title:")[0]
    assert Path(lab).stem.split("-")[0] in said
    protocol = read_input(file).protocol
    assert protocol is not None
    cell = workcell(lab)
    assert_does_what_is_asked(protocol, compile_protocol(protocol, cell.spec), cell)


def test_no_example_is_forgotten() -> None:
    tried = {"cell_wash", "fill_plate", "serial_dilution", "stain_column"}
    assert {file.stem for file in (EXAMPLES / "protocols").glob("*.yaml")} == tried


@pytest.mark.parametrize(
    ("lab", "instructions"),
    [
        pytest.param("starlet", {"pick_up_tips": 12, "drop_tips": 12, "dispense": 12}, id="starlet"),
        pytest.param("ot2", {"pick_up_tips": 96, "drop_tips": 96, "aspirate": 96, "dispense": 96}, id="ot2"),
    ],
)
def test_cherry_picking_takes_a_tip_for_each_of_96_samples(lab: str, instructions: dict[str, int]) -> None:
    """96 liquids need 96 tips; the hits lie column by column, so twelve batches of eight dispense at once."""
    protocol = read_worklist(CHERRY_PICK).protocol
    compiled = compile_protocol(protocol, workcell(lab).spec)
    assert compiled.tallies.tips_in_all == 96
    assert {kind: compiled.tallies.instructions[kind] for kind in instructions} == instructions
    assert compiled.tallies.instructions["aspirate"] <= 96
    assert_does_what_is_asked(protocol, compiled, workcell(lab))


@pytest.mark.parametrize("lab", ["starlet", "ot2"])
@pytest.mark.parametrize("policy", ["skip", "neat", "smaller volume"])
def test_normalisation_reaches_its_targets_with_fewest_tips(lab: str, policy: str) -> None:
    """A tip for each sample and one for the diluent.

    2 µL are dead in the sample plate, and a film clings to each tip: 2.5 µL of each sample cannot be had. On the OT-2
    a sample of 18.99 to 20 µL takes two tips: a 20 µL tip holds no more beside 1 µL of blow-out air and its film,
    the P300 moves no less, and a tip that has touched the diluted well must not go back to the sample.
    """
    options = WorklistOptions(shortfall=policy, too_dilute="neat", dead_volume=2.5, least_diluent=1)  # type: ignore[arg-type]
    worklist = read_worklist(NORMALISATION, options)
    protocol, cell = worklist.protocol, workcell(lab)
    compiled = compile_protocol(protocol, cell.spec)
    moved = [route.volume for route in compiled.program.routes]
    twice = sum(18.99 < volume < 20 for volume in moved) if lab == "ot2" else 0
    assert compiled.tallies.tips_in_all == tips_used(compiled.program) == len(moved) + twice + 1
    truth = assert_does_what_is_asked(protocol, compiled, cell)
    short = {unreachable.sample: unreachable for unreachable in worklist.unreachable}
    for route in compiled.program.routes:
        sample = route.sample or ""
        dna = truth.composition(route.destination)[sample] * protocol.liquids[sample].solutes["DNA"]
        wanted = short[sample].final_concentration if sample in short else 10.0
        assert dna / truth.volume(route.destination) == pytest.approx(wanted, rel=0.025), route


def test_the_diluent_that_a_deck_holds_already_is_not_filled_in_again() -> None:
    """The STARlet's own trough "diluent" holds 80 mL of TE buffer: the worklist's need of 5 mL is met."""
    protocol = read_worklist(NORMALISATION, WorklistOptions(shortfall="skip", dead_volume=2.5)).protocol
    compiled = compile_protocol(protocol, workcell("starlet").spec)
    assert not [fill for fill in compiled.program.contents if fill.well == "diluent/A1"]
    assert any(note.startswith("diluent/A1 holds 80 mL of TE buffer already") for note in compiled.notes)
    elsewhere = compile_protocol(protocol, workcell("ot2").spec)
    assert [fill.volume for fill in elsewhere.program.contents if fill.well == "diluent/A1"] == [
        material.volume for material in protocol.materials if material.liquid == "TE buffer"
    ]


def test_the_walk_agrees_with_the_simulated_lab_on_every_volume() -> None:
    """Two ways of adding up: the walk's plain subtraction and the World's physics."""
    protocol = read_worklist(CHERRY_PICK).protocol
    program = compile_protocol(protocol, workcell("starlet").spec).program
    truth = run_on_world(workcell("starlet"), program)
    walk = Walk(program, workcell("starlet").spec)
    assert {well: truth.volume(well) for well in walk.volumes} == pytest.approx(walk.volumes, abs=ROUNDING)
