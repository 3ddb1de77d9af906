"""The measured describer on organisms whose look is known; it says no more than was measured."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.describing import APPEARANCE, FORM, MeasuredDescriber, Picture, Scale
from pipelines.traits.statements import Place, Statement
from pipelines.traits.vocabulary import parsed_dictionary, shipped_dictionary
from protocols.errors import InputError
from tests.traits.describing.drawn import (
    AXES,
    HEIGHT,
    MIDDLE,
    WIDTH,
    Scene,
    bands,
    frame,
    mottling,
    painted,
    spots,
    square,
    stripes,
)

DESCRIBE = MeasuredDescriber(shipped_dictionary())
BROWN = (150, 96, 60)


def said(scene: Scene, place: Place = MIDDLE) -> dict[str, Statement]:
    return {one.character: one for one in DESCRIBE(scene.picture, 7, place)}


def state(scene: Scene, character: str, place: Place = MIDDLE) -> str:
    found = said(scene, place)[character]
    return found.state or found.standing


# -- colour --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((20, 18, 18), "black"),
        ((245, 245, 240), "white"),
        ((128, 128, 128), "grey"),
        ((100, 62, 38), "brown"),
        ((180, 30, 40), "red"),
        ((235, 130, 40), "orange"),
        ((240, 200, 60), "yellow"),
        ((95, 88, 30), "olive"),
        ((150, 190, 60), "yellow_green"),
        ((30, 120, 60), "green"),
        ((40, 90, 180), "blue"),
        ((120, 60, 150), "purple"),
        ((240, 150, 170), "pink"),
    ],
)
def test_a_colour_has_its_name(rgb: tuple[int, int, int], name: str) -> None:
    found = said(painted(rgb, noise=3))
    assert found["colour"].state == name
    assert found["colour"].state_term == shipped_dictionary().characters["colour"].state(name).term  # type: ignore[union-attr]
    assert dict(found["colour"].conditions) == {"colour": "as imaged"}
    assert found["secondary_colour"].standing == "absent"
    assert found["colour_share"].value == pytest.approx(1, abs=0.05)


def test_two_colours_have_their_shares() -> None:
    found = said(painted((240, 200, 60), bands(40, share=0.3), (30, 30, 34), noise=3))
    assert (found["colour"].state, found["secondary_colour"].state) == ("yellow", "black")
    share = found["colour_share"]
    assert share.value is not None
    assert share.uncertainty is not None
    assert 0.01 < share.uncertainty < 0.2
    assert abs(share.value - 0.7) < 3 * share.uncertainty


def test_two_colours_of_the_same_share_are_not_told_apart() -> None:
    halves = frame(0)[0] > 0
    found = said(painted((240, 200, 60), halves, (30, 30, 34)), square(100, 80, 220, 160))
    assert found["colour"].standing == "unknown"
    assert found["colour"].state == ""


def test_light_and_dark() -> None:
    assert [state(painted((level,) * 3), "brightness") for level in (40, 130, 230)] == ["dark", "medium", "light"]
    halves = painted((85, 85, 85), frame(0)[0] > 0, (106, 106, 106))  # L* 36 and 45: 40.4 in the mean, or 36, or 45
    assert state(halves, "brightness", square(100, 80, 220, 160)) == "unknown"
    assert state(painted((96, 96, 96)), "brightness") == "medium"


# -- pattern -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0, 30, 80])
@pytest.mark.parametrize("period", [26, 40])
def test_bands_and_stripes_run_by_the_long_axis(angle: float, period: float) -> None:
    across = said(painted(BROWN, bands(period, angle), angle=angle, noise=4, shading=0.3))
    along = said(painted(BROWN, stripes(period, angle), angle=angle, noise=4, shading=0.3))
    assert (across["pattern"].state, along["pattern"].state) == ("banded", "striped")
    assert across["mark_count"].value is not None
    assert 3 <= across["mark_count"].value <= 7


@pytest.mark.parametrize(("pitch", "radius"), [(26, 7), (40, 10), (60, 15)])
def test_spots(pitch: float, radius: float) -> None:
    found = said(painted(BROWN, spots(pitch, radius), noise=4, shading=0.3))
    assert found["pattern"].state == "spotted"
    assert found["mark_count"].uncertainty is not None


@pytest.mark.parametrize("seed", range(4))
def test_blots_are_no_spots_and_no_stripes(seed: int) -> None:
    assert state(painted(BROWN, mottling(7, seed), noise=4), "pattern") in ("mottled", "unknown")


@pytest.mark.parametrize("shading", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("noise", [0.0, 8.0])
def test_neither_shading_nor_noise_is_a_pattern(shading: float, noise: float) -> None:
    found = said(painted(BROWN, shading=shading, noise=noise), square(40, 50, 280, 190))
    assert found["pattern"].state == "plain"
    assert found["mark_count"].standing == "absent"


def test_one_band_is_one() -> None:
    found = said(painted(BROWN, np.abs(frame(0)[0]) < 12, noise=4))
    assert (found["pattern"].state, found["mark_count"].value) == ("banded", 1)


def test_what_lies_between_two_patterns_is_unknown() -> None:
    slanted = np.asarray(((frame(0)[0] + frame(0)[1]) / 40) % 1 < 0.4)
    found = said(painted(BROWN, slanted, noise=4))
    assert found["pattern"].standing == "unknown"
    assert "45°" in found["pattern"].text


# -- texture -------------------------------------------------------------------------------------------------


def test_texture_is_told_from_its_absence() -> None:
    rng = np.random.default_rng(0)
    grain = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)), (0, 0), 1.5)
    rough = painted(BROWN, np.asarray(grain > 0), (110, 70, 40))
    assert state(painted(BROWN, noise=2), "visible_texture") == "smooth"
    assert state(rough, "visible_texture") == "textured"
    assert said(rough)["pattern"].state == "plain"


# -- form and place ------------------------------------------------------------------------------------------


def test_where_and_how_large() -> None:
    place = square(60, 110, 80, 130)
    found = said(painted(BROWN), place)
    whole = math.pi * AXES[0] * AXES[1]
    for character, truth in (
        ("relative_area", 400 / whole),
        ("position_along", (70 - (WIDTH / 2 - AXES[0])) / (2 * AXES[0])),
        ("position_across", 0.0),
        ("elongation", 1.0),
        ("solidity", 1.0),
        ("patch_count", 1),
    ):
        value, spread = found[character].value, found[character].uncertainty
        assert value is not None
        assert spread is not None
        assert abs(value - truth) <= 3 * spread + 1e-9, character
    assert "the left end in the picture" in found["position_along"].text


def test_ends_are_not_told_apart() -> None:
    left, right = (said(painted(BROWN), square(x, 110, x + 20, 130)) for x in (60, 240))
    assert left["position_along"].value == pytest.approx(right["position_along"].value, abs=0.01)


def test_a_round_organism_has_no_long_axis() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (160, 120), 80, 1, -1)
    image = np.full((HEIGHT, WIDTH, 3), 220, np.uint8)
    image[mask > 0] = BROWN
    image[(mask > 0) & bands(30)] = (40, 30, 20)
    found = said(Scene(image, mask > 0))
    assert found["position_along"].standing == "unknown"
    assert found["pattern"].standing == "unknown"
    assert "no long axis" in found["pattern"].text


def test_a_disc_is_circular_and_a_bar_elongated() -> None:
    ring = tuple((160 + 40 * math.cos(t), 120 + 40 * math.sin(t)) for t in np.linspace(0, 2 * math.pi, 90)[:-1])
    disc = Place((120, 80, 200, 160), ((ring,),), (WIDTH, HEIGHT))
    assert state(painted(BROWN), "outline_shape", disc) == "circular"
    assert state(painted(BROWN), "outline_shape", square(90, 110, 230, 130)) == "elongated"
    two = Place((60, 110, 260, 130), (*square(60, 110, 80, 130).polygons, *square(240, 110, 260, 130).polygons),
                (WIDTH, HEIGHT))  # fmt: skip
    found = said(painted(BROWN), two)
    assert (found["outline_shape"].state, found["patch_count"].value) == ("irregular", 2)


def test_a_hole_is_none_of_it() -> None:
    outer, inner = square(100, 80, 200, 160).polygons[0][0], square(130, 100, 170, 140).polygons[0][0]
    holed = Place((100, 80, 200, 160), ((outer, inner[::-1]),), (WIDTH, HEIGHT))
    inside = (frame(0)[0] > -30) & (frame(0)[0] < 10) & (abs(frame(0)[1]) < 20)
    found = said(painted(BROWN, inside, (40, 90, 200)), holed)
    assert found["secondary_colour"].standing == "absent"


# -- millimetres ---------------------------------------------------------------------------------------------


def test_millimetres_only_by_a_calibration() -> None:
    scene = painted(BROWN)
    assert "length" not in said(scene)
    assert {one.unit for one in said(scene).values()} <= {"", "1"}
    picture = Picture.of("0" * 32, scene.image, scene.mask, Scale(20.0, 0.4))
    found = {one.character: one for one in DESCRIBE(picture, 7, square(100, 100, 180, 120))}
    assert (found["length"].unit, found["area"].unit) == ("mm", "mm2")
    assert found["length"].value == pytest.approx(4.0, rel=0.05)
    assert found["area"].value == pytest.approx(4.0, rel=0.05)
    assert found["area"].uncertainty is not None
    assert found["area"].uncertainty >= 4.0 * 2 * 0.4 / 20


# -- what it does not say ------------------------------------------------------------------------------------


def test_background_is_background() -> None:
    found = said(painted(BROWN), square(0, 0, 30, 30))
    assert {one.standing for one in found.values()} == {"background"}
    assert not any(one.state or one.value is not None for one in found.values())


def test_without_an_organism_nothing_is_known() -> None:
    blank = Scene(np.full((HEIGHT, WIDTH, 3), 222, np.uint8), np.zeros((HEIGHT, WIDTH), bool))
    found = said(blank)
    assert {one.standing for one in found.values()} == {"unknown"}


def test_what_is_too_small_is_not_visible() -> None:
    found = said(painted(BROWN), square(160, 120, 163, 123))
    assert {one.standing for one in found.values()} == {"not visible"}
    found = said(painted(BROWN), square(160, 120, 172, 132))
    assert found["pattern"].standing == "not visible"
    assert found["colour"].standing == "observed"


def test_no_part_is_named() -> None:
    found = said(painted(BROWN, bands(40)))
    assert {(one.part, one.part_term, one.describer.kind) for one in found.values()} == {("region", "", "measured")}


def test_only_what_the_dictionary_knows() -> None:
    text = "dictionary: d\nversion: 1\ncharacters:\n  colour: {kind: categorical, states: {brown: }}\n"
    own = MeasuredDescriber(parsed_dictionary(text, "d.yaml"))
    (one,) = own(painted(BROWN).picture, 7, MIDDLE)
    assert (one.character, one.state, one.state_term) == ("colour", "brown", "")
    none = parsed_dictionary(text.replace("colour", "hue"), "d.yaml")
    with pytest.raises(InputError, match="none of the characters"):
        MeasuredDescriber(none)


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(*[st.integers(0, 255)] * 3),
    st.floats(0, WIDTH - 2),
    st.floats(0, HEIGHT - 2),
    st.floats(0.5, WIDTH),
    st.floats(0.5, HEIGHT),
)
def test_any_region_of_any_organism_can_be_described(
    rgb: tuple[int, int, int], left: float, top: float, wide: float, high: float
) -> None:
    """Numbers are finite with an uncertainty, states have none; twice the same is the same."""
    scene = painted(rgb, bands(30), noise=3)
    place = square(left, top, min(left + wide, WIDTH), min(top + high, HEIGHT))
    found = DESCRIBE(scene.picture, 1, place)
    assert {one.character for one in found} == {*APPEARANCE, *FORM} - {"area", "length"}
    for one in found:
        if one.value is not None:
            assert one.uncertainty is not None
            assert math.isfinite(one.value)
            assert one.uncertainty >= 0
            assert (one.state, one.standing) == ("", "observed")
        else:
            assert (one.standing == "observed") == bool(one.state)
    assert found == DESCRIBE(scene.picture, 1, place)
