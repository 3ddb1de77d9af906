"""What the variants share: the reconstruction, its gradients, and what a step tells.

The reconstruction loss of every variant is the mean over activations and dimensions of the squared error, as in
``saev``; weights of other terms are on that scale.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pipelines.traits.sae import compiled
from pipelines.traits.sae.encoder import Encoder
from pipelines.traits.sae.gradients import Gradients, Product
from pipelines.traits.sae.parameters import Parameters
from pipelines.traits.sae.support import Sparse, Support


@dataclass
class Batch:
    """What a step is made of.

    Attributes:
        x_bd: the activations.
        parameters: as they stand before the step.
        encoder: the same parameters, ready for the product over all latents.
        centred: whether the decoder's bias is subtracted before encoding.
        dead_m: which latents count as dead.
    """

    x_bd: Tensor
    parameters: Parameters
    encoder: Encoder
    centred: bool
    dead_m: Tensor
    inputs_bd: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.inputs_bd = self.x_bd - self.parameters.b_dec_d if self.centred else self.x_bd


@dataclass
class Outcome:
    """What a step found.

    Attributes:
        losses: each term, 0-d; their sum is what is minimised.
        gradients: of that sum.
        residual_bd: the reconstruction less the activations.
        firings_m: in how many activations each latent is active.
        threshold: the least active value, where one threshold is to stand for the choice of a batch.
    """

    losses: dict[str, Tensor]
    gradients: Gradients
    residual_bd: Tensor
    firings_m: Tensor
    threshold: Tensor | None = None


def errors(batch: Batch, support: Support, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The reconstruction less the activations (B, d), the gradient by it (B, d), and that by the values.

    Where the encoder keeps a bfloat16 copy of the decoder, that is what reconstructs, and the first gradient is
    bfloat16.
    """
    target_bd = batch.inputs_bd if batch.centred else batch.x_bd - batch.parameters.b_dec_d
    decoder_md = batch.encoder.decoder_md
    if isinstance(support, Sparse) and compiled.usable(decoder_md):
        scale = 2 / target_bd.numel()
        return compiled.errors(support.row_ptr, support.latents_e, values, decoder_md, target_bd, scale)
    residual_bd = support.decode(values, batch.parameters.W_dec_md).sub_(target_bd)
    d_out_bd = mean_square_gradient(residual_bd)
    return residual_bd, d_out_bd, support.products(d_out_bd, batch.parameters.W_dec_md)


def mean_square(residual_bd: Tensor) -> Tensor:
    """The reconstruction loss."""
    flat = residual_bd.flatten()
    return torch.dot(flat, flat) / flat.numel()


def mean_square_gradient(residual_bd: Tensor) -> Tensor:
    """(B, d): of the reconstruction loss by the reconstruction."""
    return residual_bd * (2 / residual_bd.numel())


def differentiate(
    batch: Batch, support: Support, values: Tensor, d_values: Tensor, d_pre: Tensor, d_out_bd: Tensor
) -> Gradients:
    """The gradients.

    Args:
        batch: of which.
        support, values: the active latents and their values.
        d_values: at the support, ``d_out . W_dec``.
        d_pre: at the support, the gradient by the pre-activations.
        d_out_bd: the gradient by the reconstruction.
    """
    decoder = Product(support, values, d_out_bd)
    encoder = Product(support, d_pre, batch.inputs_bd.to(d_out_bd.dtype))
    return Gradients(
        decoder, encoder, support.sums(values * d_values), support.sums(d_pre), d_out_bd.sum(0, dtype=values.dtype)
    )


def finish(batch: Batch, gradients: Gradients) -> None:
    """Give the decoder's bias its share as what is subtracted before encoding; after all else is known."""
    if batch.centred:
        gradients.b_dec_d -= gradients.b_enc_m @ batch.parameters.W_enc_md
