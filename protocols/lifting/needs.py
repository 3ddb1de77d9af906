"""What a lifted protocol needs: labware described so that another lab has its like, liquids, and where they stand.

Volumes µL.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from protocols.compiler.materials import FILM_SPARE
from protocols.compiler.pairs import pairs_of
from protocols.compiler.passing import spots_of, wells_of
from protocols.liquids import Liquid
from protocols.program import MoveLabware, Program
from protocols.protocol import (
    AnyStep,
    Instructions,
    LabwareNeed,
    Material,
    MixWells,
    Move,
    Remove,
    SerialDilution,
)
from protocols.specs import LabwareSpec, PlacedLabware, WorkcellSpec

_TIED = ("move", "instructions", "set_temperature", "await_temperature", "shake", "set_latch", "set_lid", "set_magnet")


def wells_named(step: AnyStep) -> tuple[str, ...]:
    """The wells that a step names."""
    pairs = tuple(well for pair in pairs_of(step) for well in (pair.source, pair.destination))
    if isinstance(step, MixWells | Remove | SerialDilution):
        return (*pairs, *step.wells)
    return (*pairs, *wells_of(step.instructions)) if isinstance(step, Instructions) else pairs


def labware_named(step: AnyStep) -> set[str]:
    """The labware that a step names."""
    names = {well.rpartition("/")[0] for well in wells_named(step)}
    if isinstance(step, Move):
        names.add(step.labware)
    if isinstance(step, Instructions):
        names |= {spot.rpartition("/")[0] for spot in spots_of(step.instructions)}
        names |= {said.labware for said in step.instructions if isinstance(said, MoveLabware)}
    return names


def needs_of(
    program: Program, workcell: WorkcellSpec, steps: Iterable[AnyStep], most: Mapping[str, float]
) -> dict[str, LabwareNeed]:
    """The labware that steps and contents name, in the program's order.

    Sites are named only where the steps speak of places or devices of this deck; kinds only of what a robot's own
    instructions use.

    Args:
        most: the most that each well ever holds.
    """
    every = tuple(steps)
    named = {fill.well.rpartition("/")[0] for fill in program.contents}.union(*map(labware_named, every))
    exact = set().union(*(labware_named(step) for step in every if isinstance(step, Instructions)))
    tied = any(step.do in _TIED or step.do == "thermocycle" for step in every)
    placed = {**program.labware, **{name: workcell.labware[name] for name in workcell.labware if name in named}}
    needs: dict[str, LabwareNeed] = {}
    for name, labware in placed.items():
        spec = workcell.kinds.get(labware.kind)
        if spec is None or spec.category == "trash":
            continue
        if spec.category == "tip rack":
            if name in program.labware:
                needs[name] = _need(labware, spec, {}, exact=True, tied=True)
        elif name in named or tied:
            needs[name] = _need(labware, spec, _of(name, most), exact=name in exact, tied=tied)
    return needs


def _of(labware: str, most: Mapping[str, float]) -> dict[str, float]:
    return {well: volume for well, volume in most.items() if well.rpartition("/")[0] == labware}


def _need(
    labware: PlacedLabware, spec: LabwareSpec, most: Mapping[str, float], *, exact: bool, tied: bool
) -> LabwareNeed:
    said: dict[str, Any] = {"category": spec.category}
    if exact:
        said["kind"] = labware.kind
    elif spec.category == "plate":
        said["positions"] = len(spec.wells)
        holds = max((shape.max_volume for shape in spec.shapes.values()), default=0.0)
        if most:
            said["holds"] = min(_rounded_up(max(most.values())), holds)
    if tied:
        said["site"] = labware.site
    return LabwareNeed.model_construct(**said, barcode=labware.barcode, lid=labware.lid)


def _rounded_up(volume: float) -> float:
    """``volume`` to two digits, upwards: 186.4 becomes 190."""
    if volume <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(volume)) - 1)
    return float(math.ceil(volume / unit - 1e-9) * unit)


def materials_of(
    program: Program,
    workcell: WorkcellSpec,
    drawn: Mapping[str, float],
    tips: Mapping[str, int],
    inferred: Collection[str],
) -> tuple[Material, ...]:
    """Where liquids stand at the start: those of the program, and those of the workcell that are drawn from.

    Of a well that is drawn empty, or whose content nobody declared, it is said what can be drawn, with what clings to
    tips on top: another lab's plates have other dead volumes.

    Args:
        drawn: what each well must hold for all draws.
        tips: how many tips draw from each well.
        inferred: wells whose content is no more than what is needed.
    """
    standing: dict[tuple[str, str], float] = defaultdict(float)
    for fill in workcell.contents:
        standing[fill.well, fill.liquid] += fill.volume
    groups: dict[tuple[Any, ...], list[str]] = {}
    owned = {fill.well for fill in workcell.contents}
    several = Counter(fill.well for fill in program.contents)
    for fill in program.contents:
        volume, reachable = fill.volume + standing[fill.well, fill.liquid], False
        spare = FILM_SPARE * tips.get(fill.well, 0)
        emptied = fill.well in inferred or fill.declared is not None or volume - drawn.get(fill.well, 0.0) < spare
        if fill.well in drawn and emptied and several[fill.well] == 1 and fill.well not in owned:
            volume, reachable = float(math.ceil(drawn[fill.well] + spare)), True
        groups.setdefault((fill.liquid, volume, fill.settled, reachable), []).append(fill.well)
    for fill in workcell.contents:
        if drawn.get(fill.well) and fill.well not in several:
            volume = min(fill.volume, float(math.ceil(drawn[fill.well])))
            groups.setdefault((fill.liquid, volume, fill.settled, True), []).append(fill.well)
    return tuple(
        Material.model_construct(
            liquid=liquid, wells=tuple(dict.fromkeys(wells)), volume=volume, settled=settled, reachable=reachable
        )
        for (liquid, volume, settled, reachable), wells in groups.items()
    )


def liquids_of(program: Program, workcell: WorkcellSpec, materials: Collection[Material]) -> dict[str, Liquid]:
    """What is known of the liquids that stand somewhere."""
    known = {**workcell.liquids, **program.liquids}
    named = dict.fromkeys(material.liquid for material in materials)
    return {name: known.get(name, Liquid(name=name)) for name in named}
