"""Scripts for pylabrobot: what they do is a program, what is refused is a finding with its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from protocols.errors import InputError
from protocols.opentrons import SetUp, infer_contents
from protocols.program import AskPerson, Aspirate, MoveLabware, PickUpTips, ReplaceTipRack, Wait
from protocols.specs import OFF_DECK
from protocols.verify import Verification, verify
from robots.execution.home import Home
from robots.sources.baggage import SourceOptions
from robots.sources.isolation import protection
from robots.sources.pylabrobot_script import Script, import_script
from tests.docs.pages import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not protection().complete, reason="this computer cannot confine programs"),
]
EXAMPLES = sorted((ROOT / "examples" / "pylabrobot").glob("*.py"))

BEGIN = """\
import asyncio, time
from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import STARBackend
from pylabrobot.resources import *
from pylabrobot.resources.hamilton import STARLetDeck
deck = STARLetDeck()
tip_car = TIP_CAR_480_A00(name="tip car")
tip_car[0] = tips = hamilton_96_tiprack_300uL_filter(name="tips")
deck.assign_child_resource(tip_car, rails=1)
plt_car = PLT_CAR_L5AC_A00(name="plates")
plt_car[0] = plate = cor_96_wellplate_360uL_Fb(name="my plate/1")
plt_car[1] = other = cor_96_wellplate_360uL_Fb(name="other")
deck.assign_child_resource(plt_car, rails=10)
lh = LiquidHandler(STARBackend(), deck)
async def main():
    await lh.setup()
"""
FIRST = BEGIN.count("\n") + 1
"""The line on which what a test adds begins."""
UP, DOWN = 'await lh.pick_up_tips(tips["A1"])', "await lh.discard_tips()"


@dataclass(frozen=True)
class Played:
    """A script that was played, and what verification says of it."""

    script: Script
    set_up: SetUp
    verification: Verification

    def of(self, kind: type) -> list[object]:
        return [item for item in self.set_up.program.instructions if isinstance(item, kind)]

    def errors(self) -> set[tuple[str, str | None]]:
        found = (*self.verification.findings, *self.script.imported.findings)
        return {(finding.code, finding.step) for finding in found if finding.severity == "error"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def play(file: Path, home: Home) -> Played:
    script = import_script(file, home)
    set_up = infer_contents(script.imported, script.workcell.spec)
    return Played(script, set_up, verify(set_up.program, script.workcell.spec))


def write(tmp_path: Path, *lines: str, begin: str = BEGIN, end: str = "asyncio.run(main())") -> Path:
    file = tmp_path / "script.py"
    file.write_text(begin + "".join(f"    {line}\n" for line in lines) + end + "\n")
    return file


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_run_without_an_error(file: Path, home: Home) -> None:
    played = play(file, home)
    assert played.errors() == set()
    assert played.of(PickUpTips)
    assert played.script.imported.lost == ()


def test_a_script_becomes_a_program(tmp_path: Path, home: Home) -> None:
    file = write(
        tmp_path,
        UP,
        'await lh.aspirate(plate["A1"], vols=[50], liquid_height=[2], flow_rates=[30])',
        'await lh.dispense(other["B2"], vols=[50])',
        "await asyncio.sleep(60); time.sleep(5)",
        "input('Look at it')",
        DOWN,
        "await lh.move_plate(other, plt_car[3])",
        "await lh.stop()",
    )
    played = play(file, home)
    assert played.errors() == set()
    (drawn,) = played.of(Aspirate)
    assert isinstance(drawn, Aspirate)
    assert (drawn.wells, drawn.volumes, drawn.height, drawn.step) == (
        ("my_plate_1/A1",),
        (50.0,),
        2.0,
        f"line {FIRST + 1}",
    )
    assert played.set_up.program.liquid_classes[drawn.liquid_class].aspirate_flow_rate == 30
    assert [item.seconds for item in played.of(Wait) if isinstance(item, Wait)] == [60, 5]
    assert [item.message for item in played.of(AskPerson) if isinstance(item, AskPerson)] == ["Look at it"]
    (moved,) = played.of(MoveLabware)
    assert isinstance(moved, MoveLabware)
    assert (moved.labware, moved.site, moved.by) == ("other", "plates-4", "arm")
    assert played.set_up.inferred == ("my_plate_1/A1",)


def test_a_main_that_nobody_calls_is_called(tmp_path: Path, home: Home) -> None:
    assert play(write(tmp_path, UP, DOWN, end=""), home).of(PickUpTips)


def test_declared_liquids_are_declared(tmp_path: Path, home: Home) -> None:
    lines = ('await lh.aspirate(plate["A1"], vols=[50])', 'await lh.dispense(other["A1"], vols=[50])')
    begin = BEGIN.replace("async def", 'plate.get_well("A1").tracker.set_volume(120)\nasync def')
    played = play(write(tmp_path, UP, *lines, DOWN, begin=begin), home)
    assert [(fill.well, fill.volume) for fill in played.set_up.program.contents] == [("my_plate_1/A1", 120)]
    assert played.errors() == set()


def test_what_a_person_does_in_between(tmp_path: Path, home: Home) -> None:
    file = write(
        tmp_path,
        UP,
        DOWN,
        "tips.fill()",
        UP,
        DOWN,
        "other.unassign()",
        UP.replace("A1", "B1"),
        DOWN,
        end="asyncio.run(main())",
    )
    played = play(file, home)
    assert len(played.of(ReplaceTipRack)) == 1
    assert [(m.labware, m.site, m.by) for m in played.of(MoveLabware) if isinstance(m, MoveLabware)] == [
        ("other", OFF_DECK, "person")
    ]


REFUSED = {
    "no tip": ('await lh.aspirate(plate["A1"], vols=[50])', "T01"),
    "a tip twice": (f"{UP}; {UP}", "T03"),
    "a tip that is gone": (f"{UP}; {DOWN}; {UP}", "T02"),
    "more than the tip holds": (f'{UP}; await lh.aspirate(plate["A1"], vols=[900])', "T06"),
    "not a number": (f'{UP}; await lh.aspirate(plate["A1"], vols=[float("nan")])', "D16"),
    "above the well": (f'{UP}; await lh.aspirate(plate["A1"], vols=[50], liquid_height=[99])', "D16"),
    "below the well": (
        f'{UP}; await lh.aspirate(plate["A1"], vols=[50], offsets=[Coordinate(0, 0, -3)])',
        "D16",
    ),
    "an occupied site": ("await lh.move_plate(plate, plt_car[1])", "D16"),
    "a stamp": ("await lh.stamp(plate, other, 50)", "D16"),
    "a bare move": ("await lh.move_channel_x(0, 100)", "D16"),
    "a channel that is not there": ('await lh.pick_up_tips(tips["A1"], use_channels=[9])', "D16"),
    "labware beside the deck": (f'{UP}; await lh.aspirate(cor_96_wellplate_360uL_Fb("x")["A1"], vols=[5])', "P01"),
    "more than the well holds": (
        f'{UP}; w = plate.get_well("A1"); w.tracker.set_volume(50)\n    await lh.aspirate([w], vols=[60])',
        "D16",
    ),
}


@pytest.mark.parametrize(("code_lines", "code"), REFUSED.values(), ids=REFUSED)
def test_a_refused_call_is_a_finding_with_its_line(tmp_path: Path, home: Home, code_lines: str, code: str) -> None:
    played = play(write(tmp_path, code_lines), home)
    steps = {step for found, step in played.errors() if found in (code, "D16")}
    assert code in {found for found, _ in played.errors()}, played.errors()
    assert steps & {f"line {FIRST}", f"line {FIRST + 1}"}


def test_other_machines_are_listed_as_lost(tmp_path: Path, home: Home) -> None:
    begin = BEGIN.replace(
        "async def",
        "from pylabrobot.heating_shaking import HeaterShaker, InhecoThermoshakeBackend\n"
        "from pylabrobot.plate_reading import PlateReader, CLARIOstarBackend\n"
        "reader = PlateReader('reader', 1, 1, 1, backend=CLARIOstarBackend())\nasync def",
    )
    played = play(write(tmp_path, UP, DOWN, "await reader.setup()", "await reader.open()", begin=begin), home)
    assert [(lost.kind.partition(",")[0], lost.count) for lost in played.script.imported.lost] == [
        ("CLARIOstarBackend.open", 1)
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("1 / 0", rf"script\.py:{FIRST}: the script's Python fails: ZeroDivisionError"),
        ("raise SystemExit(3)", rf"script\.py:{FIRST}: .*SystemExit: 3"),
        ("import nosuch", rf"script\.py:{FIRST}: .*No module named 'nosuch'"),
        ("open('/tmp/labwright-was-here', 'w')", rf"script\.py:{FIRST}: .*PermissionError"),
        ("import os; os._exit(0)", "the script ended Python itself"),
        ("import os; open('played.json', 'w').write('{}'); os._exit(0)", "the record is damaged"),
        ("pass", "the script moves nothing"),
        ("while True: pass", "did not end within 6 s"),
        (f"while True:\n        {UP}\n        {DOWN}\n        tips.fill()", "did not end within|more than 100,000"),
    ],
)
def test_scripts_that_fail_are_refused(tmp_path: Path, home: Home, lines: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        import_script(write(tmp_path, lines), home, SourceOptions(seconds=6))


def test_a_deck_is_written_once(tmp_path: Path, home: Home) -> None:
    file = write(tmp_path, UP, DOWN)
    first, second = import_script(file, home), import_script(file, home)
    assert first.workcell.path == second.workcell.path
    assert [path.name for path in (home.path / "imports").iterdir()] == [first.workcell.path.parent.name]
    assert first.workcell.spec.name == first.workcell.path.parent.name
