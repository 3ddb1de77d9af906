"""Latents that mark a taxon."""

from pipelines.traits.marking.firing import Absolute, Firing, FractionOfPeak
from pipelines.traits.marking.marking import Marking, find_marks, mark, thresholds
from pipelines.traits.marking.marks import PUBLISHED, RANKED, TESTED, Counts, Findings, Mark, Untestable
from pipelines.traits.marking.prevalence import Counting, Prevalence
from pipelines.traits.marking.published import published_rule
from pipelines.traits.marking.saving import load_prevalence, save_prevalence
from pipelines.traits.marking.testing import Control
from pipelines.traits.marking.tops import Top, Tops

__all__ = [
    "PUBLISHED",
    "RANKED",
    "TESTED",
    "Absolute",
    "Control",
    "Counting",
    "Counts",
    "Findings",
    "Firing",
    "FractionOfPeak",
    "Mark",
    "Marking",
    "Prevalence",
    "Top",
    "Tops",
    "Untestable",
    "find_marks",
    "load_prevalence",
    "mark",
    "published_rule",
    "save_prevalence",
    "thresholds",
]
