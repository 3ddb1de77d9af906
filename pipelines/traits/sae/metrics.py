"""What is measured in training, over the steps since it was last told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pipelines.traits.sae.objective import Outcome

Replacement = Callable[[Tensor], Tensor]
"""Puts other activations in the place of those of the layer, (n, d) both."""


class Window:
    """Sums over the steps since metrics were last told; part of a checkpoint.

    Args:
        dimensions, latents: of the autoencoder.
        device: where it is trained.
    """

    def __init__(self, dimensions: int, latents: int, device: str = "cpu") -> None:
        def zeros(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        self.sums = {
            "x_d": zeros(dimensions),
            "residual_d": zeros(dimensions),
            "x_square": zeros(),
            "residual_square": zeros(),
            "firings_m": zeros(latents, dtype=torch.int64),
            "activations": zeros(dtype=torch.int64),
        }

    def add(self, x_bd: Tensor, outcome: Outcome) -> None:
        """Take a step's activations, residuals and firings in."""
        sums = self.sums
        sums["x_d"] += x_bd.sum(0)
        sums["residual_d"] += outcome.residual_bd.sum(0)
        for name, values in (("x_square", x_bd), ("residual_square", outcome.residual_bd)):
            flat = values.reshape(-1)
            sums[name] += torch.dot(flat, flat)
        sums["firings_m"] += outcome.firings_m
        sums["activations"] += len(x_bd)

    def told(self, dense_above: float) -> dict[str, Any]:
        """FVU, explained variance, L0 and the share of dense latents.

        ``fvu`` is the squared error over the squared distance of the activations from their mean.
        ``explained_variance`` is 1 less the residuals' variance over the activations', which forgives a constant error.
        """
        sums, count = self.sums, int(self.sums["activations"])
        spread = float(sums["x_square"] - sums["x_d"].square().sum() / count)
        left = float(sums["residual_square"])
        varied = left - float(sums["residual_d"].square().sum()) / count
        firings_m = sums["firings_m"]
        return {
            "fvu": left / spread if spread > 0 else None,
            "explained_variance": 1 - varied / spread if spread > 0 else None,
            "l0": int(firings_m.sum()) / count,
            "dense_fraction": float((firings_m > dense_above * count).double().mean()),
        }

    def clear(self) -> None:
        """Begin anew."""
        for tensor in self.sums.values():
            tensor.zero_()


def loss_recovered(run: Callable[[Replacement], float], reconstruct: Replacement) -> float:
    """How much of a model's loss is kept when a layer is replaced by its reconstruction: 1 all, 0 no more than nothing.

    ``(L_zero - L_reconstruction) / (L_zero - L_untouched)``, where ``L_zero`` is the loss with the layer put to zero.

    Args:
        run: the model's loss on some data, with what it is given in the place of the layer's activations.
        reconstruct: the autoencoder, from activations to their reconstruction.
    """
    zero, untouched = run(torch.zeros_like), run(lambda x_nd: x_nd)
    return (zero - run(reconstruct)) / (zero - untouched)
