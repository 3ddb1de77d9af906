"""Words that a model should not have written: names of taxa, and lengths that it cannot know."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from pipelines.traits.checking.doubts import BY_EYE, NAMES_TAXON, doubted
from pipelines.traits.statements import Statement

_UNITS = r"mm|cm|µm|μm|um|nm|inch|inches|millimet\w+|centimet\w+|micromet\w+|microns?"
_LENGTH = re.compile(rf"\d\s*({_UNITS})\b", re.IGNORECASE)


def check_names(statements: Sequence[Statement], names_in: Callable[[str], Collection[str]]) -> list[Statement]:
    """Doubt what a model says in words that name a taxon: it may have recognised it, or read it from a label.

    Args:
        statements: of any describers; those of people and measurements are left alone.
        names_in: the names that a text holds.
    """
    return [doubted(one, NAMES_TAXON) if _by_model(one) and names_in(_words(one)) else one for one in statements]


def check_lengths(statements: Sequence[Statement]) -> list[Statement]:
    """Doubt lengths that a model gives: it sees pixels, and no scale was read."""
    return [doubted(one, BY_EYE) if _by_model(one) and _LENGTH.search(_words(one)) else one for one in statements]


def _by_model(statement: Statement) -> bool:
    return statement.describer.kind == "model"


def _words(statement: Statement) -> str:
    return " | ".join((statement.part, statement.state, statement.text))
