"""What stands in the wells before a protocol begins: what the deck holds, and what a person has to fill in. Volumes µL.

A material says what must stand ready. Where the workcell's own labware holds that liquid already, only what is missing
is filled in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from protocols.compiler.contents import Contents
from protocols.compiler.geometry import Deck
from protocols.errors import CompileError
from protocols.labstate import LabState
from protocols.liquids import Liquid
from protocols.protocol import Material, Protocol
from protocols.quantities import show_volume
from protocols.specs import Fill, WorkcellSpec

_TRACE = 1e-3
"""A share of a well's volume below which another liquid in it is a trace from earlier runs. Assumption."""
FILM_SPARE = 0.5
"""µL that a well needs beside its dead volume where all that is reachable is drawn: what clings to a 1000 µL tip
(:mod:`protocols.compiler.classes`), the most of any shipped tip with a liquid like water."""
_ROUNDING = 1e-9


def merge_liquids(protocol: Protocol, workcell: WorkcellSpec) -> dict[str, Liquid]:
    """The liquids of workcell and protocol together; what one of them leaves open, the other says.

    Raises:
        CompileError: they contradict each other.
    """
    merged = dict(workcell.liquids)
    for name, liquid in protocol.liquids.items():
        merged[name] = _merged(liquid, workcell.liquids[name]) if name in workcell.liquids else liquid
    return merged


def _merged(ours: Liquid, theirs: Liquid) -> Liquid:
    said = {}
    for field, info in Liquid.model_fields.items():
        own, other = getattr(ours, field), getattr(theirs, field)
        silent = info.get_default(call_default_factory=True)
        if own != other and silent not in (own, other):
            raise CompileError(
                f"the liquid '{ours.name}': the protocol says {field} {own!r}, the workcell {other!r}",
                where=f"liquids.{ours.name}.{field}",
                mend="Correct one of them, or give one of the liquids another name",
            )
        said[field] = other if own == silent else own
    return Liquid(**said)


@dataclass(frozen=True)
class Standing:
    """What stands in wells before a person fills anything in.

    Attributes:
        state: what the deck holds now; ``None``: what the workcell file says.
        kept: labware whose contents stay, beside the workcell's own.
    """

    workcell: WorkcellSpec
    state: LabState | None = None
    kept: Collection[str] = ()

    def composition(self, well: str) -> dict[str, float]:
        """µL of each liquid in a well."""
        labware = well.rpartition("/")[0]
        if self.state is not None:
            stays = labware in self.workcell.labware or labware in self.kept
            return self.state.composition(well) if stays else {}
        return self._by_file.get(well, {})

    @cached_property
    def _by_file(self) -> dict[str, dict[str, float]]:
        wells: dict[str, dict[str, float]] = {}
        for fill in self.workcell.contents:
            parts = wells.setdefault(fill.well, {})
            parts[fill.liquid] = parts.get(fill.liquid, 0.0) + fill.volume
        return wells

    def volume(self, well: str) -> float:
        """µL in a well."""
        return sum(self.composition(well).values())

    def floors(self) -> dict[str, float]:
        """mm that tips keep clear of what has settled, by well of the workcell's own contents."""
        return {fill.well: fill.settled_height for fill in self.workcell.contents if fill.settled is not None}


def plan_fills(protocol: Protocol, standing: Standing) -> tuple[Fill, ...]:
    """What a person fills into wells before the run.

    Raises:
        CompileError: a well of the deck holds another liquid already.
    """
    used: defaultdict[tuple[str, str], float] = defaultdict(float)
    fills = [
        _fill(material, well, standing, used)
        for material in protocol.materials
        for well in dict.fromkeys(material.wells)
    ]
    return tuple(fill for fill in fills if fill.volume > 0 or fill.settled is not None)


def _fill(material: Material, well: str, standing: Standing, used: defaultdict[tuple[str, str], float]) -> Fill:
    present = standing.composition(well)
    _refuse_others(material, well, present)
    ready = max(0.0, present.get(material.liquid, 0.0) - used[well, material.liquid])
    used[well, material.liquid] += material.volume
    missing = material.volume - ready
    return Fill(
        well=well,
        liquid=material.liquid,
        volume=missing if missing > _ROUNDING else 0.0,
        settled=material.settled,
    )


def _refuse_others(material: Material, well: str, present: Mapping[str, float]) -> None:
    whole = sum(present.values())
    others = [name for name, part in present.items() if name != material.liquid and part > _TRACE * whole]
    if others:
        raise CompileError(
            f"{well} holds {' and '.join(sorted(others))} already, the protocol wants {material.liquid} in it",
            where=f"materials, '{material.liquid}'",
            mend="Use another well, or empty this one and correct the workcell's contents",
        )


def with_dead_volumes(protocol: Protocol, fills: tuple[Fill, ...], deck: Deck) -> tuple[Fill, ...]:
    """The fills, with what cannot be drawn on top where a material says how much can."""
    reachable = {well for material in protocol.materials if material.reachable for well in material.wells}
    return tuple(
        replace(fill, volume=fill.volume + (deck.place(fill.well).shape.dead_volume or 0.0) + FILM_SPARE)
        if fill.well in reachable and fill.volume > 0
        else fill
        for fill in fills
    )


def already_there(protocol: Protocol, fills: tuple[Fill, ...], standing: Standing) -> tuple[str, ...]:
    """In words, the materials that the deck holds already."""
    missing = {(fill.well, fill.liquid): fill.volume for fill in fills}
    notes = []
    for material in protocol.materials:
        for well in material.wells:
            held = standing.composition(well).get(material.liquid, 0.0)
            if held <= 0 or missing.get((well, material.liquid), 0.0) >= material.volume:
                continue
            notes.append(
                f"{well} holds {show_volume(held)} of {material.liquid} already, the protocol needs "
                f"{show_volume(material.volume)} there"
            )
    return tuple(dict.fromkeys(notes))


def starting_contents(
    liquids: Mapping[str, Liquid], fills: tuple[Fill, ...], standing: Standing, deck: Deck
) -> Contents:
    """The wells as they are when the run begins.

    Raises:
        CompileError: a well starts with more than it holds.
    """
    contents = Contents(liquids, fills, standing)
    for well, floor in standing.floors().items():
        contents[well].floor = max(contents[well].floor, floor)
    for fill in fills:
        held, most = contents[fill.well].volume or 0.0, deck.place(fill.well).shape.max_volume
        if held > most + _ROUNDING:
            raise CompileError(
                f"{fill.well} would start with {show_volume(held)}, it holds {show_volume(most)}",
                where=f"materials, '{fill.liquid}'",
                mend="Start with less, or ask for a deeper kind of labware",
            )
    return contents
