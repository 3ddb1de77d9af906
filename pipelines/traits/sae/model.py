"""A trained sparse autoencoder: encode and decode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipelines.traits.codes import Codes
from pipelines.traits.sae import narrowing
from pipelines.traits.sae.encoder import PADDING
from pipelines.traits.sae.selection import top_k

AT_ONCE = 1024
"""Activations whose pre-activations are in memory together: 100 MB of 24,576 latents, written again and again."""


@dataclass(frozen=True, eq=False)
class Sae:
    """A sparse autoencoder of ``m`` latents over ``d`` dimensions.

    A latent is active where its pre-activation ``(x - b_dec) . W_enc[latent] + b_enc[latent]`` is above its threshold
    and, if there is a ``k``, among the ``k`` greatest of its activation. The activation is the pre-activation.

    Attributes:
        W_enc_md, b_enc_m, W_dec_md, b_dec_d: the weights, float32.
        threshold_m: of each latent, at least 0.
        k: of an activation at most; ``None`` where thresholds alone decide.
        identity: 32 hexadecimal digits of the weights and the rule; the same weights have the same.
        about: how it was made, as its JSON file says.
    """

    W_enc_md: Tensor
    b_enc_m: Tensor
    W_dec_md: Tensor
    b_dec_d: Tensor
    threshold_m: Tensor
    k: int | None
    identity: str
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def latents(self) -> int:
        """How many."""
        return self.W_enc_md.shape[0]

    @property
    def dimensions(self) -> int:
        """Of an activation."""
        return self.W_enc_md.shape[1]

    @cached_property
    def _encoder(self) -> Tensor:
        """(m, d + PADDING): the encoder with its bias as one more column, so that one product does both."""
        padded = self.W_enc_md.new_zeros(self.latents, self.dimensions + PADDING)
        padded[:, : self.dimensions] = self.W_enc_md
        padded[:, self.dimensions] = self.b_enc_m
        return padded

    @cached_property
    def _has_thresholds(self) -> bool:
        return bool(self.threshold_m.any())

    def _above(self, x_nd: Tensor, out_nm: Tensor | None = None) -> Tensor:
        """(n, m): pre-activations where they are above the threshold, 0 or less elsewhere."""
        inputs = self._encoder.new_zeros(len(x_nd), self._encoder.shape[1])
        torch.sub(x_nd.to(self.W_enc_md), self.b_dec_d, out=inputs[:, : self.dimensions])
        inputs[:, self.dimensions] = 1
        pre_nm = torch.mm(inputs, self._encoder.T, out=out_nm)
        return torch.where(pre_nm > self.threshold_m, pre_nm, 0) if self._has_thresholds else pre_nm

    @torch.no_grad()
    def encode(self, x_nd: Tensor) -> Tensor:
        """(n, m) float32, zero where a latent is not active. Large: see :meth:`encode_sparse`."""
        above_nm = self._above(x_nd)
        if self.k is None:
            return above_nm.relu_()
        values_nk, latents_nk = top_k(above_nm, self.k)
        return torch.zeros_like(above_nm).scatter_(1, latents_nk.long(), values_nk.relu())

    @torch.no_grad()
    def encode_sparse(self, x_nd: Tensor) -> Codes:
        """What is active in each of ``n`` activations (n, d), in order of activation, then latent."""
        if len(x_nd) == 0:
            return Codes(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
        rows = min(AT_ONCE, len(x_nd))
        room_nm = self._narrowing.room(rows) if self._narrowing else self.W_enc_md.new_empty(rows, self.latents)
        part = self._narrowed if self._narrowing else self._sparse
        found = [part(x_nd[first : first + AT_ONCE], first, room_nm) for first in range(0, len(x_nd), AT_ONCE)]
        return Codes(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    @cached_property
    def _narrowing(self) -> narrowing.Narrowing | None:
        """The search for the greatest, where a product in bfloat16 is so much faster that it is worth it."""
        if self.k is None or self._has_thresholds or not narrowing.usable(self.W_enc_md) or not narrowing.fast():
            return None
        return narrowing.Narrowing(self.W_enc_md, self.b_enc_m, self.k)

    def _narrowed(self, x_nd: Tensor, first: int, room_nm: Tensor) -> Codes:
        assert self._narrowing is not None
        found = self._narrowing.greatest(x_nd.to(self.W_enc_md) - self.b_dec_d, room_nm)
        rows, places = np.nonzero(np.arange(found.latents.shape[1]) < found.counts[:, None])
        return Codes(rows + first, found.latents[rows, places], found.values[rows, places])

    def _sparse(self, x_nd: Tensor, first: int, room_nm: Tensor) -> Codes:
        above_nm = self._above(x_nd, room_nm[: len(x_nd)])
        if self.k is None:
            rows, latents = torch.nonzero(above_nm > 0, as_tuple=True)
            return _codes(rows + first, latents, above_nm[rows, latents])
        values_nk, unordered_nk = top_k(above_nm, self.k)
        latents_nk, order_nk = unordered_nk.sort(1)
        values_nk = values_nk.gather(1, order_nk)
        rows, places = torch.nonzero(values_nk > 0, as_tuple=True)
        return _codes(rows + first, latents_nk[rows, places].long(), values_nk[rows, places])

    @torch.no_grad()
    def decode(self, acts_nm: Tensor) -> Tensor:
        """(n, d): the reconstruction."""
        return acts_nm.to(self.W_dec_md) @ self.W_dec_md + self.b_dec_d


def _codes(*parts: Tensor) -> Codes:
    return Codes(*(part.cpu().numpy() for part in parts))
