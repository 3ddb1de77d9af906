"""What a tip holds, followed by where it was drawn: a stack of liquid and air, no film. Volumes µL."""

from __future__ import annotations

from dataclasses import dataclass, field

DUST = 1e-9
"""µL below which a volume is rounding."""


@dataclass(slots=True)
class Segment:
    """Liquid, as µL by the number of the draw that took it; or air, where there are no ``parts``."""

    volume: float
    parts: dict[int, float] = field(default_factory=dict)

    def take(self, volume: float) -> dict[int, float]:
        """Take ``volume`` µL out; what went, by draw."""
        if self.volume - volume <= DUST:
            taken, self.parts, self.volume = self.parts, {}, 0.0
            return taken
        share = volume / self.volume
        taken = {draw: part * share for draw, part in self.parts.items()}
        self.parts = {draw: part - taken[draw] for draw, part in self.parts.items()}
        self.volume -= volume
        return taken


class Column:
    """The stack in one tip; the last segment is at the orifice."""

    __slots__ = ("segments",)

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def liquid(self) -> float:
        """µL of liquid."""
        return sum(segment.volume for segment in self.segments if segment.parts)

    def draw(self, number: int, volume: float) -> None:
        """Draw ``volume`` µL of liquid as draw ``number``: it mixes with liquid at the orifice."""
        if volume <= 0.0:
            return
        if self.segments and self.segments[-1].parts:
            last = self.segments[-1]
            last.parts[number] = last.parts.get(number, 0.0) + volume
            last.volume += volume
        else:
            self.segments.append(Segment(volume, {number: volume}))

    def draw_air(self, volume: float) -> None:
        """Draw ``volume`` µL of air."""
        if self.segments and not self.segments[-1].parts:
            self.segments[-1].volume += volume
        elif volume > 0.0:
            self.segments.append(Segment(volume))

    def push(self, volume: float) -> dict[int, float]:
        """Push ``volume`` µL out at the orifice; the liquid that went, µL by draw."""
        gone: dict[int, float] = {}
        while volume > DUST and self.segments:
            last = self.segments[-1]
            part = min(volume, last.volume)
            volume -= part
            for draw, amount in last.take(part).items():
                gone[draw] = gone.get(draw, 0.0) + amount
            if last.volume <= DUST:
                self.segments.pop()
        return gone

    def empty(self) -> dict[int, float]:
        """Take everything out; the liquid, µL by draw."""
        gone: dict[int, float] = {}
        for segment in self.segments:
            for draw, amount in segment.parts.items():
                gone[draw] = gone.get(draw, 0.0) + amount
        self.segments.clear()
        return gone
