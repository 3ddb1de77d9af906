"""A magnetic module in pylabrobot's manner: pylabrobot 0.2.2 has no front end for one.

It lifts magnets from below a plate, so that beads are held while the liquid is taken off. Heights are mm of the
magnets' tops above their base.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod

from pylabrobot.machines.backend import MachineBackend
from pylabrobot.machines.machine import Machine
from pylabrobot.resources import Coordinate, ResourceHolder


class MagneticModuleBackend(MachineBackend, metaclass=ABCMeta):  # type: ignore[misc]
    """What moves a magnetic module."""

    @abstractmethod
    async def engage(self, height: float | None) -> None:
        """Raise the magnets to ``height``; ``None`` is the height that the labware on it asks for."""

    @abstractmethod
    async def disengage(self) -> None:
        """Lower the magnets to their base."""


class MagneticModule(ResourceHolder, Machine):  # type: ignore[misc]
    """A module whose magnets rise and sink under the labware that stands on it."""

    def __init__(
        self,
        name: str,
        size_x: float,
        size_y: float,
        size_z: float,
        backend: MagneticModuleBackend,
        child_location: Coordinate,
        category: str = "magnetic_module",
        model: str | None = None,
    ) -> None:
        ResourceHolder.__init__(
            self,
            name=name,
            size_x=size_x,
            size_y=size_y,
            size_z=size_z,
            child_location=child_location,
            category=category,
            model=model,
        )
        Machine.__init__(self, backend=backend)

    async def engage(self, height: float | None = None) -> None:
        """Raise the magnets to ``height`` mm; ``None`` is the height that the labware on it asks for."""
        await self.backend.engage(height)

    async def disengage(self) -> None:
        """Lower the magnets to their base."""
        await self.backend.disengage()
