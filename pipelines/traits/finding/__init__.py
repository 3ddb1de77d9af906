"""The whole job, from a folder of images to regions with evidence, stage by stage."""

from pipelines.traits.finding.job import find_traits
from pipelines.traits.finding.settings import Settings
from pipelines.traits.finding.summary import Summary, read_summary

__all__ = ["Settings", "Summary", "find_traits", "read_summary"]
