"""Opentrons protocols in Python: analysed by the genuine software, in isolation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.errors import InputError
from robots.execution.home import Home
from robots.sources.baggage import SourceOptions
from robots.sources.environment import PYTHON_VARIABLE
from robots.sources.isolation import protection
from robots.sources.opentrons import analyse
from tests.sources.genuine import PYTHON, needs_opentrons

pytestmark = [
    pytest.mark.slow,
    needs_opentrons,
    pytest.mark.skipif(not protection().complete, reason="this computer cannot confine programs"),
]
BEGIN = """\
metadata = {"apiLevel": "2.14", "protocolName": "Small"}
def run(ctx):
    tips = ctx.load_labware("opentrons_96_tiprack_300ul", "1")
    plate = ctx.load_labware("corning_96_wellplate_360ul_flat", "2")
    pipette = ctx.load_instrument("p300_single_gen2", "left", [tips])
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(PYTHON_VARIABLE, str(PYTHON))
    return Home(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "protocols").mkdir()
    return tmp_path / "protocols" / "protocol.py"


def kinds(analysis: Path) -> list[str]:
    return [command["commandType"] for command in json.loads(analysis.read_text())["commands"]]


def test_its_commands_are_listed_and_kept(home: Home, file: Path) -> None:
    file.write_text(BEGIN + "    pipette.transfer(50, plate['A1'], plate['B1'])\n")
    analysis = analyse(file, home)
    assert kinds(analysis)[-4:] == ["pickUpTip", "aspirate", "dispense", "dropTip"]
    written = analysis.stat().st_mtime_ns
    assert analyse(file, home) == analysis
    assert analysis.stat().st_mtime_ns == written
    file.write_text(BEGIN + "    pipette.transfer(60, plate['A1'], plate['B1'])\n")
    assert analyse(file, home) != analysis


def test_a_command_that_fails_ends_the_analysis(home: Home, file: Path) -> None:
    file.write_text(BEGIN + "    pipette.aspirate(50, plate['A1'])\n")
    commands = json.loads(analyse(file, home).read_text())["commands"]
    assert (commands[-1]["commandType"], commands[-1]["status"]) == ("aspirate", "failed")


def test_definitions_and_modules_beside_it_go_with_it(home: Home, file: Path) -> None:
    definition = json.loads(
        next(PYTHON.parents[1].glob("lib/*/site-packages/opentrons_shared_data/data/labware/definitions/2"))
        .joinpath("corning_96_wellplate_360ul_flat/1.json")
        .read_text()
    )
    definition["parameters"]["loadName"] = "my_plate"
    definition["namespace"] = "custom_beta"
    (file.parent / "labware").mkdir()
    (file.parent / "labware" / "my plate.json").write_text(json.dumps(definition))
    (file.parent / "helping.py").write_text("WELL = 'A1'\n")
    file.write_text("from helping import WELL\n" + BEGIN + "    ctx.load_labware('my_plate', 3)[WELL]\n")
    assert kinds(analyse(file, home))[-1] == "loadLabware"


PARAMETERS = """\
requirements = {"robotType": "OT-2", "apiLevel": "2.20"}
def add_parameters(parameters):
    parameters.add_int("samples", "samples", default=3, minimum=1, maximum=9)
    parameters.add_csv_file("table", "table")
def run(ctx):
    ctx.comment(f"{ctx.params.samples} {ctx.params.table.parse_as_csv()[0][0]}")
"""


def test_runtime_parameters(home: Home, file: Path) -> None:
    file.write_text(PARAMETERS)
    table = file.with_name("table.csv")
    table.write_text("gold,1\n")
    analysis = analyse(file, home, SourceOptions(parameters={"samples": "7", "table": str(table)}))
    assert '"7 gold"' in analysis.read_text()
    with pytest.raises(InputError, match="must be between 1 and 9"):
        analyse(file, home, SourceOptions(parameters={"samples": "70", "table": str(table)}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            BEGIN + "    x = 1 / 0\n",
            r"protocol\.py:6: .*fails: ZeroDivisionError: division by zero",
        ),
        (BEGIN + "    def f():\n        return plate['Z9']\n    f()\n", r"protocol\.py:7: .*KeyError: 'Z9'"),
        ("import nosuch\n" + BEGIN, r"protocol\.py:1: .*No module named 'nosuch'"),
        (BEGIN + "    raise SystemExit(4)\n", "ended the analysis itself .exit status 4."),
        (BEGIN + "    import os; os._exit(0)\n", "ended the analysis itself .exit status 0."),
        (BEGIN + "    import os; open('analysis.json', 'w').write('{}'); os._exit(0)\n", "the analysis is damaged"),
        (BEGIN + "    import os; open('analysis.json', 'w').write('[' * 10**6); os._exit(0)\n", "analysis is damaged"),
        (BEGIN + "    raise Exception('\\x1b[31mred\\r\\n')\n", r"Exception: \?\[31mred"),
        (BEGIN + "    open('/tmp/labwright-was-here', 'w')\n", "PermissionError"),
        ("metadata = {}\ndef run(p): pass\n", "apiLevel not declared"),
        ("metadata = {'apiLevel': '9.99'}\ndef run(p): pass\n", "API version 9.99 is not supported"),
        ("metadata = {'apiLevel': '2.13'}\ndef run(p:\n    pass\n", r"protocol\.py:2: this is not Python"),
    ],
)
def test_what_is_wrong_with_its_python_is_said(home: Home, file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        analyse(file, home)
    assert "\x1b" not in str(caught.value)
    assert not (home.path / "imports").exists()


def test_one_that_never_ends_is_ended(home: Home, file: Path) -> None:
    file.write_text(BEGIN + "    while True: pass\n")
    with pytest.raises(InputError, match=r"did not end within 5 s.*--time-limit"):
        analyse(file, home, SourceOptions(seconds=5))


def test_files_of_one_name_are_refused(home: Home, file: Path, tmp_path: Path) -> None:
    file.write_text(BEGIN)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table.csv").write_text(name)
    with pytest.raises(InputError, match=r"two different files are called 'table.csv'"):
        analyse(file, home, SourceOptions(files=(tmp_path / "one", tmp_path / "two")))
