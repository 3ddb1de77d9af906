"""What a person may choose, and what is chosen where they did not: by the size of the collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pipelines.traits.finding.asked import Choices
from pipelines.traits.sae import BatchTopK, JumpRelu, Matryoshka, Relu, Schedule, TopK, TrainingConfig, Variant
from protocols.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Choices):
    """Everything that results depend on. ``None`` leaves it to the defaults.

    Attributes:
        backbone: ``embedded``, or the path of a checkpoint.
        layer: of the backbone; ``None`` is the model's own default.
        sae: path of a trained sparse autoencoder, instead of training one.
        variant: of the sparse autoencoder, by name.
        expansion: latents for each dimension of the activations.
        k: latents that fire for a patch, in the variants that have such a number.
        steps: of the training.
        rank: of the taxa that are to be marked.
        threshold: a latent fires where its activation is above it.
        layout: of the collection, by name.
        licence: of images of which the collection states none.
        seed: of everything left to chance.
    """

    backbone: str | None = None
    layer: int | None = None
    sae: str | None = None
    variant: str | None = None
    expansion: int | None = None
    k: int | None = None
    steps: int | None = None
    rank: str | None = None
    threshold: float | None = None
    layout: str | None = None
    licence: str | None = None
    seed: int | None = None

    def absolute(self) -> Self:
        """The same, with paths that mean the same from any folder; a name that is no path stays a name."""
        backbone = self.backbone
        if backbone is not None and Path(backbone).expanduser().exists():
            backbone = str(Path(backbone).expanduser().resolve())
        sae = None if self.sae is None else str(Path(self.sae).expanduser().resolve())
        return replace(self, backbone=backbone, sae=sae)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a sparse autoencoder is made, and how long it is trained."""

    expansion: int
    k: int
    batch: int
    steps: int


def sizes_for(settings: Settings, activations: int, dimensions: int) -> Sizes:
    """Sizes for so many activations, unless they were chosen.

    The dictionary grows with the data, from 4 to 32 times the dimensions: patches of one image are much alike, and with
    fewer than some 64 activations for each latent most of them would have too little to be learned from. Every
    activation is seen about ten times, within 300 and 25,000 steps; 25,000 steps of 4,096 are the published 100 million
    activations. A patch has 32 latents, fewer where it has few dimensions.
    """
    batch = _power_of_two(activations // 16, 64, 4096)
    expansion = settings.expansion or _power_of_two(activations // (64 * dimensions), 4, 32)
    k = settings.k or _power_of_two(dimensions // 8, 4, 32)
    return Sizes(expansion, k, batch, settings.steps or min(max(10 * activations // batch, 300), 25_000))


def _power_of_two(wanted: int, least: int, most: int) -> int:
    return min(max(1 << max(wanted, 1).bit_length() - 1, least), most)


def training_config(settings: Settings, activations: int, dimensions: int, device: str) -> TrainingConfig:
    """How the sparse autoencoder is trained.

    Raises:
        InputError: there is no such variant.
    """
    sizes = sizes_for(settings, activations, dimensions)
    return TrainingConfig(
        variant=variant_of(settings.variant or "topk", sizes.k),
        expansion=sizes.expansion,
        steps=sizes.steps,
        batch=sizes.batch,
        schedule=Schedule(warm_up=min(500, sizes.steps // 10), decay=sizes.steps // 5),
        seed=settings.seed or 0,
        precision="bfloat16" if device.startswith("cuda") else "float32",
        dead_after=min(1_000_000, max(sizes.steps * sizes.batch // 8, sizes.batch)),
        metrics_every=max(sizes.steps // 60, 1),
        checkpoint_every=max(min(sizes.steps // 10, 500), 1),
        device=device,
    )


def variant_of(name: str, k: int) -> Variant:
    """A variant by name.

    Raises:
        InputError: there is none of this name.
    """
    known: dict[str, Callable[[], Variant]] = {
        "topk": lambda: TopK(k=k),
        "batch-topk": lambda: BatchTopK(k=k),
        "matryoshka": lambda: Matryoshka(k=k),
        "jumprelu": JumpRelu,
        "relu": Relu,
    }
    if name not in known:
        raise InputError(f"there is no variant '{name}'", where="--variant", mend=f"Choose one of {', '.join(known)}")
    return known[name]()
