"""What annotators see of a region: close by and on the whole picture, as pixels alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from pipelines.traits.collections import open_image
from pipelines.traits.gold.key import Item
from pipelines.traits.prompting.labels import without_labels
from pipelines.traits.prompting.looks import Box, Overlay
from pipelines.traits.specimens import Specimen
from pipelines.traits.statements import Place

NEAR, WHOLE = Overlay(side=560, margin=0.6), Box(side=720)
"""The region with much around it, enlarged, and all of the picture with a box. Both are made of pixels alone, JPEG,
without metadata; labels in the picture, which may name the taxon, are painted over as far as they are found."""
Region = tuple[str, int, Place]


def region(item: Item) -> Region:
    """What an item shows: items on other characters of the same region show the same."""
    return item.question.image, item.question.latent, item.question.place


def draw_regions(
    root: Path, specimens: Mapping[str, Specimen], items: Iterable[Item]
) -> Iterator[tuple[Region, bytes, bytes]]:
    """Each region once, close by and on the whole picture; each image is read once.

    Args:
        root: the collection's folder.
        specimens: those of the items' images, by id.
        items: whose regions are drawn.

    Raises:
        CollectionError: an image is not there any more, or not the same.
    """
    wanted = sorted({region(item) for item in items}, key=lambda one: (one[0], one[1], one[2].box))
    for image, regions in groupby(wanted, lambda one: one[0]):
        pixels = without_labels(open_image(root, specimens[image]))
        for one in regions:
            yield one, NEAR.picture(pixels, one[2]).data, WHOLE.picture(pixels, one[2]).data
