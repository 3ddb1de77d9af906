"""An order that is shuffled without being written down: any position of it can be had at once.

A keyed permutation of ``0 .. size-1``: a Feistel network over the next even number of bits, walked again where it
leaves the range (cycle walking; Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002). Eight rounds
of SplitMix64's mixing function. It shuffles; it is no cipher.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 8
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
"""Constants of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * _MULTIPLIERS[0]
    values = (values ^ (values >> np.uint64(27))) * _MULTIPLIERS[1]
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Permutation:
    """A permutation of ``0 .. size-1`` that follows from ``key``.

    Attributes:
        size: how many there are, at least 1.
        key: numbers; other keys, other permutations.
    """

    size: int
    key: tuple[int, ...]

    def __getitem__(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """What stands at these positions, each in ``0 .. size-1``."""
        half = max(1, ((self.size - 1).bit_length() + 1) // 2)
        keys = self._round_keys()
        found = self._rounds(positions.astype(np.uint64), half, keys)
        outside = np.flatnonzero(found >= self.size)
        while outside.size:
            found[outside] = self._rounds(found[outside], half, keys)
            outside = outside[found[outside] >= self.size]
        return found.astype(np.int64)

    def _round_keys(self) -> NDArray[np.uint64]:
        digest = hashlib.blake2b(repr((self.size, self.key)).encode(), digest_size=8 * _ROUNDS).digest()
        return np.frombuffer(digest, dtype="<u8").astype(np.uint64)

    @staticmethod
    def _rounds(values: NDArray[np.uint64], half: int, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
        bits = np.uint64(half)
        low = np.uint64((1 << half) - 1)
        left, right = values >> bits, values & low
        with np.errstate(over="ignore"):
            for key in keys:
                left, right = right, left ^ (_mix(right + key) & low)
        return (left << bits) | right


@dataclass(frozen=True, slots=True)
class Order:
    """An endless order of rows: every epoch has each row once, in an order of its own.

    With a ``window`` the rows of an epoch are dealt in two steps, so that a disk that dislikes jumping is read in long
    runs: blocks of ``block`` neighbouring rows are shuffled over the whole store, then the rows among those blocks
    that fill one window. Without, all rows are shuffled at once.

    Attributes:
        rows: in the store, at least 1.
        seed: of the order.
        window: rows that are shuffled among each other, a multiple of ``block``; ``None`` for all.
        block: neighbouring rows that stay within one window.
    """

    rows: int
    seed: int
    window: int | None = None
    block: int = 256

    def __getitem__(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows at these positions of the endless order; positions may lie in several epochs."""
        epochs, places = np.divmod(positions, self.rows)
        found = np.empty_like(places)
        for epoch in np.unique(epochs):
            chosen = epochs == epoch
            found[chosen] = self._epoch(int(epoch), places[chosen])
        return found

    def _epoch(self, epoch: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
        blocks = self.rows // self.block
        if self.window is None or self.window >= self.rows or blocks < 2:
            return Permutation(self.rows, (self.seed, epoch))[places]
        whole = blocks * self.block
        order = Permutation(blocks, (self.seed, epoch, 1))
        found = places.copy()  # rows that fill no block stand at the end; the turn below makes them others each epoch
        for window in np.unique(places[places < whole] // self.window):
            begin = int(window) * self.window
            end = min(begin + self.window, whole)
            chosen = (places >= begin) & (places < end)
            inside = Permutation(end - begin, (self.seed, epoch, 2, int(window)))[places[chosen] - begin] + begin
            found[chosen] = order[inside // self.block] * self.block + inside % self.block
        turn = int(Permutation(self.rows, (self.seed, 3))[np.array([epoch % self.rows])][0])
        return (found + turn) % self.rows
