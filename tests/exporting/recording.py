"""A small Opentrons API that only writes down what it is told, after the public documentation of API 2.15 to 2.27.

A stroke is kept as (what, labware label, well, volume); an exported protocol runs on it as on the robot.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

Act = tuple[Any, ...]
"""What was done: its name first."""
API_NAMES = ("OFF_DECK", "ALL", "COLUMN", "PARTIAL_COLUMN", "ROW", "SINGLE")


@dataclass(frozen=True)
class Well:
    labware: str
    name: str
    acts: list[Act] = field(repr=False, compare=False, hash=False)
    height: tuple[str, float] | None = None

    def top(self, z: float = 0) -> Well:
        return Well(self.labware, self.name, self.acts, ("top", z))

    def bottom(self, z: float = 0) -> Well:
        return Well(self.labware, self.name, self.acts, ("bottom", z))

    def load_liquid(self, liquid: str, volume: float) -> None:
        self.acts.append(("load_liquid", self.labware, self.name, liquid, volume))


class Bin(Well):
    """An OT-2's trash: labware with a well below API 2.16, from then on a place of its own."""

    def __getitem__(self, name: str) -> Well:
        return Well(self.labware, name, self.acts)


@dataclass
class Labware:
    label: str
    acts: list[Act] = field(repr=False)

    def __getitem__(self, name: str) -> Well:
        return Well(self.label, name, self.acts)

    def reset(self) -> None:
        self.acts.append(("reset", self.label))

    def load_labware(self, name: str, **named: Any) -> Labware:
        return loaded(self.acts, name, self.label, named)

    def load_labware_from_definition(self, definition: dict[str, Any], **named: Any) -> Labware:
        return loaded(self.acts, definition["parameters"]["loadName"], self.label, named)

    def load_adapter(self, name: str, **named: Any) -> Labware:
        return loaded(self.acts, name, self.label, named)


def loaded(acts: list[Act], name: str, where: Any, named: dict[str, Any]) -> Labware:
    """A piece of labware, and a note of where it was put."""
    label = named.get("label") or f"{name} on {where}"
    acts.append(("load", label, name, where))
    return Labware(label, acts)


class Module(Labware):
    """Whatever a module is told is written down by the name of the call."""

    def __getattr__(self, name: str) -> Any:
        def told(*values: Any, **named: Any) -> str:
            self.acts.append((name, self.label, *values, *named.values()))
            return f"task of {self.label}"

        return told


class Pipette:
    def __init__(self, mount: str, acts: list[Act]) -> None:
        self.mount, self.acts = mount, acts
        self.flow_rate = SimpleNamespace()
        self.last: Well | None = None

    def configure_nozzle_layout(self, style: str, start: str | None = None, end: str | None = None) -> None:
        self.acts.append(("layout", style, start, end))

    def pick_up_tip(self, spot: Well) -> None:
        self.acts.append(("pick up", spot.labware, spot.name))

    def drop_tip(self, spot: Well | None = None) -> None:
        self.acts.append(("drop", *((spot.labware, spot.name) if spot else ("trash",))))

    def aspirate(self, volume: float, well: Well) -> None:
        self._stroke("aspirate", volume, well)

    def dispense(self, volume: float, well: Well) -> None:
        self._stroke("dispense", volume, well)

    def mix(self, cycles: int, volume: float, well: Well) -> None:
        for _ in range(cycles):
            self._stroke("aspirate", volume, well)
            self._stroke("dispense", volume, well)

    def air_gap(self, volume: float) -> None:
        assert self.last is not None, "there is no well over which to draw air"
        self._stroke("aspirate", volume, self.last.top(5))

    def blow_out(self, well: Well) -> None:
        self.acts.append(("blow out", well.labware, well.name))

    def touch_tip(self, well: Well, v_offset: float = -1) -> None:
        self.acts.append(("touch", well.labware, well.name, v_offset))

    def _stroke(self, what: str, volume: float, well: Well) -> None:
        self.last = well
        self.acts.append((what, well.labware, well.name, volume, well.height))


class Protocol:
    """The ``protocol`` that ``run`` is given."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.fixed_trash = Bin("trash", "A1", self.acts)

    def load_labware(self, name: str, where: Any, **named: Any) -> Labware:
        return loaded(self.acts, name, where, named)

    def load_labware_from_definition(self, definition: dict[str, Any], where: Any, **named: Any) -> Labware:
        return loaded(self.acts, definition["parameters"]["loadName"], where, named)

    def load_adapter(self, name: str, where: Any, **named: Any) -> Labware:
        return loaded(self.acts, name, where, named)

    def load_module(self, name: str, where: Any = None) -> Module:
        return Module(f"{name} on {where}", self.acts)

    def load_trash_bin(self, slot: str) -> Well:
        self.acts.append(("trash bin", slot))
        return Well("trash", "A1", self.acts)

    def load_waste_chute(self) -> Well:
        self.acts.append(("waste chute",))
        return Well("trash", "A1", self.acts)

    def load_instrument(self, name: str, mount: str = "left") -> Pipette:
        return Pipette(mount, self.acts)

    def define_liquid(self, *, name: str, description: str, display_color: str) -> str:
        return name

    def move_labware(self, labware: Labware, where: Any, use_gripper: bool) -> None:
        self.acts.append(("move", labware.label, getattr(where, "label", where), use_gripper))

    def comment(self, text: str) -> None:
        self.acts.append(("comment", text))

    def pause(self, text: str) -> None:
        self.acts.append(("pause", text))

    def delay(self, seconds: float) -> None:
        self.acts.append(("delay", seconds))

    def wait_for_tasks(self, tasks: list[str]) -> None:
        self.acts.append(("wait", *tasks))


@contextmanager
def api() -> Iterator[None]:
    """Let ``from opentrons import protocol_api`` find this module's names."""
    module = ModuleType("opentrons.protocol_api")
    for name in API_NAMES:
        setattr(module, name, name)
    module.ProtocolContext = Protocol  # type: ignore[attr-defined]
    package = ModuleType("opentrons")
    package.protocol_api = module  # type: ignore[attr-defined]
    before = {name: sys.modules.get(name) for name in ("opentrons", "opentrons.protocol_api")}
    sys.modules |= {"opentrons": package, "opentrons.protocol_api": module}
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old


def perform(text: str) -> list[Act]:
    """What an exported protocol does."""
    names: dict[str, Any] = {}
    protocol = Protocol()
    with api():
        exec(compile(text, "exported.py", "exec"), names)
        names["run"](protocol)
    return protocol.acts


def moves(acts: list[Act]) -> list[Act]:
    """Only the tips and the liquid, without heights."""
    kept = [act for act in acts if act[0] in ("pick up", "drop", "aspirate", "dispense")]
    return [act[:4] for act in kept]
