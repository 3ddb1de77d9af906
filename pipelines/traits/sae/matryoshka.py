"""Matryoshka: the first latents alone must reconstruct too, so that they stay general while later ones specialise.

Bussmann et al., "Learning Multi-Level Features with Matryoshka Sparse Autoencoders" (arXiv 2503.17547). Latents are
chosen as in BatchTopK; the loss is the mean of the reconstruction losses of nested prefixes of the latents.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pipelines.traits.sae import auxiliary, objective
from pipelines.traits.sae.auxiliary import Auxiliary
from pipelines.traits.sae.gradients import Product
from pipelines.traits.sae.objective import Batch, Outcome
from pipelines.traits.sae.selection import batch_top_k
from pipelines.traits.sae.support import Sparse


@dataclass(frozen=True)
class Matryoshka:
    """Settings.

    Attributes:
        k: latents of an activation, on average over a batch.
        prefixes: the share of the latents in each prefix, rising, the last 1.
        auxiliary: for dead latents; on the residual of all latents.
        threshold_rate: as for BatchTopK.
    """

    k: int = 32
    prefixes: tuple[float, ...] = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
    auxiliary: Auxiliary = field(default_factory=Auxiliary)
    threshold_rate: float = 0.01


def bounds(config: Matryoshka, latents: int) -> list[int]:
    """Where the groups of latents between two prefixes begin and end: 0, the first prefix's length, … , all."""
    return [0, *(max(round(share * latents), 1) for share in config.prefixes)]


def step(config: Matryoshka, batch: Batch) -> Outcome:
    """Losses and gradients of a batch. The sparse work is that of BatchTopK, group by group."""
    pre_bm = batch.encoder.pre(batch.inputs_bd)
    support, values = batch_top_k(pre_bm, config.k * len(pre_bm))
    values = values.to(batch.x_bd.dtype)
    edges = bounds(config, batch.parameters.latents)
    groups = len(edges) - 1
    stacked, order = support.stacked(edges)
    residuals_gbd = _residuals(batch, stacked, values[order], groups)
    d_out_gbd = residuals_gbd.flip(0).cumsum(0).flip(0) * (2 / residuals_gbd.numel())
    d_out = d_out_gbd.flatten(0, 1)
    d_stacked = stacked.products(d_out, batch.parameters.W_dec_md)
    d_pre = torch.empty_like(values).index_copy_(0, order, d_stacked)
    gradients = objective.differentiate(batch, support, values, d_pre, d_pre, d_out_gbd[0])
    gradients.W_dec = Product(stacked, values[order], d_out)
    losses = {
        "reconstruction": objective.mean_square(residuals_gbd),
        "auxiliary": auxiliary.add(config.auxiliary, batch, gradients, residuals_gbd[-1]),
    }
    objective.finish(batch, gradients)
    least = values.min() if len(values) else torch.zeros(())
    return Outcome(losses, gradients, residuals_gbd[-1], support.firings(values), least)


def _residuals(batch: Batch, stacked: Sparse, values: Tensor, groups: int) -> Tensor:
    """(G, B, d): of each prefix, the reconstruction less the activations."""
    parts_gbd = stacked.decode(values, batch.parameters.W_dec_md).view(groups, *batch.x_bd.shape)
    parts_gbd[0] += batch.parameters.b_dec_d - batch.x_bd
    return parts_gbd.cumsum(0)
