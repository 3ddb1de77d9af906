"""The controls tell what holds of a region from what holds anywhere."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.annotating import controls
from pipelines.traits.describing import MeasuredDescriber, Picture
from pipelines.traits.describing.cutting import drawn
from pipelines.traits.statements import Place, Statement
from pipelines.traits.vocabulary import shipped_dictionary
from tests.traits.describing.drawn import HEIGHT, WIDTH, Scene, bands, frame, painted, square

DESCRIBE = MeasuredDescriber(shipped_dictionary())
SMALL = square(140, 100, 180, 140)


def doubts(scene: Scene, place: Place = SMALL) -> dict[str, Statement]:
    picture = scene.picture
    said = DESCRIBE(picture, 3, place)
    checked = controls.checked(picture, controls.blanked(picture), said, DESCRIBE.describe)
    assert [one.id for one in checked] == [one.id for one in said]
    return {one.character: one for one in checked}


def test_a_colour_that_is_everywhere_says_nothing_of_the_region() -> None:
    found = doubts(painted((240, 200, 60), noise=3))
    assert found["colour"].doubts == (controls.ELSEWHERE,)
    assert found["colour"].state == "yellow"
    assert found["relative_area"].doubts == ()


def test_a_colour_that_is_only_there_stands() -> None:
    spot = np.hypot(*frame(0)) < 36
    found = doubts(painted((240, 200, 60), np.asarray(spot), (40, 90, 180), noise=3))
    assert (found["colour"].state, found["colour"].doubts) == ("blue", ())


def test_a_region_that_fills_the_organism_cannot_be_moved() -> None:
    found = doubts(painted((240, 200, 60), noise=3), square(50, 60, 270, 180))
    assert found["colour"].doubts == ()
    assert controls.NO_ROOM in found["colour"].conditions


def test_a_blank_image_shows_nothing() -> None:
    picture = painted((150, 96, 60), bands(40)).picture
    blank = controls.blanked(picture)
    assert len(np.unique(blank.image.reshape(-1, 3), axis=0)) == 1
    assert {one.standing for one in DESCRIBE(blank, 3, SMALL)} == {"unknown"}


def test_what_is_said_of_a_blank_image_is_doubted() -> None:
    """A describer that says the same of everything."""
    picture = painted((150, 96, 60), bands(40)).picture
    said = DESCRIBE(picture, 3, SMALL)
    checked = controls.checked(picture, controls.blanked(picture), said, lambda *_: said)
    for one in checked:
        if one.standing == "observed":
            assert controls.BLANK in one.doubts


@settings(max_examples=60, deadline=None)
@given(st.integers(60, 230), st.integers(70, 150), st.integers(8, 60), st.integers(0, 10_000))
def test_other_places_are_on_the_organism_and_apart(left: int, top: int, side: int, latent: int) -> None:
    scene = painted((150, 96, 60))
    organism = scene.picture.organism
    assert organism is not None
    place = square(left, top, left + side, top + side)
    region = drawn(place.polygons, (0, 0), (1, 1), (HEIGHT, WIDTH))
    found = controls.elsewhere(organism, place, "0" * 32, latent)
    assert found == controls.elsewhere(organism, place, "0" * 32, latent)
    assert len(found) <= controls.PLACES
    for other in found:
        moved = drawn(other.polygons, (0, 0), (1, 1), (HEIGHT, WIDTH))
        inside = np.count_nonzero(region & scene.mask)
        assert np.count_nonzero(moved & scene.mask) >= controls.ON_ORGANISM * inside - 2 * side
        assert np.count_nonzero(moved & region) <= controls.MOST_OVERLAP * side * side + 2 * side


def test_without_an_organism_nothing_is_moved() -> None:
    empty = Picture.of("0" * 32, np.full((HEIGHT, WIDTH, 3), 222, np.uint8), np.zeros((HEIGHT, WIDTH), bool))
    said = DESCRIBE(empty, 3, SMALL)
    assert controls.checked(empty, empty, said, DESCRIBE.describe) == said
    assert controls.checked(empty, empty, [], DESCRIBE.describe) == []
