"""Parts that a describer made up: in no vocabulary, or described where no organism is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pipelines.traits.checking.doubts import ON_BACKGROUND, UNKNOWN_PART, doubted
from pipelines.traits.statements import Statement

WHOLE = ("region", "organism", "whole organism", "body")
"""Words for what is no part."""
LEAST_ON_ORGANISM = 0.2
"""Share of a region that must lie on the organism before a part of it can be described."""


def check_parts(
    statements: Sequence[Statement],
    *,
    known: Collection[str] | None = (),
    on_organism: Mapping[tuple[str, int], float] | None = None,
) -> list[Statement]:
    """Doubt parts that neither the ontology nor ``known`` has, and parts described on background.

    Args:
        statements: of any describers; a part with a term is in the ontology.
        known: further parts, as the describers name them, in any case; ``None``: no part is taken for made up.
        on_organism: by image and latent the share of the region that lies on the organism, 0 to 1, as measured.
    """
    words = None if known is None else {word.casefold() for word in (*WHOLE, *known)}
    return [_checked(one, words, on_organism or {}) for one in statements]


def _checked(one: Statement, words: set[str] | None, on_organism: Mapping[tuple[str, int], float]) -> Statement:
    named = one.standing in ("observed", "absent") and not one.part_term
    if named and words is not None and one.part.strip().casefold() not in words:
        one = doubted(one, UNKNOWN_PART)
    if one.standing == "observed" and on_organism.get((one.image, one.latent), 1.0) < LEAST_ON_ORGANISM:
        one = doubted(one, ON_BACKGROUND)
    return one
