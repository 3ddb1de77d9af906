"""What must stand in the wells at the start, where a file does not say it, or says too little. Volumes µL.

A *source* is a well from which liquid is drawn before any is put there: somebody must have filled it. The least that
it must hold is found by going through the program with the meaning of its instructions (:mod:`protocols.labstate`)
and adding, before each draw, what is missing there: the draw itself, and what no tip reaches (the dead volume, or what
stands below the height of the tip's end).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.liquids import Liquid
from protocols.mixtures import Mixture
from protocols.opentrons.importing import Imported
from protocols.program import AnyInstruction, Aspirate, Program
from protocols.quantities import show_volume
from protocols.specs import Fill, WorkcellSpec
from protocols.tips import DUST
from protocols.vessels import Well
from protocols.wording import show_places

_GRAIN = 1e-6
"""µL to which starting volumes are written, upwards: rounding of sums must not leave a draw short."""
NEARLY_ALL = 0.5
"""The part of what is drawn that a declaration must give, to be one of what stands in the well."""


@dataclass(slots=True)
class Source:
    """A well that is drawn from first.

    Attributes:
        place: the wells that are drawn from with it, in one stroke.
        liquid: what the file says it holds, if it does.
        declared: how much; ``None`` if the file says nothing of it.
        added: what must be there beside that.
        drawn: the most that has been drawn beyond what had come in by then.
    """

    place: frozenset[str]
    liquid: str | None
    declared: float | None
    added: float = 0.0
    drawn: float = 0.0

    @property
    def needed(self) -> float:
        """What must be there at the start."""
        return math.ceil(((self.declared or 0.0) + self.added) / _GRAIN - 1e-3) * _GRAIN


@dataclass(frozen=True, slots=True)
class SetUp:
    """A program with what is in its wells at the start.

    Attributes:
        inferred: the wells whose content nobody declared.
        notes: what a person should know of it.
    """

    program: Program
    inferred: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Fold:
    """One walk over the program that adds to sources what is missing."""

    program: Program
    state: LabState
    declared: Mapping[str, tuple[str, float]]
    sources: dict[str, Source] = field(default_factory=dict)

    def run(self) -> None:
        for item in self.program.instructions:
            if isinstance(item, Aspirate):
                self._provide(item)
            apply(self.state, self.program, item)

    def _provide(self, item: Aspirate) -> None:
        fixed = None if self.program.liquid_classes[item.liquid_class].level_detection else item.height
        place = frozenset(item.wells)
        wanted: dict[str, float] = {}
        for channel, name, volume in zip(item.channels, item.wells, item.volumes, strict=True):
            if self.state.has_tip(item.pipette, channel) and not item.takes_rest:
                wanted[name] = wanted.get(name, 0.0) + volume
        for name, volume in wanted.items():
            well = self.state.wells.get(name)
            if well is not None and not well.labware.obstacle:
                self._pour(name, well, volume, well.cavity.out_of_reach(fixed), place)

    def _pour(self, name: str, well: Well, volume: float, unreached: float, place: frozenset[str]) -> None:
        source = self.sources.get(name)
        if source is None:
            liquid, declared = self.declared.get(name, (None, None))
            source = self.sources[name] = Source(place, liquid, declared)
        start = (source.declared or 0.0) + source.added
        source.drawn = max(source.drawn, volume - (well.volume - start))
        missing = volume + unreached - well.volume
        if missing > DUST:
            source.added += missing
            well.add(Mixture.pure(source.liquid or name), missing)


def infer_contents(imported: Imported, workcell: WorkcellSpec) -> SetUp:
    """``imported``'s program with all that must stand in its wells at the start, on ``workcell``."""
    cavities = LabState.start(workcell, imported.program).wells
    declared, notes = _held(imported.declared, cavities)
    given = tuple(
        Fill(well=well, liquid=liquid, volume=volume) for well, (liquid, volume) in declared.items() if volume > 0
    )
    program = imported.program.model_copy(update={"contents": given})
    fold = _Fold(program, LabState.start(workcell, program), declared)
    fold.run()
    sources = fold.sources
    undeclared = _undeclared(sources, declared)
    standing = {liquid for liquid, _ in declared.values()}
    emptied = emptied_source(sources, unplaced=bool(imported.program.liquids.keys() - standing))
    fills, over = _fills(sources, declared, cavities, undeclared, emptied)
    if over:
        notes.append(f"more is drawn than fits in: {show_places(sorted(over))}; it has to be filled up during the run")
    unknown = sorted({name.rpartition("/")[0] for name in undeclared if _dead_volume(cavities, name) is None})
    if unknown:
        notes.append(
            f"the dead volume of {', '.join(unknown)} is not known: put more in than what is drawn and stands below it"
        )
    liquids = {fill.liquid: program.liquids.get(fill.liquid, Liquid(name=fill.liquid)) for fill in fills}
    program = program.model_copy(
        update={
            "contents": fills,
            "liquids": {**program.liquids, **liquids},
            "instructions": tuple(_refilled(program.instructions, over)),
        }
    )
    return SetUp(program, tuple(name for name in undeclared if name in sources), tuple(notes))


def _held(
    declared: Mapping[str, tuple[str, float]], wells: Mapping[str, Well]
) -> tuple[dict[str, tuple[str, float]], list[str]]:
    """What is declared, no more of it than the wells hold; and what is to be said of that."""
    found, notes = dict(declared), list[str]()
    for name, (liquid, volume) in declared.items():
        well = wells.get(name)
        if well is not None and volume > well.max_volume:
            found[name] = (liquid, well.max_volume)
            most, said = show_volume(well.max_volume), show_volume(volume)
            notes.append(f"{said} of '{liquid}' are declared in {name}, which holds {most}: it is taken to be full")
    return found, notes


def _undeclared(sources: Mapping[str, Source], declared: Mapping[str, tuple[str, float]]) -> list[str]:
    """Sources of which the file says nothing: those in labware where it says of no well that there is liquid."""
    described = {name.rpartition("/")[0] for name, (_, volume) in declared.items() if volume > 0}
    return [name for name in sources if name.rpartition("/")[0] not in described]


def emptied_source(sources: Mapping[str, Source], *, unplaced: bool) -> frozenset[str]:
    """The one place whose liquid is missing in a declaration that is otherwise sound; else nothing.

    Many protocols do not declare what stands in a well but what one sample takes of it, or a round figure: then
    several of their sources fall short, by much. Such a declaration cannot prove that liquid is missing, and what is
    needed is put into the set-up instead, with a warning. Where all sources but one hold at least half of what is
    drawn, the amounts are meant, and the one that does not hold it is what a person would call empty.

    A place is what one stroke draws from: a column, or a well; of what holds nothing at all, all wells of one liquid.
    A source of which nothing is declared says little, because many files leave some out. It counts as declared with 0
    where most wells of its place are declared, and where a liquid is described that stands nowhere.

    Args:
        unplaced: a liquid is described that stands in no well.
    """
    short: dict[tuple[str, object], set[str]] = {}
    for name, source in sources.items():
        declared = source.declared or 0.0
        if declared >= NEARLY_ALL * source.drawn - DUST or not (unplaced or _spoken_for(source, sources)):
            continue
        key = ("short", source.place) if declared else ("empty", (name.rpartition("/")[0], source.liquid))
        short.setdefault(key, set()).add(name)
    return frozenset(next(iter(short.values()))) if len(short) == 1 else frozenset()


def _spoken_for(source: Source, sources: Mapping[str, Source]) -> bool:
    if source.declared is not None:
        return True
    declared = sum(other in sources and bool(sources[other].declared) for other in source.place)
    return 2 * declared > len(source.place)


def _fills(
    sources: Mapping[str, Source],
    declared: Mapping[str, tuple[str, float]],
    wells: Mapping[str, Well],
    undeclared: Iterable[str],
    emptied: frozenset[str],
) -> tuple[tuple[Fill, ...], set[str]]:
    """What stands in the wells at the start, and the wells that cannot hold all that is drawn."""
    fills: dict[str, Fill] = {
        name: Fill(well=name, liquid=liquid, volume=volume) for name, (liquid, volume) in declared.items() if volume > 0
    }
    nobody, over = set(undeclared), set[str]()
    for name, source in sources.items():
        if source.added <= DUST or name in emptied:
            continue
        most = wells[name].max_volume
        if source.needed > most:
            over.add(name)
        said = None if name in nobody else source.declared or 0.0
        liquid = source.liquid or f"source {name}"[:128]
        fills[name] = Fill(well=name, liquid=liquid, volume=min(source.needed, most), declared=said)
    return tuple(fills.values()), over


def _dead_volume(wells: Mapping[str, Well], name: str) -> float | None:
    return wells[name].cavity.shape.dead_volume


def _refilled(instructions: Iterable[AnyInstruction], over: set[str]) -> Iterable[AnyInstruction]:
    """Draws from wells that have to be filled up during the run may find less than they ask for."""
    for item in instructions:
        if isinstance(item, Aspirate) and not over.isdisjoint(item.wells):
            yield replace(item, takes_rest=True)
        else:
            yield item
