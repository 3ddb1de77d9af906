"""The taxa of a collection, and which specimens each is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.marking.prevalence import Lineage
from pipelines.traits.specimens import RANKS

_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Group:
    """A taxon: which lineages are of it, and which are known not to be.

    Attributes:
        rank, name: of the narrowest taxon that has exactly these lineages.
        wider: rank and name of wider taxa that have exactly the same ones (a genus of which one species is there).
        members: lineages of the taxon.
        others: lineages known not to be of it; one identified less far, which might be of it, is in neither.
        siblings: those of the others that share the next wider taxon that has any; empty where none has.
        children: the members by the next narrower rank at which they differ; empty where they do not.
    """

    rank: str
    name: str
    wider: tuple[tuple[str, str], ...]
    members: NDArray[np.int64]
    others: NDArray[np.int64]
    siblings: NDArray[np.int64]
    children: tuple[NDArray[np.int64], ...]


def groups_of(lineages: Sequence[Lineage]) -> list[Group]:
    """Every taxon at every rank, each set of lineages once, from wide to narrow and by name."""
    table, names = _table(lineages)
    by_members: dict[bytes, tuple[int, int, list[tuple[str, str]]]] = {}
    for rank in range(len(RANKS)):
        for code, name in enumerate(names[rank]):
            key = np.packbits(table[:, rank] == code).tobytes()
            wider = by_members[key][2] if key in by_members else []
            by_members[key] = (rank, code, [*wider, (RANKS[rank], name)])
    order = sorted(by_members.values(), key=lambda found: (found[0], names[found[0]][found[1]]))
    return [_group(table, rank, code, found) for rank, code, found in order]


def _table(lineages: Sequence[Lineage]) -> tuple[NDArray[np.int64], list[list[str]]]:
    """(lineages, ranks) numbers of names, and the names of each rank."""
    names = [sorted({lineage[rank] for lineage in lineages} - {""}) for rank in range(len(RANKS))]
    numbers = [{"": _UNKNOWN, **{name: number for number, name in enumerate(known)}} for known in names]
    rows = [[numbers[rank][name] for rank, name in enumerate(lineage)] for lineage in lineages]
    return np.array(rows, np.int64).reshape(-1, len(RANKS)), names


def _group(table: NDArray[np.int64], rank: int, code: int, found: list[tuple[str, str]]) -> Group:
    inside = table[:, rank] == code
    differs = (table[:, rank] != code) & (table[:, rank] != _UNKNOWN)
    siblings = np.zeros(len(table), bool)
    for above in reversed(range(rank)):
        known = np.unique(table[inside, above])
        known = known[known != _UNKNOWN]
        if len(known) != 1:
            continue
        same = table[:, above] == known[0]
        differs |= ~inside & ~same & (table[:, above] != _UNKNOWN)
        if not siblings.any():
            siblings = same & (table[:, rank] != code) & (table[:, rank] != _UNKNOWN)
    return Group(
        rank=RANKS[rank],
        name=found[-1][1],
        wider=tuple(found[:-1]),
        members=np.flatnonzero(inside),
        others=np.flatnonzero(differs),
        siblings=np.flatnonzero(siblings),
        children=_children(table, rank, inside),
    )


def _children(table: NDArray[np.int64], rank: int, inside: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
    for below in range(rank + 1, len(RANKS)):
        codes = np.unique(table[inside, below])
        if np.sum(codes != _UNKNOWN) > 1:
            return tuple(np.flatnonzero(inside & (table[:, below] == code)) for code in codes if code != _UNKNOWN)
    return ()
