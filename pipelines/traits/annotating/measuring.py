"""Measuring the regions of some images; for the checks, the same elsewhere on the organism and of a blank image."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from pipelines.traits.annotating.earlier import Earlier
from pipelines.traits.annotating.pictures import Found, Shown
from pipelines.traits.annotating.places import blanked, elsewhere
from pipelines.traits.annotating.stored import Control
from pipelines.traits.checking.controls import LEAST_PLACES
from pipelines.traits.describing import APPEARANCE, MEASURED, MeasuredDescriber, Picture
from pipelines.traits.statements import Dictionary, Statement

NO_ROOM = ("elsewhere", "no room on the organism")
"""The condition of a statement on looks whose region could not be put elsewhere, so that it is not known whether they
are peculiar to it."""


@dataclass(frozen=True)
class Measured:
    """What was measured of some images, in their order, and of their controls."""

    statements: list[Statement]
    controls: list[Control]


def measure_shard(
    shown: Sequence[Shown], words: Dictionary, workers: int = 1, earlier: Earlier | None = None
) -> Measured:
    """Measure all regions of some images.

    Args:
        shown: the images.
        words: characters that may be spoken of.
        workers: images that are open at a time.
        earlier: what was measured of them before; what holds of it is taken.

    Raises:
        CollectionError: an image is not there any more, or another.
        InputError: an image states a scale that is none, or the dictionary has no character that can be measured.
    """
    with ThreadPoolExecutor(workers) as pool:
        every = list(pool.map(partial(measure, describer=MeasuredDescriber(words), earlier=earlier), shown))
    return Measured(
        [said for one in every for said in one.statements], [said for one in every for said in one.controls]
    )


def measure(shown: Shown, describer: MeasuredDescriber, earlier: Earlier | None = None) -> Measured:
    """Measure all regions of an image, which is opened if any of them was not measured before."""
    found = Measured([], [])
    picture = None
    for region in shown.regions:
        if earlier is not None and earlier.holds(shown, region):
            found.statements.extend(earlier.statements(shown, region))
            found.controls.extend(earlier.controls("another region", shown, region))
        else:
            picture = picture or shown.open()
            _measure_region(picture, region, describer, found)
    first = next(iter(shown.regions), None)
    if first is None:
        return found
    if earlier is not None and earlier.holds(shown, first):
        blank = earlier.controls("blank image", shown, first)
        if blank:
            found.controls.extend(blank)
            return found
    blank_picture = blanked(picture or shown.open())
    found.controls.extend(Control("blank image", one) for one in describer(blank_picture, first.latent, first.place))
    return found


def _measure_region(picture: Picture, region: Found, describer: MeasuredDescriber, found: Measured) -> None:
    said = describer(picture, region.latent, region.place)
    looks = [one.character for one in said if one.character in APPEARANCE and one.standing == "observed"]
    others = elsewhere(picture.organism, region.place, picture.id, region.latent) if looks and picture.organism else []
    if len(others) < LEAST_PLACES:
        others = []
        said = [replace(one, conditions=(*one.conditions, NO_ROOM)) if one.character in looks else one for one in said]
    found.statements.extend(said)
    for number, place in enumerate(others):
        there = describer.describe(picture, region.latent, place, looks)
        by = replace(MEASURED, sample=number)
        found.controls.extend(Control("another region", replace(one, describer=by)) for one in there)
