"""What a person may choose of the descriptions; what is chosen of the regions is in :mod:`pipelines.traits.finding`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from pipelines.traits.dataset import DatasetSettings, read_checklist
from pipelines.traits.describing import Scale
from pipelines.traits.finding.asked import Choices
from pipelines.traits.prompting import Box, Crop, Look, Overlay, Prompt, Whole, read_examples
from pipelines.traits.prompting.subjects import MOST_SHOWN
from pipelines.traits.statements import Dictionary
from pipelines.traits.vocabulary import read_dictionary, shipped_dictionary
from protocols.errors import InputError

LOOKS: dict[str, type[Look]] = {"crop": Crop, "box": Box, "overlay": Overlay, "whole": Whole}
"""How a region is shown to a model, by name."""
CONTROLS = 0.05
"""Share of the questions that are asked as controls, too, if nobody says."""
NOBODY = "none"
"""In place of a model's name: none is asked."""
MOST_SAMPLES = 32
_OF_THE_MODEL = ("model", "look", "images_per_prompt", "examples", "samples", "controls")
_OF_THE_RELEASE = ("title", "creators", "dataset_licence", "checklist", "allow_unlicensed", "gold_bar")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSettings(Choices):
    """How regions are described. ``None`` leaves it to the defaults, or as the folder was begun with.

    Attributes:
        dictionary: path of a person's own dictionary of characters; the shipped one if not given.
        pixels_per_mm: calibration of all images; an image's own, in a column ``pixels_per_mm``, goes before it.
        pixels_per_mm_sd: one standard deviation of it.
        model: name of the model that describes regions beside the measurements; none if not given, or :data:`NOBODY`.
        look: how it is shown a region, a key of :data:`LOOKS`; ``overlay`` if not given.
        images_per_prompt: specimens of a taxon that it is shown at once, 1 if not given.
        examples: path of a person's examples.
        samples: how often it is asked the same, 1 if not given.
        controls: share of the questions that are controls, too; :data:`CONTROLS` if not given.
        title: of the dataset.
        creators: of the dataset, names of persons or organisations.
        dataset_licence: of the statements, not of the images.
        checklist: path of a CSV file of synonyms.
        allow_unlicensed: put images without a known licence into the dataset, too.
        gold_bar: that characters must reach to be in the dataset, in place of the one that a scored sample set; 0 is
            none.
    """

    dictionary: str | None = None
    pixels_per_mm: float | None = None
    pixels_per_mm_sd: float | None = None
    model: str | None = None
    look: str | None = None
    images_per_prompt: int | None = None
    examples: str | None = None
    samples: int | None = None
    controls: float | None = None
    title: str | None = None
    creators: tuple[str, ...] | None = None
    dataset_licence: str | None = None
    checklist: str | None = None
    allow_unlicensed: bool | None = None
    gold_bar: float | None = None

    def absolute(self) -> Self:
        """The same, with paths that mean the same from any folder."""
        paths = {name: getattr(self, name) for name in ("dictionary", "examples", "checklist")}
        known: dict[str, Any] = {
            name: str(Path(path).expanduser().resolve()) for name, path in paths.items() if path is not None
        }
        return replace(self, **known)

    @staticmethod
    def is_free(name: str, earlier: AnnotationSettings) -> bool:
        """Whether a choice may be made anew at any time: it costs little, or a model is asked for the first time."""
        return name in _OF_THE_RELEASE or (name in _OF_THE_MODEL and not earlier.asks)

    @property
    def asks(self) -> bool:
        """Whether a model is asked."""
        return self.model not in (None, NOBODY)

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            InputError: a number or a name cannot be used, or something is said of a model and none is named.
        """
        self.scale()
        for name, least, most in (
            ("images_per_prompt", 1, MOST_SHOWN),
            ("samples", 1, MOST_SAMPLES),
            ("controls", 0, 1),
            ("gold_bar", 0, 1),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise InputError(f"{value:g} is not from {least} to {most}", where=f"--{name.replace('_', '-')}")
        said = [f"--{name.replace('_', '-')}" for name in _OF_THE_MODEL[1:] if getattr(self, name) is not None]
        if said and self.model is None:
            raise InputError(f"{said[0]} is of a model, and none is named", mend="Name one with --model")
        if self.look is not None and self.look not in LOOKS:
            raise InputError(
                f"there is no look '{self.look}'", where="--look", mend=f"Choose one of {', '.join(LOOKS)}"
            )

    def words(self) -> Dictionary:
        """The dictionary.

        Raises:
            InputError: it cannot be read or used.
        """
        return shipped_dictionary() if self.dictionary is None else read_dictionary(Path(self.dictionary))

    def prompt(self, words: Dictionary) -> Prompt:
        """How a model is asked.

        Raises:
            InputError: the examples cannot be read.
        """
        examples = () if self.examples is None else read_examples(Path(self.examples))
        return Prompt(words, LOOKS[self.look or "overlay"](), examples)

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
        """How the dataset is written.

        Raises:
            InputError: the checklist cannot be read.
        """
        usual = DatasetSettings(replace=True)
        return replace(
            usual,
            title=self.title or usual.title,
            creators=self.creators or (),
            licence=self.dataset_licence or "",
            checklist=() if self.checklist is None else read_checklist(Path(self.checklist)),
            allow_unlicensed=bool(self.allow_unlicensed),
        )


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
