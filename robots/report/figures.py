"""Numbers and times as they stand in tables and drawings: as many digits as anybody reads, in step down a column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from protocols.quantities import show_duration

_WIDEST_SPAN = 1000.0
"""Values further apart than this factor share no number of decimals that suits them all."""
_NEAR = 1e-9


def show_number(value: float) -> str:
    """A number for a table: at most four significant digits, thousands set apart: ``"9.91"``, ``"1,234"``."""
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.4g}"


def show_clock(seconds: float | None) -> str:
    """A time on the lab's clock, ``""`` where there is none; tenths of a second below a minute."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 59.95 else show_duration(seconds)


def show_wall_time(iso: str) -> str:
    """A UTC time to the second: ``"2026-03-01 10:15:07 UTC"``; what is no such time stays as it is."""
    date, marker, time = iso.partition("T")
    return f"{date} {time[:8]} UTC" if marker else iso


def in_column(values: Iterable[float]) -> Callable[[float], str]:
    """How to write the numbers of one column, so that their decimal points stand below each other.

    The largest gets four significant digits and the others as many decimals; where the values lie too far apart for
    that, or are all whole, each is written by itself.
    """
    sizes = [abs(value) for value in values if abs(value) > _NEAR]
    if not sizes or max(sizes) / min(sizes) > _WIDEST_SPAN or all(abs(size - round(size)) < _NEAR for size in sizes):
        return show_number
    decimals = max(3 - math.floor(math.log10(max(sizes))), 0)
    return lambda value: f"{value:,.{decimals}f}"


def in_few_characters(value: float) -> str:
    """A number that fits a well of a drawing: ``"1024"``, ``"12.5"``, ``"0.25"``, ``"1e-4"``."""
    if value == 0 or value >= 100:
        return f"{value:.0f}"
    if value >= 0.01:
        return f"{value:.3g}" if value >= 1 else f"{value:.2g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"
