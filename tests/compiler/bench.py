"""What the compiler's tests measure a program by: the protocol's own arithmetic, and a walk over the instructions.

Nothing here uses the compiler or LabState: volumes are added up by hand, and liquids are sets of names.
Volumes µL.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from protocols.program import AirGap, AnyInstruction, Aspirate, Dispense, DropTips, Mix, PickUpTips, Program
from protocols.protocol import AnyStep, Consolidate, Distribute, Protocol, SerialDilution, Transfer
from protocols.specs import PipetteSpec, TipSpec, WellShape, WorkcellSpec
from robots.workcell import Workcell, load_workcell

EXAMPLES = Path(__file__).parents[2] / "examples"
ROUNDING = 1e-6


@cache
def workcell(name: str) -> Workcell:
    return load_workcell(name)


@cache
def spec_of(lab: str) -> WorkcellSpec:
    """A shipped workcell, or "ot2 multi": the OT-2 with an eight-channel P300 beside its own pipettes."""
    if lab != "ot2 multi":
        return workcell(lab).spec
    own = workcell("ot2").spec
    multi = workcell(str(EXAMPLES / "workcells" / "ot2-teaching.yaml")).spec.pipettes["p300m"]
    return own.model_copy(update={"pipettes": {**own.pipettes, "p300m": multi}})


def moves(step: AnyStep) -> Iterator[tuple[str, str, float]]:
    """(source, destination, volume) of a step, read off what its documentation says."""
    match step:
        case Transfer():
            count = max(len(step.source), len(step.destination))
            volumes = step.volume if isinstance(step.volume, tuple) else (step.volume,)
            for n in range(count):
                yield (
                    step.source[n % len(step.source)],
                    step.destination[n % len(step.destination)],
                    volumes[n % len(volumes)],
                )
        case Distribute():
            for n, well in enumerate(step.destination):
                yield step.source, well, step.volume[n] if isinstance(step.volume, tuple) else step.volume
        case Consolidate():
            for n, well in enumerate(step.source):
                yield well, step.destination, step.volume[n] if isinstance(step.volume, tuple) else step.volume
        case SerialDilution():
            part = step.volume / step.factor
            for well in step.wells[1:]:
                yield step.diluent, well, step.volume - part
            for left, right in zip(step.wells, step.wells[1:], strict=False):
                yield left, right, part
            if step.discard:
                yield step.wells[-1], "", part


def by_hand(protocol: Protocol, spec: WorkcellSpec) -> dict[str, dict[str, float]]:
    """µL of each liquid in each well at the end, if nothing clings to any tip."""
    wells: dict[str, dict[str, float]] = defaultdict(dict)
    for fill in spec.contents:
        wells[fill.well] = {fill.liquid: fill.volume}
    for material in protocol.materials:
        for well in material.wells:
            wells[well][material.liquid] = max(material.volume, wells[well].get(material.liquid, 0.0))
    for step in protocol.steps:
        for source, destination, volume in moves(step):
            held = sum(wells[source].values())
            taken = {name: part * volume / held for name, part in wells[source].items()}
            for name, part in taken.items():
                wells[source][name] -= part
                wells[destination][name] = wells[destination].get(name, 0.0) + part
    wells.pop("", None)
    return wells


@dataclass
class Tip:
    """A tip on a channel: what it is, what it holds, and which liquids ever touched it."""

    spec: TipSpec
    step: str | None
    liquid: float = 0.0
    air: float = 0.0
    source: str = ""
    drawn: set[str] = field(default_factory=set)
    wet: set[str] = field(default_factory=set)
    wells: list[str] = field(default_factory=list)


@dataclass
class Walk:
    """A walk over a program.

    Attributes:
        moved: µL by (step, source, destination).
        least_left: the least each well held after a draw.
        carried: where a tip brought a liquid that nobody asked for.
        strokes: (kind, volume, tip, pipette) of each channel's stroke.
        fullest: the most that a tip of each kind held, air counted.
    """

    program: Program
    spec: WorkcellSpec
    moved: Counter[tuple[str | None, str, str]] = field(default_factory=Counter)
    least_left: dict[str, float] = field(default_factory=dict)
    carried: list[tuple[str, str, set[str]]] = field(default_factory=list)
    strokes: list[tuple[str, float, TipSpec, PipetteSpec]] = field(default_factory=list)
    fullest: dict[str, float] = field(default_factory=dict)
    spots: list[str] = field(default_factory=list)
    volumes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _liquids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _tips: dict[tuple[str, int], Tip] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fill in (*self.spec.contents, *self.program.contents):
            self.volumes[fill.well] += fill.volume
            self._liquids[fill.well].add(fill.liquid)
        for instruction in self.program.instructions:
            self._follow(instruction)

    def _follow(self, said: AnyInstruction) -> None:
        match said:
            case PickUpTips():
                for channel, spot in zip(said.channels, said.spots, strict=True):
                    self.spots.append(spot)
                    self._tips[said.pipette, channel] = Tip(self._rack(spot), said.step)
            case DropTips():
                for channel in said.channels:
                    del self._tips[said.pipette, channel]
            case AirGap():
                for channel, volume in zip(said.channels, said.volumes, strict=True):
                    self._tips[said.pipette, channel].air += volume
                    self._note_fill(self._tips[said.pipette, channel], 0.0)
            case Aspirate() | Dispense() | Mix():
                act = {"aspirate": self._draw, "dispense": self._push, "mix": self._stir}[said.kind]
                for channel, well, volume in zip(said.channels, said.wells, said.volumes, strict=True):
                    tip = self._tips[said.pipette, channel]
                    tip.wells.append(well)
                    self.strokes.append((said.kind, volume, tip.spec, self.spec.pipettes[said.pipette]))
                    act(said, tip, well, volume)

    def _rack(self, spot: str) -> TipSpec:
        name = spot.rpartition("/")[0]
        placed = {**self.spec.labware, **self.program.labware}[name]
        tip = self.spec.kinds[placed.kind].tip
        assert tip is not None
        return tip

    def _note_fill(self, tip: Tip, extra: float) -> None:
        self.fullest[tip.spec.kind] = max(self.fullest.get(tip.spec.kind, 0.0), tip.liquid + tip.air + extra)

    def _enter(self, said: AnyInstruction, tip: Tip, well: str) -> None:
        if foreign := tip.wet - self._liquids[well]:
            self.carried.append((said.step or "", well, foreign))

    def _draw(self, said: Aspirate, tip: Tip, well: str, volume: float) -> None:
        style = self.program.liquid_classes[said.liquid_class]
        self._enter(said, tip, well)
        self.volumes[well] -= volume
        self.least_left[well] = min(self.least_left.get(well, self.volumes[well]), self.volumes[well])
        tip.liquid += volume
        tip.source, tip.drawn = well, set(self._liquids[well])
        tip.wet |= self._liquids[well]
        self._note_fill(tip, style.transport_air + style.blow_out)

    def _push(self, said: Dispense, tip: Tip, well: str, volume: float) -> None:
        delivered = volume - tip.air
        tip.air = 0.0
        if foreign := tip.wet - tip.drawn - self._liquids[well]:
            self.carried.append((said.step or "", well, foreign))
        self.moved[said.step, tip.source, well] += delivered  # type: ignore[assignment]
        self.volumes[well] += delivered
        tip.liquid -= delivered
        self._liquids[well] |= tip.drawn
        if not self.program.liquid_classes[said.liquid_class].jet:
            tip.wet |= self._liquids[well]

    def _stir(self, said: Mix, tip: Tip, well: str, volume: float) -> None:
        self._enter(said, tip, well)
        film = self.program.liquid_classes[said.liquid_class].film
        kept = max(tip.liquid, film)
        self.volumes[well] += tip.liquid - kept
        tip.liquid, tip.air = kept, 0.0
        tip.wet |= self._liquids[well]
        self._note_fill(tip, volume)


def shape_of(program: Program, spec: WorkcellSpec, well: str) -> WellShape:
    labware, _, name = well.rpartition("/")
    return spec.kinds[{**spec.labware, **program.labware}[labware].kind].shape(name)


def tips_used(program: Program) -> int:
    return sum(len(said.spots) for said in program.instructions if isinstance(said, PickUpTips))
