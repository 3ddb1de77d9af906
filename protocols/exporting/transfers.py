"""Which liquid a program moves from which well to which: read off its strokes, tip by tip. Volumes are µL.

What the strokes are asked for counts, not what a dry well or a full tip would make of it: verification says that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from protocols.program import (
    AirGap,
    AnyInstruction,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    PickUpTips,
)

NOTHING = 1e-9
"""µL that count as none."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Liquid that one tip carries from one well into another.

    Attributes:
        instruction: the id of the dispense, or of what else let it out.
        tip: the spot from which the tip was taken; empty if that is not known.
    """

    source: str
    destination: str
    volume: float
    tip: str
    instruction: str
    step: str | None


@dataclass(slots=True)
class _Tip:
    """A tip: what it holds by source, or air (``None``), from the far end to the orifice."""

    spot: str = ""
    segments: list[tuple[dict[str, float], bool]] = field(default_factory=list)

    def draw(self, well: str, volume: float) -> None:
        if self.segments and not self.segments[-1][1]:
            held = self.segments[-1][0]
            held[well] = held.get(well, 0.0) + volume
        else:
            self.segments.append(({well: volume}, False))

    def draw_air(self, volume: float) -> None:
        self.segments.append(({"": volume}, True))

    def push(self, volume: float) -> dict[str, float]:
        """What leaves with ``volume``, by source; liquids that mixed in the tip leave in proportion."""
        left: dict[str, float] = defaultdict(float)
        while self.segments and volume > NOTHING:
            held, is_air = self.segments[-1]
            total = sum(held.values())
            part = min(1.0, volume / total) if total > NOTHING else 1.0
            volume -= part * total
            for well, amount in held.items():
                if not is_air:
                    left[well] += part * amount
                held[well] = amount - part * amount
            if part == 1.0:
                self.segments.pop()
        return left


def follow(instructions: Iterable[AnyInstruction]) -> list[Movement]:
    """Every movement of liquid from well to well, in order; what goes into the trash is among them."""
    tips: dict[tuple[str, int], _Tip] = defaultdict(_Tip)
    found: list[Movement] = []
    for item in instructions:
        match item:
            case PickUpTips(pipette=pipette, channels=channels, spots=spots):
                for channel, spot in zip(channels, spots, strict=True):
                    tips[pipette, channel] = _Tip(spot)
            case DropTips(pipette=pipette, channels=channels):
                for channel in channels:
                    tips.pop((pipette, channel), None)
            case Aspirate(pipette=pipette, channels=channels, wells=wells, volumes=volumes):
                for channel, well, volume in zip(channels, wells, volumes, strict=True):
                    tips[pipette, channel].draw(well, volume)
            case AirGap(pipette=pipette, channels=channels, volumes=volumes):
                for channel, volume in zip(channels, volumes, strict=True):
                    tips[pipette, channel].draw_air(volume)
            case Dispense(volumes=volumes):
                found += _let_out(tips, item, volumes)
            case BlowOut(channels=channels):
                found += _let_out(tips, item, [float("inf")] * len(channels))
    return found


def _let_out(tips: dict[tuple[str, int], _Tip], item: Dispense | BlowOut, volumes: Sequence[float]) -> list[Movement]:
    found = []
    for channel, well, volume in zip(item.channels, item.wells, volumes, strict=True):
        tip = tips[item.pipette, channel]
        for source, amount in tip.push(volume).items():
            if amount > NOTHING:
                found.append(Movement(source, well, amount, tip.spot, item.id, item.step))
    return found
