"""An OT-2 whose pipette is the one that was asked for.

pylabrobot's backend takes whichever pipette holds a tip and is large enough, the left one first: with tips on
both, 10 µL for a P20 on the right are drawn by a P300 on the left. It moves single-channel pipettes only, takes
neither blow-out nor touch-off, and knows a pipette on the right only beside one on the left.
"""

from __future__ import annotations

from typing import Any

from pylabrobot.liquid_handling.backends import OpentronsOT2Backend
from pylabrobot.liquid_handling.errors import NoChannelError


class OpentronsByMount(OpentronsOT2Backend):  # type: ignore[misc]
    """pylabrobot's OT-2 backend; channel 0 is the left mount, channel 1 the right one."""

    _channel = 0

    async def pick_up_tips(self, ops: list[Any], use_channels: list[int]) -> None:
        """See pylabrobot's ``LiquidHandlerBackend.pick_up_tips``."""
        self._channel = use_channels[0]
        await super().pick_up_tips(ops, use_channels)

    async def drop_tips(self, ops: list[Any], use_channels: list[int]) -> None:
        """See pylabrobot's ``LiquidHandlerBackend.drop_tips``."""
        self._channel = use_channels[0]
        await super().drop_tips(ops, use_channels)

    async def aspirate(self, ops: list[Any], use_channels: list[int]) -> None:
        """See pylabrobot's ``LiquidHandlerBackend.aspirate``."""
        self._channel = use_channels[0]
        await super().aspirate(ops, use_channels)

    async def dispense(self, ops: list[Any], use_channels: list[int]) -> None:
        """See pylabrobot's ``LiquidHandlerBackend.dispense``."""
        self._channel = use_channels[0]
        await super().dispense(ops, use_channels)

    def _get_pickup_pipette(self, ops: list[Any]) -> str:
        return self._asked_for(ops)

    def _get_drop_pipette(self, ops: list[Any]) -> str:
        return self._asked_for(ops)

    def _get_liquid_pipette(self, ops: list[Any]) -> str:
        return self._asked_for(ops)

    def _asked_for(self, ops: list[Any]) -> str:
        if len(ops) != 1:
            raise NoChannelError("an OT-2 moves one pipette at a time")
        pipette = (self.left_pipette, self.right_pipette)[self._channel]
        if pipette is None:
            raise NoChannelError(f"there is no pipette on the {('left', 'right')[self._channel]} mount")
        return str(pipette["pipetteId"])
