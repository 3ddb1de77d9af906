"""The sparse part of a training step on the CPU, compiled by numba where that is installed.

Rows of activations, or of latents, are worked through one at a time, each from its gathered sources to its result
while it is in the first cache. Sources are single precision, or bfloat16, which halves what is read; sums are single
precision. Every row is made alike whichever thread makes it, so the result does not depend on the number of threads.
Without numba torch and numpy do the same, several passes over memory each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

numba: Any
extending: Any
try:
    numba, extending = import_module("numba"), import_module("numba.extending")
except ImportError:
    numba = None

PARTS = 8
"""Of the rows, to a thread: whichever is free takes the next, since torch's own threads spin for a while after
their work and hold up some of these."""
LATENT_COST = 16
"""What moving a latent's weights costs, in entries gathered; by which latents are shared out among threads."""


def usable(matrix: Tensor) -> bool:
    """Whether numba is there, and this is a matrix of single precision or bfloat16 on the CPU."""
    return numba is not None and matrix.device.type == "cpu" and matrix.dtype in (torch.float32, torch.bfloat16)


def array(matrix: Tensor) -> NDArray[Any]:
    """As numpy sees it: of a bfloat16 matrix the bits."""
    return (matrix.view(torch.uint16) if matrix.dtype is torch.bfloat16 else matrix).numpy()


def _shared(function: Callable[..., None], edges: list[int], *arguments: Any) -> None:
    """Call it with each pair of neighbouring edges, on torch's number of threads."""
    pairs = list(pairwise(edges))
    if torch.get_num_threads() == 1:
        function(edges[0], edges[-1], *arguments)
        return
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for done in [pool.submit(function, low, high, *arguments) for low, high in pairs]:
            done.result()


def _even(count: int) -> list[int]:
    parts = min(PARTS * torch.get_num_threads(), max(count, 1))
    return [count * part // parts for part in range(parts + 1)]


if numba is not None:
    _compiled = numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy")

    def _wide(_number: Any) -> Any:
        """The number, given as it is or as a bfloat16's bits: known by its type when it is compiled."""
        raise NotImplementedError

    @extending.overload(_wide, inline="always")
    def _widened(number):  # type: ignore[no-untyped-def]
        if number == numba.types.uint16:
            return lambda number: np.uint32(np.uint32(number) << np.uint32(16)).view(np.float32)
        return lambda number: number

    @_compiled
    def _narrow(number):  # type: ignore[no-untyped-def]
        """The bits of the nearest bfloat16, of two the even one."""
        whole = np.float32(number).view(np.uint32)
        odd = np.uint32(np.uint32(whole >> np.uint32(16)) & np.uint32(1))
        return np.uint16(np.uint32(whole + np.uint32(0x7FFF) + odd) >> np.uint32(16))

    def _put(_row: Any, _place: Any, _number: Any) -> None:
        """Write a number into a row of numbers, or of bfloat16's bits."""
        raise NotImplementedError

    @extending.overload(_put, inline="always")
    def _putting(row, place, number):  # type: ignore[no-untyped-def]
        if row.dtype == numba.types.uint16:

            def narrowed(row, place, number):  # type: ignore[no-untyped-def]
                row[place] = _narrow(number)

            return narrowed

        def whole(row, place, number):  # type: ignore[no-untyped-def]
            row[place] = number

        return whole

    @_compiled
    def _add_rows(total, values, places, low, high, A):  # type: ignore[no-untyped-def]
        """Add to ``total`` (d,) the values times their rows; four rows in one pass."""
        entry = low
        while entry + 4 <= high:
            v0, v1, v2, v3 = values[entry], values[entry + 1], values[entry + 2], values[entry + 3]
            r0, r1, r2, r3 = A[places[entry]], A[places[entry + 1]], A[places[entry + 2]], A[places[entry + 3]]
            for j in range(len(total)):
                total[j] += v0 * _wide(r0[j]) + v1 * _wide(r1[j]) + v2 * _wide(r2[j]) + v3 * _wide(r3[j])
            entry += 4
        while entry < high:
            v0, r0 = values[entry], A[places[entry]]
            for j in range(len(total)):
                total[j] += v0 * _wide(r0[j])
            entry += 1

    @_compiled
    def _errors(low, high, starts, latents, values, W, target, scale, residual, gradient, d_values):  # type: ignore[no-untyped-def]
        for row in range(low, high):
            left, wanted = residual[row], target[row]
            for j in range(len(left)):
                left[j] = -wanted[j]
            _add_rows(left, values, latents, starts[row], starts[row + 1], W)
            for entry in range(starts[row], starts[row + 1]):
                other, along = W[latents[entry]], np.float32(0)
                for j in range(len(left)):
                    along += left[j] * _wide(other[j])
                d_values[entry] = along * scale
            for j in range(len(left)):
                _put(gradient[row], j, left[j] * scale)

    @_compiled
    def _at_least(numbers, count, floor):  # type: ignore[no-untyped-def]
        found = numbers.dtype.type(0)  # as narrow as the numbers, so that as many are counted at once
        for j in range(count):
            found = numbers.dtype.type(found + numbers.dtype.type(numbers[j] >= floor))
        return found

    @_compiled
    def _kth(numbers, count, k, low, high):  # type: ignore[no-untyped-def]
        """The ``k``-th largest, known to be from ``low`` to below ``high``; ``low`` where it is less."""
        while high - low > 1:
            middle = (low + high) >> 1
            if _at_least(numbers, count, numbers.dtype.type(middle)) >= k:
                low = middle
            else:
                high = middle
        return low

    @_compiled
    def _select(low, high, pre, k, size, values, latents):  # type: ignore[no-untyped-def]
        width = pre.shape[1] // size
        maxima = np.empty(width, pre.dtype)
        among, whose = np.empty(pre.shape[1], pre.dtype), np.empty(pre.shape[1], np.int32)
        for row in range(low, high):
            numbers = pre[row]
            maxima[:] = numbers[:width]
            for group in range(1, size):
                part = numbers[group * width : (group + 1) * width]
                for j in range(width):
                    maxima[j] = part[j] if part[j] > maxima[j] else maxima[j]
            top = pre.dtype.type(0)
            for j in range(width):
                top = maxima[j] if maxima[j] > top else top
            floor = _kth(maxima, width, k, 0, top + 1)
            count = 0
            for j in range(width):
                if maxima[j] >= floor:
                    for group in range(size):
                        place = group * width + j
                        among[count], whose[count] = numbers[place], place
                        count += numbers[place] >= floor
            least = _kth(among, count, k, floor, top + 1) if count > k else floor - 1
            taken = 0
            for j in range(count):
                if among[j] > least:
                    values[row, taken], latents[row, taken] = among[j], whose[j]
                    taken += 1
            for j in range(count):
                if among[j] == least and taken < k:
                    values[row, taken], latents[row, taken] = among[j], whose[j]
                    taken += 1
            j = 0
            while taken < k:  # fewer are above zero: others fill up, as zeros
                if numbers[j] < floor:
                    values[row, taken], latents[row, taken] = numbers[j], j
                    taken += 1
                j += 1

    @_compiled
    def _adam(weights, gradient, first, second, rates):  # type: ignore[no-untyped-def]
        beta1, beta2, rate, root, epsilon = rates
        one = np.float32(1)
        for j in range(len(weights)):
            first[j] = beta1 * first[j] + (one - beta1) * gradient[j]
            second[j] = beta2 * second[j] + (one - beta2) * gradient[j] * gradient[j]
            weights[j] -= rate * first[j] / (np.sqrt(second[j]) * root + epsilon)

    @_compiled
    def _move(low, high, by_latent, sources, decoder, encoder, more, rates, project, unit):  # type: ignore[no-untyped-def]
        starts, rows, of_decoder, of_encoder = by_latent
        gradient = np.empty(decoder[0].shape[1], np.float32)
        for latent in range(low, high):
            begin, end, extra = starts[latent], starts[latent + 1], more[0][latent]
            row = decoder[0][latent]
            gradient[:] = 0
            if extra >= 0:
                gradient[:] = more[1][extra]
            _add_rows(gradient, of_decoder, rows, begin, end, sources[0])
            if project:
                along = np.float32(0)
                for j in range(len(row)):
                    along += gradient[j] * row[j]
                for j in range(len(row)):
                    gradient[j] -= along * row[j]
            _adam(row, gradient, decoder[1][latent], decoder[2][latent], rates)
            if unit:
                square = np.float32(0)
                for j in range(len(row)):
                    square += row[j] * row[j]
                length = np.float32(1) / max(np.sqrt(square), np.float32(1.1754944e-38))
                for j in range(len(row)):
                    row[j] *= length
            if len(decoder[3]):
                for j in range(len(row)):
                    decoder[3][latent, j] = _narrow(row[j])
            row = encoder[0][latent]
            gradient[:] = 0
            if extra >= 0:
                gradient[:] = more[2][extra]
            _add_rows(gradient, of_encoder, rows, begin, end, sources[1])
            _adam(row, gradient, encoder[1][latent], encoder[2][latent], rates)
            if len(encoder[3]):
                for j in range(len(row)):
                    encoder[3][latent, j] = _narrow(row[j])


def errors(
    starts: Tensor, latents_e: Tensor, values_e: Tensor, W_md: Tensor, target_bd: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The reconstruction less the target (B, d), this times ``scale`` in the type of ``W``, and its products with it.

    Args:
        starts: (B + 1,) int32, where each activation's entries begin.
        latents_e: (e,) int32.
        values_e: (e,) float32.
        W_md: the decoder, float32 or bfloat16.
        target_bd: float32.
        scale: of the gradients.
    """
    residual_bd, d_values_e = torch.empty_like(target_bd), torch.empty_like(values_e)
    d_out_bd = torch.empty_like(target_bd, dtype=W_md.dtype)
    arrays = [each.contiguous().numpy() for each in (starts, latents_e, values_e)]
    _shared(
        _errors,
        _even(len(target_bd)),
        *arrays,
        array(W_md),
        target_bd.contiguous().numpy(),
        np.float32(scale),
        residual_bd.numpy(),
        array(d_out_bd),
        d_values_e.numpy(),
    )
    return residual_bd, d_out_bd, d_values_e


def select(pre_bm: Tensor, k: int, size: int) -> tuple[Tensor, Tensor]:
    """Values and latents (int32) of the ``k`` largest of each row that are above zero, in no order.

    Where fewer are, others fill up. ``size`` divides the columns: the search is first among maxima of so many.
    """
    whole = torch.int16 if pre_bm.dtype is torch.bfloat16 else torch.int32
    values = torch.empty(len(pre_bm), k, dtype=whole)
    latents = torch.empty(len(pre_bm), k, dtype=torch.int32)
    ordered = pre_bm.contiguous().view(whole).numpy()
    _shared(_select, _even(len(pre_bm)), ordered, k, size, values.numpy(), latents.numpy())
    return values.view(pre_bm.dtype), latents


class Moved(NamedTuple):
    """A weight matrix (M, d), its two moments, and its bfloat16 copy, or no rows where there is none."""

    weights: Tensor
    first: Tensor
    second: Tensor
    copy: Tensor

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """As numpy sees them."""
        return *(each.numpy() for each in self[:3]), array(self.copy)


class Rates(NamedTuple):
    """Of Adam (arXiv 1412.6980), at a step."""

    beta1: float
    beta2: float
    rate: float
    epsilon: float
    step: int

    def numbers(self) -> tuple[Any, ...]:
        """The decays, the rate and the root of the second moment with their bias corrected, and epsilon."""
        rate = self.rate / (1 - self.beta1**self.step)
        root = 1 / math.sqrt(1 - self.beta2**self.step)
        return tuple(np.float32(each) for each in (self.beta1, self.beta2, rate, root, self.epsilon))


def move(
    by_latent: tuple[Tensor, Tensor, Tensor, Tensor],
    sources: tuple[Tensor, Tensor],
    decoder: Moved,
    encoder: Moved,
    more: tuple[Tensor, Tensor, Tensor],
    rates: Rates,
    *,
    project: bool,
    unit: bool,
) -> None:
    """Adam's step of both weight matrices, their gradients made row by row on the way.

    Args:
        by_latent: where each latent's entries begin (M + 1,), their activations (e,), both int32, and their values
            (e,) in the decoder's gradient and in the encoder's.
        sources: (B, d), both float32 or both bfloat16, of which the gradients are sums: of the decoder's and of the
            encoder's.
        decoder, encoder: what is moved, in place.
        more: for each latent its row in two matrices of gradients to be added, or -1 (M,) int32; and these.
        rates: of Adam; ``step`` counts from 1.
        project: remove from a decoder row's gradient the part along the row.
        unit: scale each decoder row to length 1.
    """
    starts = by_latent[0].numpy()
    cost = starts + LATENT_COST * np.arange(len(starts))
    edges = np.searchsorted(cost, [cost[-1] * share / 4096 for share in _even(4096)]).tolist()
    edges[-1] = len(starts) - 1
    _shared(
        _move,
        edges,
        tuple(each.contiguous().numpy() for each in by_latent),
        tuple(array(each) for each in sources),
        decoder.arrays(),
        encoder.arrays(),
        tuple(each.contiguous().numpy() for each in more),
        rates.numbers(),
        project,
        unit,
    )
