"""Which item of one side is which of the other, and which of them are done at another place in the order."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher

from protocols.difference.items import ROUNDING, Details, Item

_MOST_EDITS = 250_000
"""Pairs of items of one sort and key that are weighed against each other."""
Pair = tuple[int | None, int | None]
"""Positions of one item on both sides; ``None`` where a side has it not."""


def match(ours: Sequence[Item], theirs: Sequence[Item]) -> list[Pair]:
    """Every item of both sides once: items of one sort and key are told apart by their details, then by their order."""
    places: dict[tuple[str, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((ours, theirs)):
        for at, item in enumerate(items):
            places[item.name][side].append(at)
    pairs: list[Pair] = []
    for here, there in places.values():
        said = [_fixed(ours[at].details) for at in here]
        other = [_fixed(theirs[at].details) for at in there]
        pairs += [(None if i is None else here[i], None if j is None else there[j]) for i, j in _aligned(said, other)]
    return pairs


def _aligned(ours: Sequence[str], theirs: Sequence[str]) -> list[Pair]:
    """Two rows laid side by side with the fewest changes, additions and omissions."""
    start = 0
    while start < min(len(ours), len(theirs)) and ours[start] == theirs[start]:
        start += 1
    end = 0
    while end < min(len(ours), len(theirs)) - start and ours[-1 - end] == theirs[-1 - end]:
        end += 1
    inner = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    lay = _edited if len(inner[0]) * len(inner[1]) <= _MOST_EDITS else _similar
    pairs: list[Pair] = [(at, at) for at in range(start)]
    pairs += [(None if i is None else i + start, None if j is None else j + start) for i, j in lay(*inner)]
    return pairs + [(len(ours) - at, len(theirs) - at) for at in range(end, 0, -1)]


def _edited(ours: Sequence[str], theirs: Sequence[str]) -> list[Pair]:
    """By the least edit distance (Levenshtein), items paired as early as can be."""
    costs = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]  # of what is left from i and j on
    for i in range(len(ours), -1, -1):
        for j in range(len(theirs), -1, -1):
            if i == len(ours) or j == len(theirs):
                costs[i][j] = len(ours) - i + len(theirs) - j
            else:
                changed = costs[i + 1][j + 1] + (ours[i] != theirs[j])
                costs[i][j] = min(changed, costs[i + 1][j] + 1, costs[i][j + 1] + 1)
    i = j = 0
    pairs: list[Pair] = []
    while i < len(ours) or j < len(theirs):
        left = i < len(ours) and j < len(theirs)
        if left and costs[i][j] == costs[i + 1][j + 1] + (ours[i] != theirs[j]):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif i < len(ours) and costs[i][j] == costs[i + 1][j] + 1:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs


def _similar(ours: Sequence[str], theirs: Sequence[str]) -> list[Pair]:
    """By long rows that both have; not always the fewest changes."""
    pairs: list[Pair] = []
    for _, i, j, k, m in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        both = min(j - i, m - k)
        pairs += zip(range(i, i + both), range(k, k + both), strict=True)
        pairs += [(at, None) for at in range(i + both, j)]
        pairs += [(None, at) for at in range(k + both, m)]
    return pairs


def _fixed(details: Details) -> str:
    """Details as text, numbers but for rounding."""
    return repr({name: _rounded(details[name]) for name in sorted(details)})


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value / ROUNDING)
    if isinstance(value, dict):
        return {name: _rounded(value[name]) for name in sorted(value)}
    return tuple(map(_rounded, value)) if isinstance(value, tuple) else value


def displaced(items: Sequence[Item], ranks: Sequence[int]) -> list[int]:
    """Positions in ``items`` of those that the other side does at another place, where that makes a difference.

    As few as can be are named: the others keep their order.

    Args:
        items: of one side, in its order.
        ranks: the place of each on the other side.
    """
    order = _nearest_order(items, ranks)
    kept = _longest_rising([ranks[at] for at in order])
    return sorted(at for number, at in enumerate(order) if number not in kept)


def _nearest_order(items: Sequence[Item], ranks: Sequence[int]) -> list[int]:
    """The order of ``items`` that means the same as theirs and is nearest to ``ranks``."""
    following, waiting = _dependencies(items)
    count = len(items)
    ready: list[tuple[int, int]] = []
    free = [node for node in range(len(waiting)) if not waiting[node]]
    order: list[int] = []
    while free or ready:
        while free:
            node = free.pop()
            if node < count:
                heapq.heappush(ready, (ranks[node], node))
            else:
                _release(node, following, waiting, free)
        if ready:
            _, node = heapq.heappop(ready)
            order.append(node)
            _release(node, following, waiting, free)
    return order


def _release(node: int, following: Sequence[list[int]], waiting: list[int], free: list[int]) -> None:
    for after in following[node]:
        waiting[after] -= 1
        if not waiting[after]:
            free.append(after)


def _dependencies(items: Sequence[Item]) -> tuple[list[list[int]], list[int]]:
    """What waits for each item, and for each gate between two stretches of a well; and for how many each waits.

    A stretch is a row of items that do the same to a well: their order makes no difference.
    """
    following: list[list[int]] = [[] for _ in items]
    waiting = [0] * len(items)
    stretches: dict[str, tuple[frozenset[str], int | None, list[int]]] = {}

    def node() -> int:
        following.append([])
        waiting.append(0)
        return len(following) - 1

    def wait(after: int, before: int) -> None:
        following[before].append(after)
        waiting[after] += 1

    for at, item in enumerate(items):
        for well, label in item.labels.items():
            said, gate, members = stretches.get(well, (frozenset(), None, []))
            if members and said != label:
                gate = node()
                for member in members:
                    wait(gate, member)
                members = []
            if gate is not None:
                wait(at, gate)
            members.append(at)
            stretches[well] = label, gate, members
    return following, waiting


def _longest_rising(values: Sequence[int]) -> set[int]:
    """Positions of a longest strictly rising row in ``values`` (patience sorting)."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for at, value in enumerate(values):
        place = bisect_left(ends, value)
        before.append(last[place - 1] if place else None)
        if place == len(ends):
            ends.append(value)
            last.append(at)
        else:
            ends[place], last[place] = value, at
    found: set[int] = set()
    step = last[-1] if last else None
    while step is not None:
        found.add(step)
        step = before[step]
    return found
