"""The stages of the whole job, after those that find regions."""

from __future__ import annotations

from pipelines.traits.finding.progress import STAGES as FINDING
from pipelines.traits.finding.progress import UNITS as FINDING_UNITS
from pipelines.traits.finding.progress import WORDS as FINDING_WORDS

DESCRIPTIONS, ANSWERS, CHECKS, DATASET = "descriptions", "answers", "checks", "dataset"
STAGES = (*FINDING, DESCRIPTIONS, ANSWERS, CHECKS, DATASET)
"""In the order in which they are done; each is a folder of this name. Without a model there are no answers."""
WORDS = FINDING_WORDS | {
    DESCRIPTIONS: "Measuring regions",
    ANSWERS: "Asking the model",
    CHECKS: "Checking descriptions",
    DATASET: "Writing the dataset",
}
UNITS = FINDING_UNITS | {ANSWERS: "questions"}
