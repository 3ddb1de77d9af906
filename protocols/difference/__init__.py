"""What two protocols or programs do differently, by meaning: not by line, id or name of a step."""

from protocols.difference.difference import Change, Difference, WellChange, difference
from protocols.difference.sides import Side, side_of_program, side_of_protocol

__all__ = [
    "Change",
    "Difference",
    "Side",
    "WellChange",
    "difference",
    "side_of_program",
    "side_of_protocol",
]
