"""What comes to light while instructions are written: wells that cannot give or take what is asked. Volumes µL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from protocols.errors import CompileError
from protocols.quantities import show_volume

_LISTED = 20
"""How many wells an error names."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A well that does not hold what is to be taken from it.

    Attributes:
        needed: µL that one stroke asks.
        reachable: µL that it can reach.
    """

    step: str
    well: str
    needed: float
    reachable: float
    dead_volume: float

    def __str__(self) -> str:
        return (
            f"step '{self.step}': {self.well} gives {show_volume(self.reachable)} "
            f"({show_volume(self.dead_volume)} stay behind) where {show_volume(self.needed)} are needed"
        )


@dataclass(frozen=True, slots=True)
class Overflow:
    """A well that gets more than it holds: ``volume`` µL in all where ``most`` fit."""

    step: str
    well: str
    volume: float
    most: float

    def __str__(self) -> str:
        return (
            f"step '{self.step}': {self.well} would get {show_volume(self.volume)}, it holds {show_volume(self.most)}"
        )


@dataclass(slots=True)
class Findings:
    """What came to light while writing instructions."""

    shortages: list[Shortage] = field(default_factory=list)
    overflows: dict[str, Overflow] = field(default_factory=dict)
    slowed: set[str] = field(default_factory=set)
    """Liquid classes whose flow rates were lowered to the workcell's limit."""
    undeclared: dict[str, float] = field(default_factory=dict)
    """µL that wells nobody declared must hold."""
    without_geometry: set[str] = field(default_factory=set)
    lowered_mixes: set[str] = field(default_factory=set)
    drawn: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """µL drawn from each well in all."""

    def complain(self) -> None:
        """Raise if a well cannot give or take what is asked.

        Raises:
            CompileError: naming the first of them.
        """
        short, over = self.shortages, tuple(self.overflows.values())
        _raise_any(short, "a well does not hold enough", "Put more into these wells, or ask for less")
        _raise_any(over, "a well would run over", "Ask for a deeper kind of labware, or for less")

    def in_words(self, flow_limit: float) -> tuple[str, ...]:
        """What a person should know of them; ``flow_limit`` is the workcell's, µL/s."""
        notes = []
        if self.undeclared:
            notes.append(f"{len(self.undeclared)} wells are drawn from that no material declares")
        if self.without_geometry:
            notes.append(
                f"in {len(self.without_geometry)} wells the surface is unknown (geometry or volume not "
                "given): heights there are the default, 1 mm above the bottom, or the labware's top for a jet"
            )
        if self.slowed:
            slowed = _few(sorted(self.slowed))
            notes.append(f"flow rates are lowered to the workcell's limit of {flow_limit:g} µL/s: {slowed}")
        notes += [
            f"step '{step}': mixing strokes are smaller than asked where tip or well has no room"
            for step in sorted(self.lowered_mixes)
        ]
        return tuple(notes)


def _raise_any(found: Sequence[Shortage | Overflow], what: str, mend: str) -> None:
    if not found:
        return
    times = f", {len(found)} times" if len(found) > 1 else ""
    lines = [f"  {one}" for one in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"  and {len(found) - _LISTED} more")
    listed = "\n".join(lines)
    raise CompileError(f"{what}{times}:\n{listed}", where=f"step '{found[0].step}'", mend=f"\n{mend}")


def _few(names: Sequence[str]) -> str:
    return "; ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
