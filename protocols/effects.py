"""What physically happened that nobody asked for: what the primitives of LabState return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

EffectKind = Literal[
    "unknown well",
    "unknown labware",
    "unknown site",
    "unknown channel",
    "no tip",
    "no tip at spot",
    "channel has tip",
    "tip does not fit",
    "spot occupied",
    "air drawn",
    "dispensed short",
    "tip overfilled",
    "overflow",
    "foreign liquid",
    "used tip",
    "immersed too deep",
    "settled layer touched",
    "lid in the way",
    "liquid discarded",
    "site occupied",
    "site unsuitable",
    "out of reach",
    "tips in the way",
    "device cannot",
    "latch not closed",
    "latch not open",
    "device shakes",
    "thermocycler closed",
    "set-point refused",
    "no set-point",
]
"""Kinds of effects; ``docs/explanations/semantics.md`` defines each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that happened beside what was asked.

    Attributes:
        place: the well, spot, labware, site or device.
        channel: the channel number, where there is one.
        amount: µL drawn as air, missing, lost or too much; mm too deep or in the way; °C, rpm or mm beyond what a
            device can be set to; 0 where no amount applies.
        liquids: the liquids that a well did not hold before, for "foreign liquid" and "used tip".
    """

    kind: EffectKind
    place: str
    channel: int | None = None
    amount: float = 0.0
    liquids: tuple[str, ...] = field(default=())
