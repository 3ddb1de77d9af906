"""Measuring the lab, against amounts worked out by hand."""

from __future__ import annotations

import pytest

from protocols.liquids import LiquidClass
from robots.simulator.measure import collisions, foreign_fraction, lost_volume
from tests.simulator.lab import BARE, drop, pick, small_world, stroke

FILM = LiquidClass(name="film", film=2.0)


def test_foreign_fraction_is_the_part_that_was_not_declared():
    assert foreign_fraction({"red": 3.0, "blue": 1.0}, {"red"}) == 0.25
    assert foreign_fraction({"red": 3.0, "blue": 1.0}, {"red", "blue"}) == 0.0
    assert foreign_fraction({}, set()) == 0.0


def test_a_tip_used_twice_carries_its_film_over():
    world = small_world()
    world.act("run:1#0", pick())
    world.act("run:2#0", stroke("aspirate", ["plate/A1"], [50.0], FILM))
    world.act("run:3#0", stroke("dispense", ["target/A1"], [50.0], FILM.model_copy(update={"jet": True})))
    world.act("run:4#0", stroke("aspirate", ["plate/A2"], [50.0], FILM))
    # 2 µL of red changed places with 2 of the 150 µL of blue, before 50 µL of the mixture were drawn
    assert foreign_fraction(world.state.composition("plate/A2"), {"blue"}) == pytest.approx(2.0 / 150.0)
    assert foreign_fraction(world.state.composition("plate/A1"), {"red"}) == 0.0


def test_lost_is_what_ran_over_and_what_was_thrown_away_beyond_the_film():
    world = small_world()
    world.act("run:1#0", pick("AB"))
    world.act("run:2#0", stroke("aspirate", ["plate/A1", "plate/B1"], [50.0, 60.0], FILM))
    world.act("run:3#0", stroke("dispense", ["target/A1", "target/B1"], [50.0, 20.0], FILM))
    assert lost_volume(world.log(), world.state.lost()) == 0.0
    world.act("run:4#0", drop(2))
    # A held its film alone, B 40 µL
    assert lost_volume(world.log(), world.state.lost()) == pytest.approx(38.0)
    world.act("run:5#0", pick("CD"))
    for number, well in enumerate(("plate/C1", "plate/D1", "plate/E1")):
        world.act(f"run:6-{number}#0", stroke("aspirate", [well], [150.0], BARE))
        world.act(f"run:7-{number}#0", stroke("dispense", ["target/H12"], [150.0], BARE))
    # the well takes 360 µL
    most = world.workcell.kinds["flat_96_360ul"].shape("H12").max_volume
    assert lost_volume(world.log(), world.state.lost()) == pytest.approx(38.0 + 450.0 - most)


def test_collisions_name_the_act_and_the_place():
    world = small_world()
    world.act("run:1#0", pick())
    world.act("run:2#0", pick("B"))
    world.act("run:3#0", drop(1, ["tips_300_1/C1"]))
    world.act("run:4#0", {"kind": "grip", "labware": "plate"})
    world.act("run:4#1", {"kind": "release", "labware": "plate", "site": "plates-a-2"})
    found = [(hit.act, hit.kind, hit.place) for hit in collisions(world.log())]
    assert found == [
        ("run:2#0", "channel has tip", "tips_300_1/B1"),
        ("run:3#0", "spot occupied", "tips_300_1/C1"),
        ("run:4#1", "site occupied", "plates-a-2"),
    ]
