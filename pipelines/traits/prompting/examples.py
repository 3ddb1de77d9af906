"""Examples that a person gives: pictures with the descriptions that they should have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from pipelines.traits.prompting.answers import Description
from pipelines.traits.statements import Place
from protocols.errors import InputError

_FORM = "Write examples: and below it a list, each with image:, box: [left, top, right, bottom] and answer:"


@dataclass(frozen=True, eq=False)
class GivenExample:
    """A region and the description it should have.

    Attributes:
        pixels: (height, width, 3), red, green, blue.
        place: the region.
        answer: its description.
    """

    pixels: NDArray[np.uint8]
    place: Place
    answer: Description


def read_examples(path: Path) -> tuple[GivenExample, ...]:
    """The examples of a YAML file; its pictures are found from its folder, and their names are told to nobody.

    Raises:
        InputError: the file or one of its pictures cannot be read, or an example is incomplete.
    """
    import yaml

    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from None
    listed = data.get("examples") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not listed:
        raise InputError("holds no examples", where=str(path), mend=_FORM)
    return tuple(_example(each, f"{path} (examples.{number})", path.parent) for number, each in enumerate(listed))


def _example(told: Any, where: str, folder: Path) -> GivenExample:
    if not isinstance(told, dict) or not isinstance(told.get("image"), str) or "answer" not in told:
        raise InputError("an example is incomplete", where=where, mend=_FORM)
    pixels = _read(folder / told["image"], where)
    height, width = pixels.shape[:2]
    try:
        left, top, right, bottom = (float(edge) for edge in told.get("box", (0, 0, width, height)))
        answer = Description.model_validate(told["answer"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in ("answer", *first["loc"]))
        raise InputError(f"{field}: {first['msg']}", where=where) from None
    except (TypeError, ValueError):
        raise InputError("box is not four numbers", where=where, mend=_FORM) from None
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise InputError(f"the box is not within the picture of {width} x {height} pixels", where=where)
    ring = ((left, top), (right, top), (right, bottom), (left, bottom))
    return GivenExample(pixels, Place((left, top, right, bottom), ((ring,),), (width, height)), answer)


def _read(path: Path, where: str) -> NDArray[np.uint8]:
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})", where=where) from None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise InputError(f"{path} is no picture that can be read", where=where)
    return np.asarray(image[..., ::-1], np.uint8)
