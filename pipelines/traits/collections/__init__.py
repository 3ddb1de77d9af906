"""Images of a collection, and what is known of the organisms in them.

A collection is a folder in one of the layouts of :mod:`pipelines.traits.collections.layouts`. Reading it never stops at
an image: whatever cannot be used is quarantined with a reason and with what to do about it.
"""

from pipelines.traits.collections.layouts import Layout
from pipelines.traits.collections.pixels import open_image
from pipelines.traits.collections.reading import read_collection
from pipelines.traits.collections.saving import load_scan, save_scan
from pipelines.traits.collections.scans import (
    Alike,
    CollectionError,
    Converted,
    Quarantined,
    Reason,
    Scan,
)

__all__ = [
    "Alike",
    "CollectionError",
    "Converted",
    "Layout",
    "Quarantined",
    "Reason",
    "Scan",
    "load_scan",
    "open_image",
    "read_collection",
    "save_scan",
]
