"""Real protocols: how much of them is lifted, what stays, and that what is lifted says the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from protocols.compiler import compile_protocol
from protocols.errors import CompileError
from protocols.formats.protocol_file import dump_protocol, read_protocol
from protocols.lifting import Lifted, lift
from protocols.opentrons.inference import infer_contents
from protocols.program import Program
from protocols.protocol import Instructions
from protocols.specs import WorkcellSpec
from protocols.verify import verify
from robots.importing import workcell_for
from tests.compiler.bench import spec_of
from tests.lifting.by_hand import differences, of_program, of_protocol
from tests.opentrons import corpus
from tests.opentrons.bench import imported

DIVIDED = {
    "Flex_S_v2_18_KAPA_Library_Quant",
    "OT2_S_v2_20_P300M_Simple",
    "OT2_S_v2_7_P20S_None_Walkthrough",
}
"""Files in which a well gives less than is asked of it, and what comes goes to several wells."""


@cache
def lifted(name: str) -> tuple[Program, WorkcellSpec, Lifted]:
    with TemporaryDirectory() as folder:
        result = imported(corpus.analysis(name), Path(folder))
        spec = workcell_for(result, "it", Path(folder)).workcell.spec
    set_up = infer_contents(result, spec)
    return set_up.program, spec, lift(set_up.program, spec, inferred=set_up.inferred)


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus.SUCCEEDED)
def test_all_is_lifted_but_what_no_step_says(name: str) -> None:
    _, _, found = lifted(name)
    reasons = {kept.reason for kept in found.kept}
    if name in DIVIDED:
        assert all("gives less than is asked of it" in reason for reason in reasons)
        assert 0.7 < found.lifted / found.strokes < 1
    else:
        assert reasons == set()
        assert found.lifted == found.strokes


@pytest.mark.parametrize("name", corpus.SUCCEEDED)
def test_every_stroke_is_lifted_or_stays(name: str) -> None:
    program, _, found = lifted(name)
    strokes = sum(len(said.channels) for said in program.instructions if said.kind in ("aspirate", "dispense", "mix"))
    assert found.strokes == strokes == found.lifted + sum(kept.strokes for kept in found.kept)
    ids = [one.id for step in found.protocol.steps if isinstance(step, Instructions) for one in step.instructions]
    assert len(ids) == sum(kept.count for kept in found.kept) == len(set(ids))


@pytest.mark.parametrize("name", sorted(set(corpus.SUCCEEDED) - DIVIDED))
def test_the_steps_leave_in_every_well_what_the_instructions_leave(name: str) -> None:
    program, spec, found = lifted(name)
    contents = (*spec.contents, *program.contents)
    assert differences(of_program(program, spec), of_protocol(found.protocol, contents)) == []


@pytest.mark.parametrize("name", corpus.NAMES)
def test_what_is_lifted_reads_back_equal(name: str, tmp_path: Path) -> None:
    found = lifted(name)[2].protocol
    (tmp_path / "it.yaml").write_text(dump_protocol(found))
    assert read_protocol(tmp_path / "it.yaml") == found


def test_instructions_that_stay_are_carried_out_on_their_own_robot_and_refused_on_another() -> None:
    _, spec, found = lifted("OT2_S_v2_7_P20S_None_Walkthrough")
    (kept,) = (step for step in found.protocol.steps if isinstance(step, Instructions))
    made = compile_protocol(found.protocol, spec).program
    passed = [said for said in made.instructions if said.step == kept.id]
    assert [said.kind for said in passed][-len(kept.instructions) :] == [said.kind for said in kept.instructions]
    with pytest.raises(
        CompileError, match=r"a robot's own instructions.*lacks pipette 'right'.*gives less than is asked"
    ):
        compile_protocol(found.protocol, spec_of("starlet"))


COMPILED_AGAIN = {
    "OT2_S_v2_11_P10S_P300M_MM_TC1_TM_Swift",
    "OT2_S_v2_20_8_None_PARTIAL_COLUMN_HappyPathMixedTipRacks",
    "OT2_S_v2_7_P20S_None_Walkthrough",
    "OT2_S_v4_P300M_P20S_MM_TM_TC1_PD40",
    "OT2_S_v6_P20S_P300M_TransferReTransferLiquid",
    "OT2_S_v6_P300M_P20S_MixTransferManyLiquids",
    "OT2_S_v6_P300M_P300S_HS_HS_NormalUseWithTransfer",
}
"""Files whose robot has a pipette that reaches single wells."""


@pytest.mark.parametrize("name", sorted(COMPILED_AGAIN))
def test_a_lifted_protocol_is_compiled_for_the_robot_it_came_from(name: str) -> None:
    _, spec, found = lifted(name)
    assert compile_protocol(found.protocol, spec).program.instructions


def test_a_lifted_protocol_is_compiled_for_another_robot_once_it_says_what_stands_for_its_labware() -> None:
    """The tube racks of an OT-2 become plates of a STARlet, which has no racks; its tips are its own."""
    _, _, found = lifted("OT2_S_v6_P20S_P300M_TransferReTransferLiquid")
    starlet = spec_of("starlet")
    with pytest.raises(CompileError, match="With another category these would do: plate"):
        compile_protocol(found.protocol, starlet)
    labware = {
        name: need.model_copy(update={"category": "plate"}) if need.category == "tube rack" else need
        for name, need in found.protocol.labware.items()
    }
    made = compile_protocol(found.protocol.model_copy(update={"labware": labware}), starlet)
    assert not any("tiprack" in name for name in made.program.labware)
    assert verify(made.program, starlet).ok
