"""ReLU with an L1 penalty on the activations.

Bricken et al., "Towards Monosemanticity" (2023); the published trait pipeline's variant. With unit decoder rows the
penalty cannot be escaped by small activations and large rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.traits.sae import objective
from pipelines.traits.sae.objective import Batch, Outcome
from pipelines.traits.sae.selection import above


@dataclass(frozen=True)
class Relu:
    """Settings.

    Attributes:
        l1: weight of the sum of each activation's latents, in the mean over activations; beside a reconstruction loss
            that is a mean over dimensions too. The published pipeline's is 4e-4.
    """

    l1: float = 4e-4


def step(config: Relu, batch: Batch) -> Outcome:
    """Losses and gradients of a batch; sparse where few latents are active, as they are when it has learned."""
    support, pre = above(batch.encoder.pre(batch.inputs_bd), 0.0)
    values = pre.float().relu() if pre.dtype.itemsize < 4 else pre.relu()
    residual_bd, d_out_bd, d_values = objective.errors(batch, support, values)
    d_pre = (d_values + config.l1 / len(residual_bd)) * (values > 0)
    gradients = objective.differentiate(batch, support, values, d_values, d_pre, d_out_bd)
    objective.finish(batch, gradients)
    losses = {
        "reconstruction": objective.mean_square(residual_bd),
        "sparsity": config.l1 * values.sum() / len(residual_bd),
    }
    return Outcome(losses, gradients, residual_bd, support.firings(values))
