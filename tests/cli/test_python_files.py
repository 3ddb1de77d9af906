"""Hostile and broken Python through the command line: one paragraph, the right exit code, nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.cli.exits import ExitCode
from robots.sources.environment import PYTHON_VARIABLE
from robots.sources.isolation import protection
from tests.cli.commands import EXAMPLES
from tests.cli.conftest import Call
from tests.sources.genuine import PYTHON, needs_opentrons

pytestmark = pytest.mark.slow
RUN = "metadata = {'apiLevel': '2.14'}\ndef run(protocol):\n    "
confined = pytest.mark.skipif(not protection().complete, reason="this computer cannot confine programs")

NO_PROTOCOLS = {
    "empty": "",
    "other Python": "import os\nos.system('touch was-here')\n",
    "not Python": "this is no Python",
    "binary": bytes(range(256)),
    "a worklist": "Sample,Source,SourceWell,Destination,DestinationWell,Volume (uL)\nS1,lib,A1,hits,B1,5\n",
    "deep": "(" * 100_000,
    "null": "\0",
    "endless": "x = " + "1 + " * 100_000 + "1",
}


@pytest.fixture
def quiet(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which nothing new may appear."""
    monkeypatch.setenv(PYTHON_VARIABLE, str(PYTHON))
    (tmp_path / "quiet").mkdir()
    return tmp_path / "quiet"


@pytest.mark.parametrize("command", ["verify", "simulate", "run"])
@pytest.mark.parametrize("text", NO_PROTOCOLS.values(), ids=NO_PROTOCOLS)
def test_python_that_is_no_protocol_is_refused(quiet: Path, call: Call, text: str | bytes, command: str) -> None:
    file = quiet / "protocol.py"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    call(command, file).refused(ExitCode.INPUT, str(file))
    assert os.listdir(quiet) == ["protocol.py"]


HOSTILE = {
    "writes": "open({out!r}, 'w')",
    "writes through a shell": "import subprocess; subprocess.run(['sh', '-c', 'touch {out}'], check=True)",
    "removes": "import os; os.remove({me!r})",
    "reads": "raise Exception(open({me!r}).read())",
    "calls": "import urllib.request as u; u.urlopen('http://127.0.0.1:9/')",
    "ends": "import os; os._exit(0)",
    "never ends": "while True: pass",
    "forks": "import os\n    while True:\n        try: os.fork()\n        except OSError: pass",
    "eats memory": "kept = []\n    while True: kept.append(b'x' * 10**8)",
    "shouts": "while True: print('x' * 10**6)",
    "forges": "import os; open('analysis.json', 'w').write('{{}}'); os._exit(0)",
    "links": "import os; os.symlink({me!r}, 'analysis.json'); os._exit(0)",
    "colours": "raise Exception(chr(27) + '[2J' + chr(7))",
    "recurses": "run(protocol)",
    "crashes": "import ctypes; ctypes.string_at(0)",
}


@confined
@needs_opentrons
@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE)
def test_hostile_protocols_are_refused(quiet: Path, call: Call, code: str) -> None:
    file = quiet / "protocol.py"
    file.write_text(RUN + code.format(out=str(quiet / "out"), me=str(file)))
    text = file.read_text()
    ended = call("simulate", file, "--time-limit", "6").refused(ExitCode.INPUT, str(file))
    assert os.listdir(quiet) == ["protocol.py"]
    assert file.read_text() == text
    assert "metadata" not in ended.err
    assert not any(letter in ended.err for letter in "\x1b\x07")


def test_without_opentrons_it_says_how_to_get_it(quiet: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PYTHON_VARIABLE)
    (quiet / "protocol.py").write_text(RUN + "pass")
    call("simulate", quiet / "protocol.py").refused(ExitCode.INPUT, "`labwright setup opentrons`")


@needs_opentrons
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--parameter", "samples"), "--parameter: 'samples' is not NAME=VALUE"),
        (("--parameter", "1=2"), "--parameter: '1=2' is not NAME=VALUE"),
        (("--with", "nowhere"), "--with: there is no such file or folder"),
    ],
)
def test_options_that_cannot_be_used(quiet: Path, call: Call, words: tuple[str, ...], says: str) -> None:
    (quiet / "protocol.py").write_text(RUN + "pass")
    call("simulate", quiet / "protocol.py", *words).refused(ExitCode.INPUT, says)


# -- scripts for pylabrobot -------------------------------------------------------------------------


@confined
def test_a_script_is_simulated_and_run(quiet: Path, home: Path, call: Call) -> None:
    script = EXAMPLES / "pylabrobot" / "star_hello_world.py"
    ended = call("simulate", script, "--report", quiet / "report")
    assert ended.code == ExitCode.OK, ended.err
    assert "tips_01" in ended.out
    assert sorted(os.listdir(quiet / "report")) == ["report.html", "report.json"]
    assert call("run", script, "--approve", "Ada", "--json").json()["phase"] == "done"
    call("simulate", script, "-w", "starlet").refused(ExitCode.INPUT, "builds its own deck")


@confined
def test_a_script_that_is_refused_names_its_line(quiet: Path, call: Call) -> None:
    text = (EXAMPLES / "pylabrobot" / "star_hello_world.py").read_text()
    (quiet / "script.py").write_text(text.replace("[100.0] * 8", "[9000.0] * 8", 1))
    ended = call("verify", quiet / "script.py")
    assert ended.code == ExitCode.FINDINGS
    assert "error: step line 30" in ended.out


SCRIPT = "from pylabrobot.liquid_handling import LiquidHandler\nimport os, sys\n"
HOSTILE_SCRIPTS = {
    "writes": "open({out!r}, 'w')",
    "removes": "os.remove({me!r})",
    "writes through a shell": "assert os.system('touch {out}') == 0",
    "ends": "os._exit(0)",
    "never ends": "while True: pass",
    "forges": "open('played.json', 'w').write('[1'); os._exit(0)",
    "links": "os.symlink({me!r}, 'played.json'); os._exit(0)",
    "reaches for the recorder": "sys.modules['robots.sources.playing'].play('x', {out!r})",
    "does nothing": "",
    "colours": "raise Exception(chr(27) + '[2J')",
}


@confined
@pytest.mark.parametrize("code", HOSTILE_SCRIPTS.values(), ids=HOSTILE_SCRIPTS)
def test_hostile_scripts_are_refused(quiet: Path, call: Call, code: str) -> None:
    file = quiet / "script.py"
    file.write_text(SCRIPT + code.format(out=str(quiet / "out"), me=str(file)))
    ended = call("simulate", file, "--time-limit", "8").refused(ExitCode.INPUT, str(file))
    assert os.listdir(quiet) == ["script.py"]
    assert "\x1b" not in ended.err
