"""Statements in files: one a line, 64 images a file; what was said of controls is in files of its own beside them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipelines.traits.checking import Tally, kind_of
from pipelines.traits.finding.stored_codes import write_bytes
from pipelines.traits.statements import Place, Statement
from protocols.errors import RecordError

AGREEMENT = "agreement.jsonl"
"""How far specimens agree: a line for each taxon, part, character and describer."""
Kind = Literal["another region", "blank image", "wrong name told", "again"]
"""What a control shows or tells instead; ``again`` is the same question once more."""


@dataclass(frozen=True, slots=True)
class Control:
    """What was said when something else was shown or told.

    Attributes:
        kind: what.
        statement: under the image and latent that the control stands in for.
        told: the wrong name, of ``wrong name told``.
    """

    kind: Kind
    statement: Statement
    told: str = ""


def statements_name(number: int) -> str:
    """The file of statements on the 64 images from 64 times ``number``."""
    return f"statements-{number:06d}.jsonl"


def controls_name(number: int) -> str:
    """The file of their controls."""
    return f"controls-{number:06d}.jsonl"


def write_statements(path: Path, statements: Iterable[Statement]) -> None:
    """Write a whole file or none of it.

    Raises:
        OSError: it cannot be written.
    """
    _write(path, (one.as_json() for one in statements))


def write_controls(path: Path, controls: Iterable[Control]) -> None:
    """Write a whole file or none of it; outlines are left out.

    Raises:
        OSError: it cannot be written.
    """
    _write(path, ({"control": one.kind, "told": one.told, **_bare(one.statement).as_json()} for one in controls))


def _bare(one: Statement) -> Statement:
    return replace(one, place=Place(one.place.box, (), one.place.image_size))


def _write(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
    write_bytes(path, text.encode())


def read_shard(path: Path) -> Iterator[Statement]:
    """The statements of one file.

    Raises:
        RecordError: it is missing or damaged.
    """
    return (Statement.of(line) for line in _read(path))


def read_controls(path: Path) -> list[Control]:
    """The controls of one file.

    Raises:
        RecordError: it is missing or damaged.
    """
    return [Control(line.pop("control"), told=line.pop("told"), statement=Statement.of(line)) for line in _read(path)]


def _read(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend=f"Delete {path.parent}: that stage is then done again"
        ) from None


def read_statements(folder: Path) -> Iterator[Statement]:
    """Every statement of a stage, image by image.

    Raises:
        RecordError: a file is damaged.
    """
    for path in sorted(folder.glob("statements-*.jsonl")):
        yield from read_shard(path)


def counts_of(statements: Iterable[Statement]) -> dict[str, Any]:
    """How many statements there are, by what they say and by what speaks against them."""
    standings: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    for one in statements:
        standings[one.standing] += 1
        doubts.update(kind_of(doubt) or doubt for doubt in one.doubts)
    total = sum(standings.values())
    return {"statements": total, "standings": dict(sorted(standings.items())), "doubts": dict(sorted(doubts.items()))}


# -- agreement -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Agreement:
    """A :class:`~pipelines.traits.checking.Tally` as it is written down.

    Attributes:
        rank, taxon: narrowest known of the specimens, or a wider one for which the latent speaks.
        part: by its term or in words; ``region`` where none was named.
        latent: of the regions, where no part was named; else -1.
        character: id in the dictionary.
        kind, describer, prompt: who says so.
        specimens: of which a state is known; each counts once.
        states: how many specimens have each, the commonest first.
        undecided: specimens of which two states are said equally often.
        standings: how many have it not seen, and why.
        doubted: of those with a state, how many a check of their own statements speaks against.
        share: of the commonest state; 0 where none is known.
        agreement: share of pairs of specimens that agree; ``None`` for fewer than two.
        polymorphic: states of which each is a form of its own.
        explained_by: the condition (sex, life stage, view …) with which the states go.
        verdict: ``agrees``, ``polymorphic``, ``explained``, ``differs`` or ``too few``.
    """

    rank: str
    taxon: str
    part: str
    latent: int
    character: str
    kind: str
    describer: str
    prompt: str
    specimens: int
    states: Mapping[str, int]
    undecided: int
    standings: Mapping[str, int]
    doubted: int
    share: float
    agreement: float | None
    polymorphic: tuple[str, ...]
    explained_by: str
    verdict: str

    @classmethod
    def of(cls, tally: Tally) -> Agreement:
        """What a tally says."""
        group = tally.group
        share = round(tally.share, 4)
        agreement = None if tally.agreement is None else round(tally.agreement, 4)
        return cls(
            *(group.rank, group.taxon, group.part, group.latent, group.character, *group.source, tally.decided),
            *(tally.counts, tally.undecided, tally.unseen, tally.doubted, share, agreement),
            *(tally.polymorphic, tally.explained_by, tally.verdict),
        )

    @property
    def commonest(self) -> str:
        """The state of most specimens, the first by name among those alike; empty where none is known."""
        return next(iter(self.states), "")


def write_agreements(path: Path, tallies: Iterable[Tally]) -> None:
    """Write a whole file or none of it.

    Raises:
        OSError: it cannot be written.
    """
    _write(path, (asdict(Agreement.of(tally)) for tally in tallies))


def read_agreements(folder: Path) -> list[Agreement]:
    """What :func:`write_agreements` wrote in a folder.

    Raises:
        RecordError: the file is missing or damaged.
    """
    path = folder / AGREEMENT
    try:
        return [Agreement(**line | {"polymorphic": tuple(line["polymorphic"])}) for line in _read(path)]
    except (KeyError, TypeError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend=f"Delete {folder}: that stage is then done again"
        ) from None
