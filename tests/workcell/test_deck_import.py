"""Decks that pylabrobot wrote, as workcells: what stands where is the same, and nothing is lost without a word."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pylabrobot.liquid_handling import LiquidHandler, LiquidHandlerChatterboxBackend
from pylabrobot.resources import (
    PLT_CAR_L5AC_A00,
    TIP_CAR_480_A00,
    Coordinate,
    Deck,
    Plate,
    Resource,
    ResourceHolder,
    Trash,
    Trough_CAR_4R200_A00,
    cor_96_wellplate_360uL_Fb,
    hamilton_1_trough_200mL_Vb,
    hamilton_96_tiprack_300uL_filter,
)
from pylabrobot.resources.hamilton import HamiltonSTARDeck, STARDeck, STARLetDeck
from pylabrobot.resources.opentrons import OTDeck

from protocols.errors import InputError
from robots.workcell import Workcell, load_workcell
from robots.workcell.catalogue import make_lid
from robots.workcell.deck_import import ImportedDeck, import_deck
from robots.workcell.labware import containers_of, spots_of
from robots.workcell.opentrons import build_opentrons, load_opentrons


def starlet(make: Callable[..., HamiltonSTARDeck] = STARLetDeck) -> HamiltonSTARDeck:
    deck = make()
    tips, plates, troughs = TIP_CAR_480_A00("tips"), PLT_CAR_L5AC_A00("plates"), Trough_CAR_4R200_A00("troughs")
    tips[0] = hamilton_96_tiprack_300uL_filter("tips_300")
    plates[1] = cor_96_wellplate_360uL_Fb("samples")
    plates[2] = lidded = cor_96_wellplate_360uL_Fb("covered")
    lidded.assign_child_resource(make_lid(lidded))
    troughs[0] = hamilton_1_trough_200mL_Vb("water")
    for carrier, rail in ((tips, 1), (plates, 8), (troughs, 15)):
        deck.assign_child_resource(carrier, rails=rail)
    return deck


def ot2() -> OTDeck:
    deck = OTDeck()
    for slot, name in {
        1: "corning_96_wellplate_360ul_flat",
        2: "opentrons_96_tiprack_300ul",
        3: "opentrons_24_tuberack_nest_1.5ml_snapcap",
        9: "nest_12_reservoir_15ml",
    }.items():
        deck.assign_child_at_slot(build_opentrons(load_opentrons(name), f"on_{slot}"), slot)
    return deck


def bench() -> Deck:
    deck = Deck(size_x=600, size_y=400, size_z=200, name="bench")
    deck.assign_child_resource(cor_96_wellplate_360uL_Fb("plate"), location=Coordinate(10, 20, 5))
    holder = ResourceHolder("nest", size_x=128, size_y=86, size_z=0)
    deck.assign_child_resource(holder, location=Coordinate(200, 20, 30))
    holder.assign_child_resource(hamilton_96_tiprack_300uL_filter("tips"))
    deck.assign_child_resource(
        ResourceHolder("free", size_x=128, size_y=86, size_z=0), location=Coordinate(200, 200, 0)
    )
    deck.assign_child_resource(Trash("trash", size_x=100, size_y=80, size_z=10), location=Coordinate(400, 20, 0))
    return deck


def imported(tmp_path: Path, source: Deck | dict[str, Any]) -> tuple[ImportedDeck, Workcell]:
    data = source if isinstance(source, dict) else source.serialize()
    (tmp_path / "my deck.json").write_text(json.dumps(data), encoding="utf-8")
    result = import_deck(tmp_path / "my deck.json", tmp_path / "lab")
    return result, load_workcell(result.path)


def places(deck: Deck, names: list[str]) -> dict[str, tuple[float, float, float]]:
    """Where each well and tip of labware is on a deck."""
    found = {}
    for name in names:
        resource = deck.get_resource(name)
        inside: dict[str, Resource] = {**containers_of(resource), **spots_of(resource)}
        for well, part in inside.items():
            at = part.get_location_wrt(deck) + part.get_anchor("c", "c", "b")
            found[f"{name}/{well}"] = (round(at.x, 2), round(at.y, 2), round(at.z, 2))
    return found


DECKS: dict[str, tuple[Callable[[], Deck], list[str]]] = {
    "STARlet": (starlet, ["tips_300", "samples", "water"]),
    "STAR": (lambda: starlet(STARDeck), ["tips_300", "samples", "water"]),
    "OT-2": (ot2, ["on_1", "on_2", "on_3", "on_9"]),
    "generic": (bench, ["plate", "tips"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", DECKS)
def test_every_well_and_tip_stands_where_it_stood(tmp_path: Path, kind: str) -> None:
    make, names = DECKS[kind]
    deck = make()
    _, workcell = imported(tmp_path, deck)
    assert workcell.config.deck.type == kind
    mine, its = places(workcell.build_deck(), names), places(deck, names)
    assert mine.keys() == its.keys()
    for well, place in its.items():
        assert mine[well] == pytest.approx(place, abs=0.15), well


def test_what_the_starlet_says(tmp_path: Path) -> None:
    result, workcell = imported(tmp_path, starlet())
    assert set(workcell.config.carriers) == {"tips", "plates", "troughs"}
    assert workcell.spec.labware["samples"].site == "plates-2"
    assert workcell.spec.labware["covered"].lid
    assert workcell.config.labware["water"].kind == "hamilton_1_trough_200mL_Vb"
    assert workcell.spec.kinds["cor_96_wellplate_360uL_Fb"].shape("A1").profile is not None
    assert not list((tmp_path / "lab" / "labware").iterdir())
    assert any("eight channels" in guess for guess in result.guessed)
    assert any("liquids" in what for what in result.left_out)


@pytest.mark.slow
def test_a_liquid_handler_is_a_deck_too(tmp_path: Path) -> None:
    handler = LiquidHandler(backend=LiquidHandlerChatterboxBackend(), deck=starlet())
    _, workcell = imported(tmp_path, json.loads(json.dumps(handler.serialize())))
    assert set(workcell.spec.labware) == {"tips_300", "samples", "covered", "water", "trash"}


def test_labware_of_no_library_is_described(tmp_path: Path) -> None:
    deck = starlet()
    plate = cor_96_wellplate_360uL_Fb("ours")
    plate.model = "our plate"
    plate._size_z += 3
    for well in plate.get_all_items():
        well.height_volume_data = None
        well._compute_volume_from_height = well._compute_height_from_volume = None
    deck.get_resource("plates")[0] = plate
    result, workcell = imported(tmp_path, deck)
    kind = workcell.spec.kinds[workcell.spec.labware["ours"].kind]
    assert kind.kind == "our_plate"
    assert kind.size[2] == pytest.approx(17.2)
    assert kind.shape("A1").max_volume == 360
    assert any(
        guess.startswith("our_plate: how high its liquid stands is guessed: straight walls") for guess in result.guessed
    )
    assert places(workcell.build_deck(), ["ours"]) == places(deck, ["ours"])


def test_measured_heights_are_kept(tmp_path: Path) -> None:
    deck = starlet()
    plate = cor_96_wellplate_360uL_Fb("ours")
    plate.model = None
    for well in plate.get_all_items():
        well.height_volume_data = {0.0: 0.0, 2.0: 40.0, 10.0: 345.0}
    plate._size_x -= 1
    deck.get_resource("plates")[0] = plate
    _, workcell = imported(tmp_path, deck)
    shape = workcell.spec.kinds["ours"].shape("A1")
    assert shape.profile == ((0, 0), (2, 40), (10, 345))


def test_what_is_not_carried_over_is_listed(tmp_path: Path) -> None:
    deck = starlet()
    deck.assign_child_resource(Resource("box", size_x=50, size_y=50, size_z=50), location=Coordinate(700, 100, 100))
    carrier = PLT_CAR_L5AC_A00("own carrier")
    carrier.model = "made by ourselves"
    carrier[0] = cor_96_wellplate_360uL_Fb("lost")
    deck.assign_child_resource(carrier, rails=20)
    deck.get_resource("plates")[3] = Resource("a block", size_x=127, size_y=85, size_z=20)
    result, workcell = imported(tmp_path, deck)
    told = "\n".join(result.left_out)
    assert re.search(r"box: it stands on the deck itself", told)
    assert re.search(r"own carrier: pylabrobot has no carrier 'made by ourselves'; on it: lost", told)
    assert re.search(r"a block: a Resource is no labware with wells or tips", told)
    assert "lost" not in workcell.spec.labware


def hostile(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(bench().serialize()))
    change(data)
    return data


def first(data: dict[str, Any]) -> dict[str, Any]:
    child: dict[str, Any] = data["children"][0]
    return child


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "a machine": (hostile(lambda data: first(data).update(type="STARBackend")), "'STARBackend' is neither"),
    "a machine inside": (
        hostile(lambda data: first(data).update(extra={"type": "HamiltonHeaterShakerBackend"})),
        "is neither labware nor a deck",
    ),
    "a class that is none": (hostile(lambda data: first(data).update(type="os.system")), "'os.system' is neither"),
    "a number for a class": (hostile(lambda data: first(data).update(type=7)), "is neither labware"),
    "no children": (hostile(lambda data: data.pop("children")), "cannot read this deck"),
    "a place that is none": (hostile(lambda data: first(data).update(location="here")), "its place is 'here'"),
    "a size that is none": (hostile(lambda data: first(data).update(size_x="wide")), "size|cannot read"),
    "a negative size": (hostile(lambda data: first(data).update(size_x=-3)), "its size is"),
    "a size without end": (hostile(lambda data: first(data).update(size_x="Infinity")), "its size is"),
    "a name without end": (hostile(lambda data: first(data).update(name="x" * 5000)), "a name of 1 to 128 characters"),
    "wells of other names": (
        hostile(lambda data: first(data).update(ordering={"A1": "nobody"})),
        "do not fit together|cannot read",
    ),
    "a plate": (first(hostile(lambda data: None)), "is a Plate, not a deck"),
    "a list for a well": (hostile(lambda data: first(data).update(ordering=[1, 2])), "its wells have no names"),
    "something else": ({"type": "LiquidHandler"}, "cannot read this deck"),
    "nothing": ({}, "no deck that pylabrobot wrote"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_deck_is_refused(tmp_path: Path, what: str) -> None:
    data, said = HOSTILE[what]
    with pytest.raises(InputError, match=said):
        imported(tmp_path, data)
    assert not (tmp_path / "lab").exists()


def test_a_function_in_the_file_is_never_run(tmp_path: Path) -> None:
    deck = bench()
    ran = str(tmp_path / "ran")
    plate = deck.get_resource("plate")
    assert isinstance(plate, Plate)
    for well in plate.get_all_items():
        well.height_volume_data = None
        well._compute_volume_from_height = lambda height: open(ran, "w") and height  # noqa: SIM115
    plate.model = None
    result, _ = imported(tmp_path, deck)
    assert not Path(ran).exists()
    assert any("told by a function, which is not run" in guess for guess in result.guessed)
