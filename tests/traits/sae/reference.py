"""Each variant once more, densely and with autograd, written from its paper alone: the training core is held to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from pipelines.traits.sae import BatchTopK, JumpRelu, L0Penalty, Matryoshka, Relu, TopK, Variant


class Planted:
    """Activations that are sparse sums of known directions, with a little noise; the same for the same seed."""

    def __init__(self, dimensions: int = 16, directions: int = 32, active: int = 3, noise: float = 0.01) -> None:
        self.dimensions = dimensions
        generator = torch.Generator().manual_seed(7)
        planted = torch.randn(directions, dimensions, generator=generator)
        self.planted = planted / planted.norm(dim=1, keepdim=True)
        self.active, self.noise = active, noise

    def one(self, size: int, seed: int, step: int) -> Tensor:
        generator = torch.Generator().manual_seed(1000 * seed + step)
        chosen = torch.rand(size, len(self.planted), generator=generator).topk(self.active).indices
        strengths = torch.rand(size, self.active, generator=generator) + 0.5
        codes = torch.zeros(size, len(self.planted)).scatter_(1, chosen, strengths)
        return codes @ self.planted + self.noise * torch.randn(size, self.dimensions, generator=generator) + 0.3

    def batches(self, size: int, seed: int, start: int = 0) -> Iterator[Tensor]:
        while True:
            yield self.one(size, seed, start)
            start += 1


class _Jump(torch.autograd.Function):
    """``z H(z - theta)`` with the estimated derivative by theta (arXiv 2407.14435, equation 11)."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, theta: Tensor, width: float) -> Tensor:
        ctx.save_for_backward(z, theta)
        ctx.width = width
        return z * (z > theta)

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, None]:
        z, theta = ctx.saved_tensors
        kernel = (((z - theta) / ctx.width).abs() < 0.5).to(z)
        return given * (z > theta), (-theta / ctx.width * kernel * given).sum(0), None


class _Heaviside(torch.autograd.Function):
    """``H(z - theta)`` with the estimated derivative by theta (equation 12)."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, theta: Tensor, width: float) -> Tensor:
        ctx.save_for_backward(z, theta)
        ctx.width = width
        return (z > theta).to(z)

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, None]:
        z, theta = ctx.saved_tensors
        kernel = (((z - theta) / ctx.width).abs() < 0.5).to(z)
        return torch.zeros_like(z), (-1 / ctx.width * kernel * given).sum(0), None


def _kept(z: Tensor, k: int) -> Tensor:
    return torch.zeros_like(z).scatter(1, z.topk(k).indices, 1.0) * z


def _kept_of_batch(z: Tensor, count: int) -> Tensor:
    flat = z.flatten()
    return (torch.zeros_like(flat).scatter(0, flat.topk(count).indices, 1.0) * flat).view_as(z).relu()


def losses(variant: Variant, learned: dict[str, Tensor], x: Tensor, dead: Tensor, centred: bool) -> dict[str, Tensor]:
    """Each term of the loss."""
    z = (x - learned["b_dec_d"] if centred else x) @ learned["W_enc_md"].T + learned["b_enc_m"]
    W, b = learned["W_dec_md"], learned["b_dec_d"]
    found: dict[str, Tensor] = {}
    match variant:
        case Relu(l1=l1):
            acts = z.relu()
            found["sparsity"] = l1 * acts.sum(1).mean()
        case TopK(k=k):
            acts = _kept(z, k).relu()
        case BatchTopK(k=k) | Matryoshka(k=k):
            acts = _kept_of_batch(z, k * len(x))
        case JumpRelu(penalty=penalty, bandwidth=width):
            theta = learned["log_threshold_m"].exp()
            acts = _Jump.apply(z, theta, width)
            if isinstance(penalty, L0Penalty):
                found["sparsity"] = penalty.weight * _Heaviside.apply(z, theta, width).sum(1).mean()
            else:
                found["sparsity"] = penalty.weight * torch.tanh(penalty.scale * acts).sum(1).mean()
    shares = variant.prefixes if isinstance(variant, Matryoshka) else (1.0,)
    ends = [max(round(share * len(W)), 1) for share in shares]
    errors = [acts[:, :end] @ W[:end] + b - x for end in ends]
    found["reconstruction"] = torch.stack([error.square().mean() for error in errors]).mean()
    if isinstance(variant, TopK | BatchTopK | Matryoshka):
        found["auxiliary"] = _auxiliary(variant, z, W, -errors[-1].detach(), dead)
    return found


def _auxiliary(variant: TopK | BatchTopK | Matryoshka, z: Tensor, W: Tensor, target: Tensor, dead: Tensor) -> Tensor:
    wanted = variant.auxiliary.k or W.shape[1] // 2
    count = int(dead.sum())
    if not count:
        return torch.zeros((), dtype=z.dtype)
    of_dead = z.masked_fill(~dead, float("-inf"))
    best = of_dead.topk(min(wanted, count), dim=1).indices
    acts = torch.zeros_like(z).scatter(1, best, 1.0) * z
    error = acts @ W - target
    return variant.auxiliary.weight * min(count / wanted, 1.0) * error.square().mean()
