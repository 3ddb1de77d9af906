"""Sparse autoencoders over patch activations: training, and what is learned as files.

``variants`` is the union of what can be trained, each in its own file; ``training`` trains and resumes; ``support``
does the products that touch active latents alone; ``loading`` reads our own autoencoders and those of ``saev`` and
SAELens.
"""

from pipelines.traits.sae.auxiliary import Auxiliary
from pipelines.traits.sae.batch_topk import BatchTopK
from pipelines.traits.sae.config import Resampling, Schedule, TrainingConfig, published
from pipelines.traits.sae.jumprelu import JumpRelu, L0Penalty, TanhPenalty
from pipelines.traits.sae.loading import load_sae
from pipelines.traits.sae.matryoshka import Matryoshka
from pipelines.traits.sae.model import Sae
from pipelines.traits.sae.relu import Relu
from pipelines.traits.sae.saving import save_sae
from pipelines.traits.sae.topk import TopK
from pipelines.traits.sae.training import Source, train
from pipelines.traits.sae.variants import Variant

__all__ = [
    "Auxiliary",
    "BatchTopK",
    "JumpRelu",
    "L0Penalty",
    "Matryoshka",
    "Relu",
    "Resampling",
    "Sae",
    "Schedule",
    "Source",
    "TanhPenalty",
    "TopK",
    "TrainingConfig",
    "Variant",
    "load_sae",
    "published",
    "save_sae",
    "train",
]
