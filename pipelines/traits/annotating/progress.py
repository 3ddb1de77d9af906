"""The stages of the whole job, after those that find regions."""

from __future__ import annotations

from pipelines.traits.finding.progress import STAGES as FINDING
from pipelines.traits.finding.progress import UNITS as FINDING_UNITS
from pipelines.traits.finding.progress import WORDS as FINDING_WORDS

DESCRIPTIONS, CHECKS, DATASET = "descriptions", "checks", "dataset"
STAGES = (*FINDING, DESCRIPTIONS, CHECKS, DATASET)
"""In the order in which they are done; each is a folder of this name."""
WORDS = FINDING_WORDS | {
    DESCRIPTIONS: "Describing regions",
    CHECKS: "Checking descriptions",
    DATASET: "Writing the dataset",
}
UNITS = FINDING_UNITS
