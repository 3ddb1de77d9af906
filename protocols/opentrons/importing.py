"""From Opentrons' analysis to a program, the robot it needs, and all that is to be said of the translation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from protocols.formats.documents import Document
from protocols.liquids import Liquid, LiquidClass
from protocols.opentrons.analysis import Analysis, Read, read_analysis
from protocols.opentrons.lowering import liquid_names, lower
from protocols.opentrons.rig import Rig, rig_of
from protocols.opentrons.walk import Draft, Lost, Walk
from protocols.program import AnyInstruction, Aspirate, Dispense, MoveLabware, PickUpTips, Program
from protocols.specs import PlacedLabware
from protocols.verify.findings import Finding

DEFAULT_RATE = 100.0
"""µL/s for the direction in which a pipette never moves."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an analysis becomes.

    Attributes:
        program: without what is in the wells at the start.
        declared: what the file says is in wells at the start: liquid and µL, by well.
        lost: the commands that are not carried over.
        notes: guesses and choices that a person should know of.
        findings: what is wrong with the file itself, so that a program cannot say it.
    """

    program: Program
    rig: Rig
    declared: Mapping[str, tuple[str, float]]
    lost: tuple[Lost, ...]
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]


def import_analysis(document: Document, *, title: str = "") -> Imported:
    """The program and the robot that an analysis describes; ``title`` is taken where it has none.

    Raises:
        InputError: it is no such analysis, or cannot be used.
    """
    read = read_analysis(document)
    walk = lower(read)
    classes: dict[str, LiquidClass] = {}
    instructions = _with_sources(_made(walk, classes))
    program = Program(
        title=read.analysis.title or title or document.path.stem[:500] or "Opentrons protocol",
        liquids=_described(read, walk),
        liquid_classes=classes,
        labware={
            piece.name: PlacedLabware(kind=piece.kind, site=piece.site[:128]) for piece in walk.deck.pieces.values()
        },
        steps=walk.steps,
        carry_over="warning",
        overflow="warning",
        instructions=tuple(instructions),
    )
    sites = {placed.site for placed in program.labware.values()}
    sites |= {item.site for item in program.instructions if isinstance(item, MoveLabware)}
    return Imported(
        program=program,
        rig=rig_of(walk, sites, _fits(walk, program)),
        declared=dict(walk.declared),
        lost=walk.lost,
        notes=(*_unfinished(read.analysis), *walk.notes),
        findings=_findings(walk, {item.id for item in program.instructions}),
    )


def _described(read: Read, walk: Walk) -> dict[str, Liquid]:
    """The liquids that the file describes or puts somewhere, by name."""
    names = [*liquid_names(read).values(), *(liquid for liquid, _ in walk.declared.values())]
    return {name: Liquid(name=name) for name in dict.fromkeys(names)}


def _unfinished(analysis: Analysis) -> tuple[str, ...]:
    """That the commands are not the whole protocol, where Opentrons gave up."""
    if analysis.ended_with is None:
        return ()
    last = len(analysis.commands) - 1
    return (
        f"Opentrons' own analysis ended after command {last}, so what was to come after that is not here: "
        f"{analysis.ended_with}",
    )


def _made(walk: Walk, classes: dict[str, LiquidClass]) -> list[AnyInstruction]:
    """The instructions, strokes with the liquid class of their flow rates."""
    pairs = _rate_pairs(walk.drafts)
    made: list[Any] = []
    for number, draft in enumerate(walk.drafts):
        said = draft.fields
        if draft.rate is not None:
            said = {**said, "liquid_class": _class_for(classes, pairs[number], jet=draft.jet)}
        made.append(draft.make(**said))
    return made


def _rate_pairs(drafts: list[Draft]) -> dict[int, tuple[float, float]]:
    """The flow rates inwards and outwards of each stroke: its own, and that of the stroke it belongs with.

    An aspirate belongs with the next dispense of its pipette, a dispense with the last aspirate before it.
    """
    pairs: dict[int, tuple[float, float]] = {}
    into: dict[str, float] = {}
    waiting: dict[str, list[int]] = {}
    for number, draft in enumerate(drafts):
        if draft.rate is None:
            continue
        pipette = str(draft.fields["pipette"])
        if draft.make is Aspirate:
            into[pipette] = draft.rate
            waiting.setdefault(pipette, []).append(number)
            pairs[number] = (draft.rate, DEFAULT_RATE)
        else:
            pairs[number] = (into.get(pipette, DEFAULT_RATE), draft.rate)
            for earlier in waiting.pop(pipette, ()):
                pairs[earlier] = (pairs[earlier][0], draft.rate)
    return pairs


def _class_for(classes: dict[str, LiquidClass], rates: tuple[float, float], *, jet: bool) -> str:
    name = f"{rates[0]:g} in, {rates[1]:g} out µL/s" + (", from above" if jet else "")
    if name not in classes:
        classes[name] = LiquidClass(name=name, aspirate_flow_rate=rates[0], dispense_flow_rate=rates[1], jet=jet)
    return name


def _with_sources(instructions: list[AnyInstruction]) -> list[AnyInstruction]:
    """Tell draws from sources from draws that may take the rest.

    A well from which liquid is drawn before any is put there is a source: somebody must have filled it. Any other
    holds what was put there, and protocols often ask for more of it than there is, to get all.
    """
    processed: set[str] = set()
    sources: set[str] = set()
    found: list[AnyInstruction] = []
    for item in instructions:
        if isinstance(item, Dispense):
            processed.update(well for well in item.wells if well not in sources)
        elif isinstance(item, Aspirate):
            sources.update(well for well in item.wells if well not in processed)
            if not processed.isdisjoint(item.wells):
                item = replace(item, takes_rest=True)
        found.append(item)
    return found


def _fits(walk: Walk, program: Program) -> dict[str, str]:
    """By kind of tip rack, the pipette that first picks tips up from it."""
    fits: dict[str, str] = {}
    for item in program.instructions:
        if isinstance(item, PickUpTips):
            rack = program.labware.get(item.spots[0].rpartition("/")[0])
            model = walk.models.get(item.pipette)
            if rack is not None and model is not None:
                fits.setdefault(rack.kind, model)
    return fits


def _findings(walk: Walk, ids: set[str]) -> tuple[Finding, ...]:
    """What cannot stand where it is put, and values that no instruction takes."""
    conflicts = [
        Finding(
            code="P04",
            severity="error",
            instruction=f"c{conflict.index}" if f"c{conflict.index}" in ids else None,
            place=conflict.place[:128],
            message=f"command {conflict.index} puts it where it cannot stand: {conflict.what}",
            mend="choose a free place, or move that away first",
        )
        for conflict in walk.deck.conflicts
    ]
    refused = [
        Finding(code=item.code, severity="error", instruction=item.instruction, place=item.place, message=item.message)
        for item in walk.refused
    ]
    return (*conflicts, *refused)
