"""How much stands how high: against formulas worked out by hand, and against pylabrobot's own functions."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from robots.workcell import load_workcell
from robots.workcell.catalogue import pylabrobot_maker
from robots.workcell.geometry import CuboidalFrustum, Frustum, SphericalCap, SquaredCone, profile_of_sections
from robots.workcell.labware import containers_of, describe
from robots.workcell.opentrons import build_opentrons, load_opentrons, opentrons_names

LENGTH = st.floats(min_value=0.5, max_value=60.0)


@given(bottom=LENGTH, top=LENGTH, height=LENGTH, part=st.floats(min_value=0.01, max_value=1.0))
def test_a_conical_section_is_a_frustum(bottom: float, top: float, height: float, part: float) -> None:
    section = Frustum(shape="conical", bottomHeight=0, topHeight=height, bottomDiameter=bottom, topDiameter=top)
    h = height * part
    r, s = bottom / 2, (bottom + (top - bottom) * part) / 2
    assert section.volume(h) == pytest.approx(math.pi * h / 3 * (r * r + r * s + s * s), rel=1e-9)


@given(side=LENGTH, height=LENGTH, count=st.integers(min_value=1, max_value=12))
def test_a_cuboidal_section_is_a_pyramid(side: float, height: float, count: int) -> None:
    section = CuboidalFrustum(
        shape="cuboidal",
        bottomHeight=0,
        topHeight=height,
        bottomXDimension=0,
        bottomYDimension=0,
        topXDimension=side,
        topYDimension=side,
        xCount=count,
    )
    assert section.volume(height) == pytest.approx(count * side * side * height / 3, rel=1e-9)


@given(radius=LENGTH, part=st.floats(min_value=0.05, max_value=1.0))
def test_a_spherical_section_is_a_cap(radius: float, part: float) -> None:
    section = SphericalCap(shape="spherical", bottomHeight=0, topHeight=radius, radiusOfCurvature=radius)
    h = radius * part
    assert section.volume(h) == pytest.approx(math.pi * h * h * (3 * radius - h) / 3, rel=1e-9)


@pytest.mark.parametrize("below", ["circular", "rectangular"])
def test_a_squared_cone_lies_between_its_circle_and_its_square(below: str) -> None:
    section = SquaredCone(
        shape="squaredcone",
        bottomCrossSection=below,
        circleDiameter=6.0,
        rectangleXDimension=6.0,
        rectangleYDimension=6.0,
        bottomHeight=0,
        topHeight=2.0,
    )
    ends = (section.area(0.0), section.area(2.0))
    assert sorted(ends) == pytest.approx([math.pi * 9, 36.0], rel=1e-6)
    assert 2 * math.pi * 9 < section.volume(2.0) < 2 * 36


def test_sections_that_do_not_join_are_refused() -> None:
    low = Frustum(shape="conical", bottomHeight=0, topHeight=2, bottomDiameter=3, topDiameter=5)
    high = Frustum(shape="conical", bottomHeight=3, topHeight=9, bottomDiameter=5, topDiameter=5)
    with pytest.raises(ValueError, match="does not join"):
        profile_of_sections((low, high))


@pytest.mark.parametrize(
    "function",
    ["azenta_96_wellplate_200uL_Vb_4titudeframestar", "cor_96_wellplate_2mL_Vb", "cor_96_wellplate_360uL_Fb"],
)
def test_a_sampled_profile_agrees_with_pylabrobot(function: str) -> None:
    plate = pylabrobot_maker(function)("p")
    well = containers_of(plate)["A1"]
    shape = describe("p", plate, source="").shape("A1")
    for step in range(1, 200):
        height = well.get_size_z() * step / 200
        true = well.compute_volume_from_height(height)
        below = shape.volume_below(height)
        assert below is not None
        assert abs(below - true) <= max(0.06, 0.006 * true)


def test_what_is_not_known_is_not_zero() -> None:
    plate = pylabrobot_maker("cor_falcon_96_wellplate_250uL_Rb")("p")
    containers = containers_of(plate)
    containers["A1"]._compute_volume_from_height = None
    containers["A1"].height_volume_data = None
    shape = describe("p", plate, source="").shape("A1")
    assert shape.profile is None
    assert shape.dead_volume is None
    assert shape.surface(50.0) is None


def test_a_flat_well_without_inner_geometry_is_a_named_guess() -> None:
    definition = load_opentrons("milliplex_r_96_well_microtiter_plate")
    profile, source = definition.profile("A1")
    well = definition.wells["A1"]
    assert source.startswith("guessed")
    assert profile == ((0.0, 0.0), (well.depth, pytest.approx(well.area * well.depth)))


def test_every_opentrons_definition_can_be_read_built_and_described() -> None:
    stand_in = "protocol_engine_lid_stack_object"  # Opentrons' own stand-in for a stack of lids, without a size
    with pytest.raises(InputError, match="xDimension"):
        load_opentrons(stand_in)
    for name in opentrons_names():
        if name == stand_in:
            continue
        definition = load_opentrons(name)
        resource = build_opentrons(definition, "x")
        if definition.parameters.isTiprack:
            spec = describe(name, resource, source="", category="tip rack", min_volume=1.0, fits="any")
            assert spec.tip is not None
            continue
        spec = describe(name, resource, source="", category=definition.category)
        for site in spec.wells.values():
            shape = spec.shapes[site.shape]
            heights = [height for height, _ in shape.profile or ()]
            assert all(low < high for low, high in pairwise(heights))


def test_the_inner_geometry_of_a_corning_plate_by_hand() -> None:
    """corning_96_wellplate_360ul_flat: two cone frusta, as its definition says; worked out apart from our code."""
    definition = load_opentrons("corning_96_wellplate_360ul_flat")
    inner = definition.innerLabwareGeometry
    assert inner is not None
    total = 0.0
    for section in next(iter(inner.values())).sections:  # type: ignore[union-attr]
        r, s = section.bottomDiameter / 2, section.topDiameter / 2
        total += math.pi * (section.topHeight - section.bottomHeight) / 3 * (r * r + r * s + s * s)
    shape = load_workcell("ot2").spec.kinds["corning_96_wellplate_360ul_flat"].shape("A1")
    assert shape.volume_below(shape.depth or 0.0) == pytest.approx(total, rel=1e-6)
