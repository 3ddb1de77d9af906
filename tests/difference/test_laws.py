"""Laws of comparing: nothing differs from itself, names do not matter, and the sides can be exchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from protocols.compiler import compile_protocol
from protocols.difference import Side, difference, side_of_program, side_of_protocol
from protocols.errors import LabwrightError
from protocols.formats.protocol_file import dump_protocol, read_program, read_protocol, write_program
from protocols.program import Aspirate, Dispense, Program
from protocols.protocol import Protocol
from tests.compiler.bench import spec_of
from tests.compiler.generated import protocols

SPEC = spec_of("starlet")
quick = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def compiled(protocol: Protocol) -> Program:
    try:
        return compile_protocol(protocol, SPEC).program
    except LabwrightError:
        assume(False)
        raise


@quick
@given(protocols("starlet"))
def test_nothing_differs_from_itself(protocol: Protocol) -> None:
    side = side_of_protocol(protocol)
    assert difference(side, side).equal


@quick
@given(protocols("starlet"))
def test_a_program_does_what_its_protocol_says(protocol: Protocol) -> None:
    program = compiled(protocol)
    side = side_of_program(program, SPEC)
    assert difference(side, side).equal
    found = difference(side_of_protocol(protocol), side)
    assert [change for change in found.changes if change.what != "fill"] == []


@quick
@given(protocols("starlet"), protocols("starlet"))
def test_the_sides_can_be_exchanged(one: Protocol, other: Protocol) -> None:
    first, second = side_of_protocol(one), side_of_protocol(other)
    assert difference(first, second) == difference(second, first).mirrored()
    program = side_of_program(compiled(other), SPEC)
    assert difference(first, program) == difference(program, first).mirrored()


def renamed(program: Program) -> Program:
    """The same program with other ids, steps and names of liquid classes."""
    classes = {f"class {number}": style for number, style in enumerate(program.liquid_classes.values())}
    names = dict(zip(program.liquid_classes, classes, strict=True))
    return program.model_copy(
        update={
            "title": "another",
            "steps": {},
            "liquid_classes": {name: style.model_copy(update={"name": name}) for name, style in classes.items()},
            "instructions": tuple(
                replace(
                    said,
                    id=f"x{number}",
                    step=None,
                    **({"liquid_class": names[said.liquid_class]} if hasattr(said, "liquid_class") else {}),
                )
                for number, said in enumerate(program.instructions)
            ),
        }
    )


@quick
@given(protocols("starlet"))
def test_names_and_files_make_no_difference(protocol: Protocol) -> None:
    program = compiled(protocol)
    assert difference(side_of_program(program, SPEC), side_of_program(renamed(program), SPEC)).equal
    steps = tuple(
        step.model_copy(update={"id": f"s{number}", "note": "!"}) for number, step in enumerate(protocol.steps)
    )
    other = protocol.model_copy(update={"title": "another", "steps": steps})
    assert difference(side_of_protocol(protocol), side_of_protocol(other)).equal
    with TemporaryDirectory() as folder:
        write_program(program, Path(folder, "p.json"))
        again = read_program(Path(folder, "p.json"))
        Path(folder, "p.yaml").write_text(dump_protocol(protocol))
        written = read_protocol(Path(folder, "p.yaml"))
    assert difference(side_of_program(program, SPEC), side_of_program(again, SPEC)).equal
    assert difference(side_of_protocol(protocol), side_of_protocol(written)).equal


@quick
@given(st.data())
def test_one_volume_that_is_edited_is_one_change(data: st.DataObject) -> None:
    protocol = data.draw(protocols("starlet"))
    able = [n for n, step in enumerate(protocol.steps) if step.do == "transfer" and len(step.destination) == 1]
    assume(able)
    at = data.draw(st.sampled_from(able))
    step = protocol.steps[at]
    assert step.do == "transfer"
    assume(len(step.source) == 1)
    volume = step.volume[0] if isinstance(step.volume, tuple) else step.volume
    assume(volume > 0)
    edited = step.model_copy(update={"volume": volume + data.draw(st.sampled_from([0.1, 7.0, 100.0]))})
    other = protocol.model_copy(update={"steps": (*protocol.steps[:at], edited, *protocol.steps[at + 1 :])})
    (change,) = difference(side_of_protocol(protocol), side_of_protocol(other)).changes
    assert (change.kind, change.key) == ("changed", (step.source[0], step.destination[0]))
    assert set(change.first or {}) == {"volume"}


@quick
@given(protocols("starlet"), st.data())
def test_one_stroke_of_a_program_that_is_edited_is_one_change(protocol: Protocol, data: st.DataObject) -> None:
    """A channel draws and dispenses 1 µL more."""
    program = compiled(protocol)
    pairs = [
        at
        for at, (one, then) in enumerate(zip(program.instructions, program.instructions[1:], strict=False))
        if isinstance(one, Aspirate) and isinstance(then, Dispense) and one.channels == then.channels
    ]
    assume(pairs)
    at = data.draw(st.sampled_from(pairs))
    said = list(program.instructions)
    for place in (at, at + 1):
        stroke = said[place]
        assert isinstance(stroke, Aspirate | Dispense)
        said[place] = replace(stroke, volumes=(stroke.volumes[0] + 1.0, *stroke.volumes[1:]))
    other = program.model_copy(update={"instructions": tuple(said)})
    found = difference(side_of_program(program, SPEC), side_of_program(other, SPEC))
    assert [change.kind for change in found.changes] == ["changed"]
    assert "volume" in (found.changes[0].first or {})


@pytest.mark.parametrize("count", [2000])
def test_long_programs_are_compared_quickly(count: int) -> None:
    def side(last: float) -> Side:
        volumes = [*([5.0] * (count - 1)), last]
        wells = [f"plate/{'ABCDEFGH'[n % 8]}{n // 8 % 12 + 1}" for n in range(count)]
        return side_of_protocol(
            Protocol.model_validate(
                {
                    "title": "t",
                    "steps": [
                        {
                            "id": "a",
                            "do": "transfer",
                            "source": ["bath/A1"],
                            "destination": wells,
                            "volume": [f"{volume} uL" for volume in volumes],
                        },
                        {"id": "b", "do": "mix", "wells": wells[:96], "volume": "5 uL"},
                    ]
                    * 1,
                }
            )
        )

    (change,) = difference(side(5.0), side(6.0)).changes
    assert change.kind == "changed"
