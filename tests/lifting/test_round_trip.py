"""What the compiler made is lifted to a protocol that the compiler makes the same moves of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from protocols.compiler import compile_protocol
from protocols.errors import LabwrightError
from protocols.formats.options import WorklistOptions
from protocols.formats.protocol_file import dump_protocol, read_input, read_protocol
from protocols.labstate import LabState
from protocols.lifting import lift
from protocols.program import Program
from protocols.protocol import AnyStep, Protocol
from protocols.specs import WorkcellSpec
from tests.compiler.bench import EXAMPLES, Walk, moves, spec_of
from tests.compiler.generated import protocols
from tests.lifting.by_hand import differences, of_program, of_protocol

FILES = [*sorted((EXAMPLES / "protocols").glob("*.yaml")), *sorted((EXAMPLES / "worklists").glob("[cd]*.csv"))]


def compiled(protocol: Protocol, spec: WorkcellSpec) -> Program:
    try:
        return compile_protocol(protocol, spec).program
    except LabwrightError:
        assume(False)
        raise


def plain_moves(steps: tuple[AnyStep, ...]) -> list[tuple[str, str, float]]:
    return sorted((source, to, round(volume, 6)) for step in steps for source, to, volume in moves(step) if volume > 0)


@pytest.mark.parametrize("lab", ["starlet", "ot2"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_examples_come_back_and_are_compiled_to_as_many_of_each_instruction(
    lab: str, file: Path, tmp_path: Path
) -> None:
    spec = spec_of(lab)
    written = read_input(file, WorklistOptions(shortfall="neat")).protocol
    assert written is not None
    try:
        made = compile_protocol(written, spec)
    except LabwrightError:
        pytest.skip("not for this workcell")
    lifted = lift(made.program, spec)
    assert lifted.reasons == ()
    assert lifted.lifted == lifted.strokes > 0
    assert plain_moves(lifted.protocol.steps) == plain_moves(written.steps)
    again = compile_protocol(lifted.protocol, spec)
    assert again.tallies == made.tallies
    assert again.program.routes == made.program.routes or len(again.program.routes) == len(made.program.routes)
    (tmp_path / "lifted.yaml").write_text(dump_protocol(lifted.protocol))
    assert read_protocol(tmp_path / "lifted.yaml") == lifted.protocol


@pytest.mark.slow
@pytest.mark.usefixtures("no_films")
@pytest.mark.parametrize("lab", ["starlet", "ot2", "ot2 multi"])
@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_lifted_and_compiled_again_the_same_is_in_every_well(lab: str, data: st.DataObject) -> None:
    spec = spec_of(lab)
    program = compiled(data.draw(protocols(lab)), spec)
    lifted = lift(program, spec)
    assert lifted.reasons == ()
    assert lifted.lifted == lifted.strokes
    was = of_program(program, spec)
    standing = LabState.start(spec, program)
    contents = (*spec.contents, *program.contents)
    if all(standing.volume(well) > 0 for well in _drawn_first(program)):
        assert differences(was, of_protocol(lifted.protocol, contents)) == []
    again = compile_protocol(lifted.protocol, spec).program
    assert differences(was, of_program(again.model_copy(update={"contents": program.contents}), spec)) == []


def _drawn_first(program: Program) -> set[str]:
    received: set[str] = set()
    drawn: set[str] = set()
    for said in program.instructions:
        if said.kind == "aspirate":
            drawn |= set(said.wells) - received
        elif said.kind == "dispense":
            received |= set(said.wells)
    return drawn


@pytest.mark.slow
@pytest.mark.parametrize("lab", ["starlet", "ot2"])
@given(st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_films_make_no_difference(lab: str, data: st.DataObject) -> None:
    spec = spec_of(lab)
    program = compiled(data.draw(protocols(lab)), spec)
    lifted = lift(program, spec)
    assert lifted.reasons == ()
    again = compile_protocol(lifted.protocol, spec).program
    one, other = (_pairs(Walk(made, spec)) for made in (program, again))
    assert one == other


def _pairs(walk: Walk) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for (_, source, destination), volume in walk.moved.items():
        if source != destination:
            found[source, destination] = found.get((source, destination), 0.0) + volume
    return {pair: round(volume, 3) for pair, volume in found.items()}
