"""How the local server answers: functions from what was asked to a response. Plain, so that they combine."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One chat completion that was asked for.

    Attributes:
        number: from 0, over the server's life; batches included.
        body: as it came.
        headers: names in lower case.
        at: s of the monotonic clock.
    """

    number: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    at: float = 0.0

    @property
    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["messages"]
        return found

    @property
    def system(self) -> str:
        return "\n".join(str(message["content"]) for message in self.messages if message["role"] == "system")

    @property
    def question(self) -> str:
        """The texts of the last turn, joined."""
        return _text_of(self.messages[-1]["content"])

    @property
    def text(self) -> str:
        """All that was said, in all turns."""
        return "\n".join(_text_of(message["content"]) for message in self.messages)

    @property
    def images(self) -> list[bytes]:
        """The images of all turns, decoded."""
        parts = [part for one in self.messages if isinstance(one["content"], list) for part in one["content"]]
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        return [base64.b64decode(url.partition(",")[2], validate=True) for url in urls]

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that was sent, where one was."""
        form = self.body.get("response_format") or {}
        found: dict[str, Any] | None = form.get("json_schema", {}).get("schema")
        return found

    @property
    def repairing(self) -> bool:
        """Whether the last turn says what was wrong with an answer."""
        return self.messages[-1]["role"] == "user" and len(self.messages) > 2 and "cannot be used" in self.question


def _text_of(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


@dataclass(frozen=True)
class Completion:
    """A chat completion. ``usage`` None leaves the counts out."""

    content: str | None
    refusal: str | None = None
    finish: str = "stop"
    usage: tuple[int, int] | None = (100, 20)
    model: str = "stand-in-1"
    delay: float = 0.0

    def as_json(self, number: int) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.content, "refusal": self.refusal}
        found: dict[str, Any] = {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish, "logprobs": None}],
        }
        if self.usage is not None:
            sent, received = self.usage
            found["usage"] = {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
        return found


@dataclass(frozen=True)
class Status:
    """An HTTP error, with a body as OpenAI's."""

    code: int
    message: str = "no"
    headers: Mapping[str, str] = field(default_factory=dict)
    error_code: str | None = None
    delay: float = 0.0


@dataclass(frozen=True)
class Replied:
    """Any bytes, with status 200."""

    content: bytes
    kind: str = "application/json"
    delay: float = 0.0


@dataclass(frozen=True)
class Dropped:
    """A connection that is closed after so many bytes of the response's body; None: before its first header."""

    after: int | None = 20
    delay: float = 0.0


Response = Completion | Status | Replied | Dropped
Behaviour = Callable[[Asked], Response]
Truth = Mapping[str, Any] | Callable[[Asked], Mapping[str, Any]]


def _truth(truth: Truth, asked: Asked) -> str:
    return json.dumps(truth(asked) if callable(truth) else truth)


def truthful(truth: Truth) -> Behaviour:
    """The JSON object, or what a function makes of what was asked."""
    return lambda asked: Completion(_truth(truth, asked))


def saying(text: str) -> Behaviour:
    """Always the same text."""
    return lambda _: Completion(text)


garbage: Behaviour = saying('{"part": ] wing \x00 \ufffd }} []')
"""Not JSON."""
empty: Behaviour = saying("")
"""Nothing."""


def fenced(truth: Truth) -> Behaviour:
    """The object in a code fence, with words before and after it."""
    return lambda asked: Completion(f"Sure! Here it is:\n\n```json\n{_truth(truth, asked)}\n```\nAnything else?")


def prose(truth: Truth) -> Behaviour:
    """The object in the middle of a sentence with other brackets."""
    return lambda asked: Completion(f"Of the set {{a, b}} I would say {_truth(truth, asked)} to be sure.")


def truncated(truth: Truth, *, whole_from: int = 10**9) -> Behaviour:
    """Cut off by the limit of tokens, unless that is at least ``whole_from``."""

    def behave(asked: Asked) -> Response:
        text = _truth(truth, asked)
        limit = asked.body.get("max_tokens") or asked.body.get("max_completion_tokens") or 0
        return Completion(text) if limit >= whole_from else Completion(text[: len(text) // 2], finish="length")

    return behave


def refusing(words: str = "I cannot help with that.") -> Behaviour:
    """Declines, as OpenAI's models do."""
    return lambda _: Completion(None, refusal=words)


def filtered(asked: Asked) -> Response:
    """Stopped by a content filter."""
    return Completion(None, finish="content_filter")


def failing(code: int = 500, message: str = "something broke") -> Behaviour:
    """An HTTP error."""
    return lambda _: Status(code, message)


def limited(retry_after: str | None = None) -> Behaviour:
    """Too many requests, with or without ``Retry-After``."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda _: Status(429, "Rate limit reached", headers, "rate_limit_exceeded")


def dropped(after: int | None = 20) -> Behaviour:
    """Closes the connection in the middle of the body, or (None) before anything is said."""
    return lambda _: Dropped(after)


def no_chat(asked: Asked) -> Response:
    """A page of a proxy, with status 200."""
    return Replied(b"<html>Welcome to the hotel's network</html>", "text/html")


def broken(asked: Asked) -> Response:
    """JSON, without any choices."""
    return Replied(b'{"object": "chat.completion", "choices": []}')


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other over the server's life; the last one from then on."""
    return lambda asked: behaviours[min(asked.number, len(behaviours) - 1)](asked)


def after(seconds: float, behaviour: Behaviour) -> Behaviour:
    """The same, so many s later."""

    def behave(asked: Asked) -> Response:
        response = behaviour(asked)
        return type(response)(**{**vars(response), "delay": seconds})

    return behave


def no_schemas(behaviour: Behaviour) -> Behaviour:
    """Knows ``json_object`` but no ``json_schema``."""

    def behave(asked: Asked) -> Response:
        if (asked.body.get("response_format") or {}).get("type") == "json_schema":
            return Status(400, "'response_format.type' must be one of 'text', 'json_object'")
        return behaviour(asked)

    return behave


def only_words(behaviour: Behaviour) -> Behaviour:
    """Knows no ``response_format`` at all."""

    def behave(asked: Asked) -> Response:
        return Status(422, "Extra inputs: response_format") if "response_format" in asked.body else behaviour(asked)

    return behave


_STRICT_KEYS = {
    *("type", "enum", "const", "description", "properties", "required", "additionalProperties", "items", "anyOf"),
    *("$ref", "$defs", "pattern", "format", "multipleOf", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
}


def strict(behaviour: Behaviour) -> Behaviour:
    """Takes a schema only by the published rules of strict mode."""

    def behave(asked: Asked) -> Response:
        wrong = None if asked.schema is None else strict_problem(asked.schema)
        return Status(400, f"Invalid schema for response_format: {wrong}") if wrong else behaviour(asked)

    return behave


def strict_problem(schema: dict[str, Any], *, root: bool = True) -> str | None:
    """What a strict server has against a schema; None where it has nothing."""
    if root and (schema.get("type") != "object" or "anyOf" in schema):
        return "the root is no object"
    if odd := schema.keys() - _STRICT_KEYS:
        return f"{sorted(odd)} not permitted"
    if "$ref" in schema and len(schema) > 1:
        return "$ref has siblings"
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return "additionalProperties is not false"
        if set(schema.get("required", [])) != set(schema.get("properties", {})):
            return "not all properties are required"
    if schema.get("type") == "array" and "items" not in schema:
        return "array without items"
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    inner += [schema["items"]] if "items" in schema else []
    return next((found for one in inner if (found := strict_problem(one, root=False))), None)
