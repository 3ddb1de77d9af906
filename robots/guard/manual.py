"""Calls of pylabrobot that move something to bare coordinates: nothing here could look where that is."""

from __future__ import annotations

from typing import Any

from pylabrobot.liquid_handling import LiquidHandler

from robots.guard.refusal import Refused


class NoManualMoves(LiquidHandler):  # type: ignore[misc]
    """A liquid handler that refuses them all.

    Raises:
        Refused: by each call, always.
    """

    async def move_channel_x(self, *args: Any, **kwargs: Any) -> None:
        """Refused; see the class."""
        raise _not_looked_at()

    async def move_channel_y(self, *args: Any, **kwargs: Any) -> None:
        """Refused; see the class."""
        raise _not_looked_at()

    async def move_channel_z(self, *args: Any, **kwargs: Any) -> None:
        """Refused; see the class."""
        raise _not_looked_at()

    async def prepare_for_manual_channel_operation(self, *args: Any, **kwargs: Any) -> None:
        """Refused; see the class."""
        raise _not_looked_at()

    async def move_picked_up_resource(self, *args: Any, **kwargs: Any) -> None:
        """Refused; see the class."""
        raise _not_looked_at()


def _not_looked_at() -> Refused:
    return Refused("nothing would look where this move goes", mend="Name a well, a spot or a site")
