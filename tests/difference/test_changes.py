"""What is said of each sort of change, and what makes none."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.compiler import compile_protocol
from protocols.device_instructions import Shake
from protocols.difference import Difference, difference, side_of_program, side_of_protocol
from protocols.difference.words import rows, well_rows
from protocols.lifting import lift
from protocols.program import AskPerson, MoveLabware, Wait
from protocols.protocol import Protocol
from tests.compiler.bench import spec_of
from tests.lifting.programs import SPEC, Script

A, B, C = "plate/A1", "plate/B1", "plate/C1"


def move(source: str, destination: str, volume: float, **more: Any) -> dict[str, Any]:
    return {"do": "transfer", "source": source, "destination": destination, "volume": f"{volume} uL", **more}


def wait(seconds: int) -> dict[str, Any]:
    return {"do": "wait", "duration": f"{seconds} s"}


def mix(well: str, cycles: int = 5) -> dict[str, Any]:
    return {"do": "mix", "wells": well, "volume": "20 uL", "cycles": cycles}


def protocol(*steps: dict[str, Any], **more: Any) -> Protocol:
    fields: dict[str, Any] = {
        "title": "t",
        "labware": {"plate": {}},
        "liquids": {"dye": {"name": "dye"}},
        "materials": [{"liquid": "dye", "wells": "plate/A1:B1", "volume": "100 uL"}],
    }
    return Protocol.model_validate(
        {**fields, **more, "steps": [{"id": f"step {n}", **step} for n, step in enumerate(steps, 1)]}
    )


def between(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> Difference:
    return difference(side_of_protocol(protocol(*one)), side_of_protocol(protocol(*other)))


def told(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(row) for row in rows(between(one, other).changes)]


CHANGES = {
    "a volume": ([move(A, C, 20)], [move(A, C, 25)], [("~", "move plate/A1 → plate/C1", "20 µL", "25 µL")]),
    "a move more": ([], [move(A, C, 20)], [("+", "move plate/A1 → plate/C1", "", "20 µL, tip policy as needed")]),
    "a move less": ([move(A, C, 20)], [], [("-", "move plate/A1 → plate/C1", "20 µL, tip policy as needed", "")]),
    "mixing": (
        [move(A, C, 20)],
        [move(A, C, 20, handling={"mix_after": 3})],
        [("+", "mix plate/C1", "", "cycles 3")],
    ),
    "cycles": ([mix(A)], [mix(A, 7)], [("~", "mix plate/A1", "cycles 5", "cycles 7")]),
    "tips": (
        [move(A, C, 20)],
        [move(A, C, 20, handling={"tips": "one"})],
        [("~", "move plate/A1 → plate/C1", "tip policy as needed", "tip policy one")],
    ),
    "a wait": ([wait(60)], [wait(90)], [("~", "wait", "1 min", "1 min 30 s")]),
    "a question": (
        [{"do": "ask", "message": "Ready?"}],
        [{"do": "ask", "message": "Done?"}],
        [("~", "ask person", "Ready?", "Done?")],
    ),
    "a device": (
        [{"do": "shake", "device": "h", "speed": "500 rpm"}],
        [{"do": "shake", "device": "h"}],
        [("~", "shake h", "rpm 500", "no rpm")],
    ),
    "what is thrown away": (
        [{"do": "remove", "wells": A, "volume": "50 uL"}],
        [{"do": "remove", "wells": A, "volume": "60 uL"}],
        [("~", "remove plate/A1", "50 µL", "60 µL")],
    ),
    "another destination": (
        [move(A, B, 20)],
        [move(A, C, 20)],
        [
            ("-", "move plate/A1 → plate/B1", "20 µL, tip policy as needed", ""),
            ("+", "move plate/A1 → plate/C1", "", "20 µL, tip policy as needed"),
        ],
    ),
    "the order, where it matters": (
        [move(A, C, 20), move(C, B, 10)],
        [move(C, B, 10), move(A, C, 20)],
        [("↕", "move plate/C1 → plate/B1", "after move plate/A1 → plate/C1", "after the beginning")],
    ),
    "a wait at another place": (
        [move(A, C, 20), move(B, C, 20), wait(60)],
        [move(A, C, 20), wait(60), move(B, C, 20)],
        [("↕", "wait", "after move plate/B1 → plate/C1", "after move plate/A1 → plate/C1")],
    ),
    "the last of two alike": (
        [move(A, C, 20), mix(C), move(A, C, 30)],
        [move(A, C, 20), mix(C), move(A, C, 35)],
        [("~", "move plate/A1 → plate/C1", "50 µL", "55 µL")],
    ),
    "the first of two alike is gone": (
        [move(A, C, 20), mix(C), move(A, C, 30)],
        [mix(C), move(A, C, 30)],
        [("~", "move plate/A1 → plate/C1", "50 µL", "30 µL")],
    ),
    "mixing at another place": (
        [move(A, C, 20), mix(C), move(C, B, 5)],
        [mix(C), move(A, C, 20), move(C, B, 5)],
        [("~", "mix plate/C1", "mixed since anything came in", "not mixed since anything came in")],
    ),
    "mixing before or after a wait": (
        [mix(C), wait(60)],
        [wait(60), mix(C)],
        [("↕", "wait", "after mix plate/C1", "after the beginning")],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_said(name: str) -> None:
    one, other, wanted = CHANGES[name]
    found = told(one, other)
    if name == "the order, where it matters":
        assert [row[0] for row in found] == ["↕"]
    else:
        assert found == wanted


EQUAL = {
    "mixing as a step or with a transfer": (
        [mix(A, 3), move(A, C, 20, handling={"mix_after": 2, "mix_volume": "20 uL"})],
        [move(A, C, 20, handling={"mix_before": 3, "mix_volume": "20 uL"}), mix(C, 2)],
    ),
    "the order, where it makes no difference": ([move(A, C, 20), move(B, C, 10)], [move(B, C, 10), move(A, C, 20)]),
    "one move in two parts": ([move(A, C, 30)], [move(A, C, 10), move(A, C, 20)]),
    "in parts with something else between": (
        [move(A, C, 30), move(A, "plate/D1", 5)],
        [move(A, C, 10), move(A, "plate/D1", 5), move(A, C, 20)],
    ),
    "one wait in two parts": ([wait(90)], [wait(60), wait(30)]),
    "distributed or transferred": (
        [{"do": "distribute", "source": A, "destination": [C, "plate/D1"], "volume": "10 uL"}],
        [move(A, C, 10), move(A, "plate/D1", 10)],
    ),
    "pooled or transferred": (
        [{"do": "consolidate", "source": [A, B], "destination": C, "volume": "10 uL"}],
        [move(A, C, 10), move(B, C, 10)],
    ),
    "nothing, moved": ([move(A, C, 0)], []),
    "a dilution spelt out": (
        [
            {
                "do": "serial_dilution",
                "wells": [A, "plate/A2", "plate/A3"],
                "diluent": B,
                "factor": 2,
                "volume": "40 uL",
                "mix_cycles": 3,
            }
        ],
        [
            move(B, "plate/A2", 20),
            move(B, "plate/A3", 20),
            move(A, "plate/A2", 20, handling={"mix_after": 3}),
            move("plate/A2", "plate/A3", 20, handling={"mix_after": 3}),
            {"do": "remove", "wells": "plate/A3", "volume": "20 uL"},
        ],
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_what_means_the_same_is_no_change(name: str) -> None:
    one, other = EQUAL[name]
    assert between(one, other).equal


def test_parts_with_something_between_that_matters_are_not_one() -> None:
    found = between([move(A, C, 30), move(C, B, 5)], [move(A, C, 10), move(C, B, 5), move(A, C, 20)])
    assert [change.kind for change in found.changes] == ["changed", "only in the second"]


def test_the_wells_at_the_end_are_compared() -> None:
    found = between([move(A, C, 20)], [move(A, C, 25)])
    assert well_rows(found.wells) == [("plate/A1", "80 µL dye", "75 µL dye"), ("plate/C1", "20 µL dye", "25 µL dye")]


def test_what_stands_there_is_compared() -> None:
    one = protocol(labware={"plate": {"site": "slot-1"}})
    other = protocol(
        labware={"plate": {"site": "slot-2"}, "more": {}},
        liquids={"dye": {"name": "dye", "lot": "7"}},
        materials=[{"liquid": "dye", "wells": "plate/A1:B1", "volume": "90 uL"}],
    )
    found = rows(difference(side_of_protocol(one), side_of_protocol(other)).changes)
    assert found == [
        ("+", "labware more", "", "category plate"),
        ("~", "labware plate", "slot-1", "slot-2"),
        ("~", "liquid dye", "no lot", "lot 7"),
        ("~", "fill plate/A1:B1 with dye", "100 µL", "90 µL"),
    ]


# -- programs -----------------------------------------------------------------------------------------------


def scripts(one: Script, other: Script) -> list[tuple[str, ...]]:
    first, second = (side_of_program(script.program(), SPEC) for script in (one, other))
    return [tuple(row) for row in rows(difference(first, second).changes)]


def plain() -> Script:
    return Script().tip().draw(A, 20).put(B, 20)


def test_what_only_a_program_says_is_compared_between_programs() -> None:
    high = Script().tip().draw(A, 20, height=3.0).put(B, 20).drop()
    assert scripts(plain().drop(), high) == [
        ("~", "move plate/A1 → plate/B1", "drawn at unknown", "drawn at 3 mm"),
    ]
    assert [row[:2] for row in scripts(plain().touch(B).drop(), plain().drop())] == [("-", "touch plate/B1")]
    assert [row[:2] for row in scripts(plain().wait(2).drop(), plain().drop())] == [("-", "settle")]


def test_tips_are_compared() -> None:
    again = plain().draw(A, 10).put(C, 10).drop()
    fresh = plain().drop().tip().draw(A, 10).put(C, 10).drop()
    assert scripts(again, fresh) == [
        ("~", "tips opentrons_96_tiprack_300ul", "taken 1", "taken 2"),
        (
            "~",
            "move plate/A1 → plate/C1",
            "used opentrons_96_tiprack_300ul",
            "new opentrons_96_tiprack_300ul",
        ),
    ]


def test_what_no_pipette_does_is_compared() -> None:
    one = (
        Script()
        .other(Wait, seconds=60)
        .other(MoveLabware, labware="plate", site="slot-4")
        .other(Shake, device="h", rpm=5)
    )
    other = Script().other(AskPerson, message="?").other(MoveLabware, labware="plate", site="slot-6", by="person")
    found = scripts(one, other)
    assert ("~", "move labware plate", "slot-4, by arm", "slot-6, by person") in found
    assert {row[:2] for row in found} == {
        ("-", "wait"),
        ("-", "shake h"),
        ("+", "ask person"),
        ("~", "move labware plate"),
    }


def test_mixing_stroke_by_stroke_is_mixing() -> None:
    by_hand = Script().tip().draw(A, 20).put(B, 20).by_hand(B, 20, 3).drop()
    in_one = Script().tip().draw(A, 20).put(B, 20).mix(B, 20, 3).drop()
    assert scripts(by_hand, in_one) == []


# -- a protocol and a program -------------------------------------------------------------------------------


def test_a_program_is_compared_with_a_protocol_by_what_the_protocol_says() -> None:
    spec = spec_of("ot2")
    written = protocol(move(A, C, 20), wait(60))
    program = side_of_program(compile_protocol(written, spec).program, spec)
    assert difference(side_of_protocol(written), program).equal
    edited = side_of_protocol(protocol(move(A, C, 25), wait(60), labware={"plate": {"site": "slot-3"}}))
    found = rows(difference(edited, program).changes)
    assert found == [
        ("~", "labware plate", "slot-3", "slot-1"),
        ("~", "move plate/A1 → plate/C1", "25 µL", "20 µL"),
    ]


def test_materials_that_are_missing_are_said() -> None:
    spec = spec_of("ot2")
    written = protocol(move(A, C, 20))
    program = side_of_program(compile_protocol(written, spec).program, spec)
    more = protocol(
        move(A, C, 20),
        materials=[
            {"liquid": "dye", "wells": "plate/A1", "volume": "120 uL"},
            {"liquid": "dye", "wells": "plate/H12", "volume": "5 uL"},
        ],
    )
    assert rows(difference(side_of_protocol(more), program).changes) == [
        ("~", "fill plate/A1 with dye", "120 µL", "100 µL"),
        ("-", "fill plate/H12 with dye", "5 µL", ""),
        ("+", "fill plate/B1 with dye", "", "100 µL"),
    ]


def test_what_is_lifted_differs_in_nothing_from_its_program() -> None:
    program = plain().draw(A, 10).put(C, 10).drop().other(Wait, seconds=60).program()
    assert difference(side_of_protocol(lift(program, SPEC).protocol), side_of_program(program, SPEC)).equal


def test_a_transfer_in_parts_of_which_the_first_alone_pre_wets_is_one() -> None:
    handling = {"mix_before": 1, "pre_wet": 1}
    twice = {"do": "distribute", "source": A, "destination": [C, C], "volume": "5 uL", "handling": handling}
    wanted = protocol(twice)
    program = compile_protocol(wanted, SPEC).program
    assert len({said.liquid_class for said in program.instructions if said.kind == "aspirate"}) == 2
    assert difference(side_of_protocol(wanted), side_of_program(program, SPEC)).changes == ()
