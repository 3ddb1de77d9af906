"""Saying what a person may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the known names nearest to ``name``."""
    names = sorted(known)
    lower = {known.lower(): known for known in reversed(names)}
    found = [lower[match] for match in get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    if found:
        return "Did you mean " + " or ".join(f"'{match}'" for match in found) + "?"
    if not names:
        return "There is none"
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"Known are: {shown}"
