"""A normalisation of 96 samples on the STARlet, written instruction by instruction, and the events of its run.

Nothing here comes from the compiler or the runner: the report is tested on what its inputs say.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from protocols.events import GENESIS, Event, EventKind
from protocols.liquids import Liquid, LiquidClass
from protocols.outcomes import Outcome
from protocols.program import (
    AnyInstruction,
    Aspirate,
    Dispense,
    DropTips,
    PickUpTips,
    Program,
    Route,
    StepNote,
)
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from protocols.timing import seconds
from protocols.wells import well_name
from robots.report import Plan, RunFacts, UnreachableRow
from robots.workcell import load_workcell

TARGET = 10.0
VOLUME = 50.0
CHANNELS = tuple(range(8))


@cache
def starlet() -> WorkcellSpec:
    return load_workcell("starlet").spec


def stock(index: int) -> float:
    """ng/µL of sample ``index``, from 0; the last two are too dilute for the target."""
    return 8.0 if index >= 94 else round(12.5 + 0.83 * index, 2)


def sample_volume(index: int) -> float:
    return VOLUME if stock(index) <= TARGET else round(VOLUME * TARGET / stock(index), 2)


def column(labware: str, index: int) -> tuple[str, ...]:
    return tuple(f"{labware}/{well_name(row, index)}" for row in range(8))


@cache
def normalisation() -> Program:
    instructions: list[AnyInstruction] = []
    liquids = {
        f"S{index + 1:03}": Liquid(name=f"S{index + 1:03}", sample=f"S{index + 1:03}", solutes={"DNA": stock(index)})
        for index in range(96)
    }
    contents, routes = [], []
    for index, name in enumerate(liquids):
        well = well_name(index % 8, index // 8)
        contents.append(Fill(well=f"extraction/{well}", liquid=name, volume=60.0))
        water = round(VOLUME - sample_volume(index), 2)
        if water:
            routes.append(
                Route(
                    row=f"line {index + 2}",
                    source="diluent/A1",
                    destination=f"normalised/{well}",
                    volume=water,
                    step="diluent",
                )
            )
        routes.append(
            Route(
                row=f"line {index + 2}",
                sample=name,
                source=f"extraction/{well}",
                destination=f"normalised/{well}",
                volume=sample_volume(index),
                step="samples",
            )
        )

    def add(kind: type[Any], step: str, channels: tuple[int, ...] = CHANNELS, **fields: Any) -> None:
        instructions.append(
            kind(id=f"i{len(instructions) + 1}", step=step, pipette="channels", channels=channels, **fields)
        )

    add(PickUpTips, "diluent", spots=column("tips_300_1", 0))
    for number in range(12):
        water_of = {row: VOLUME - sample_volume(number * 8 + row) for row in range(8)}
        rows = tuple(row for row in range(8) if water_of[row] > 0)
        volumes = tuple(water_of[row] for row in rows)
        add(
            Aspirate,
            "diluent",
            rows,
            wells=("diluent/A1",) * len(rows),
            volumes=volumes,
            liquid_class="water",
            height=10.0,
        )
        wells = tuple(column("normalised", number)[row] for row in rows)
        add(Dispense, "diluent", rows, wells=wells, volumes=volumes, liquid_class="water jet", height=9.0)
    add(DropTips, "diluent")
    for number in range(12):
        spots = column(f"tips_300_{1 + (number + 1) // 12}", (number + 1) % 12)
        volumes = tuple(sample_volume(number * 8 + row) for row in range(8))
        add(PickUpTips, "samples", spots=spots)
        add(
            Aspirate,
            "samples",
            wells=column("extraction", number),
            volumes=volumes,
            liquid_class="water",
            height=0.5,
        )
        add(
            Dispense,
            "samples",
            wells=column("normalised", number),
            volumes=volumes,
            liquid_class="water",
            height=0.5,
        )
        add(DropTips, "samples")
    return Program(
        title="Normalise 96 DNA extracts to 10 ng/µL",
        liquids=liquids,
        liquid_classes={
            "water": LiquidClass(name="water"),
            "water jet": LiquidClass(name="water jet", jet=True),
        },
        labware={
            "extraction": PlacedLabware(kind="pcr_96_200ul", site="plates-a-1", barcode="EX-2041"),
            "normalised": PlacedLabware(kind="flat_96_360ul", site="plates-a-2"),
        },
        contents=tuple(contents),
        steps={
            "diluent": StepNote(text="Put TE buffer into the wells of the normalised plate"),
            "samples": StepNote(text="Add each sample to its buffer", source="dna_normalisation.csv"),
        },
        routes=tuple(routes),
        instructions=tuple(instructions),
    )


def plan() -> Plan:
    return Plan(
        source="dna_normalisation.csv",
        description="Bring each extract to 10 ng/µL in 50 µL of TE buffer.",
        options={"Samples that cannot reach the target": "neat", "Seed": "1"},
        tallies={"tips": 104, "instructions": 74, "racks exchanged": 0},
        setup=(
            "Put extraction (pcr_96_200ul, barcode EX-2041) on plates-a-1",
            "Put normalised on plates-a-2",
        ),
        notes=("Buffer goes first, so that its tips touch no sample and serve all wells",),
        unreachable=tuple(
            UnreachableRow(
                row=f"line {index + 2}",
                sample=f"S{index + 1:03}",
                reason="its 8 ng/µL lie below the target of 10 ng/µL",
                action="taken neat: 50 µL at 8 ng/µL",
            )
            for index in (94, 95)
        ),
    )


def facts(title: str = "") -> RunFacts:
    return RunFacts(
        run="20260301T101500-normalise-96-dna-0a1b",
        title=title or normalisation().title,
        status="completed",
        workcell="starlet",
        simulated=True,
        program_digest="1" * 64,
        workcell_digest="2" * 64,
    )


class Writer:
    """Writes events as a run would: in a chain, on a clock that goes on with each outcome."""

    def __init__(self, program: Program, workcell: WorkcellSpec | None = None) -> None:
        self.program = program
        self.workcell = workcell or starlet()
        self.events: list[Event] = []
        self.clock = 0.0
        self.note("run_created")
        self.note("approved", by="Dr. Ada Biologist")
        self.note("run_started")

    def note(self, kind: EventKind, instruction: str | None = None, **payload: Any) -> None:
        self.events.append(
            Event(
                sequence=len(self.events),
                run=facts().run,
                instruction=instruction,
                wall_time=f"2026-03-01T10:15:{len(self.events) % 60:02}.000000+00:00",
                virtual_time=self.clock,
                kind=kind,
                payload=payload,
                previous=self.events[-1].digest() if self.events else GENESIS,
            )
        )

    def carry_out(self, instruction: AnyInstruction, outcome: Outcome | None = None, **intent: Any) -> None:
        lasted = seconds(instruction, self.program, self.workcell)
        self.note("intent", instruction.id, **{"acts_done": 0, **intent})
        self.clock += lasted
        told = (outcome or Outcome()).model_copy(update={"seconds": lasted})
        self.note("outcome", instruction.id, outcome=told.model_dump(mode="json"))

    def carry_out_all(self, instructions: Iterable[AnyInstruction]) -> None:
        for instruction in instructions:
            self.carry_out(instruction)
