"""A tip and the column of liquid and air in it."""

from __future__ import annotations

from typing import Any

from protocols.mixtures import Content, Mixture, blend
from protocols.specs import TipSpec

DUST = 1e-9
"""µL below which a volume is rounding, not liquid."""

_GONE = 1e-12
"""µL below which a segment has left the tip."""


def part(wanted: float, held: float) -> float:
    """``wanted`` µL of what is ``held``, or all of it where no more than rounding would stay behind."""
    return wanted if held - wanted > DUST else held


class Tip:
    """One tip: where it came from and what is in it.

    From the orifice inwards the column is: ``gap`` µL of air, ``volume`` µL of ``mixture``, then the segments in
    ``deeper``, the last first, each a (volume, mixture, gap) of its own.

    Attributes:
        spot: the rack position it came from; its name.
        wet: the composition it was wet with last; ``None`` while it is dry.
        given: a composition of the liquids that it drew from wells and still carries; ``None`` while it carries no
            more than a film. Only which liquids it names counts.
        dispensed: it has dispensed since it drew: what is in it when it draws again is a rest.
        film: µL that the liquid class used last leaves on its wall.
        transport_air, blow_out_air: µL of air that take room and are not counted in a stroke.
    """

    __slots__ = (
        "blow_out_air",
        "capacity",
        "deeper",
        "dispensed",
        "film",
        "gap",
        "given",
        "length",
        "mixture",
        "spec",
        "spot",
        "transport_air",
        "volume",
        "wet",
    )

    def __init__(self, spec: TipSpec, spot: str) -> None:
        self.spec = spec
        self.spot = spot
        self.capacity = spec.capacity
        self.length = spec.length
        self.volume = 0.0
        self.mixture: Mixture | None = None
        self.gap = 0.0
        self.deeper: list[tuple[float, Mixture | None, float]] = []
        self.wet: Mixture | None = None
        self.film = 0.0
        self.transport_air = 0.0
        self.blow_out_air = 0.0
        self.given: Mixture | None = None
        self.dispensed = False

    def liquid(self) -> float:
        """µL of liquid."""
        return self.volume + sum(volume for volume, _, _ in self.deeper) if self.deeper else self.volume

    def segments(self) -> list[tuple[float, Mixture | None]]:
        """Volume and mixture of each piece of liquid, the farthest from the orifice first."""
        return [*((volume, mixture) for volume, mixture, _ in self.deeper), (self.volume, self.mixture)]

    def air(self) -> float:
        """µL of air in segments."""
        return self.gap + sum(gap for _, _, gap in self.deeper) if self.deeper else self.gap

    def column(self) -> float:
        """µL of liquid and air in segments: what a stroke can push out."""
        return self.liquid() + self.air()

    def taken(self) -> float:
        """µL of all that takes room."""
        return self.column() + self.transport_air + self.blow_out_air

    def draw(self, mixture: Mixture, volume: float) -> None:
        """Take in ``volume`` > 0 µL at the orifice: it mixes with liquid there, or follows air."""
        if self.gap > 0.0:
            self.deeper.append((self.volume, self.mixture, self.gap))
            self.volume, self.gap, self.mixture = volume, 0.0, mixture
        elif self.volume <= 0.0 or self.mixture is None:
            self.volume, self.mixture = volume, mixture
        else:
            self.mixture = blend(self.mixture, self.volume, mixture, volume)
            self.volume += volume
        self.wet = self.mixture

    def take(self, mixture: Mixture, volume: float) -> None:
        """Draw ``volume`` > 0 µL from a well: the tip was given these liquids."""
        given, before, gap = None if self.dispensed else self.given, self.mixture, self.gap
        self.dispensed = False
        self.draw(mixture, volume)
        held = self.mixture
        if given is None:
            alike = held is mixture or (held is not None and not mixture.lacks(held))
            self.given = held if alike else mixture
        elif given is before and not gap:
            self.given = held
        else:
            self.given = Mixture(dict.fromkeys((*given.liquids(), *mixture.liquids()), 1.0), 1.0)

    def forget_film(self, film: float) -> None:
        """A tip that holds no more than a film carries nothing that it was given."""
        if self.given is not None and self.liquid() <= film + DUST:
            self.given = None

    def push(self, stroke: float, film: float) -> list[tuple[Mixture, float]]:
        """Push ``stroke`` µL out at the orifice; what was delivered.

        The ``film`` µL of liquid farthest from the orifice cling to the wall; the air behind them goes on past them.
        """
        delivered: list[tuple[Mixture, float]] = []
        spare = max(0.0, self.liquid() - film)
        clinging: list[tuple[float, Mixture | None, float]] = []
        while True:
            escaped = self.gap if self.gap - stroke <= _GONE else stroke
            self.gap -= escaped
            stroke -= escaped
            moved = min(self.volume, stroke, spare)
            if moved > 0.0 and self.mixture is not None:
                delivered.append((self.mixture, moved))
                self.volume -= moved
                stroke -= moved
                spare -= moved
            if stroke <= 0.0 or not self.deeper:
                break
            clinging.append((self.volume, self.mixture, self.gap))
            self.volume, self.mixture, self.gap = self.deeper.pop()
        self._close_up(clinging)
        if self.volume > 0.0 and not self.gap:
            self.wet = self.mixture
        elif delivered:
            self.wet = delivered[-1][0]
        return delivered

    def empty(self) -> None:
        """Let go of everything, what clings to the wall and all air too; what passed the orifice last wets it."""
        last = next((mixture for volume, mixture in self.segments() if mixture is not None and volume > 0.0), None)
        self.wet = last or self.wet
        self.deeper = []
        self.volume = self.gap = self.transport_air = self.blow_out_air = 0.0
        self.mixture = self.given = None

    def vent(self) -> None:
        """Let all air out, as where nothing holds it any more: pieces of liquid come together."""
        segments, wet = self.segments(), self.wet
        self.deeper, self.volume, self.mixture = [], 0.0, None
        self.gap = self.transport_air = self.blow_out_air = 0.0
        for volume, mixture in segments:
            if mixture is not None and volume > 0.0:
                self.draw(mixture, volume)
        if self.volume <= 0.0:
            self.wet = wet

    def _close_up(self, passed: list[tuple[float, Mixture | None, float]]) -> None:
        """Join what touches: the segments that a stroke ``passed``, the outermost first, and what is behind them."""
        if self.volume <= _GONE and self.deeper:
            self.volume, self.mixture, gap = self.deeper.pop()
            self.gap += gap
        for volume, mixture, gap in reversed(passed):
            if volume > _GONE and mixture is not None:
                self.draw(mixture, volume)
            self.gap += gap

    def stir(self, well: Content, film: float) -> None:
        """Bring all liquid of tip and well together; the tip keeps what it had, at least ``film``; air leaves."""
        if self.deeper:
            for volume, mixture, _ in self.deeper:
                if mixture is not None and volume > 0.0:
                    well.add(mixture, volume)
        held = self.liquid()
        self.deeper = []
        self.gap = 0.0
        if self.mixture is not None and self.volume > 0.0:
            well.add(self.mixture, self.volume)
        kept = min(max(held, film), well.volume)
        if well.volume > 0.0:
            self.mixture = self.wet = well.mixture()
        self.volume = kept
        well.volume -= kept
        if self.given is not None:
            self.given = self.mixture if kept > film + DUST else None

    def pour_into(self, content: Content) -> None:
        """Add all liquid to ``content``; the tip itself is gone after that."""
        for volume, mixture in self.segments():
            if mixture is not None and volume > 0.0:
                content.add(mixture, volume)

    def amounts(self) -> dict[str, float]:
        """µL of each liquid."""
        content = Content()
        self.pour_into(content)
        return content.amounts()

    def snapshot(self) -> dict[str, Any]:
        """This tip as plain JSON."""
        segments = [
            [volume, mixture.amounts(1.0) if mixture else None, gap]
            for volume, mixture, gap in (*self.deeper, (self.volume, self.mixture, self.gap))
        ]
        return {
            "spot": self.spot,
            "kind": self.spec.kind,
            "segments": segments,
            "wet": self.wet.amounts(1.0) if self.wet else None,
            "film": self.film,
            "transport_air": self.transport_air,
            "blow_out_air": self.blow_out_air,
            "given": sorted(self.given.liquids()) if self.given else None,
            "dispensed": self.dispensed,
        }

    @classmethod
    def restore(cls, spec: TipSpec, data: dict[str, Any]) -> Tip:
        """The tip that ``snapshot`` wrote."""
        tip = cls(spec, data["spot"])
        *deeper, last = [
            (volume, Mixture(parts, 1.0) if parts else None, gap) for volume, parts, gap in data["segments"]
        ]
        tip.deeper = deeper
        tip.volume, tip.mixture, tip.gap = last
        tip.wet = Mixture(data["wet"], 1.0) if data["wet"] else None
        tip.film, tip.transport_air = data["film"], data["transport_air"]
        tip.blow_out_air = data["blow_out_air"]
        tip.given = Mixture(dict.fromkeys(data["given"], 1.0), 1.0) if data["given"] else None
        tip.dispensed = data["dispensed"]
        return tip
