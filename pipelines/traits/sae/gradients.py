"""Gradients that are not written out: the weights' are products that are done block by block, when they are used.

A block of rows of a gradient is then made, used and overwritten in the cache, in place of a matrix as large as the
weights going through memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pipelines.traits.sae.parameters import Parameters
from pipelines.traits.sae.support import Support


class Product:
    """A weight gradient (M, d): of each latent, the sum of its values times their activations' rows.

    Args:
        support: where the values stand.
        values: at the support.
        A_bd: one row an activation.
    """

    def __init__(self, support: Support, values: Tensor, A_bd: Tensor) -> None:
        self.support = support
        self.values = support.by_latent_values(values)
        self.A_bd = A_bd

    def rows(self, low: int, high: int, out_nd: Tensor) -> None:
        """Of latents ``low`` to ``high``, into ``out_nd``."""
        self.support.gather(self.values, self.A_bd.to(out_nd.dtype), low, high, out_nd)


@dataclass
class Gradients:
    """Of everything that is learned.

    Attributes:
        W_dec, W_enc: the weights', as products.
        along_m: of each latent, the decoder row's gradient times the row.
        b_enc_m, b_dec_d, log_threshold_m: the others'.
        more: what the auxiliary loss adds: latents (z,), decoder rows (z, d), encoder rows (z, d).
    """

    W_dec: Product
    W_enc: Product
    along_m: Tensor
    b_enc_m: Tensor
    b_dec_d: Tensor
    log_threshold_m: Tensor | None = None
    more: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)

    def decoder_rows(self, low: int, high: int, out_nd: Tensor) -> Tensor:
        """The decoder weights' gradient of latents ``low`` to ``high``."""
        self.W_dec.rows(low, high, out_nd)
        for latents_z, rows_zd, _ in self.more:
            _add(latents_z, rows_zd, low, high, out_nd)
        return out_nd

    def encoder_rows(self, low: int, high: int, out_nd: Tensor) -> Tensor:
        """The encoder weights' gradient of latents ``low`` to ``high``."""
        self.W_enc.rows(low, high, out_nd)
        for latents_z, _, rows_zd in self.more:
            _add(latents_z, rows_zd, low, high, out_nd)
        return out_nd

    def whole(self, parameters: Parameters) -> Parameters:
        """All of it, written out."""
        every = parameters.zeros_like()
        self.decoder_rows(0, every.latents, every.W_dec_md)
        self.encoder_rows(0, every.latents, every.W_enc_md)
        return Parameters(every.W_enc_md, self.b_enc_m, every.W_dec_md, self.b_dec_d, self.log_threshold_m)


def _add(latents_z: Tensor, rows_zd: Tensor, low: int, high: int, out_nd: Tensor) -> None:
    first, last = torch.searchsorted(latents_z, torch.tensor([low, high], device=latents_z.device)).tolist()
    out_nd.index_add_(0, latents_z[first:last] - low, rows_zd[first:last])
