"""What a simulated liquid handler failed at, as errors that pylabrobot's users know.

A failed call raises pylabrobot's ``ChannelizedError``, whose ``errors`` hold one of these for each channel that
failed; calls without channels (the gripper) raise one directly. Each carries the device's own word as ``fault``.
"""

from __future__ import annotations

from pylabrobot.resources.errors import HasTipError, NoTipError, TooLittleLiquidError

from protocols.outcomes import Fault


class ChannelFault(Exception):
    """Raised for a channel on which a simulated device failed.

    Attributes:
        fault: what the device said.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{fault.place}: {fault.message}" if fault.place else fault.message)


class MissingTipError(ChannelFault, NoTipError):  # type: ignore[misc]
    """Raised when a channel holds no tip after a pick-up, or before a stroke."""


class TipPresentError(ChannelFault, HasTipError):  # type: ignore[misc]
    """Raised when a channel, or the spot a tip is dropped at, has a tip already."""


class ShortAspirateError(ChannelFault, TooLittleLiquidError):  # type: ignore[misc]
    """Raised when a device noticed that it drew less than it was asked for."""


class ClogError(ChannelFault):
    """Raised when the pressure says that a tip is clogged."""


class LevelNotFoundError(ChannelFault, TooLittleLiquidError):  # type: ignore[misc]
    """Raised when no liquid surface was found."""


class GripperError(ChannelFault):
    """Raised when the gripper does not hold what it should, or the arm stalled."""


_BY_KIND: dict[str, type[ChannelFault]] = {
    "missing tip": MissingTipError,
    "short aspirate": ShortAspirateError,
    "clog": ClogError,
    "level not found": LevelNotFoundError,
    "gripper failed": GripperError,
}


def channel_error(fault: Fault) -> ChannelFault:
    """The error to raise for what a device said."""
    if fault.kind == "refused" and "already has a tip" in fault.message:
        return TipPresentError(fault)
    if fault.kind == "refused" and "has no tip" in fault.message:
        return MissingTipError(fault)
    return _BY_KIND.get(fault.kind, ChannelFault)(fault)
