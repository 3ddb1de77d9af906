"""Programs to export: small ones written out, and what the compiler makes of the examples."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from protocols.compiler import compile_protocol
from protocols.formats.options import WorklistOptions
from protocols.formats.protocol_file import read_input
from protocols.liquids import LiquidClass
from protocols.program import PickUpTips, Program
from protocols.specs import WorkcellSpec
from robots.workcell import load_workcell

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TEACHING = "examples/workcells/ot2-teaching.yaml"
COMPILED = (
    ("worklists/dna_normalisation_96.csv", "ot2"),
    ("worklists/cherry_pick_4_plates.csv", "ot2"),
    ("worklists/cherry_pick_4_plates.csv", TEACHING),
    ("protocols/serial_dilution.yaml", "ot2"),
    ("protocols/serial_dilution.yaml", TEACHING),
    ("protocols/stain_column.yaml", "ot2"),
    ("protocols/fill_plate.yaml", "ot2"),
    ("protocols/fill_plate.yaml", TEACHING),
)
"""Example files, and the OT-2 that each is compiled for."""
PLAIN = LiquidClass(name="plain")


@cache
def spec(workcell: str = "ot2") -> WorkcellSpec:
    return load_workcell(ROOT / workcell if "/" in workcell else workcell).spec


@cache
def compiled(example: str, workcell: str) -> Program:
    options = WorklistOptions(shortfall="neat", diluent="TE buffer")
    given = read_input(EXAMPLES / example, options)
    assert given.protocol is not None
    return compile_protocol(given.protocol, spec(workcell)).program


def program(*instructions: Any, classes: tuple[LiquidClass, ...] = (PLAIN,), **fields: Any) -> Program:
    """A program of instructions whose ids are given anew: i1, i2, …."""
    numbered = tuple(replace(instruction, id=f"i{place}") for place, instruction in enumerate(instructions, 1))
    named = {liquid_class.name: liquid_class for liquid_class in classes}
    return Program(title="A test", liquid_classes=named, instructions=numbered, **fields)


def with_tip(*instructions: Any, **fields: Any) -> Program:
    """The same after picking up the first tip of the 300 µL rack."""
    pick = PickUpTips(id="pick", pipette="p300", channels=(0,), spots=("tips_300_1/A1",))
    return program(pick, *instructions, **fields)
