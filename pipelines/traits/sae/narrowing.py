"""The ``k`` greatest of each activation, found by a product in bfloat16 and made sure of in single precision.

Matrix units multiply bfloat16 several times as fast as single precision. The product in bfloat16 only says which
latents can be among the greatest: how far it can be from the product in single precision is bounded for each
activation, by what rounding took from its numbers and from the weights (Cauchy and Schwarz) and by the rounding of sums
(Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, section 3.1). What is that near to the ``k``-th
greatest or above it, ``k`` and a few more, is then computed in single precision, each latent by a sum of its own whose
order depends on nothing else. So the result is that of choosing among all of these sums, to the last bit, whichever
product it came by. An activation for which too many remain goes by a product in single precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.traits.sae import compiled
from pipelines.traits.sae.encoder import PADDING

LEAST_LATENTS = 4096
"""Of fewer, a product in single precision takes no longer than this search."""
MOST_MORE = 8
"""Times ``k`` that may remain of an activation after the product in bfloat16."""
GROUP = 16
"""Latents whose greatest pre-activation is looked at first; strided, so that it is one vectorised pass."""
_MOST_LATENTS = GROUP * (2**15 - 1)
"""Groups are counted in 16 bits."""
_ROUNDING = 2.0**-23
"""Relative rounding of a sum's step in single precision, twice the unit of IEEE 754: matrix units do not say how they
round."""
_TINY = 1e-30
"""Above all that matrix units take for zero since it is too small for them."""
_PARTS = 16


class Greatest(NamedTuple):
    """The active latents of ``n`` activations.

    Attributes:
        latents: (n, k) int64, ascending.
        values: (n, k) float32, > 0.
        counts: (n,) int64, how many of them there are; what stands beyond is of no meaning.
    """

    latents: NDArray[np.int64]
    values: NDArray[np.float32]
    counts: NDArray[np.int64]


class _Losses(NamedTuple):
    """How far the product of an activation, before it is rounded itself, can be from sums in single precision.

    Attributes:
        inputs: times the length of what rounding took from the activation.
        weights: times the activation's length, for what rounding took from the weights.
        biases: for what it took from the biases.
        sums: times the activation's length, for the rounding of a sum.
        constant: beside that, for the biases' part.
    """

    inputs: float
    weights: float
    biases: float
    sums: float
    constant: float


def fast() -> bool:
    """Whether the processor has matrix units for bfloat16."""
    told: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(told.get("amx_bf16") and told.get("amx_tile"))


def usable(W_enc_md: Tensor) -> bool:
    """Whether numba is there and the encoder is on the CPU, in single precision, and wide enough."""
    wide = LEAST_LATENTS <= len(W_enc_md) <= _MOST_LATENTS and len(W_enc_md) % GROUP == 0
    return wide and W_enc_md.dtype is torch.float32 and compiled.usable(W_enc_md)


class Narrowing:
    """The search for the greatest pre-activations of one encoder.

    Args:
        W_enc_md, b_enc_m: the encoder, float32 on the CPU.
        k: how many are looked for.
    """

    def __init__(self, W_enc_md: Tensor, b_enc_m: Tensor, k: int) -> None:
        self._weights, self._bias, self._k = W_enc_md.contiguous(), b_enc_m.contiguous(), k
        latents, width = W_enc_md.shape
        self._copy = W_enc_md.new_zeros(latents, width + PADDING, dtype=torch.bfloat16)
        self._copy[:, :width] = W_enc_md
        self._copy[:, width] = b_enc_m
        self._copy[:, width + 1] = b_enc_m - self._copy[:, width].float()
        rounded = self._copy.float()
        lost = _longest(W_enc_md - rounded[:, :width])
        self._losses = _Losses(
            inputs=_longest(W_enc_md),
            weights=lost,
            biases=float((b_enc_m - rounded[:, width] - rounded[:, width + 1]).abs().max()),
            sums=self._copy.shape[1] * _ROUNDING * (_longest(W_enc_md) + lost),
            constant=self._copy.shape[1] * _ROUNDING * float(b_enc_m.abs().max()) + _TINY,
        )

    def room(self, rows: int) -> Tensor:
        """(rows, m): where the product of so many activations goes, to be used again and again."""
        return self._copy.new_empty(rows, len(self._copy))

    def greatest(self, x_nd: Tensor, room_nm: Tensor) -> Greatest:
        """The ``k`` greatest pre-activations above zero of each activation; of equal ones the first latents.

        Args:
            x_nd: activations less the decoder's bias.
            room_nm: from :meth:`room`, for as many activations or more.
        """
        x_nd = x_nd.contiguous()
        rows, width = x_nd.shape
        found = Greatest(
            np.empty((rows, self._k), np.int64), np.empty((rows, self._k), np.float32), np.empty(rows, np.int64)
        )
        inputs = self._copy.new_zeros(rows, self._copy.shape[1])
        inputs[:, :width] = x_nd
        inputs[:, width : width + 2] = 1
        pre_nm = torch.mm(inputs, self._copy.T, out=room_nm[:rows])
        self._choose(pre_nm, x_nd, inputs, self._losses, MOST_MORE * self._k, found)
        (left,) = np.nonzero(found.counts < 0)
        if len(left):
            kept = torch.from_numpy(left)
            pre_nm = torch.addmm(self._bias, x_nd[kept], self._weights.T).bfloat16()
            again = Greatest(found.latents[left], found.values[left], found.counts[left])
            nothing = self._losses._replace(inputs=0.0, weights=0.0, biases=0.0)
            self._choose(pre_nm, x_nd[kept], inputs[kept], nothing, len(self._weights), again)
            found.latents[left], found.values[left], found.counts[left] = again
        return found

    def _choose(
        self, pre_nm: Tensor, x_nd: Tensor, inputs: Tensor, losses: _Losses, most: int, found: Greatest
    ) -> None:
        halves = (pre_nm.view(torch.int16).numpy(), inputs.view(torch.int16).numpy())
        arrays = (*halves, x_nd.numpy(), self._weights.numpy(), self._bias.numpy())
        threads = torch.get_num_threads()
        parts = min(_PARTS * threads, len(x_nd)) if threads > 1 else 1
        edges = [len(x_nd) * part // parts for part in range(parts + 1)]
        search: Callable[..., None] = _greatest
        with ThreadPoolExecutor(threads) as pool:
            begun = [
                pool.submit(search, low, high, *arrays, tuple(losses), self._k, most, *found)
                for low, high in pairwise(edges)
            ]
            for part in begun:
                part.result()


def _longest(rows: Tensor) -> float:
    return float(rows.norm(dim=1).max())


if compiled.numba is not None:
    _compiled: Any = compiled.numba.njit(
        nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy"
    )

    @_compiled
    def _kth_above_zero(numbers, k):  # type: ignore[no-untyped-def]
        """The ``k``-th largest of some integers; 0 where fewer are above zero."""
        low, high = 0, 1
        for j in range(len(numbers)):
            high = max(high, numbers[j] + 1)
        while high - low > 1:
            middle = numbers.dtype.type((low + high) >> 1)
            found = numbers.dtype.type(0)  # as narrow as the numbers, so that as many are counted at once
            for j in range(len(numbers)):
                found = numbers.dtype.type(found + numbers.dtype.type(numbers[j] >= middle))
            if found >= k:
                low = middle
            else:
                high = middle
        return low

    @_compiled
    def _number(half):  # type: ignore[no-untyped-def]
        """The number of which these are a bfloat16's bits."""
        return np.uint32(np.uint32(half) << np.uint32(16)).view(np.float32)

    @_compiled
    def _remaining(pre, bound, k, most, maxima, kept, places):  # type: ignore[no-untyped-def]
        """Put down the latents that can be among the greatest, ascending; how many they are, -1 for over ``most``."""
        width = len(maxima)
        maxima[:] = pre[:width]
        for group in range(1, GROUP):
            part = pre[group * width : (group + 1) * width]
            for j in range(width):
                maxima[j] = part[j] if part[j] > maxima[j] else maxima[j]
        # The k-th largest is at least this, less its own rounding; what is to pass it lacks at most twice the bound.
        kth = _number(_kth_above_zero(maxima, k)) * np.float32(1 - 2**-8)
        floor = max(kth - 2 * bound, -bound)
        below = np.float32(floor - abs(floor) * np.float32(2**-7))
        groups = 0
        for j in range(width):
            if floor <= 0 or _number(maxima[j]) >= below:
                kept[groups] = j
                groups += 1
        count = 0
        for group in range(GROUP):
            for i in range(groups):
                place = group * width + kept[i]
                if _number(pre[place]) >= below:
                    if count == most:
                        return -1
                    places[count] = place
                    count += 1
        return count

    @_compiled
    def _bound(x, rounded, losses):  # type: ignore[no-untyped-def]
        inputs, weights, biases, sums, constant = losses
        lost, length = np.float32(0), np.float32(0)
        for j in range(len(x)):
            number = _number(rounded[j])
            lost += (x[j] - number) * (x[j] - number)
            length += number * number
        lost, length = 1.001 * np.sqrt(lost), 1.001 * np.sqrt(length)
        return lost * inputs + length * weights + biases + 2 * (sums * (lost + length) + constant)

    @_compiled
    def _greatest(low, high, pre, inputs, x, W, b, losses, k, most, latents, values, counts):  # type: ignore[no-untyped-def]
        maxima, kept = np.empty(pre.shape[1] // GROUP, pre.dtype), np.empty(pre.shape[1] // GROUP, np.int32)
        some, sums = np.empty(pre.shape[1], np.int32), np.empty(pre.shape[1], np.float32)
        for row in range(low, high):
            count = _remaining(pre[row], _bound(x[row], inputs[row], losses), k, most, maxima, kept, some)
            counts[row] = min(count, 0)
            if count <= 0:
                continue
            for i in range(count):
                own, total = W[some[i]], np.float32(0)
                for j in range(len(own)):
                    total += x[row, j] * own[j]
                sums[i] = total + b[some[i]]
            bits = sums[:count].view(np.int32)  # those above zero are ordered like the numbers
            least = _kth_above_zero(bits, k)
            equal = k
            for i in range(count):
                equal -= bits[i] > least
            taken = 0
            for i in range(count):
                if bits[i] > least or (bits[i] == least and least > 0 and equal > 0):
                    equal -= bits[i] == least
                    latents[row, taken], values[row, taken] = some[i], sums[i]
                    taken += 1
            counts[row] = taken
