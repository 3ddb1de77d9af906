"""Which latents are active in which activations, and the products that touch no others.

A training step has one product over all latents, the encoder's. The decoder, the gradient of the activations and both
weight gradients need the active latents alone: with ``e`` entries each costs ``2 e d`` operations in place of
``2 B M d``. :class:`Sparse` does them so; :class:`Dense` does the same with whole matrices, which is faster where more
than a few per cent of the latents are active (:data:`DENSE_ABOVE`), as with ReLU at the start.

Values at a support are (e,) in order of row, then latent, for :class:`Sparse` and (B, M) for :class:`Dense`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from pipelines.traits.sae import kernels

DENSE_ABOVE = 1 / 16
"""Of all latents active, above which whole matrix products are faster. Measured: an entry costs 13 to 20 times as much
in a sparse product as in a dense one, on CPU and in fp32."""

with warnings.catch_warnings():  # torch says once that its CSR tensors are in beta; what is used here is tested
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor(torch.tensor([0, 1]), torch.tensor([0]), torch.ones(1), (1, 1))


@dataclass(frozen=True)
class Dense:
    """Every latent of every activation."""

    latents: int

    def at(self, full_bm: Tensor) -> Tensor:
        """What stands in a matrix at the support."""
        return full_bm

    def per_latent(self, values_m: Tensor) -> Tensor:
        """A number of each latent, at the support."""
        return values_m[None]

    def decode(self, values_bm: Tensor, W_md: Tensor) -> Tensor:
        """(B, d): the sum of each activation's values times their latents' rows."""
        return values_bm @ W_md

    def products(self, A_bd: Tensor, W_md: Tensor) -> Tensor:
        """``A[row] . W[latent]`` at the support."""
        return A_bd @ W_md.T

    def by_latent_values(self, values_bm: Tensor) -> Tensor:
        """The values as :meth:`gather` wants them."""
        return values_bm

    def gather(self, values_bm: Tensor, A_bd: Tensor, low: int, high: int, out_nd: Tensor) -> None:
        """Into ``out_nd``, of latents ``low`` to ``high``: the sum of each one's values times their rows of ``A``."""
        torch.mm(values_bm[:, low:high].T, A_bd, out=out_nd)

    def sums(self, values_bm: Tensor) -> Tensor:
        """(M,): the sum over each latent's values."""
        return values_bm.sum(0)

    def firings(self, values_bm: Tensor) -> Tensor:
        """(M,) int64: in how many activations each latent is above zero."""
        return (values_bm > 0).sum(0)


class Sparse:
    """Some latents of each activation.

    Args:
        row_ptr: (B + 1,) int32, where each activation's entries begin.
        latents_e: (e,) int32, of each entry, in order of activation.
        latents: how many there are in all.
    """

    def __init__(self, row_ptr: Tensor, latents_e: Tensor, latents: int) -> None:
        self.row_ptr = row_ptr
        self.latents_e = latents_e
        self.latents = latents

    @classmethod
    def of_rows(cls, latents_bk: Tensor, latents: int) -> Sparse:
        """The same number of entries in each activation."""
        rows, k = latents_bk.shape
        row_ptr = torch.arange(0, rows * k + 1, k, dtype=torch.int32, device=latents_bk.device)
        return cls(row_ptr, latents_bk.flatten().int(), latents)

    @property
    def rows(self) -> int:
        """How many activations."""
        return self.row_ptr.shape[0] - 1

    @cached_property
    def rows_e(self) -> Tensor:
        """(e,) int64: the activation of each entry."""
        counts = self.row_ptr.diff().long()
        return torch.repeat_interleave(torch.arange(self.rows, device=counts.device), counts)

    @cached_property
    def by_latent(self) -> tuple[Tensor, Tensor, Tensor]:
        """The entries by latent, then row: where each latent's begin (M + 1,), their rows (e,), their places (e,)."""
        if self.latents_e.is_cuda:
            order = torch.sort(self.latents_e, stable=True).indices
            counts = torch.bincount(self.latents_e, minlength=self.latents)
            starts = torch.zeros(self.latents + 1, dtype=torch.int32, device=counts.device)
            starts[1:] = counts.cumsum(0)
            return starts, self.rows_e[order].int(), order
        places = np.arange(len(self.latents_e), dtype=np.int32)
        shape = (self.rows, self.latents)
        turned = csr_matrix((places, self.latents_e.numpy(), self.row_ptr.numpy()), shape=shape, copy=False).tocsc()
        starts, rows, order = (torch.from_numpy(part) for part in (turned.indptr, turned.indices, turned.data))
        return starts, rows, order

    def at(self, full_bm: Tensor) -> Tensor:
        """What stands in a matrix at the support."""
        return full_bm[self.rows_e, self.latents_e.long()]

    def per_latent(self, values_m: Tensor) -> Tensor:
        """A number of each latent, at the support."""
        return values_m[self.latents_e.long()]

    def _csr(self, values_e: Tensor) -> Tensor:
        return torch.sparse_csr_tensor(self.row_ptr, self.latents_e, values_e, (self.rows, self.latents))

    def decode(self, values_e: Tensor, W_md: Tensor) -> Tensor:
        """(B, d): the sum of each activation's values times their latents' rows."""
        out_bd = torch.empty(self.rows, W_md.shape[1], dtype=W_md.dtype, device=W_md.device)
        if kernels.usable(W_md):
            return kernels.weighted_rows(self.row_ptr, self.latents_e, values_e, W_md, out_bd)
        return torch.addmm(out_bd, self._csr(values_e), W_md, beta=0, out=out_bd)

    def products(self, A_bd: Tensor, W_md: Tensor) -> Tensor:
        """``A[row] . W[latent]`` at the support."""
        if kernels.usable(W_md):
            return kernels.row_products(self.row_ptr, self.latents_e, A_bd, W_md)
        starts, rows, order = self.by_latent  # in this order each row of W stays in the cache
        turned = torch.sparse_csr_tensor(starts, rows, A_bd.new_zeros(len(rows)), (self.latents, self.rows))
        found = torch.sparse.sampled_addmm(turned, W_md, A_bd.T, beta=0).values()
        return torch.empty_like(found).index_copy_(0, order.long(), found)

    def by_latent_values(self, values_e: Tensor) -> Tensor:
        """The values as :meth:`gather` wants them: by latent, then row."""
        return values_e.index_select(0, self.by_latent[2])

    def gather(self, values_l: Tensor, A_bd: Tensor, low: int, high: int, out_nd: Tensor) -> None:
        """Into ``out_nd``, of latents ``low`` to ``high``: the sum of each one's values times their rows of ``A``."""
        starts = self.by_latent[0][low : high + 1]
        first, last = int(starts[0]), int(starts[-1])
        rows_l, values_l, starts = self.by_latent[1][first:last], values_l[first:last], starts - first
        if kernels.usable(A_bd):
            kernels.weighted_rows(starts, rows_l, values_l, A_bd, out_nd)
            return
        turned = torch.sparse_csr_tensor(starts, rows_l, values_l, (len(out_nd), len(A_bd)))
        torch.addmm(out_nd, turned, A_bd, beta=0, out=out_nd)

    def sums(self, values_e: Tensor) -> Tensor:
        """(M,): the sum over each latent's values."""
        return values_e.new_zeros(self.latents).index_add_(0, self.latents_e, values_e)

    def firings(self, values_e: Tensor) -> Tensor:
        """(M,) int64: in how many activations each latent is above zero."""
        return torch.bincount(self.latents_e[values_e > 0], minlength=self.latents)

    def stacked(self, edges: list[int]) -> tuple[Sparse, Tensor]:
        """The same entries by group of latents, each group with rows of its own; and the place each had.

        Group ``g`` has the latents from ``edges[g]`` to ``edges[g + 1]``; its activation ``b`` is row ``g B + b``.
        """
        inner = torch.tensor(edges[1:-1], device=self.latents_e.device, dtype=torch.int32)
        rows_e = torch.bucketize(self.latents_e, inner, right=True) * self.rows + self.rows_e
        rows_e, order = torch.sort(rows_e, stable=True)
        count = torch.arange((len(edges) - 1) * self.rows + 1, device=rows_e.device)
        return Sparse(torch.searchsorted(rows_e, count).int(), self.latents_e[order], self.latents), order


Support = Sparse | Dense
