"""Verification folds a program over a LabState and reports all that goes wrong, at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from protocols.device_instructions import DeviceInstruction
from protocols.effects import Effect
from protocols.fillings import gathered
from protocols.labstate import LabState
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    BlowOut,
    DropTips,
    MoveLabware,
    PickUpTips,
    PipettingInstruction,
    Program,
    ReplaceTipRack,
    TouchTip,
    Wait,
)
from protocols.quantities import show_duration, show_volume
from protocols.specs import PipetteSpec, WorkcellSpec
from protocols.timing import seconds
from protocols.verify.checks import Problem, Stroke, class_problems, height_problems, surface_problems
from protocols.verify.collisions import acting, adapter_problems, collision_problems
from protocols.verify.effects import report_effect
from protocols.verify.findings import Finding, Ledger
from protocols.verify.heads import head_problems
from protocols.verify.margin import Margin, Shortfall
from protocols.verify.neighbours import neighbour_problems, shakers_by_slot
from protocols.verify.reach import reach
from protocols.verify.setup import check_order, check_set_up, conflicts_of
from protocols.verify.volumes import most_problems, volume_problems


@dataclass(frozen=True, slots=True)
class Verification:
    """What verification says of a program.

    Attributes:
        findings: all of them, errors first.
        state: the state the program leads to.
        channel_operations: pick-ups, drops and strokes, counted by channel.
    """

    findings: tuple[Finding, ...]
    state: LabState
    channel_operations: int

    @property
    def ok(self) -> bool:
        """Whether there is no error among the findings."""
        return not any(finding.severity == "error" for finding in self.findings)


def verify(
    program: Program,
    workcell: WorkcellSpec,
    *,
    state: LabState | None = None,
    margin: float = 0.0,
    contamination: Literal["error", "warning"] = "error",
) -> Verification:
    """Say all that is wrong with ``program`` on ``workcell``.

    Args:
        state: what is on the deck at the start; default: the workcell's own deck with full racks. The
            program's set-up is added. The state itself is left as it is.
        margin: fraction by which strokes may err, all to one side, before a well runs dry or over or a tip is
            overfilled; 0 proves the program on a lab without pipetting error.
        contamination: how grave a liquid carried into a well is; a program's own ``carry_over`` may make it milder.
    """
    start = LabState.start(workcell) if state is None else LabState.restore(workcell, state.snapshot())
    fillings = gathered(program.contents)
    start.set_up(program, fillings)
    ledger = Ledger(
        contamination="warning" if program.carry_over == "warning" else contamination, overflow=program.overflow
    )
    check_set_up(program, workcell, start, fillings, ledger)
    check_order(program, ledger)
    return _Pass(program, workcell, start, ledger, margin).run()


class _Pass:
    """One walk over a program."""

    def __init__(
        self, program: Program, workcell: WorkcellSpec, state: LabState, ledger: Ledger, margin: float
    ) -> None:
        self.program = program
        self.workcell = workcell
        self.state = state
        self.ledger = ledger
        self.margin = Margin(margin) if margin else None
        self.operations = 0
        self._timed = any(instruction.window is not None for instruction in program.instructions)
        self._fine: set[tuple[object, ...]] = set()
        """Volumes, and heights in wells, of which there is nothing to say."""
        self._looked: set[tuple[str, tuple[int, ...], tuple[str, ...]]] = set()
        self._unknown: set[str] = set()
        self._heights: set[str | None] = set()
        self._shakers = shakers_by_slot(workcell)
        self._bound = {name for name, pipette in workcell.pipettes.items() if self._shakers or not pipette.independent}
        """Pipettes that cannot do just anything: their nozzles move as one, or something may stand in their way."""
        self._trash = (f"{workcell.trash}/",)
        self._odd = {
            name: liquid.behaviours
            for name, liquid in {**workcell.liquids, **program.liquids}.items()
            if liquid.behaviours
        }

    def run(self) -> Verification:
        """Walk over every instruction."""
        handlers = {
            "aspirate": self._stroke,
            "dispense": self._stroke,
            "mix": self._stroke,
            "pick_up_tips": self._pick_up,
            "drop_tips": self._drop,
            "air_gap": self._air_gap,
            "blow_out": self._blow_out,
            "touch_tip": self._touch,
            "move_labware": self._move,
            "replace_tip_rack": self._replace,
            "wait": self._wait,
            "ask_person": self._ask,
        }
        operate = self._operate
        for instruction in self.program.instructions:
            if self._timed:
                self._check_window(instruction)
            effects = handlers.get(instruction.kind, operate)(instruction)  # type: ignore[operator]
            for effect in effects:
                report_effect(self.ledger, self.state, instruction, effect)
        self._check_end()
        return Verification(self.ledger.findings(), self.state, self.operations)

    # -- one handler for each kind -------------------------------------------------------------------

    def _stroke(self, instruction: Stroke) -> Sequence[Effect]:
        channels, wells, volumes = instruction.channels, instruction.wells, instruction.volumes
        self.operations += len(channels)
        liquid_class = self.program.liquid_classes.get(instruction.liquid_class)
        if liquid_class is None:
            self._add("D02", instruction, f"there is no liquid class '{instruction.liquid_class}'", "describe it")
            return ()
        key = (instruction.pipette, channels, wells)
        if key not in self._looked:
            self._look(instruction, wells, key)
        pipette = self.workcell.pipettes.get(instruction.pipette)
        if pipette is not None:
            tip = self.state.tip_on(pipette.id, channels[0])
            asked = (pipette.id, instruction.kind, instruction.liquid_class, volumes, tip.spec.kind if tip else None)
            if asked not in self._fine:
                fastest = self.workcell.limits.flow_rate
                if self._add_all(instruction, volume_problems(instruction, pipette, liquid_class, tip, fastest)):
                    self._fine.add(asked)
            if pipette.id in self._bound:
                self._check_pipette(instruction, pipette, wells)
        height = instruction.height
        if height is not None and not (liquid_class.jet and instruction.kind == "dispense"):
            there = (wells, height)
            if there not in self._fine and self._add_all(instruction, height_problems(self.state, instruction, height)):
                self._fine.add(there)
        if liquid_class.level_detection and instruction.kind != "dispense":
            self._add_all(instruction, surface_problems(self.state, instruction))
        if instruction.height is None and not liquid_class.level_detection and not liquid_class.jet:
            self._heights.add(instruction.step)
        if self._odd and instruction.kind != "dispense":
            self._add_all(instruction, class_problems(self.state, instruction, liquid_class, self._odd))
        state, arguments = self.state, (instruction.pipette, channels, wells, volumes, liquid_class, instruction.height)
        if instruction.kind == "aspirate":
            effects = state.aspirate(*arguments)
        elif instruction.kind == "dispense":
            effects = state.dispense(*arguments)
        else:
            effects = state.mix(*arguments)
        if self.margin is not None:
            self._check_margin(instruction, self.margin, self.margin.follow(state, instruction, liquid_class))
        return effects

    def _pick_up(self, instruction: PickUpTips) -> Sequence[Effect]:
        self.operations += len(instruction.channels)
        key = (instruction.pipette, instruction.channels, instruction.spots)
        if key not in self._looked:
            self._look(instruction, instruction.spots, key)
            if len(instruction.spots) > 1:
                self._check_kinds(instruction)
        if instruction.pipette in self._bound:
            self._check_head(instruction, instruction.spots)
        if self.margin is not None:
            self.margin.renew(instruction)
        return self.state.pick_up_tips(instruction.pipette, instruction.channels, instruction.spots)

    def _drop(self, instruction: DropTips) -> Sequence[Effect]:
        self.operations += len(instruction.channels)
        spots = instruction.spots
        if instruction.pipette in self._bound:
            self._check_head(instruction, self._trash if spots is None else spots)
        if spots is not None:
            key = (instruction.pipette, instruction.channels, spots)
            if key not in self._looked:
                self._look(instruction, spots, key)
            for channel in instruction.channels:
                tip = self.state.tip_on(instruction.pipette, channel)
                if tip is not None and tip.wet is not None:
                    self._add("C02", instruction, "a used tip is put back", "drop it into the trash", spots[0])
                    break
        return self.state.drop_tips(instruction.pipette, instruction.channels, spots)

    def _air_gap(self, instruction: AirGap) -> Sequence[Effect]:
        self.operations += len(instruction.channels)
        self._check_head(instruction, ())
        pipette = self.workcell.pipettes.get(instruction.pipette)
        if pipette is not None:
            self._add_all(instruction, most_problems(pipette, max(instruction.volumes), ""))
        return self.state.air_gap(instruction.pipette, instruction.channels, instruction.volumes)

    def _blow_out(self, instruction: BlowOut) -> Sequence[Effect]:
        self._check_ends(instruction)
        used = instruction.pipette, instruction.channels, instruction.wells
        effects = self.state.blow_out(*used, instruction.height)
        if self.margin is not None:
            self._check_margin(instruction, self.margin, self.margin.blow_out(self.state, instruction))
        return effects

    def _touch(self, instruction: TouchTip) -> Sequence[Effect]:
        self._check_ends(instruction)
        return self.state.touch_tip(instruction.pipette, instruction.channels, instruction.wells, instruction.height)

    def _operate(self, instruction: DeviceInstruction) -> Sequence[Effect]:
        return self.state.operate(instruction)

    def _move(self, instruction: MoveLabware) -> Sequence[Effect]:
        if self.workcell.arm is None and instruction.by == "arm":
            self._add("D08", instruction, "the workcell has no arm", "ask a person to move it", instruction.labware)
        self._looked.clear()
        self._fine.clear()
        effects = self.state.move_labware(instruction.labware, instruction.site, instruction.by)
        if not effects and instruction.labware in self.state.labware:
            for conflict in conflicts_of(self.state, instruction.labware):
                self._add("P14", instruction, conflict.what, conflict.mend, conflict.place)
        return effects

    def _replace(self, instruction: ReplaceTipRack) -> Sequence[Effect]:
        return self.state.replace_tip_rack(instruction.rack)

    def _wait(self, instruction: Wait) -> Sequence[Effect]:
        longest = self.workcell.limits.wait
        if instruction.seconds > longest:
            asked = show_duration(instruction.seconds)
            self._add("D05", instruction, f"waits {asked}, the limit is {show_duration(longest)}", "wait less")
        return () if self._timed else self.state.advance_time(instruction.seconds)

    def _ask(self, _: AskPerson) -> Sequence[Effect]:
        return ()

    # -- checks --------------------------------------------------------------------------------------

    def _add(self, code: str, instruction: AnyInstruction, message: str, mend: str, place: str = "") -> None:
        self.ledger.add(code, message, mend=mend, place=place, step=instruction.step, at=instruction.id)

    def _add_all(self, instruction: AnyInstruction, problems: Iterable[Problem]) -> bool:
        """Note the problems; whether there are none."""
        fine = True
        for code, message, mend, place in problems:
            self._add(code, instruction, message, mend, place)
            fine = False
        return fine

    def _look(
        self,
        instruction: PipettingInstruction,
        places: tuple[str, ...],
        key: tuple[str, tuple[int, ...], tuple[str, ...]],
    ) -> None:
        """Look once at each combination of pipette, channels and places."""
        self._looked.add(key)
        pipette = self.workcell.pipettes.get(instruction.pipette)
        if pipette is not None and len(places) > 1:
            problem, lines = reach(self.state, pipette, instruction.channels, places)
            if problem:
                self._add("P07", instruction, problem, "use one channel after the other", places[0])
            elif lines > 1:
                message = f"these lie on {lines} lines across the deck: the channels go to one after the other"
                self._add("P09", instruction, message, "put them into one column, if time matters", places[0])
        for place in places:
            well = self.state.wells.get(place)
            if well is None:
                tips = self.state.spots
                if isinstance(instruction, PickUpTips) and tips.get(place) is None and place not in tips:
                    self._add("P01", instruction, "there is no such tip spot", "check the rack's name", place)
                continue
            shape = well.cavity.shape
            if well.labware.spec.category == "trash":
                continue
            if (shape.profile is None or shape.dead_volume is None) and well.labware.name not in self._unknown:
                self._unknown.add(well.labware.name)
                missing = "geometry" if shape.profile is None else "dead volume"
                self.ledger.add(
                    "L09",
                    f"the {missing} of '{well.labware.spec.kind}' is unknown: drawing air cannot be excluded",
                    mend=f"state the {missing} in the workcell file",
                    place=well.labware.name,
                )

    def _check_ends(self, instruction: BlowOut | TouchTip) -> None:
        """The tips' ends go to wells without a stroke."""
        self.operations += len(instruction.channels)
        key = (instruction.pipette, instruction.channels, instruction.wells)
        if key not in self._looked:
            self._look(instruction, instruction.wells, key)
        self._check_head(instruction, instruction.wells)
        if instruction.height is not None and isinstance(instruction, TouchTip):
            self._add_all(instruction, height_problems(self.state, instruction, instruction.height))

    def _check_head(self, instruction: PipettingInstruction, places: Sequence[str]) -> None:
        pipette = self.workcell.pipettes.get(instruction.pipette)
        if pipette is not None:
            self._check_pipette(instruction, pipette, places)

    def _check_pipette(self, instruction: PipettingInstruction, pipette: PipetteSpec, places: Sequence[str]) -> None:
        """What its build keeps a pipette from: its nozzles move as one, and what stands around is in its way."""
        if not pipette.independent:
            self._add_all(instruction, head_problems(self.state, pipette, instruction))
            if pipette.body is not None:
                self._check_body(instruction, pipette, tuple(places))
        if self._shakers:
            labware = dict.fromkeys(place.rpartition("/")[0] for place in places)
            self._add_all(instruction, neighbour_problems(self.state, pipette, labware, self._shakers))

    def _check_body(self, instruction: PipettingInstruction, pipette: PipetteSpec, places: tuple[str, ...]) -> None:
        """What the body of a head meets: looked at once for each place, height and number of tips."""
        used = acting(self.state, pipette, instruction)
        if used == pipette.channels and not isinstance(instruction, PickUpTips):
            return
        tip = next((tip for tip in self.state.channels.get(pipette.id, ()) if tip is not None), None)
        length = tip.spec.length if tip else None
        key = (pipette.id, instruction.channels, places, used, getattr(instruction, "height", None), length)
        if key not in self._fine:
            fine = self._add_all(instruction, collision_problems(self.state, pipette, instruction, places))
            if self._add_all(instruction, adapter_problems(self.state, pipette, instruction)) and fine:
                self._fine.add(key)

    def _check_kinds(self, instruction: PickUpTips) -> None:
        """Channels go down together, as far as the tips are long."""
        specs = [tip.spec for spot in instruction.spots if (tip := self.state.spots.get(spot)) is not None]
        if all(spec is specs[0] for spec in specs):
            return
        if len({(spec.capacity, spec.length, spec.filtered, spec.fits) for spec in specs}) > 1:
            message = f"different tips are picked up at once: {', '.join(sorted({spec.kind for spec in specs}))}"
            self._add("D09", instruction, message, "pick up one kind after the other", instruction.spots[0])

    def _check_margin(self, instruction: AnyInstruction, margin: Margin, short: Iterable[Shortfall]) -> None:
        """All strokes so far may have erred to the bad side: is there still enough, and room?"""
        for found in short:
            spare, needed = show_volume(found.spare), show_volume(found.needed)
            where = "of room is left in the tip" if found.in_tip else "is left to spare"
            message = f"{spare} {where}, errors of {margin.fraction:.3g} of each stroke add up to {needed}"
            mend = "take a larger tip" if found.in_tip else "put more in, or leave more room"
            self._add("L11", instruction, message, mend, found.place)

    def _check_window(self, instruction: AnyInstruction) -> None:
        """The clock runs only where some instruction has a window."""
        window = instruction.window
        state = self.state
        if window is not None and window.earliest is not None and state.clock < window.earliest:
            state.clock = window.earliest
        if window is not None and window.latest is not None and state.clock > window.latest:
            late = show_duration(state.clock - window.latest)
            self._add("D07", instruction, f"it would start {late} too late", "move it forward or widen its window")
        if getattr(instruction, "liquid_class", None) in {None, *self.program.liquid_classes}:
            state.advance_time(seconds(instruction, self.program, self.workcell))

    def _check_end(self) -> None:
        for name, tips in self.state.channels.items():
            mounted = [channel for channel, tip in enumerate(tips) if tip is not None]
            if mounted:
                self.ledger.add("T07", f"{len(mounted)} tips are left on '{name}'", mend="drop them", place=name)
        for step in self._heights:
            self.ledger.add("L08", "strokes of unknown height", mend="give a height, or use level detection", step=step)
