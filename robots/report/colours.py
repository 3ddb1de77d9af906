"""Colours of the report: told apart by lightness or by hues that colour-blind readers distinguish.

The categories are those of Okabe and Ito, "Color Universal Design" (2008), jfly.uni-koeln.de/color; the
sequences rise in darkness alone, so that they also read in grey print.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

SAMPLES = "#e69f00"
CATEGORIES = ("#56b4e9", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#f0e442")
OTHER = "#9a9a9a"
VOLUME = ("#eef4fb", "#c3d9ee", "#86b6dc", "#4a8fc6", "#1f63a3")
CONCENTRATION = ("#fdf3e4", "#fbdcae", "#f4b26a", "#de8137", "#b5561a")


def shade(sequence: Sequence[str], fraction: float) -> str:
    """The colour at ``fraction`` (0 to 1, clipped) along ``sequence``, linear between its entries."""
    position = min(max(fraction, 0.0), 1.0) * (len(sequence) - 1)
    index = min(int(position), len(sequence) - 2)
    low, high = _channels(sequence[index]), _channels(sequence[index + 1])
    part = position - index
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(low, high, strict=True))


@cache
def ink_on(colour: str) -> str:
    """Black or white, whichever is easier to read on ``colour``; one of them always reaches a contrast of 4.5."""
    black, white = "#000000", "#ffffff"
    return max((black, white), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
