"""What a person may choose of the descriptions; what is chosen of the regions is in :mod:`pipelines.traits.finding`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from pipelines.traits.dataset import DatasetSettings
from pipelines.traits.describing import Scale
from pipelines.traits.statements import Dictionary
from pipelines.traits.vocabulary import read_dictionary, shipped_dictionary
from protocols.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSettings:
    """How regions are described. ``None`` leaves it to the defaults, or as the folder was begun with.

    Attributes:
        dictionary: path of a person's own dictionary of characters; the shipped one if not given.
        pixels_per_mm: calibration of all images; an image's own, in a column ``pixels_per_mm``, goes before it.
        pixels_per_mm_sd: one standard deviation of it.
        title: of the dataset.
        allow_unlicensed: put images without a known licence into the dataset, too.
    """

    dictionary: str | None = None
    pixels_per_mm: float | None = None
    pixels_per_mm_sd: float | None = None
    title: str | None = None
    allow_unlicensed: bool | None = None

    def given(self) -> dict[str, Any]:
        """What is not left to the defaults."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Settings from what was written down.

        Raises:
            TypeError: a name is not known.
        """
        return cls(**given)

    def over(self, earlier: AnnotationSettings) -> AnnotationSettings:
        """These settings, and the ``earlier`` ones where these say nothing."""
        return replace(earlier, **self.given())

    def absolute(self) -> Self:
        """The same, with a path that means the same from any folder."""
        own = self.dictionary
        return self if own is None else replace(self, dictionary=str(Path(own).expanduser().resolve()))

    def words(self) -> Dictionary:
        """The dictionary.

        Raises:
            InputError: it cannot be read or used.
        """
        return shipped_dictionary() if self.dictionary is None else read_dictionary(Path(self.dictionary))

    def scale(self) -> Scale | None:
        """The calibration of all images, if there is one.

        Raises:
            InputError: it is none.
        """
        if self.pixels_per_mm is None:
            if self.pixels_per_mm_sd is not None:
                raise InputError(
                    "a deviation is given, and no scale", where="--pixels-per-mm-sd", mend="Give --pixels-per-mm too"
                )
            return None
        return scale_of(self.pixels_per_mm, self.pixels_per_mm_sd or 0.0, "--pixels-per-mm")

    def dataset(self) -> DatasetSettings:
        """How the dataset is written."""
        usual = DatasetSettings(replace=True)
        title, allowed = self.title or usual.title, bool(self.allow_unlicensed)
        return replace(usual, title=title, allow_unlicensed=allowed)


def scale_of(pixels: float, sd: float, where: str) -> Scale:
    """A calibration.

    Raises:
        InputError: it is not positive and finite, or its deviation is negative or larger than itself.
    """
    if not (math.isfinite(pixels) and pixels > 0 and 0 <= sd < pixels):
        raise InputError(
            f"{pixels:g} ± {sd:g} pixels for a millimetre is no scale", where=where, mend="Give a positive number"
        )
    return Scale(pixels, sd)
