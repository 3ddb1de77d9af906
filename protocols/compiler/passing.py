"""Instructions that a protocol carries as they stand, passed through to a workcell that has all they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields as fields_of
from typing import Any

from protocols.compiler.contents import Contents
from protocols.errors import CompileError
from protocols.program import (
    AnyInstruction,
    DropTips,
    MoveLabware,
    PickUpTips,
    ReplaceTipRack,
)
from protocols.protocol import Instructions, Protocol
from protocols.specs import OFF_DECK, LabwareSpec, PlacedLabware, WorkcellSpec
from protocols.tracing import Discarded, Moved, trace

_LISTED = 6
"""How many missing things an error names."""


def flows_of(step: Instructions) -> tuple[tuple[str, str | None, float], ...]:
    """What a step moves: (source, destination, µL) in order; no destination for what is thrown away."""
    flows: list[tuple[str, str | None, float]] = []
    for act in trace(step.instructions, step.liquid_classes).acts:
        if isinstance(act, Moved):
            flows.append((act.source, act.destination, act.volume))
        elif isinstance(act, Discarded):
            flows.append((act.well, None, act.volume))
    return tuple(flows)


def wells_of(instructions: Iterable[AnyInstruction]) -> tuple[str, ...]:
    """The wells that instructions name, each once."""
    return tuple(dict.fromkeys(well for said in instructions for well in getattr(said, "wells", ())))


def spots_of(instructions: Iterable[AnyInstruction]) -> tuple[str, ...]:
    """The tip spots that instructions take tips from or put them into."""
    named = (said.spots or () for said in instructions if isinstance(said, PickUpTips | DropTips))
    return tuple(dict.fromkeys(spot for spots in named for spot in spots))


def check_fits(protocol: Protocol, workcell: WorkcellSpec, placed: Mapping[str, PlacedLabware]) -> None:
    """Make sure that the workcell has all that the instructions of a protocol name.

    Tips that they pick up they must drop, but for the last step.

    Args:
        placed: all labware, by name; without it only pipettes, devices and sites are looked at.

    Raises:
        CompileError: naming the step and what is missing.
    """
    for step in instructions_of(protocol):
        missing = list(dict.fromkeys(_missing(step, workcell, placed)))
        if missing:
            more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
            raise CompileError(
                f"these are a robot's own instructions, and workcell '{workcell.name}' lacks "
                f"{', '.join(missing[:_LISTED])}{more}",
                where=f"step '{step.id}'",
                mend="Say the step in bench terms (transfer, mix, remove, …), or leave it out"
                + (f". Why it was kept as instructions: {step.why}" if step.why else ""),
            )
        if step is not protocol.steps[-1]:
            _check_tips(step)


def instructions_of(protocol: Protocol) -> tuple[Instructions, ...]:
    """The steps of a protocol that are a robot's own instructions."""
    return tuple(step for step in protocol.steps if isinstance(step, Instructions))


def _missing(step: Instructions, workcell: WorkcellSpec, placed: Mapping[str, PlacedLabware]) -> Iterator[str]:
    for said in step.instructions:
        pipette = getattr(said, "pipette", None)
        if pipette is not None:
            spec = workcell.pipettes.get(pipette)
            if spec is None:
                yield f"pipette '{pipette}'"
            elif max(getattr(said, "channels", ()), default=0) >= spec.channels:
                yield f"channel {max(getattr(said, 'channels', (0,)))} of pipette '{pipette}'"
        device = getattr(said, "device", None)
        if device is not None and device not in workcell.devices:
            yield f"device '{device}'"
        if isinstance(said, MoveLabware) and said.site != OFF_DECK and said.site not in workcell.sites:
            yield f"site '{said.site}'"
        if placed:
            yield from _missing_labware(said, workcell.kinds, placed)


def _missing_labware(
    said: AnyInstruction, kinds: Mapping[str, LabwareSpec], placed: Mapping[str, PlacedLabware]
) -> Iterator[str]:
    if isinstance(said, MoveLabware | ReplaceTipRack):
        name = said.labware if isinstance(said, MoveLabware) else said.rack
        if name not in placed:
            yield f"labware '{name}'"
    for reference in (*getattr(said, "wells", ()), *(getattr(said, "spots", None) or ())):
        labware, _, well = reference.rpartition("/")
        kind = kinds.get(placed[labware].kind) if labware in placed else None
        if kind is None:
            yield f"labware '{labware}'"
        elif well not in kind.wells:
            yield f"well {reference}"


def _check_tips(step: Instructions) -> None:
    mounted: set[tuple[str, int]] = set()
    for said in step.instructions:
        if isinstance(said, PickUpTips):
            mounted |= {(said.pipette, channel) for channel in said.channels}
        elif isinstance(said, DropTips):
            mounted -= {(said.pipette, channel) for channel in said.channels}
    if mounted:
        raise CompileError(
            "the instructions pick up tips that they do not drop",
            where=f"step '{step.id}'",
            mend="Add a drop_tips instruction for each",
        )


def renumbered(step: Instructions, first: int) -> Iterator[tuple[type[Any], dict[str, Any]]]:
    """The instructions with no ids, as the emitter writes them; ``first`` is how many were written before."""
    ids = {said.id: f"i{first + number}" for number, said in enumerate(step.instructions, 1)}
    for said in step.instructions:
        names = (field.name for field in fields_of(said) if field.name not in ("id", "step", "kind"))
        fields = {name: getattr(said, name) for name in names}
        if said.after is not None:
            fields["after"] = tuple(ids[name] for name in said.after if name in ids)
        yield type(said), fields


def follow(step: Instructions, contents: Contents) -> None:
    """Note in ``contents`` what the instructions move."""
    for source, destination, volume in flows_of(step):
        holding = contents.source(source)
        contents.take(source, volume)
        if destination is not None:
            contents.receive(destination, volume, holding.token, holding.liquids)
