"""Every instruction in words."""

from typing import Any, get_args, get_type_hints

import pytest

from protocols.program import AnyInstruction, instruction_adapter
from protocols.wording import describe

SAID: list[tuple[dict[str, Any], str]] = [
    ({"kind": "pick_up_tips", "spots": ["tips/A1"]}, "Pick up 1 tip from tips/A1"),
    ({"kind": "drop_tips"}, "Drop 1 tip into the trash"),
    ({"kind": "drop_tips", "spots": ["tips/A1"]}, "Put 1 tip back to tips/A1"),
    ({"kind": "aspirate", "wells": ["plate/A1"], "volumes": [5]}, "Aspirate 5 µL from plate/A1"),
    ({"kind": "dispense", "wells": ["plate/A1"], "volumes": [5]}, "Dispense 5 µL into plate/A1"),
    ({"kind": "mix", "wells": ["plate/A1"], "volumes": [5], "cycles": 3}, "Mix plate/A1 3 times with 5 µL"),
    ({"kind": "air_gap", "volumes": [5]}, "Draw an air gap of 5 µL"),
    ({"kind": "blow_out", "wells": ["plate/A1"]}, "Blow out over plate/A1"),
    ({"kind": "touch_tip", "wells": ["plate/A1"]}, "Touch the walls of plate/A1"),
    ({"kind": "move_labware", "labware": "plate", "site": "B2"}, "Carry plate to B2"),
    ({"kind": "move_labware", "labware": "plate", "site": "B2", "by": "person"}, "A person carries plate to B2"),
    (
        {"kind": "move_labware", "labware": "plate", "site": "off-deck", "by": "person"},
        "A person carries plate off the deck",
    ),
    ({"kind": "replace_tip_rack", "rack": "tips"}, "A person puts a full rack in the place of tips"),
    ({"kind": "wait", "seconds": 90}, "Wait 1 min 30 s"),
    ({"kind": "ask_person", "message": "ready?"}, "Ask a person: ready?"),
    ({"kind": "set_temperature", "celsius": 37.5}, "Set module to 37.5 °C"),
    ({"kind": "set_temperature", "celsius": 105, "part": "lid"}, "Set the lid of module to 105 °C"),
    ({"kind": "set_temperature", "celsius": None}, "Switch off the heating and cooling of module"),
    ({"kind": "set_temperature", "celsius": None, "part": "lid"}, "Switch off the heating of the lid of module"),
    ({"kind": "await_temperature"}, "Wait until module has its temperature"),
    ({"kind": "await_temperature", "celsius": 4, "part": "lid"}, "Wait until the lid of module has 4 °C"),
    ({"kind": "shake", "rpm": 500}, "Shake on module at 500 rpm"),
    ({"kind": "shake", "rpm": None}, "Stop shaking on module"),
    ({"kind": "set_latch", "open": True}, "Open the latch of module"),
    ({"kind": "set_lid", "open": False}, "Close the lid of module"),
    ({"kind": "set_magnet", "raised": True, "height": 6.5}, "Raise the magnets of module to 6.5 mm"),
    ({"kind": "set_magnet", "raised": True}, "Raise the magnets of module"),
    ({"kind": "set_magnet", "raised": False}, "Lower the magnets of module"),
    (
        {
            "kind": "run_profile",
            "cycles": 30,
            "steps": [{"celsius": 95, "seconds": 10}, {"celsius": 60, "seconds": 30}],
        },
        "Run 95 °C for 10 s, 60 °C for 30 s on module, 30 times",
    ),
]
ON_A_PIPETTE = {"pick_up_tips", "drop_tips", "aspirate", "dispense", "mix", "air_gap", "blow_out", "touch_tip"}
NOT_FOR_A_DEVICE = ON_A_PIPETTE | {"move_labware", "replace_tip_rack", "wait", "ask_person"}


@pytest.mark.parametrize(("fields", "words"), SAID)
def test_every_instruction_is_said_in_words(fields: dict[str, Any], words: str) -> None:
    kind = fields["kind"]
    more: dict[str, Any] = {"pipette": "p", "channels": [0]} if kind in ON_A_PIPETTE else {}
    more |= {"liquid_class": "water"} if kind in ("aspirate", "dispense", "mix") else {}
    more |= {} if kind in NOT_FOR_A_DEVICE else {"device": "module"}
    assert describe(instruction_adapter.validate_python({"id": "i", **more, **fields})) == words


def test_no_kind_is_left_out() -> None:
    kinds = {get_args(get_type_hints(kind)["kind"])[0] for kind in get_args(AnyInstruction)}
    assert {fields["kind"] for fields, _ in SAID} == kinds
