"""From the collection to sparse codes: scan, activations, sparse autoencoder, codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.collections import open_image, read_collection, save_scan
from pipelines.traits.features import write_activations
from pipelines.traits.finding.growing import in_order
from pipelines.traits.finding.progress import counted
from pipelines.traits.finding.settings import training_config, variant_of
from pipelines.traits.finding.stored_codes import write_codes
from pipelines.traits.regions.foreground import coarse_foreground, patch_foreground
from pipelines.traits.sae import Sae, save_sae, train
from protocols.errors import InputError

if TYPE_CHECKING:
    from pipelines.traits.collections import Scan
    from pipelines.traits.finding.stages import Work
    from pipelines.traits.grids import Grid
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
    """The collection as it is now, with the licence that was stated for images without a statement of their own.

    Raises:
        CollectionError: it cannot be read as a collection.
        InputError: it grew, and an image of before is not there any more.
    """
    found = read_collection(
        work.images,
        workers=work.workers,
        layout=work.settings.layout,
        licence=work.settings.licence,
        progress=counted(work.report, "scan"),
    )
    return in_order(found, work.out)


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
        foreground=_ground,
        progress=lambda done: told(done, total),
    )
    return {"activations": store.rows, "dimensions": store.dimensions}


def _ground(image: NDArray[np.uint8], grid: Grid) -> NDArray[np.float32]:
    return patch_foreground(coarse_foreground(image), grid, (image.shape[0], image.shape[1]))


def _pictures(work: Work) -> Iterator[tuple[Specimen, Callable[[], NDArray[np.uint8]]]]:
    return ((specimen, partial(open_image, work.images, specimen)) for specimen in work.specimens)


# -- sparse autoencoder ------------------------------------------------------------------------------------


def sae_settings(work: Work) -> dict[str, Any]:
    """What the autoencoder depends on beside the activations.

    Raises:
        InputError: there is no such variant, or no such autoencoder.
    """
    chosen = work.settings
    if chosen.sae is not None:
        return {"given": work.given_sae.identity}
    variant_of(chosen.variant or "topk", 1)
    return {
        "variant": chosen.variant or "topk",
        "expansion": chosen.expansion,
        "k": chosen.k,
        "steps": chosen.steps,
        "seed": chosen.seed or 0,
        "device": work.device.partition(":")[0],
    }


def sae(work: Work, folder: Path) -> dict[str, Any]:
    """Train an autoencoder, or take the one that was given."""
    store, told = work.activations, counted(work.report, "sae")
    if work.settings.sae is not None:
        _require_fitting(work.given_sae, store.dimensions)
        save_sae(work.given_sae, folder)
        return {"latents": work.given_sae.latents, "identity": work.given_sae.identity}
    config = training_config(work.settings, store.rows, store.dimensions, work.device)

    def listen(step: int, line: dict[str, Any]) -> None:
        told(step, config.steps)

    made = train(config, store, folder, progress=listen)
    last = read_metrics(folder)[-1]
    kept = {name: round(last[name], 6) for name in ("fvu", "l0", "dead_fraction") if last.get(name) is not None}
    sizes = {"expansion": config.expansion, "k": getattr(config.variant, "k", None)}
    return {"latents": made.latents, **sizes, "steps": config.steps, "batch": config.batch, **kept}


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """What was measured in the training; empty where an autoencoder was given."""
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _require_fitting(made: Sae, dimensions: int) -> None:
    if made.dimensions != dimensions:
        raise InputError(
            f"the autoencoder is for activations of {made.dimensions} numbers, the backbone gives {dimensions}",
            mend="Name an autoencoder that was trained on this backbone and layer, or leave --sae out",
        )


# -- codes -------------------------------------------------------------------------------------------------


def codes_settings(work: Work) -> dict[str, Any]:
    """What the codes depend on beside activations and autoencoder."""
    return {"device": work.device.partition(":")[0]}


def codes(work: Work, folder: Path) -> dict[str, Any]:
    """Sparse codes of every image, and how much of each patch is organism."""
    store = work.activations
    write_codes(store, work.sae, folder, progress=counted(work.report, "codes"))
    return {"images": len(store), "latents": work.sae.latents}
