"""From the collection to sparse codes: scan, activations, sparse autoencoder, codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.traits.collections import open_image, read_collection, save_scan
from pipelines.traits.features import write_activations
from pipelines.traits.finding.progress import counted
from protocols.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.traits.collections import Scan
    from pipelines.traits.finding.stages import Work
    from pipelines.traits.specimens import Specimen

SHARD_IMAGES = 64
"""Images in one file of activations: what a kill costs at most."""


# -- scan --------------------------------------------------------------------------------------------------


def scan_settings(work: Work) -> dict[str, Any]:
    """What the scan depends on beside the images."""
    return {"layout": work.settings.layout, "licence": work.settings.licence}


def scan(work: Work, folder: Path) -> dict[str, Any]:
    """Read the collection.

    Raises:
        InputError: it cannot be read, or holds no image that can be used.
    """
    found = read_scan(work)
    if not found.specimens:
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.reasons().items())
        raise InputError(
            f"no image can be used ({reasons or 'there is none'})",
            where=str(work.images),
            mend="Name a folder of JPEG, PNG, TIFF or WebP images",
        )
    save_scan(found, folder)
    return {
        "images": len(found.specimens),
        "quarantined": found.reasons(),
        "layout": found.layout,
        "recognised": found.recognised,
    }


def read_scan(work: Work) -> Scan:
    """The collection as it is now, with the licence that was stated for images without one.

    Raises:
        CollectionError: it cannot be read as a collection.
    """
    found = read_collection(
        work.images, workers=work.workers, layout=work.settings.layout, progress=counted(work.report, "scan")
    )
    if work.settings.licence:
        found.specimens = [
            specimen if specimen.licence else replace(specimen, licence=work.settings.licence)
            for specimen in found.specimens
        ]
    return found


# -- features ----------------------------------------------------------------------------------------------


def features_settings(work: Work) -> dict[str, Any]:
    """What the activations depend on beside the images."""
    return {
        "backbone": work.backbone.identity,
        "device": work.device.partition(":")[0],
        "precision": str(work.precision).removeprefix("torch."),
        "shard_images": SHARD_IMAGES,
    }


def features(work: Work, folder: Path) -> dict[str, Any]:
    """Activations of every patch of every image."""
    total, told = len(work.specimens), counted(work.report, "features")
    store = write_activations(
        work.backbone,
        _pictures(work),
        folder,
        shard_images=SHARD_IMAGES,
        workers=work.workers,
        progress=lambda done: told(done, total),
    )
    return {"activations": store.rows, "dimensions": store.dimensions}


def _pictures(work: Work) -> Iterator[tuple[Specimen, Callable[[], NDArray[np.uint8]]]]:
    return ((specimen, partial(open_image, work.images, specimen)) for specimen in work.specimens)
