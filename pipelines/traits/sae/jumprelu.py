"""JumpReLU: a latent is active above its own learned threshold.

Rajamanoharan et al., "Jumping Ahead" (arXiv 2407.14435): the activation is ``z`` where ``z > theta`` and else 0. It has
no useful derivative by the threshold, so that is estimated within ``bandwidth`` of it (a rectangle kernel, equations 11
and 12). Thresholds are learned as logarithms. The penalty is the number of active latents, through the same estimator,
or a smooth stand-in for it, ``tanh`` of the activation (Anthropic, Circuits Updates January 2025).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pipelines.traits.sae import objective
from pipelines.traits.sae.objective import Batch, Outcome
from pipelines.traits.sae.selection import above


@dataclass(frozen=True)
class L0Penalty:
    """``weight`` times the active latents of an activation; counted at thresholds only, as the step function is."""

    weight: float = 1e-3


@dataclass(frozen=True)
class TanhPenalty:
    """``weight`` times the sum over an activation's latents of ``tanh(scale * value)``; decoder rows have length 1."""

    weight: float = 1e-3
    scale: float = 4.0


@dataclass(frozen=True)
class JumpRelu:
    """Settings.

    Attributes:
        penalty: on activity.
        bandwidth: width of the band around a threshold within which its derivative is estimated.
        threshold: of every latent at the start.
    """

    penalty: L0Penalty | TanhPenalty = field(default_factory=L0Penalty)
    bandwidth: float = 0.05
    threshold: float = 0.05


def step(config: JumpRelu, batch: Batch) -> Outcome:
    """Losses and gradients of a batch."""
    log_threshold_m = batch.parameters.log_threshold_m
    assert log_threshold_m is not None
    theta_m = log_threshold_m.exp()
    pre_bm = batch.encoder.pre(batch.inputs_bd)
    support, pre = above(pre_bm, theta_m - config.bandwidth / 2)
    pre, theta = pre.to(batch.x_bd.dtype), support.per_latent(theta_m)
    active = pre > theta
    values = pre * active
    residual_bd, d_out_bd, d_values = objective.errors(batch, support, values)
    near = (pre - theta).abs() < config.bandwidth / 2
    penalty, d_acts, d_step = _penalty(config.penalty, values, active, d_values, len(residual_bd))
    d_theta = (d_acts * theta + d_step) * near / -config.bandwidth
    gradients = objective.differentiate(batch, support, values, d_values, d_acts * active, d_out_bd)
    objective.finish(batch, gradients)
    gradients.log_threshold_m = support.sums(d_theta) * theta_m
    losses = {"reconstruction": objective.mean_square(residual_bd), "sparsity": penalty}
    return Outcome(losses, gradients, residual_bd, support.firings(values))


def _penalty(
    config: L0Penalty | TanhPenalty, values: Tensor, active: Tensor, d_values: Tensor, rows: int
) -> tuple[Tensor, Tensor, float]:
    """The penalty, the gradient by the values with its share in it, and that by the count of active latents."""
    weight = config.weight / rows
    match config:
        case L0Penalty():
            return weight * active.to(values.dtype).sum(), d_values, weight
        case TanhPenalty(scale=scale):
            squashed = torch.tanh(scale * values)
            return weight * squashed.sum(), d_values + weight * scale * (1 - squashed.square()), 0.0
