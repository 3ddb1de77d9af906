"""Worklists: CSV files of transfers, as liquid handlers and LIMS write them.

Two kinds are told apart by their columns. A *cherry-pick* has a source, a destination and a volume in each
row; a *normalisation* has a sample with its concentration, what there is of it, and its target.
"""

from __future__ import annotations

from pathlib import Path

from protocols.formats.cherry_pick import read_cherry_pick
from protocols.formats.columns import Role
from protocols.formats.delimited import open_table
from protocols.formats.normalisation import read_normalisation
from protocols.formats.options import Policy, Unreachable, Worklist, WorklistOptions

_OF_NORMALISATION: frozenset[Role] = frozenset({"concentration", "target concentration", "target volume"})

__all__ = ["Policy", "Unreachable", "Worklist", "WorklistOptions", "read_worklist"]


def read_worklist(path: str | Path, options: WorklistOptions | None = None) -> Worklist:
    """The protocol that the worklist at ``path`` asks for.

    Raises:
        FileProblemsError: with everything that is wrong with the file, each with its line and column; or with
            each sample that cannot reach its target, where the policy is to stop.
        InputError: no such file, or none that could be a worklist.
    """
    table = open_table(Path(path))
    chosen = options or WorklistOptions()
    if _OF_NORMALISATION & set(table.columns):
        return read_normalisation(table, chosen)
    return read_cherry_pick(table, chosen)
