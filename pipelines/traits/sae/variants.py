"""The variants, as one tagged union."""

from __future__ import annotations

from typing import assert_never

from pipelines.traits.sae import batch_topk, jumprelu, matryoshka, relu, topk
from pipelines.traits.sae.batch_topk import BatchTopK
from pipelines.traits.sae.jumprelu import JumpRelu
from pipelines.traits.sae.matryoshka import Matryoshka
from pipelines.traits.sae.objective import Batch, Outcome
from pipelines.traits.sae.relu import Relu
from pipelines.traits.sae.topk import TopK

Variant = Relu | TopK | BatchTopK | JumpRelu | Matryoshka


def step(variant: Variant, batch: Batch) -> Outcome:
    """Losses of a batch; its gradients are written into it."""
    match variant:
        case Relu():
            return relu.step(variant, batch)
        case TopK():
            return topk.step(variant, batch)
        case BatchTopK():
            return batch_topk.step(variant, batch)
        case JumpRelu():
            return jumprelu.step(variant, batch)
        case Matryoshka():
            return matryoshka.step(variant, batch)
        case _ as never:
            assert_never(never)
