"""Exported worklists: they read back to the same moves, and what is not a transfer is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import ExportError
from protocols.exporting import Exported
from protocols.exporting.transfers import follow
from protocols.exporting.worklist import export_worklist
from protocols.formats.cherry_pick import SPARE
from protocols.formats.options import WorklistOptions
from protocols.formats.worklist import read_worklist
from protocols.program import AirGap, Aspirate, BlowOut, Dispense, Mix, Wait
from protocols.protocol import Transfer
from tests.exporting.lab import COMPILED, EXAMPLES, compiled, program, spec, with_tip

Row = tuple[str, str, float]


def read_back(exported: Exported, folder: Path) -> list[Row]:
    path = folder / "moves.csv"
    path.write_text(exported.text, encoding="utf-8")
    (step,) = read_worklist(path, WorklistOptions(pool=True)).protocol.steps
    assert isinstance(step, Transfer)
    volumes = step.volume if isinstance(step.volume, tuple) else (step.volume,) * len(step.source)
    return list(zip(step.source, step.destination, volumes, strict=True))


@pytest.mark.parametrize(("example", "workcell"), COMPILED)
def test_it_reads_back_to_the_same_moves(example: str, workcell: str, tmp_path: Path) -> None:
    moved = compiled(example, workcell)
    rows = read_back(export_worklist(moved, spec(workcell)), tmp_path)
    meant = [
        (move.source, move.destination, move.volume)
        for move in follow(moved.instructions)
        if move.source != move.destination and not move.destination.startswith("trash/")
    ]
    assert [row[:2] for row in rows] == [move[:2] for move in meant]
    assert [row[2] for row in rows] == pytest.approx([move[2] for move in meant])


def test_a_cherry_pick_comes_back_as_it_was(tmp_path: Path) -> None:
    example = "worklists/cherry_pick_4_plates.csv"
    before = read_worklist(EXAMPLES / example, WorklistOptions()).protocol.steps[0]
    assert isinstance(before, Transfer)
    assert isinstance(before.volume, tuple)
    rows = read_back(export_worklist(compiled(example, "ot2"), spec()), tmp_path)
    assert sorted(rows) == sorted(zip(before.source, before.destination, before.volume, strict=True))
    assert SPARE == 20


def stroke(make: type[Aspirate] | type[Dispense], well: str, volume: float) -> Aspirate | Dispense:
    return make(id="x", pipette="p300", channels=(0,), wells=(well,), volumes=(volume,), liquid_class="plain")


def moves(*instructions: object) -> list[Row]:
    found = follow(with_tip(*instructions).instructions)
    return [(move.source, move.destination, pytest.approx(move.volume)) for move in found]  # type: ignore[misc]


def test_liquids_of_two_wells_leave_a_tip_in_proportion() -> None:
    drawn = (stroke(Aspirate, "a/A1", 30), stroke(Aspirate, "a/A2", 10), stroke(Dispense, "b/A1", 20))
    assert moves(*drawn) == [("a/A1", "b/A1", 15), ("a/A2", "b/A1", 5)]


def test_air_keeps_liquids_apart_and_is_no_transfer() -> None:
    air = AirGap(id="x", pipette="p300", channels=(0,), volumes=(5,))
    drawn = (stroke(Aspirate, "a/A1", 30), air, stroke(Aspirate, "a/A2", 10))
    assert moves(*drawn, stroke(Dispense, "b/A1", 15)) == [("a/A2", "b/A1", 10)]
    assert moves(*drawn, stroke(Dispense, "b/A1", 16)) == [("a/A2", "b/A1", 10), ("a/A1", "b/A1", 1)]


def test_what_is_blown_out_counts() -> None:
    blow = BlowOut(id="x", pipette="p300", channels=(0,), wells=("b/A2",))
    found = moves(stroke(Aspirate, "a/A1", 30), stroke(Dispense, "b/A1", 20), blow)
    assert found == [("a/A1", "b/A1", 20), ("a/A1", "b/A2", 10)]


def test_what_is_not_a_transfer_is_listed() -> None:
    mix = Mix(id="x", pipette="p300", channels=(0,), wells=("b/A1",), volumes=(20,), cycles=3, liquid_class="plain")
    back = (stroke(Aspirate, "b/A1", 9), stroke(Dispense, "b/A1", 9))
    away = (stroke(Aspirate, "b/A1", 8), stroke(Dispense, "trash/A1", 8))
    moved = (stroke(Aspirate, "a/A1", 20), stroke(Dispense, "b/A1", 20))
    notes = "\n".join(export_worklist(with_tip(*moved, mix, Wait(id="x", seconds=5), *back, *away), spec()).notes)
    for said in ("mix (i4)", "wait (i5)", "i7 returns 9 µL to b/A1", "i9 throws 8 µL of b/A1 away"):
        assert said in notes


def test_a_program_without_transfers_is_refused() -> None:
    with pytest.raises(ExportError, match="moves no liquid"):
        export_worklist(program(Wait(id="x", seconds=1)), spec())
