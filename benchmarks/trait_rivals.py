"""What a sparse autoencoder is held against: latents that cost nothing, on the same activations."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.codes import Codes

Floats = NDArray[np.float32]
ROWS = 8192


class Coder(Protocol):
    """Anything with latents."""

    latents: int

    def codes(self, activations: Floats) -> Codes:
        """Codes of activations (n, d)."""
        ...


def _sparse(blocks: list[tuple[int, torch.Tensor, torch.Tensor, torch.Tensor]]) -> Codes:
    rows = np.concatenate([(start + row).numpy() for start, row, _, _ in blocks]).astype(np.int64)
    latents = np.concatenate([latent.numpy() for _, _, latent, _ in blocks]).astype(np.int64)
    values = np.concatenate([value.numpy() for _, _, _, value in blocks]).astype(np.float32)
    return Codes(rows, latents, values)


class Directions:
    """Latents that are directions: what of an activation lies along each, where that is positive.

    Args:
        directions: (latents, d).
        centre: (d,) what is subtracted first.
        k: only the ``k`` strongest of an activation, all if not given.
    """

    def __init__(self, directions: Floats, centre: Floats, k: int | None = None) -> None:
        self.latents = len(directions)
        self._directions, self._centre, self._k = torch.from_numpy(directions), torch.from_numpy(centre), k

    def codes(self, activations: Floats) -> Codes:
        """Codes of activations (n, d)."""
        blocks = []
        for start in range(0, len(activations), ROWS):
            along = (torch.from_numpy(activations[start : start + ROWS]) - self._centre) @ self._directions.T
            if self._k is None:
                row, latent = torch.nonzero(along > 0, as_tuple=True)
                blocks.append((start, row, latent, along[row, latent]))
            else:
                value, latent = along.topk(self._k, dim=1)
                row = torch.arange(len(along)).repeat_interleave(self._k)
                keep = value.flatten() > 0
                blocks.append((start, row[keep], latent.flatten()[keep], value.flatten()[keep]))
        return _sparse(blocks)


def random_latents(activations: Floats, latents: int, k: int, seed: int) -> Directions:
    """Random unit directions from the mean, the ``k`` strongest of an activation: an autoencoder that never learned."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((latents, activations.shape[1])).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return Directions(directions, activations.mean(axis=0), k)


def principal_components(activations: Floats, k: int | None = None) -> Directions:
    """Principal components, each once in either direction; the ``k`` strongest of an activation, all if not given."""
    centre = activations.mean(axis=0)
    centred = activations - centre
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    directions = np.vstack([axes.T, -axes.T]).astype(np.float32)
    return Directions(directions, centre, k)


class Clusters:
    """Latents that are clusters: of each activation the nearest alone fires, the stronger the nearer it is.

    Found by Lloyd's algorithm from random activations (S. P. Lloyd, 1982).
    """

    def __init__(self, activations: Floats, latents: int, seed: int, *, sample: int = 20_000, rounds: int = 12) -> None:
        rng = np.random.default_rng(seed)
        some = torch.from_numpy(activations[rng.choice(len(activations), min(sample, len(activations)), replace=False)])
        self.latents = min(latents, len(some))
        self._centres = some[: self.latents].clone()
        for _ in range(rounds):
            nearest = torch.cdist(some, self._centres).argmin(1)
            total = torch.zeros_like(self._centres).index_add_(0, nearest, some)
            many = torch.bincount(nearest, minlength=self.latents)
            self._centres[many > 0] = total[many > 0] / many[many > 0, None]

    def codes(self, activations: Floats) -> Codes:
        """Codes of activations (n, d)."""
        blocks = []
        for start in range(0, len(activations), ROWS):
            away, nearest = torch.cdist(torch.from_numpy(activations[start : start + ROWS]), self._centres).min(1)
            blocks.append((start, torch.arange(len(away)), nearest, 1 / (1 + away)))
        return _sparse(blocks)


def probe(choosing: Floats, truth: NDArray[np.bool_], held_out: Floats, *, ridge: float = 1e-3) -> NDArray[np.float64]:
    """Scores (n, labels) of a linear probe that was shown the labels: what there is to be found by a direction.

    Ridge regression on the labels (A. E. Hoerl and R. W. Kennard, 1970).
    """
    x = np.column_stack([choosing, np.ones(len(choosing), np.float32)]).astype(np.float64)
    gram = x.T @ x
    gram += ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram, x.T @ truth)
    return np.asarray(held_out @ weights[:-1] + weights[-1])
