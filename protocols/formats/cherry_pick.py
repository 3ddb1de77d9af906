"""A cherry-picking worklist as a protocol: each row moves a volume from a source well to a destination well.

Such a worklist does not say how much stands in the source wells. Unless the reader is told, each is taken to
hold what the worklist draws from it and :data:`SPARE` more, and this stands among the assumptions.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from protocols.formats.cells import Cells
from protocols.formats.delimited import Table
from protocols.formats.options import Worklist, WorklistOptions
from protocols.liquids import Liquid
from protocols.protocol import Handling, Material, Protocol, Transfer
from protocols.quantities import show_volume
from protocols.wells import split_well

SPARE = 20.0
"""µL that a source well is taken to hold beside what is drawn from it, where its dead volume is not known."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One row: ``volume`` µL from ``source`` to ``destination``."""

    line: int
    sample: str | None
    source: str
    destination: str
    volume: float


def read_cherry_pick(table: Table, options: WorklistOptions) -> Worklist:
    """The worklist that ``table`` is.

    Raises:
        FileProblemsError: with everything that is wrong.
    """
    complete = table.require("source plate", "source well", "destination plate", "destination well", "volume")
    picks = _picks(table, options) if complete else []
    table.problems.raise_any()
    protocol, assumptions = _protocol(table, picks, options)
    return Worklist("cherry-pick", protocol, assumptions=assumptions, ignored_columns=table.ignored)


def _picks(table: Table, options: WorklistOptions) -> list[Pick]:
    cells = Cells(table, frozenset(options.plates), options.plate_wells, options.decimal_comma)
    filled: dict[str, int] = {}
    samples: dict[str, str] = {}
    picks = []
    for row in table.rows():
        source = cells.well(row, "source plate", "source well")
        destination = cells.well(row, "destination plate", "destination well")
        volume = cells.amount(row, "volume", "uL")
        sample = cells.name(row, "sample") if row.get("sample") else None
        first = row.line if destination is None else filled.setdefault(destination, row.line)
        if first != row.line and not options.pool:
            what = f"{destination} is filled by line {first} already"
            table.problems.add(row.line, what, "Correct the well, or say that pooling is meant")
        if source is not None and source == destination:
            table.problems.add(row.line, f"{source} is source and destination at once", "Correct one of them")
        if source is not None and sample is not None and samples.setdefault(source, sample) != sample:
            what = f"{source} holds '{samples[source]}' by an earlier line and '{sample}' by this one"
            table.problems.add(row.line, what, "Correct the well or the sample")
        if source is not None and destination is not None and volume is not None:
            picks.append(Pick(row.line, sample, source, destination, volume))
    return picks


def _protocol(table: Table, picks: list[Pick], options: WorklistOptions) -> tuple[Protocol, tuple[str, ...]]:
    drawn: dict[str, float] = defaultdict(float)
    names: dict[str, str] = {}
    filled: set[str] = set()
    ready: dict[str, None] = {}
    for pick in picks:
        drawn[pick.source] += pick.volume
        if pick.source not in filled:
            ready[pick.source] = None
        if pick.sample is not None:
            names[pick.source] = pick.sample
        filled.add(pick.destination)
    spare = SPARE if options.dead_volume is None else options.dead_volume
    held = {well: options.source_volume or drawn[well] + spare for well in ready}
    liquids = {names.get(well, well): Liquid(name=names.get(well, well), sample=names.get(well)) for well in ready}
    protocol = Protocol(
        title=f"Cherry-pick {table.path.stem}",
        description=f"{len(picks)} transfers from {len({split_well(well)[0] for well in ready})} plates",
        labware=options.needs(well for pick in picks for well in (pick.source, pick.destination)),
        liquids=liquids,
        materials=tuple(
            Material.model_validate({"liquid": names.get(well, well), "wells": well, "volume": f"{volume!r} uL"})
            for well, volume in held.items()
        ),
        steps=(_step(picks, named=bool(names), options=options),),
    )
    return protocol, _assumptions(list(held.values()), spare, options)


def _step(picks: list[Pick], *, named: bool, options: WorklistOptions) -> Transfer:
    return Transfer.model_validate(
        {
            "id": "pick",
            "source": [pick.source for pick in picks],
            "destination": [pick.destination for pick in picks],
            "volume": tuple(f"{pick.volume!r} uL" for pick in picks),
            "samples": tuple(pick.sample for pick in picks) if named else (),
            "rows": tuple(f"line {pick.line}" for pick in picks),
            "handling": options.handling or Handling(),
        }
    )


def _assumptions(held: list[float], spare: float, options: WorklistOptions) -> tuple[str, ...]:
    if options.source_volume is not None:
        return (f"Each source well holds {show_volume(options.source_volume)}, as given for the worklist",)
    least, most = show_volume(min(held)), show_volume(max(held))
    span = least if least == most else f"{least} to {most}"
    return (
        "The worklist does not say how much the source wells hold. Each is taken to hold what is drawn from it and "
        f"{show_volume(spare)} more, {span} in {len(held)} wells: check that it is so before the run",
    )
