"""What every bench step has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from protocols.liquids import Name, Record

Sentence = Annotated[str, Field(min_length=1, max_length=4000)]
"""Free text for a person."""


class Citation(Record):
    """Where a step comes from: a document, and the page and sentence in it where known."""

    document: Sentence
    page: int | None = None
    sentence: str | None = None


class Step(Record):
    """What every step has: an id unique in its protocol, a note for a person, and where it comes from."""

    id: Name
    note: str = ""
    cited: Citation | None = None
