"""The form of an answer: a Python type, as a JSON schema that strict servers take.

Strict servers want every object closed, every property required, alternatives as ``anyOf`` and an object at the root.
The rules are those of OpenAI's structured outputs (https://platform.openai.com/docs/guides/structured-outputs,
"Supported schemas"). What they do not know is left out of what is sent, said in the description, and still checked.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

ENVELOPE = "answer"
"""The one property of the object around an answer that is not an object itself."""
_KEPT = {
    *("type", "enum", "const", "description", "$ref", "pattern", "format"),
    *("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
}
_SAID = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "uniqueItems": "no item twice",
}
_REFUSED = ("prefixItems", "patternProperties", "not", "if", "dependentRequired")


class AnswerForm(Generic[T]):
    """A type that answers are to have.

    Attributes:
        name: what the schema is called on the wire.
        schema: the schema as it is sent, and as answers are held against.
        enveloped: whether the answer stands in an object with the one property :data:`ENVELOPE`.
    """

    def __init__(self, answer_type: type[T]) -> None:
        """Prepare a pydantic model, a union of them, a list, a literal, ….

        Raises:
            TypeError: strict servers take no such type: a mapping with free keys, a tuple of different types, ``Any``.
        """
        self.adapter: TypeAdapter[T] = TypeAdapter(answer_type)
        self.name = re.sub(r"[^A-Za-z0-9_-]", "_", getattr(answer_type, "__name__", "Answer"))[:64]
        own = self.adapter.json_schema(mode="validation")
        definitions = own.pop("$defs", {})
        self.enveloped = own.get("type") != "object"
        if self.enveloped:
            own = {"type": "object", "properties": {ENVELOPE: own}}
        self.schema: dict[str, Any] = _strict(own, self.name)
        if definitions:
            self.schema["$defs"] = {name: _strict(inner, name) for name, inner in definitions.items()}

    @cached_property
    def response_format(self) -> dict[str, Any]:
        """The ``response_format`` that asks for it."""
        return {"type": "json_schema", "json_schema": {"name": self.name, "strict": True, "schema": self.schema}}

    @cached_property
    def validator(self) -> Any:
        """The validator of the schema, as ``jsonschema`` makes it."""
        import jsonschema

        return jsonschema.Draft202012Validator(self.schema)


def _strict(schema: Any, place: str) -> dict[str, Any]:
    """One schema, and those inside it, as strict servers take them."""
    _check(schema, place)
    strict = {key: value for key, value in schema.items() if key in _KEPT}
    said = [text.format(schema[key]) for key, text in _SAID.items() if schema.get(key)]
    if said:
        strict["description"] = "; ".join([*([strict["description"]] if "description" in strict else []), *said])
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        strict["properties"] = {name: _strict(inner, f"{place}.{name}") for name, inner in properties.items()}
        strict["required"] = list(properties)
        strict["additionalProperties"] = False
    if "items" in schema:
        strict["items"] = _strict(schema["items"], f"{place}[]")
    alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if alternatives:
        strict["anyOf"] = [_strict(inner, place) for inner in alternatives]
    return _without_siblings(strict)


def _without_siblings(strict: dict[str, Any]) -> dict[str, Any]:
    """A reference stands alone, or as the only alternative beside a description."""
    if "$ref" not in strict or len(strict) == 1:
        return strict
    return {"anyOf": [{"$ref": strict.pop("$ref")}], **strict}


def _check(schema: Any, place: str) -> None:
    """Refuse what no strict schema can say."""
    advice = "strict servers take no such type; use a list of named fields"
    if not isinstance(schema, dict) or not schema.keys() & {"type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"}:
        raise TypeError(f"{place}: anything at all is allowed; {advice}")
    odd = [key for key in _REFUSED if key in schema]
    if schema.get("type") == "array" and "items" not in schema:
        odd.append("array without items")
    if schema.get("type") == "object" and "properties" not in schema and schema.get("additionalProperties"):
        odd.append("free keys")
    if len(schema.get("allOf", ())) > 1:
        odd.append("allOf")
    if odd:
        raise TypeError(f"{place}: {', '.join(odd)}; {advice}")


def instruction(form: AnswerForm[Any]) -> str:
    """What a server without schemas is told in words."""
    return (
        "Answer with one JSON object and nothing else: no explanation, no code fence. Every property is required. "
        f"It must be valid against this JSON schema ({form.name}):\n{json.dumps(form.schema)}"
    )
