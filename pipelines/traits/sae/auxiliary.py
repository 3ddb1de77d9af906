"""The auxiliary loss: dead latents are taught what the living ones leave over.

Gao et al., "Scaling and evaluating sparse autoencoders" (arXiv 2406.04093), appendix A.2: the ``k_aux`` dead latents
of greatest pre-activation reconstruct the residual. ``k_aux`` is half the dimensions, and the loss is less where fewer
latents are dead, as in ``sparsify`` and SAELens. Pre-activations are taken as they are, below zero too: a dead latent
that is nowhere above zero would otherwise learn nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pipelines.traits.sae.gradients import Gradients
from pipelines.traits.sae.objective import Batch


@dataclass(frozen=True)
class Auxiliary:
    """Settings of the auxiliary loss.

    Attributes:
        weight: of its mean squared error, 1/32 in the paper; 0 leaves it out.
        k: dead latents to an activation; half the dimensions where it is ``None``.
    """

    weight: float = 1 / 32
    k: int | None = None


def add(config: Auxiliary, batch: Batch, gradients: Gradients, residual_bd: Tensor) -> Tensor:
    """The loss, 0-d; its gradients are added to those given.

    The residual is a target: nothing flows back through it. All products are dense over the dead latents alone.
    """
    (dead_z,) = torch.nonzero(batch.dead_m, as_tuple=True)
    if not config.weight or not len(dead_z):
        return residual_bd.new_zeros(())
    wanted = config.k or batch.parameters.dimensions // 2
    k = min(wanted, len(dead_z))
    parameters = batch.parameters
    W_enc_zd, W_dec_zd = parameters.W_enc_md[dead_z], parameters.W_dec_md[dead_z]
    pre_bz = torch.addmm(parameters.b_enc_m[dead_z], batch.inputs_bd, W_enc_zd.T)
    kept_bz = torch.ones_like(pre_bz, dtype=torch.bool)
    if k < len(dead_z):
        kept_bz = torch.zeros_like(kept_bz).scatter_(1, pre_bz.topk(k, sorted=False).indices, True)
    acts_bz = pre_bz * kept_bz
    left_bd = acts_bz @ W_dec_zd + residual_bd  # of the target, which is the residual with its sign turned
    scale = config.weight * min(len(dead_z) / wanted, 1.0) / left_bd.numel()
    d_left_bd = left_bd * (2 * scale)
    d_acts_bz = d_left_bd @ W_dec_zd.T
    d_pre_bz = d_acts_bz * kept_bz
    gradients.more.append((dead_z, acts_bz.T @ d_left_bd, d_pre_bz.T @ batch.inputs_bd))
    gradients.along_m.index_add_(0, dead_z, (acts_bz * d_acts_bz).sum(0))
    gradients.b_enc_m.index_add_(0, dead_z, d_pre_bz.sum(0))
    return left_bd.square().sum() * scale
