"""What the runner needs of a workcell's devices beside the driver: to connect, again if need be, and to stop."""

from __future__ import annotations

from typing import Protocol

from protocols.labstate import LabState
from robots.ports import Driver


class Devices(Protocol):
    """The devices of a workcell for one run."""

    async def connect(self, state: LabState) -> Driver:
        """A driver, set up, for a workcell that is in ``state``; called again after a lost connection.

        Raises:
            ConnectionLost: the devices do not answer now; trying again may help.
            DeviceError: they refuse.
        """
        ...

    async def make_safe(self) -> None:
        """Stop all motion on a path of its own: called from another thread while the driver may hang.

        Raises:
            DeviceError: it could not be confirmed that nothing moves.
        """
        ...

    async def close(self) -> None:
        """Let go of everything after the run."""
        ...
