"""What was asked and answered can be read afterwards; secrets and pixels cannot."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from agents.models import Image, ModelAnswerUnusable, Transcript
from agents.models.database import Database
from protocols.errors import RecordError
from tests.model_server import ModelServer, Status, dropped, failing, garbage, in_turn, saying, truthful
from tests.models.questions import SECRET, TRUTH, VALUE, Trait, model_of, question

PICTURE = Image(b"\x89PNG not really" * 50, detail="low", width=10, height=10)


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_call_is_there_with_all_its_exchanges(tmp_path: Path) -> None:
    behaviour = in_turn(failing(500), garbage, truthful(TRUTH))
    with ModelServer(behaviour) as server, model_of(server, tmp_path) as model:
        answer = model.ask(question(parts=("What?", PICTURE)), Trait)
    transcript = Transcript(tmp_path / "transcript.sqlite")
    (call,) = transcript.calls()
    assert (call["call"], call["state"], call["prompt"], call["version"]) == (answer.call, "answered", "describe", "1")
    assert json.loads(call["answer"]) == TRUTH
    failed, wrong, right = call["exchanges"]
    assert (failed["status"], failed["problem"], failed["tokens_in"]) == (500, "HTTP 500: something broke", 0)
    assert (wrong["status"], wrong["tokens_in"], wrong["purpose"]) == (200, 100, "question")
    assert (right["purpose"], right["cost"], right["counted"]) == ("repair", "0.00045", True)
    assert json.loads(right["response"])["choices"][0]["message"]["content"] == VALUE.model_dump_json().replace(
        ",", ", "
    ).replace(":", ": ")
    assert failed["request"] == wrong["request"]
    assert "cannot be used" in right["request"]["messages"][-1]["content"]
    assert right["request"]["response_format"]["json_schema"]["name"] == "Trait"
    assert 0 <= right["seconds"] < 5
    transcript.close()


def test_images_are_there_by_their_hash(tmp_path: Path) -> None:
    with ModelServer(truthful(TRUTH)) as server, model_of(server, tmp_path) as model:
        model.ask(question(parts=("What?", PICTURE)), Trait)
        assert server.asked[0].images == [PICTURE.data]
        (call,) = model.transcript.calls()
    told = json.dumps(call)
    assert f"sha256:{PICTURE.digest} image/png {len(PICTURE.data)} bytes" in told
    assert "base64" not in told
    assert PICTURE.data not in files(tmp_path)


def test_the_secret_is_sent_and_kept_nowhere(tmp_path: Path) -> None:
    telling = Status(401, f"Incorrect API key provided: {SECRET}")
    behaviour = in_turn(saying(f"your key is {SECRET}"), lambda _: telling)
    with ModelServer(behaviour) as server, model_of(server, tmp_path) as model:
        with pytest.raises(Exception, match=r"\[key\]") as raised:
            model.ask(question(), Trait)
        assert server.asked[0].headers["authorization"] == f"Bearer {SECRET}"
        model.transcript.export(tmp_path / "calls.jsonl")
        assert SECRET not in str(raised.value)
        assert SECRET not in repr(model.config)
    assert SECRET.encode() not in files(tmp_path)


def test_what_belongs_to_openai_is_sent_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "belongs-to-openai")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.delenv("LABWRIGHT_MODEL_KEY", raising=False)
    from agents.models import Model
    from tests.models.questions import config_of

    with ModelServer(truthful(TRUTH)) as server, Model(config_of(server)) as model:
        assert model.ask(question(), Trait).value == VALUE
        assert "belongs-to-openai" not in str(server.asked[0].headers)
        assert server.asked[0].headers["authorization"] == "Bearer no-key"


def test_an_error_leads_to_its_call() -> None:
    with ModelServer(garbage) as server, model_of(server) as model:
        with pytest.raises(ModelAnswerUnusable) as raised:
            model.ask(question(), Trait)
        (call,) = model.transcript.calls()
        assert (call["call"], call["state"]) == (raised.value.call, "unusable")
        assert call["error"] == str(raised.value)
        assert raised.value.text.startswith('{"part": ]')


def test_a_cached_answer_leads_to_its_call_in_this_transcript(tmp_path: Path) -> None:
    from agents.models import Model
    from tests.models.questions import config_of

    with ModelServer(truthful(TRUTH)) as server:
        for job in ("one", "two"):
            for _ in range(2):
                files_of = {"cache": tmp_path / "cache.sqlite", "transcript": tmp_path / f"{job}.sqlite"}
                with Model(config_of(server), key=SECRET, **files_of) as model:
                    answer = model.ask(question(), Trait)
                    calls = list(model.transcript.calls())
                    assert [one["call"] for one in calls] == [answer.call]
                    assert json.loads(calls[0]["answer"]) == TRUTH
                    spent = model.spent().tokens
            assert (calls[0]["state"], spent) == (("answered", 120) if job == "one" else ("cached", 0))
    assert len(server.asked) == 1


def test_export_is_json_lines(tmp_path: Path) -> None:
    behaviour = in_turn(dropped(), truthful(TRUTH))
    with ModelServer(behaviour) as server, model_of(server) as model:
        for text in "ab":
            model.ask(question(text), Trait)
        model.transcript.export(tmp_path / "calls.jsonl")
    calls = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert [len(one["exchanges"]) for one in calls] == [2, 1]


def test_many_transcripts_of_one_file_can_be_opened_at_once(tmp_path: Path) -> None:
    failed: list[BaseException] = []

    def write() -> None:
        try:
            transcript = Transcript(tmp_path / "t.sqlite")
            for _ in range(5):
                transcript.begin(key="k", prompt="p", version="1", endpoint="e", model="m")
            transcript.close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    transcript = Transcript(tmp_path / "t.sqlite")
    assert [one["call"] for one in transcript.calls()] == list(range(1, 41))
    transcript.close()


def fill(database: Database) -> None:
    """Let the file grow no more, as on a full disk."""
    ((pages,),) = database.rows("PRAGMA page_count")
    database.rows(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_told_and_nothing_is_taken_for_whole(tmp_path: Path) -> None:
    long = "word " * 4000
    with ModelServer(truthful(TRUTH)) as server:
        with model_of(server, tmp_path) as model:
            model.ask(question(), Trait)
            fill(model.transcript.database)
            with pytest.raises(RecordError, match=r"transcript\.sqlite: cannot be used \(.*full.*Make room"):
                model.ask(question(long), Trait)
            assert len(server.asked) == 1, "nothing is sent that cannot be recorded"
            assert model.ask(question(), Trait).cached
        with model_of(server, tmp_path) as model:
            assert model.ask(question(long), Trait).value == VALUE
            assert model.spent().tokens == 240


def test_an_answer_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    behaviour = truthful(TRUTH | {"note": "word " * 4000})
    with ModelServer(behaviour) as server:
        with model_of(server, tmp_path) as model:
            assert model._cache is not None
            fill(model._cache._database)
            with pytest.raises(RecordError, match=r"cache\.sqlite: cannot be used"):
                model.ask(question(), Trait)
            (call,) = model.transcript.calls()
            assert [one["settled"] for one in call["exchanges"]] == [True], "what was paid is booked and on record"
        with model_of(server, tmp_path) as model:
            assert not model.ask(question(), Trait).cached
            assert model.ask(question(), Trait).cached
