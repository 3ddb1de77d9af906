"""What the tests of the command line share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.cli import main
from robots.execution.home import Home
from robots.execution.sockets import socket_path
from robots.simulator import end_world
from tests.cli.commands import DILUTION, Ended, labwright

Call = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, on a path as people have them."""
    path = tmp_path / "my lab é"
    monkeypatch.setenv("LABWRIGHT_HOME", str(path))
    monkeypatch.delenv("LABWRIGHT_WORKCELL", raising=False)
    monkeypatch.chdir(tmp_path)
    yield path
    if (path / "workcells").is_dir():
        for workcell in (path / "workcells").iterdir():
            end_world(socket_path(Home(path).workcell(workcell.name), "world"))


@pytest.fixture
def call(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command in this process: ``call("runs", "list")``."""

    def called(*words: Any) -> Ended:
        monkeypatch.setattr("sys.argv", ["labwright", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        code = exit_.value.code
        assert isinstance(code, int)
        return Ended(code, out, err)

    return called


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one finished run, and what it wrote; not to be changed."""
    home = tmp_path_factory.mktemp("finished") / "home"
    assert labwright(home, "run", str(DILUTION), "--approve", "Ada").code == 0
    return home


@pytest.fixture
def after_a_run(finished: Path, home: Path) -> Path:
    """A home of its own with one finished run."""
    shutil.copytree(finished, home)
    return home
