"""A small lab for the driver's tests: the shipped STARlet, one program builder, one recording STAR."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pylabrobot.liquid_handling.backends.hamilton.STAR_chatterbox import STARChatterboxBackend

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.liquids import Liquid, LiquidClass
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction, Program
from protocols.specs import Fill, PlacedLabware
from robots.driver.driver import PyLabRobotDriver
from robots.driver.hamilton import Star
from robots.driver.machines import Machine
from robots.workcell import Workcell

FILMLESS = LiquidClass(name="filmless", blow_out=15.0, transport_air=5.0, settle=1.0)
PLATE = PlacedLabware(kind="flat_96_360ul", site="plates-a-1")


class RecordingStar(STARChatterboxBackend):  # type: ignore[misc]
    """pylabrobot's genuine STAR code with nobody at the other end of the wire; what it would send is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    async def _write_and_read_command(self, id_: int | None, cmd: str, *args: Any, **kwargs: Any) -> None:
        self.sent.append(cmd)

    def last(self, command: str) -> str:
        """The last firmware string that begins with ``command``."""
        return next(sent for sent in reversed(self.sent) if sent.startswith(command))


def numbers(sent: str, field_name: str) -> list[int]:
    """The numbers of one field of a firmware string ("av01072 00551 01072&" gives [1072, 551, 1072])."""
    found = re.search(rf"{field_name}((?:\d+ ?)+)", sent)
    assert found is not None, f"no {field_name} in {sent}"
    return [int(number) for number in found.group(1).split()]


def program(*instructions: AnyInstruction, own: LiquidClass = FILMLESS, **fields: Any) -> Program:
    """A program with one plate "p" (200 µL of sample in column 1) and one liquid class "w"."""
    contents = tuple(Fill(well=f"p/{row}1", liquid="sample", volume=200.0) for row in "ABCDEFGH")
    given: dict[str, Any] = {
        "title": "a test",
        "liquids": {"sample": Liquid(name="sample")},
        "liquid_classes": {"w": own},
        "labware": {"p": PLATE},
        "contents": contents,
    }
    return Program(**{**given, **fields}, instructions=instructions)


@dataclass
class Bench:
    """A driver with the state that a runner would keep for it."""

    workcell: Workcell
    program: Program
    backend: Any = field(default_factory=RecordingStar)
    gripper: Any = "iswap"

    def __post_init__(self) -> None:
        self.state = LabState.start(self.workcell.spec, self.program)
        machine = Machine(self.backend, Star(self.gripper), answers=False)
        self.driver = PyLabRobotDriver(self.workcell, self.program, self.state, "run", machine)

    async def run(self) -> list[Outcome]:
        """Carry out the whole program, keeping the state."""
        await self.driver.setup()
        outcomes = []
        for instruction in self.program.instructions:
            outcomes.append(await self.driver.execute(instruction))
            apply(self.state, self.program, instruction, outcomes[-1])
        return outcomes
