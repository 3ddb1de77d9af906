"""Each instruction in the robot's own words."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from protocols.device_instructions import (
    AwaitTemperature,
    ProfileStep,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.exporting import export_opentrons
from protocols.liquids import LiquidClass
from protocols.program import (
    AirGap,
    AskPerson,
    Aspirate,
    BlowOut,
    Dispense,
    Mix,
    MoveLabware,
    PickUpTips,
    ReplaceTipRack,
    TouchTip,
    Wait,
)
from protocols.specs import OFF_DECK, DeviceKind, DeviceSpec, WorkcellSpec
from tests.exporting.lab import TEACHING, program, spec, with_tip

MODULES: dict[str, tuple[DeviceKind, str, str]] = {
    "cold": ("temperature module", "temperatureModuleV2", "slot-1"),
    "shaker": ("heater-shaker", "heaterShakerModuleV1", "slot-3"),
    "cycler": ("thermocycler", "thermocyclerModuleV2", "slot-7"),
    "magnet": ("magnetic module", "magneticModuleV2", "slot-4"),
}


@cache
def with_modules() -> WorkcellSpec:
    plain = spec()
    devices = {name: DeviceSpec(id=name, kind=kind, model=model) for name, (kind, model, _) in MODULES.items()}
    sites = {site: plain.sites[site].model_copy(update={"device": name}) for name, (_, _, site) in MODULES.items()}
    labware = {name: piece for name, piece in plain.labware.items() if piece.site not in ("slot-7", "slot-8")}
    changes = {"devices": {**plain.devices, **devices}, "sites": {**plain.sites, **sites}, "labware": labware}
    return plain.model_copy(update=changes)


def said(*instructions: Any) -> list[str]:
    """The lines after the deck is loaded."""
    text = export_opentrons(program(*instructions), with_modules()).text
    assert compile(text, "exported.py", "exec")
    lines = [line.strip() for line in text.splitlines()]
    return lines[
        lines.index(
            'water = protocol.define_liquid(name="water", description="lot unrecorded", display_color="#ff7f0e")'
        )
        + 3 :
    ]


DEVICES: list[tuple[list[Any], list[str]]] = [
    (
        [SetTemperature(id="x", device="cold", celsius=4), AwaitTemperature(id="x", device="cold")],
        ["cold.start_set_temperature(4)", "cold.await_temperature(4)"],
    ),
    ([SetTemperature(id="x", device="cold", celsius=None)], ["cold.deactivate()"]),
    (
        [
            SetTemperature(id="x", device="shaker", celsius=37.5),
            AwaitTemperature(id="x", device="shaker", celsius=37.5),
        ],
        ["shaker.set_target_temperature(37.5)", "shaker.wait_for_temperature()"],
    ),
    ([SetTemperature(id="x", device="shaker", celsius=None)], ["shaker.deactivate_heater()"]),
    (
        [Shake(id="x", device="shaker", rpm=800), Shake(id="x", device="shaker", rpm=None)],
        ["shaker.set_and_wait_for_shake_speed(800)", "shaker.deactivate_shaker()"],
    ),
    (
        [SetLatch(id="x", device="shaker", open=True), SetLatch(id="x", device="shaker", open=False)],
        ["shaker.open_labware_latch()", "shaker.close_labware_latch()"],
    ),
    (
        [SetLid(id="x", device="cycler", open=True), SetLid(id="x", device="cycler", open=False)],
        ["cycler.open_lid()", "cycler.close_lid()"],
    ),
    (
        [
            SetTemperature(id="x", device="cycler", celsius=105, part="lid"),
            AwaitTemperature(id="x", device="cycler", part="lid"),
            SetTemperature(id="x", device="cycler", celsius=95),
            AwaitTemperature(id="x", device="cycler", celsius=95),
            AwaitTemperature(id="x", device="cycler"),
        ],
        ["cycler.set_lid_temperature(105)", "cycler.set_block_temperature(95)", "cycler.set_block_temperature(95)"],
    ),
    (
        [
            SetTemperature(id="x", device="cycler", celsius=95),
            Wait(id="x", seconds=5),
            AwaitTemperature(id="x", device="cycler"),
        ],
        [
            "cycler_block_task = cycler.start_set_block_temperature(95)",
            "protocol.delay(seconds=5)",
            "protocol.wait_for_tasks([cycler_block_task])",
        ],
    ),
    (
        [
            SetTemperature(id="x", device="cycler", celsius=None),
            SetTemperature(id="x", device="cycler", celsius=None, part="lid"),
        ],
        ["cycler.deactivate_block()", "cycler.deactivate_lid()"],
    ),
    (
        [RunProfile(id="x", device="cycler", steps=(ProfileStep(celsius=95, seconds=30),), cycles=3, volume=25)],
        [
            'cycler.execute_profile(steps=[{"temperature": 95, "hold_time_seconds": 30}], repetitions=3, '
            "block_max_volume=25)"
        ],
    ),
    (
        [SetMagnet(id="x", device="magnet", raised=True, height=6.8), SetMagnet(id="x", device="magnet", raised=False)],
        ["magnet.engage(height_from_base=6.8)", "magnet.disengage()"],
    ),
    ([SetMagnet(id="x", device="magnet", raised=True)], ["magnet.engage()"]),
    (
        [Wait(id="x", seconds=1.5), AskPerson(id="x", message='Say "yes"')],
        ["protocol.delay(seconds=1.5)", 'protocol.pause("Say \\"yes\\"")'],
    ),
    (
        [ReplaceTipRack(id="x", rack="tips_300_1")],
        ['protocol.pause("Put a full rack in the place of tips_300_1")', "tips_300_1.reset()"],
    ),
    (
        [MoveLabware(id="x", labware="reservoir", site=OFF_DECK, by="person")],
        ["protocol.move_labware(reservoir, OFF_DECK, use_gripper=False)"],
    ),
    (
        [MoveLabware(id="x", labware="reservoir", site="slot-4", by="person")],
        ["protocol.move_labware(reservoir, magnet, use_gripper=False)"],
    ),
]


@pytest.mark.parametrize(("instructions", "lines"), DEVICES, ids=lambda value: str(value[0])[:40])
def test_devices_and_the_bench(instructions: list[Any], lines: list[str]) -> None:
    assert said(*instructions) == lines


def pipetting(*instructions: Any, classes: tuple[LiquidClass, ...]) -> list[str]:
    text = export_opentrons(with_tip(*instructions, classes=classes), spec()).text
    lines = [line.strip() for line in text.splitlines()]
    return lines[lines.index('p300.pick_up_tip(tips_300_1["A1"])') + 1 :]


def stroke(make: Any, **fields: Any) -> Any:
    usual = {"id": "x", "pipette": "p300", "channels": (0,), "wells": ("reservoir/A3",)}
    return make(**{**usual, **fields})


def test_strokes_say_heights_as_they_are_known() -> None:
    plain = LiquidClass(name="plain", aspirate_flow_rate=94, dispense_flow_rate=92.86)
    found = pipetting(
        stroke(Aspirate, volumes=(50.25,), liquid_class="plain", height=1.5),
        AirGap(id="x", pipette="p300", channels=(0,), volumes=(5,)),
        stroke(Dispense, volumes=(55.25,), liquid_class="plain"),
        stroke(Mix, volumes=(30,), cycles=3, liquid_class="plain", height=2),
        stroke(BlowOut, flow_rate=80, height=26.85),
        stroke(TouchTip, height=25.85),
        stroke(TouchTip),
        classes=(plain,),
    )
    assert found == [
        "p300.flow_rate.aspirate = 94",
        'p300.aspirate(50.25, reservoir["A3"].bottom(1.5))',
        "p300.air_gap(5)",
        "p300.flow_rate.dispense = 92.86",
        'p300.dispense(55.25, reservoir["A3"])',
        'p300.mix(3, 30, reservoir["A3"].bottom(2))',
        "p300.flow_rate.blow_out = 80",
        'p300.blow_out(reservoir["A3"].top(0))',
        'p300.touch_tip(reservoir["A3"], v_offset=-1)',
        'p300.touch_tip(reservoir["A3"])',
    ]


def test_a_class_becomes_wetting_waiting_and_blowing_out() -> None:
    careful = LiquidClass(name="plain", pre_wet=2, settle=0.5, blow_out=15, film=0.2, touch_off=True)
    found = pipetting(
        stroke(Aspirate, volumes=(50.2,), liquid_class="plain", height=1),
        stroke(Dispense, volumes=(20,), liquid_class="plain", height=1),
        stroke(Dispense, volumes=(30,), liquid_class="plain", height=1),
        classes=(careful,),
    )
    assert [line for line in found if "flow_rate" not in line] == [
        'p300.mix(2, 50.2, reservoir["A3"].bottom(1))',
        'p300.aspirate(50.2, reservoir["A3"].bottom(1))',
        "protocol.delay(seconds=0.5)",
        'p300.dispense(20, reservoir["A3"].bottom(1))',
        "protocol.delay(seconds=0.5)",
        'p300.touch_tip(reservoir["A3"])',
        'p300.dispense(30, reservoir["A3"].bottom(1))',
        "protocol.delay(seconds=0.5)",
        'p300.blow_out(reservoir["A3"].bottom(1))',
        'p300.touch_tip(reservoir["A3"])',
    ]


def test_air_before_the_first_liquid_is_drawn_over_the_next_well() -> None:
    air = AirGap(id="x", pipette="p300", channels=(0,), volumes=(5,))
    found = pipetting(air, stroke(Aspirate, volumes=(50,), liquid_class="plain"), classes=(LiquidClass(name="plain"),))
    assert found[0] == 'p300.aspirate(5, reservoir["A3"].top(5))'


LAYOUTS: list[tuple[tuple[int, ...], str, str]] = [
    ((0,), 'style=SINGLE, start="A1"', "A1"),
    ((7,), 'style=SINGLE, start="H1"', "H1"),
    ((3, 4, 5, 6, 7), 'style=PARTIAL_COLUMN, start="H1", end="D1"', "H1"),
    ((0, 1, 2), 'style=PARTIAL_COLUMN, start="A1", end="C1"', "A1"),
]


@pytest.mark.parametrize(("channels", "layout", "first"), LAYOUTS)
def test_some_nozzles_are_a_layout(channels: tuple[int, ...], layout: str, first: str) -> None:
    spots = tuple(f"tips_300_1/{'ABCDEFGH'[channel]}1" for channel in channels)
    pick = PickUpTips(id="x", pipette="p300m", channels=channels, spots=spots)
    text = export_opentrons(program(pick), spec(TEACHING)).text
    assert f"p300m.configure_nozzle_layout({layout})" in text
    assert f'p300m.pick_up_tip(tips_300_1["{first}"])' in text
    assert '"apiLevel": "2.20"' in text
