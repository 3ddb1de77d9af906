"""The report says what is true: everything here is worked out again from the worklist, the program and the events."""

from __future__ import annotations

import csv
from collections import Counter
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from protocols.labstate import LabState
from protocols.outcomes import Fault, Outcome
from protocols.ports import RecoveryPolicy
from protocols.program import Aspirate, Dispense, DropTips, PickUpTips, Program, ReplaceTipRack
from robots.report import Report, build_report
from robots.simulator import FaultPlan, PlannedFault
from tests.report import lab, runs

WORKLISTS = runs.EXAMPLES / "worklists"


def rows(name: str) -> dict[str, dict[str, str]]:
    """A worklist's rows by what the report calls them."""
    with open(WORKLISTS / name, encoding="utf-8") as file:
        return {f"line {number}": row for number, row in enumerate(csv.DictReader(file), start=2)}


@cache
def normalised(workcell: str) -> Report:
    work = runs.normalisation(workcell)
    return runs.report(work, runs.run(work, person=lambda _question, choices: choices[0]))


@cache
def by_hand() -> Report:
    """The report of the program written by hand, whose liquid classes leave nothing in a tip."""
    writer = lab.Writer(lab.normalisation())
    writer.carry_out_all(lab.normalisation().instructions)
    writer.note("run_ended")
    return told(writer)


def told(writer: lab.Writer) -> Report:
    start = LabState.start(writer.workcell, writer.program)
    return build_report(lab.facts(), lab.plan(), writer.program, writer.workcell, start, writer.events)


# -- samples ----------------------------------------------------------------------------------------------------------


def test_exact_volumes_and_concentrations_by_fractions() -> None:
    report = by_hand()
    assert len(report.samples) == 96
    for index, line in enumerate(report.samples):
        stock, taken = Fraction(str(lab.stock(index))), Fraction(str(lab.sample_volume(index)))
        assert line.sample == f"S{index + 1:03}"
        assert line.volume == pytest.approx(50.0, abs=1e-6)
        assert line.concentrations["DNA"] == pytest.approx(float(stock * taken / 50), abs=1e-5)


@pytest.mark.parametrize("workcell", ["starlet", "ot2"])
def test_every_sample_has_the_volume_and_concentration_that_the_worklist_asks_for(workcell: str) -> None:
    report, program = normalised(workcell), runs.normalisation(workcell).program
    film = Fraction(max(item.film for item in program.liquid_classes.values()))
    asked = rows("dna_normalisation_96.csv")
    assert [line.row for line in report.samples] == list(asked)
    for line in report.samples:
        row = asked[line.row]
        stock = Fraction(row["concentration_ng_per_ul"])
        target, volume = Fraction(row["target_concentration_ng_per_ul"]), Fraction(row["target_volume_ul"])
        usable = Fraction(row["volume_available_ul"]) - Fraction(str(runs.DEAD_VOLUME))
        needed = volume * target / stock
        if stock >= target and needed <= usable:
            expected_volume, expected = volume, target
        else:
            expected_volume, expected = min(usable, volume), stock
        assert line.sample == row["sample_id"]
        assert line.done
        assert line.volume == pytest.approx(float(expected_volume), abs=1e-5)
        # mixing swaps one film of the tip's wall, at most, for liquid of the well
        assert line.concentrations["DNA"] == pytest.approx(
            float(expected), abs=1e-5 + float(2 * film * stock / expected_volume)
        )


@pytest.mark.parametrize("workcell", ["starlet", "ot2"])
def test_each_sample_is_traced_from_its_row_to_the_well_that_holds_it(workcell: str) -> None:
    report = normalised(workcell)
    wells = {(item.name, well.well): well for item in report.labware for well in item.wells}
    for row, given in rows("dna_normalisation_96.csv").items():
        line = next(item for item in report.samples if item.row == row)
        assert line.sources[0].source == f"{given['source_plate']}/{given['source_well']}"
        labware, _, name = line.destination.rpartition("/")
        final = wells[labware, name]
        assert (line.volume, line.liquids, line.concentrations) == (final.volume, final.liquids, final.concentrations)
        assert max(line.liquids, key=lambda liquid: liquid == line.sample) == line.sample
        assert sum(line.liquids.values()) == pytest.approx(line.volume, abs=1e-3)


def test_cherry_picked_wells_hold_what_each_row_asked_for() -> None:
    work = runs.cherry_pick()
    report = runs.report(work, runs.run(work))
    asked = rows("cherry_pick_4_plates.csv")
    assert len(report.samples) == len(asked) == 96
    for line in report.samples:
        row = asked[line.row]
        (part,) = line.sources
        assert (part.source, line.destination) == (
            f"{row['SourcePlate']}/{row['SourceWell']}",
            f"{row['DestinationPlate']}/{row['DestinationWell']}",
        )
        assert Fraction(part.volume) == Fraction(row["Volume (uL)"])
        assert line.liquids == {part.source: pytest.approx(line.volume)}


def test_rows_that_cannot_reach_their_target_are_listed_one_by_one() -> None:
    report = normalised("starlet")
    short = {}
    for row, given in rows("dna_normalisation_96.csv").items():
        stock, usable = Fraction(given["concentration_ng_per_ul"]), Fraction(given["volume_available_ul"])
        needed = Fraction(given["target_volume_ul"]) * Fraction(given["target_concentration_ng_per_ul"]) / stock
        if stock < Fraction(given["target_concentration_ng_per_ul"]) or needed > usable - Fraction("2.5"):
            short[row] = given["sample_id"]
    assert {line.row: line.sample for line in report.plan.unreachable} == short
    assert all("undiluted" in line.action and line.reason for line in report.plan.unreachable)


# -- instructions and time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workcell", ["starlet", "ot2"])
def test_every_instruction_is_there_with_its_times(workcell: str) -> None:
    report, program = normalised(workcell), runs.normalisation(workcell).program
    assert [line.id for line in report.instructions] == [item.id for item in program.instructions]
    clock = 0.0
    for line in report.instructions:
        assert line.status == "done"
        assert line.start == pytest.approx(clock, abs=1e-6)
        assert line.end is not None
        assert line.end > clock
        clock = line.end
    assert report.facts.seconds == pytest.approx(clock)


def test_an_instruction_lasts_as_long_as_its_outcome_says_whenever_that_was_written() -> None:
    work = runs.serial_dilution()
    events = runs.run(work)
    lasted = {event.instruction: event.payload["outcome"]["seconds"] for event in events if event.kind == "outcome"}
    for line in runs.report(work, events).instructions:
        assert line.end - line.start == pytest.approx(lasted[line.id])
    for line, item in zip(by_hand().instructions, lab.normalisation().instructions, strict=True):
        assert line.end - line.start == pytest.approx(lab.seconds(item, lab.normalisation(), lab.starlet()))


def test_steps_run_from_their_first_instruction_to_their_last() -> None:
    report = normalised("starlet")
    for step in report.steps:
        lines = [line for line in report.instructions if line.step == step.id]
        assert (step.instructions, step.done) == (len(lines), len(lines))
        assert (step.start, step.end) == (lines[0].start, lines[-1].end)


# -- tips and reagents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workcell", ["starlet", "ot2"])
def test_tips_used_are_those_that_the_instructions_pick_up(workcell: str) -> None:
    work = runs.normalisation(workcell)
    spec = work.workcell.spec
    expected: Counter[str] = Counter()
    for item in work.program.instructions:
        if isinstance(item, PickUpTips):
            for spot in item.spots:
                tip = spec.kinds[spec.labware[spot.rpartition("/")[0]].kind].tip
                assert tip is not None
                expected[tip.kind] += 1
    assert {line.kind: line.used for line in normalised(workcell).tips} == expected


def test_a_tip_that_was_put_back_and_taken_again_counts_once() -> None:
    program = lab.normalisation()
    pick_up = program.instructions[0]
    assert isinstance(pick_up, PickUpTips)
    put_back = DropTips(id="back", pipette="channels", channels=pick_up.channels, spots=pick_up.spots)
    again = PickUpTips(id="again", pipette="channels", channels=pick_up.channels, spots=pick_up.spots)
    writer = lab.Writer(program.model_copy(update={"instructions": (pick_up, put_back, again)}))
    writer.carry_out_all(writer.program.instructions)
    (line,) = told(writer).tips
    assert (line.used, line.put_back) == (8, 8)


def test_the_same_spot_of_a_new_rack_is_another_tip() -> None:
    program = lab.normalisation()
    pick_up = program.instructions[0]
    assert isinstance(pick_up, PickUpTips)
    drop = DropTips(id="drop", pipette="channels", channels=pick_up.channels)
    exchange = ReplaceTipRack(id="exchange", rack="tips_300_1")
    again = PickUpTips(id="again", pipette="channels", channels=pick_up.channels, spots=pick_up.spots)
    writer = lab.Writer(program.model_copy(update={"instructions": (pick_up, drop, exchange, again)}))
    writer.carry_out_all(writer.program.instructions)
    (line,) = told(writer).tips
    assert (line.used, line.put_back, line.racks_exchanged) == (16, 0, 1)


@pytest.mark.parametrize("workcell", ["starlet", "ot2"])
def test_no_liquid_is_lost_between_start_and_end(workcell: str) -> None:
    report = normalised(workcell)
    held: Counter[str] = Counter()
    for item in report.labware:
        for well in item.wells:
            held.update(well.liquids)
    for reagent in report.reagents:
        found = held[reagent.liquid] + report.waste.get(reagent.liquid, 0) + report.spilled.get(reagent.liquid, 0)
        assert found == pytest.approx(reagent.start, abs=1e-2)


# -- what went otherwise ----------------------------------------------------------------------------------------------


def transfers(program: Program) -> list[Aspirate]:
    """Aspirates of samples, eight channels each."""
    return [item for item in program.instructions if isinstance(item, Aspirate) and item.step == "samples"]


def test_faults_that_the_policy_mends_are_deviations_and_the_samples_are_finished() -> None:
    work = runs.normalisation()
    pick_up = next(item for item in work.program.instructions if item.kind == "pick_up_tips" and item.step == "samples")
    short = transfers(work.program)[3]
    plan = FaultPlan(
        faults=(
            PlannedFault(kind="missing tip", instruction=pick_up.id, channels=(2,)),
            PlannedFault(kind="short aspirate", instruction=short.id, channels=(1,), fraction=0.4),
        )
    )
    policy = RecoveryPolicy(choices={"missing tip": "next tip", "short aspirate": "retry"})
    report = runs.report(work, runs.run(work, faults=plan, policy=policy))
    missing, partial = (
        [line for line in report.deviations if line.instruction == item.id] for item in (pick_up, short)
    )
    assert "missing tip on channel 2" in missing[0].message
    assert missing[1].message == "Recovery, decided by the policy: next tip"
    assert {line.kind for line in partial} == {"partial", "recovery"}
    assert any("short aspirate on channel 1" in line.message for line in partial)
    assert all(line.done for line in report.samples)
    lines = {line.id: line for line in report.instructions}
    assert lines[short.id].status == "partial"
    children = [name for name in lines if name.startswith(f"{short.id}~")]
    order = list(lines)
    assert children
    assert order.index(children[0]) == order.index(short.id) + 1


def test_what_a_person_gave_up_leaves_exactly_its_samples_unfinished() -> None:
    work = runs.normalisation()
    clogged = transfers(work.program)[0]
    plan = FaultPlan(faults=(PlannedFault(kind="clog", instruction=clogged.id, channels=(5,)),))
    asked: list[str] = []

    def person(question: str, choices: tuple[str, ...]) -> str:
        asked.append(question)
        return "skip" if "skip" in choices else choices[0]

    report = runs.report(work, runs.run(work, faults=plan, person=person))
    ours = {route.row for route in work.program.routes if route.source in clogged.wells}
    assert ours <= {line.row for line in report.samples if not line.done}
    assert clogged.wells[5] in {line.sources[0].source for line in report.samples if not line.done}
    said = [line for line in report.deviations if line.instruction == clogged.id]
    assert [line.kind for line in said[-3:]] == ["question", "answer", "recovery"]
    assert asked[0] in said[-3].message
    assert said[-1].message == "Recovery, decided by a person: skip"
    assert any("clog on channel 5" in line.message for line in said)


def test_a_sample_whose_aspirate_was_given_up_is_not_finished_whatever_was_dispensed() -> None:
    writer = lab.Writer(lab.normalisation())
    given_up = transfers(writer.program)[2]
    clog = Fault(kind="clog", channel=0, message="clogged")
    for item in writer.program.instructions:
        if item.id == given_up.id:
            writer.carry_out(item, Outcome(status="failed", faults=(clog,), volumes=(0.0,) * 8))
            writer.note("recovery", item.id, choice="skip", by="person", children=[])
        else:
            writer.carry_out(item)
    unfinished = {line.sources[0].source for line in told(writer).samples if not line.done}
    assert unfinished == set(given_up.wells)


def test_a_stopped_run_says_what_was_done_and_what_was_not() -> None:
    work = runs.normalisation()
    half = len(work.program.instructions) // 2
    report = runs.report(work, runs.run(work, stop_after=half), "stopped")
    statuses = [line.status for line in report.instructions]
    assert statuses == ["done"] * half + ["not begun"] * (len(statuses) - half)
    assert report.deviations[-1].message == "The run was stopped and made safe: the incubator alarm went off"
    open_wells = {
        well
        for item in work.program.instructions[half:]
        if isinstance(item, Aspirate | Dispense)
        for well in item.wells
    }
    for line in report.samples:
        assert line.done == open_wells.isdisjoint({line.destination, line.sources[0].source})


def test_a_stop_that_nobody_could_confirm_does_not_say_safe() -> None:
    writer = lab.Writer(lab.normalisation())
    writer.note("stopped", reason="the cable came off", safe=False)
    (line,) = told(writer).deviations
    assert line.message == "The run was stopped, and the devices did not confirm that they are safe: the cable came off"


def test_a_plan_that_was_not_run_has_nothing_done() -> None:
    report = runs.report(runs.normalisation(), (), "planned")
    assert {line.status for line in report.instructions} == {"not begun"}
    assert not any(line.done for line in report.samples)
    assert report.tips == report.deviations == ()
    assert report.facts.seconds == 0


@pytest.mark.parametrize(
    ("source", "said"),
    [("person", "a person said that it happened"), ("device record", "the device was asked afterwards how it ended")],
)
def test_an_outcome_that_did_not_come_from_the_device_at_once_is_a_deviation(source: str, said: str) -> None:
    writer = lab.Writer(lab.normalisation())
    first = writer.program.instructions[0]
    writer.note("intent", first.id, acts_done=0)
    writer.note("outcome", first.id, outcome={"seconds": 4.0}, source=source)
    report = told(writer)
    assert [line.kind for line in report.deviations] == ["doubt"]
    assert said in report.deviations[0].message
    assert said in report.instructions[0].remark


def test_an_instruction_begun_again_is_a_deviation() -> None:
    writer = lab.Writer(lab.normalisation())
    first = writer.program.instructions[0]
    writer.note("intent", first.id, acts_done=0)
    writer.carry_out(first)
    (line,) = told(writer).deviations
    assert (line.kind, line.instruction) == ("doubt", first.id)
    assert "begun again, 2 times in all" in line.message


def test_a_devices_long_fractions_are_cut() -> None:
    writer = lab.Writer(lab.normalisation())
    fault = Fault(kind="refused", message="Not enough liquid: 40.73731011485735uL > 1.0300000007996886uL")
    writer.carry_out(writer.program.instructions[0], Outcome(status="failed", faults=(fault,)))
    (line,) = told(writer).deviations
    assert line.message.endswith("Not enough liquid: 40.74uL > 1.03uL")


# -- JSON -------------------------------------------------------------------------------------------------------------


def every_report() -> list[Any]:
    return [
        pytest.param(by_hand, id="written by hand"),
        pytest.param(lambda: normalised("starlet"), id="starlet"),
        pytest.param(lambda: normalised("ot2"), id="ot2"),
        pytest.param(lambda: runs.report(runs.normalisation(), (), "planned"), id="planned"),
    ]


@pytest.mark.parametrize("make", every_report())
def test_json_reads_back_as_the_same_report(make: Any) -> None:
    report: Report = make()
    assert Report.model_validate_json(report.model_dump_json()) == report
