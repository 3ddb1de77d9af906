"""A program, or a protocol for the bench, as a procedure that a person can print, tick off and follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from protocols.compiler.pairs import pairs_of
from protocols.compiler.words import citation_in_words, step_in_words
from protocols.exporting.acts import Act, pipetting, rows_of, single
from protocols.exporting.transfers import Movement, follow
from protocols.liquids import Behaviour, Liquid
from protocols.program import (
    AnyInstruction,
    DropTips,
    PickUpTips,
    PipettingInstruction,
    Program,
)
from protocols.protocol import Ask, Protocol, WaitFor
from protocols.quantities import show_duration, show_volume
from protocols.specs import OFF_DECK, Fill, PlacedLabware, WorkcellSpec
from protocols.wells import split_well
from protocols.wording import show_places

SAFETY: dict[Behaviour, str] = {
    "volatile": "It evaporates: keep it closed until it is needed, work where the air is drawn off, away from flames.",
    "foaming": "It foams: do not shake it, and let it run down the wall.",
    "viscous": "It flows slowly: wipe drops from the outside of tips and bottles.",
}
"""What a behaviour of a liquid means for whoever handles it."""
HOT = 50.0
"""°C from which a device burns whoever touches it."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """One liquid to prepare: volumes in words, one line of places for each volume in a well."""

    liquid: str
    details: str
    total: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of labware: what it is called, its kind, and where it stands."""

    name: str
    kind: str
    place: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """One step in bench words, where it comes from, and what is done in it; ``is_hold`` as in :class:`Act`."""

    text: str
    source: str
    acts: tuple[Act, ...]
    is_hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """All that the page says.

    Attributes:
        subject: "on workcell ot2", or empty for the bench.
        setup: what is to be done before it begins, to be ticked off.
        remains: pieces of labware that hold liquid at the end, beside what was thrown away.
    """

    title: str
    purpose: str
    subject: str
    materials: tuple[Preparation, ...]
    labware: tuple[Piece, ...]
    setup: tuple[str, ...]
    steps: tuple[ProcedureStep, ...]
    safety: tuple[str, ...]
    waste: tuple[str, ...]
    notes: tuple[str, ...]


def procedure_of_program(
    program: Program,
    spec: WorkcellSpec,
    *,
    purpose: str = "",
    setup: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Procedure:
    """The procedure that ``program`` is on the workcell of ``spec``.

    Args:
        purpose: what it is for, in words.
        setup: what the compiler says must stand where; read off the program where it is empty.
        notes: choices and assumptions that a person should know of.
    """
    used = _used(program)
    placed = {name: piece for name, piece in {**spec.labware, **program.labware}.items() if name in used}
    placed.pop(spec.trash, None)
    fills = [fill for fill in (*spec.contents, *program.contents) if split_well(fill.well)[0] in placed]
    liquids = {**spec.liquids, **program.liquids}
    materials = _materials(fills, liquids)
    return Procedure(
        title=program.title,
        purpose=purpose,
        subject=f"on workcell {spec.name}",
        materials=materials,
        labware=tuple(_piece(name, piece, spec) for name, piece in placed.items()),
        setup=(*_devices(program, spec), *(setup or _setup(placed, materials, program))),
        steps=tuple(_steps(program)),
        safety=_safety({item.liquid for item in materials}, liquids, program),
        waste=_waste(program, spec, materials),
        notes=tuple(notes),
    )


def procedure_of_protocol(protocol: Protocol, *, notes: Sequence[str] = ()) -> Procedure:
    """The procedure that ``protocol`` is at the bench, with no robot in it.

    Raises:
        CompileError: a step moves a well's liquid into itself.
    """
    fills = [
        Fill(well=well, liquid=material.liquid, volume=material.volume, settled=material.settled)
        for material in protocol.materials
        for well in material.wells
    ]
    materials = _materials(fills, protocol.liquids)
    labware = tuple(
        Piece(name, need.kind or need.category, need.site or "", "with its lid" if need.lid else "")
        for name, need in protocol.labware.items()
    )
    setup = [f"Get ready {piece.name} ({', '.join(filter(None, (piece.kind, piece.details)))})" for piece in labware]
    return Procedure(
        title=protocol.title,
        purpose=protocol.description,
        subject="",
        materials=materials,
        labware=labware,
        setup=(*setup, *_filling(materials)),
        steps=tuple(_bench_steps(protocol)),
        safety=_safety({item.liquid for item in materials}, protocol.liquids, None),
        waste=("Collect used tips and what is left over.", *_leftovers(materials)),
        notes=tuple(notes),
    )


# -- before -----------------------------------------------------------------------------------------


def _used(program: Program) -> set[str]:
    """Labware that takes part, and what the program itself brings."""
    found = set(program.labware)
    for instruction in program.instructions:
        for references in (getattr(instruction, "wells", ()), getattr(instruction, "spots", None) or ()):
            found |= {split_well(reference)[0] for reference in references}
        found |= {getattr(instruction, name) for name in ("labware", "rack") if hasattr(instruction, name)}
    return found


def _materials(fills: Sequence[Fill], liquids: Mapping[str, Liquid]) -> tuple[Preparation, ...]:
    by_liquid: dict[str, list[Fill]] = defaultdict(list)
    for fill in fills:
        by_liquid[fill.liquid].append(fill)
    return tuple(
        Preparation(
            liquid=name,
            details=_details(liquids.get(name), own),
            total=show_volume(sum(fill.volume for fill in own)),
            places=tuple(
                f"{show_volume(volume)}{' each' if len(wells) > 1 else ''} in {show_places(wells)}"
                for volume, wells in _by_volume(own)
            ),
        )
        for name, own in by_liquid.items()
    )


def _by_volume(fills: Iterable[Fill]) -> Iterator[tuple[float, list[str]]]:
    for volume, group in groupby(fills, lambda fill: fill.volume):
        yield volume, [fill.well for fill in group]


def _details(liquid: Liquid | None, fills: Sequence[Fill]) -> str:
    parts = []
    if liquid is not None:
        parts += [f"sample {liquid.sample}" if liquid.sample and liquid.sample != liquid.name else ""]
        parts += [f"lot {liquid.lot}" if liquid.lot else ""]
        parts += [f"{amount:g} ng/µL {name}" for name, amount in liquid.solutes.items()]
        parts += sorted(liquid.behaviours)
    parts += sorted({f"with a {fill.settled} at the bottom" for fill in fills if fill.settled})
    return ", ".join(filter(None, parts))


def _piece(name: str, placed: PlacedLabware, spec: WorkcellSpec) -> Piece:
    kind = spec.kinds.get(placed.kind)
    details = [
        f"barcode {placed.barcode}" if placed.barcode else "",
        "with its lid" if placed.lid else "",
        kind.category if kind is not None else "",
    ]
    place = "beside the deck" if placed.site == OFF_DECK else placed.site
    return Piece(name, placed.kind, place, ", ".join(filter(None, details)))


def _devices(program: Program, spec: WorkcellSpec) -> Iterator[str]:
    named = dict.fromkeys(getattr(instruction, "device", None) for instruction in program.instructions)
    for name in filter(None, named):
        device = spec.devices.get(name)
        site = next((site.id for site in spec.sites.values() if site.device == name), "")
        known = (device.kind, device.model or "") if device is not None else ()
        yield f"Switch on {name} ({', '.join(filter(None, (*known, f'at {site}' if site else '')))})"


def _setup(placed: Mapping[str, PlacedLabware], materials: Sequence[Preparation], program: Program) -> Iterator[str]:
    for name, piece in placed.items():
        where = "beside the deck" if piece.site == OFF_DECK else f"on {piece.site}"
        yield f"Put {name} ({piece.kind}) {where}{', with its lid' if piece.lid else ''}"
    yield from _filling(materials)
    tips = sum(len(item.spots) for item in program.instructions if isinstance(item, PickUpTips))
    if tips:
        yield f"Check that the tip racks are full: {tips} tips are picked up"


def _filling(materials: Sequence[Preparation]) -> Iterator[str]:
    for item in materials:
        yield f"Fill {item.liquid}: {'; '.join(item.places)}"


# -- steps ------------------------------------------------------------------------------------------


def _steps(program: Program) -> Iterator[ProcedureStep]:
    """The program's steps in the order in which they begin; one that is returned to is said again."""
    moved = _by_instruction(program)
    done: set[str] = set()
    order = list(program.steps)
    used = {instruction.step for instruction in program.instructions}
    for name, group in groupby(program.instructions, lambda instruction: instruction.step):
        own = tuple(group)
        note = program.steps.get(name or "")
        if note is not None and name is not None:
            for bare in order[: order.index(name)]:
                if bare not in used and bare not in done:
                    done.add(bare)
                    yield ProcedureStep(program.steps[bare].text, program.steps[bare].source, ())
        text = note.text if note is not None and note.text else "Carry on"
        yield _step(text, note.source if note else "", tuple(_acts(own, moved)))
    for bare in order:
        if bare not in used and bare not in done:
            yield ProcedureStep(program.steps[bare].text, program.steps[bare].source, ())


def _step(text: str, source: str, acts: tuple[Act, ...]) -> ProcedureStep:
    """A step; a single act that its words say already is not said again."""
    said = acts[0].text.removeprefix("Hold for ") if len(acts) == 1 else ""
    if said and not acts[0].rows and said in text:
        return ProcedureStep(text, source, (), is_hold=acts[0].is_hold)
    return ProcedureStep(text, source, acts)


def _by_instruction(program: Program) -> Mapping[str, list[Movement]]:
    movements: dict[str, list[Movement]] = defaultdict(list)
    for movement in follow(program.instructions):
        movements[movement.instruction].append(movement)
    return movements


def _acts(instructions: Sequence[AnyInstruction], movements: Mapping[str, list[Movement]]) -> Iterator[Act]:
    """Runs of pipetting as what goes where; everything else by itself."""
    for is_pipetting, group in groupby(instructions, lambda item: isinstance(item, PipettingInstruction)):
        own = tuple(group)
        if is_pipetting:
            yield from pipetting([move for item in own for move in movements.get(item.id, ())], own)
        else:
            yield from (single(item) for item in own)


def _bench_steps(protocol: Protocol) -> Iterator[ProcedureStep]:
    for step in protocol.steps:
        pairs = pairs_of(step)
        moves = [Movement(pair.source, pair.destination, pair.volume, "", step.id, step.id) for pair in pairs]
        rows = tuple(rows_of(moves))
        acts: tuple[Act, ...] = (Act("What goes where", rows=rows),) if len(rows) > 1 else ()
        match step:
            case WaitFor(duration=duration):
                acts = (Act(f"Hold for {show_duration(duration)}", is_hold=True),)
            case Ask(message=message):
                acts = (Act(message, is_hold=True),)
        yield _step(step_in_words(step, pairs), citation_in_words(step.cited), acts)


# -- care -------------------------------------------------------------------------------------------


def _safety(names: Iterable[str], liquids: Mapping[str, Liquid], program: Program | None) -> tuple[str, ...]:
    found = [
        f"{name}: {SAFETY[behaviour]}"
        for name in sorted(names)
        if name in liquids
        for behaviour in sorted(liquids[name].behaviours)
    ]
    if program is None:
        return tuple(found)
    hot = {
        str(getattr(item, "device", "")): celsius
        for item in program.instructions
        for celsius in _temperatures(item)
        if celsius >= HOT
    }
    found += [f"{device} gets hot: up to {celsius:g} °C. Do not touch it." for device, celsius in hot.items()]
    return (*found, "Keep hands out of the robot while it moves, and know where its stop is.")


def _temperatures(instruction: AnyInstruction) -> list[float]:
    single = getattr(instruction, "celsius", None)
    steps = [step.celsius for step in getattr(instruction, "steps", ())]
    return sorted([*([single] if single is not None else []), *steps])


def _waste(program: Program, spec: WorkcellSpec, materials: Sequence[Preparation]) -> tuple[str, ...]:
    tips = sum(len(item.channels) for item in program.instructions if isinstance(item, DropTips) and not item.spots)
    thrown: dict[str, float] = defaultdict(float)
    for movement in follow(program.instructions):
        if split_well(movement.destination)[0] == spec.trash:
            thrown[split_well(movement.source)[0]] += movement.volume
    found = [f"Empty the trash: up to {tips} used tips."] if tips else []
    found += [f"It holds {show_volume(volume)} from {labware}." for labware, volume in thrown.items()]
    return (*found, *_leftovers(materials))


def _leftovers(materials: Sequence[Preparation]) -> Iterator[str]:
    if materials:
        named = [item.liquid for item in materials[:12]]
        more = f" and {len(materials) - len(named)} more" if len(materials) > len(named) else ""
        yield f"Put back or dispose of what is left, as your laboratory's rules say: {', '.join(named)}{more}."
