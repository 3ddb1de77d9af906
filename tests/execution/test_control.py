"""The control channel: what people ask of a run while it goes on."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import InputError, RecordError
from protocols.program import AskPerson, Wait
from robots.execution import control
from robots.execution.control import ControlServer, Switches, send
from robots.execution.journal import read_journal
from tests.execution.lab import Absorbed, Machine, Run, Session, program, waits

ASKING = program(*waits(1.0), AskPerson(id="ask", message="Is the plate sealed?"), Wait(id="then", seconds=1.0))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own, with a short path, in place of the system's for temporary files."""
    with tempfile.TemporaryDirectory(prefix="lw") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def asking(tmp_path: Path, short: Path) -> Iterator[tuple[Session, str]]:
    """A run that waits for an answer, and the address of its control channel."""
    run = Run(tmp_path, ASKING, Machine())
    with run.open(person=Absorbed()) as session, session.served() as address:
        session.start()
        session.until_asked()
        yield session, address
        session.stopper.stop("the test is over")
        session.join()


def raw(address: str, line: bytes) -> Any:
    """The reply to a line as it is."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10.0)
        client.connect(address)
        client.sendall(line)
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as stream:
            return json.loads(stream.readline())


def test_status_says_where_the_run_is(asking: tuple[Session, str]) -> None:
    session, address = asking
    assert send(address, "status") == {
        "run": session.journal.run,
        "phase": "running",
        "done": 1,
        "total": 3,
        "instruction": "ask",
        "clock": 1.0,
        "question": {"question": "Is the plate sealed?", "choices": ["done", "stop"]},
    }


def test_a_question_is_answered_over_the_channel(asking: tuple[Session, str]) -> None:
    session, address = asking
    with pytest.raises(InputError, match="answer one of: done, stop"):
        send(address, "answer", answer="perhaps")
    with pytest.raises(InputError, match="answer one of: done, stop"):
        send(address, "answer")
    assert send(address, "answer", answer="done") == {"ok": True}
    session.join()
    assert session.ledger.progress.phase == "done"
    assert send(address, "status")["question"] is None
    with pytest.raises(InputError, match="no question is open"):
        send(address, "answer", answer="done")
    assert session.kinds[-1] == "run_ended"


def test_answering_stop_stops_the_run(asking: tuple[Session, str]) -> None:
    session, address = asking
    send(address, "answer", answer="stop")
    session.join()
    assert session.ledger.progress.stop_reason == "a person stopped the run"


def test_an_answer_before_there_is_a_question_is_refused_and_forgotten(tmp_path: Path, short: Path) -> None:
    run = Run(tmp_path, ASKING, Machine())
    with run.open(person=Absorbed()) as session, session.served() as address:
        with pytest.raises(InputError, match="no question is open"):
            send(address, "answer", answer="done")
        session.start()
        session.until_asked()
        time.sleep(0.05)
        assert "answer" not in session.kinds
        send(address, "answer", answer="done")
        session.join()
    assert session.ledger.progress.phase == "done"


def test_an_answer_that_arrives_as_the_question_is_put_is_heard(tmp_path: Path, short: Path) -> None:
    """The question's own listener answers it: nobody waits for the answer yet."""

    def answer(event: Any) -> None:
        if event.kind == "question":
            session.switches.answer(event.sequence, "done")

    with Run(tmp_path, ASKING, Machine()).open(listeners=[answer]) as session:
        session.carry_on()
    assert session.ledger.progress.phase == "done"


def test_an_answer_to_one_question_is_none_to_the_next(tmp_path: Path, short: Path) -> None:
    two = program(AskPerson(id="a", message="One?"), AskPerson(id="b", message="Two?"))
    with Run(tmp_path, two, Machine()).open(person=Absorbed()) as session, session.served() as address:
        session.start()
        session.until_asked()
        send(address, "answer", answer="done")
        session.until(lambda: session.kinds.count("question") == 2)
        time.sleep(0.05)
        assert session.kinds.count("answer") == 1
        send(address, "stop")
        session.join()


def test_pause_and_resume_go_through_the_channel(tmp_path: Path, short: Path) -> None:
    with Run(tmp_path, program(*waits(1.0)), Machine()).open() as session, session.served() as address:
        send(address, "pause")
        session.start()
        session.until(lambda: session.ledger.progress.phase == "paused")
        assert send(address, "status")["phase"] == "paused"
        send(address, "resume")
        session.join()
    assert session.kinds == ["run_started", "paused", "resumed", "intent", "outcome", "run_ended"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "a person stopped the run"),
        ({"reason": ""}, "a person stopped the run"),
        ({"reason": "smoke"}, "smoke"),
        ({"reason": "\ud83d alone"}, "? alone"),
        ({"reason": "Rauch im Gehäuse 🔥"}, "Rauch im Gehäuse 🔥"),
        ({"reason": "x" * 5000}, "x" * 1000),
        ({"reason": {"a": [1]}}, "{'a': [1]}"),
    ],
)
def test_whatever_reason_is_given_the_stop_is_in_the_record(
    asking: tuple[Session, str], fields: dict[str, Any], reason: str
) -> None:
    session, address = asking
    assert send(address, "stop", **fields) == {"ok": True}
    session.join()
    assert read_journal(session.journal.path)[-1].payload == {"reason": reason, "safe": True}


@pytest.mark.parametrize(
    "line",
    [
        b"\n", b"", b"stop\n", b"{}\n", b"[]\n", b'"stop"\n', b"7\n", b"null\n", b'{"command"\n', b'["stop"]\n',
        b"\xff\xfe\n", b"[" * 60000 + b"\n", b'{"command": "stop", "reason": "' + b"x" * 70000 + b'"}\n', bytes(70000),
    ],
    ids=lambda line: repr(line[:16]),
)  # fmt: skip
def test_lines_that_are_no_requests_are_refused_and_do_nothing(asking: tuple[Session, str], line: bytes) -> None:
    session, address = asking
    try:
        reply = raw(address, line)
    except ConnectionError:  # more was sent than is ever read
        assert len(line) > 65536
    else:
        assert reply == {"error": "a request is one line of JSON with a command"}
    assert send(address, "status")["phase"] == "running"
    assert "stopped" not in session.kinds


@pytest.mark.parametrize("command", ["fly", "", None, 7, ["stop"], {"a": 1}, "STOP"])
def test_commands_that_do_not_exist_are_refused(asking: tuple[Session, str], command: Any) -> None:
    _, address = asking
    with pytest.raises(InputError, match="there is no command"):
        send(address, command)


def test_whoever_connects_and_asks_nothing_holds_up_nobody(
    asking: tuple[Session, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = asking
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as gone:
        silent.connect(address)
        gone.connect(address)
        gone.sendall(b'{"command": "status"}\n')
        gone.close()
        assert send(address, "status", timeout=1.0)["phase"] == "running"


def test_a_stop_that_cannot_be_written_down_is_told(
    asking: tuple[Session, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, address = asking
    append = session.journal.append

    def full(*_: object, **__: object) -> None:
        raise RecordError("an event could not be stored (disk full)", where="journal.sqlite")

    monkeypatch.setattr(session.journal, "append", full)
    with pytest.raises(InputError, match="could not be stored"):
        send(address, "stop")
    monkeypatch.setattr(session.journal, "append", append)
    session.join()


def test_devices_that_are_not_safe_are_an_error_of_the_stop(tmp_path: Path, short: Path) -> None:
    async def make_safe() -> None:
        raise RuntimeError("the machine does not answer")

    run = Run(tmp_path, ASKING, Machine(make_safe_does=make_safe))
    with run.open(person=Absorbed()) as session, session.served() as address:
        session.start()
        session.until_asked()
        with pytest.raises(InputError, match="the machine does not answer"):
            send(address, "stop")
        session.join()


def test_closing_the_channel_waits_for_the_reply_to_a_stop(tmp_path: Path, short: Path) -> None:
    async def slowly() -> None:
        time.sleep(0.3)

    replies: list[Any] = []
    with Run(tmp_path, program(), Machine(make_safe_does=slowly)).open() as session:
        with session.served() as address:
            thread = threading.Thread(target=lambda: replies.append(send(address, "stop")))
            thread.start()
            session.until(lambda: session.switches.stop_reason is not None)
        assert session.kinds == ["stopped"]
        thread.join(5.0)
    assert replies == [{"ok": True}]


# -- addresses ----------------------------------------------------------------------------------------


def served(folder: Path) -> ControlServer:
    with Run(folder, program(), Machine()).open() as session:
        return ControlServer(folder, session.ledger, session.switches, session.stopper)


def test_nobody_listens_after_the_end_and_the_socket_is_gone(tmp_path: Path, short: Path) -> None:
    server = served(tmp_path)
    server.close()
    assert not Path(server.address).exists()
    with pytest.raises(InputError, match="the run does not answer"):
        send(server.address, "status")


def test_the_socket_of_a_dead_run_says_so_and_is_replaced(tmp_path: Path, short: Path) -> None:
    server = served(tmp_path)
    server.close()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(server.address)
    with pytest.raises(InputError, match="the run does not answer"):
        send(server.address, "status")
    with served(tmp_path) as again:
        assert again.address == server.address
        assert send(again.address, "status")["phase"] == "created"


def test_a_run_that_dies_over_its_reply_is_one_that_does_not_answer(short: Path) -> None:
    address = str(short / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        with pytest.raises(InputError, match="the run does not answer"):
            send(address, "status", timeout=5.0)
        thread.join(5.0)


def test_a_run_that_does_not_reply_in_time_is_one_that_does_not_answer(short: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short / "s"))
        listener.listen()
        with pytest.raises(InputError, match="the run does not answer"):
            send(str(short / "s"), "status", timeout=0.1)


def test_only_its_user_reaches_the_socket(tmp_path: Path, short: Path) -> None:
    with served(tmp_path) as server:
        path = Path(server.address)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.lstat().st_mode) == 0o700
        assert path.parent == short / f"labwright-{os.getuid()}"


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o777, 0o702])
def test_a_folder_that_others_reach_is_refused(tmp_path: Path, short: Path, mode: int) -> None:
    private = short / f"labwright-{os.getuid()}"
    private.mkdir()
    private.chmod(mode)
    with pytest.raises(InputError, match="can be reached by others"):
        served(tmp_path)


@pytest.mark.parametrize("thing", ["link", "file", "another user's"])
def test_what_is_no_folder_of_ones_own_is_refused(
    tmp_path: Path, short: Path, thing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = short / f"labwright-{os.getuid()}"
    (elsewhere := short / "elsewhere").mkdir(mode=0o700)
    if thing == "link":
        private.symlink_to(elsewhere)
    elif thing == "file":
        private.touch(mode=0o600)
    else:
        elsewhere.rename(private)
        monkeypatch.setattr(control.os, "getuid", lambda: os.geteuid() + 1)
        private.rename(short / f"labwright-{os.geteuid() + 1}")
    with pytest.raises(InputError, match="can be reached by others"):
        served(tmp_path)


def test_a_temporary_folder_with_a_long_path_is_refused_in_words(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deep := short / ("d" * 100)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with pytest.raises(InputError, match="TMPDIR"):
        served(tmp_path)


def test_runs_in_different_folders_have_different_sockets(tmp_path: Path, short: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with served(tmp_path / "a") as one, served(tmp_path / "b") as two:
        assert one.address != two.address


def test_the_first_reason_for_a_stop_stays() -> None:
    switches = Switches()
    switches.change(stop="smoke")
    switches.change(stop="fire", pausing=True)
    assert (switches.stop_reason, switches.pausing) == ("smoke", True)
