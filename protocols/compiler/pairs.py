"""Bench steps taken apart into pairs: from one well to one well, so much. Volumes µL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocols.errors import CompileError
from protocols.program import Route
from protocols.protocol import AnyStep, Consolidate, Distribute, Handling, SerialDilution, Transfer
from protocols.wells import expand_wells

PLAIN = Handling()


@dataclass(frozen=True, slots=True)
class Pair:
    """Liquid to be moved from one well to another; ``index`` is its place among the step's pairs."""

    index: int
    source: str
    destination: str
    volume: float


def one_well(reference: str, where: str) -> str:
    """The single well that ``reference`` names.

    Raises:
        CompileError: it names a block.
    """
    wells = expand_wells(reference)
    if len(wells) != 1:
        raise CompileError(f"'{reference}' is {len(wells)} wells where one is needed", where=where)
    return wells[0]


def _spread(values: tuple[str, ...], count: int) -> tuple[str, ...]:
    return values * count if len(values) == 1 else values


def _volumes(volume: float | tuple[float, ...], count: int) -> tuple[float, ...]:
    if not isinstance(volume, tuple):
        return (volume,) * count
    return volume * count if len(volume) == 1 else volume


def pairs_of(step: AnyStep) -> tuple[Pair, ...]:
    """The pairs of a bench step, in order; none for a step that moves no liquid from well to well.

    Raises:
        CompileError: a well is its own destination, or a block stands where one well is needed.
    """
    where = f"step '{step.id}'"
    match step:
        case Transfer():
            count = max(len(step.source), len(step.destination))
            sources, destinations = _spread(step.source, count), _spread(step.destination, count)
            volumes = _volumes(step.volume, count)
        case Distribute():
            count = len(step.destination)
            sources = (one_well(step.source, where),) * count
            destinations, volumes = step.destination, _volumes(step.volume, count)
        case Consolidate():
            count = len(step.source)
            destinations = (one_well(step.destination, where),) * count
            sources, volumes = step.source, _volumes(step.volume, count)
        case SerialDilution():
            diluent = one_well(step.diluent, where)
            part = step.volume / step.factor
            count = len(step.wells) - 1
            sources = (diluent,) * count + step.wells[:-1]
            destinations = step.wells[1:] * 2
            volumes = (step.volume - part,) * count + (part,) * count
        case _:
            return ()
    pairs = tuple(map(Pair, range(len(sources)), sources, destinations, volumes))
    for pair in pairs:
        if pair.source == pair.destination:
            raise CompileError(
                f"{pair.source} would be moved into itself", where=where, mend="Use a mix step to mix a well"
            )
    return pairs


def routes_of(step: AnyStep, pairs: Iterable[Pair]) -> Iterator[Route]:
    """The worklist rows of a transfer, each with its wells."""
    if not isinstance(step, Transfer) or not (step.rows or step.samples):
        return
    for pair in pairs:
        yield Route(
            row=step.rows[pair.index] if step.rows else f"{step.id}.{pair.index + 1}",
            sample=step.samples[pair.index] if step.samples else None,
            source=pair.source,
            destination=pair.destination,
            volume=pair.volume,
            step=step.id,
        )


def segments(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """Cut pairs into stretches within which order does not matter: no well gives and receives in one stretch.

    Pairs of nothing are left out.
    """
    stretch: list[Pair] = []
    sources: set[str] = set()
    destinations: set[str] = set()
    for pair in pairs:
        if pair.volume <= 0:
            continue
        if pair.source in destinations or pair.destination in sources:
            yield stretch
            stretch, sources, destinations = [], set(), set()
        stretch.append(pair)
        sources.add(pair.source)
        destinations.add(pair.destination)
    if stretch:
        yield stretch
