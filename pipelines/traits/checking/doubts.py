"""Doubts: what a check holds against a statement. A statement with doubts is kept and marked, never erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipelines.traits.statements import Statement

NO_ANSWER = "no answer"
INCOHERENT = "incoherent"
CONTRADICTS_KEY = "contradicts the key of"
UNKNOWN_PART = "part in no vocabulary"
IMPOSSIBLE_PART = "part cannot be there"
ON_BACKGROUND = "said of background"
DIFFERS_ACROSS_IMAGES = "differs from other images of the taxon"
DIFFERS_ACROSS_REPEATS = "differs between repeated prompts"
SAME_ELSEWHERE = "same of another region"
SAME_WHEN_BLANK = "same of a blank image"
NAMES_TAXON = "names a taxon"
BY_EYE = "length by eye"
SELDOM_RIGHT = "seldom right at this confidence"

DOUBTS: Mapping[str, str] = {
    NO_ANSWER: "The model refused, answered in no usable form, or could not be reached; what follows says which.",
    INCOHERENT: "The statement breaks a rule of its own standing; what follows says which.",
    CONTRADICTS_KEY: "A part or a number of parts that no member of the named group has, by a published key.",
    UNKNOWN_PART: "The part is a word that neither the ontology nor the list of known parts has.",
    IMPOSSIBLE_PART: "The part does not exist at the life stage that the same answer names.",
    ON_BACKGROUND: "A part is described in a region that lies on background.",
    DIFFERS_ACROSS_IMAGES: "The state is that of few specimens of the taxon, too few to be a second form of it.",
    DIFFERS_ACROSS_REPEATS: "Fewer than two thirds of the answers to the same question say so.",
    SAME_ELSEWHERE: "The description did not change when another region of the image was shown.",
    SAME_WHEN_BLANK: "The description did not change when a blank image was shown.",
    NAMES_TAXON: "The words name a taxon of the collection: the model may recite what it knows of it.",
    BY_EYE: "A model gives a length that nothing in the picture lets it know.",
    SELDOM_RIGHT: "People who reviewed statements of this confidence found fewer right than the bar asks for.",
}
"""Each doubt and what it means. Some are followed by what they are about."""


def doubted(statement: Statement, doubt: str) -> Statement:
    """The statement with one more doubt, once."""
    return statement if doubt in statement.doubts else replace(statement, doubts=(*statement.doubts, doubt))


def kind_of(doubt: str) -> str:
    """Which of :data:`DOUBTS` a doubt is, whatever follows its name; empty for none of them."""
    return next((name for name in DOUBTS if doubt == name or doubt.startswith((f"{name} ", f"{name}:"))), "")
