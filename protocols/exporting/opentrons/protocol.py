"""A program as a Python protocol for an Opentrons OT-2 or Flex."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.device_instructions import DeviceInstruction, SetLid
from protocols.exporting.exported import Exported, Remarks
from protocols.exporting.opentrons.deck import Definitions, write_deck
from protocols.exporting.opentrons.levels import BASE, level_for
from protocols.exporting.opentrons.modules import write_bench, write_device
from protocols.exporting.opentrons.names import call, dictionary, in_a_comment, quoted
from protocols.exporting.opentrons.pipetting import write_pipetting
from protocols.exporting.opentrons.script import Script
from protocols.instruction import Instruction
from protocols.program import (
    AskPerson,
    MoveLabware,
    Program,
    ReplaceTipRack,
    Wait,
)
from protocols.specs import WorkcellSpec
from protocols.wells import split_well

FORM = "an Opentrons protocol"


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
    script = Script(program, spec, level_for(program, spec), remarks, labware)
    constants = write_deck(script, definitions or {})
    _open_lids(script)
    _write_instructions(script)
    _note_what_is_left_out(script)
    remarks.raise_any(FORM)
    return Exported(_file(script, constants), remarks.notes)


def _open_lids(script: Script) -> None:
    """Open the lid of each thermocycler in which something happens before the program says how its lid is.

    Opentrons takes no lid for open that was not opened.
    """
    sites = {name: site.device for name, site in script.spec.sites.items() if site.device in script.devices}
    inside = {name for name, placed in script.labware.items() if placed.site in sites}
    told: set[str] = set()
    for instruction in script.program.instructions:
        if isinstance(instruction, SetLid):
            told.add(instruction.device)
            continue
        wells = getattr(instruction, "wells", ())
        used = {split_well(well)[0] for well in wells}
        if isinstance(instruction, MoveLabware):
            used = {instruction.labware}
            _open(script, sites.get(instruction.site), told)
        for labware in used & inside:
            _open(script, sites.get(script.labware[labware].site), told)


def _open(script: Script, device: str | None, told: set[str]) -> None:
    if device is None or device in told or script.spec.devices[device].kind != "thermocycler":
        return
    told.add(device)
    script.write(f"{script.devices[device]}.open_lid()")
    script.remarks.note(f"The lid of {device} is opened at the start: it is used before the program says how it is")


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
