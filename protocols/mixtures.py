"""Liquids mixed together: what is in a well or a tip, by liquid.

A :class:`Mixture` is an immutable map of amounts that is shared by reference, so that drawing from a well
copies nothing. A :class:`Content` is a volume of one mixture to which more can be added; it owns its map
until someone draws from it, and copies the map once when more is added after that. Amounts in a map are relative
to its ``total``: a volume of the mixture can change without touching the map.
"""

from __future__ import annotations

from collections.abc import Iterable

TRACE = 1e-6
"""A composition holds a liquid that is more than this fraction of it; less is what rounding, or a carry-over that was
judged already, has left."""
_LARGEST_SCALE = 1e12
"""Beyond this ratio of map to volume the map is written anew, long before floats could overflow."""


class Mixture:
    """A composition: ``parts`` are relative amounts by liquid that add up to ``total``. Never changed."""

    __slots__ = ("parts", "total")

    def __init__(self, parts: dict[str, float], total: float) -> None:
        self.parts = parts
        self.total = total

    @classmethod
    def pure(cls, liquid: str) -> Mixture:
        """A composition of one liquid alone."""
        return cls({liquid: 1.0}, 1.0)

    def amounts(self, volume: float) -> dict[str, float]:
        """µL of each liquid in ``volume`` µL of this mixture."""
        scale = volume / self.total
        return {liquid: part * scale for liquid, part in self.parts.items()}

    def holds(self, liquid: str) -> bool:
        """Whether more than a :data:`TRACE` of this composition is ``liquid``."""
        return self.parts.get(liquid, 0.0) > TRACE * self.total

    def liquids(self) -> tuple[str, ...]:
        """The liquids that this composition holds, each more than a :data:`TRACE` of it."""
        return tuple(filter(self.holds, self.parts))

    def lacks(self, other: Mixture) -> tuple[str, ...]:
        """The liquids that ``other`` holds and this one does not, each more than a :data:`TRACE` of its composition."""
        if other is self:
            return ()
        return tuple(liquid for liquid in other.parts if other.holds(liquid) and not self.holds(liquid))


class Content:
    """A volume (µL) of one mixture, to which more can be added.

    Attributes:
        volume: µL; may be lowered freely.
        parts, total: the mixture's relative amounts and their sum.
    """

    __slots__ = ("_shared", "parts", "total", "volume")

    def __init__(self) -> None:
        self.volume = 0.0
        self.parts: dict[str, float] = {}
        self.total = 0.0
        self._shared: Mixture | None = None

    def mixture(self) -> Mixture:
        """The composition, shared: later additions leave it as it is."""
        shared = self._shared
        if shared is None:
            shared = self._shared = Mixture(self.parts, self.total)
        return shared

    def add(self, mixture: Mixture, volume: float) -> None:
        """Add ``volume`` µL of ``mixture``."""
        shared = self._shared
        if shared is mixture:
            self.volume += volume
            return
        own = self.volume
        if own <= 0.0:
            self.parts = mixture.parts
            self.total = mixture.total
            self._shared = mixture
            self.volume = volume
            return
        total = self.total
        if not 1.0 / _LARGEST_SCALE < total / own < _LARGEST_SCALE:
            scale = own / total
            self.parts = {liquid: part * scale for liquid, part in self.parts.items()}
            self._shared = None
            total = own
        elif shared is not None:
            self.parts = self.parts.copy()
            self._shared = None
        grown = total * volume / own
        scale = grown / mixture.total
        parts = self.parts
        for liquid, part in mixture.parts.items():
            if liquid in parts:
                parts[liquid] += part * scale
            else:
                parts[liquid] = part * scale
        self.total = total + grown
        self.volume = own + volume

    def amounts(self) -> dict[str, float]:
        """µL of each liquid."""
        if self.volume <= 0.0:
            return {}
        scale = self.volume / self.total
        return {liquid: part * scale for liquid, part in self.parts.items()}

    def fill(self, amounts: Iterable[tuple[str, float]]) -> None:
        """Make this content exactly ``amounts`` (liquid, µL)."""
        self.parts = dict(amounts)
        self.volume = self.total = sum(self.parts.values())
        self._shared = None


def blend(first: Mixture, first_volume: float, second: Mixture, second_volume: float) -> Mixture:
    """The composition of two volumes (µL) put together; one of them unchanged where the other adds nothing."""
    if first is second or second_volume <= 0.0:
        return first
    if first_volume <= 0.0:
        return second
    scale = first_volume / first.total
    parts = {liquid: part * scale for liquid, part in first.parts.items()}
    scale = second_volume / second.total
    for liquid, part in second.parts.items():
        if liquid in parts:
            parts[liquid] += part * scale
        else:
            parts[liquid] = part * scale
    return Mixture(parts, first_volume + second_volume)
