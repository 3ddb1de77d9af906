"""How far the specimens of a taxon agree; what they differ in is kept, and two common states are a result."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.traits.finding.stored_codes import write_bytes
from pipelines.traits.statements import Dictionary, Statement
from protocols.errors import RecordError

FILE = "agreement.jsonl"
FEW = 3
"""Specimens below which nothing is said of agreement."""
AGREED = 0.8
"""Share of specimens with the commonest state from which a taxon is said to agree."""
COMMON = 0.25
"""Share of specimens that each of two states needs for a taxon to be polymorphic, with at least :data:`FEW` each."""
Verdict = Literal["too few", "agrees", "polymorphic", "differs"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One character of one taxon, as seen by one latent.

    Attributes:
        rank, taxon: for which the latent speaks, or the narrowest that is known of the specimens.
        latent: in whose regions.
        character: id in the dictionary.
        specimens: in which a state was seen.
        states: how many specimens have each, the commonest first.
        standings: how many have it not seen, and why.
        doubted: of those seen, how many a check speaks against.
        share: of the commonest state; 0 where none was seen.
        verdict: ``polymorphic`` where two states are common and few have another.
    """

    rank: str
    taxon: str
    latent: int
    character: str
    specimens: int
    states: Mapping[str, int]
    standings: Mapping[str, int]
    doubted: int
    share: float
    verdict: Verdict

    @property
    def commonest(self) -> str:
        """The state of most specimens, the first by name among those alike; empty where none was seen."""
        return next(iter(self.states), "")


_Key = tuple[str, str, int, str]


def agreements(said: Iterable[tuple[Statement, Iterable[tuple[str, str]]]], words: Dictionary) -> Iterator[Agreement]:
    """The agreement of every taxon on every categorical character in the regions of every latent, in order.

    Args:
        said: statements, of one region a specimen and latent at most, each with the ranks and names of the taxa for
            which it counts.
        words: says which characters have states.
    """
    seen: dict[_Key, Counter[str]] = defaultdict(Counter)
    unseen: dict[_Key, Counter[str]] = defaultdict(Counter)
    doubted: Counter[_Key] = Counter()
    for one, taxa in said:
        character = words.characters.get(one.character)
        if character is None or character.kind != "categorical":
            continue
        for rank, taxon in taxa:
            key = (rank, taxon, one.latent, one.character)
            if one.standing in ("observed", "absent"):
                seen[key][one.state or one.standing] += 1
                doubted[key] += bool(one.doubts)
            else:
                unseen[key][one.standing] += 1
    for key in sorted(seen.keys() | unseen.keys()):
        yield _agreement(key, seen.get(key, Counter()), unseen.get(key, Counter()), doubted[key])


def _agreement(key: _Key, seen: Counter[str], unseen: Counter[str], doubted: int) -> Agreement:
    states = dict(sorted(seen.items(), key=lambda item: (-item[1], item[0])))
    number = sum(states.values())
    share = round(next(iter(states.values()), 0) / max(number, 1), 4)
    return Agreement(*key, number, states, dict(sorted(unseen.items())), doubted, share, verdict_of(states))


def verdict_of(states: Mapping[str, int]) -> Verdict:
    """What the numbers of specimens with each state say."""
    counts = sorted(states.values(), reverse=True)
    number = sum(counts)
    if number < FEW:
        return "too few"
    if counts[0] >= AGREED * number:
        return "agrees"
    common = [count for count in counts if count >= max(FEW, COMMON * number)]
    return "polymorphic" if len(common) == 2 and sum(common) >= AGREED * number else "differs"


def write_agreements(path: Path, found: Iterable[Agreement]) -> None:
    """Write a whole file or none of it, one agreement a line.

    Raises:
        OSError: it cannot be written.
    """
    write_bytes(path, "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in found).encode())


def read_agreements(folder: Path) -> list[Agreement]:
    """What :func:`write_agreements` wrote in a folder.

    Raises:
        RecordError: the file is missing or damaged.
    """
    path = folder / FILE
    try:
        lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [Agreement(**line) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend=f"Delete {folder}: that stage is then done again"
        ) from None
