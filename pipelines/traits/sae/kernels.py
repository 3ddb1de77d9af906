"""The sparse products as Triton kernels, for CUDA; elsewhere torch's own sparse matrices do them.

One program makes one row and one block of columns of the result, or the products of one activation, so that nothing is
added atomically and the same input gives the same bits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

try:
    import triton  # type: ignore[import-not-found, unused-ignore]
    import triton.language as tl  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # Triton comes with torch's CUDA builds only
    triton = None

COLUMNS = 256
"""Of one program."""


def usable(matrix: Tensor) -> bool:
    """Whether the kernels can be run on it: Triton is there, and it is a single precision matrix on a CUDA device."""
    return triton is not None and matrix.is_cuda and matrix.dtype is torch.float32 and matrix.is_contiguous()


if triton is not None:

    @triton.jit  # type: ignore[untyped-decorator, unused-ignore]
    def _weighted_rows(
        starts: Any, columns: Any, values: Any, matrix: Any, out: Any, width: Any, BLOCK: tl.constexpr
    ) -> None:
        row = tl.program_id(0).to(tl.int64)
        offsets = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
        inside = offsets < width
        total = tl.zeros((BLOCK,), dtype=tl.float32)
        for entry in range(tl.load(starts + row), tl.load(starts + row + 1)):
            source = tl.load(columns + entry).to(tl.int64)
            total += tl.load(values + entry) * tl.load(matrix + source * width + offsets, mask=inside, other=0.0)
        tl.store(out + row * width + offsets, total, mask=inside)

    @triton.jit  # type: ignore[untyped-decorator, unused-ignore]
    def _row_products(
        starts: Any, columns: Any, left: Any, matrix: Any, out: Any, width: Any, BLOCK: tl.constexpr
    ) -> None:
        row = tl.program_id(0).to(tl.int64)
        offsets = tl.arange(0, BLOCK)
        inside = offsets < width
        mine = tl.load(left + row * width + offsets, mask=inside, other=0.0)
        for entry in range(tl.load(starts + row), tl.load(starts + row + 1)):
            source = tl.load(columns + entry).to(tl.int64)
            other = tl.load(matrix + source * width + offsets, mask=inside, other=0.0)
            tl.store(out + entry, tl.sum(mine * other))


def weighted_rows(starts: Tensor, columns: Tensor, values: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    """Into ``out`` (r, d): for each row, the sum of its values times the rows of ``matrix`` (n, d) that they name.

    Args:
        starts: (r + 1,) int32, where each row's entries begin.
        columns: (e,) int32, the row of ``matrix`` of each entry.
        values: (e,) float32.
        matrix: (n, d) float32, contiguous.
        out: (r, d) float32, contiguous.
    """
    grid = (out.shape[0], triton.cdiv(out.shape[1], COLUMNS))
    _weighted_rows[grid](starts, columns, values.contiguous(), matrix, out, out.shape[1], BLOCK=COLUMNS)
    return out


def row_products(starts: Tensor, columns: Tensor, left: Tensor, matrix: Tensor) -> Tensor:
    """(e,): of each entry, its row of ``left`` (r, d) times the row of ``matrix`` (n, d) that it names; see above."""
    out = left.new_empty(len(columns))
    block = triton.next_power_of_2(left.shape[1])
    _row_products[(left.shape[0],)](starts, columns, left.contiguous(), matrix, out, left.shape[1], BLOCK=block)
    return out
