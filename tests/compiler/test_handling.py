"""How liquid is moved: strokes, air gaps, wetting, mixing, touching, tips by choice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from protocols.compiler import Compilation, compile_protocol, liquid_class_for
from protocols.errors import CompileError
from protocols.program import AirGap, Aspirate, Dispense, Mix, PickUpTips
from protocols.protocol import Protocol
from protocols.specs import WorkcellSpec
from protocols.verify import verify
from tests.compiler.bench import Walk, tips_used, workcell

DEEP = {"starlet": "deepwell_96_2ml", "ot2": "nest_96_wellplate_2ml_deep"}


def only_tips(spec: WorkcellSpec, word: str) -> WorkcellSpec:
    """The workcell with tip racks of one size alone."""
    kept = {
        name: placed
        for name, placed in spec.labware.items()
        if spec.kinds[placed.kind].tip is None or word in placed.kind
    }
    return spec.model_copy(update={"labware": kept})


def transfer(
    spec: WorkcellSpec,
    volume: str,
    *,
    kind: str | None = None,
    count: int = 1,
    behaviours: tuple[str, ...] = (),
    into: float = 0.0,
    **handling: Any,
) -> Compilation:
    """Move from the first wells of a column to those of another; ``into``: µL of another liquid wait there."""
    rows = "ABCDEFGH"[:count]
    materials = [{"liquid": "dye", "wells": f"from/A1:{rows[-1]}1", "volume": "1500 uL" if kind else "150 uL"}]
    if into:
        materials.append({"liquid": "water", "wells": f"to/A1:{rows[-1]}1", "volume": f"{into} uL"})
    protocol = Protocol.model_validate(
        {
            "title": "one transfer",
            "labware": {"from": {"kind": kind}, "to": {"kind": kind}},
            "liquids": {"dye": {"name": "dye", "behaviours": behaviours}, "water": {"name": "water"}},
            "materials": materials,
            "steps": [
                {
                    "id": "move",
                    "do": "transfer",
                    "source": f"from/A1:{rows[-1]}1",
                    "destination": f"to/A1:{rows[-1]}1",
                    "volume": volume,
                    "handling": handling,
                }
            ],
        }
    )
    compiled = compile_protocol(protocol, spec)
    assert verify(compiled.program, spec).ok
    return compiled


def of(compiled: Compilation, kind: type) -> list[Any]:
    return [said for said in compiled.program.instructions if isinstance(said, kind)]


@pytest.mark.parametrize(
    ("lab", "tips", "strokes"),
    [
        pytest.param("starlet", "tips_300", [300.0] * 3, id="filter tips of 360: 900 in three, 336.8 fit"),
        pytest.param("ot2", "tiprack_300", [225.0] * 4, id="tips of 300: 900 in four, 279.85 fit"),
        pytest.param("starlet", "tips_1000", [900.0], id="tips of 1065: 900 at once"),
        pytest.param("starlet", "tips_50", [900.0 / 18] * 18, id="tips of 60: 900 in eighteen, 51.97 fit"),
    ],
)
def test_900_ul_in_equal_strokes_that_leave_room_for_air_and_film(lab: str, tips: str, strokes: list[float]) -> None:
    """A tip's capacity less blow-out air (5 %), transport air (5 µL) and film (0.05 %) is what one stroke delivers.

    So 300 µL tips make three strokes of 900 µL only where they hold 360 µL, as Hamilton's do.
    """
    compiled = transfer(only_tips(workcell(lab).spec, tips), "900 uL", kind=DEEP[lab])
    delivered = [volume for said in of(compiled, Dispense) for volume in said.volumes]
    assert delivered == pytest.approx(strokes)
    assert tips_used(compiled.program) == 1
    tip = next(spec.tip for spec in workcell(lab).spec.kinds.values() if spec.tip and tips in spec.kind)
    style = compiled.program.liquid_classes[of(compiled, Aspirate)[0].liquid_class]
    room = tip.capacity - style.blow_out - style.transport_air - style.film
    assert len(strokes) == -(-900 // room)


def test_a_stroke_too_many_is_not_made_where_all_fits_one() -> None:
    spec = only_tips(workcell("starlet").spec, "tips_300")
    room = 360 - 18 - 5 - 0.18
    assert len(of(transfer(spec, f"{room} uL", kind=DEEP["starlet"]), Aspirate)) == 1
    assert len(of(transfer(spec, f"{room + 0.01} uL", kind=DEEP["starlet"]), Aspirate)) == 2


def test_an_air_gap_follows_each_draw_takes_room_and_leaves_with_the_liquid() -> None:
    spec = only_tips(workcell("starlet").spec, "tips_300")
    compiled = transfer(spec, "600 uL", kind=DEEP["starlet"], air_gap="30 uL")
    kinds = [said.kind for said in compiled.program.instructions]
    assert kinds == ["pick_up_tips", *["aspirate", "air_gap", "dispense"] * 2, "drop_tips"]
    assert [said.volumes for said in of(compiled, AirGap)] == [(30.0,), (30.0,)]
    assert [said.volumes for said in of(compiled, Dispense)] == [(330.0,), (330.0,)]
    moved = Walk(compiled.program, spec).moved
    assert moved == pytest.approx({("move", "from/A1", "to/A1"): 600.0})
    assert len(of(transfer(spec, "320 uL", kind=DEEP["starlet"]), Aspirate)) == 1
    assert len(of(transfer(spec, "320 uL", kind=DEEP["starlet"], air_gap="30 uL"), Aspirate)) == 2


def test_wetting_is_for_the_first_draw_of_a_fresh_tip() -> None:
    spec = only_tips(workcell("starlet").spec, "tips_300")
    compiled = transfer(spec, "600 uL", kind=DEEP["starlet"], pre_wet=2)
    cycles = [compiled.program.liquid_classes[said.liquid_class].pre_wet for said in of(compiled, Aspirate)]
    assert cycles == [2, 0]
    volatile = transfer(spec, "100 uL", behaviours=("volatile",))
    assert [compiled_class.pre_wet for compiled_class in volatile.program.liquid_classes.values()] == [3]


def test_mixing_before_is_in_the_source_and_after_in_the_destination_once() -> None:
    spec = only_tips(workcell("starlet").spec, "tips_300")
    compiled = transfer(spec, "600 uL", kind=DEEP["starlet"], mix_before=4, mix_after=3, mix_volume="80 uL")
    acts = [(said.kind, said.wells) for said in compiled.program.instructions if hasattr(said, "wells")]
    assert acts[0] == ("mix", ("from/A1",))
    assert acts[-1] == ("mix", ("to/A1",))
    before, after = of(compiled, Mix)
    assert (before.cycles, before.volumes) == (4, (80.0,))
    assert (after.cycles, after.volumes) == (3, (80.0,))


def test_mixing_after_follows_the_last_of_many_strokes_whatever_else_is_moved_beside_them() -> None:
    """480 µL of a foaming liquid with tips of 60 µL: nine tips, more than there are channels."""
    protocol = Protocol.model_validate(
        {
            "title": "strokes",
            "labware": {"to": {"kind": DEEP["starlet"]}, "bath": {"category": "trough"}},
            "liquids": {"soap": {"name": "soap", "behaviours": ["foaming"]}},
            "materials": [{"liquid": "soap", "wells": "bath/A1", "volume": "10 mL"}],
            "steps": [
                {
                    "id": "move",
                    "do": "distribute",
                    "source": "bath/A1",
                    "destination": ["to/B1", "to/A1"],
                    "volume": ["2 uL", "480 uL"],
                    "handling": {"mix_after": 2},
                }
            ],
        }
    )
    compiled = compile_protocol(protocol, only_tips(workcell("starlet").spec, "tips_50"))
    into: dict[str, float] = {}
    mixed_at: dict[str, list[float]] = {}
    for said in compiled.program.instructions:
        if isinstance(said, Dispense):
            for well, volume in zip(said.wells, said.volumes, strict=True):
                into[well] = into.get(well, 0.0) + volume
        elif isinstance(said, Mix):
            for well in said.wells:
                mixed_at.setdefault(well, []).append(into[well])
    assert mixed_at == {"to/A1": [pytest.approx(480.0)], "to/B1": [pytest.approx(2.0)]}


def test_the_mixing_stroke_is_what_was_moved_unless_said_and_what_there_is_at_most() -> None:
    spec = only_tips(workcell("starlet").spec, "tips_300")
    assert of(transfer(spec, "50 uL", into=100, mix_after=2), Mix)[0].volumes == (50.0,)
    lowered = transfer(spec, "50 uL", into=100, mix_after=2, mix_volume="330 uL")
    assert of(lowered, Mix)[0].volumes[0] == pytest.approx(150 - 2)  # the PCR plate's 2 µL are out of reach
    assert "step 'move': mixing strokes are smaller than asked where tip or well has no room" in lowered.notes


def test_liquid_falls_from_the_rim_unless_it_is_to_touch() -> None:
    spec = workcell("starlet").spec
    falling, touching = transfer(spec, "50 uL"), transfer(spec, "50 uL", touch=True)

    def style(compiled: Compilation) -> tuple[bool, float]:
        said = of(compiled, Dispense)[0]
        return compiled.program.liquid_classes[said.liquid_class].jet, said.height

    depth = spec.kinds["pcr_96_200ul"].shape("A1").depth
    assert style(falling) == (True, depth)
    assert style(touching)[0] is False
    assert style(touching)[1] <= 1.0


@pytest.mark.parametrize("behaviour", ["foaming", "viscous"])
def test_what_foams_or_strings_touches_and_so_takes_a_tip_for_each_well_with_other_liquid(behaviour: str) -> None:
    spec = workcell("starlet").spec
    assert tips_used(transfer(spec, "20 uL", count=4, into=50, behaviours=(behaviour,)).program) == 4
    assert tips_used(transfer(spec, "20 uL", count=4, into=50).program) == 1


def test_tips_by_choice() -> None:
    spec = workcell("starlet").spec
    assert tips_used(transfer(spec, "20 uL", count=8).program) == 1
    assert tips_used(transfer(spec, "20 uL", count=8, tips="each transfer").program) == 8
    assert tips_used(transfer(spec, "20 uL", count=8, into=50, tips="one").program) == 1


def test_one_tip_for_volumes_that_no_single_tip_moves_is_refused() -> None:
    """The P300 moves no 1.5 µL; behind 17 µL of air the P20 moves 1.99 µL at a stroke, and 1.2 mL in no 500 strokes."""
    step = {
        "id": "move",
        "do": "transfer",
        "source": ["a/A1", "a/A1"],
        "destination": ["b/A1", "b/B1"],
        "volume": ["1.5 uL", "1.2 mL"],
        "handling": {"tips": "one", "air_gap": "17 uL"},
    }
    labware = {"a": {"kind": DEEP["ot2"]}, "b": {"kind": DEEP["ot2"]}}
    protocol = Protocol.model_validate({"title": "t", "labware": labware, "steps": [step]})
    with pytest.raises(CompileError, match="step 'move': no single tip moves both"):
        compile_protocol(protocol, workcell("ot2").spec)


def test_a_serial_dilution_keeps_its_tip_and_mixes_with_half_a_well() -> None:
    protocol = Protocol.model_validate(
        {
            "title": "series",
            "labware": {"plate": {"kind": "flat_96_360ul"}},
            "liquids": {"dye": {"name": "dye"}},
            "materials": [{"liquid": "dye", "wells": "plate/A1", "volume": "220 uL"}],
            "steps": [
                {
                    "id": "series",
                    "do": "serial_dilution",
                    "wells": "plate/A1:A5",
                    "diluent": "buffer/A1",
                    "factor": 4,
                    "volume": "200 uL",
                    "mix_cycles": 6,
                }
            ],
        }
    )
    compiled = compile_protocol(protocol, workcell("starlet").spec)
    assert tips_used(compiled.program) == 2, "one for the diluent, one for the series"
    mixes = of(compiled, Mix)
    assert [(said.wells, said.cycles, said.volumes) for said in mixes] == [
        ((f"plate/A{n}",), 6, (100.0,)) for n in range(2, 6)
    ]
    state = verify(compiled.program, workcell("starlet").spec).state
    dye = [state.composition(f"plate/A{n}")["dye"] / state.volume(f"plate/A{n}") for n in range(2, 6)]
    assert dye == pytest.approx([1 / 4, 1 / 16, 1 / 64, 1 / 256], rel=0.02)
    assert [state.volume(f"plate/A{n}") for n in range(2, 6)] == pytest.approx([150.0] * 4, abs=1)


def test_flow_rates_stay_within_the_workcells_limit() -> None:
    spec = workcell("starlet").spec
    slow = spec.model_copy(update={"limits": spec.limits.model_copy(update={"flow_rate": 60.0})})
    compiled = transfer(slow, "100 uL")
    assert max(style.dispense_flow_rate for style in compiled.program.liquid_classes.values()) == 60.0
    assert any("lowered to the workcell's limit of 60 µL/s" in note for note in compiled.notes)
    assert transfer(spec, "100 uL").notes == ()


def test_a_liquid_class_for_several_behaviours_is_the_gentlest_of_each() -> None:
    tip = workcell("starlet").spec.kinds["tips_300"].tip
    assert tip is not None
    water = liquid_class_for(frozenset(), tip)
    both = liquid_class_for(frozenset({"viscous", "volatile"}), tip)
    assert both.suits == {"viscous", "volatile"}
    assert both.aspirate_flow_rate == 50 < water.aspirate_flow_rate
    assert both.dispense_flow_rate == 10
    assert (both.film, both.pre_wet, both.settle) == (3.6, 3, 2.0)
    assert not liquid_class_for(frozenset({"viscous"}), tip, jet=True).jet


def test_racks_are_exchanged_when_they_run_out_in_one_visit() -> None:
    """Four racks of 50 µL tips are 384; six plates take 576: two racks are exchanged, before the fifth plate."""
    spec = workcell("starlet").spec
    wells = [f"{row}{column}" for column in range(1, 13) for row in "ABCDEFGH"]
    protocol = Protocol.model_validate(
        {
            "title": "six plates",
            "labware": {"from": {}, "to": {}},
            "liquids": {well: {"name": well} for well in wells},
            "materials": [{"liquid": well, "wells": f"from/{well}", "volume": "150 uL"} for well in wells],
            "steps": [
                {
                    "id": f"plate {n}",
                    "do": "transfer",
                    "source": "from/A1:H12",
                    "destination": "to/A1:H12",
                    "volume": "5 uL",
                    "handling": {"tips": "each transfer"},
                }
                for n in range(6)
            ],
        }
    )
    compiled = compile_protocol(protocol, spec)
    verified = verify(compiled.program, spec)
    assert verified.ok
    replaced = [said for said in compiled.program.instructions if said.kind == "replace_tip_rack"]
    assert {said.step for said in replaced} == {"plate 4"}
    assert len({said.rack for said in replaced}) == 2 == compiled.tallies.racks_exchanged
    assert compiled.tallies.person_actions == 2
    at = [said.kind for said in compiled.program.instructions]
    first = at.index("replace_tip_rack")
    assert at[first : first + 2] == ["replace_tip_rack"] * 2
    most = max(Counter(spot for said in of(compiled, PickUpTips) for spot in said.spots).values())
    assert most == 2, "a spot is used again only after its rack was exchanged"


def test_the_ot2_changes_racks_tip_by_tip() -> None:
    spec = only_tips(workcell("ot2").spec, "tiprack_300")
    one_rack = spec.model_copy(update={"labware": {n: p for n, p in spec.labware.items() if n != "tips_300_2"}})
    step = {
        "do": "transfer",
        "source": "from/A1:H12",
        "destination": "to/A1:H12",
        "volume": "25 uL",
        "handling": {"tips": "each transfer"},
    }
    protocol = Protocol.model_validate(
        {
            "title": "two plates",
            "labware": {"from": {"kind": DEEP["ot2"]}, "to": {"kind": DEEP["ot2"]}},
            "liquids": {"dye": {"name": "dye"}},
            "materials": [{"liquid": "dye", "wells": "from/A1:H12", "volume": "200 uL"}],
            "steps": [{"id": "one", **step}, {"id": "two", **step}],
        }
    )
    compiled = compile_protocol(protocol, one_rack)
    assert verify(compiled.program, one_rack).ok
    assert (compiled.tallies.tips_in_all, compiled.tallies.racks_exchanged) == (192, 1)


def test_a_well_of_which_no_tip_reaches_anything_is_not_mixed() -> None:
    protocol = Protocol.model_validate(
        {
            "title": "mixing",
            "labware": {"plate": {"kind": "corning_96_wellplate_360ul_flat"}},
            "liquids": {"dye": {"name": "dye"}},
            "materials": [{"liquid": "dye", "wells": "plate/A1", "volume": "15 uL"}],
            "steps": [{"id": "stir", "do": "mix", "wells": "plate/A1", "volume": "20 uL"}],
        }
    )
    with pytest.raises(CompileError, match="plate/A1 holds 15 µL, of which no tip reaches 15 µL"):
        compile_protocol(protocol, workcell("flex").spec)
