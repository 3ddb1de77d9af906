"""What a person says about a worklist beside the file itself, and what comes of reading it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from protocols.errors import InputError
from protocols.formats.cells import PLATE_SHAPES
from protocols.protocol import Handling, LabwareNeed, Protocol
from protocols.wells import split_well

Policy = Literal["stop", "neat", "smaller volume", "skip"]
"""What to do with a sample that cannot reach its target.

"stop": refuse the worklist. "neat": transfer what there is, up to the target volume, undiluted. "smaller
volume": keep the target concentration and make less of it (helps a sample of too little volume, never one
that is too dilute). "skip": leave it out.
"""


@dataclass(frozen=True, kw_only=True)
class WorklistOptions:
    """How to read a worklist; volumes are µL.

    Attributes:
        plates: names of plates that may occur; empty allows any.
        plate_wells: how many wells each plate has.
        decimal_comma: numbers are written with a decimal comma; refused otherwise, never guessed.
        pool: several rows may fill one destination well.
        labware: more about a plate, by name: its kind, its place.
        source_volume: what each source well of a cherry-pick holds; else it is inferred and said.
        dead_volume: what cannot be had from a source well: what no tip reaches, and the film that clings to a tip (up
            to 1 % of its capacity); ``None`` if it is not known.
        shortfall: what to do with samples that cannot reach their target.
        too_dilute: the same for those that are too dilute; ``None``: as ``shortfall``.
        destination: the plate of normalised samples, where the worklist names none.
        diluent: name of the diluent.
        diluent_well: where it stands.
        diluent_volume: how much of it stands there; else it is inferred and said.
        least_diluent: less diluent than this is left out, and said: no tip would move it.
        handling: how samples are moved; ``None``: the reader's own choice.

    Raises:
        InputError: a value that is none of the possible ones.
    """

    plates: tuple[str, ...] = ()
    plate_wells: int = 96
    decimal_comma: bool = False
    pool: bool = False
    labware: Mapping[str, LabwareNeed] = field(default_factory=dict)
    source_volume: float | None = None
    dead_volume: float | None = None
    shortfall: Policy = "stop"
    too_dilute: Policy | None = None
    destination: str = "normalised"
    diluent: str = "TE buffer"
    diluent_well: str = "diluent/A1"
    diluent_volume: float | None = None
    least_diluent: float = 0.0
    handling: Handling | None = None

    def __post_init__(self) -> None:
        if self.plate_wells not in PLATE_SHAPES:
            known = ", ".join(map(str, PLATE_SHAPES))
            raise InputError(f"there is no plate of {self.plate_wells} wells", mend=f"Possible: {known}")
        for policy in (self.shortfall, self.too_dilute):
            if policy is not None and policy not in get_args(Policy):
                known = ", ".join(get_args(Policy))
                raise InputError(f"'{policy}' is no way to handle a shortfall", mend=f"Possible: {known}")
        for name in ("source_volume", "dead_volume", "diluent_volume", "least_diluent"):
            volume = getattr(self, name)
            least = 0.0 if name in ("dead_volume", "least_diluent") else 1e-3
            if volume is not None and not (math.isfinite(volume) and volume >= least):
                raise InputError(f"{name.replace('_', ' ')}: {volume} µL is not a volume", mend="Give it in µL")

    def needs(self, wells: Iterable[str]) -> dict[str, LabwareNeed]:
        """The plates that ``wells`` lie in, each with what is known of it."""
        plates = dict.fromkeys(split_well(well)[0] for well in wells)
        return {plate: self.labware.get(plate, LabwareNeed()) for plate in plates}


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """A sample that cannot reach its target, and what is done with it.

    Attributes:
        line: of the worklist, from 1.
        source: its well.
        concentration, target_concentration: ng/µL.
        available: µL there is of it.
        target_volume: µL.
        needed: µL of it that the target would take; ``None`` where no volume suffices (too dilute).
        policy: what was chosen.
        volume: µL of the sample that are moved; 0 if none.
        diluent: µL of diluent that are added.
        final_concentration: ng/µL that its destination has in the end; ``None`` if nothing is moved.
    """

    sample: str
    line: int
    source: str
    reason: Literal["too dilute", "too little volume"]
    concentration: float
    available: float
    target_concentration: float
    target_volume: float
    needed: float | None
    policy: Policy
    volume: float = 0.0
    diluent: float = 0.0
    final_concentration: float | None = None

    @property
    def why(self) -> str:
        """Why the target cannot be reached, in words."""
        if self.needed is None:
            return f"{self.concentration:g} ng/µL is below the target of {self.target_concentration:g} ng/µL"
        return f"it takes {self.needed:.4g} µL and {self.available:.4g} µL can be had"

    @property
    def done(self) -> str:
        """What is done with it, in words."""
        if not self.volume or self.final_concentration is None:
            return "left out"
        made = f"{self.volume + self.diluent:.4g} µL at {self.final_concentration:.4g} ng/µL"
        return f"undiluted, {made}" if self.policy == "neat" else f"less of it, {made}"

    def __str__(self) -> str:
        return f"{self.sample} ({self.source}): {self.reason}: {self.why}; {self.done}"


@dataclass(frozen=True)
class Worklist:
    """A worklist that has been read.

    Attributes:
        protocol: what it asks for.
        unreachable: the samples that cannot reach their target.
        assumptions: what the file does not say and was assumed; a person should confirm each.
        ignored_columns: headers of columns that were not used.
    """

    kind: Literal["cherry-pick", "normalisation"]
    protocol: Protocol
    unreachable: tuple[Unreachable, ...] = ()
    assumptions: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()
