"""Serial dilutions found among the drafts of transfers. Volumes µL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.lifting.drafts import Draft
from protocols.tracing.acts import Discarded, Moved

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Dilution:
    """One chain of a serial dilution; fields as of :class:`protocols.protocol.SerialDilution`."""

    wells: tuple[str, ...]
    diluent: str
    factor: float
    volume: float
    discard: bool
    mix_cycles: int
    note: str | None


def find_dilutions(drafts: Sequence[Draft]) -> list[Draft | Dilution]:
    """The drafts, with serial dilutions in the place of filling with diluent, the chain, and taking the surplus off."""
    found: list[Draft | Dilution] = []
    at = 0
    while at < len(drafts):
        dilutions, length = _dilutions(drafts[at : at + 3])
        found += dilutions or [drafts[at]]
        at += length
    return found


def _dilutions(drafts: Sequence[Draft]) -> tuple[list[Draft | Dilution], int]:
    """The dilutions with which ``drafts`` begin, and how many drafts they take; none and one if there are none."""
    if len(drafts) < 2:
        return [], 1
    filling, chain = _moves(drafts[0]), _moves(drafts[1])
    if not filling or not chain or not _plain(drafts[0], drafts[1]):
        return [], 1
    chains = _chains(chain)
    filled, passed = filling[0].volume, chain[0].volume
    fits = (
        chains is not None
        and {move.source for move in filling} == {filling[0].source}
        and sorted(move.destination for move in filling) == sorted(move.destination for move in chain)
        and drafts[0].empty >= {move.destination for move in filling}
        and all(abs(move.volume - filled) < _ROUNDING for move in filling)
        and all(abs(move.volume - passed) < _ROUNDING for move in chain)
        and filling[0].source not in {well for one in chains for well in one}
    )
    if not fits or chains is None:
        return [], 1
    discards = len(drafts) > 2 and _takes_off(drafts[2], {one[-1] for one in chains}, passed)
    cycles = chain[0].after.cycles if chain[0].after else 1
    factor = (filled + passed) / passed
    return [
        Dilution(one, filling[0].source, factor, filled + passed, discards, cycles, drafts[1].note) for one in chains
    ], (3 if discards else 2)


def _moves(draft: Draft) -> tuple[Moved, ...]:
    return tuple(act for act in draft.acts if isinstance(act, Moved))


def _plain(filling: Draft, chain: Draft) -> bool:
    """Whether a serial dilution says all of how it is handled."""
    ours, theirs = filling.handling, chain.handling
    return (
        not (ours.mix_before or ours.mix_after or ours.air_gap or ours.rest)
        and theirs.mix_after > 0
        and not (theirs.mix_before or theirs.air_gap or theirs.rest)
        and filling.note == chain.note
    )


def _chains(moves: Sequence[Moved]) -> list[tuple[str, ...]] | None:
    """The wells of each chain in order; ``None`` if the moves are not chains alike in length."""
    chains: dict[str, list[str]] = {}
    for move in moves:
        chain = chains.pop(move.source, [move.source])
        if move.destination in chains:
            return None
        chains[move.destination] = [*chain, move.destination]
    wells = [well for chain in chains.values() for well in chain]
    alike = len({len(chain) for chain in chains.values()}) == 1
    if not alike or len(wells) != len(set(wells)) or len(wells) < 3 * len(chains):
        return None
    return [tuple(chain) for chain in chains.values()]


def _takes_off(draft: Draft, last: set[str], volume: float) -> bool:
    taken = [act for act in draft.acts if isinstance(act, Discarded)]
    return (
        len(taken) == len(draft.acts)
        and {act.well for act in taken} == last
        and len(taken) == len(last)
        and all(abs(act.volume - volume) < _ROUNDING for act in taken)
        and not (draft.handling.mix_before or draft.handling.air_gap or draft.handling.rest)
    )
