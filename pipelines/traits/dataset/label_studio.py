"""Label Studio: a task a statement, its region as a prediction in percent, and the form in which a person decides.

Formats: https://labelstud.io/guide/predictions and https://labelstud.io/guide/tasks. Images are addressed below the
dataset's folder by Label Studio's local storage: ``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`` is to be that folder.
Statements on the background are not asked about. :mod:`pipelines.traits.dataset.reviews` reads the export.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from pipelines.traits.dataset.regions import outlines
from pipelines.traits.dataset.reviews import DECISIONS
from pipelines.traits.dataset.staging import Exported, one_line
from pipelines.traits.statements import Dictionary, Place, Statement

TASKS = 10_000
"""Tasks in one file."""


def form(parts: Iterable[str]) -> str:
    """The labelling interface, in Label Studio's XML: the region, accept or reject or change, and the changed state."""
    labels = "\n".join(f"    <Label value={quoteattr(one_line(part))}/>" for part in sorted(set(parts) | {"region"}))
    choices = "\n".join(f'    <Choice value="{decision}"/>' for decision in DECISIONS)
    return f"""<View>
  <Image name="image" value="$image"/>
  <Header value="$said"/>
  <PolygonLabels name="region" toName="image">
{labels}
  </PolygonLabels>
  <Choices name="decision" toName="image" choice="single" required="true">
{choices}
  </Choices>
  <TextArea name="state" toName="image" placeholder="if you change it: the state" maxSubmissions="1"/>
</View>
"""


def write_label_studio(folder: Path, images: Iterable[Exported], dictionary: Dictionary, parts: Iterable[str]) -> None:
    """``form.xml`` and ``tasks-00000.json`` and so on.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir()
    (folder / "form.xml").write_text(form(parts), encoding="utf-8", newline="\n")
    tasks = (
        task(image, id, said, dictionary)
        for image in images
        for id, said in image.said
        if said.standing != "background"
    )
    waiting: list[str] = []
    files = 0
    for one in tasks:
        waiting.append(json.dumps(one, ensure_ascii=False, allow_nan=False))
        if len(waiting) == TASKS:
            _write(folder, files, waiting)
            files, waiting = files + 1, []
    if waiting or not files:
        _write(folder, files, waiting)


def _write(folder: Path, number: int, tasks: list[str]) -> None:
    text = "[\n" + ",\n".join(tasks) + "\n]\n"
    (folder / f"tasks-{number:05d}.json").write_text(text, encoding="utf-8", newline="\n")


def task(image: Exported, id: str, said: Statement, dictionary: Dictionary) -> dict[str, Any]:
    """One statement as a question; no name of the taxon is shown."""
    size = {"original_width": image.specimen.width, "original_height": image.specimen.height, "image_rotation": 0}
    shapes = [
        {
            "id": f"{id[:8]}-{number}",
            "from_name": "region",
            "to_name": "image",
            "type": "polygonlabels",
            **size,
            "value": {"points": ring, "closed": True, "polygonlabels": [one_line(said.part) or "region"]},
        }
        for number, ring in enumerate(_percent(said.place))
    ]
    prediction: dict[str, Any] = {"model_version": one_line(said.describer.name), "result": shapes}
    if said.confidence is not None:
        prediction["score"] = said.confidence
    data = {
        "image": f"/data/local-files/?d={quote(f'images/{image.copied.file}')}",
        "statement": id,
        "said": in_words(said, dictionary),
        "licence": image.licence.label,
        "attribution": image.attribution,
    }
    return {"data": data, "predictions": [prediction]}


def in_words(said: Statement, dictionary: Dictionary) -> str:
    """A statement as a line to read: ``"head, colour: red"``."""
    character = dictionary.characters.get(said.character)
    label = character.label if character else said.character
    subject = f"{said.part}, {label}" if label else said.part
    if said.standing != "observed":
        return one_line(f"{subject}: {said.standing}")
    if said.value is not None:
        spread = "" if said.uncertainty is None else f" ± {said.uncertainty:g}"
        return one_line(f"{subject}: {said.value:g}{spread} {'' if said.unit == '1' else said.unit}")
    state = character.state(said.state) if character else None
    return one_line(f"{subject}: {state.label if state else said.state or said.text}")


def _percent(place: Place) -> list[list[list[float]]]:
    width, height = place.image_size
    rings = outlines(place)
    return [[[_share(x, width), _share(y, height)] for x, y in ring] for ring in rings]


def _share(value: float, whole: int) -> float:
    return min(max(100 * value / whole, 0.0), 100.0)
