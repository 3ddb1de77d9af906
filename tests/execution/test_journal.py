"""The journal: what is in it stays as it was written, or it is refused by name."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import RecordError
from protocols.events import GENESIS
from protocols.labstate import LabState
from protocols.ports import RecoveryPolicy
from robots.execution.journal import Journal, read_journal
from robots.execution.ledger import Ledger, VirtualClock
from robots.execution.progress import Progress
from tests.execution.lab import EVERY_KIND, RUN, Machine, Run, failed, person, program, starlet, waits


def write(path: Path, count: int = 6) -> Path:
    with Journal(path, RUN) as journal:
        for number in range(count):
            journal.append("outcome", virtual_time=number / 3, instruction=f"w{number}", payload={"number": number})
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "journal.sqlite")


def refused(path: Path, *words: str) -> None:
    """Reading and opening it both refuse, and name the file."""
    for use in (read_journal, lambda path: Journal(path, RUN)):
        with pytest.raises(RecordError) as caught:
            use(path)
        assert str(path) in str(caught.value)
        for word in words:
            assert word in str(caught.value)


# -- what is written comes back -----------------------------------------------------------------------


def test_events_come_back_as_they_were_appended_and_go_on_from_there(path: Path) -> None:
    events = read_journal(path)
    assert [event.sequence for event in events] == list(range(6))
    assert events[0].previous == GENESIS
    assert [event.payload for event in events] == [{"number": number} for number in range(6)]
    with Journal(path, RUN) as journal:
        assert journal.events == events
        seventh = journal.append("paused", virtual_time=9.0)
    assert seventh.previous == events[-1].digest()
    assert read_journal(path) == (*events, seventh)


texts = st.text(st.characters(codec="utf-8"))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(texts, json_values, max_size=3), max_size=4))
def test_any_json_comes_back(new_folder: Callable[[], Path], payloads: list[dict[str, Any]]) -> None:
    path = new_folder() / "journal.sqlite"
    with Journal(path, RUN) as journal:
        for payload in payloads:
            journal.append("inspection", virtual_time=0.0, payload=payload)
    assert [event.payload for event in read_journal(path)] == payloads


@pytest.mark.parametrize("payload", [{"a": float("nan")}, {"a": "\ud800"}, {"a": 2**60}, {"a": {1, 2}.__iter__}])
def test_what_is_no_json_is_not_appended(path: Path, payload: dict[str, Any]) -> None:
    before = read_journal(path)
    with Journal(path, RUN) as journal:
        with pytest.raises(ValueError):
            journal.append("inspection", virtual_time=0.0, payload=payload)
        journal.append("paused", virtual_time=0.0)
    assert len(read_journal(path)) == len(before) + 1


def test_appending_from_many_threads_keeps_one_chain(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", RUN) as journal:
        threads = [
            threading.Thread(target=lambda: [journal.append("inspection", virtual_time=0.0) for _ in range(10)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(read_journal(tmp_path / "journal.sqlite")) == 80


def test_a_reader_sees_a_whole_prefix_while_the_run_writes(tmp_path: Path) -> None:
    path, over = write(tmp_path / "journal.sqlite", 1), threading.Event()
    lengths: list[int] = []

    def read() -> None:
        while not over.is_set():
            lengths.append(len(read_journal(path)))

    thread = threading.Thread(target=read)
    thread.start()
    deadline = time.monotonic() + 10.0
    with Journal(path, RUN) as journal:
        while len(set(lengths)) < 5:
            journal.append("inspection", virtual_time=0.0)
            assert time.monotonic() < deadline, "the reader never saw it grow"
    over.set()
    thread.join(20.0)
    assert lengths == sorted(lengths)


# -- changed from outside -----------------------------------------------------------------------------


def change(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


@pytest.mark.parametrize("row", [0, 3, 5])
@pytest.mark.parametrize(
    "column",
    [
        "payload = '{\"number\": 99}'",
        "payload = '{}'",
        "payload = '{\"number\"'",
        "payload = '[]'",
        "payload = '{\"number\": 1e999}'",
        "payload = '{\"number\": 1152921504606846976}'",
        'payload = \'{"number": "\\ud800"}\'',
        "payload = '{\"a\": ' || replace(hex(zeroblob(50000)), '0', '[')",
        "payload = CAST(x'ff' AS TEXT)",
        "virtual_time = 77.0",
        "instruction = 'other'",
        "instruction = NULL",
        "wall_time = '2001-01-01'",
        "run = 'another'",
        "kind = 'intent'",
        "kind = 'nonsense'",
        "previous = '" + "0" * 63 + "1'",
        "digest = '" + "0" * 64 + "'",
    ],
)
def test_a_row_that_was_changed_is_found(path: Path, column: str, row: int) -> None:
    change(path, f"UPDATE events SET {column} WHERE sequence = {row}")
    refused(path)


COLUMNS = "run, instruction, wall_time, 0, kind, payload"


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM events WHERE sequence = 0"],
        ["DELETE FROM events WHERE sequence = 3"],
        ["DELETE FROM events WHERE sequence = 5"],
        ["DELETE FROM events WHERE sequence > 1"],
        ["DELETE FROM events"],
        ["DELETE FROM events WHERE sequence = 3", "UPDATE events SET sequence = sequence - 1 WHERE sequence > 3"],
        [f"INSERT INTO events SELECT 6, {COLUMNS}, digest, digest FROM events LIMIT 1"],
        [f"INSERT INTO events SELECT -1, {COLUMNS}, previous, digest FROM events LIMIT 1"],
        ["UPDATE events SET sequence = 9 WHERE sequence = 5"],
        [
            "UPDATE events SET sequence = 100 WHERE sequence = 2",
            "UPDATE events SET sequence = 2 WHERE sequence = 3",
            "UPDATE events SET sequence = 3 WHERE sequence = 100",
        ],
        ["ALTER TABLE events DROP COLUMN digest"],
        ["ALTER TABLE events ADD COLUMN more TEXT"],
        ["DROP TABLE events"],
        ["DELETE FROM sqlite_sequence"],
    ],
    ids=lambda statements: statements[0][:40],
)  # fmt: skip
def test_rows_that_were_lost_put_in_or_moved_are_found(path: Path, statements: list[str]) -> None:
    change(path, *statements)
    refused(path)


def test_another_runs_journal_is_not_continued(path: Path) -> None:
    with pytest.raises(RecordError, match=f"is the journal of run {RUN}") as caught:
        Journal(path, "another")
    assert str(path) in str(caught.value)
    assert len(read_journal(path)) == 6


@pytest.mark.parametrize("version", [0, 2, 99])
def test_another_schema_version_is_refused(path: Path, version: int) -> None:
    change(path, f"PRAGMA user_version={version}")
    refused(path, f"schema version {version}", "reads 1")


def test_a_missing_journal_is_made_only_where_that_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with pytest.raises(RecordError, match="there is no journal"):
        read_journal(path)
    with pytest.raises(RecordError, match="there is no journal"):
        Journal(path, RUN, must_exist=True)
    assert list(tmp_path.iterdir()) == []
    Journal(path, RUN).close()
    assert read_journal(path) == ()
    with pytest.raises(RecordError, match="cannot be made") as caught:
        Journal(tmp_path / "nowhere" / "journal.sqlite", RUN)
    assert "nowhere" in str(caught.value)


def test_a_journal_that_is_gone_while_its_log_is_there_does_not_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path, RUN) as journal:
        journal.append("run_started", virtual_time=0.0)
        path.unlink()
        with pytest.raises(RecordError, match="write-ahead log is there"):
            Journal(path, RUN)


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").mkdir()
    refused(tmp_path / "journal.sqlite", "there is no journal")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: random.Random(1).randbytes(20000),
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:100],
        lambda whole: whole[:17],
        lambda whole: whole[:4096] + bytes(len(whole) - 4096),
        lambda whole: bytes(len(whole)),
        lambda whole: b'{"schema_version": 1}',
    ],
    ids=["empty", "random", "half", "header", "stump", "zeros after the first page", "zeros", "another format"],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, damage: Callable[[bytes], bytes]) -> None:
    found = damage(path.read_bytes())
    path.write_bytes(found)
    refused(path)
    assert path.read_bytes() == found


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 10**6), byte=st.integers(1, 255))
def test_a_flipped_byte_is_found_or_changes_nothing(new_folder: Callable[[], Path], place: int, byte: int) -> None:
    path = write(new_folder() / "journal.sqlite")
    before, data = read_journal(path), bytearray(path.read_bytes())
    data[place % len(data)] ^= byte
    path.write_bytes(data)
    try:
        found = read_journal(path)
    except RecordError as error:
        refusal = str(error)
    else:
        assert found == before
        return
    assert str(path) in refusal


# -- a disk that is full ------------------------------------------------------------------------------

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from protocols.errors import RecordError
from protocols.labstate import LabState
from robots.execution.journal import Journal
from robots.execution.ledger import Ledger, VirtualClock
from robots.execution.progress import Progress
from tests.execution.lab import RUN, program, starlet, waits

path = Path(sys.argv[1])
wanted = program(*waits(*[1.0] * 1000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Journal(path, RUN) as journal:
    heard = []
    progress = Progress(wanted, LabState.start(starlet().spec, wanted))
    ledger = Ledger(journal, progress, VirtualClock(), [heard.append])
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    ledger.append("run_started")
    try:
        while True:
            number = len(journal.events)
            ledger.append("intent", instruction="w0", payload={"acts_done": number})
    except RecordError as error:
        assert str(path) in str(error) and "could not be stored" in str(error), error
    assert ledger.progress.doubt.acts_done == number - 1, "an event was folded that was not stored"
    assert heard == list(journal.events) and len(heard) == number
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ledger.append("paused")
print(number)
"""


@pytest.mark.slow
def test_on_a_full_disk_nothing_is_folded_that_is_not_stored_and_room_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    events = read_journal(path)
    assert len(events) == int(done.stdout) + 1
    assert events[-1].kind == "paused"


def test_an_event_that_cannot_be_stored_stops_the_run_and_leaves_the_instruction_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, program(*waits(1.0, 1.0)), machine := Machine())
    with run.open() as session:
        append = session.journal.append

        def full(kind: Any, **rest: Any) -> Any:
            if machine.acts:
                raise RecordError("an event could not be stored (database or disk is full)", where=str(run.path))
            return append(kind, **rest)

        monkeypatch.setattr(session.journal, "append", full)
        with pytest.raises(RecordError, match="disk is full"):
            session.carry_on()
    assert len(machine.safe) == 1
    assert session.ledger.progress.doubt is not None
    assert [event.kind for event in read_journal(run.path)] == ["run_started", "intent"]
    assert run.go().kinds[-1] == "run_ended"
    assert machine.acts == ["w0#0", "w1#0"]


def test_a_second_writer_is_an_error_and_not_a_fork(path: Path) -> None:
    with Journal(path, RUN) as first, Journal(path, RUN) as second:
        first.append("paused", virtual_time=0.0)
        with pytest.raises(RecordError, match="could not be stored"):
            second.append("resumed", virtual_time=0.0)
    assert [event.kind for event in read_journal(path)][-1] == "paused"


def test_a_closed_journal_takes_nothing(path: Path) -> None:
    journal = Journal(path, RUN)
    journal.close()
    with pytest.raises(RecordError, match="could not be stored"):
        journal.append("paused", virtual_time=0.0)


# -- a process that is killed -------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from robots.execution.journal import Journal
with Journal(Path(sys.argv[1]), sys.argv[2]) as journal:
    while True:
        number = len(journal.events)
        journal.append("inspection", virtual_time=number, payload={"number": number, "text": "x" * (number % 3000)})
        print(number, flush=True)
"""


@pytest.mark.kill
@pytest.mark.slow
def test_what_was_acknowledged_survives_a_writer_that_is_killed_again_and_again(tmp_path: Path) -> None:
    path, chance, acknowledged = tmp_path / "journal.sqlite", random.Random(7), -1
    for _ in range(12):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path, RUN], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        said = [writer.stdout.readline()]
        time.sleep(chance.random() * 0.15)
        os.kill(writer.pid, signal.SIGKILL)
        said += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait(10.0)
        numbers = [int(line) for line in said if line.endswith("\n")]
        events = read_journal(path)
        assert [event.payload["number"] for event in events] == list(range(len(events)))
        assert numbers[0] >= acknowledged + 1
        acknowledged = numbers[-1]
        assert len(events) in (acknowledged + 1, acknowledged + 2)


@pytest.mark.kill
@pytest.mark.slow
def test_a_copy_taken_with_its_log_at_any_moment_is_a_prefix(tmp_path: Path) -> None:
    """What a power cut leaves: the files as they are at some moment."""
    folder = tmp_path / "run"
    folder.mkdir()
    path = folder / "journal.sqlite"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path, RUN], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    try:
        for number in range(8):
            acknowledged = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGSTOP)
            snapshot = shutil.copytree(folder, tmp_path / f"copy{number}")
            os.kill(writer.pid, signal.SIGCONT)
            (snapshot / "journal.sqlite-shm").unlink()
            with Journal(snapshot / "journal.sqlite", RUN) as journal:
                assert len(journal.events) > acknowledged
    finally:
        writer.kill()
        writer.wait(10.0)
        writer.stdout.close()


# -- progress is a fold -------------------------------------------------------------------------------

FAULTS: dict[str, list[str]] = {
    "pick": ["missing tip"],
    "draw": ["clog", "short aspirate", "level not found"],
    "give": ["clog"],
    "mix": ["clog", "level not found"],
    "move": ["gripper failed", "refused"],
    "wait": ["refused"],
}


@st.composite
def scripts(draw: st.DrawFn) -> dict[str, list[Any]]:
    """For some instructions, how their first attempts fail."""
    script: dict[str, list[Any]] = {}
    for name in draw(st.lists(st.sampled_from(sorted(FAULTS)), max_size=4, unique=True)):
        kind = draw(st.sampled_from(FAULTS[name]))
        channels = draw(st.sampled_from([(0,), (3,), (0, 3)])) if name not in ("move", "wait") else ()
        moved = tuple(1.0 if channel in channels else volume for channel, volume in ((0, 60.0), (3, 45.0)))
        more: dict[str, Any] = {"status": "partial", "volumes": moved} if kind == "short aspirate" else {}
        script[name] = [failed(kind, *channels, **more)]
    return script


def facts(progress: Progress) -> dict[str, Any]:
    """All that a progress holds, as plain values."""
    hidden = {"program", "state"}
    return {
        "state": json.dumps(progress.state.snapshot(), sort_keys=True),
        **copy.deepcopy({name: value for name, value in vars(progress).items() if name not in hidden}),
    }


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    script=scripts(),
    choices=st.dictionaries(
        st.sampled_from(["missing tip", "clog", "short aspirate", "level not found", "gripper failed", "refused"]),
        st.sampled_from(["retry", "next tip", "skip", "make safe", "ask"]),
    ),
    answers=st.lists(st.sampled_from(["done", "skip", "retry", "stop", None]), max_size=6),
)
def test_folding_the_journal_again_gives_the_same_progress_at_every_event(
    new_folder: Callable[[], Path],
    script: dict[str, list[Any]],
    choices: dict[Any, Any],
    answers: list[str | None],
) -> None:
    wanted = program(*EVERY_KIND)
    run = Run(new_folder(), wanted, Machine(script=script))
    lived: list[dict[str, Any]] = []
    sessions: list[Any] = []

    def listen(event: object) -> None:
        lived.append(facts(sessions[-1].ledger.progress))

    for _ in range(3):
        with run.open(person=person(*answers), policy=RecoveryPolicy(choices=choices), listeners=[listen]) as session:
            if session.ledger.progress.phase == "done":
                break
            sessions.append(session)
            session.carry_on()
    again = Progress(wanted, LabState.start(starlet().spec, wanted))
    for event, then in zip(read_journal(run.path), lived, strict=True):
        again.take(event)
        assert facts(again) == then


def test_the_ledger_of_a_journal_that_is_there_is_where_the_run_was(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*EVERY_KIND), Machine())
    done = run.go(person=person("done")).ledger.progress
    with Journal(run.path, RUN) as journal:
        progress = Progress(run.program, LabState.start(starlet().spec, run.program))
        assert facts(Ledger(journal, progress, VirtualClock()).progress) == facts(done)
        assert done.phase == "stopped"
        assert done.finished == {item.id for item in EVERY_KIND[:9]}
