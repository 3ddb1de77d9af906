"""Whole: regions described through the model wrapper by a local server, truthful and misbehaving."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from agents.models import Batches, Limits, ModelRequestRefused, Patience, Rates
from pipelines.traits.prompting import (
    Blank,
    Crop,
    Described,
    Describing,
    Description,
    Elsewhere,
    NameShown,
    Prompt,
    Shown,
    Subject,
    Told,
    requests,
    resampled,
    statements,
)
from pipelines.traits.statements import Place
from protocols.errors import RecordError
from tests.model_server import (
    Asked,
    Behaviour,
    Completion,
    ModelServer,
    Response,
    after,
    failing,
    garbage,
    refusing,
    strict,
    truthful,
)
from tests.models.questions import QUICK, model_of
from tests.traits.prompting.insects import DICTIONARY, GUARD, PLACE, SAID, pixels, seen, subject

PROMPT = Prompt(DICTIONARY)


class Words:
    """Links two words."""

    def part(self, text: str) -> str:
        return {"fore wing": "AISM:0000037"}.get(text, "")

    def state(self, text: str) -> str:
        return {"gray": "PATO:0000950", "hairy": "PATO:0000454"}.get(text, "")


def described(
    server: ModelServer, subjects: list[Subject], folder: Path | None = None, **settings: Any
) -> list[Described]:
    with model_of(server, folder, **settings) as model:
        return list(Describing(model, subjects, PROMPT, GUARD, linker=Words(), model="eyes"))


def test_regions_become_statements_in_the_order_of_the_questions_however_late_answers_come() -> None:
    def late_first(asked: Asked) -> Response:
        answer = Completion(json.dumps(SAID | {"text": f"Picture of {len(asked.images[0])} bytes."}))
        return after(0.15, lambda _: answer)(asked) if asked.number == 0 else answer

    subjects = [subject(f"i{n}", level=n * 20) for n in range(10)]
    with ModelServer(strict(late_first)) as server:
        got = described(server, subjects, rates=Rates(concurrency=5))
    assert [one.subject for one in got] == subjects
    assert [one.statements[0].image for one in got] == [f"i{n}" for n in range(10)]
    (said,) = got[3].statements
    assert (said.part, said.part_term, said.character, said.state) == ("fore wing", "AISM:0000037", "colour", "grey")
    assert (said.state_term, said.standing, said.confidence) == ("PATO:0000950", "observed", 0.8)
    assert dict(said.conditions) == {
        "view": "dorsal",
        "sex": "unknown",
        "life stage": "adult",
        "caste": "unknown",
        "damage": "none",
    }
    assert (said.describer.kind, said.describer.name) == ("model", "stand-in-1")
    assert said.describer.prompt == f"describe-region {PROMPT.version}"
    body = server.requests[0]
    assert body["temperature"] == 0


def test_nothing_that_is_sent_shows_a_taxon_a_path_or_metadata() -> None:
    with ModelServer(truthful(SAID)) as server:
        described(server, [subject("Apis_mellifera_0001")])
    wire = json.dumps(server.requests)
    for name in ("Apis", "mellifera", "Hymenoptera", "Insecta", "honey", "Musca", ".jpg", "file"):
        assert name.casefold() not in wire.casefold()
    (image,) = server.asked[0].images
    assert b"Exif" not in image


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (refusing(), "no answer: the model refused"),
        (garbage, "no answer: its answers had no usable form"),
        (failing(500), "no answer: the endpoint could not be reached"),
    ],
)
def test_what_a_model_does_not_say_is_not_invented(behaviour: Behaviour, why: str) -> None:
    patience = Patience(**QUICK.model_dump() | {"attempts": 2, "repairs": 1})
    with ModelServer(behaviour) as server:
        (got,) = described(server, [subject("bee", sample=2)], patience=patience)
    (said,) = got.statements
    assert (said.standing, said.part, said.character, said.state, said.value, said.text) == (
        *("unknown", "region", "", "", None, ""),
    )
    assert said.doubts == (why,)
    assert (said.describer.name, said.describer.sample) == ("eyes", 2)
    assert said.describer.prompt == f"describe-region {PROMPT.version}"


def test_one_failure_among_many_leaves_the_others_whole() -> None:
    def moody(asked: Asked) -> Response:
        return refusing()(asked) if asked.number == 2 else Completion(json.dumps(SAID))

    with ModelServer(moody) as server:
        got = described(server, [subject(f"i{n}", level=n) for n in range(5)], rates=Rates(concurrency=1))
    assert [one.statements[0].standing for one in got].count("unknown") == 1
    assert len(got) == 5


def test_a_spent_budget_stops_cleanly_and_more_of_it_goes_on_from_there(tmp_path: Path) -> None:
    subjects = [subject(f"i{n}", level=n * 20) for n in range(6)]
    answer = Completion(json.dumps(SAID), usage=(2000, 100))
    taken: list[int] = []

    def counted() -> Iterator[Subject]:
        for number, one in enumerate([*subjects, *(subject(f"more{n}") for n in range(500))]):
            taken.append(number)
            yield one

    with ModelServer(lambda _: answer) as server:
        tight = model_of(server, tmp_path, limits=Limits(tokens=9000), rates=Rates(concurrency=1))
        with tight:
            describing = Describing(tight, counted(), PROMPT, GUARD)
            first = list(describing)
        assert describing.stopped is not None
        assert 1 <= len(first) < 6
        assert all(one.statements[0].standing == "observed" for one in first)
        assert len(taken) < 40, "no more pictures are read once nothing is left"
        calls = len(server.asked)
        with model_of(server, tmp_path) as model:
            describing = Describing(model, subjects, PROMPT, GUARD)
            again = list(describing)
        assert (describing.stopped, len(again)) == (None, 6)
        assert [one.statements for one in again[: len(first)]] == [one.statements for one in first]
        assert len(server.asked) - calls == 6 - len(first)


def test_an_endpoint_that_does_not_take_the_first_request_stops_everything() -> None:
    with ModelServer(failing(401, "bad key")) as server, pytest.raises(ModelRequestRefused):
        described(server, [subject(f"i{n}", level=n) for n in range(30)])


def test_repeated_prompts_are_asked_again_and_keep_their_number(tmp_path: Path) -> None:
    with ModelServer(truthful(SAID)) as server:
        got = described(server, list(resampled(subject(), 3)), tmp_path)
        assert len(server.asked) == 3
        assert [one.statements[0].describer.sample for one in got] == [0, 1, 2]
        assert len({one.statements[0].id for one in got}) == 3
        described(server, list(resampled(subject(), 3)), tmp_path)
        assert len(server.asked) == 3, "answers are kept by content"


def test_what_several_specimens_share_is_asked_once_and_said_of_each() -> None:
    several = Subject(tuple(subject(name, level=n).shown[0] for n, name in enumerate("abc")))
    with ModelServer(truthful(SAID)) as server:
        (got,) = described(server, [several])
    assert len(server.asked[0].images) == 3
    assert "all of them share" in server.asked[0].question
    assert [one.image for one in got.statements] == ["a", "b", "c"]
    assert {dict(one.conditions)["shared by"] for one in got.statements} == {"3"}
    assert {one.describer.prompt for one in got.statements} == {f"describe-shared {PROMPT.version}"}


def test_controls_show_or_tell_something_else_under_a_name_of_their_own() -> None:
    other = Place((0, 80, 30, 110), ((((0.0, 80.0), (30.0, 80.0), (30.0, 110.0)),),), (160, 120))
    controls = [None, Elsewhere((other,)), Blank(), Told("Musca domestica")]
    prompt = Prompt(DICTIONARY, Crop())
    made = list(requests([subject(control=control) for control in controls], prompt, GUARD))
    assert [one.prompt for one in made] == [
        *("describe-region", "describe-region, another region"),
        *("describe-region, blank image", "describe-region, wrong name told"),
    ]
    assert len({one.images[0].digest for one in made[:3]}) == 3
    assert made[3].images[0].digest == made[0].images[0].digest
    assert "Musca domestica" in str(made[3].parts[0])
    assert [one.system for one in made] == [made[0].system] * 4


def test_the_control_may_tell_its_own_name_and_no_other() -> None:
    class Leaky(Prompt):
        @property
        def system(self) -> str:  # type: ignore[override]
            return "This is Apis mellifera."

    with pytest.raises(NameShown, match="Apis mellifera"):
        list(requests([subject(control=Told("Musca domestica"))], Leaky(DICTIONARY), GUARD))


def test_a_name_in_the_dictionary_stops_before_anything_is_sent() -> None:
    from dataclasses import replace

    named = replace(DICTIONARY.characters["colour"], definition="As in Musca.")
    prompt = Prompt(replace(DICTIONARY, characters={"colour": named}))
    with ModelServer(truthful(SAID)) as server, model_of(server) as model:
        with pytest.raises(NameShown, match="Musca"):
            list(Describing(model, [subject()], prompt, GUARD))
        assert server.asked == []


def test_a_batch_gives_the_same_statements_as_asking_one_by_one(tmp_path: Path) -> None:
    subjects = [subject(f"i{n}", level=n * 20) for n in range(4)]
    with ModelServer(truthful(SAID)) as server:
        asked = described(server, subjects)
        with model_of(server, tmp_path) as model:
            made = list(requests(subjects, PROMPT, GUARD))
            assert model.estimate(made, Description).requests == 4
            batches = Batches(model)
            batches.submit(made, Description)
            batches.wait(every=0.01)
            outcomes = batches.collect(made, Description)
    batched = [statements(one, outcomes[n], DICTIONARY, linker=Words()) for n, one in enumerate(subjects)]
    assert batched == [one.statements for one in asked]


def test_pictures_are_read_ahead_by_several_threads_and_answers_stay_in_order() -> None:
    together = Barrier(2, timeout=10)

    def read(level: int) -> np.ndarray:
        together.wait()  # never passed by a single thread
        return pixels(level)

    subjects = [Subject((Shown(f"i{n}", 7, PLACE, partial(read, n * 20)),)) for n in range(6)]
    with ModelServer(truthful(SAID)) as server, model_of(server) as model:
        got = list(Describing(model, subjects, PROMPT, GUARD, workers=2))
    assert [one.subject for one in got] == subjects
    assert {one.statements[0].standing for one in got} == {"observed"}


def test_a_picture_that_cannot_be_read_stops_with_its_own_error() -> None:
    def gone() -> np.ndarray:
        raise RecordError("the picture is gone", where="i1")

    for workers in (1, 3):
        subjects = [subject("i0"), Subject((Shown("i1", 7, PLACE, gone),))]
        with (
            ModelServer(truthful(SAID)) as server,
            model_of(server) as model,
            pytest.raises(RecordError, match="i1: the picture is gone"),
        ):
            list(Describing(model, subjects, PROMPT, GUARD, workers=workers))


def test_own_words_are_kept_without_terms_and_numbers_are_read() -> None:
    characters = [
        seen("Colour", "gray"),
        seen("number of parts", "Four"),
        seen("setae of the margin", "hairy"),
        seen("iridescence", "none", "absent"),
        seen("lightness", "rather bright"),
    ]
    with ModelServer(truthful(SAID | {"part": "flux organ", "characters": characters})) as server:
        (got,) = described(server, [subject()])
    assert [(one.character, one.state, one.state_term, one.value, one.standing) for one in got.statements] == [
        ("colour", "grey", "PATO:0000950", None, "observed"),
        ("number", "", "", 4.0, "observed"),
        ("", "setae of the margin: hairy", "PATO:0000454", None, "observed"),
        ("", "", "", None, "absent"),
        ("lightness", "rather bright", "", None, "observed"),
    ]
    assert {(one.part, one.part_term) for one in got.statements} == {("flux organ", "")}
    assert got.statements[3].text.startswith("iridescence: absent.")
