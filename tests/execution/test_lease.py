"""The lease: one process holds a workcell, the others are told which."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocols.errors import LeaseError
from robots.execution.lease import Holder, Lease, lease_holder

HOLD = """
import sys
from pathlib import Path
from robots.execution.lease import Lease
with Lease(Path(sys.argv[1]), sys.argv[2]) as lease:
    lease.announce(sys.argv[3])
    print("held", flush=True)
    sys.stdin.read()
"""

RACE = """
import sys
from pathlib import Path
from protocols.errors import LeaseError
from robots.execution.lease import Lease
print("ready", flush=True)
sys.stdin.readline()
try:
    with Lease(Path(sys.argv[1]), sys.argv[2]):
        print("held", flush=True)
        sys.stdin.read()
except LeaseError as error:
    print(error, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "bench").mkdir()
    return tmp_path / "bench" / "lease"


def child(code: str, *words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *words], stdin=-1, stdout=-1, text=True)


@contextmanager
def held(path: Path, run: str = "another-run", control: str = "/tmp/s") -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease."""
    with child(HOLD, path, run, control) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lease_is_held_until_it_is_given_back(path: Path) -> None:
    assert lease_holder(path) is None
    with Lease(path, "my-run") as lease:
        assert lease_holder(path) == Holder(os.getpid(), socket.gethostname(), "my-run", lease._since, None)
        lease.announce("/tmp/address")
        holder = lease_holder(path)
        assert holder is not None
        assert holder.control == "/tmp/address"
    assert lease_holder(path) is None
    lease.close()
    Lease(path, "next").close()


def test_who_comes_second_is_told_who_holds_it(path: Path) -> None:
    with held(path) as process:
        with pytest.raises(LeaseError) as caught:
            Lease(path, "my-run")
        said = str(caught.value)
        assert said.startswith("bench: the workcell is in use")
        for word in (f"process {process.pid}", socket.gethostname(), "run another-run", "since 20"):
            assert word in said
        assert lease_holder(path) == Holder(
            process.pid, socket.gethostname(), "another-run", json.loads(path.read_text())["since"], "/tmp/s"
        )


def test_the_same_process_does_not_get_it_twice(path: Path) -> None:
    with Lease(path, "first"), pytest.raises(LeaseError, match="run first"):
        Lease(path, "second")
    Lease(path, "third").close()


@pytest.mark.slow
def test_of_several_processes_at_once_one_wins_and_the_others_name_it(path: Path) -> None:
    processes = [child(RACE, path, f"run-{number}") for number in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.stdout.readline() for process in processes if process.stdout]
    winner = processes[said.index("held\n")]
    assert said.count("held\n") == 1
    for process, line in zip(processes, said, strict=True):
        assert process is winner or f"process {winner.pid} on {socket.gethostname()}" in line
        process.communicate(timeout=10.0)


@pytest.mark.kill
def test_the_lease_of_a_process_that_is_killed_is_free_at_once(path: Path) -> None:
    with held(path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10.0)
        assert path.read_text() != ""
        assert lease_holder(path) is None
        with Lease(path, "my-run"):
            holder = lease_holder(path)
            assert holder is not None
            assert holder.run == "my-run"


@pytest.mark.kill
def test_a_child_of_the_holder_does_not_keep_the_lease(path: Path) -> None:
    code = HOLD.replace("    print(", "    import subprocess; subprocess.Popen(['sleep', '5'], stdout=-3)\n    print(")
    with child(code, path, "another-run", "/tmp/s") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
        process.wait(10.0)
        Lease(path, "my-run").close()


LONG = json.dumps({"pid": 1, "host": "h", "run": "dead", "since": "s", "control": "x" * 5000})


@pytest.mark.parametrize(
    "stale",
    ["", "nonsense", "[]", '{"pid": 1}', LONG],
    ids=["empty", "nonsense", "list", "half", "long"],
)
def test_stale_text_does_no_harm(path: Path, stale: str) -> None:
    path.write_text(stale)
    assert lease_holder(path) is None
    with Lease(path, "my-run"):
        holder = lease_holder(path)
        assert holder is not None
        assert holder.run == "my-run"
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_holder_that_wrote_nonsense_still_holds_it(path: Path) -> None:
    with Lease(path, "my-run"):
        path.write_text("nonsense")
        assert lease_holder(path) == Holder(0, "unknown", "unknown", "unknown")
        with pytest.raises(LeaseError, match="another process holds it"):
            Lease(path, "other")


def test_a_lease_waits_for_whoever_is_just_asking(path: Path) -> None:
    """Asking locks the file too, for an instant."""
    asking = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_SH)
    timer = threading.Timer(0.05, os.close, [asking])
    timer.start()
    Lease(path, "my-run").close()
    timer.join()


def test_asking_who_holds_it_never_keeps_anyone_from_it(path: Path) -> None:
    Lease(path, "before").close()
    over, odd = threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            holder = lease_holder(path)
            if holder is not None and holder.run not in ("my-run", "before"):
                odd.append(holder)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            with Lease(path, "my-run"):
                pass
    finally:
        over.set()
        for thread in threads:
            thread.join(10.0)
    assert odd == []
