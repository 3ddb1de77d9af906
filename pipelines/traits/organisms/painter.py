"""What every construction takes: a canvas, a species, and numbers that vary from one individual to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.traits.organisms.canvas import Canvas, Colour
from pipelines.traits.organisms.taxonomy import Species


@dataclass(frozen=True)
class Sitter:
    """One individual about to be drawn."""

    canvas: Canvas
    species: Species
    rng: np.random.Generator

    def has(self, trait: str) -> str:
        """The state of a trait."""
        return self.species.states[trait]

    def size(self, index: int, middle: float, spread: float) -> float:
        """A proportion: ``middle`` on average, ``spread`` apart between genera, a fifth of that between individuals.

        Args:
            index: which of the species' 16 proportions.
            middle, spread: in body lengths, or whatever is meant; the result stays within 2 spreads of the middle.
        """
        drawn = self.species.proportions[index] + 0.2 * self.rng.normal()
        return middle + spread * float(np.clip(drawn, -2, 2))

    def tint(self, colour: Colour, amount: float = 0.03) -> Colour:
        """A colour as this individual has it: lighter or darker, a little off in hue."""
        drawn = np.asarray(colour) * (1 + amount * 2 * self.rng.normal()) + amount * self.rng.normal(size=3)
        return as_colour(drawn)


def as_colour(values: object) -> Colour:
    """Three numbers clipped to 0 to 1."""
    red, green, blue = (float(v) for v in np.clip(np.asarray(values, dtype=np.float64), 0, 1))
    return red, green, blue


def darker(colour: Colour, share: float) -> Colour:
    """A colour with ``share`` of its brightness taken away; negative makes it lighter, towards white."""
    given = np.asarray(colour)
    return as_colour(given * (1 - share) if share >= 0 else given + (1 - given) * -share)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """``share`` of the other colour in the first."""
    return as_colour(np.asarray(one) * (1 - share) + np.asarray(other) * share)
