"""Killed in the middle of a call, resumed: nothing that was answered is asked again, nothing is lost or damaged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.models import Answer, Model, Transcript
from tests.model_server import Asked, ModelServer, Response, after, truthful
from tests.models.questions import TRUTH, Trait, config_of, model_of, question

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = 24
WORKER = """
import sys
from pathlib import Path
from agents.models import Model, ModelConfig, Rates
from tests.models.questions import PRICE, QUICK, Trait, question

url, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
config = ModelConfig(url=url, model="stand-in", name="local", price=PRICE, patience=QUICK, rates=Rates(concurrency=3))
with Model(config, cache=folder / "cache.sqlite", transcript=folder / "transcript.sqlite") as model:
    for number, outcome in model.ask_all([question(f"part {n}") for n in range(count)], Trait):
        print(number, outcome.value.part, flush=True)
"""


def by_question(asked: Asked) -> Response:
    return truthful(TRUTH | {"part": asked.question})(asked)


def worker(server: ModelServer, folder: Path, count: int = QUESTIONS) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, server.url, str(folder), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "."})


def answered(printed: str) -> set[str]:
    return {line.partition(" ")[2] for line in printed.splitlines() if line.count(" ") == 2}


@pytest.mark.kill
@pytest.mark.slow
def test_killed_in_the_middle_of_a_call(tmp_path: Path) -> None:
    with ModelServer(after(0.05, by_question)) as server:
        process = worker(server, tmp_path)
        while len(server.asked) < 8:
            time.sleep(0.005)
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        had = answered(process.communicate()[0])
        asked_before = [one.question for one in server.asked]
        with model_of(server, tmp_path) as model:
            cut_off = model.spent()
            assert cut_off.held_tokens > 0, "what was in flight may be billed, and stays held"
            outcomes = dict(model.ask_all([question(f"part {number}") for number in range(QUESTIONS)], Trait))
            assert model.spent().held_tokens == cut_off.held_tokens
        assert {number: one.value.part for number, one in outcomes.items() if isinstance(one, Answer)} == {
            number: f"part {number}" for number in range(QUESTIONS)
        }
        again = {one.question for one in server.asked[len(asked_before) :]}
        assert had, "the kill came after some answers"
        assert again & had == set(), "what was answered is not asked again"
        assert len(server.asked) <= QUESTIONS + 3, "only what was in flight is asked twice"


@pytest.mark.kill
@pytest.mark.slow
def test_killed_again_and_again_by_chance(tmp_path: Path) -> None:
    chance = random.Random(7)
    with ModelServer(after(0.01, by_question)) as server:
        for _ in range(8):
            process = worker(server, tmp_path, 200)
            time.sleep(chance.uniform(0.5, 0.9))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        process = worker(server, tmp_path, 200)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert answered(printed) == {f"part {number}" for number in range(200)}
        assert len(server.asked) <= 200 + 8 * 3
    transcript = Transcript(tmp_path / "transcript.sqlite")
    assert sum(call["state"] == "answered" for call in transcript.calls()) >= 200
    transcript.close()


@pytest.mark.slow
def test_processes_share_cache_and_account(tmp_path: Path) -> None:
    with ModelServer(after(0.002, by_question)) as server:
        processes = [worker(server, tmp_path, 60) for _ in range(3)]
        for process in processes:
            assert len(answered(process.communicate(timeout=60)[0])) == 60
            assert process.returncode == 0
        with Model(
            config_of(server), cache=tmp_path / "cache.sqlite", transcript=tmp_path / "transcript.sqlite"
        ) as model:
            spent = model.spent()
            assert (spent.tokens, spent.held_tokens) == (120 * len(server.asked), 0)
            assert all(model.cached(question(f"part {number}"), Trait) for number in range(60))
