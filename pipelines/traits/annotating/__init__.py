"""The whole job, from a folder of images to statements on what marks its taxa, checked."""

from pipelines.traits.annotating.foreseeing import Asking, Foreseen
from pipelines.traits.annotating.job import annotate
from pipelines.traits.annotating.settings import AnnotationSettings
from pipelines.traits.annotating.stored import Agreement
from pipelines.traits.annotating.summary import Annotated, ModelSummary, read_annotated

__all__ = [
    "Agreement",
    "Annotated",
    "AnnotationSettings",
    "Asking",
    "Foreseen",
    "ModelSummary",
    "annotate",
    "read_annotated",
]
