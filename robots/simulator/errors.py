"""Errors of the simulated devices.

    DeviceError
    ├── robots.ports.ConnectionLost     the answer never came
    └── ActRefused                      the World did not begin: nothing moved and nothing is in its log
        └── Stopped                     it was told to be safe while the act was under way

What a device foreseeably fails at is no error of the World but part of its answer. The pylabrobot backend
turns it into pylabrobot's ``ChannelizedError`` (:mod:`robots.simulator.backend`).
"""

from __future__ import annotations

from protocols.errors import DeviceError


class ActRefused(DeviceError):
    """Raised when the World cannot begin an act: the command is malformed, or its id stands for another act."""


class Stopped(ActRefused):
    """Raised when the World was told to be safe while the act was under way: the motion ended, nothing was moved."""
