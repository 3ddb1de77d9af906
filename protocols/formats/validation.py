"""From plain data to a typed value, with every mistake told in plain words and with its line."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from protocols.errors import FileProblemsError, LabwrightError, Problem
from protocols.formats.documents import Document
from protocols.formats.markup import FieldPath, has_step

MOST_LISTED = 20
"""How many problems of one file are written out."""

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def validate(document: Document, model: type[AnyModel]) -> AnyModel:
    """The value of type ``model`` that ``document`` describes.

    Raises:
        FileProblemsError: it does not; every problem (at most :data:`MOST_LISTED` are written out) with file
            and line, the field, what is wrong and what to write.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        mistakes = _mistakes(error, document.data, model)
    listed = mistakes[:MOST_LISTED]
    places = document.places(path for path, _, _ in listed)
    problems = [Problem(places[path], _field(path, document.data) + what, mend) for path, what, mend in listed]
    raise FileProblemsError(str(document.path), problems, more=len(mistakes) - len(listed))


_Mistake = tuple[FieldPath, str, str]
_Words = Callable[[str, dict[str, Any], str], tuple[str, str]]


def _mistakes(error: ValidationError, data: Any, model: Any) -> list[_Mistake]:
    """What is wrong, once for each place: of a union's branches the one that got furthest, or says most."""
    best: dict[FieldPath, tuple[bool, Any]] = {}
    branched: set[FieldPath] = set()
    for detail in error.errors(include_url=False):
        path, noisy = _real_path(detail["loc"], data)
        ours = isinstance(detail.get("ctx", {}).get("error"), LabwrightError)
        if noisy:
            branched.add(path)
        if path not in best or (ours and not best[path][0]):
            best[path] = (ours, detail)
    deeper = {path[:end] for path in best for end in range(len(path))}
    kept = [(path, detail) for path, (_, detail) in best.items() if not (path in branched and path in deeper)]
    return [(path, *_in_words(detail, path, data, model)) for path, detail in kept]


def _real_path(location: tuple[str | int, ...], data: Any) -> tuple[FieldPath, bool]:
    """The part of a pydantic location that exists in ``data``; a missing field at its end is left out.

    Pydantic also names the union branch or the validator it tried ("transfer", "function-before[…]"); those
    are not places in the file. The second value says that the location ended with such a name.
    """
    path: list[str | int] = []
    noisy = False
    for step in location:
        if not has_step(data, step):
            noisy = True
            continue
        data = data[step]
        path.append(step)
        noisy = False
    return tuple(path), noisy


def _in_words(detail: Any, path: FieldPath, data: Any, model: Any) -> tuple[str, str]:
    """What is wrong, and what to write."""
    kind: str = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    shown = _shown(detail["input"])
    if isinstance(cause := context.get("error"), LabwrightError):
        return cause.what, cause.mend
    if kind == "missing":
        return f"'{detail['loc'][-1]}' is missing", f"Add '{detail['loc'][-1]}'"
    if kind == "extra_forbidden":
        return _unknown_field(str(path[-1]) if path else "", path[:-1], data, model)
    if kind == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        return f"'{tag}' is missing, so its kind is not known", f"Add '{tag}'" + _one_of(_tags(model, path, data, tag))
    if kind in ("union_tag_invalid", "literal_error", "enum"):
        known = re.findall(r"'([^']*)'", context.get("expected_tags", context.get("expected", "")))
        wrong = context.get("tag", detail["input"])
        return f"{_shown(wrong)} is not known here", _nearest(str(wrong), known)
    return _PLAIN_WORDS.get(kind, _message)(shown, context, detail["msg"])


def _unknown_field(name: str, path: FieldPath, data: Any, model: Any) -> tuple[str, str]:
    around = data
    for step in path:
        around = around[step]
    known = sorted({name for model in _models_at(model, path, data) for name in _fields(model)} - set(around or ()))
    return f"there is no field '{_cut(name)}' here", _nearest(name, known)


def _nearest(wrong: str, known: list[str]) -> str:
    close = get_close_matches(wrong.lower(), [name.lower() for name in known], 1, 0.68)
    meant = [name for name in known if close and name.lower() == close[0]]
    question = f"Did you mean '{meant[0]}'? " if meant else ""
    return f"{question}Possible: {', '.join(known)}" if known else question.strip()


def _one_of(names: list[str]) -> str:
    return f": one of {', '.join(names)}" if names else ""


def _message(shown: str, context: dict[str, Any], message: str) -> tuple[str, str]:
    said = message.removeprefix("Value error, ").removeprefix("Input ")
    return f"{shown} {said}" if message.startswith("Input ") else said, ""


def _must_be(what: str) -> _Words:
    def words(shown: str, context: dict[str, Any], message: str) -> tuple[str, str]:
        return f"{shown} is not {what.format(**context)}", ""

    return words


_PLAIN_WORDS: dict[str, _Words] = {
    **dict.fromkeys(("string_type",), _must_be("text")),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _must_be("a whole number")),
    **dict.fromkeys(("float_type", "float_parsing"), _must_be("a number")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _must_be("true or false")),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), _must_be("a list")),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type", "dataclass_type"),
        _must_be("a mapping of fields to values ('name: value')"),
    ),
    "finite_number": _must_be("a finite number"),
    "greater_than": _must_be("greater than {gt:g}"),
    "greater_than_equal": _must_be("at least {ge:g}"),
    "less_than": _must_be("less than {lt:g}"),
    "less_than_equal": _must_be("at most {le:g}"),
    "string_too_short": _must_be("long enough: it needs {min_length} characters or more"),
    "string_too_long": _must_be("short enough: it may have at most {max_length} characters"),
    "too_long": _must_be("short enough: it may have at most {max_length} entries"),
    "too_short": _must_be("long enough: it needs at least {min_length} entries"),
}


def _field(path: FieldPath, data: Any) -> str:
    """The field in words, with a colon: ``"steps, entry 3 ('dilute'), volume: "``; empty for the whole."""
    words = []
    for step in path:
        data = data[step]
        if isinstance(step, int):
            name = data.get("id", data.get("name")) if isinstance(data, dict) else None
            words.append(f"entry {step + 1}" + (f" ('{_cut(name)}')" if isinstance(name, str) else ""))
        else:
            words.append(_cut(step))
    return f"{', '.join(words)}: " if words else ""


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f"'{_cut(str(value))}'"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def _models_at(annotation: Any, path: FieldPath, data: Any) -> list[Any]:
    """The record types that may stand at ``path`` of a value of type ``annotation``."""
    found: list[Any] = []
    for option in _options(annotation):
        if _is_record(option):
            if not _tag_fits(option, data):
                continue
            if not path:
                found.append(option)
            elif path[0] in _fields(option):
                inner = _fields(option)[str(path[0])].annotation
                found += _models_at(inner, path[1:], data[path[0]])
        elif path and (arguments := get_args(option)):
            inner = arguments[-1] if get_origin(option) is dict else arguments[0]
            found += _models_at(inner, path[1:], data[path[0]])
    return found


def _options(annotation: Any) -> Iterator[Any]:
    """The members of a union, through ``Annotated``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for option in get_args(annotation):
            yield from _options(option)
    else:
        yield annotation


def _is_record(option: Any) -> bool:
    return isinstance(option, type) and (issubclass(option, BaseModel) or is_dataclass(option))


def _fields(model: Any) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(model, "__pydantic_fields__", {})
    return fields


def _tag_fits(model: Any, data: Any) -> bool:
    """No one-word field of ``data``, such as ``do: transfer``, says that it is something else."""
    if not isinstance(data, dict):
        return True
    return all(
        data[name] in get_args(info.annotation)
        for name, info in _fields(model).items()
        if name in data
        and isinstance(data[name], str)
        and len(get_args(info.annotation)) == 1
        and isinstance(get_args(info.annotation)[0], str)
    )


def _tags(model: Any, path: FieldPath, data: Any, tag: str) -> list[str]:
    models = _models_at(model, path, data)
    return [value for option in models if tag in _fields(option) for value in get_args(_fields(option)[tag].annotation)]
