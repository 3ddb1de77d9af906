"""What every part of an analysis is built on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Identity = Annotated[str, Field(min_length=1, max_length=1000)]
"""An id, or a name that Opentrons gives: not empty, not endless."""
WellName = Annotated[str, Field(min_length=1, max_length=20)]
"""The name of a well or a tip spot."""
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
"""A number, mm, °C or whatever its field says."""
Measure = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e9)]
"""The same, not negative."""
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e9)]
"""The same, more than 0."""


class Part(BaseModel):
    """A part of an analysis: fields that are not used are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
