"""The whole job, from a folder of images to statements on what marks its taxa, checked."""

from pipelines.traits.annotating.agreement import Agreement
from pipelines.traits.annotating.job import annotate
from pipelines.traits.annotating.settings import AnnotationSettings
from pipelines.traits.annotating.summary import Annotated, read_annotated

__all__ = ["Agreement", "Annotated", "AnnotationSettings", "annotate", "read_annotated"]
