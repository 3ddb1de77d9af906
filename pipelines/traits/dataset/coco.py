"""COCO: an annotation a region, a category a part. FiftyOne reads it as ``COCODetectionDataset``.

Format: https://cocodataset.org/#format-data. ``attributes.statements`` holds what is said of a region, each with its
``standing``; a region of the background has the category ``background``. ``file_name`` is below ``images/``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipelines.traits.dataset.figures import Figures
from pipelines.traits.dataset.regions import outlines, regions, signed_area
from pipelines.traits.dataset.settings import DatasetSettings
from pipelines.traits.dataset.staging import Exported
from pipelines.traits.statements import Statement

BACKGROUND = "background"


def write_coco(
    path: Path,
    images: Iterable[Exported],
    again: Iterable[Exported],
    figures: Figures,
    settings: DatasetSettings,
) -> None:
    """The whole file, a line an image or annotation.

    Args:
        path: of the file.
        images, again: the same images twice: once for themselves, once for their regions.
        figures: of the dataset.
        settings: title, version and so on.

    Raises:
        OSError: it cannot be written.
    """
    licences = {name: number for number, name in enumerate(sorted(figures.licences), start=1)}
    parts = sorted({*figures.parts, BACKGROUND} - {""} | {"region"})
    categories = {name: number for number, name in enumerate(parts, start=1)}
    info = {"description": settings.title, "version": settings.version, "url": settings.url}
    info |= {"contributor": ", ".join(settings.creators), "date_created": settings.published}
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write('{"info": ' + _dumped(info) + ',\n"licenses": ')
        file.write(_dumped([{"id": number, "name": name, "url": ""} for name, number in licences.items()]))
        named = [{"id": number, "name": name, "supercategory": "part"} for name, number in categories.items()]
        file.write(',\n"categories": ' + _dumped(named))
        _array(file, "images", (_image(image, licences) for image in images))
        _array(file, "annotations", _annotations(again, categories))
        file.write("}\n")


def _array(file: Any, name: str, items: Iterable[Any]) -> None:
    file.write(f',\n"{name}": [')
    for number, item in enumerate(items):
        file.write((",\n" if number else "\n") + _dumped(item))
    file.write("\n]")


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _image(image: Exported, licences: dict[str, int]) -> dict[str, Any]:
    size = {"width": image.specimen.width, "height": image.specimen.height}
    about = {"license": licences[image.licence.label], "rights_holder": image.rights_holder, "taxon": image.taxon}
    about["attribution"] = image.attribution
    return {"id": image.number, "file_name": image.copied.file, **size, **about}


def _annotations(images: Iterable[Exported], categories: dict[str, int]) -> Iterator[dict[str, Any]]:
    number = 0
    for image in images:
        for id, said in regions(image):
            number += 1
            place = said[0][1].place
            rings = outlines(place)
            left, top, right, bottom = place.box
            yield {
                "id": number,
                "image_id": image.number,
                "category_id": categories[category(said)],
                "segmentation": [[number for point in ring for number in point] for ring in rings],
                "bbox": [left, top, right - left, bottom - top],
                "area": sum(abs(signed_area(ring)) for ring in rings),
                "iscrowd": 0,
                "attributes": {"region": id, "latent": said[0][1].latent, "statements": [_said(*one) for one in said]},
            }


def category(said: list[tuple[str, Statement]]) -> str:
    """What a region is called: ``background``, or the part that is named first."""
    if all(one.standing == "background" for _, one in said):
        return BACKGROUND
    shown = [one.part for _, one in said if one.standing == "observed"] or [one.part for _, one in said]
    return shown[0] or "region"


def _said(id: str, said: Statement) -> dict[str, Any]:
    names = ("part", "character", "state", "standing", "value", "unit", "confidence", "doubts", "review")
    return {"id": id, **{name: getattr(said, name) for name in names}}
