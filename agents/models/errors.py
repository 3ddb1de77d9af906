"""What can go wrong with a model.

    LabwrightError
    └── ModelError              no usable answer came of a request
        ├── ModelRefused            the model declined to answer
        ├── ModelAnswerUnusable     it answered, but never in the form that was asked for
        ├── ModelUnavailable        the endpoint could not be reached, or kept failing
        ├── ModelRequestRefused     the endpoint does not take the request: key, model's name, size
        └── BudgetSpent             the call could cost more than is left

A configuration that cannot be used is an ``InputError``; a cache or transcript that cannot be read or written is a
``RecordError``.
"""

from __future__ import annotations

from protocols.errors import LabwrightError


class ModelError(LabwrightError):
    """Raised when no usable answer came of a request.

    Attributes:
        call: number of the call in the transcript; None when nothing was sent or no transcript is kept.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "", call: int | None = None) -> None:
        super().__init__(what, where=where, mend=mend)
        self.call = call


class ModelRefused(ModelError):
    """Raised when the model, or the endpoint's content filter, declined to answer."""


class ModelAnswerUnusable(ModelError):
    """Raised when no answer had the form that was asked for, after all repairs.

    Attributes:
        text: the last answer, as it came; empty when it was.
        problem: what was wrong with it.
    """

    def __init__(
        self, what: str, *, where: str = "", mend: str = "", call: int | None = None, text: str = "", problem: str = ""
    ) -> None:
        super().__init__(what, where=where, mend=mend, call=call)
        self.text = text
        self.problem = problem


class ModelUnavailable(ModelError):
    """Raised when the endpoint could not be reached, or kept failing, for as often and as long as was allowed."""


class ModelRequestRefused(ModelError):
    """Raised when the endpoint does not take the request, so that asking again would not help."""


class BudgetSpent(ModelError):
    """Raised before a call that could cost more tokens or money than is left."""
