"""The one product over all latents, in single precision or bfloat16.

In bfloat16 the weights' copy carries the bias in two more columns (its rounded value and what rounding left), met by
ones in the inputs: the product then adds it, in single precision, at no further pass over the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from pipelines.traits.sae import compiled
from pipelines.traits.sae.parameters import Parameters

Precision = Literal["float32", "bfloat16"]

ROWS = 4096
"""Activations in one product. Fewer make it slower, more make its result larger."""
PADDING = 16
"""Columns added to the bfloat16 copies, of which two are used: a width that the matrix units like."""


class Encoder:
    """Pre-activations of all latents.

    Args:
        parameters: whose encoder it is; after each change of them, :meth:`refresh`.
        precision: of the product. Single precision is taken where the parameters are double.
    """

    def __init__(self, parameters: Parameters, precision: Precision = "float32") -> None:
        self.parameters = parameters
        self._buffer: Tensor | None = None
        self._copy: Tensor | None = None
        self._decoder_copy: Tensor | None = None
        if precision == "bfloat16":
            latents, dimensions = parameters.W_enc_md.shape
            device = parameters.W_enc_md.device
            self._copy = torch.zeros(latents, dimensions + PADDING, dtype=torch.bfloat16, device=device)
            if compiled.usable(parameters.W_dec_md):
                self._decoder_copy = torch.zeros(latents, dimensions, dtype=torch.bfloat16, device=device)
            self.refresh()

    def refresh(self, low: int = 0, high: int | None = None) -> None:
        """Take over the weights of latents ``low`` to ``high``, which have changed."""
        if self._copy is None:
            return
        rows, width = slice(low, high), self.parameters.dimensions
        self._copy[rows, :width] = self.parameters.W_enc_md[rows]
        if self._decoder_copy is not None:
            self._decoder_copy[rows] = self.parameters.W_dec_md[rows]
        self._refresh_bias(rows)

    def _refresh_bias(self, rows: slice) -> None:
        assert self._copy is not None
        bias, width = self.parameters.b_enc_m[rows], self.parameters.dimensions
        self._copy[rows, width] = bias
        self._copy[rows, width + 1] = bias - self._copy[rows, width].float()

    @property
    def decoder_md(self) -> Tensor:
        """The decoder that reconstructs: in bfloat16 where the sparse products are compiled for it."""
        return self.parameters.W_dec_md if self._decoder_copy is None else self._decoder_copy

    def copies(self) -> tuple[Tensor, Tensor] | None:
        """The bfloat16 copies of encoder (M, d + padding) and decoder (M, d) for the compiled step, which keeps them
        the same as the weights; without rows in single precision, ``None`` where that step is not to be used. The
        biases in the first are taken over here."""
        if not compiled.usable(self.parameters.W_dec_md):
            return None
        if self._copy is None:
            none = torch.empty(0, self.parameters.dimensions, dtype=torch.bfloat16)
            return none, none
        if self._decoder_copy is None:
            return None
        self._refresh_bias(slice(None))
        return self._copy, self._decoder_copy

    def pre(self, inputs_bd: Tensor) -> Tensor:
        """(B, M); overwritten by the next call."""
        weights = self.parameters.W_enc_md if self._copy is None else self._copy
        shape = (len(inputs_bd), len(weights))
        if self._buffer is None or self._buffer.shape[0] < shape[0]:
            self._buffer = torch.empty(shape, dtype=weights.dtype, device=weights.device)
        out_bm = self._buffer[: shape[0]]
        if self._copy is None:
            return torch.addmm(self.parameters.b_enc_m, inputs_bd, weights.T, out=out_bm)
        padded = torch.zeros(shape[0], weights.shape[1], dtype=torch.bfloat16, device=weights.device)
        padded[:, : inputs_bd.shape[1]] = inputs_bd
        padded[:, inputs_bd.shape[1] : inputs_bd.shape[1] + 2] = 1
        return torch.mm(padded, weights.T, out=out_bm)

    def blocks(self, inputs_bd: Tensor) -> Iterator[Tensor]:
        """Pre-activations of at most :data:`ROWS` activations at a time; each is overwritten by the next."""
        for first in range(0, len(inputs_bd), ROWS):
            yield self.pre(inputs_bd[first : first + ROWS])
