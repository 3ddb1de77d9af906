"""What one prompt is about: a region of one specimen, or of several, and what a control shows or tells instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.statements import Place
from protocols.errors import InputError

Picture = NDArray[np.uint8] | Callable[[], NDArray[np.uint8]]
"""An upright RGB image (height, width, 3), or what reads it: it is then read when the prompt is made, and let go."""
LEAST_APART = 0.1
"""Share of two boxes' union that they may have in common for one to stand in for the other in a control."""
MOST_SHOWN = 8
"""Pictures of one prompt; more are more than models look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A region of a specimen's image.

    Attributes:
        image: the specimen's id.
        latent: whose region it is.
        place: where.
        picture: the image, or what reads it.
        bare: whether labels are painted over in it already.
    """

    image: str
    latent: int
    place: Place
    picture: Picture
    bare: bool = False

    def pixels(self) -> NDArray[np.uint8]:
        """The image (height, width, 3)."""
        return self.picture() if callable(self.picture) else self.picture


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Control: other regions of the same images are shown; a description that does not change is not of the region.

    Attributes:
        places: one for each image.
    """

    places: tuple[Place, ...]

    name = "another region"


@dataclass(frozen=True, slots=True)
class Blank:
    """Control: even grey is shown, as large as the images, with the same marks drawn on it."""

    name = "blank image"


@dataclass(frozen=True, slots=True)
class Told:
    """Control: a wrong name is told on purpose, here and nowhere else.

    Attributes:
        taxon: the name.
    """

    taxon: str

    name = "wrong name told"


Control = Elsewhere | Blank | Told


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What one prompt is about.

    Attributes:
        shown: one region; or several, of specimens of one taxon in which the same latent fires: what all of them share
            is asked for.
        sample: number of the answer, where the same is asked more than once.
        control: what is shown or told instead; ``None`` for a description.
    """

    shown: tuple[Shown, ...]
    sample: int = 0
    control: Control | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.shown) <= MOST_SHOWN:
            raise InputError(f"{len(self.shown)} regions in one prompt", mend=f"Show 1 to {MOST_SHOWN} in each prompt")
        if isinstance(self.control, Elsewhere) and len(self.control.places) != len(self.shown):
            raise InputError(f"{len(self.control.places)} other regions for {len(self.shown)} images")


def another_place(place: Place, others: Iterable[Place]) -> Place | None:
    """The region of the same image that has least in common with this one, by box; the first of equals.

    Returns:
        ``None`` where each has more than :data:`LEAST_APART` in common: there is no control then.
    """
    shares = [(_shared(place.box, other.box), number, other) for number, other in enumerate(others)]
    best = min(shares, key=lambda one: one[:2], default=None)
    return best[2] if best is not None and best[0] <= LEAST_APART else None


def _shared(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes."""
    wide = max(min(one[2], other[2]) - max(one[0], other[0]), 0.0)
    high = max(min(one[3], other[3]) - max(one[1], other[1]), 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    union = sum(areas) - wide * high
    return wide * high / union if union > 0 else 1.0
