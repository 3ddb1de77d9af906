"""Sparse counters: whole numbers by key, in memory that grows with the keys that really occur."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BUFFERED = 1 << 20
"""Keys that wait, at least, before they are counted together: 16 MB with one column."""


class Tally:
    """Counts by 64-bit key, ``columns`` of them to each key.

    Sums of whole numbers do not depend on the order in which they were added, so two tallies of the same things are
    equal whatever the order and wherever they were merged.
    """

    def __init__(self, columns: int = 1) -> None:
        self.columns = columns
        self._keys: NDArray[np.int64] = np.empty(0, np.int64)
        self._counts: NDArray[np.int64] = np.empty((0, columns), np.int64)
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._buffered = 0

    def add(self, keys: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Count ``counts`` (m, columns) at ``keys`` (m,), which may repeat. Both are kept, not copied."""
        self._waiting.append((keys, counts.reshape(len(keys), self.columns)))
        self._buffered += len(keys)
        if self._buffered > max(_BUFFERED, len(self._keys) // 2):
            self._gather()

    def items(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys (m,), ascending, each once, and their counts (m, columns). Not to be written to."""
        self._gather()
        return self._keys, self._counts

    def merge(self, other: Tally) -> None:
        """Count all of ``other`` here too."""
        self.add(*other.items())

    def _gather(self) -> None:
        if not self._waiting:
            return
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._waiting)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._waiting)])
        self._waiting, self._buffered = [], 0
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
        self._keys = keys[first]
        self._counts = np.add.reduceat(counts[order], first, axis=0) if len(first) else counts
