"""Asking about many regions at once, with the answers in the order of the questions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar, cast

from agents.models import Answer, BudgetSpent, ModelError, ModelRequestRefused, Request
from agents.models.schemas import AnswerForm
from pipelines.traits.prompting.answers import Description
from pipelines.traits.prompting.converting import Linker, statements
from pipelines.traits.prompting.names import NameGuard
from pipelines.traits.prompting.prompt import Prompt
from pipelines.traits.prompting.subjects import Subject, Told
from pipelines.traits.statements import Statement

T = TypeVar("T")


class Asker(Protocol):
    """Who is asked: :class:`agents.models.Model`, or what stands in for it."""

    def ask_all(
        self, requests: Iterable[Request], answer_type: type[T]
    ) -> Iterator[tuple[int, Answer[T] | ModelError]]:
        """Answers and errors in the order in which they come, each with its request's number."""


@dataclass(frozen=True, eq=False)
class Described:
    """What came of one question.

    Attributes:
        subject: what was asked about.
        statements: of each region that was shown; one of standing unknown where there is no answer.
        outcome: the answer or the error.
    """

    subject: Subject
    statements: list[Statement]
    outcome: Answer[Description] | ModelError


class Describing:
    """Descriptions of many subjects: iterate over it, once. Answers come in the order of the subjects.

    Attributes:
        stopped: why it ended before its end, the budget being spent; ``None`` otherwise. What was described before is
            whole, and asking again with more budget and the same cache goes on from there.
    """

    def __init__(
        self,
        asker: Asker,
        subjects: Iterable[Subject],
        prompt: Prompt,
        guard: NameGuard,
        *,
        linker: Linker | None = None,
        model: str = "",
        workers: int = 1,
    ) -> None:
        """Prepare to ask; nothing is asked yet.

        Args:
            asker: a model.
            subjects: taken from the iterable as there is room.
            prompt: how they are asked about.
            guard: that lets no name of a taxon pass.
            linker: for terms of ontologies.
            model: its name, for rows without an answer.
            workers: threads that read and prepare pictures ahead.
        """
        self._asker = asker
        self._subjects = subjects
        self._prompt = prompt
        self._guard = guard
        self._linker = linker
        self._model = model
        self._workers = workers
        self._waiting: dict[int, Subject] = {}
        self.stopped: BudgetSpent | None = None

    def __iter__(self) -> Iterator[Described]:
        """Ask, and give what came, in the order of the subjects.

        Raises:
            NameShown: a request would show the name of a taxon; nothing of it was sent.
            ModelRequestRefused: the endpoint does not take the very first request.
            RecordError: cache or transcript cannot be written.
        """
        outcomes: dict[int, Answer[Description] | ModelError] = {}
        place = 0
        found = self._asker.ask_all(self._requests(), Description)
        with closing(cast("_Closing", found)):
            for number, outcome in found:
                outcomes[number] = outcome
                if isinstance(outcome, BudgetSpent) and self.stopped is None:
                    self.stopped = outcome
                while place in outcomes:
                    if isinstance(outcomes[place], BudgetSpent):
                        return
                    yield self._described(place, outcomes.pop(place))
                    place += 1

    def _requests(self) -> Iterator[Request]:
        made = requests(self._subjects, self._prompt, self._guard, self._waiting, workers=self._workers)
        with closing(cast("_Closing", made)):
            for request in made:
                yield request
                if self.stopped is not None:
                    return

    def _described(self, place: int, outcome: Answer[Description] | ModelError) -> Described:
        if place == 0 and isinstance(outcome, ModelRequestRefused):
            raise outcome
        subject = self._waiting.pop(place)
        said = statements(
            subject,
            outcome,
            self._prompt.dictionary,
            linker=self._linker,
            model=self._model,
            version=self._prompt.version,
        )
        return Described(subject, said, outcome)


class _Closing(Protocol):
    def close(self) -> object: ...


def requests(
    subjects: Iterable[Subject],
    prompt: Prompt,
    guard: NameGuard,
    waiting: dict[int, Subject] | None = None,
    *,
    workers: int = 1,
) -> Iterator[Request]:
    """The request about each subject, as it would be sent: for an estimate, or for a batch.

    Args:
        subjects: what is asked about.
        prompt: how.
        guard: that lets no name pass.
        waiting: gets each subject under its number.
        workers: threads that read and prepare pictures ahead, two for each at most; 1 reads each when it is wanted.

    Raises:
        NameShown: a request would show the name of a taxon.
    """
    schema = AnswerForm(Description).schema

    def made(subject: Subject) -> Request:
        request = prompt.request(subject)
        guard.check(request, schema, told=subject.control.taxon if isinstance(subject.control, Told) else "")
        return request

    for number, (subject, request) in enumerate(_ahead(made, subjects, workers)):
        if waiting is not None:
            waiting[number] = subject
        yield request


def _ahead(
    made: Callable[[Subject], Request], subjects: Iterable[Subject], workers: int
) -> Iterator[tuple[Subject, Request]]:
    """Subjects with their requests, in order."""
    if workers <= 1:
        for subject in subjects:
            yield subject, made(subject)
        return
    going: deque[tuple[Subject, Future[Request]]] = deque()
    left = iter(subjects)
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                going.extend((one, pool.submit(made, one)) for one in islice(left, 2 * workers - len(going)))
                if not going:
                    return
                subject, request = going.popleft()
                yield subject, request.result()
        finally:
            for _, request in going:
                request.cancel()
