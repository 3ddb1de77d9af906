"""Images with their regions, one after the other, ready to be described."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.traits.annotating.settings import scale_of
from pipelines.traits.collections import open_image
from pipelines.traits.describing import Picture, Scale
from pipelines.traits.regions import coarse_foreground
from pipelines.traits.specimens import Specimen
from pipelines.traits.statements import Place
from protocols.errors import RecordError

_CONDITIONS = {"sex": "sex", "lifeStage": "life stage", "caste": "caste", "ac:subjectOrientation": "view"}
"""Terms of a specimen that bound what its image shows, and what they are called in a statement."""
_SCALE, _SCALE_SD = "pixelspermm", "pixelspermmsd"


@dataclass(frozen=True, slots=True)
class Found:
    """A region as the stage before wrote it down.

    Attributes:
        taxa: rank and name of those of the image's for which the latent speaks.
        on_organism: share of it that lies on the organism, 0 to 1, by patches.
    """

    latent: int
    place: Place
    taxa: tuple[tuple[str, str], ...]
    on_organism: float = 1.0


@dataclass(frozen=True)
class Shown:
    """An image and its regions; the pixels are read when they are asked for.

    Attributes:
        images: the collection.
        specimen: whose image.
        regions: in the order in which they were found.
        scale: for all images that state none themselves.
    """

    images: Path
    specimen: Specimen
    regions: tuple[Found, ...]
    scale: Scale | None

    def open(self) -> Picture:
        """The picture.

        Raises:
            CollectionError: the image is not there any more, or another.
            InputError: it states a scale that is none.
        """
        image = open_image(self.images, self.specimen)
        mask = coarse_foreground(image)
        return Picture.of(self.specimen.id, image, mask, own_scale(self.specimen) or self.scale, self.conditions)

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """What the collection knows of the specimen that bounds what its image shows."""
        terms = self.specimen.terms
        return tuple((name, said) for term, name in _CONDITIONS.items() if (said := terms.get(term)))


@dataclass(frozen=True)
class Shard:
    """Images whose regions are in one file, and what is said of them in one file a stage.

    Attributes:
        number: of the file.
        shown: the images that have regions.
    """

    number: int
    shown: tuple[Shown, ...]


def own_scale(specimen: Specimen) -> Scale | None:
    """The calibration that the collection states for an image, in columns ``pixels_per_mm``, ``pixels_per_mm_sd``.

    Raises:
        InputError: it states one that is none.
    """
    named = {"".join(filter(str.isalnum, name.casefold())): value for name, value in specimen.terms.items()}
    if not named.get(_SCALE):
        return None
    try:
        pixels, sd = float(named[_SCALE]), float(named.get(_SCALE_SD) or 0)
    except ValueError:
        pixels, sd = float("nan"), 0.0
    return scale_of(pixels, sd, f"{specimen.source} (pixels_per_mm)")


def regions_by_image(path: Path) -> dict[str, list[Found]]:
    """The regions in one file of the stage ``regions``, by image, in their order.

    Raises:
        RecordError: the file is damaged.
    """
    found: dict[str, list[Found]] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                told = json.loads(line)
                polygons = tuple(
                    tuple(tuple((x, y) for x, y in ring) for ring in polygon) for polygon in told["polygons"]
                )
                left, top, right, bottom = told["box"]
                place = Place((left, top, right, bottom), polygons, (0, 0))
                taxa = tuple((rank, name) for rank, name in told["taxa"])
                found.setdefault(told["image"], []).append(Found(told["latent"], place, taxa, told["foreground"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend=f"Delete {path.parent}: that stage is then done again"
        ) from None
    return found


def sized(found: Found, specimen: Specimen) -> Found:
    """A region with the size of its image."""
    place = Place(found.place.box, found.place.polygons, (specimen.width, specimen.height))
    return replace(found, place=place)
