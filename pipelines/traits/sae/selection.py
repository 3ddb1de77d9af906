"""The largest pre-activations of a wide matrix, exactly, without sorting it.

Columns are grouped, strided, so that maxima over groups are one vectorised pass. An element can be among a row's ``k``
largest only if its group's maximum is among the ``k`` largest maxima, so the search sees ``M / g + k g`` numbers of a
row in place of ``M``. Only what is above zero can be active, and positive floating-point numbers are ordered like the
integers of the same bits: on the CPU integers are compared, several times as fast for bfloat16. What is at or below
zero may therefore stand in for the largest where fewer than ``k`` are above; it is cut to zero in any case.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.traits.sae import compiled
from pipelines.traits.sae.support import DENSE_ABOVE, Dense, Sparse, Support

GROUPS = (16, 8, 4, 2)
"""Columns to a group; the first that divides a matrix and is worth it is taken. About ``sqrt(M / k)`` is best."""
BITS = {torch.bfloat16: (torch.int16, torch.int32, 16), torch.float32: (torch.int32, torch.int64, 32)}
"""Integers of the same bits, integers that hold them and a column beside, and by how much they are shifted for it."""
SAMPLED_ROWS = 128
"""Of which a batch's threshold is first guessed."""
MARGIN = 1.2
"""More groups than needed that the guess lets through."""


def _group(columns: int, k: int) -> int:
    return next((size for size in GROUPS if columns % size == 0 and columns >= 4 * size * k), 1)


def top_k(pre_bm: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Values and latents, both (B, k), of the ``k`` largest of each row that are above zero, in no order.

    Where fewer are above zero, others that are not fill up.
    """
    rows, columns = pre_bm.shape
    size = _group(columns, k)
    if compiled.usable(pre_bm) and k < columns <= torch.iinfo(BITS[pre_bm.dtype][0]).max:
        return compiled.select(pre_bm, k, size)
    ordered_bm = _ordered(pre_bm)
    if size == 1:
        best_bk = _places(ordered_bm, k)
        return pre_bm.gather(1, best_bk), best_bk
    width = columns // size
    groups = ordered_bm.view(rows, size, width)
    best_bk = _places(groups.amax(1), k)
    members = groups.gather(2, best_bk[:, None, :].expand(rows, size, k)).view(rows, size * k)
    places_bk = _places(members, k)
    latents_bk = places_bk.div(k, rounding_mode="floor") * width + best_bk.gather(1, places_bk.remainder(k))
    return members.gather(1, places_bk).view(pre_bm.dtype), latents_bk


def _ordered(pre_bm: Tensor) -> Tensor:
    """The same, as integers where that is faster."""
    if pre_bm.device.type == "cpu" and pre_bm.dtype in BITS:
        return pre_bm.view(BITS[pre_bm.dtype][0])
    return pre_bm


def _places(numbers_bn: Tensor, k: int) -> Tensor:
    """(B, k) int64: the columns of each row's ``k`` largest; of equals the last."""
    kinds = [(wide, shift) for narrow, wide, shift in BITS.values() if narrow is numbers_bn.dtype]
    columns = numbers_bn.shape[1]
    if not kinds or columns >= 1 << 16 or k >= columns:
        return numbers_bn.topk(k, sorted=False).indices
    ((wide, shift),) = kinds
    keys = numbers_bn.to(wide).mul_(1 << shift).add_(torch.arange(columns, dtype=wide))
    _partition(keys.numpy(), columns - k)
    return (keys[:, columns - k :] & 0xFFFF).long()


def _partition(keys: NDArray[np.integer], place: int) -> None:
    """Put the largest of each row from ``place`` on, in place: numpy's vectorised selection, on torch's threads."""
    threads = torch.get_num_threads()
    if threads == 1:
        keys.partition(place, axis=1)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: part.partition(place, axis=1), np.array_split(keys, threads)))


def batch_top_k(pre_bm: Tensor, count: int) -> tuple[Sparse, Tensor]:
    """The ``count`` largest of a whole matrix that are above zero, and their values. Of equals the first are taken."""
    rows, columns = pre_bm.shape
    size = _group(columns, max(count // rows, 1))
    width = columns // size
    groups = _ordered(pre_bm).view(rows, size, width)
    maxima = groups.amax(1).flatten()
    floor = _floor(maxima, count, rows)
    places = torch.nonzero(maxima >= floor if floor > 0 else maxima > 0).flatten()
    rows_c, groups_c = places.div(width, rounding_mode="floor"), places.remainder(width)
    first_c = rows_c * columns + groups_c
    flat = first_c[:, None] + torch.arange(0, columns, width, device=pre_bm.device)
    members = groups.view(-1).index_select(0, flat.flatten())
    kept = torch.nonzero(members >= floor if floor > 0 else members > 0).flatten()
    values = members[kept]
    if len(values) > count:
        among = _greatest(values, count)
        kept, values = kept[among], values[among]
    entry, member = kept.div(size, rounding_mode="floor"), kept.remainder(size)
    latents_e = groups_c[entry] + member * width
    return Sparse(_starts(rows_c[entry], rows), latents_e.int(), columns), values.view(pre_bm.dtype)


def _floor(maxima: Tensor, count: int, rows: int) -> float:
    """A number which at least ``count`` maxima, and not many more, reach; 0 where fewer are above zero."""
    width = len(maxima) // rows
    sample = maxima.view(rows, width)[:: max(rows // SAMPLED_ROWS, 1)].flatten()
    rank = int(count * len(sample) / len(maxima) * MARGIN) + 1
    if rank < len(sample):
        guess = max(_at_rank(sample, rank), 0)
        if guess == 0 or int((maxima >= guess).sum()) >= count:
            return guess
    return max(_at_rank(maxima, count), 0) if count < len(maxima) else 0


def _at_rank(numbers: Tensor, rank: int) -> float:
    """The ``rank``-th largest."""
    place = len(numbers) - rank
    if numbers.is_cuda:
        return float(numbers.kthvalue(place + 1).values)
    return np.partition(numbers.numpy(), place)[place].item()  # type: ignore[no-any-return]


def _greatest(numbers: Tensor, count: int) -> Tensor:
    """The places of the ``count`` largest, in order; of equals the first."""
    least = _at_rank(numbers, count)
    kept = numbers > least
    (equal,) = torch.nonzero(numbers == least, as_tuple=True)
    kept[equal[: count - int(kept.sum())]] = True
    return torch.nonzero(kept).flatten()


def _starts(rows_e: Tensor, rows: int) -> Tensor:
    return torch.searchsorted(rows_e, torch.arange(rows + 1, device=rows_e.device)).int()


def above(pre_bm: Tensor, floor_m: Tensor | float) -> tuple[Support, Tensor]:
    """Where a matrix is above ``floor_m``, and its values there: sparse where that is few, else all of it."""
    mask = pre_bm > floor_m
    if int(mask.sum()) > DENSE_ABOVE * mask.numel():
        return Dense(pre_bm.shape[1]), pre_bm
    rows_e, latents_e = torch.nonzero(mask, as_tuple=True)
    return Sparse(_starts(rows_e, len(pre_bm)), latents_e.int(), pre_bm.shape[1]), pre_bm[rows_e, latents_e]
