"""A DNA normalisation worklist as a protocol: every sample to its target concentration and volume.

With c the concentration of a sample, t the target and V the target volume, V·t/c of the sample and the rest
of V of diluent are brought together (C1·V1 = C2·V2). The diluent goes first, then the samples, each mixed
after it. A sample keeps the position of its source well unless the worklist names a destination.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from protocols.errors import FileProblemsError, Problem
from protocols.formats.cells import Cells
from protocols.formats.delimited import Row, Table
from protocols.formats.options import Policy, Unreachable, Worklist, WorklistOptions
from protocols.liquids import Liquid
from protocols.protocol import Distribute, Handling, LabwareNeed, Material, Protocol, Transfer
from protocols.quantities import show_volume
from protocols.wells import expand_wells, split_well

SUBSTANCE = "DNA"
"""The solute that is followed."""
DILUENT_SPARE = 2000.0
"""µL of diluent beside what is used, where its volume is not given: troughs have dead volumes of this order."""
MIX_CYCLES = 3
_EXACT = 1e-9
"""Volumes and relative differences below this are rounding."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row; volumes µL, concentrations ng/µL."""

    line: int
    sample: str
    source: str
    destination: str
    concentration: float
    available: float
    target_concentration: float
    target_volume: float


@dataclass(frozen=True, slots=True)
class _Portion:
    """What of a sample and of diluent comes together, µL; ``left_out`` is diluent too little to be moved."""

    sample: Sample
    volume: float
    diluent: float
    left_out: float = 0.0

    @classmethod
    def of(cls, sample: Sample, volume: float, diluent: float, least: float) -> _Portion:
        """The portion with no more diluent left out than less than ``least``."""
        return cls(sample, volume, diluent) if diluent >= least else cls(sample, volume, 0.0, diluent)

    @property
    def concentration(self) -> float:
        """ng/µL in the end."""
        return self.sample.concentration * self.volume / (self.volume + self.diluent)

    def __str__(self) -> str:
        return (
            f"{self.sample.sample}: {show_volume(self.left_out)} of diluent is too little and is left out; it ends at "
            f"{self.concentration:.4g} ng/µL, wanted {self.sample.target_concentration:.4g} ng/µL"
        )


def read_normalisation(table: Table, options: WorklistOptions) -> Worklist:
    """The worklist that ``table`` is.

    Raises:
        FileProblemsError: with everything that is wrong, or with each sample that cannot reach its target
            where the policy is to stop.
    """
    complete = table.require(
        "sample",
        "source plate",
        "source well",
        "concentration",
        "available volume",
        "target concentration",
        "target volume",
    )
    if ("destination plate" in table.columns) != ("destination well" in table.columns):
        complete = table.require("destination plate", "destination well")
    samples = _samples(table, options) if complete else []
    table.problems.raise_any()
    portions, unreachable = _portions(samples, options)
    _stop(table, unreachable)
    if not portions:
        raise FileProblemsError(str(table.path), [Problem(str(table.path), "no sample is left to be normalised")])
    protocol, assumptions = _protocol(table, portions, options)
    return Worklist("normalisation", protocol, unreachable, assumptions, table.ignored)


def _samples(table: Table, options: WorklistOptions) -> list[Sample]:
    cells = Cells(table, frozenset(options.plates), options.plate_wells, options.decimal_comma)
    seen: dict[tuple[str, str], int] = {}
    samples = []
    for row in table.rows():
        name = cells.name(row, "sample")
        source = cells.well(row, "source plate", "source well")
        destination: str | None = None
        if "destination well" in table.columns:
            destination = cells.well(row, "destination plate", "destination well")
            _refuse_twice(table, row, "destination", destination, seen)
        concentration = cells.amount(row, "concentration", "ng/uL", zero=True)
        available = cells.amount(row, "available volume", "uL", zero=True)
        target = cells.amount(row, "target concentration", "ng/uL")
        volume = cells.amount(row, "target volume", "uL")
        _refuse_twice(table, row, "sample", name, seen)
        _refuse_twice(table, row, "source", source, seen)
        if name == options.diluent:
            table.problems.add(row.line, f"the sample '{name}' has the name of the diluent", "Rename one of them")
        if name is None or source is None or concentration is None or available is None:
            continue
        if target is None or volume is None or (destination is None and "destination well" in table.columns):
            continue
        samples.append(Sample(row.line, name, source, destination or source, concentration, available, target, volume))
    return samples if "destination well" in table.columns else _same_positions(samples, options)


def _refuse_twice(table: Table, row: Row, what: str, value: str | None, seen: dict[tuple[str, str], int]) -> None:
    if value is None:
        return
    first = seen.setdefault((what, value), row.line)
    if first != row.line:
        table.problems.add(row.line, f"the {what} {value} stands on line {first} already", "Correct one of them")


def _same_positions(samples: list[Sample], options: WorklistOptions) -> list[Sample]:
    """Each sample's destination: its own position on the destination plate, one such plate for each source plate."""
    plates = {split_well(sample.source)[0] for sample in samples}
    moved = []
    for sample in samples:
        plate, well = split_well(sample.source)
        name = options.destination if len(plates) == 1 else f"{options.destination} {plate}"
        moved.append(replace(sample, destination=f"{name}/{well}"))
    return moved


def _portions(samples: list[Sample], options: WorklistOptions) -> tuple[list[_Portion], tuple[Unreachable, ...]]:
    portions: list[_Portion] = []
    unreachable: list[Unreachable] = []
    for sample in samples:
        usable = max(0.0, sample.available - (options.dead_volume or 0.0))
        dilute = sample.concentration < sample.target_concentration * (1 - _EXACT)
        if not dilute:
            volume = min(
                sample.target_volume, sample.target_volume * sample.target_concentration / sample.concentration
            )
            if volume <= usable + _EXACT:
                portions.append(_Portion.of(sample, volume, sample.target_volume - volume, options.least_diluent))
                continue
        policy = options.too_dilute or options.shortfall if dilute else options.shortfall
        short, portion = _make_do(sample, None if dilute else volume, usable, policy, options.least_diluent)
        unreachable.append(short)
        if portion is not None:
            portions.append(portion)
    return portions, tuple(unreachable)


def _make_do(
    sample: Sample, needed: float | None, usable: float, policy: Policy, least: float
) -> tuple[Unreachable, _Portion | None]:
    """What is done with a sample that cannot reach its target."""
    volume, diluent = 0.0, 0.0
    if policy == "neat":
        volume = min(usable, sample.target_volume)
    elif policy == "smaller volume" and needed is not None:
        volume = usable
        diluent = usable * (sample.concentration / sample.target_concentration - 1)
    portion = _Portion.of(sample, volume, diluent, least) if volume > _EXACT else None
    short = Unreachable(
        sample=sample.sample,
        line=sample.line,
        source=sample.source,
        reason="too dilute" if needed is None else "too little volume",
        concentration=sample.concentration,
        available=usable,
        target_concentration=sample.target_concentration,
        target_volume=sample.target_volume,
        needed=needed,
        policy=policy,
        volume=portion.volume if portion else 0.0,
        diluent=portion.diluent if portion else 0.0,
        final_concentration=portion.concentration if portion else None,
    )
    return short, portion


def _stop(table: Table, unreachable: tuple[Unreachable, ...]) -> None:
    """Raise with each sample for which nothing has been chosen that helps."""
    helpless = [
        short
        for short in unreachable
        if short.policy == "stop" or (short.policy == "smaller volume" and short.needed is None)
    ]
    if not helpless:
        return
    problems = [
        Problem(
            f"{table.path}:{short.line}",
            f"{short.sample} ({short.source}) cannot reach its target: {short.reason}: {short.why}",
        )
        for short in helpless
    ]
    dilute = sum(short.needed is None for short in helpless)
    mend = (
        f"Too dilute: {dilute}, too little volume: {len(helpless) - dilute}. Choose what to do with them: "
        "neat (undiluted), skip, or, for too little volume only, smaller volume"
    )
    raise FileProblemsError(str(table.path), problems, mend=mend)


def _protocol(table: Table, portions: list[_Portion], options: WorklistOptions) -> tuple[Protocol, tuple[str, ...]]:
    thinned = [portion for portion in portions if portion.diluent > _EXACT]
    used = sum(portion.diluent for portion in thinned)
    (diluent_well,) = expand_wells(options.diluent_well)
    trough = split_well(diluent_well)[0]
    held = options.diluent_volume or used + DILUENT_SPARE
    wells = [well for portion in portions for well in (portion.sample.source, portion.sample.destination)]
    labware = options.needs(wells)
    liquids = {portion.sample.sample: _liquid(portion.sample) for portion in portions}
    reachable = options.dead_volume is None
    materials = [
        _material(portion.sample.sample, portion.sample.source, portion.sample.available, reachable=reachable)
        for portion in portions
    ]
    steps: list[Distribute | Transfer] = []
    assumptions: tuple[str, ...] = ()
    if thinned:
        labware.setdefault(trough, options.labware.get(trough, LabwareNeed(category="trough")))
        liquids[options.diluent] = Liquid(name=options.diluent)
        materials.append(_material(options.diluent, diluent_well, held))
        steps.append(_diluent_step(thinned, diluent_well))
        if options.diluent_volume is None:
            said = f"{diluent_well} is taken to hold {show_volume(held)} of {options.diluent}"
            assumptions = (f"{said}, of which {show_volume(used)} are used: check that it is so before the run",)
    assumptions += tuple(str(portion) for portion in portions if portion.left_out > _EXACT)
    if reachable:
        assumptions += (
            "The available volume of a sample is taken to be what can be drawn: what no tip reaches comes on top, "
            "as the set-up says. If it is all that is in the well, give the dead volume",
        )
    protocol = Protocol(
        title=f"Normalise {table.path.stem}",
        description=f"{len(portions)} samples to their target concentration with {options.diluent}",
        labware=labware,
        liquids=liquids,
        materials=tuple(materials),
        steps=(*steps, _sample_step(portions, options)),
    )
    return protocol, assumptions


def _liquid(sample: Sample) -> Liquid:
    return Liquid(name=sample.sample, sample=sample.sample, solutes={SUBSTANCE: sample.concentration})


def _material(liquid: str, well: str, volume: float, *, reachable: bool = False) -> Material:
    return Material.model_validate(
        {"liquid": liquid, "wells": well, "volume": f"{volume!r} uL", "reachable": reachable}
    )


def _diluent_step(portions: list[_Portion], well: str) -> Distribute:
    return Distribute.model_validate(
        {
            "id": "diluent",
            "source": well,
            "destination": [portion.sample.destination for portion in portions],
            "volume": tuple(f"{portion.diluent!r} uL" for portion in portions),
        }
    )


def _sample_step(portions: list[_Portion], options: WorklistOptions) -> Transfer:
    return Transfer.model_validate(
        {
            "id": "samples",
            "source": [portion.sample.source for portion in portions],
            "destination": [portion.sample.destination for portion in portions],
            "volume": tuple(f"{portion.volume!r} uL" for portion in portions),
            "samples": tuple(portion.sample.sample for portion in portions),
            "rows": tuple(f"line {portion.sample.line}" for portion in portions),
            "handling": options.handling or Handling(touch=True, mix_after=MIX_CYCLES),
        }
    )
