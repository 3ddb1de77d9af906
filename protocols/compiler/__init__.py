"""The compiler: lowers a bench-level Protocol onto a workcell into a Program, deterministically."""

from protocols.compiler.classes import liquid_class_for
from protocols.compiler.compilation import Compilation, Tallies, compile_protocol
from protocols.compiler.minimum import BelowMinimumError, IntermediateDilution

__all__ = [
    "BelowMinimumError",
    "Compilation",
    "IntermediateDilution",
    "Tallies",
    "compile_protocol",
    "liquid_class_for",
]
