"""Which liquids a program means to bring where: bookkeeping with the volumes asked, and nothing else.

A well is meant to hold what is poured into it and what is dispensed into it. A tip carries what it drew, until the
asked volumes say that it is empty, or it draws other liquids after a dispense; what still is in it then is meant for
no well.
"""

from __future__ import annotations

from collections import defaultdict

from protocols.program import AnyInstruction, Aspirate, Dispense, DropTips, Mix, PickUpTips, Program
from protocols.specs import WorkcellSpec

ROUNDING = 1e-6
"""µL."""


class Intent:
    """The liquids meant for each well, followed instruction by instruction."""

    def __init__(self, program: Program, workcell: WorkcellSpec) -> None:
        self.wells: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        for fill in (*workcell.contents, *program.contents):
            self.wells[fill.well] |= {fill.liquid}
        self._classes = program.liquid_classes
        self._carried: dict[tuple[str, int], tuple[float, frozenset[str]]] = {}
        self._emptying: set[tuple[str, int]] = set()

    def follow(self, instruction: AnyInstruction) -> None:
        """Go on by one instruction."""
        match instruction:
            case PickUpTips() | DropTips():
                for channel in instruction.channels:
                    self._carried.pop((instruction.pipette, channel), None)
                    self._emptying.discard((instruction.pipette, channel))
            case Aspirate():
                self._aspirate(instruction)
            case Dispense():
                self._dispense(instruction)
            case Mix():
                self._mix(instruction)

    def _aspirate(self, stroke: Aspirate) -> None:
        for channel, well, volume in zip(stroke.channels, stroke.wells, stroke.volumes, strict=True):
            tip = (stroke.pipette, channel)
            held, liquids = self._held(stroke, channel)
            if tip in self._emptying and not liquids <= self.wells[well]:
                held, liquids = 0.0, frozenset[str]()
            self._emptying.discard(tip)
            self._carried[tip] = (held + volume, liquids | self.wells[well])

    def _dispense(self, stroke: Dispense) -> None:
        own = self._classes[stroke.liquid_class]
        for channel, well, volume in zip(stroke.channels, stroke.wells, stroke.volumes, strict=True):
            held, liquids = self._held(stroke, channel)
            self._emptying.add((stroke.pipette, channel))
            self.wells[well] |= liquids
            left = max(0.0, held - volume)
            emptied = own.blow_out > 0 and left <= own.film + own.blow_out + ROUNDING
            self._carried[stroke.pipette, channel] = (0.0, frozenset()) if emptied else (left, liquids)

    def _mix(self, stroke: Mix) -> None:
        for channel, well in zip(stroke.channels, stroke.wells, strict=True):
            held, liquids = self._held(stroke, channel)
            if held:
                self._carried[stroke.pipette, channel] = (held, liquids | self.wells[well])

    def _held(self, stroke: Aspirate | Dispense | Mix, channel: int) -> tuple[float, frozenset[str]]:
        """µL carried on purpose, and which liquids; a film is not carried on purpose."""
        held, liquids = self._carried.get((stroke.pipette, channel), (0.0, frozenset()))
        film = self._classes[stroke.liquid_class].film
        return (held, liquids) if held > film + ROUNDING else (0.0, frozenset())
