"""A World with scales beside it: programs are carried out, and every stroke is weighed before and after.

Nothing here knows verification. What is weighed is what a person with a balance, a pipette in the hand and a ruler
could say: how much liquid and air is in a tip or a well, and what a device answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction, Aspirate, Dispense, Mix, MoveLabware, Program
from protocols.specs import WorkcellSpec
from robots.driver import make_driver
from robots.simulator import LocalWorld, Noise, World
from robots.workcell import Workcell

AS_TOLD = ("id", "step", "after", "window", "takes_rest", "gives_rest")
"""Fields of an instruction that are not told to a device."""


@dataclass(frozen=True, slots=True)
class TipContent:
    """µL of liquid, of air between liquid, and of air that only takes room."""

    liquid: float = 0.0
    air: float = 0.0
    cushion: float = 0.0

    @property
    def all(self) -> float:
        """µL of everything that takes room."""
        return self.liquid + self.air + self.cushion


@dataclass(frozen=True, slots=True)
class Weighing:
    """One stroke of one channel, and the scales' readings before and after the instruction (µL)."""

    instruction: Aspirate | Dispense | Mix
    channel: int
    well: str
    asked: float
    moved: float
    well_before: float
    well_after: float
    tip_before: TipContent | None
    tip_after: TipContent | None
    tip_length: float
    capacity: float


@dataclass
class Bench:
    """A program, the World it is carried out in, and what was seen of it."""

    program: Program
    spec: WorkcellSpec
    noise: Noise = field(default_factory=Noise.off)
    seed: int = 0
    outcomes: list[tuple[AnyInstruction, Outcome]] = field(default_factory=list)
    weighings: list[Weighing] = field(default_factory=list)
    assays: list[tuple[AnyInstruction, str, dict[str, float]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(self.spec, noise=self.noise, seed=self.seed)
        self.world.prepare(self.program.labware, self.program.contents, self.program.liquids)

    # -- carrying out -------------------------------------------------------------------------------

    def tell(self) -> Bench:
        """Tell the World each instruction, whatever came of the ones before."""
        for instruction in self.program.instructions:
            before = self._weigh(instruction)
            outcome = Outcome()
            for act, command in enumerate(self._commands(instruction)):
                outcome = self.world.act(f"run:{instruction.id}#{act}", command)
            self._note(instruction, outcome, before)
        return self

    def drive(self, workcell: Workcell) -> Bench:
        """Carry the program out through the driver, pylabrobot and the guard, as a run does."""
        asyncio.run(self._drive(workcell))
        return self

    async def _drive(self, workcell: Workcell) -> None:
        state = LabState.start(self.spec, self.program)
        driver = make_driver(workcell, self.program, state, "run", world=LocalWorld(self.world))
        await driver.setup()
        for instruction in self.program.instructions:
            before = self._weigh(instruction)
            outcome = await driver.execute(instruction)
            if getattr(instruction, "liquid_class", None) in {None, *self.program.liquid_classes}:
                apply(state, self.program, instruction, outcome)
            self._note(instruction, outcome, before)

    def _commands(self, instruction: AnyInstruction) -> list[dict[str, Any]]:
        if isinstance(instruction, MoveLabware) and instruction.by == "person":
            return [{"kind": "carry", "labware": instruction.labware, "site": instruction.site}]
        if isinstance(instruction, MoveLabware):
            grip = {"kind": "grip", "labware": instruction.labware}
            return [grip, {"kind": "release", "labware": instruction.labware, "site": instruction.site}]
        told = {name: value for name, value in asdict(instruction).items() if name not in AS_TOLD}
        if "liquid_class" in told:
            told["liquid_class"] = self.program.liquid_classes[told["liquid_class"]]
        return [told]

    # -- weighing -----------------------------------------------------------------------------------

    def tip(self, pipette: str, channel: int) -> TipContent | None:
        """What is in the tip on a channel; ``None`` without a tip."""
        tip = self.world.state.tip_on(pipette, channel)
        return tip and TipContent(tip.liquid(), tip.air(), tip.transport_air + tip.blow_out_air)

    def volume(self, well: str) -> float:
        """µL in a well now."""
        return self.world.state.volume(well)

    def _weigh(self, instruction: AnyInstruction) -> Mapping[str, Any]:
        if not isinstance(instruction, Aspirate | Dispense | Mix):
            return {}
        tips = {channel: self.tip(instruction.pipette, channel) for channel in instruction.channels}
        return {"tips": tips, "wells": {well: self.volume(well) for well in instruction.wells}}

    def _note(self, instruction: AnyInstruction, outcome: Outcome, before: Mapping[str, Any]) -> None:
        self.outcomes.append((instruction, outcome))
        if not isinstance(instruction, Aspirate | Dispense | Mix):
            return
        moved = self._moved(instruction)
        for channel, well, asked in zip(instruction.channels, instruction.wells, instruction.volumes, strict=True):
            tip = self.world.state.tip_on(instruction.pipette, channel)
            self.weighings.append(
                Weighing(
                    instruction,
                    channel,
                    well,
                    asked,
                    moved.get(channel, 0.0),
                    before["wells"][well],
                    self.volume(well),
                    before["tips"][channel],
                    self.tip(instruction.pipette, channel),
                    tip.spec.length if tip else 0.0,
                    tip.spec.capacity if tip else 0.0,
                )
            )
        for well in dict.fromkeys(instruction.wells):
            self.assays.append((instruction, well, self.world.state.composition(well)))

    def _moved(self, instruction: AnyInstruction) -> dict[int, float]:
        """µL that each piston really moved, by the World's log; nothing where no act came of the instruction."""
        acts = [act for act in self.world.log() if act.instruction == f"run:{instruction.id}"]
        return dict(zip(acts[-1].actual["channels"], acts[-1].actual["volumes"], strict=True)) if acts else {}
