"""The form in which a model describes a region: flat, with every field required, as strict servers take it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Words = Annotated[str, Field(max_length=120)]
CONDITIONS = ("view", "sex", "life_stage", "caste", "damage")
"""Fields of a description that bound what it says."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seen(_Answer):
    """A character of the part, and what is seen of it."""

    character: Words = Field(description="id of a character from the list, or your own words if none fits")
    state: Words = Field(description="id of one of its states, a number, or your own words; empty unless observed")
    standing: Literal["observed", "absent", "not visible", "inapplicable", "unknown"]
    confidence: float = Field(ge=0, le=1, description="how likely this is right, 0 to 1")


class Description(_Answer):
    """What one region shows."""

    shows: Literal["organism", "background", "label"]
    part: Words = Field(description="the part of the organism in the region, in your own words")
    characters: list[Seen] = Field(max_length=32)
    text: str = Field(max_length=1200, description="what the region shows, in one to three sentences")
    view: Words = Field(description="side from which the organism is seen, or unknown")
    sex: Words = Field(description="as seen, or unknown")
    life_stage: Words = Field(description="as seen, or unknown")
    caste: Words = Field(description="of social insects, as seen, or unknown")
    damage: Words = Field(description="what is broken, worn or missing in the region, none, or unknown")
