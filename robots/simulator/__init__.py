"""The simulated lab: a World that holds the truth, and pylabrobot backends over it.

The World answers as the devices of a workcell would: it knows what it was told and what its sensors say, not
what really moved. What really moved is in its log. Importing this package does not import pylabrobot, so that
the World's own process starts quickly; :class:`SimulatedLiquidHandler` is loaded when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robots.simulator.faults import FaultPlan, PlannedFault
from robots.simulator.noise import Noise
from robots.simulator.port import LocalWorld, WorldPort
from robots.simulator.remote import RemoteWorld, WorldProcess, end_world, halt
from robots.simulator.world import World

if TYPE_CHECKING:
    from robots.simulator.backend import SimulatedLiquidHandler

__all__ = [
    "FaultPlan",
    "LocalWorld",
    "Noise",
    "PlannedFault",
    "RemoteWorld",
    "SimulatedLiquidHandler",
    "World",
    "WorldPort",
    "WorldProcess",
    "end_world",
    "halt",
]


def __getattr__(name: str) -> Any:
    if name == "SimulatedLiquidHandler":
        from robots.simulator.backend import SimulatedLiquidHandler

        return SimulatedLiquidHandler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
