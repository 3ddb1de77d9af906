"""YAML and JSON text as plain data, and the line on which each part of it stands.

Both are seen as one stream of marks (a mapping starts, a scalar, an end …), so that limits, duplicate keys
and line numbers are handled once. Nothing recurses: nesting is bounded by :data:`DEEPEST`, never by the stack.

YAML is read with the core schema of YAML 1.2: only ``null``, ``true``, ``false`` and decimal numbers are
anything but text. ``on``, ``1:30`` and ``2024-01-01`` are text here; PyYAML's own loader, which follows YAML
1.1, makes them a truth value, 90 and a date.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import yaml

from protocols.errors import InputError

DEEPEST = 64
"""How many lists and mappings may stand inside one another."""
MOST_VALUES = 2_000_000
"""How many values a document may have, each alias counted as all that it stands for."""
LONGEST_NUMBER = 400
"""How many characters a number may have."""
LARGEST_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8785, RFC 7493)."""

_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_TEXT_TAG = "tag:yaml.org,2002:str"
INTEGER = re.compile(r"[-+]?[0-9]+")
"""A plain YAML scalar that is a whole number."""
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
"""A plain YAML scalar that is a number."""
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value
    for value, words in ((True, ("true", "True", "TRUE")), (False, ("false", "False", "FALSE")))
    for word in words
}
_JSON_TOKEN = re.compile(r'\s*(?:([{}\[\]:,])|("(?:[^"\\]|\\.)*")|([^\s{}\[\]:,"]+))', re.DOTALL)

FieldPath = tuple[str | int, ...]
"""The keys and list positions (from 0) that lead to a value."""


class Mark(NamedTuple):
    """One event of a text: what starts or stands on ``line`` (from 1)."""

    kind: Literal["mapping", "list", "end", "scalar", "alias"]
    line: int
    value: Any = None
    anchor: str | None = None
    text: str = ""


def parse_yaml(text: str, file: str) -> Any:
    """The plain data of YAML ``text``; ``file`` is named in errors.

    Raises:
        InputError: syntax, a duplicate key, a tag, a number that is not finite, too deep, too many values.
    """
    return _build(_yaml_marks(text, file), file)


def parse_json(text: str, file: str) -> Any:
    """The plain data of JSON ``text``; ``file`` is named in errors.

    Raises:
        InputError: as for :func:`parse_yaml`.
    """
    try:
        data = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite, parse_int=_exact
        )
    except json.JSONDecodeError as error:
        raise InputError(f"this is not JSON: {error.msg}", where=f"{file}:{error.lineno}") from None
    except (ValueError, RecursionError) as error:  # something _build refuses too, and it knows the line
        _build(_json_marks(text, file), file)
        raise InputError(f"this JSON cannot be read: {error}", where=file) from None
    if not _within_limits(data):
        return _build(_json_marks(text, file), file)
    if re.search(r"\\u[dD][89a-fA-F]", text):
        _check_unicode(data, file)
    return data


def has_step(data: Any, step: str | int) -> bool:
    """Whether the key or list position ``step`` exists in ``data``."""
    if isinstance(step, str):
        return isinstance(data, dict) and step in data
    return isinstance(data, list) and step < len(data)


def find_lines(text: str, file: str, wanted: set[FieldPath], *, is_json: bool) -> dict[FieldPath, int]:
    """The lines (from 1) of the ``wanted`` paths that exist in ``text``, which has been parsed before."""
    found: dict[FieldPath, int] = {}
    stack: list[_Open] = []
    for mark in _json_marks(text, file) if is_json else _yaml_marks(text, file):
        if mark.kind == "end":
            stack.pop()
            if stack:
                stack[-1].step()
            continue
        if stack and stack[-1].takes_key:
            stack[-1].key, stack[-1].takes_key, stack[-1].line = str(mark.text), False, mark.line
            continue
        path = tuple(opened.key for opened in stack)
        if path in wanted:
            found.setdefault(path, stack[-1].line if stack and stack[-1].is_mapping else mark.line)
        if mark.kind in ("mapping", "list"):
            stack.append(_Open.of(mark))
        elif stack:
            stack[-1].step()
    return found


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    is_mapping: bool
    value: Any
    key: str | int
    takes_key: bool
    line: int
    anchor: str | None = None
    size: int = 1
    key_lines: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, mark: Mark) -> _Open:
        mapping = mark.kind == "mapping"
        return cls(mapping, {} if mapping else [], "" if mapping else 0, mapping, mark.line, mark.anchor)

    def step(self) -> None:
        """Go on to the next entry."""
        if self.is_mapping:
            self.takes_key = True
        elif isinstance(self.key, int):
            self.key += 1

    def take_key(self, mark: Mark, file: str) -> None:
        where = f"{file}:{mark.line}"
        if mark.kind != "scalar":
            raise InputError("a key must be plain text", where=where)
        if mark.text in self.key_lines:
            first = self.key_lines[mark.text]
            raise InputError(
                f"'{_short(mark.text)}' is written twice in one mapping (first on line {first})",
                where=where,
                mend="Keep one of them",
            )
        self.key_lines[mark.text] = mark.line
        self.key, self.takes_key = mark.text, False

    def add(self, value: Any, size: int) -> None:
        if self.is_mapping:
            self.value[self.key] = value
        else:
            self.value.append(value)
        self.size += size
        self.step()


def _build(marks: Iterable[Mark], file: str) -> Any:
    stack: list[_Open] = []
    anchors: dict[str, tuple[Any, int]] = {}
    root: Any = None
    total = 0
    for mark in marks:
        if stack and stack[-1].takes_key and mark.kind != "end":
            stack[-1].take_key(mark, file)
            continue
        if mark.kind in ("mapping", "list"):
            if len(stack) >= DEEPEST:
                raise _too_deep(f"{file}:{mark.line}")
            stack.append(_Open.of(mark))
            continue
        value, size, anchor = mark.value, 1, mark.anchor
        if mark.kind == "end":
            opened = stack.pop()
            value, size, anchor = opened.value, opened.size, opened.anchor
        elif mark.kind == "alias":
            value, size = _aliased(mark, anchors, file)
            total += size
        else:
            value = _finite_scalar(mark, file)
        if anchor is not None:
            anchors[anchor] = (value, size)
        total += 1
        if total > MOST_VALUES:
            raise _too_many(f"{file}:{mark.line}")
        if stack:
            stack[-1].add(value, size)
        else:
            root = value
    return root


def _aliased(mark: Mark, anchors: dict[str, tuple[Any, int]], file: str) -> tuple[Any, int]:
    if mark.text not in anchors:
        raise InputError(f"*{_short(mark.text)} stands for nothing that is complete", where=f"{file}:{mark.line}")
    return anchors[mark.text]


def _finite_scalar(mark: Mark, file: str) -> Any:
    where = f"{file}:{mark.line}"
    if isinstance(mark.value, float) and not math.isfinite(mark.value):
        raise InputError(f"{_short(mark.text)} is not a finite number", where=where)
    if isinstance(mark.value, int) and abs(mark.value) > LARGEST_INTEGER:
        raise InputError(f"{_short(mark.text)} is too large for a whole number", where=where)
    return mark.value


def _yaml_marks(text: str, file: str) -> Iterator[Mark]:
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise InputError("a second document starts here", where=f"{file}:{line}", mend="Keep one per file")
            elif isinstance(event, yaml.ScalarEvent):
                plain = event.implicit[0]
                _refuse_tag(event.tag, file, line)
                value = _plain_scalar(event.value, f"{file}:{line}") if plain and not event.tag else event.value
                yield Mark("scalar", line, value, event.anchor, event.value)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                _refuse_tag(event.tag, file, line)
                kind: Literal["mapping", "list"] = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
                yield Mark(kind, line, anchor=event.anchor)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                yield Mark("end", line)
            elif isinstance(event, yaml.AliasEvent):
                yield Mark("alias", line, text=str(event.anchor))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"this is not YAML: {said}", where=f"{file}:{line}") from None
    except yaml.YAMLError as error:
        said = str(error).splitlines()[0]
        raise InputError(f"this is not YAML: {said}", where=file) from None


def _refuse_tag(tag: str | None, file: str, line: int) -> None:
    if tag not in (None, "!", _TEXT_TAG):
        raise InputError(f"the tag '{_short(str(tag))}' is not read", where=f"{file}:{line}", mend="Remove it")


def _plain_scalar(text: str, where: str) -> Any:
    if text == "<<":
        raise InputError("merge keys (<<) are not read", where=where, mend="Write the fields out, or use include")
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if INTEGER.fullmatch(text):
        return int(text)
    if NUMBER.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        raise InputError(f"{text} is not a finite number", where=where)
    return text


def _json_marks(text: str, file: str) -> Iterator[Mark]:
    """The marks of JSON text that is well formed, or at least well formed up to the place in question."""
    position, line = 0, 1
    while match := _JSON_TOKEN.match(text, position):
        line += text.count("\n", position, match.start(match.lastindex or 0))
        punctuation, string, word = match.groups()
        if punctuation in ("{", "["):
            yield Mark("mapping" if punctuation == "{" else "list", line)
        elif punctuation in ("}", "]"):
            yield Mark("end", line)
        elif string:
            said = json.loads(string)
            yield Mark("scalar", line, said, text=said)
        elif word:
            yield Mark("scalar", line, _json_word(word, f"{file}:{line}"), text=word)
        line += text.count("\n", match.start(match.lastindex or 0), match.end())
        position = match.end()


def _json_word(word: str, where: str) -> Any:
    if word in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[word]
    if len(word) > LONGEST_NUMBER:
        raise InputError(f"a number of {len(word)} characters is not one", where=where)
    try:
        return int(word) if INTEGER.fullmatch(word) else float(word)
    except ValueError:
        raise InputError(f"this is not JSON: {_short(word)} is no value", where=where) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a key is written twice in one object")
    return mapping


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a finite number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{_short(text)} is not a finite number")
    return number


def _exact(text: str) -> int:
    number = int(text)
    if abs(number) > LARGEST_INTEGER:
        raise ValueError(f"{_short(text)} is too large for a whole number")
    return number


def _within_limits(data: Any) -> bool:
    level, values = [data], 0
    for _ in range(DEEPEST):
        values += len(level)
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level or values > MOST_VALUES:
            break
    return values <= MOST_VALUES and not any(isinstance(value, dict | list) for value in level)


def _check_unicode(data: Any, file: str) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError("a text has half of a surrogate pair (\\ud800 to \\udfff)", where=file) from None


def _too_deep(where: str) -> InputError:
    return InputError(f"lists and mappings stand more than {DEEPEST} deep in one another", where=where)


def _too_many(where: str) -> InputError:
    return InputError(f"it has more than {MOST_VALUES:,} values, aliases written out", where=where, mend="Split it")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
