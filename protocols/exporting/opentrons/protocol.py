"""A program as a Python protocol for an Opentrons OT-2 or Flex."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.device_instructions import DeviceInstruction
from protocols.exporting.exported import Exported, Remarks
from protocols.exporting.opentrons.deck import Definitions, write_deck
from protocols.exporting.opentrons.modules import sets_apart, write_bench, write_device
from protocols.exporting.opentrons.names import call, dictionary, in_a_comment, quoted
from protocols.exporting.opentrons.nozzles import layout_of
from protocols.exporting.opentrons.pipetting import write_pipetting
from protocols.exporting.opentrons.script import ApiLevel, Script
from protocols.instruction import Instruction
from protocols.program import (
    AskPerson,
    Aspirate,
    Dispense,
    Mix,
    MoveLabware,
    PickUpTips,
    Program,
    ReplaceTipRack,
    Wait,
)
from protocols.specs import WorkcellSpec

FORM = "an Opentrons protocol"
BASE: dict[str, ApiLevel] = {"OT-2": (2, 15), "Flex": (2, 16)}
"""The API level of a protocol that needs no newer one: the first with adapters; of a Flex, with a trash by name."""
NOTHING_IS_NOT_ALL: ApiLevel = (2, 17)
"""Below this level a stroke of 0 µL means "all there is"."""
TASKS: ApiLevel = (2, 27)
"""From this level on a thermocycler can be set without waiting for it."""


def export_opentrons(program: Program, spec: WorkcellSpec, definitions: Definitions | None = None) -> Exported:
    """``program`` as a Python protocol that does the same on the OT-2 or Flex that ``spec`` describes.

    Args:
        definitions: Opentrons' labware definitions of the kinds that are not in its own library.

    Raises:
        ExportError: another robot, or something that Opentrons' API cannot do; each names instruction and field.
    """
    remarks = Remarks()
    if spec.robot not in BASE:
        what = f"its robot is {spec.robot or 'another one'}, and Opentrons protocols are for an OT-2 or a Flex"
        remarks.refuse(f"workcell {spec.name}, robot", what, "Compile it for a workcell with such a robot")
        remarks.raise_any(FORM)
    labware = {**spec.labware, **program.labware}
    script = Script(program, spec, _level(program, spec), remarks, labware)
    constants = write_deck(script, definitions or {})
    _write_instructions(script)
    _note_what_is_left_out(script)
    remarks.raise_any(FORM)
    return Exported(_file(script, constants), remarks.notes)


def _level(program: Program, spec: WorkcellSpec) -> ApiLevel:
    """The lowest API level that knows all that the program does."""
    level = BASE[spec.robot or "OT-2"]
    thermocyclers = [name for name, device in spec.devices.items() if device.kind == "thermocycler"]
    if sets_apart(program.instructions, thermocyclers):
        level = max(level, TASKS)
    for instruction in program.instructions:
        if isinstance(instruction, PickUpTips) and instruction.pipette in spec.pipettes:
            layout = layout_of(instruction.channels, spec.pipettes[instruction.pipette].channels)
            level = max(level, layout.api_level if layout else level)
        if isinstance(instruction, Aspirate | Dispense | Mix) and not max(instruction.volumes):
            level = max(level, NOTHING_IS_NOT_ALL)
    return level


def _write_instructions(script: Script) -> None:
    comments = _Comments(script)
    index, instructions = 0, script.program.instructions
    while index < len(instructions):
        instruction = instructions[index]
        comments.reach(instruction)
        if instruction.window is not None:
            script.refuse(instruction, "window", "Opentrons' protocols know no time windows", "Use waits")
        if isinstance(instruction, MoveLabware | ReplaceTipRack | Wait | AskPerson):
            write_bench(script, instruction)
        elif isinstance(instruction, DeviceInstruction):
            index += write_device(script, index, instruction) - 1
        else:
            write_pipetting(script, index, instruction)
        index += 1
    comments.finish()


class _Comments:
    """The bench steps as comments, each before its first instruction; those that have none keep their place."""

    def __init__(self, script: Script) -> None:
        self.script = script
        used = {instruction.step for instruction in script.program.instructions}
        self.order = list(script.program.steps)
        self.bare = [name for name in self.order if name not in used]
        self.now: str | None = None

    def reach(self, instruction: Instruction) -> None:
        """Say the step of ``instruction`` where it is another one than before."""
        step = instruction.step
        if step is None or step == self.now or step not in self.script.program.steps:
            return
        self.now = step
        place = self.order.index(step)
        for name in self._bare_before(place):
            self._say(name)
        self._say(step)

    def finish(self) -> None:
        """Say what is left."""
        for name in self._bare_before(len(self.order)):
            self._say(name)

    def _bare_before(self, place: int) -> Iterator[str]:
        while self.bare and self.order.index(self.bare[0]) < place:
            yield self.bare.pop(0)

    def _say(self, name: str) -> None:
        text = self.script.program.steps[name].text
        if text:
            self.script.write("")
            self.script.write(call("protocol.comment", quoted(text)))


def _note_what_is_left_out(script: Script) -> None:
    if script.program.routes:
        script.remarks.note(f"The {len(script.program.routes)} rows of the worklist it came from are not said")
    if any(placed.barcode for placed in script.labware.values()):
        script.remarks.note("Barcodes of labware are not said")


def _file(script: Script, constants: dict[str, str]) -> str:
    level = ".".join(map(str, script.level))
    title = script.program.title
    parts = [
        f"# {in_a_comment(title)}",
        f"# Written by Labwright for the workcell '{in_a_comment(script.spec.name)}'.",
        *(f"# {in_a_comment(note)}." for note in script.remarks.notes),
        *(["import json", ""] if "json" in script.imports else []),
        "from opentrons import protocol_api",
        *_imports(script),
        "",
        f"metadata = {dictionary({'protocolName': quoted(title), 'source': quoted('Labwright')})}",
        f"requirements = {dictionary({'robotType': quoted(script.spec.robot or ''), 'apiLevel': quoted(level)})}",
        *(["", *(f"{name} = {quoted(text)}" for name, text in constants.items())] if constants else []),
        "",
        "",
        "def run(protocol: protocol_api.ProtocolContext) -> None:",
        *(f"    {line}".rstrip() for line in script.lines),
    ]
    return "\n".join(parts) + "\n"


def _imports(script: Script) -> list[str]:
    wanted = sorted(script.imports - {"json"})
    return [f"from opentrons.protocol_api import {', '.join(wanted)}"] if wanted else []
