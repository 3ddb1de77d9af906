"""What every instruction of a program has, and the types its fields are made of."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from protocols.liquids import Amount, Name

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
"""Unknown fields, NaN and infinity are refused."""

Channels = tuple[Annotated[int, Field(ge=0, lt=384)], ...]
"""Channel numbers of one pipette, from 0."""
References = tuple[Name, ...]
"""Wells or tip spots, "labware/A1"."""
Amounts = tuple[Amount, ...]
"""One number for each channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """When an instruction may start, s after the run's start; ``None`` leaves that end open."""

    earliest: float | None = None
    latest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Instruction:
    """What every instruction has.

    Attributes:
        id: stable and unique in its program.
        step: the id of the bench step it came from.
        after: ids of the instructions it waits for; ``None`` means the one before it.
        window: when it may start.
    """

    repeatable: ClassVar[bool] = False
    """Doing it twice does no harm."""

    id: Name
    step: Name | None = None
    after: tuple[Name, ...] | None = None
    window: TimeWindow | None = None
