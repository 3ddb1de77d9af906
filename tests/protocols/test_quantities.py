"""Quantities: what people write, and what is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from protocols.errors import QuantityError
from protocols.quantities import (
    _FACTORS,
    Concentration,
    Duration,
    FlowRate,
    RelativeCentrifugalForce,
    Temperature,
    Volume,
    _registry,
    parse_quantity,
    show_duration,
    show_volume,
)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Volume, "200 uL", 200.0),
        (Volume, "200 µL", 200.0),
        (Volume, "200 μL", 200.0),
        (Volume, "0.2 mL", 200.0),
        (Volume, "1.5e-3 L", 1500.0),
        (Volume, "12.5ul", 12.5),
        (Duration, "5 min", 300.0),
        (Duration, "1.5 h", 5400.0),
        (Temperature, "37 degC", 37.0),
        (Temperature, "-20 degC", -20.0),
        (Temperature, "310.15 K", 37.0),
        (FlowRate, "6 mL/min", 100.0),
        (Concentration, "10 ng/uL", 10.0),
        (Concentration, "1 mg/mL", 1000.0),
        (RelativeCentrifugalForce, "300 xg", 300.0),
        (RelativeCentrifugalForce, "300 x g", 300.0),
    ],
)
def test_quantities_are_read_as_people_write_them(kind: object, text: str, expected: float) -> None:
    assert TypeAdapter(kind).validate_python(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "200",
        "",
        "uL",
        "200 g",
        "-5 uL",
        "nan uL",
        "inf uL",
        "1e999 uL",
        "12,5 uL",
        "two uL",
        "1:4",
        "5 uL 6",
        "(" * 60,
        "__import__('os') uL",
        "9**9**9**9 uL",
        "2" * 5000 + " uL",
        "1/0 uL",
        "200 uL\n; x",
    ],
)
def test_what_is_not_a_volume_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse_quantity(text, "uL")
    assert caught.value.mend


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_often_written_units_are_read_as_pint_reads_them(number: float) -> None:
    for unit, factors in _FACTORS.items():
        for written in factors:
            by_pint = _registry().Quantity(number, written).to(unit).magnitude
            assert parse_quantity(f"{number!r} {written}", unit) == by_pint


@pytest.mark.parametrize("value", [200, 200.0, None, True, [], {"volume": 3}])
def test_a_bare_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="no unit"):
        TypeAdapter(Volume).validate_python(value)


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_a_volume_is_written_so_that_it_reads_back_the_same(volume: float) -> None:
    adapter = TypeAdapter(Volume)
    written = adapter.dump_json(volume)
    assert adapter.validate_json(written) == pytest.approx(volume, rel=1e-12)


@given(st.text(max_size=80))
def test_any_text_is_a_finite_volume_or_refused(text: str) -> None:
    try:
        value = parse_quantity(text, "uL")
    except QuantityError:
        return
    assert math.isfinite(value)
    assert value >= 0


def test_quantities_are_shown_for_the_bench() -> None:
    assert show_volume(12.5) == "12.5 µL"
    assert show_volume(1200) == "1.2 mL"
    assert show_duration(45) == "45 s"
    assert show_duration(200) == "3 min 20 s"
    assert show_duration(7500) == "2 h 5 min"
