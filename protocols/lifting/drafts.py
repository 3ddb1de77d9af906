"""Acts of like kind, one after the other, put together: the drafts of bench steps. Volumes µL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from protocols.protocol import Handling
from protocols.tracing.accounts import Accounts
from protocols.tracing.acts import Act, Discarded, Moved, Other, Stirred

_ROUNDING = 1e-6
_LEAST_SHARE = 0.5
"""Part of the volume moved that is mixed at least where no volume is said."""
_EXACT = 1e-11
"""µL by which a volume may differ from a round one that is meant."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Acts that one step says, all of one type.

    Attributes:
        note: the program's step that they came from.
        empty: the wells that receive liquid and held none before.
    """

    acts: tuple[Act, ...]
    note: str | None
    handling: Handling = field(default_factory=Handling)
    empty: frozenset[str] = frozenset()


def round_volume(volume: float) -> float:
    """``volume`` without what binary fractions and sums add to it."""
    rounded = round(volume, 6)
    return rounded if abs(rounded - volume) <= _EXACT else volume


def drafts_of(acts: Sequence[tuple[Act, str | None]], accounts: Accounts, whole: frozenset[str]) -> Iterator[Draft]:
    """Put acts together, their order kept.

    Args:
        acts: each with the program's step that it came from.
        accounts: what the wells hold before them; they are carried out on it.
        whole: steps whose transfers stay one list, as they are rows of a worklist.
    """
    for (kind, note, _), group in groupby(acts, key=lambda item: _key(*item)):
        members = [act for act, _ in group]
        if kind == "moved":
            moves = [act for act in members if isinstance(act, Moved)]
            for run in [moves] if _mixed_by_own_volume(moves) else _by_mix_volume(moves):
                yield from _transfers(run, note, accounts, whole)
            continue
        for part in _apart(members):
            yield Draft(tuple(part), note, _removing(part))
            carry_out(part, accounts)


def one_volume(act: Act) -> Iterator[Act]:
    """An act, and before it the mixing in its source, where a step has no one volume for both mixings."""
    if isinstance(act, Moved) and act.before and act.after and not _alike(act.before.volume, act.after.volume):
        own = _alike(act.before.volume, act.part) and _mixed_by_own_volume([act])
        if not own:
            yield act.before
            act = replace(act, before=None)
    yield act


def rejoined(
    acts: Iterable[tuple[Act, str | None]], is_row: Callable[[Moved, str | None], bool]
) -> Iterator[tuple[Act, str | None]]:
    """The acts, with a large volume that went in parts, each with a tip of its own, made one again.

    Args:
        is_row: whether a move is a row of a worklist by itself.
    """
    last: tuple[Act, str | None] | None = None
    for act, note in acts:
        before = last[0] if last is not None and last[1] == note else None
        parts = isinstance(act, Moved) and isinstance(before, Moved) and _parts_of_one(before, act)
        if parts and isinstance(act, Moved) and isinstance(before, Moved) and not is_row(before, note):
            last = replace(act, volume=before.volume + act.volume, drawn=before.drawn, before=before.before), note
            continue
        if last is not None:
            yield last
        last = act, note
    if last is not None:
        yield last


def _parts_of_one(first: Moved, then: Moved) -> bool:
    same = (first.source, first.destination, first.rest) == (then.source, then.destination, then.rest)
    return same and first.after is None and then.before is None and _alike(first.part, then.part)


def gathered(acts: Iterable[tuple[Act, str | None]]) -> Iterator[tuple[Act, str | None]]:
    """The acts, with what was drawn in excess thrown away once for each well, as late as it makes no difference."""
    waiting: dict[str, tuple[Discarded, str | None]] = {}
    for act, note in acts:
        if isinstance(act, Discarded) and act.excess and all(since == note for _, since in waiting.values()):
            if act.before is not None:
                yield act.before, note
            before = waiting.get(act.well)
            volume = act.volume + (before[0].volume if before else 0.0)
            rest = act.rest or (before is not None and before[0].rest)
            waiting[act.well] = replace(act, volume=volume, air_gap=0.0, rest=rest, before=None), note
            continue
        hit = {act.destination} if isinstance(act, Moved) else {act.well} if isinstance(act, Stirred) else set()
        other = isinstance(act, Other) or any(since != note for _, since in waiting.values())
        for well in [well for well in waiting if other or well in hit]:
            yield waiting.pop(well)
        yield act, note
    yield from waiting.values()


def carry_out(acts: Iterable[Act], accounts: Accounts) -> None:
    """Carry acts out on accounts, one after the other."""
    for act in acts:
        if isinstance(act, Moved):
            accounts.move(act.source, act.destination, act.volume)
        elif isinstance(act, Discarded):
            accounts.draw(act.well, act.volume)


def _alike(one: float, other: float) -> bool:
    return abs(one - other) < _ROUNDING


def _key(act: Act, note: str | None) -> tuple[str, str | None, Any]:
    match act:
        case Moved():
            return "moved", note, _handling(act).model_copy(update={"mix_volume": None})
        case Stirred():
            return "stirred", note, (round(act.volume, 6), act.cycles)
        case Discarded():
            return "discarded", note, _handling(act)
        case Other():
            return "other", note, act.at


def _handling(act: Moved | Discarded) -> Handling:
    """How liquid is moved, but for the tips."""
    before, after = act.before, act.after if isinstance(act, Moved) else None
    stirred = after or before
    parts = (act.volume, act.part) if isinstance(act, Moved) else (act.volume,)
    own = stirred is None or any(_alike(stirred.volume, part) for part in parts)
    return Handling.model_construct(
        mix_before=before.cycles if before else 0,
        mix_after=after.cycles if after else 0,
        mix_volume=None if own or stirred is None else round(stirred.volume, 6),
        air_gap=round_volume(act.air_gap),
        pre_wet=act.pre_wet if isinstance(act, Moved) else 0,
        rest=act.rest,
    )


def _removing(acts: Sequence[Act]) -> Handling:
    first = acts[0]
    return _handling(first) if isinstance(first, Discarded) else Handling()


def _apart(acts: Sequence[Act]) -> Iterator[list[Act]]:
    """Cut where a well comes a second time; channels that mix one well at the same moment are one mixing."""
    part: list[Act] = []
    seen: dict[str, int] = {}
    for act in acts:
        well = act.well if isinstance(act, Stirred | Discarded) else ""
        again = seen.get(well)
        if again is not None and again != act.at:
            yield part
            part, seen = [], {}
        elif again is not None and isinstance(act, Stirred):
            continue
        part.append(act)
        seen[well] = act.at
    if part:
        yield part


def _transfers(moves: list[Moved], note: str | None, accounts: Accounts, whole: frozenset[str]) -> Iterator[Draft]:
    """Transfers cut where one well gives to many, or many give to one."""
    handling = _handling(moves[0])
    if _mixed_by_own_volume(moves):
        handling = handling.model_copy(update={"mix_volume": None})
    parts = [moves] if note in whole else _shapes(moves)
    for part in parts:
        empty = frozenset(move.destination for move in part if not accounts.well(move.destination))
        yield Draft(tuple(part), note, handling.model_copy(update={"tips": _tips(part, accounts)}), empty)
        carry_out(part, accounts)


def _by_mix_volume(moves: Sequence[Moved]) -> list[list[Moved]]:
    return [list(run) for _, run in groupby(moves, key=lambda move: _handling(move).mix_volume)]


def _mixed_by_own_volume(moves: Sequence[Moved]) -> bool:
    """Whether each is mixed with the volume moved, or somewhat less where tip or well has no room for it."""
    shares = [stirred.volume / move.part for move in moves if (stirred := move.after or move.before)]
    return max(shares, default=0.0) > 1 - _ROUNDING and all(_LEAST_SHARE < share < 1 + _ROUNDING for share in shares)


def _shapes(moves: list[Moved]) -> Iterator[list[Moved]]:
    plain: list[Moved] = []
    at = 0
    while at < len(moves):
        giving = _run(moves, at, lambda move: (move.source, move.destination))
        taking = _run(moves, at, lambda move: (move.destination, move.source))
        length = max(giving, taking)
        if length == 1:
            plain.append(moves[at])
        else:
            if plain:
                yield plain
                plain = []
            yield moves[at : at + length]
        at += length
    if plain:
        yield plain


def _run(moves: list[Moved], at: int, key: Any) -> int:
    """How many moves from ``at`` on share the first word of ``key`` and differ in the second."""
    first, _ = key(moves[at])
    others: set[str] = set()
    for number, move in enumerate(moves[at:]):
        same, other = key(move)
        if same != first or other in others:
            return number
        others.add(other)
    return len(moves) - at


def _tips(moves: Sequence[Moved], accounts: Accounts) -> str:
    tips = {move.tip for move in moves}
    if len(moves) > 1 and len(tips) == len(moves):
        return "each transfer"
    if len(tips) > 1 or len(moves) == 1:
        return "as needed"
    given = [accounts.well(well) for well in {move.source for move in moves}]
    received = {move.destination for move in moves} & {move.source for move in moves}
    return "one" if received or any(not _same_liquid(given[0], other) for other in given[1:]) else "as needed"


def _same_liquid(one: dict[str, float], other: dict[str, float]) -> bool:
    whole, total = sum(one.values()), sum(other.values())
    if not whole or not total:
        return not whole and not total
    return one.keys() == other.keys() and all(abs(one[name] / whole - other[name] / total) < _ROUNDING for name in one)
