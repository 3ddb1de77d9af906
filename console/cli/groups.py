"""Groups of options that several commands share: a dataclass whose fields are the options.

A command names a parameter of such a class; :func:`expanded` gives it the options in the parameter's place, so
that each option is declared once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Any, get_type_hints

from console.cli import options as o


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """How a program is made from a file: the options of :mod:`console.cli.options` by these names."""

    favour: o.Favour = "tips"
    margin: o.Margin = 0.0
    allow_carry_over: o.AllowCarryOver = False
    shortfall: o.Shortfall = "stop"
    too_dilute: o.TooDilute = None
    source_volume: o.SourceVolume = None
    dead_volume: o.DeadVolume = None
    least_diluent: o.LeastDiluent = None
    diluent: o.Diluent = "TE buffer"
    diluent_well: o.DiluentWell = "diluent/A1"
    plate: o.Plates = field(default_factory=list)
    decimal_comma: o.DecimalComma = False
    pool: o.Pool = False

    def in_words(self) -> dict[str, str]:
        """What departs from the defaults."""
        usual = PlanOptions()
        return {
            item.name.replace("_", " "): _in_words(getattr(self, item.name))
            for item in fields(self)
            if getattr(self, item.name) != getattr(usual, item.name)
        }


@dataclass(frozen=True, kw_only=True)
class PythonOptions:
    """How a protocol in Python is run, isolated, to learn what it does."""

    beside: o.Beside = field(default_factory=list)
    parameter: o.Parameters = field(default_factory=list)
    time_limit: o.TimeLimit = 60.0
    trust_source: o.TrustSource = False


@dataclass(frozen=True, kw_only=True)
class LabOptions:
    """How the simulated lab behaves, and what is done about faults."""

    on_fault: o.OnFault = field(default_factory=list)
    seed: o.Seed = 0
    noise: o.NoiseLevel = 1.0
    faults: o.Faults = None
    pace: o.Pace = 0.0


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with the fields of each dataclass among its parameters as parameters of their own."""
    hints = get_type_hints(command, include_extras=True, localns={"Path": Path})
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name in groups:
            parameters += _parameters(groups[parameter.name])
        else:
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(kind=kind, annotation=hints[parameter.name]))

    @wraps(command)
    def with_groups(**given: Any) -> None:
        built = {
            name: group(**{item.name: given.pop(item.name) for item in fields(group)}) for name, group in groups.items()
        }
        command(**given, **built)

    with_groups.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_groups.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_groups


def _parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            item.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=item.default if item.default is not MISSING else [],
            annotation=hints[item.name],
        )
        for item in fields(group)
    ]
