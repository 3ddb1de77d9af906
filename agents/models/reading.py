"""From what a model wrote to a value: found leniently, checked strictly, never mended by guessing."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import ValidationError

from agents.models.schemas import ENVELOPE, AnswerForm

T = TypeVar("T")

_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)```", re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]')
_MOST_PROBLEMS = 8
"""How many problems a model is told at once."""
_MOST_PLACES = 200
"""How many opening brackets in prose are looked at."""


class Unusable(Exception):
    """An answer that is not of the form; the text says why, in words for the model."""


def read_answer(text: str, form: AnswerForm[T]) -> T:
    """The value in a model's answer.

    Thoughts before it, prose around it and code fences are passed over. Several different objects of the form, a
    property that stands twice, one that is missing or not asked for, a number in quotes: unusable.

    Raises:
        Unusable: there is no value of the form in it, or more than one.
    """
    if not text.strip():
        raise Unusable("the answer is empty")
    values: list[tuple[str, T]] = []
    problem: Unusable | None = None
    for candidate in _candidates(_THOUGHT.sub("", text, count=1)):
        try:
            value = _checked(candidate, form)
        except Unusable as error:
            problem = problem or error
            continue
        values.append((json.dumps(candidate, sort_keys=True), value))
    if not values:
        raise problem or Unusable("there is no JSON object in the answer")
    if len({canonical for canonical, _ in values}) > 1:
        raise Unusable(f"the answer holds {len(values)} different objects; exactly one is wanted")
    return values[0][1]


def _candidates(text: str) -> list[Any]:
    """The JSON objects in a text: the whole, else those in fences, else those in prose."""
    whole = text.strip()
    try:
        return [_load(whole)]
    except json.JSONDecodeError:
        pass
    fenced: list[Any] = []
    for inner in _FENCE.findall(text):
        try:
            fenced.append(_load(inner.strip()))
        except json.JSONDecodeError:
            continue
    return fenced or _in_prose(text)


def _in_prose(text: str) -> list[Any]:
    """Outermost objects anywhere in a text."""
    decoder = json.JSONDecoder(object_pairs_hook=_no_twice, parse_constant=_no_constant)
    found: list[Any] = []
    start = text.find("{")
    for _ in range(_MOST_PLACES):
        if start < 0:
            break
        try:
            value, end = decoder.raw_decode(text, start)
            found.append(value)
        except (json.JSONDecodeError, RecursionError):
            end = _closing(text, start)  # an object inside one that cannot be read is not the answer
        start = text.find("{", end)
    return found


def _closing(text: str, start: int) -> int:
    """Where the bracket opened at ``start`` is closed again, brackets in quotes left out; the end where it is not."""
    depth = 0
    for match in _BRACKET.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    return len(text)


def _load(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_twice, parse_constant=_no_constant)
    except RecursionError:
        raise Unusable("the answer is nested too deeply") from None


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1})
        raise Unusable(f"{', '.join(twice)}: stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise Unusable(f"{word} is not JSON")


def _checked(candidate: Any, form: AnswerForm[T]) -> T:
    """The candidate as a value: valid against the schema that was sent, and strictly of the type."""
    problems = sorted(form.validator.iter_errors(candidate), key=lambda one: str(one.json_path))
    if problems:
        told = [f"{one.json_path}: {one.message[:300]}" for one in problems[:_MOST_PROBLEMS]]
        raise Unusable("\n".join(told))
    inner = candidate[ENVELOPE] if form.enveloped else candidate
    try:
        return form.adapter.validate_json(json.dumps(inner), strict=True)
    except ValidationError as error:
        shown = error.errors(include_url=False, include_input=False)[:_MOST_PROBLEMS]
        raise Unusable(
            "\n".join(f"$.{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in shown)
        ) from None
