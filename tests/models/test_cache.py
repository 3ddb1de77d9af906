"""Answers on disk: the same question is not paid for twice, and another question is never taken for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from agents.models import Example, Image, Limits, ModelConfig, Patience, Price, Request
from agents.models.cache import Cache, Entry, cache_key
from agents.models.schemas import AnswerForm
from protocols.errors import RecordError
from tests.model_server import ModelServer, in_turn, truthful
from tests.models.questions import TRUTH, VALUE, Trait, model_of, question

FORM = AnswerForm(Trait)
CONFIG = ModelConfig(url="http://127.0.0.1:1/v1", model="m")
PICTURE = Image(b"\x89PNG picture", detail="low")
RICH = Request(
    prompt="describe",
    version="3",
    system="You describe.",
    parts=("What is it?", PICTURE),
    examples=(Example(("And this?", Image(b"shown")), '{"part": "leg"}'),),
)


class Other(BaseModel):
    part: str


def test_the_second_time_nothing_is_asked(tmp_path: Path) -> None:
    with ModelServer(truthful(TRUTH)) as server:
        with model_of(server, tmp_path) as model:
            first = model.ask(question(), Trait)
            again = model.ask(question(), Trait)
        with model_of(server, tmp_path) as model:
            third = model.ask(question(), Trait)
            assert model.cached(question(), Trait)
            assert not model.cached(question(sample=1), Trait)
    assert len(server.asked) == 1
    assert first.cached is False
    assert again == third == replace(first, cached=True)
    assert first.cost == Decimal("0.00045"), "100 in at 2.50 and 20 out at 10 for a million"


def test_the_key_does_not_change_from_day_to_day() -> None:
    """A change of this key throws every user's answers away: it needs a new VERSION, and a reason."""
    assert cache_key(RICH, FORM, CONFIG) == "878dee08280615b5769329ebd4a60763014a5dc19c911a65a1fc77fd293dce64"


CHANGES: dict[str, Callable[[Request], Request]] = {
    "prompt": lambda one: replace(one, prompt="other"),
    "version": lambda one: replace(one, version="4"),
    "system": lambda one: replace(one, system=one.system + " "),
    "text": lambda one: replace(one, parts=("What is it", PICTURE)),
    "order": lambda one: replace(one, parts=one.parts[::-1]),
    "pixel": lambda one: replace(one, parts=("What is it?", replace(PICTURE, data=PICTURE.data + b"!"))),
    "media type": lambda one: replace(one, parts=("What is it?", replace(PICTURE, media_type="image/webp"))),
    "detail": lambda one: replace(one, parts=("What is it?", replace(PICTURE, detail="high"))),
    "example": lambda one: replace(one, examples=()),
    "example's answer": lambda one: replace(one, examples=(replace(one.examples[0], answered="{}"),)),
    "temperature": lambda one: replace(one, temperature=0.1),
    "no temperature": lambda one: replace(one, temperature=None),
    "tokens": lambda one: replace(one, max_tokens=1025),
    "seed": lambda one: replace(one, seed=0),
    "sample": lambda one: replace(one, sample=1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_another_question_has_another_key(change: Callable[[Request], Request]) -> None:
    assert cache_key(change(RICH), FORM, CONFIG) != cache_key(RICH, FORM, CONFIG)


def test_all_changes_have_different_keys() -> None:
    requests = [RICH, *(change(RICH) for change in CHANGES.values())]
    configs = [CONFIG, CONFIG.model_copy(update={"model": "n"}), CONFIG.model_copy(update={"name": "other"})]
    configs.append(CONFIG.model_copy(update={"parameters": {"top_p": 0.5}}))
    keys = {
        cache_key(one, form, config) for one in requests for form in (FORM, AnswerForm(Other)) for config in configs
    }
    assert len(keys) == len(requests) * 2 * len(configs)


def test_what_does_not_determine_the_answer_is_not_in_the_key() -> None:
    other = CONFIG.model_copy(
        update={"price": Price(input=1, output=1), "limits": Limits(tokens=5), "patience": Patience(attempts=1)}
    )
    sized = replace(RICH, parts=("What is it?", replace(PICTURE, width=10, height=20)))
    assert cache_key(sized, FORM, other) == cache_key(RICH, FORM, CONFIG)


@given(st.text(), st.text(), st.text(), st.text())
def test_texts_do_not_run_into_each_other(a: str, b: str, c: str, d: str) -> None:
    one, two = replace(RICH, parts=(a, b)), replace(RICH, parts=(c, d))
    assert (cache_key(one, FORM, CONFIG) == cache_key(two, FORM, CONFIG)) is ((a, b) == (c, d))


def test_a_changed_entry_is_noticed_and_asked_again(tmp_path: Path) -> None:
    with ModelServer(truthful(TRUTH)) as server:
        with model_of(server, tmp_path) as model:
            model.ask(question(), Trait)
        with sqlite3.connect(tmp_path / "cache.sqlite") as database:
            database.execute("UPDATE answers SET entry = replace(entry, 'wing', 'horn')")
        database.close()
        with model_of(server, tmp_path) as model:
            answer = model.ask(question(), Trait)
            assert (answer.value, answer.cached) == (VALUE, False)
        with model_of(server, tmp_path) as model:
            assert model.ask(question(), Trait).cached
    assert len(server.asked) == 2


@pytest.mark.parametrize("damage", ["from the start", "in the middle", "while open"])
def test_a_file_that_is_damaged_is_put_aside(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "cache.sqlite"
    with ModelServer(truthful(TRUTH)) as server:
        with model_of(server, tmp_path) as model:
            for number in range(30):
                model.ask(question(str(number), system="s" * 500), Trait)
            if damage == "while open":
                model._cache._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
                path.write_bytes(b"\xff" * path.stat().st_size)
                assert model.ask(question("new"), Trait).value == VALUE
        if damage != "while open":
            content = bytearray(path.read_bytes())
            start = 0 if damage == "from the start" else 4096
            content[start : start + 4096] = b"\xa5" * 4096
            path.write_bytes(content)
        with model_of(server, tmp_path) as model:
            for number in range(30):
                assert model.ask(question(str(number), system="s" * 500), Trait).value == VALUE
            assert model.ask(question("3", system="s" * 500), Trait).cached
    assert [one.name for one in tmp_path.glob("cache.sqlite.damaged-*") if one.name[-4:] not in ("-wal", "-shm")]


def test_an_entry_of_another_version_is_refused_not_destroyed(tmp_path: Path) -> None:
    Cache(tmp_path / "cache.sqlite").close()
    with sqlite3.connect(tmp_path / "cache.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(RecordError, match="schema version 99"):
        Cache(tmp_path / "cache.sqlite")


def test_a_folder_that_cannot_be_written_is_told() -> None:
    with pytest.raises(RecordError, match="cannot be used"):
        Cache(Path("/proc/nowhere/cache.sqlite"))


def test_an_answer_that_a_stricter_type_does_not_take_is_asked_again(tmp_path: Path) -> None:
    def kind(allowed: str) -> type[BaseModel]:
        class Part(BaseModel):
            part: str

            @field_validator("part")
            @classmethod
            def _allowed(cls, part: str) -> str:
                if part != allowed:
                    raise ValueError(f"is not {allowed}")
                return part

        return Part

    said = in_turn(truthful({"part": "wing"}), truthful({"part": "leg"}))
    with ModelServer(said) as server, model_of(server, tmp_path) as model:
        assert model.ask(question(), kind("wing")).value.model_dump() == {"part": "wing"}
        assert model.ask(question(), kind("leg")).value.model_dump() == {"part": "leg"}
        assert len(server.asked) == 2


def test_errors_are_not_kept(tmp_path: Path) -> None:
    from agents.models import ModelRefused
    from tests.model_server import refusing

    with ModelServer(in_turn(refusing(), truthful(TRUTH))) as server, model_of(server, tmp_path) as model:
        with pytest.raises(ModelRefused):
            model.ask(question(), Trait)
        assert model.ask(question(), Trait).value == VALUE


def test_samples_are_kept_apart(tmp_path: Path) -> None:
    said: list[Literal["present", "absent"]] = ["present", "absent"]
    behaviour = in_turn(*(truthful(TRUTH | {"state": state}) for state in said))
    with ModelServer(behaviour) as server, model_of(server, tmp_path) as model:
        for _ in range(2):
            states = [model.ask(question(sample=sample), Trait).value.state for sample in (0, 1)]
            assert states == said
        assert len(server.asked) == 2
        assert server.requests[0] == server.requests[1], "the model does not see the number"


def test_what_was_learnt_is_kept_and_nonsense_there_is_no_harm(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    cache.learn("local m", {"mode": "words"})
    assert cache.learnt("local m") == {"mode": "words"}
    with cache._database.writing() as connection:
        connection.execute("UPDATE endpoints SET learnt = 'x'")
    assert cache.learnt("local m") == {}
    entry: Any = Entry("t", "m", 1, 2, True, None, 1)
    cache.put("k", entry)
    assert cache.get("k") == entry
    cache.close()
