"""Dead latents begin anew where the reconstruction is worst.

Bricken et al., "Towards Monosemanticity" (2023), appendix "Neuron Resampling": an activation is drawn for each with
probability proportional to its squared loss; the decoder row takes its direction, the encoder row a shortened copy.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pipelines.traits.sae.adam import Adam
from pipelines.traits.sae.config import Resampling
from pipelines.traits.sae.parameters import Parameters


def resample(
    config: Resampling,
    parameters: Parameters,
    optimiser: Adam,
    dead_m: Tensor,
    x_bd: Tensor,
    residual_bd: Tensor,
    generator: torch.Generator,
) -> int:
    """Set dead latents anew from a batch; returns how many.

    Args:
        config: settings.
        parameters, optimiser: changed in place.
        dead_m: which latents.
        x_bd, residual_bd: a batch and what its reconstruction missed.
        generator: draws the activations, on the CPU.
    """
    (dead_z,) = torch.nonzero(dead_m, as_tuple=True)
    chances_b = residual_bd.square().sum(1).square().double().cpu()
    if not len(dead_z) or not float(chances_b.sum()) > 0:
        return 0
    drawn = torch.multinomial(chances_b, len(dead_z), replacement=True, generator=generator).to(x_bd.device)
    directions_zd = x_bd[drawn] - parameters.b_dec_d
    directions_zd = directions_zd / directions_zd.norm(dim=1, keepdim=True).clamp(min=1e-12)
    alive_m = ~dead_m
    length = parameters.W_enc_md[alive_m].norm(dim=1).mean() if bool(alive_m.any()) else x_bd.new_ones(())
    parameters.W_dec_md[dead_z] = directions_zd
    parameters.W_enc_md[dead_z] = directions_zd * (config.encoder_scale * length)
    parameters.b_enc_m[dead_z] = 0
    optimiser.forget(dead_z)
    return len(dead_z)
