"""Asking a model about the regions of many images, file by file of 64 images, with many calls in flight throughout."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from agents.models import ModelRequestRefused, ModelUnavailable
from pipelines.traits.annotating.pictures import Shard
from pipelines.traits.annotating.stored import Control, Kind
from pipelines.traits.annotating.subjects import Arrangement
from pipelines.traits.checking.consistency import UNKNOWN
from pipelines.traits.prompting import Described, Describing, NameGuard, OntologyLinker, Prompt, Subject
from pipelines.traits.prompting.asking import Asker
from pipelines.traits.specimens import Taxon
from pipelines.traits.statements import Statement

MOST_FAILED = 20
"""Questions in a row that the endpoint may fail, or not take, before the job stops: it is down, or out of credit."""


@dataclass(frozen=True)
class Questions:
    """How the regions of a collection are asked about. It can be sent to another process.

    Attributes:
        prompt: how each is asked about.
        arrangement: which are, and how often.
        taxa: of the whole collection, of which no name is shown.
        vernacular: their names in other languages.
        insects: whether parts are those of insects, and are linked.
        model: its name, for rows without an answer.
    """

    prompt: Prompt
    arrangement: Arrangement
    taxa: tuple[Taxon, ...]
    vernacular: tuple[str, ...] = ()
    insects: bool = False
    model: str = ""

    def guard(self) -> NameGuard:
        """The guard that lets no name pass, made anew."""
        return NameGuard(self.taxa, self.vernacular)


@dataclass(frozen=True)
class Answered:
    """What a model said of one shard's images, and of its controls."""

    shard: Shard
    statements: list[Statement] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)


@lru_cache(maxsize=2)
def linker_of(insects: bool) -> OntologyLinker:
    """The linker, made once in each process."""
    return OntologyLinker(insects=insects)


def describe_shards(
    asker: Asker,
    shards: Iterable[Shard],
    questions: Questions,
    *,
    workers: int = 1,
    told: Callable[[int], None] = lambda asked: None,
) -> Iterator[Answered]:
    """What a model says of each shard, in order; calls of the next one begin before the last of one has come.

    Args:
        asker: the model.
        shards: taken as there is room for questions.
        questions: how they are asked about.
        workers: threads that read pictures ahead.
        told: of how many outcomes there are.

    Raises:
        BudgetSpent: before the end; what was given before is whole.
        ModelUnavailable: the endpoint failed :data:`MOST_FAILED` questions in a row, or all of them; likewise.
        ModelRequestRefused: the endpoint does not take the very first request, or as many in a row.
        NameShown: a request would show the name of a taxon; nothing of it was sent.
        CollectionError: an image is not there any more, or another.
    """
    going = _Going()
    describing = Describing(
        asker,
        going.subjects(shards, questions.arrangement),
        questions.prompt,
        questions.guard(),
        linker=linker_of(questions.insects),
        model=questions.model,
        workers=workers,
    )
    for number, described in enumerate(describing, start=1):
        going.take(described)
        told(number)
        yield from going.whole()
    if describing.stopped is not None:
        raise describing.stopped
    yield from going.rest()


class _Going:
    """Shards in work, the first of which the next outcome belongs to."""

    def __init__(self) -> None:
        self._shards: deque[tuple[Answered, deque[Kind | None]]] = deque()
        self._failed = self._fine = 0
        self._last: ModelUnavailable | ModelRequestRefused | None = None

    def subjects(self, shards: Iterable[Shard], arrangement: Arrangement) -> Iterator[Subject]:
        """The subjects of all questions."""
        for shard in shards:
            asked = arrangement.questions(shard.shown)
            self._shards.append((Answered(shard), deque(one.kind for one in asked)))
            yield from (one.subject for one in asked)

    def take(self, described: Described) -> None:
        """Put an outcome where it belongs."""
        answered, kinds = next(pair for pair in self._shards if pair[1])
        kind = kinds.popleft()
        known = {one.specimen.id: one.conditions for one in answered.shard.shown}
        said = [_known(one, known.get(one.image, ())) for one in described.statements]
        if kind is None:
            answered.statements.extend(said)
        else:
            wrong = getattr(described.subject.control, "taxon", "")
            answered.controls.extend(Control(kind, one, wrong) for one in said)
        self._count(described)

    def _count(self, described: Described) -> None:
        outcome = described.outcome
        if not isinstance(outcome, (ModelUnavailable, ModelRequestRefused)):
            self._failed, self._fine = 0, self._fine + 1
            return
        self._failed, self._last = self._failed + 1, outcome
        if self._failed >= MOST_FAILED:
            self._stop(outcome)

    def _stop(self, error: ModelUnavailable | ModelRequestRefused) -> None:
        down = "See that the endpoint is up" if isinstance(error, ModelUnavailable) else error.mend
        raise type(error)(
            f"{error.what.rstrip('.')}; and so it was {self._failed:,} questions in a row",
            where=error.where,
            mend=f"{down or 'Do as it says'}, then give the same command again: it goes on from there",
        )

    def whole(self) -> Iterator[Answered]:
        """Shards of which everything is answered; none while the endpoint fails: it may come back before they are."""
        while self._shards and not self._shards[0][1] and not self._failed:
            yield self._shards.popleft()[0]

    def rest(self) -> Iterator[Answered]:
        """The shards that are left when all outcomes are there."""
        if self._last is not None and not self._fine:
            self._stop(self._last)
        self._failed = 0
        yield from self.whole()


def _known(one: Statement, conditions: tuple[tuple[str, str], ...]) -> Statement:
    """A statement with what the collection knows of the specimen, where the model does not say."""
    said = dict(one.conditions)
    known = {name: value for name, value in conditions if said.get(name, "").casefold() in UNKNOWN}
    return replace(one, conditions=tuple((said | known).items())) if known else one
