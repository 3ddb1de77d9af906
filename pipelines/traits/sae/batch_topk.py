"""BatchTopK: of a whole batch the greatest pre-activations, ``k`` to an activation on average.

Bussmann et al., "BatchTopK Sparse Autoencoders" (arXiv 2412.06410). An activation alone has no batch to be chosen in:
then what is above one threshold is active, the running mean of the least chosen value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from pipelines.traits.sae import auxiliary, objective
from pipelines.traits.sae.auxiliary import Auxiliary
from pipelines.traits.sae.objective import Batch, Outcome
from pipelines.traits.sae.selection import batch_top_k


@dataclass(frozen=True)
class BatchTopK:
    """Settings.

    Attributes:
        k: latents of an activation, on average over a batch.
        auxiliary: for dead latents.
        threshold_rate: share of a batch's least chosen value in the running mean, 0.01 in SAELens.
    """

    k: int = 32
    auxiliary: Auxiliary = field(default_factory=Auxiliary)
    threshold_rate: float = 0.01


def step(config: BatchTopK, batch: Batch) -> Outcome:
    """Losses and gradients of a batch."""
    pre_bm = batch.encoder.pre(batch.inputs_bd)
    support, values = batch_top_k(pre_bm, config.k * len(pre_bm))
    values = values.to(batch.x_bd.dtype)
    residual_bd, d_out_bd, d_pre = objective.errors(batch, support, values)
    gradients = objective.differentiate(batch, support, values, d_pre, d_pre, d_out_bd)
    losses = {
        "reconstruction": objective.mean_square(residual_bd),
        "auxiliary": auxiliary.add(config.auxiliary, batch, gradients, residual_bd),
    }
    objective.finish(batch, gradients)
    least = values.min() if len(values) else torch.zeros(())
    return Outcome(losses, gradients, residual_bd, support.firings(values), least)
