"""The two sides of a comparison: what a program or a protocol does, and what it needs. Volumes µL, times s."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocols.compiler.devices import lowered
from protocols.compiler.pairs import PLAIN, pairs_of
from protocols.compiler.removal import removals
from protocols.device_steps import DeviceStep
from protocols.difference.items import LEAST_CYCLES, Details, Item, barrier, mixing, pipetting
from protocols.difference.telling import told
from protocols.instruction import Instruction
from protocols.liquids import Liquid, LiquidClass
from protocols.program import AnyInstruction, Aspirate, BlowOut, Dispense, Mix, PickUpTips, Program, TouchTip, Wait
from protocols.protocol import (
    AnyStep,
    Ask,
    Handling,
    Instructions,
    MixWells,
    Move,
    Protocol,
    Remove,
    SerialDilution,
    WaitFor,
)
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from protocols.tracing import Act, Block, Discarded, Moved, Other, Stirred, trace
from protocols.tracing.life import Draw, Flow, Put
from protocols.tracing.trace import TRASH


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        bench: it says what is to be done, and leaves tips and strokes to a compiler.
        items: what it does, in order.
        labware, liquids: what is said of each, by name.
        contents: what is in the wells at the start; ``filled``: what a person puts there, µL by well and liquid.
        tips: how many tips are taken, by rack kind.
        flows: liquid on its way, for the accounts.
        trash: the labware into which liquid is thrown away.
    """

    bench: bool
    items: tuple[Item, ...]
    labware: Mapping[str, Details]
    liquids: Mapping[str, Details]
    contents: tuple[Fill, ...]
    filled: Mapping[tuple[str, str], Details]
    tips: Mapping[str, int]
    flows: tuple[tuple[Flow, ...], ...]
    trash: frozenset[str] = TRASH


# -- programs ---------------------------------------------------------------------------------------


def side_of_program(program: Program, workcell: WorkcellSpec | None = None) -> Side:
    """A program; ``workcell`` says what stands on its deck beside the program's own labware."""
    placed: dict[str, PlacedLabware] = {**(workcell.labware if workcell else {}), **program.labware}
    trash = TRASH | ({workcell.trash} if workcell else set())
    teller = _Teller(program.instructions, program.liquid_classes, trash, placed)
    return Side(
        bench=False,
        items=tuple(told(teller.items())),
        labware={
            name: {"kind": labware.kind, "site": labware.site, "barcode": labware.barcode, "lid": labware.lid}
            for name, labware in program.labware.items()
        },
        liquids={name: _of_liquid(liquid) for name, liquid in program.liquids.items()},
        contents=(*(workcell.contents if workcell else ()), *program.contents),
        filled=_filled(program.contents),
        tips=teller.tips,
        flows=teller.flows,
        trash=trash,
    )


def _of_liquid(liquid: Liquid) -> dict[str, Any]:
    return {
        "sample": liquid.sample,
        "lot": liquid.lot,
        "behaviours": tuple(sorted(liquid.behaviours)),
        "solutes": dict(liquid.solutes),
    }


def _filled(fills: Iterable[Fill]) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for fill in fills:
        said = found.setdefault((fill.well, fill.liquid), {"volume": 0.0, "settled": fill.settled})
        said["volume"] += fill.volume
        if fill.settled is not None:
            said |= {"settled": fill.settled, "settled height": fill.settled_height}
    return found


@dataclass
class _Teller:
    """Tells the items of instructions."""

    instructions: Sequence[AnyInstruction]
    classes: Mapping[str, LiquidClass]
    trash: frozenset[str]
    placed: Mapping[str, PlacedLabware]
    where: str | None = None
    tips: Counter[str] = field(default_factory=Counter)
    _seen: set[int] = field(default_factory=set)
    _mixed: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._blocks = trace(self.instructions, self.classes, self.trash).blocks
        self._spots = [self._kind(spot) for block in self._blocks for spot in block.spots]
        self._styles = {name: _style(style) for name, style in self.classes.items()}
        for said in self.instructions:
            if isinstance(said, PickUpTips):
                self.tips.update(self._kind(spot) for spot in said.spots)

    @property
    def flows(self) -> tuple[tuple[Flow, ...], ...]:
        """Liquid on its way, block by block."""
        return tuple(block.flow for block in self._blocks)

    def items(self) -> Iterator[Item]:
        """What the instructions do, in order."""
        for block in self._blocks:
            told = [(act.at, self._told(act)) for act in _spread(block.acts)]
            told += self._asides(block)
            yield from (item for _, item in sorted(told, key=lambda pair: pair[0]))

    def _kind(self, spot: str) -> str:
        rack = spot.rpartition("/")[0]
        return self.placed[rack].kind if rack in self.placed else rack

    def _at(self, at: int) -> str:
        return self.where or self.instructions[at].id

    def _told(self, act: Moved | Stirred | Discarded | Other) -> Item:
        where = self._at(act.at)
        match act:
            case Moved():
                details = {
                    "volume": act.volume,
                    "air gap": act.air_gap,
                    "may take the rest": (act.rest,),
                    "pre-wet": (act.pre_wet,),
                    **self._strokes(act),
                }
                touches = [(act.source, "draw"), (act.destination, "add")]
                return pipetting("move", (act.source, act.destination), details, touches, where)
            case Discarded():
                details = {
                    "volume": act.volume,
                    "air gap drawn": act.air_gap,
                    "may take the rest": (act.rest,),
                    **self._strokes(act),
                }
                return pipetting("remove", (act.well,), details, [(act.well, "draw")], where)
            case Stirred():
                again = (act.well, act.at) in self._mixed
                self._mixed.add((act.well, act.at))
                said = {"stroke": (act.volume,), LEAST_CYCLES: 0 if again else act.cycles}
                return mixing(act.well, act.cycles, said, where)
            case Other():
                return _of_instruction(act.instruction, where)

    def _strokes(self, act: Moved | Stirred | Discarded) -> dict[str, Any]:
        """The tip, heights and liquid classes of an act."""
        stirred = [one for one in (getattr(act, "before", None), getattr(act, "after", None)) if one]
        places = dict.fromkeys(at for one in (act, *stirred) for at in one.strokes)
        said = [self.instructions[at] for at in sorted(places)]
        draws = [one for one in said if isinstance(one, Aspirate)]
        puts = [one for one in said if isinstance(one, Dispense | Mix)]
        tip = "new " if act.tip not in self._seen else "used "
        self._seen.add(act.tip)
        return {
            "tips": (tip + self._spots[act.tip],),
            "drawn at": tuple(dict.fromkeys(one.height for one in draws)),
            "dispensed at": tuple(dict.fromkeys(one.height for one in puts)),
            "drawn by": tuple(self._styles[name] for name in dict.fromkeys(one.liquid_class for one in draws)),
            "dispensed by": tuple(self._styles[name] for name in dict.fromkeys(one.liquid_class for one in puts)),
        }

    def _asides(self, block: Block) -> Iterator[tuple[int, Item]]:
        """What moves no liquid: touching walls, blowing out, short waits with a tip on."""
        acted = {act.at for act in block.acts if isinstance(act, Other)}
        for at in range(block.start, block.stop):
            said = self.instructions[at]
            if isinstance(said, Wait) and at not in acted:
                yield at, Item("settle", (), {"seconds": said.seconds}, (), self._at(at))
            elif isinstance(said, TouchTip | BlowOut):
                what = "touch" if isinstance(said, TouchTip) else "blow out"
                for well in said.wells:
                    yield at, Item(what, (well,), {"height": said.height}, (), self._at(at))


def _spread(acts: Iterable[Act]) -> Iterator[Act]:
    """The acts, with the mixing before and after a transfer by itself."""
    for act in acts:
        if isinstance(act, Moved | Discarded) and act.before is not None:
            yield act.before
        yield act
        if isinstance(act, Moved) and act.after is not None:
            yield act.after


def _style(style: LiquidClass) -> dict[str, Any]:
    """A liquid class without what it is called."""
    said = style.model_dump()
    return {name: value for name, value in said.items() if name not in ("name", "suits")}


_TARGETS = ("labware", "rack", "device", "part")
_FRAME = {item.name for item in dataclasses.fields(Instruction)} | {"kind"}


def _of_instruction(said: AnyInstruction, where: str) -> Item:
    """An instruction that no pipette carries out: what it names is the key, all else its details."""
    fields = {item.name: getattr(said, item.name) for item in dataclasses.fields(said) if item.name not in _FRAME}
    key = tuple(str(fields.pop(name)) for name in _TARGETS if name in fields)
    details = {name: _plain(value) for name, value in fields.items()}
    return barrier(said.kind.replace("_", " "), key, details, where)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


# -- protocols --------------------------------------------------------------------------------------


def side_of_protocol(protocol: Protocol) -> Side:
    """A protocol, as it is written."""
    fills = [
        Fill(well=well, liquid=material.liquid, volume=material.volume, settled=material.settled)
        for material in protocol.materials
        for well in material.wells
    ]
    filled = _filled(fills)
    for material in protocol.materials:
        for well in material.wells:
            filled[well, material.liquid]["reachable"] = material.reachable
    return Side(
        bench=True,
        items=tuple(told(item for step in protocol.steps for item in _of_step(step))),
        labware={name: need.model_dump() for name, need in protocol.labware.items()},
        liquids={name: _of_liquid(liquid) for name, liquid in protocol.liquids.items()},
        contents=tuple(fills),
        filled=filled,
        tips={},
        flows=tuple(_flow(step) for step in protocol.steps),
    )


def _of_step(step: AnyStep) -> Iterator[Item]:
    match step:
        case MixWells():
            for well in dict.fromkeys(step.wells):
                yield mixing(well, step.cycles, {"stroke asked": (step.volume,)}, step.id)
        case Remove():
            for well, volume in removals(step):
                yield from _removed(well, volume, step.handling, step.id)
        case SerialDilution():
            yield from _dilution(step)
        case WaitFor():
            yield barrier("wait", (), {"seconds": step.duration}, step.id)
        case Ask():
            yield barrier("ask person", (), {"message": step.message}, step.id)
        case Move():
            yield barrier("move labware", (step.labware,), {"site": step.site, "by": step.by}, step.id)
        case Instructions():
            yield from _Teller(step.instructions, step.liquid_classes, TRASH, {}, step.id).items()
        case DeviceStep():
            for kind, fields in lowered(step):
                yield _of_instruction(kind(id="-", **fields), step.id)
        case _:
            for pair in pairs_of(step):
                if pair.volume > 0:
                    yield from _moved(pair.source, pair.destination, pair.volume, step.handling, step.id)


def _moved(source: str, destination: str, volume: float, handling: Handling, where: str) -> Iterator[Item]:
    stroke = {"stroke asked": (handling.mix_volume,)}
    if handling.mix_before:
        yield mixing(source, handling.mix_before, stroke, where)
    details = {**_handled(volume, handling), "air gap": handling.air_gap}
    yield pipetting("move", (source, destination), details, [(source, "draw"), (destination, "add")], where)
    if handling.mix_after:
        yield mixing(destination, handling.mix_after, stroke, where)


def _removed(well: str, volume: float, handling: Handling, where: str) -> Iterator[Item]:
    if handling.mix_before:
        yield mixing(well, handling.mix_before, {"stroke asked": (handling.mix_volume,)}, where)
    details = {**_handled(volume, handling), "air gap asked": handling.air_gap}
    yield pipetting("remove", (well,), details, [(well, "draw")], where)


def _handled(volume: float, handling: Handling) -> dict[str, Any]:
    return {
        "volume": volume,
        "all there is": (handling.rest,),
        "tip policy": (handling.tips,),
        "touching": (handling.touch,),
        "pre-wetting": (handling.pre_wet,),
    }


def _dilution(step: SerialDilution) -> Iterator[Item]:
    pairs = pairs_of(step)
    stirred = PLAIN.model_copy(update={"mix_after": step.mix_cycles})
    for pair in pairs:
        handling = PLAIN if 2 * pair.index < len(pairs) else stirred
        yield from _moved(pair.source, pair.destination, pair.volume, handling, step.id)
    if step.discard:
        yield from _removed(step.wells[-1], step.volume / step.factor, PLAIN, step.id)


def _flow(step: AnyStep) -> tuple[Flow, ...]:
    """Liquid that a step moves, as draws and dispenses."""
    if isinstance(step, Instructions):
        blocks: tuple[Block, ...] = trace(step.instructions, step.liquid_classes).blocks
        return tuple(event for block in blocks for event in block.flow)
    passed: list[tuple[str, str | None, float]] = [
        (pair.source, pair.destination, pair.volume) for pair in pairs_of(step) if pair.volume > 0
    ]
    if isinstance(step, Remove):
        passed += [(well, None, volume) for well, volume in removals(step)]
    if isinstance(step, SerialDilution) and step.discard:
        passed.append((step.wells[-1], None, step.volume / step.factor))
    events: list[Flow] = []
    for number, (source, destination, volume) in enumerate(passed):
        events.append(Draw(number, number, source, volume, 0, 0, False))
        events.append(Put(destination, {number: volume}, 0, True))
    return tuple(events)
