"""The durable log: what it refuses, and that it and the truth never part."""

from __future__ import annotations

import sqlite3
import threading
from itertools import pairwise

import pytest

from protocols.errors import RecordError
from protocols.outcomes import Outcome
from robots.simulator import FaultPlan, Noise, World
from tests.simulator.lab import BARE, CONTENTS, LABWARE, LIQUIDS, pick, small_world, spec, stroke

DRAW = stroke("aspirate", ["plate/A1"], [100.0], BARE)


def test_an_act_is_in_the_file_before_it_is_answered(tmp_path):
    path = tmp_path / "world.sqlite"
    world = small_world(log=path)
    world.act("run:1#0", pick())
    world.act("run:2#0", DRAW)
    with sqlite3.connect(path) as other:
        rows = other.execute("SELECT id, instruction, started, ended FROM act ORDER BY sequence").fetchall()
        assert other.execute("PRAGMA user_version").fetchone() == (1,)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    assert [row[0] for row in rows] == ["setup:prepare#0", "run:1#0", "run:2#0"]
    assert rows[2][2:] == (4.0, 7.0)
    assert world._log._database.execute("PRAGMA synchronous").fetchone() == (2,)
    world.close()


def test_an_act_that_cannot_be_written_has_not_happened(tmp_path):
    world = small_world(log=tmp_path / "world.sqlite")
    world.act("run:1#0", pick())
    truth = world.snapshot()
    world._log._database.execute(
        "CREATE TEMP TRIGGER full BEFORE INSERT ON act BEGIN SELECT raise(ABORT, 'disk full'); END"
    )
    with pytest.raises(RecordError, match="disk full"):
        world.act("run:2#0", DRAW)
    assert world.snapshot() == truth
    world._log._database.execute("DROP TRIGGER full")
    assert world.act("run:2#0", DRAW).status == "done"
    assert world.state.volume("plate/A1") == 100.0
    world.close()


def test_two_worlds_cannot_share_a_log(tmp_path):
    path = tmp_path / "world.sqlite"
    world = small_world(log=path)
    with pytest.raises(RecordError, match="another World has this log open"):
        World(spec(), log=path)
    world.close()
    World(spec(), log=path).close()


def test_the_log_of_another_workcell_is_refused(tmp_path):
    path = tmp_path / "world.sqlite"
    small_world(log=path).close()
    with pytest.raises(RecordError, match="another workcell"):
        World(spec(name="other"), log=path)
    small_world(log=path).close()  # and the refusal has let go of it


def test_another_version_and_garbage_are_refused(tmp_path):
    path = tmp_path / "world.sqlite"
    small_world(log=path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(RecordError, match="schema version 99"):
        World(spec(), log=path)
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(b"not a database, " * 100)
    with pytest.raises(RecordError, match="cannot be opened"):
        World(spec(), log=garbage)


def test_setting_up_a_run_is_done_once_for_each_run(tmp_path):
    path = tmp_path / "world.sqlite"
    for _ in range(2):
        world = small_world(log=path)
        world.prepare(LABWARE, CONTENTS, LIQUIDS)
        assert world.state.volume("plate/A1") == 200.0
        assert world.acts_done("setup:prepare") == 1
        world.close()
    world = small_world(log=path)
    world.prepare({}, CONTENTS[:1], LIQUIDS, run="second")
    assert world.state.volume("plate/A1") == 400.0
    world.close()


def test_every_opening_is_noted_with_its_seed_and_plan(tmp_path):
    path = tmp_path / "world.sqlite"
    for seed in (3, 4):
        World(spec(), log=path, seed=seed, noise=Noise.off(), faults=FaultPlan()).close()
    with sqlite3.connect(path) as other:
        assert [row[0] for row in other.execute("SELECT seed FROM session")] == [3, 4]
    other.close()


def test_acts_from_many_threads_happen_one_after_another():
    world = small_world()
    world.act("run:pick#0", pick())
    answers: list[Outcome] = []

    def work(number: int) -> None:
        for index in range(25):  # every id twice, by different threads
            act_id = f"run:{(number // 2) * 25 + index}#0"
            answers.append(world.act(act_id, stroke("aspirate", ["plate/A1"], [1.0], BARE)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == ["done"] * 100
    assert world.state.volume("plate/A1") == pytest.approx(150.0)
    acts = world.log()
    assert [act.sequence for act in acts] == list(range(1, 53))
    assert all(one.end == two.start for one, two in pairwise(acts))
