"""Accounts of wells: what each holds if nothing clings to any tip and every stroke reaches all there is. Volumes µL.

A well gives no more than it holds. :func:`assumed` says what wells hold that nobody declared and that are drawn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from protocols.mixtures import Content, Mixture
from protocols.specs import Fill
from protocols.tracing.acts import Stirred
from protocols.tracing.column import DUST
from protocols.tracing.life import Draw, Put

ABSOLUTE, RELATIVE = 1e-9, 1e-11
"""µL, and part of a well's volume, by which accounts may differ: what rounding makes of it."""


class Accounts:
    """What wells hold.

    Attributes:
        most: the most that each well ever held, µL.
    """

    def __init__(self, contents: Iterable[Fill] = ()) -> None:
        self.most: dict[str, float] = {}
        self._wells: dict[str, Content] = {}
        for fill in contents:
            self.give(fill.well, {fill.liquid: fill.volume})

    def copy(self, wells: Iterable[str]) -> Accounts:
        """The same accounts of some wells alone."""
        other = Accounts()
        for well in wells:
            held = self._wells.get(well)
            if held is not None:
                other._wells[well] = copied = Content()
                copied.fill(held.amounts().items())
        return other

    def give(self, well: str, amounts: Mapping[str, float]) -> None:
        """Put liquids into a well, µL of each."""
        held = self._wells.setdefault(well, Content())
        volume = sum(amounts.values())
        if volume > 0.0:
            held.add(Mixture(dict(amounts), volume), volume)
            self.most[well] = max(self.most.get(well, 0.0), held.volume)

    def draw(self, well: str, volume: float) -> dict[str, float]:
        """Draw liquid from a well; what came, µL of each liquid."""
        held = self._wells.get(well)
        if held is None:
            return {}
        moved = held.volume if held.volume - volume <= DUST else volume
        amounts = held.mixture().amounts(moved) if moved > 0.0 else {}
        held.volume -= moved
        return amounts

    def move(self, source: str, destination: str, volume: float) -> None:
        """Draw liquid from one well into another."""
        self.give(destination, self.draw(source, volume))

    def flow(self, events: Iterable[Draw | Put | Stirred]) -> list[str]:
        """Draw into tips and dispense from them, in order; mixing changes nothing. The wells that lacked liquid."""
        short: list[str] = []
        drawn: dict[int, tuple[Draw, dict[str, float]]] = {}
        for event in events:
            if isinstance(event, Draw):
                drawn[event.number] = (event, self.draw(event.well, event.volume))
                if sum(drawn[event.number][1].values()) < event.volume - ABSOLUTE:
                    short.append(event.well)
            elif isinstance(event, Put) and event.well is not None:
                for number, volume in event.parts.items():
                    draw, amounts = drawn[number]
                    share = volume / draw.volume if draw.volume > 0.0 else 0.0
                    self.give(event.well, {liquid: amount * share for liquid, amount in amounts.items()})
        return short

    def well(self, well: str) -> dict[str, float]:
        """µL of each liquid in a well."""
        held = self._wells.get(well)
        return {} if held is None else held.amounts()

    def wells(self) -> dict[str, dict[str, float]]:
        """What each well that was ever filled holds, µL of each liquid."""
        return {well: held.amounts() for well, held in self._wells.items()}

    def differs(self, other: Accounts, wells: Iterable[str]) -> str | None:
        """The first of ``wells`` in which the accounts differ by more than rounding."""
        return next((well for well in wells if not _alike(self.well(well), other.well(well))), None)


def assumed(contents: Iterable[Fill], flow: Iterable[Draw | Put | Stirred]) -> tuple[Fill, ...]:
    """What stands in wells that nobody declared: a liquid of its own in each that gives before it receives any.

    Its volume is all that is drawn from it, what comes back not counted.
    """
    known = {fill.well for fill in contents}
    drawn: dict[str, float] = {}
    for event in flow:
        if isinstance(event, Put):
            if event.well is not None and event.well not in drawn:
                known.add(event.well)
        elif event.well not in known:
            drawn[event.well] = drawn.get(event.well, 0.0) + event.volume
    return tuple(Fill(well=well, liquid=f"?{well}", volume=volume) for well, volume in drawn.items())


def needed(flow: Iterable[Draw | Put | Stirred]) -> dict[str, float]:
    """What each well must hold at the start so that no draw finds too little, µL; 0 for one that needs nothing."""
    level: dict[str, float] = {}
    lowest: dict[str, float] = {}
    for event in flow:
        if event.well is None or isinstance(event, Stirred):
            continue
        change = -event.volume if isinstance(event, Draw) else sum(event.parts.values())
        level[event.well] = level.get(event.well, 0.0) + change
        lowest[event.well] = min(lowest.get(event.well, 0.0), level[event.well])
    return {well: -volume for well, volume in lowest.items()}


def _alike(ours: Mapping[str, float], theirs: Mapping[str, float]) -> bool:
    allowed = ABSOLUTE + RELATIVE * max(sum(ours.values()), sum(theirs.values()))
    return all(
        abs(ours.get(liquid, 0.0) - theirs.get(liquid, 0.0)) <= allowed for liquid in ours.keys() | theirs.keys()
    )
