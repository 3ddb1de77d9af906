"""Measured controls tell what holds of a region from what holds anywhere; the checks are those of any describer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.annotating import places
from pipelines.traits.annotating.measuring import NO_ROOM, Measured, measure
from pipelines.traits.annotating.pictures import Found, Shown
from pipelines.traits.checking import check_blank, check_regions
from pipelines.traits.describing import MeasuredDescriber, Picture
from pipelines.traits.describing.cutting import drawn
from pipelines.traits.statements import Place, Statement
from pipelines.traits.vocabulary import shipped_dictionary
from tests.traits.describing.drawn import HEIGHT, WIDTH, Scene, bands, frame, painted, square

DESCRIBE = MeasuredDescriber(shipped_dictionary())
SMALL = square(140, 100, 180, 140)
ELSEWHERE = "same of another region"


@dataclass(frozen=True)
class Painted(Shown):
    """An image that is there already."""

    picture: Picture | None = None

    def open(self) -> Picture:
        assert self.picture is not None
        return self.picture


def measured(picture: Picture, place: Place = SMALL) -> Measured:
    return measure(Painted(None, None, (Found(3, place, ()),), None, picture), DESCRIBE)  # type: ignore[arg-type]


def checked(scene: Scene, place: Place = SMALL) -> dict[str, Statement]:
    found = measured(scene.picture, place)
    elsewhere, blank = (
        [one.statement for one in found.controls if one.kind == kind] for kind in ("another region", "blank image")
    )
    said, _ = check_regions(found.statements, elsewhere)
    said, _ = check_blank(said, blank)
    assert [one.id for one in said] == [one.id for one in found.statements]
    return {one.character: one for one in said}


def test_a_colour_that_is_everywhere_says_nothing_of_the_region() -> None:
    found = checked(painted((240, 200, 60), noise=3))
    assert found["colour"].doubts == (ELSEWHERE,)
    assert found["colour"].state == "yellow"
    assert found["relative_area"].doubts == ()


def test_a_colour_that_is_only_there_stands() -> None:
    spot = np.hypot(*frame(0)) < 36
    found = checked(painted((240, 200, 60), np.asarray(spot), (40, 90, 180), noise=3))
    assert (found["colour"].state, found["colour"].doubts) == ("blue", ())


def test_a_region_that_fills_the_organism_cannot_be_moved() -> None:
    found = checked(painted((240, 200, 60), noise=3), square(50, 60, 270, 180))
    assert found["colour"].doubts == ()
    assert NO_ROOM in found["colour"].conditions
    assert NO_ROOM not in found["relative_area"].conditions


def test_a_blank_image_shows_nothing() -> None:
    picture = painted((150, 96, 60), bands(40)).picture
    blank = places.blanked(picture)
    assert len(np.unique(blank.image.reshape(-1, 3), axis=0)) == 1
    assert {one.standing for one in DESCRIBE(blank, 3, SMALL)} == {"unknown"}


def test_what_is_said_of_a_blank_image_is_doubted() -> None:
    """A measurement that comes out the same whatever is there."""
    said = DESCRIBE(painted((150, 96, 60), bands(40)).picture, 3, SMALL)
    blank = [one for one in said if one.character == "colour"]
    found, _ = check_blank(said, blank)
    assert [one.character for one in found if one.doubts] == ["colour"]


@settings(max_examples=60, deadline=None)
@given(st.integers(60, 230), st.integers(70, 150), st.integers(8, 60), st.integers(0, 10_000))
def test_other_places_are_on_the_organism_and_apart(left: int, top: int, side: int, latent: int) -> None:
    scene = painted((150, 96, 60))
    organism = scene.picture.organism
    assert organism is not None
    place = square(left, top, left + side, top + side)
    region = drawn(place.polygons, (0, 0), (1, 1), (HEIGHT, WIDTH))
    found = places.elsewhere(organism, place, "0" * 32, latent)
    assert found == places.elsewhere(organism, place, "0" * 32, latent)
    assert len(found) <= places.PLACES
    for other in found:
        moved = drawn(other.polygons, (0, 0), (1, 1), (HEIGHT, WIDTH))
        inside = np.count_nonzero(region & scene.mask)
        assert np.count_nonzero(moved & scene.mask) >= places.ON_ORGANISM * inside - 2 * side
        assert np.count_nonzero(moved & region) <= places.MOST_OVERLAP * side * side + 2 * side


def test_without_an_organism_nothing_is_moved() -> None:
    empty = Picture.of("0" * 32, np.full((HEIGHT, WIDTH, 3), 222, np.uint8), np.zeros((HEIGHT, WIDTH), bool))
    found = measured(empty)
    assert {one.standing for one in found.statements} == {"unknown"}
    assert {one.kind for one in found.controls} == {"blank image"}
