"""A program's transfers as a worklist: a cherry-picking CSV that Labwright reads, with the tip of each row."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict

from protocols.exporting.exported import Exported, Remarks
from protocols.exporting.opentrons.names import number
from protocols.exporting.transfers import Movement, follow
from protocols.instruction import Instruction
from protocols.liquids import Liquid
from protocols.program import AirGap, Aspirate, BlowOut, Dispense, DropTips, PickUpTips, Program
from protocols.quantities import show_volume
from protocols.specs import WorkcellSpec
from protocols.wells import split_well

FORM = "a worklist"
COLUMNS = ("SourcePlate", "SourceWell", "DestinationPlate", "DestinationWell", "Volume (uL)", "Tip")
SAMPLE = "Sample"
FULL = 12
"""Decimals to which a volume is written: what adding and taking apart leaves behind is cut off."""
_MOVING = (PickUpTips, DropTips, Aspirate, Dispense, AirGap, BlowOut)
MOST_NAMED = 5


def export_worklist(program: Program, spec: WorkcellSpec) -> Exported:
    """The transfers of ``program``, one row for each dispense of each channel and each liquid in it.

    Raises:
        ExportError: it has none.
    """
    remarks = Remarks()
    rows = []
    for movement in follow(program.instructions):
        if split_well(movement.destination)[0] == spec.trash:
            thrown = f"{show_volume(movement.volume)} of {movement.source}"
            remarks.note(f"Not a transfer: {movement.instruction} throws {thrown} away")
        elif movement.source == movement.destination:
            what = f"Not a transfer: {movement.instruction} returns {show_volume(movement.volume)} to {movement.source}"
            remarks.note(what)
        else:
            rows.append(movement)
    if not rows:
        remarks.refuse(program.title, "it moves no liquid from one well to another")
        remarks.raise_any(FORM)
    _note_the_rest(program, remarks)
    filled = Counter(row.destination for row in rows)
    if max(filled.values()) > 1:
        remarks.note("Several rows fill one well: read it back with --pool")
    return Exported(_table(rows, _samples(program, spec)), remarks.notes)


def _table(rows: list[Movement], samples: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, SAMPLE) if samples else COLUMNS)
    for row in rows:
        source, source_well = split_well(row.source)
        destination, destination_well = split_well(row.destination)
        cells = [source, source_well, destination, destination_well, number(round(row.volume, FULL)), row.tip]
        writer.writerow([*cells, samples.get(row.source, "")] if samples else cells)
    return text.getvalue()


def _samples(program: Program, spec: WorkcellSpec) -> dict[str, str]:
    """The sample in each well at the start, where there is exactly one liquid and it is one."""
    liquids: dict[str, Liquid] = {**spec.liquids, **program.liquids}
    held: dict[str, set[str]] = defaultdict(set)
    for fill in (*spec.contents, *program.contents):
        held[fill.well].add(fill.liquid)
    found = {}
    for well, names in held.items():
        liquid = liquids.get(next(iter(names))) if len(names) == 1 else None
        if liquid is not None and liquid.sample is not None:
            found[well] = liquid.sample
    return found


def _note_the_rest(program: Program, remarks: Remarks) -> None:
    """List what a worklist has no rows for."""
    others: dict[str, list[str]] = defaultdict(list)
    for instruction in program.instructions:
        if not isinstance(instruction, _MOVING):
            others[_called(instruction)].append(instruction.id)
    for kind, ids in others.items():
        named = ", ".join(ids[:MOST_NAMED]) + (f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else "")
        remarks.note(f"Not a transfer: {kind} ({named})")
    if program.liquid_classes:
        remarks.note("How liquids are handled (heights, flow rates, liquid classes) is not said")


def _called(instruction: Instruction) -> str:
    kind: str = getattr(instruction, "kind")  # noqa: B009
    return kind.replace("_", " ")
