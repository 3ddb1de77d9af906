"""Any words at all on the command line: an exit code of the table, and never a traceback."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.cli.app import app
from console.cli.exits import ExitCode
from console.cli.usage import called
from tests.cli.test_help import COMMANDS

OPTIONS = [
    "--json", "--all", "--help", "-h", "-w", "--workcell", "--margin", "--favour", "--plate", "--pool", "--yes",
    "--answer", "--reason", "--shortfall", "--source-volume", "--faults", "--on-fault", "--noise", "--seed", "--as-is",
    "--", "-", "--version",
]  # fmt: skip
VALUES = ["last", "starlet", "p.yaml", "w.csv", "/", "..", "0", "-1", "1e9", "nan", "5 uL", "=", "a=b", "clog=skip", ""]
word = st.one_of(st.sampled_from(OPTIONS), st.sampled_from(VALUES), st.text(max_size=12), st.binary(max_size=4).map(
    lambda raw: raw.decode("utf-8", "surrogateescape")
)).filter(lambda text: "\0" not in text)  # fmt: skip
# doctor, reset and the completion change something beside the home, or take long
command = st.sampled_from([name.split() for name in COMMANDS if name != "doctor"] + [[]])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(command, st.lists(word, max_size=6))
@pytest.mark.usefixtures("home")
def test_any_words(tmp_path: Path, command: list[str], words: list[str]) -> None:
    (tmp_path / "p.yaml").write_text("title: x\nsteps: [1]\n")
    (tmp_path / "w.csv").write_text("a,b\n1,2\n")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = called(app, [*command, *words])
    assert code in set(ExitCode) - {ExitCode.BUG}, err.getvalue()
    assert "Traceback" not in err.getvalue()
    assert code != ExitCode.OK or not err.getvalue()
