"""What a person may choose, and what is chosen where they did not: by the size of the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from protocols.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
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

    def given(self) -> dict[str, Any]:
        """What is not left to the defaults."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Settings from what was written down; names that this version does not know are refused.

        Raises:
            InputError: a name is not known.
        """
        unknown = set(given) - {item.name for item in fields(cls)}
        if unknown:
            raise InputError(f"unknown settings: {', '.join(sorted(unknown))}", mend="Use the version that wrote them")
        return cls(**given)

    def over(self, earlier: Settings) -> Settings:
        """These settings, and the ``earlier`` ones where these say nothing."""
        return replace(earlier, **self.given())


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a sparse autoencoder is made, and how long it is trained."""

    expansion: int
    k: int
    batch: int
    steps: int


def sizes_for(settings: Settings, activations: int, dimensions: int) -> Sizes:
    """Sizes for so many activations, unless they were chosen.

    The dictionary grows with the data, from 4 to 32 times the dimensions: a latent needs activations to be learned
    from, and with fewer than some 20 for each latent most of them stay without any. Every activation is seen about 20
    times, within 400 and 25,000 steps; 25,000 steps of 4,096 are the published 100 million activations.
    """
    batch = _power_of_two(activations // 16, 64, 4096)
    expansion = settings.expansion or _power_of_two(activations // (20 * dimensions), 4, 32)
    k = settings.k or min(32, max(4, dimensions * expansion // 64))
    return Sizes(expansion, k, batch, settings.steps or min(max(20 * activations // batch, 400), 25_000))


def _power_of_two(wanted: int, least: int, most: int) -> int:
    return min(max(1 << max(wanted, 1).bit_length() - 1, least), most)
