"""Programs, their hashes, and the chain of events."""

import hashlib
import subprocess
import sys

import pytest
from pydantic import ValidationError

from protocols.digests import digest
from protocols.errors import RecordError
from protocols.events import GENESIS, Event, check_chain
from protocols.liquids import Liquid, LiquidClass
from protocols.program import Aspirate, PickUpTips, Program, Wait, instruction_adapter
from protocols.specs import WellShape

STROKE = {"id": "a", "pipette": "p", "channels": [0], "wells": ["p/A1"], "volumes": [5], "liquid_class": "water"}


def test_a_program_reads_back_as_it_was_written() -> None:
    program = Program(
        title="t",
        liquids={"x": Liquid(name="x", behaviours={"viscous", "foaming"}, solutes={"DNA": 1.5})},
        liquid_classes={"water": LiquidClass(name="water", correction=((10, 10.8), (100, 108.3)))},
        instructions=[Wait(id="w", seconds=3), Aspirate(**STROKE)],
    )
    again = Program.model_validate_json(program.model_dump_json())
    assert again == program
    assert digest(again) == digest(program)


def test_equal_programs_have_equal_hashes_in_every_process() -> None:
    code = (
        "from protocols.liquids import Liquid; from protocols.digests import digest;"
        "print(digest(Liquid(name='x', behaviours={'viscous', 'volatile', 'foaming'})))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(hashes) == 1


def test_a_hash_is_of_what_is_in_the_record_now() -> None:
    liquid = Liquid(name="x", solutes={"DNA": 1.5, "salt": 2.0})
    canonical = b'{"behaviours":[],"lot":null,"name":"x","sample":null,"solutes":{"DNA":1.5,"salt":2}}'
    assert digest(liquid) == hashlib.sha256(canonical).hexdigest()
    liquid.solutes["salt"] = 3.0
    assert digest(liquid) == hashlib.sha256(canonical.replace(b":2}", b":3}")).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"volumes": [float("nan")]},
        {"volumes": [float("inf")]},
        {"volumes": [-1]},
        {"volumes": [1, 2]},
        {"wells": []},
        {"channels": [0, 0], "wells": ["p/A1", "p/B1"], "volumes": [1, 1]},
        {"channels": [-1]},
        {"height": -1},
        {"speed": 3},
        {"kind": "explode"},
    ],
)
def test_instructions_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        instruction_adapter.validate_python({"kind": "aspirate", **STROKE, **change})


def test_two_instructions_of_one_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="two instructions have the id 'w'"):
        Program(title="t", instructions=[Wait(id="w", seconds=1), Wait(id="w", seconds=2)])


def test_only_harmless_instructions_may_be_repeated() -> None:
    assert Wait.repeatable
    assert not PickUpTips.repeatable
    assert not Aspirate.repeatable


def test_the_chain_shows_a_changed_lost_or_added_event() -> None:
    events, previous = [], GENESIS
    for number in range(4):
        event = Event(
            sequence=number,
            run="r",
            wall_time="2026-01-01T00:00:00Z",
            virtual_time=0.0,
            kind="intent",
            previous=previous,
        )
        events.append(event)
        previous = event.digest()
    check_chain(events)
    changed = events[1].model_copy(update={"payload": {"volume": 1}})
    for broken in ([events[0], changed, *events[2:]], [*events[:1], *events[2:]], [*events, events[3]], events[1:]):
        with pytest.raises(RecordError, match="does not follow"):
            check_chain(broken)


def test_the_surface_and_the_volume_below_it_agree() -> None:
    cone = WellShape(max_volume=200, profile=((0, 0), (4, 50), (10, 200)))
    for height in (0.0, 1.0, 4.0, 7.5, 10.0, 12.0):
        volume = cone.volume_below(height)
        assert volume is not None
        assert cone.surface(volume) == pytest.approx(height)
    assert WellShape(max_volume=200).surface(100) is None


@pytest.mark.parametrize(
    ("correction", "wanted", "stroke"),
    [
        ((), 50, 50),
        (((10, 11), (100, 108)), 10, 11),
        (((10, 11), (100, 108)), 55, 59.5),
        (((10, 11), (100, 108)), 5, 5.5),
        (((100, 108),), 200, 216),
    ],
)
def test_a_correction_runs_straight_between_its_pairs(
    correction: tuple[tuple[float, float], ...], wanted: float, stroke: float
) -> None:
    assert LiquidClass(name="x", correction=correction).piston_volume(wanted) == pytest.approx(stroke)
