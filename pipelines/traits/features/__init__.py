"""Patch activations of a vision model.

A :class:`~pipelines.traits.features.backbone.Backbone` turns each patch of an image into a vector: a vision
transformer from a checkpoint on this computer, or the embedded one that needs no weights. Its activations go to a
store of checksummed, memory-mapped shards (:func:`write_activations`, :class:`Activations`), or straight into training
(:class:`Streamed`).
"""

from pipelines.traits.features.backbone import Backbone, Prepared
from pipelines.traits.features.loading import load_backbone
from pipelines.traits.features.store import Activations
from pipelines.traits.features.streamed import Streamed
from pipelines.traits.features.writing import write_activations

__all__ = ["Activations", "Backbone", "Prepared", "Streamed", "load_backbone", "write_activations"]
