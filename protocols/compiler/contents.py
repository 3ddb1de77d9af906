"""What the wells hold while a protocol is compiled: how much, of what, and whether two hold the same.

The compiler needs less than the state of a laboratory, and needs it for wells whose volume nobody told it:
each well has a *token*, equal for two wells only if they certainly hold the same liquid. Volumes µL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from protocols.liquids import Behaviours, Liquid
from protocols.specs import Fill


@dataclass(slots=True)
class Holding:
    """What one well holds.

    Attributes:
        volume: µL; ``None`` for a well that nobody has declared, from which liquid is taken all the same.
        token: equal tokens say equal liquid; ``None`` is an empty well.
        floor: mm above the cavity bottom that a tip must not go below.
    """

    volume: float | None = 0.0
    token: str | None = None
    liquids: frozenset[str] = frozenset()
    floor: float = 0.0


class OnDeck(Protocol):
    """What stands in wells before the protocol begins; volumes µL."""

    def volume(self, well: str) -> float:
        """In a well; 0 for one that is empty or not known."""
        ...

    def composition(self, well: str) -> dict[str, float]:
        """Of each liquid in a well."""
        ...


class Contents:
    """The wells of a deck, followed through a protocol."""

    def __init__(self, liquids: Mapping[str, Liquid], fills: Iterable[Fill], state: OnDeck | None) -> None:
        self._liquids = liquids
        self._wells: dict[str, Holding] = {}
        self._state = state
        self._mixed = 0
        for fill in fills:
            self._pour(fill)

    def _pour(self, fill: Fill) -> None:
        holding = self[fill.well]
        if fill.volume > 0:
            self.receive(fill.well, fill.volume, f"={fill.liquid}", frozenset({fill.liquid}))
        if fill.settled is not None:
            holding.floor = fill.settled_height

    def __getitem__(self, well: str) -> Holding:
        holding = self._wells.get(well)
        if holding is None:
            holding = self._wells[well] = self._from_state(well)
        return holding

    def _from_state(self, well: str) -> Holding:
        if self._state is None:
            return Holding()
        volume = self._state.volume(well)
        if volume <= 0.0:
            return Holding()
        parts = self._state.composition(well)
        if len(parts) == 1:
            token = f"={next(iter(parts))}"
        else:
            token = "&".join(f"{name}:{part / volume:.9f}" for name, part in sorted(parts.items()))
        return Holding(volume, token, frozenset(parts))

    def source(self, well: str) -> Holding:
        """What a well holds from which liquid is taken: one that nobody declared holds something unknown."""
        holding = self[well]
        if holding.token is None and not holding.volume:
            holding.volume = None
            holding.token = f"?{well}"
        return holding

    def take(self, well: str, volume: float) -> None:
        """Take ``volume`` µL out; never below nothing."""
        holding = self[well]
        if holding.volume is not None:
            holding.volume = max(0.0, holding.volume - volume)

    def receive(self, well: str, volume: float, token: str | None, liquids: frozenset[str]) -> None:
        """Add ``volume`` µL of the liquid with this token."""
        holding = self[well]
        if holding.token is None:
            holding.token = token
        elif holding.token != token:
            self._mixed += 1
            holding.token = f"~{self._mixed}"
        holding.liquids |= liquids
        if holding.volume is not None:
            holding.volume += volume

    def behaviours(self, well: str) -> Behaviours:
        """How the liquid in a well departs from water: all that its parts are declared to do."""
        found: set[str] = set()
        for name in self[well].liquids:
            liquid = self._liquids.get(name)
            if liquid is not None:
                found |= liquid.behaviours
        return frozenset(found)  # type: ignore[arg-type]
