"""Types as schemas that strict servers take, and answers read back."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from agents.models.reading import Unusable, read_answer
from agents.models.schemas import AnswerForm
from tests.model_server.behaviours import strict_problem
from tests.models.questions import TRUTH, VALUE, Trait


class Colour(BaseModel):
    kind: Literal["colour"]
    name: str


class Length(BaseModel):
    kind: Literal["length"]
    mm: Annotated[float, Field(gt=0)]


class View(StrEnum):
    DORSAL = "dorsal"
    LATERAL = "lateral"


class Node(BaseModel):
    name: str
    inner: list[Node] = []


class Nested(BaseModel):
    view: View = Field(description="From where it is seen.")
    measures: Annotated[list[Annotated[Colour | Length, Field(discriminator="kind")]], Field(max_length=4)]
    first: Trait | None = Field(None, description="The plainest.")
    tree: Node


class Either(BaseModel):
    value: Colour | Length


@pytest.mark.parametrize(
    "kind", [Trait, Nested, Node, Either, list[Trait], Colour | Length, Literal["a", "b"], list[int], bool, View]
)
def test_every_form_is_taken_by_strict_servers(kind: Any) -> None:
    form = AnswerForm(kind)
    assert strict_problem(form.schema) is None
    assert "oneOf" not in json.dumps(form.schema)
    assert "default" not in json.dumps(form.schema)


@pytest.mark.parametrize("kind", [dict[str, int], Any, tuple[int, str], list[Any], list[dict[str, str]], dict])
def test_what_strict_servers_cannot_take_is_refused_at_once(kind: Any) -> None:
    with pytest.raises(TypeError, match="list of named fields"):
        AnswerForm(kind)


def test_a_field_that_cannot_be_said_is_named() -> None:
    class Counts(BaseModel):
        of: list[dict[str, int]]

    with pytest.raises(TypeError, match=r"Counts\.of\[\]: free keys"):
        AnswerForm(Counts)


def test_limits_that_strict_servers_do_not_know_are_said_in_words() -> None:
    part = AnswerForm(Trait).schema["properties"]["part"]
    assert part == {"type": "string", "description": "at least 1 characters; at most 40 characters"}


traits = st.builds(
    Trait,
    part=st.text(min_size=1, max_size=40),
    state=st.sampled_from(["present", "absent", "not visible"]),
    confidence=st.floats(0, 1),
    note=st.none() | st.text(),
)
FORM = AnswerForm(Trait)


FRAMES = ["@", "```json\n@\n```", "So: @ I think.", "<think>{}</think>\n@", "\n\n @\n", "From {a, b}:\n```\n@\n```\n{"]


@given(traits, st.sampled_from(FRAMES))
def test_whatever_is_said_is_read_back(trait: Trait, frame: str) -> None:
    before, after = frame.split("@")
    assert read_answer(before + trait.model_dump_json() + after, FORM) == trait


@given(traits, st.data())
def test_a_beginning_alone_is_never_read(trait: Trait, data: st.DataObject) -> None:
    text = trait.model_dump_json()
    with pytest.raises(Unusable):
        read_answer(text[: data.draw(st.integers(0, len(text) - 1))], FORM)


@settings(max_examples=50)
@given(st.text() | st.builds(json.dumps, st.recursive(st.none() | st.floats() | st.text(), st.lists)))
def test_nothing_is_made_of_nothing(text: str) -> None:
    with pytest.raises(Unusable):
        read_answer(text, FORM)


@given(traits, st.sampled_from(["part", "state", "confidence", "note"]))
def test_a_missing_field_is_not_filled_in(trait: Trait, field: str) -> None:
    said = trait.model_dump()
    del said[field]
    with pytest.raises(Unusable, match=field):
        read_answer(json.dumps(said), FORM)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"part":"wing","part":"leg","state":"present","confidence":1,"note":null}', "part: stands twice"),
        ('{"part":"wing","state":"present","confidence":NaN,"note":null}', "NaN is not JSON"),
        ('{"part":"wing","state":"present","confidence":true,"note":null}', "confidence"),
        ("[" * 5000 + "{" * 5000, "nested too deeply|no JSON object"),
        ('{"outer": ' + json.dumps(TRUTH) + ', "rest": "cut', "no JSON object"),
    ],
)
def test_what_is_not_clear_is_not_used(text: str, problem: str) -> None:
    with pytest.raises(Unusable, match=problem):
        read_answer(text, FORM)


def test_the_same_answer_twice_is_one_answer() -> None:
    assert read_answer(f"{json.dumps(TRUTH)}\nThat is:\n{VALUE.model_dump_json()}", FORM) == VALUE


def test_values_that_are_no_objects_are_unwrapped() -> None:
    assert read_answer('{"answer": [1, 2]}', AnswerForm(list[int])) == [1, 2]
    kind: Any = Colour | Length
    assert read_answer('{"answer": {"kind": "length", "mm": 2}}', AnswerForm(kind)) == Length(kind="length", mm=2)
