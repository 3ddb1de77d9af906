"""What a sparse autoencoder learns, and the gradients of it. Both weight matrices have one row a latent."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass
class Parameters:
    """The weights of a sparse autoencoder of ``m`` latents over ``d`` dimensions, or gradients or moments of them.

    Attributes:
        W_enc_md, b_enc_m: the encoder; a latent's pre-activation is ``(x - b_dec) . W_enc[latent] + b_enc[latent]``.
        W_dec_md, b_dec_d: the decoder; the reconstruction is the sum of ``activation * W_dec[latent]`` and ``b_dec``.
        log_threshold_m: natural logarithm of each latent's threshold; only where thresholds are learned (JumpReLU).
    """

    W_enc_md: Tensor
    b_enc_m: Tensor
    W_dec_md: Tensor
    b_dec_d: Tensor
    log_threshold_m: Tensor | None = None

    @property
    def latents(self) -> int:
        """How many latents there are."""
        return self.W_enc_md.shape[0]

    @property
    def dimensions(self) -> int:
        """Of an activation."""
        return self.W_enc_md.shape[1]

    def named(self) -> dict[str, Tensor]:
        """Each tensor by its name, without those that are not learned."""
        every = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: tensor for name, tensor in every.items() if tensor is not None}

    def zeros_like(self) -> Parameters:
        """Zeros of the same shapes, on the same device."""
        return Parameters(**{name: torch.zeros_like(tensor) for name, tensor in self.named().items()})


def initial(dimensions: int, latents: int, generator: torch.Generator, *, threshold: float | None = None) -> Parameters:
    """Random unit decoder rows, the encoder their copy (Gao et al., arXiv 2406.04093, section 2.4), biases zero.

    Args:
        dimensions: of an activation.
        latents: how many.
        generator: on the CPU, so that every device starts alike.
        threshold: where thresholds are learned, the first of each.
    """
    W_dec_md = torch.randn(latents, dimensions, generator=generator)
    W_dec_md /= W_dec_md.norm(dim=1, keepdim=True)
    log_threshold_m = None if threshold is None else torch.full((latents,), threshold).log()
    return Parameters(W_dec_md.clone(), torch.zeros(latents), W_dec_md, torch.zeros(dimensions), log_threshold_m)
