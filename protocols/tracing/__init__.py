"""What instructions move from where to where, seen from the bench: tips, channels and films left aside."""

from protocols.tracing.acts import Act, Discarded, Moved, Other, Stirred
from protocols.tracing.trace import Block, Trace, trace

__all__ = ["Act", "Block", "Discarded", "Moved", "Other", "Stirred", "Trace", "trace"]
