"""What a program and a protocol leave in the wells, worked out without the code that lifts.

A program is folded over LabState with everything ideal: no film, no dead volume, no height, wells without a bound. A
protocol is worked out by plain arithmetic from what its steps say. Volumes µL.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.program import Program
from protocols.protocol import Instructions, Protocol, Remove
from protocols.specs import Fill, WorkcellSpec
from tests.compiler.bench import moves

Wells = dict[str, dict[str, float]]
BOUNDLESS = 1e12


def of_program(program: Program, spec: WorkcellSpec) -> Wells:
    """µL of each liquid in each well but the trash."""
    ideal = program.model_copy(
        update={
            "liquid_classes": {name: _filmless(style) for name, style in program.liquid_classes.items()},
            "instructions": tuple(
                replace(said, height=None) if hasattr(said, "height") else said for said in program.instructions
            ),
        }
    )
    state = LabState.start(_boundless(spec), ideal)
    for said in ideal.instructions:
        apply(state, ideal, said)
    wells = {name: well.amounts() for name, well in state.wells.items() if well.volume > 0}
    return {name: held for name, held in wells.items() if name.rpartition("/")[0] != spec.trash}


def _filmless(style: Any) -> Any:
    return style.model_copy(update={"film": 0.0})


def _boundless(spec: WorkcellSpec) -> WorkcellSpec:
    kinds = {}
    for name, kind in spec.kinds.items():
        shapes = {
            key: shape.model_copy(update={"dead_volume": None, "max_volume": BOUNDLESS, "profile": None})
            for key, shape in kind.shapes.items()
        }
        kinds[name] = kind.model_copy(update={"shapes": shapes})
    return spec.model_copy(update={"kinds": kinds})


def of_protocol(protocol: Protocol, contents: tuple[Fill, ...]) -> Wells:
    """µL of each liquid in each well that is left when ``contents`` stand there at the start."""
    wells: Wells = defaultdict(dict)
    for fill in contents:
        wells[fill.well][fill.liquid] = wells[fill.well].get(fill.liquid, 0.0) + fill.volume
    for step in protocol.steps:
        assert not isinstance(step, Instructions)
        asked = list(moves(step))
        if isinstance(step, Remove):
            volumes = step.volume if isinstance(step.volume, tuple) else (step.volume,) * len(step.wells)
            asked = [(well, "", volume) for well, volume in zip(step.wells, volumes, strict=True)]
        for source, destination, volume in asked:
            _pass(wells, source, destination, volume)
    wells.pop("", None)
    return {name: held for name, held in wells.items() if sum(held.values()) > 1e-9}


def _pass(wells: Wells, source: str, destination: str, volume: float) -> None:
    held = sum(wells[source].values())
    share = min(1.0, volume / held) if held > 0 else 0.0
    for name, part in list(wells[source].items()):
        wells[source][name] = part * (1 - share)
        wells[destination][name] = wells[destination].get(name, 0.0) + part * share


def differences(one: Wells, other: Wells, within: float = 1e-9) -> list[tuple[str, str, float, float]]:
    """(well, liquid, µL, µL) where they differ by more than ``within`` (µL, and part of what a well holds)."""
    found = []
    for well in sorted(one.keys() | other.keys()):
        ours, theirs = one.get(well, {}), other.get(well, {})
        allowed = within * (1 + sum(ours.values()) + sum(theirs.values()))
        for name in sorted(ours.keys() | theirs.keys()):
            if abs(ours.get(name, 0.0) - theirs.get(name, 0.0)) > allowed:
                found.append((well, name, ours.get(name, 0.0), theirs.get(name, 0.0)))
    return found
