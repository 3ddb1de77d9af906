"""Heads that use some of their nozzles: what verification rejects is two boxes that take the same room, or is too far.

The boxes are measured from Opentrons' own definitions of pipette, deck and labware. The same mistake in Opentrons'
language is one at which their analysis stops; with the labware or nozzles of the sound twin it does not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentrons_shared_data.load import get_shared_data_root

from protocols.program import PickUpTips, Program
from protocols.verify import verify
from robots.workcell import Workcell, load_workcell
from tests.exporting.genuine import analyse, errors, needs_opentrons

DATA = get_shared_data_root()
RACK, TALL, LOW = (
    "opentrons_flex_96_tiprack_50ul",
    "opentrons_10_tuberack_falcon_4x50ml_6x15ml_conical",
    "corning_96_wellplate_360ul_flat",
)
ADAPTER = "opentrons_flex_96_tiprack_adapter"
SLOT = {f"{row}{column}": (164.0 * (column - 1), 107.0 * "DCBA".index(row)) for row in "ABCD" for column in (1, 2, 3)}
"""mm from the front left slot, as ``ot3_standard`` has its slots."""


@dataclass(frozen=True)
class Scene:
    """A head of 96 takes tips with some of its nozzles.

    Attributes:
        code: what verification says; empty if it is sound.
        rack: the slot of the rack.
        nozzles: in their own names, as Opentrons lays them out.
        first: the spot of the first.
        beside: a kind and its slot.
        adapter: the rack stands on an adapter.
    """

    code: str
    rack: str
    nozzles: Sequence[str]
    layout: str
    first: str
    beside: tuple[str, str] | None = None
    adapter: bool = False


LAST = tuple(f"{row}12" for row in "ABCDEFGH")
FIRST = tuple(f"{row}1" for row in "ABCDEFGH")
EVERY = tuple(f"{row}{column}" for column in range(1, 13) for row in "ABCDEFGH")
SCENES = [
    Scene("P16", "C2", LAST, "COLUMN, start='A12'", "A1", (TALL, "C1")),
    Scene("", "C2", LAST, "COLUMN, start='A12'", "A1", (LOW, "C1")),
    Scene("", "C2", LAST, "COLUMN, start='A12'", "A1", (TALL, "C3")),
    Scene("P16", "C2", FIRST, "COLUMN, start='A1'", "A12", (TALL, "C3")),
    Scene("P16", "C2", ("H12",), "SINGLE, start='H12'", "A1", (TALL, "B1")),
    Scene("", "C2", ("H12",), "SINGLE, start='H12'", "A1", (TALL, "D2")),
    Scene("P17", "A2", ("H12",), "SINGLE, start='H12'", "A1"),
    Scene("", "B2", ("H12",), "SINGLE, start='H12'", "A1"),
    Scene("P17", "D2", ("A1",), "SINGLE, start='A1'", "H12"),
    Scene("", "C2", ("A1",), "SINGLE, start='A1'", "H12"),
    Scene("T10", "C2", EVERY, "ALL", "A1"),
    Scene("", "C2", EVERY, "ALL", "A1", adapter=True),
    Scene("T10", "C2", LAST, "COLUMN, start='A12'", "A1", adapter=True),
]
each_scene = pytest.mark.parametrize("scene", SCENES)


def lab(scene: Scene, folder: Path) -> Workcell:
    labware = f"  rack: {{kind: {RACK}, site: {scene.rack}}}\n"
    if scene.beside is not None:
        labware += f"  beside: {{kind: {scene.beside[0]}, site: {scene.beside[1]}}}\n"
    kinds = "".join(f"  {kind}: {{opentrons: {kind}}}\n" for kind in (RACK, TALL, LOW, ADAPTER))
    adapters = f"adapters: {{{scene.rack}: {ADAPTER}}}\n" if scene.adapter else ""
    path = folder / "workcell.yaml"
    path.write_text(
        "schema_version: 1\nname: a flex\ndeck: {type: Flex, trash: A3}\n"
        f"kinds:\n{kinds}{adapters}labware:\n{labware}"
        "devices: {handler: {kind: liquid handler}}\n"
        "pipettes: {left: {device: handler, type: p1000_96, mount: left}}\n",
        encoding="utf-8",
    )
    return load_workcell(path)


def spots(scene: Scene) -> tuple[str, ...]:
    """From ``first`` on, as the nozzles stand to each other."""
    row, column = "ABCDEFGH".index(scene.first[0]), int(scene.first[1:])
    top, left = "ABCDEFGH".index(scene.nozzles[0][0]), int(scene.nozzles[0][1:])
    return tuple(
        f"{'ABCDEFGH'[row + 'ABCDEFGH'.index(name[0]) - top]}{column + int(name[1:]) - left}" for name in scene.nozzles
    )


def program(scene: Scene) -> Program:
    channels = tuple((int(name[1:]) - 1) * 8 + "ABCDEFGH".index(name[0]) for name in scene.nozzles)
    places = tuple(f"rack/{spot}" for spot in spots(scene))
    take = PickUpTips(id="take", pipette="left", channels=channels, spots=places)
    return Program(title="a scene", instructions=(take,))


@each_scene
def test_verification_says_what_the_scene_deserves(scene: Scene, tmp_path: Path) -> None:
    found = verify(program(scene), lab(scene, tmp_path).spec).findings
    said = {finding.code for finding in found if finding.severity == "error" or finding.code == "T10"}
    assert said == ({scene.code} - {""})


def definition(kind: str) -> dict[str, Any]:
    newest = sorted((DATA / "labware/definitions/2" / kind).glob("*.json"), key=lambda path: int(path.stem))[-1]
    found: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    return found


def outline(scene: Scene) -> tuple[float, float, float, float, float]:
    """Left, right, front and back of the head's body, and its underside, mm from the front left slot."""
    folder = DATA / "pipette/definitions/2/geometry/ninety_six_channel/p1000"
    pipette = json.loads((folder / "3_6.json").read_text(encoding="utf-8"))
    rack, nozzle = definition(RACK), pipette["nozzleMap"][scene.nozzles[0]]
    well, slot = rack["wells"][scene.first], SLOT[scene.rack]
    mount = slot[0] + well["x"] - nozzle[0], slot[1] + well["y"] - nozzle[1]
    box = pipette["pipetteBoundingBoxOffsets"]
    (left, back, _), (right, front, _) = box["backLeftCorner"], box["frontRightCorner"]
    return (
        mount[0] + left,
        mount[0] + right,
        mount[1] + front,
        mount[1] + back,
        well["z"] + well["depth"] - nozzle[2] + box["backLeftCorner"][2],
    )


def shared(scene: Scene) -> float:
    """mm³ in which the head's body, taken to be a mm high, and what stands beside the rack would both be."""
    if scene.beside is None:
        return 0.0
    left, right, front, back, under = outline(scene)
    size, (x, y) = definition(scene.beside[0])["dimensions"], SLOT[scene.beside[1]]
    wide = min(right, x + size["xDimension"]) - max(left, x)
    long = min(back, y + size["yDimension"]) - max(front, y)
    return max(0.0, wide) * max(0.0, long) * max(0.0, min(1.0, size["zDimension"] - under))


def too_far(scene: Scene) -> float:
    """mm by which the gantry would have to leave its room, by the robot's own definition."""
    robot = json.loads((DATA / "robot/definitions/1/ot3.json").read_text(encoding="utf-8"))
    (wide, long, _), room = robot["extents"], robot["paddingOffsets"]
    left, right, front, back, _ = outline(scene)
    ends = front - long - room["rear"], room["front"] - back, room["leftSide"] - right, left - wide - room["rightSide"]
    return max(0.0, *ends)


@each_scene
def test_what_is_rejected_takes_room_that_is_taken_or_is_too_far(scene: Scene) -> None:
    assert (shared(scene) > 1.0) is (scene.code == "P16")
    assert (too_far(scene) > 1.0) is (scene.code == "P17")


def test_the_pins_of_the_adapter_stand_higher_than_the_rack() -> None:
    """All tips are pulled on by the pins; a head that presses some of them on would have them in its body."""
    assert "tiprackAdapterFor96Channel" in definition(ADAPTER)["parameters"]["quirks"]
    assert definition(ADAPTER)["dimensions"]["zDimension"] > definition(RACK)["dimensions"]["zDimension"]


@pytest.mark.slow
@needs_opentrons
@each_scene
def test_opentrons_stops_at_the_same_scenes(scene: Scene, tmp_path: Path) -> None:
    stand = f"protocol.load_adapter('{ADAPTER}', '{scene.rack}')" if scene.adapter else "protocol"
    slot = "" if scene.adapter else f", '{scene.rack}'"
    beside = "" if scene.beside is None else f"    protocol.load_labware('{scene.beside[0]}', '{scene.beside[1]}')\n"
    theirs = f"""
from opentrons.protocol_api import ALL, COLUMN, SINGLE
requirements = {{"robotType": "Flex", "apiLevel": "2.20"}}
def run(protocol):
    protocol.load_trash_bin("A3")
    rack = {stand}.load_labware("{RACK}"{slot})
{beside}    head = protocol.load_instrument("flex_96channel_1000", "left")
    head.configure_nozzle_layout(style={scene.layout})
    head.pick_up_tip(rack["{scene.first}"])
"""
    assert bool(errors(analyse(theirs, tmp_path))) is bool(scene.code)
