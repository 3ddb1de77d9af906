"""Hostile programs, with namespaces of their own and without: what they reach for stays as it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.errors import InputError
from robots.sources import isolation
from robots.sources.isolation import Limits, Protection, folders_of, protection, read_left, run_isolated, workspace
from robots.sources.processes import tree_usage
from robots.sources.supervisor import Verdict

pytestmark = pytest.mark.skipif(not protection().complete, reason="this computer cannot confine programs")
QUICK = Limits(seconds=5.0)
Run = Callable[..., Verdict]


@pytest.fixture(params=[True, False], ids=["namespaces", "no-namespaces"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run Python code isolated in a folder of its own."""

    def ran(code: str, *, limits: Limits = QUICK, **more: object) -> Verdict:
        with workspace() as folder:
            return run_isolated(
                [sys.executable, "-I", "-c", code],
                folder,
                readable=folders_of(sys.executable),
                limits=limits,
                namespaces=request.param,
                **more,  # type: ignore[arg-type]
            )

    return ran


@pytest.fixture
def treasure(tmp_path: Path) -> Path:
    """A file outside that must stay as it is."""
    file = tmp_path / "treasure"
    file.write_text("gold")
    file.chmod(0o640)
    os.utime(file, (1, 1))
    return file


def refused(verdict: Verdict) -> None:
    """Its reach was denied, and it knows."""
    assert verdict.ended == "exit", verdict
    assert verdict.code == 1, verdict.said
    assert "PermissionError" in verdict.said or "FileNotFoundError" in verdict.said, verdict.said


ATTACKS = {
    "write": "open({path!r}, 'w').write('x')",
    "append": "open({path!r}, 'a').write('x')",
    "read": "print(open({path!r}).read())",
    "read and write": "open({path!r}, 'r+')",
    "truncate": "import os; os.truncate({path!r}, 0)",
    "remove": "import os; os.unlink({path!r})",
    "rename away": "import os; os.rename({path!r}, 'mine')",
    "rename over": "import os; open('mine', 'w'); os.rename('mine', {path!r})",
    "new name beside": "import os; os.link({path!r}, {path!r} + '2')",
    "new name here": "import os; os.link({path!r}, 'mine'); open('mine', 'w')",
    "new file beside": "open({path!r} + '2', 'w')",
    "new folder beside": "import os; os.mkdir({path!r} + '2')",
    "new link beside": "import os; os.symlink('/etc', {path!r} + '2')",
    "new pipe beside": "import os; os.mkfifo({path!r} + '2')",
    "permissions": "import os; os.chmod({path!r}, 0o777)",
    "owner": "import os; os.chown({path!r}, 1, 1)",
    "times": "import os; os.utime({path!r})",
    "attributes": "import os; os.setxattr({path!r}, 'user.a', b'x')",
    "through the parent": "import os; open(os.path.relpath({path!r}), 'w')",
    "through a folder's descriptor": (
        "import os; d = os.open(os.path.dirname({path!r}), os.O_PATH); os.open('treasure', os.O_WRONLY, dir_fd=d)"
    ),
    "through /proc": "import os; open('/proc/self/root' + {path!r}, 'w')",
    "in another process": "import subprocess; subprocess.run(['sh', '-c', 'echo x > {path}; rm {path}'], check=True)",
}


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_stands_outside_stays_as_it_is(run: Run, treasure: Path, attack: str) -> None:
    before = treasure.stat()
    verdict = run(attack.format(path=str(treasure)))
    assert verdict.ended == "exit"
    assert verdict.code == 1, verdict.said
    after = treasure.stat()
    assert treasure.read_text() == "gold"
    assert (after.st_mode, after.st_uid, after.st_mtime, after.st_nlink) == (before.st_mode, before.st_uid, 1.0, 1)
    assert os.listdir(treasure.parent) == ["treasure"]
    assert os.listxattr(treasure) == []
    assert "gold" not in verdict.said


def test_a_link_that_leads_outside_is_not_followed(run: Run, treasure: Path) -> None:
    refused(run(f"import os; os.symlink({str(treasure)!r}, 'link'); open('link', 'w')"))


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/var/tmp", "/", str(Path.home()), "/etc", "/run"])
def test_nothing_is_written_anywhere(run: Run, place: str) -> None:
    refused(run(f"open('{place}/labwright-was-here', 'w')"))
    assert not Path(place, "labwright-was-here").exists()


@pytest.mark.parametrize("secret", ["/etc/shadow", "/proc/1/environ", "/root/.bashrc", "/proc/self/mem", "/dev/mem"])
def test_secrets_are_not_read(run: Run, secret: str) -> None:
    refused(run(f"open({secret!r}, 'rb').read(10)"))


def test_its_own_folder_is_its_own(run: Run) -> None:
    code = """
import os, tempfile
os.mkdir("a"); open("a/b", "w").write("x" * 100)
os.rename("a/b", "a/c"); os.replace("a/c", "d"); os.rmdir("a")
with open("d", "r+") as file: file.truncate(3)
with tempfile.TemporaryFile() as file: file.write(b"x")
print(os.listdir(), open("d").read()); os.remove("d")
"""
    assert run(code).said == "['d'] xxx\n"


@pytest.mark.parametrize(
    "attack",
    [
        "socket.socket()",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_UNIX).connect('\\0labwright-test')",
        "socket.create_connection(('127.0.0.1', {port}), timeout=1)",
        "socket.create_server(('127.0.0.1', 0))",
        "urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=1)",
    ],
)
def test_there_is_no_network(run: Run, attack: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        verdict = run("import socket, urllib.request\n" + attack.format(port=server.getsockname()[1]))
        assert verdict.code == 1, verdict.said
        with pytest.raises(TimeoutError):
            server.accept()


def test_nothing_is_told_of_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("LABWRIGHT_HOME", "/secret")
    told = {"PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "LANG"}
    told |= {"OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE"}
    assert set(run("import os; print(*os.environ)").said.split()) == told
    refused(run("import os; print(open(f'/proc/{os.getppid()}/environ').read())"))


def test_it_has_no_descriptor_but_three(run: Run) -> None:
    code = """
import os
for number in range(300):
    try: os.fstat(number); print(number)
    except OSError: pass
"""
    assert run(code).said.split() == ["0", "1", "2"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
@pytest.mark.parametrize("whom", ["parent", "tests"])
def test_it_cannot_signal_others(run: Run, number: int, whom: str) -> None:
    target = "os.getppid()" if whom == "parent" else str(os.getpid())
    verdict = run(f"import os; os.kill({target}, {int(number)})")
    assert (verdict.ended, verdict.code) == ("exit", 1)
    verdict = run(f"import os, signal, fcntl; fcntl.fcntl(1, fcntl.F_SETOWN, {os.getpid()})")
    assert verdict.code == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("while True: pass", "time"),
        ("import time; time.sleep(1000)", "time"),
        ("import signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\nwhile True: pass", "time"),
        ("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", "processes"),
        (
            "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
            "processes",
        ),
        ("while True: print('x' * 100_000)", "output"),
        ("kept = []\nwhile True: kept.append(b'x' * 10_000_000)", "memory"),
        ("while True: open('big', 'ab').write(b'x' * 1_000_000)", "disk"),
        ("file = open('big', 'ab'); import os; os.remove('big')\nwhile True: file.write(b'x' * 1_000_000)", "disk"),
        ("for n in range(10**9): open(str(n), 'w')", "files"),
        ("import os\nwhile True: os.mkdir('d'); os.chdir('d')", "files"),
    ],
)
def test_limits(run: Run, code: str, limit: str) -> None:
    started = time.monotonic()
    seconds = 1.0 if limit == "time" else 10.0
    verdict = run(code, limits=Limits(seconds=seconds, memory=300 << 20, disk=20 << 20, files=500, output=1 << 20))
    took = time.monotonic() - started
    own = {"memory": "MemoryError", "disk": "File too large", "processes": "can't start new thread"}
    met = {limit, "memory"} if limit == "processes" else {limit}
    assert verdict.ended in met or own.get(limit, "?") in verdict.said, verdict
    assert took < seconds + 4
    assert len(verdict.said) <= 1 << 16
    assert tree_usage(os.getpid()).members == ()


@pytest.mark.slow
def test_a_file_of_a_gigabyte_ends_at_the_limit(run: Run) -> None:
    code = """
try:
    with open("big", "wb") as file:
        for _ in range(1000): file.write(b"x" * 1_000_000)
finally:
    import os; print(os.path.getsize("big"))
"""
    verdict = run(code, limits=Limits(seconds=10, disk=5 << 20))
    assert verdict.ended == "disk" or str(5 << 20) in verdict.said.splitlines()


_OUTLIVES = """
import os, signal, sys, time
for number in (1, 2, 3, 15): signal.signal(number, signal.SIG_IGN)
for _ in range(2):
    if os.fork(): {first}
    try: os.setsid()
    except PermissionError: pass
os.close(0); os.close(1); os.close(2)
while True:
    open("alive", "w").write(str(os.getpid())); time.sleep(0.01)
"""


@pytest.mark.slow
@pytest.mark.parametrize("first", ["os._exit(0)", "time.sleep(100)"], ids=["after-its-parent", "beside-its-parent"])
def test_nothing_outlives_it(run: Run, first: str) -> None:
    marker = f"labwright-outlives-{os.getpid()}-{time.monotonic_ns()}"
    code = f"import sys; '{marker}'\n" + _OUTLIVES.format(first=first)
    run(code, limits=Limits(seconds=1))
    assert _processes(marker) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("namespaces", [True, False])
def test_nothing_outlives_who_started_it(tmp_path: Path, how: int, namespaces: bool) -> None:
    marker = f"labwright-orphan-{os.getpid()}-{time.monotonic_ns()}"
    starter = f"""
import sys
from pathlib import Path
from robots.sources.isolation import *
run_isolated([sys.executable, "-I", "-c", {f"import sys; '{marker}'" + _OUTLIVES.format(first="time.sleep(100)")!r}],
    Path({str(tmp_path)!r}), readable=folders_of(sys.executable), namespaces={namespaces})
"""
    process = subprocess.Popen([sys.executable, "-c", starter], stderr=subprocess.DEVNULL)
    _until((tmp_path / "alive").exists)
    process.send_signal(how)
    process.wait(20)
    _until(lambda: _processes(marker) == [])


def _processes(marker: str) -> list[str]:
    """Processes that run the code that ``marker`` marks, those of this test beside."""
    found = []
    for name in os.listdir("/proc"):
        try:
            words = Path("/proc", name, "cmdline").read_bytes() if name.isdecimal() else b""
        except OSError:
            continue
        if marker.encode() in words and b"run_isolated" not in words:
            found.append(name)
    return found


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# -- what it leaves ---------------------------------------------------------------------------------


def test_what_it_leaves_is_removed_however_it_looks() -> None:
    with workspace() as folder:
        code = "import os\nfor n in range(1500): os.mkdir('d', 0o300); os.chdir('d')"
        limits = Limits(seconds=10, files=10**6)
        run_isolated([sys.executable, "-I", "-c", code], folder, readable=folders_of(sys.executable), limits=limits)
    assert not folder.exists()


def test_only_ordinary_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("gold")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert read_left(tmp_path, "file", most=4) == b"gold"
    for name, most in (("file", 3), ("link", 9), ("pipe", 9), ("folder", 9), ("nothing", 9)):
        assert read_left(tmp_path, name, most=most) is None


# -- where it cannot be had -------------------------------------------------------------------------


@pytest.mark.parametrize("has", [Protection(0, True), Protection(7, False)])
def test_without_protection_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: Protection) -> None:
    monkeypatch.setattr(isolation, "protection", lambda: has)
    with pytest.raises(InputError, match=r"cannot be confined.*--trust-source"):
        run_isolated([sys.executable, "-c", "open('here', 'w')"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_trusted_it_may_write_and_meets_the_limits(tmp_path: Path) -> None:
    with workspace() as folder:
        code = f"open({str(tmp_path / 'there')!r}, 'w').write('x')\nwhile True: pass"
        verdict = run_isolated([sys.executable, "-I", "-c", code], folder, limits=Limits(seconds=1), trusted=True)
    assert verdict.ended == "time"
    assert (tmp_path / "there").read_text() == "x"


def test_what_cannot_be_begun_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be begun: FileNotFoundError"):
        run_isolated(["/nothing/here"], tmp_path)
