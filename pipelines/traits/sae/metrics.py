"""What is measured in training."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pipelines.traits.sae.objective import Outcome

Replacement = Callable[[Tensor], Tensor]
"""Puts other activations in the place of those of the layer, (n, d) both."""


class Window:
    """Firings over the steps since metrics were last told; part of a checkpoint.

    Args:
        latents: of the autoencoder.
        device: where it is trained.
    """

    def __init__(self, latents: int, device: str = "cpu") -> None:
        self.sums = {
            "firings_m": torch.zeros(latents, dtype=torch.int64, device=device),
            "activations": torch.zeros((), dtype=torch.int64, device=device),
        }

    def add(self, outcome: Outcome) -> None:
        """Take a step's firings in."""
        self.sums["firings_m"] += outcome.firings_m
        self.sums["activations"] += len(outcome.residual_bd)

    def told(self, dense_above: float) -> dict[str, float]:
        """L0, and the share of latents that fire in more than ``dense_above`` of the activations."""
        count, firings_m = int(self.sums["activations"]), self.sums["firings_m"]
        return {
            "l0": int(firings_m.sum()) / count,
            "dense_fraction": float((firings_m > dense_above * count).double().mean()),
        }

    def clear(self) -> None:
        """Begin anew."""
        for tensor in self.sums.values():
            tensor.zero_()


def explained(x_bd: Tensor, residual_bd: Tensor) -> dict[str, float | None]:
    """FVU and explained variance of a batch; ``None`` where all activations are the same.

    ``fvu`` is the squared error over the squared distance of the activations from their mean. ``explained_variance``
    is 1 less the residuals' variance over the activations', which forgives a constant error.
    """
    x_bd, residual_bd = x_bd.double(), residual_bd.double()
    spread = float((x_bd - x_bd.mean(0)).square().sum())
    if not spread > 0:
        return {"fvu": None, "explained_variance": None}
    varied = float((residual_bd - residual_bd.mean(0)).square().sum())
    return {"fvu": float(residual_bd.square().sum()) / spread, "explained_variance": 1 - varied / spread}


def loss_recovered(run: Callable[[Replacement], float], reconstruct: Replacement) -> float:
    """How much of a model's loss is kept when a layer is replaced by its reconstruction: 1 all, 0 no more than nothing.

    ``(L_zero - L_reconstruction) / (L_zero - L_untouched)``, where ``L_zero`` is the loss with the layer put to zero.

    Args:
        run: the model's loss on some data, with what it is given in the place of the layer's activations.
        reconstruct: the autoencoder, from activations to their reconstruction.
    """
    zero, untouched = run(torch.zeros_like), run(lambda x_nd: x_nd)
    return (zero - run(reconstruct)) / (zero - untouched)
