"""Lifting: from a Program, what a robot does, to a Protocol, what is done at the bench."""

from protocols.lifting.lift import Kept, Lifted, lift

__all__ = ["Kept", "Lifted", "lift"]
