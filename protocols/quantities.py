"""Physical quantities as people write them, and as plain floats inside.

People write ``"200 uL"``, ``"0.2 mL"``, ``"5 min"``. Inside Labwright a quantity is a float in the default
unit of its dimension: volume µL, length mm, time s, temperature °C, flow rate µL/s, mass concentration
ng/µL, relative centrifugal force × g. Pint reads the text; a bare number, a wrong dimension, NaN, infinity
and a negative amount are refused with :class:`~protocols.errors.QuantityError`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticSerializationUnexpectedValue

from protocols.errors import QuantityError

if TYPE_CHECKING:
    from pint import UnitRegistry

LONGEST_TEXT = 64
_QUANTITY = re.compile(
    r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:nan|inf(?:inity)?)(?![a-z]))\s*([a-zµμ°/ ]*)",
    re.IGNORECASE,
)
"""A number and units multiplied or divided. Pint would compute any expression, "9**9**9 uL" for hours."""


_FACTORS: dict[str, dict[str, float]] = {
    "uL": {"ul": 1.0, "µL": 1.0, "μL": 1.0, "nL": 0.001, "mL": 1000.0, "ml": 1000.0, "L": 1_000_000.0},
    "s": {"min": 60.0, "h": 3600.0, "days": 86_400.0},
    "mm": {"cm": 10.0},
    "uL/s": {"uL/min": 1 / 60, "mL/min": 1000 / 60},
}
"""What one of an often written unit is in the unit used inside, as Pint has it, which takes 0.4 s to be ready."""


@cache
def _registry() -> UnitRegistry[Any]:
    from pint import UnitRegistry

    registry: UnitRegistry[Any] = UnitRegistry(autoconvert_offset_to_baseunit=True)
    registry.define("relative_centrifugal_force = [relative_centrifugal_force] = xg = rcf")
    return registry


def _converted(number: float, own_unit: str, unit: str) -> float:
    if (factor := _FACTORS.get(unit, {}).get(own_unit)) is not None:
        return number * factor
    quantity: Any = _registry().Quantity(number, own_unit)
    return float(quantity.to(unit).magnitude)


@lru_cache(maxsize=4096)
def parse_quantity(text: str, unit: str, *, signed: bool = False) -> float:
    """Read ``text`` as a quantity and return its magnitude in ``unit``.

    Raises:
        QuantityError: no unit, unknown unit, wrong dimension, not finite, or negative (unless ``signed``).
    """
    if len(text) > LONGEST_TEXT:
        raise QuantityError(f"a quantity of {len(text)} characters is not one", mend=f"Write it like '200 {unit}'")
    example = f"Write a number and a unit, like '200 {unit}'"
    match = _QUANTITY.fullmatch(text.replace("× g", "xg").replace("x g", "xg").strip())
    if match is None:
        raise QuantityError(f"'{text}' is not a quantity in {unit}", mend=example)
    number, own_unit = float(match[1]), match[2].strip()
    if not own_unit:
        raise QuantityError(f"'{text}' has no unit", mend=example)
    try:
        magnitude = number if own_unit == unit else _converted(number, own_unit, unit)
    except Exception:  # Pint's tokenizer leaks exceptions of many types on hostile text
        raise QuantityError(f"'{text}' is not a quantity in {unit}", mend=example) from None
    if not math.isfinite(magnitude):
        raise QuantityError(f"'{text}' is not finite", mend=example)
    if magnitude < 0 and not signed:
        raise QuantityError(f"'{text}' is negative", mend=example)
    return magnitude


def _reader(unit: str, *, signed: bool = False) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, str):
            return parse_quantity(value, unit, signed=signed)
        raise QuantityError(f"{value!r} has no unit", mend=f"Write a number and a unit, like '200 {unit}'")

    return read


def _writer(unit: str) -> Callable[[float], str]:
    def write(value: float) -> str:
        if not isinstance(value, int | float):  # pydantic then tries the next member of "one volume or a list of them"
            raise PydanticSerializationUnexpectedValue(f"{value!r} is not a quantity")
        return f"{value!r} {unit}"

    return write


def _quantity(unit: str, *, signed: bool = False) -> tuple[Any, ...]:
    return (
        BeforeValidator(_reader(unit, signed=signed)),
        PlainSerializer(_writer(unit), return_type=str, when_used="json"),
        WithJsonSchema({"type": "string", "description": f"a number and a unit, e.g. '200 {unit}'"}),
    )


Volume = Annotated[float, *_quantity("uL")]
"""A volume; µL inside."""
Length = Annotated[float, *_quantity("mm")]
"""A length; mm inside."""
Position = Annotated[float, *_quantity("mm", signed=True)]
"""A length that may lie below its reference; mm inside."""
Duration = Annotated[float, *_quantity("s")]
"""A span of time; s inside."""
Temperature = Annotated[float, *_quantity("degC", signed=True)]
"""A temperature; °C inside."""
FlowRate = Annotated[float, *_quantity("uL/s")]
"""A flow rate; µL/s inside."""
Concentration = Annotated[float, *_quantity("ng/uL")]
"""A mass concentration; ng/µL inside."""
RotationalSpeed = Annotated[float, *_quantity("rpm")]
"""Revolutions in a time; revolutions a minute inside."""
RelativeCentrifugalForce = Annotated[float, *_quantity("xg")]
"""A relative centrifugal force; multiples of g inside."""


def show_volume(microlitres: float) -> str:
    """Write a volume the way it stands on a bench sheet: ``"12.5 µL"``, ``"1.2 mL"``."""
    if abs(microlitres) >= 1000:
        return f"{microlitres / 1000:.4g} mL"
    return f"{microlitres:.4g} µL"


def show_duration(seconds: float) -> str:
    """Write a span of time in its two largest parts: ``"45 s"``, ``"3 min 20 s"``, ``"2 h 5 min"``."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"
