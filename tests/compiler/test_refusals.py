"""What cannot be done is refused with the step, the well and what would help; what is too small gets a proposal."""

from __future__ import annotations

import time
from typing import Any

import pytest

from protocols.compiler import BelowMinimumError, compile_protocol
from protocols.errors import CompileError, LabwrightError, UnknownNameError
from protocols.labstate import LabState
from protocols.protocol import Protocol
from protocols.verify import verify
from tests.compiler.bench import ROUNDING, workcell

STARLET = workcell("starlet").spec
OT2 = workcell("ot2").spec
DYE = [{"liquid": "dye", "wells": "plate/A1:H1", "volume": "100 uL"}]
TINY = {"do": "transfer", "source": "plate/A1", "destination": "other/A1", "volume": "0.3 uL"}


def protocol(*steps: dict[str, Any], materials: Any = DYE, **more: Any) -> Protocol:
    liquids = {name: {"name": name} for name in {material["liquid"] for material in materials}}
    fields = {"title": "t", "labware": {"plate": {}, "other": {}}, "liquids": liquids, "materials": materials}
    return Protocol.model_validate(
        {**fields, **more, "steps": [{"id": f"step {n}", **step} for n, step in enumerate(steps, 1)]}
    )


def move(source: str, destination: str, volume: str, **more: Any) -> dict[str, Any]:
    return {"do": "transfer", "source": source, "destination": destination, "volume": volume, **more}


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        pytest.param(
            protocol(move("plate/A1", "other/A1", "99 uL")),
            CompileError,
            ["step 'step 1'", "plate/A1 gives 98 µL", "2 µL stay behind", "99.18 µL are needed", "Put more"],
            id="dead volume",
        ),
        pytest.param(
            protocol(move("plate/A1", "nowhere/A1", "9 uL")),
            UnknownNameError,
            ["step 'step 1'", "no labware 'nowhere'"],
            id="unknown labware",
        ),
        pytest.param(
            protocol(move("plate/A1", "othr/A1", "9 uL")),
            UnknownNameError,
            ["step 'step 1'", "Did you mean 'other'?"],
            id="mistyped labware",
        ),
        pytest.param(
            protocol(move("plate/A1", "other/P24", "9 uL"), labware={"plate": {}, "other": {"kind": "pcr_96_200ul"}}),
            UnknownNameError,
            ["step 'step 1'", "'other' has no well 'P24'", "96 wells"],
            id="well out of range",
        ),
        pytest.param(
            protocol(move("plate/A1", "tips_300_1/A1", "9 uL")),
            UnknownNameError,
            ["step 'step 1'", "tip rack"],
            id="liquid into a tip rack",
        ),
        pytest.param(
            protocol(move("plate/A1", "other/A1", "9 uL"), labware={"plate": {}, "other": {"kind": "pcr_69"}}),
            UnknownNameError,
            ["labware.other.kind", "pcr_69"],
            id="unknown kind",
        ),
        pytest.param(
            protocol(move("plate/A1", "other/A1", "9 uL"), labware={"plate": {}, "other": {"site": "plates-z-1"}}),
            UnknownNameError,
            ["labware.other.site", "plates-z-1", "Did you mean 'plates-"],
            id="unknown site",
        ),
        pytest.param(
            protocol(move("plate/A1", "other/A1", "9 uL"), labware={"plate": {}, "other": {"site": "tips-a-1"}}),
            CompileError,
            ["labware.other.site", "'tips_300_1' stands there"],
            id="site taken",
        ),
        pytest.param(
            protocol(move("plate/A1", "plate/A1", "9 uL")),
            CompileError,
            ["step 'step 1'", "into itself", "mix step"],
            id="into itself",
        ),
        pytest.param(
            protocol(
                move("plate/A1:H1", "other/A1", "60 uL"), labware={"plate": {}, "other": {"kind": "flat_96_360ul"}}
            ),
            CompileError,
            ["step 'step 1'", "other/A1 would get 480 µL, it holds 360 µL", "deeper"],
            id="runs over",
        ),
        pytest.param(
            protocol(move("plate/A1:H1", "other/A1", "9 mL")),
            CompileError,
            ["labware.other", "no plate holds 72 mL a well"],
            id="no kind is deep enough",
        ),
        pytest.param(
            protocol(move("plate/A1", "other/A1", "9 uL"), labware={"plate": {}, "other": {"lid": True}}),
            CompileError,
            ["step 'step 1'", "'other' has its lid on", "Take the lid off"],
            id="lid",
        ),
        pytest.param(
            protocol({"do": "wait", "duration": "8 days"}),
            CompileError,
            ["step 'step 1'", "192 h", "168 h"],
            id="wait",
        ),
        pytest.param(
            protocol({"do": "move", "labware": "plate", "site": "reader"}),
            UnknownNameError,
            ["step 'step 1'", "no site 'reader'"],
            id="move to nowhere",
        ),
        pytest.param(
            protocol({"do": "move", "labware": "plate", "site": "troughs-3"}),
            CompileError,
            ["step 'step 1'", "it takes no plate"],
            id="move to a site for troughs",
        ),
        pytest.param(
            protocol({"do": "move", "labware": "plate", "site": "tips-a-1"}),
            CompileError,
            ["step 'step 1'", "'tips_300_1' stands there"],
            id="move to a taken site",
        ),
        pytest.param(
            protocol(materials=[{"liquid": "dye", "wells": "buffer/A1", "volume": "1 mL"}]),
            CompileError,
            ["materials, 'dye'", "buffer/A1 holds water already"],
            id="another liquid stands there",
        ),
        pytest.param(
            protocol(
                materials=[{"liquid": "dye", "wells": "plate/A1", "volume": "3 mL"}],
                labware={"plate": {"kind": "flat_96_360ul"}},
            ),
            CompileError,
            ["materials, 'dye'", "plate/A1 would start with 3 mL, it holds 360 µL"],
            id="too much to start with",
        ),
        pytest.param(
            protocol(liquids={"dye": {"name": "dye"}, "water": {"name": "water", "lot": "mine"}}),
            CompileError,
            ["liquids.water.lot", "'mine'", "'unrecorded'"],
            id="a liquid described in two ways",
        ),
        pytest.param(
            protocol(move("plate/A1", "other/A1", "1e12 uL"), labware={"plate": {}, "other": {"kind": "flat_6_17ml"}}),
            CompileError,
            ["step 'step 1'", "no tip moves"],
            id="a cubic kilometre",
        ),
    ],
)
def test_refusals_name_the_place_and_what_helps(asked: Protocol, kind: type[LabwrightError], words: list[str]) -> None:
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        compile_protocol(asked, STARLET)
    for word in words:
        assert word in str(caught.value)
    assert time.monotonic() - started < 5


def test_a_workcell_without_an_arm_asks_for_a_person() -> None:
    with pytest.raises(CompileError, match=r"no arm.*ask step"):
        compile_protocol(protocol({"do": "move", "labware": "plate", "site": "slot-3"}), OT2)


def test_a_program_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.compiler.emitter.MOST_INSTRUCTIONS", 50)
    many = protocol(*[move("plate/A1", "other/A1", "2 uL", handling={"tips": "each transfer"})] * 20)
    with pytest.raises(CompileError, match="more than 50 instructions"):
        compile_protocol(many, STARLET)


def test_more_than_a_well_can_hold_is_never_drawn_from_one_that_nobody_declared() -> None:
    deep = {"plate": {"kind": "deepwell_96_2ml"}, "other": {"kind": "deepwell_96_2ml"}}
    fine = protocol(move("plate/A1", "other/A1", "2 mL"), materials=[], labware=deep)
    compiled = compile_protocol(fine, STARLET)
    assert "Have at least 2.001 mL" in " ".join(compiled.setup)
    errors = [finding for finding in verify(compiled.program, STARLET).findings if finding.severity == "error"]
    assert {(finding.code, finding.place) for finding in errors} == {("L01", "plate/A1")}, (
        "so it is not approved as it is"
    )
    with pytest.raises(CompileError, match="plate/A1 gives"):
        compile_protocol(
            protocol(*[move("plate/A1", f"other/{row}1", "1 mL") for row in "ABC"], materials=[], labware=deep), STARLET
        )


# -- below the minimum ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("lab", "volume"), [("starlet", 0.3), ("starlet", 0.07), ("ot2", 0.3), ("ot2", 0.999)])
def test_the_dilution_that_is_proposed_compiles_and_gives_the_asked_amount(lab: str, volume: float) -> None:
    spec = workcell(lab).spec
    with pytest.raises(BelowMinimumError) as caught:
        compile_protocol(protocol(TINY | {"volume": f"{volume} uL"}), spec)
    (proposal,) = caught.value.dilutions
    assert (proposal.source, proposal.destination, proposal.volume) == ("plate/A1", "other/A1", volume)
    assert proposal.factor == -(-proposal.minimum // volume), "the smallest whole number that is enough"
    assert proposal.fits
    assert proposal.source_suffices
    mended = protocol(
        move("water/A1", "plate/A5", f"{proposal.diluent_volume} uL", handling={"touch": True}),
        move("plate/A1", "plate/A5", f"{proposal.stock_volume} uL", handling={"touch": True, "mix_after": 5}),
        move("plate/A5", "other/A1", f"{proposal.transfer_volume} uL"),
        labware={"plate": {}, "other": {}, "water": {"category": "trough"}},
        liquids={"dye": {"name": "dye"}, "pure": {"name": "pure"}},
        materials=[*DYE, {"liquid": "pure", "wells": "water/A1", "volume": "9 mL"}],
    )
    compiled = compile_protocol(mended, spec)
    verified = verify(compiled.program, spec)
    assert verified.ok
    assert verified.state.volume("other/A1") == pytest.approx(proposal.transfer_volume, abs=ROUNDING)
    assert verified.state.composition("other/A1")["dye"] == pytest.approx(volume, rel=0.03)


def test_every_transfer_that_is_too_small_is_listed_with_its_row() -> None:
    step = TINY | {"source": "plate/A1:C1", "destination": "other/A1:C1", "rows": ["line 2", "line 3", "line 4"]}
    asked = protocol(step | {"volume": ["0.2 uL", "5 uL", "0.5 uL"]})
    with pytest.raises(BelowMinimumError) as caught:
        compile_protocol(asked, STARLET)
    assert [(found.row, found.factor) for found in caught.value.dilutions] == [("line 2", 5), ("line 4", 2)]
    said = str(caught.value)
    assert "2 transfers are too small" in said
    assert (
        "row line 2: 0.2 µL from plate/A1 to other/A1 is less than 1 µL; dilute it 1 in 5 (1 µL + 4 µL diluent)" in said
    )


def test_a_proposal_says_when_the_wells_are_in_its_way() -> None:
    full = STARLET.kinds["pcr_96_200ul"].shape("A1").max_volume - 0.1
    nearly_full = [
        {"liquid": "dye", "wells": "plate/A1", "volume": "2.5 uL"},
        {"liquid": "buffer", "wells": "other/A1", "volume": f"{full} uL"},
    ]
    kinds = {"plate": {"kind": "pcr_96_200ul"}, "other": {"kind": "pcr_96_200ul"}}
    with pytest.raises(BelowMinimumError) as caught:
        compile_protocol(protocol(TINY | {"volume": "0.1 uL"}, materials=nearly_full, labware=kinds), STARLET)
    (proposal,) = caught.value.dilutions
    assert proposal.source_suffices is False
    assert proposal.fits is False
    assert "but plate/A1 does not hold 1 µL" in str(proposal)
    assert "only if other/A1 gets 0.9 µL less of others" in str(proposal)


# -- the deck as it is ----------------------------------------------------------------------------------


def test_used_tips_are_not_used_again() -> None:
    state = LabState.start(STARLET)
    first = compile_protocol(
        protocol(move("plate/A1:H1", "other/A1:H1", "20 uL", handling={"tips": "each transfer"})), STARLET
    )
    state = verify(first.program, STARLET, state=state).state
    again = compile_protocol(
        protocol(move("plate/A1:H1", "other/A1:H1", "20 uL", handling={"tips": "each transfer"})), STARLET, state=state
    )
    assert verify(again.program, STARLET, state=state).ok
    spots = [
        {spot for said in compiled.program.instructions if said.kind == "pick_up_tips" for spot in said.spots}
        for compiled in (first, again)
    ]
    assert len(spots[0]) == len(spots[1]) == 8
    assert not spots[0] & spots[1]


def test_what_is_left_in_a_trough_is_all_there_is() -> None:
    """80 mL of water stand in the STARlet's trough, 3 mL of it dead: after 70 mL only 7 mL can be had."""
    bath = {"other": {"category": "trough"}}
    asked = protocol(move("buffer/A1", "other/A1", "70 mL"), materials=[], labware=bath)
    state = verify(compile_protocol(asked, STARLET).program, STARLET).state
    with pytest.raises(CompileError, match="buffer/A1 gives"):
        compile_protocol(
            protocol(move("buffer/A1", "other/A1", "8 mL"), materials=[], labware=bath), STARLET, state=state
        )
    less = protocol(move("buffer/A1", "other/A1", "6 mL"), materials=[], labware=bath)
    assert verify(compile_protocol(less, STARLET, state=state).program, STARLET, state=state).ok
    filled = protocol(
        move("buffer/A1", "other/A1", "8 mL"),
        labware=bath,
        liquids={"water": {"name": "water"}},
        materials=[{"liquid": "water", "wells": "buffer/A1", "volume": "40 mL"}],
    )
    again = compile_protocol(filled, STARLET, state=state)
    (fill,) = again.program.contents
    assert fill.volume == pytest.approx(30_000, abs=5), "10 mL and a few films are left of 80"
    assert verify(again.program, STARLET, state=state).ok


def test_plates_of_earlier_runs_make_room_and_those_with_the_same_name_stay() -> None:
    """The OT-2 has six free slots: a seventh plate stands where one of an earlier run stood."""
    state = LabState.start(OT2)
    first = protocol(labware={f"old {n}": {} for n in range(6)}, materials=[])
    state = verify(compile_protocol(first, OT2, state=state).program, OT2, state=state).state
    assert all(state.labware_at(f"slot-{n}") for n in range(1, 7))
    wanted = protocol(move("plate/A1", "other/A1", "20 uL"), labware={"plate": {}, "other": {}})
    compiled = compile_protocol(wanted, OT2, state=state)
    verified = verify(compiled.program, OT2, state=state)
    assert verified.ok
    assert verified.state.volume("other/A1") == pytest.approx(20)
    again = protocol(move("reservoir/A2", "other/A1", "50 uL"), labware={"other": {}}, materials=[])
    fresh = compile_protocol(again, OT2, state=verified.state)
    assert verify(fresh.program, OT2, state=verified.state).ok


def test_a_plate_left_by_an_earlier_run_and_asked_for_on_its_site_keeps_what_is_in_it() -> None:
    at = {"other": {"kind": "pcr_96_200ul", "site": "plates-b-1"}}
    first = protocol(move("buffer/A1", "other/A1", "50 uL"), materials=[], labware=at)
    state = verify(compile_protocol(first, STARLET).program, STARLET).state
    second = compile_protocol(
        protocol(move("other/A1", "other/B1", "40 uL"), materials=[], labware=at), STARLET, state=state
    )
    assert "'other' stays, with what an earlier run left in it" in second.notes
    verified = verify(second.program, STARLET, state=state)
    assert verified.ok
    assert verified.state.volume("other/B1") == pytest.approx(40)
    with pytest.raises(CompileError, match="other/A1 gives"):
        compile_protocol(
            protocol(move("other/A1", "other/B1", "60 uL"), materials=[], labware=at), STARLET, state=state
        )


def test_what_workcell_and_protocol_say_of_a_liquid_is_put_together() -> None:
    said = {"water": {"name": "water", "behaviours": ["foaming"]}}
    asked = protocol(move("buffer/A1", "other/A1", "50 uL"), liquids=said, materials=[])
    program = compile_protocol(asked, STARLET).program
    assert program.liquids["water"].lot == "unrecorded"
    assert program.liquids["water"].behaviours == {"foaming"}
    assert all(style.suits == {"foaming"} for style in program.liquid_classes.values())


def test_settled_cells_are_not_touched() -> None:
    cells = [{"liquid": "medium", "wells": "plate/A1", "volume": "200 uL", "settled": "monolayer"}]
    flat = {"plate": {"kind": "flat_96_360ul"}, "other": {"kind": "flat_96_360ul"}}
    compiled = compile_protocol(
        protocol(move("plate/A1", "other/A1", "100 uL"), materials=cells, labware=flat), STARLET
    )
    heights = [said.height for said in compiled.program.instructions if said.kind == "aspirate"]
    assert heights == [1.0]
    assert verify(compiled.program, STARLET).ok
    with pytest.raises(CompileError, match="plate/A1 gives"):
        compile_protocol(protocol(move("plate/A1", "other/A1", "180 uL"), materials=cells, labware=flat), STARLET)
