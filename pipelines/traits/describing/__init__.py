"""What a region shows, in words: the measured describer."""

from pipelines.traits.describing.cutting import Organism
from pipelines.traits.describing.measured import (
    APPEARANCE,
    FORM,
    MEASURED,
    Describes,
    MeasuredDescriber,
    Picture,
    Scale,
)

__all__ = [
    "APPEARANCE",
    "FORM",
    "MEASURED",
    "Describes",
    "MeasuredDescriber",
    "Organism",
    "Picture",
    "Scale",
]
