"""TopK: of each activation the ``k`` latents of greatest pre-activation, with the auxiliary loss for dead ones.

Gao et al., "Scaling and evaluating sparse autoencoders" (arXiv 2406.04093). What is chosen is cut at zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from pipelines.traits.sae import auxiliary, objective
from pipelines.traits.sae.auxiliary import Auxiliary
from pipelines.traits.sae.objective import Batch, Outcome
from pipelines.traits.sae.selection import top_k
from pipelines.traits.sae.support import Sparse


@dataclass(frozen=True)
class TopK:
    """Settings.

    Attributes:
        k: latents of an activation.
        auxiliary: for dead latents.
    """

    k: int = 32
    auxiliary: Auxiliary = field(default_factory=Auxiliary)


def step(config: TopK, batch: Batch) -> Outcome:
    """Losses and gradients of a batch."""
    chosen = [top_k(pre_bm, config.k) for pre_bm in batch.encoder.blocks(batch.inputs_bd)]
    values_bk, latents_bk = (torch.cat(part) for part in zip(*chosen, strict=True))
    support = Sparse.of_rows(latents_bk, batch.parameters.latents)
    values = values_bk.flatten().to(batch.x_bd.dtype).relu()
    residual_bd, d_out_bd, d_values = objective.errors(batch, support, values)
    gradients = objective.differentiate(batch, support, values, d_values, d_values * (values > 0), d_out_bd)
    losses = {
        "reconstruction": objective.mean_square(residual_bd),
        "auxiliary": auxiliary.add(config.auxiliary, batch, gradients, residual_bd),
    }
    objective.finish(batch, gradients)
    return Outcome(losses, gradients, residual_bd, support.firings(values))
