"""What is done in a step of a procedure: what goes where, what is mixed, what takes its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from protocols.exporting.transfers import Movement
from protocols.program import AnyInstruction, AskPerson, Mix, ReplaceTipRack, Wait
from protocols.quantities import show_duration, show_volume
from protocols.wells import split_well
from protocols.wording import describe, show_places, show_volumes


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do in a step; ``is_hold`` marks what takes its time, ``rows`` are what goes where."""

    text: str
    is_hold: bool = False
    rows: tuple[tuple[str, str, str], ...] = ()


def pipetting(movements: Sequence[Movement], own: Sequence[AnyInstruction]) -> Iterator[Act]:
    """A run of pipetting: what goes where, then what is mixed."""
    rows = tuple(rows_of(_merged([move for move in movements if move.source != move.destination])))
    if rows:
        yield Act("Transfer" if len(rows) == 1 else f"Transfer, {len(rows)} lines", rows=rows)
    mixes = [item for item in own if isinstance(item, Mix)]
    for cycles, group in groupby(mixes, lambda item: item.cycles):
        strokes = tuple(group)
        wells = [well for item in strokes for well in item.wells]
        volumes = [volume for item in strokes for volume in item.volumes]
        yield Act(f"Mix {show_places(list(dict.fromkeys(wells)))} {cycles} times with {show_volumes(volumes)}")


def _merged(movements: Iterable[Movement]) -> list[Movement]:
    """Strokes of one pair of wells as one movement, where neither well changed otherwise in between."""
    found: list[Movement] = []
    opened: dict[tuple[str, str], int] = {}
    drawn: dict[str, int] = {}
    filled: dict[str, int] = {}
    for number, move in enumerate(movements):
        pair = (move.source, move.destination)
        place = opened.get(pair)
        if place is not None and max(drawn.get(move.destination, -1), filled.get(move.source, -1)) < place:
            found[place] = replace(found[place], volume=found[place].volume + move.volume)
        else:
            opened[pair] = len(found)
            found.append(move)
        drawn[move.source] = filled[move.destination] = number
    return found


def rows_of(movements: Sequence[Movement]) -> Iterator[tuple[str, str, str]]:
    """From, to and volume; neighbours with one volume between the same labware share a line."""
    for (source, destination, volume), group in groupby(movements, _between):
        own = list(group)
        each = " each" if len(own) > 1 else ""
        yield (
            _places(source, [move.source for move in own]),
            _places(destination, [move.destination for move in own]),
            f"{show_volume(volume)}{each}",
        )


def _between(move: Movement) -> tuple[str, str, float]:
    return split_well(move.source)[0], split_well(move.destination)[0], round(move.volume, 6)


def _places(labware: str, references: Sequence[str]) -> str:
    """All of them, however many: a block in short, else each well."""
    if len(set(references)) == 1:
        return references[0]
    short = show_places(references)
    return short if ":" in short else f"{labware}/{', '.join(split_well(reference)[1] for reference in references)}"


def single(instruction: AnyInstruction) -> Act:
    """An instruction that is no pipetting."""
    match instruction:
        case Wait(seconds=seconds):
            return Act(f"Hold for {show_duration(seconds)}", is_hold=True)
        case AskPerson(message=message):
            return Act(message, is_hold=True)
        case ReplaceTipRack(rack=rack):
            return Act(f"Put a full rack in the place of {rack}")
    return Act(describe(instruction))
