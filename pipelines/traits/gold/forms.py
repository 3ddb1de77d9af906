"""Forms for annotators: a table, a page, and tasks for Label Studio, each with the same questions.

Nothing in them says what the machine answered, what the organism is or where its image came from.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipelines.traits.dataset.rows import csv_writer
from pipelines.traits.dataset.staging import one_line
from pipelines.traits.gold.key import Item, Key
from pipelines.traits.gold.pictures import Region, region
from pipelines.traits.gold.questions import choices
from pipelines.traits.statements import Character

TABLE, PAGE, STUDIO = "answers.csv", "answer.html", "label_studio"
COLUMNS = ("item", "near", "whole", "question", "choices", "answer", "note")
_README = """\
Questions about regions in pictures of organisms
================================================

Open answer.html in a browser and answer there, or fill in the column "answer" of answers.csv. Send back the table:
the one that the page lets you download, or answers.csv.

- Say what you see inside the outline. The picture ending in -whole shows where that is.
- Answer by the picture alone, not by what such an organism usually has.
- Do not talk about answers with the other annotator before both have ended.
- Every question wants an answer. Where no state fits:
    [absent]        looked for where it would be, and not there
    [not visible]   hidden, cut off, out of focus or too small in this picture
    [inapplicable]  such an organism has no such character
    [unknown]       it can be seen, and still not be told
    [background]    the outlined region shows no organism
- Label Studio reads label_studio/form.xml as its labelling interface and label_studio/tasks.json as its tasks; set
  LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT to this folder. Its JSON export is read, too.
"""


def slug(name: str) -> str:
    """A person's name as one plain path component."""
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")[:40] or "annotator"


def question_in_words(item: Item, character: Character) -> str:
    """A question as a line to read: ``"head: colour"``."""
    part = "" if item.question.part == "region" else f"{item.question.part}: "
    unit = f" ({character.unit})" if character.kind != "categorical" and character.unit not in ("", "1") else ""
    return one_line(f"{part}{character.label or character.id.replace('_', ' ')}{unit}")


def choices_in_words(character: Character) -> str:
    """What can be answered, as a line to read."""
    known = " | ".join(code for code, _, _ in choices(character))
    return known if character.kind == "categorical" else f"a number | {known}"


def write_forms(
    folder: Path, key: Key, annotator: str, pictures: Mapping[Region, tuple[bytes, bytes]], seed: int
) -> None:
    """Everything that one annotator gets, in an order that no other has.

    Args:
        folder: a new one.
        key: whose questions are asked; its answers are not used.
        annotator: the person's name.
        pictures: of each region, close by and on the whole picture, JPEG.
        seed: of the order.

    Raises:
        OSError: something cannot be written.
    """
    (folder / "pictures").mkdir(parents=True)
    places = {one: number for number, one in enumerate(_regions(key.items))}
    for one, number in places.items():
        for name, data in zip(_names(number), pictures[one], strict=True):
            (folder / name).write_bytes(data)
    order = list(key.items)
    random.Random(f"{seed} {annotator}").shuffle(order)
    asked = {name: key.dictionary.characters[name] for name in sorted({one.question.character for one in order})}
    (folder / "README.txt").write_text(_README, encoding="utf-8")
    _write_table(folder / TABLE, order, places, asked)
    _write_studio(folder / STUDIO, order, places, asked)
    page = _page(key, annotator, order, places, asked, pictures)
    (folder / PAGE).write_text(page, encoding="utf-8")


def picture_names(key: Key) -> dict[str, tuple[str, str]]:
    """By item its two pictures, as paths from the folder of either annotator."""
    places = {one: number for number, one in enumerate(_regions(key.items))}
    return {one.item: _names(places[region(one)]) for one in key.items}


def _regions(items: Sequence[Item]) -> list[Region]:
    """In the order of the items' names, which is by chance."""
    return list(dict.fromkeys(region(one) for one in items))


def _names(number: int) -> tuple[str, str]:
    return f"pictures/{number + 1:04d}-near.jpg", f"pictures/{number + 1:04d}-whole.jpg"


def _write_table(
    path: Path, order: Sequence[Item], places: Mapping[Region, int], asked: Mapping[str, Character]
) -> None:
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv_writer(file)
        writer.writerow(COLUMNS)
        for one in order:
            character = asked[one.question.character]
            asked_in_words = (question_in_words(one, character), choices_in_words(character))
            writer.writerow([one.item, *_names(places[region(one)]), *asked_in_words, "", ""])


def _write_studio(
    folder: Path, order: Sequence[Item], places: Mapping[Region, int], asked: Mapping[str, Character]
) -> None:
    """Format: https://labelstud.io/guide/tasks; choices that differ from task to task stand in the task."""
    folder.mkdir()
    (folder / "form.xml").write_text(_STUDIO_FORM, encoding="utf-8")
    tasks = []
    for one in order:
        near, whole = (f"/data/local-files/?d={quote(name)}" for name in _names(places[region(one)]))
        character = asked[one.question.character]
        known = [{"value": label, "alias": code, "hint": meaning} for code, label, meaning in choices(character)]
        words = question_in_words(one, character)
        tasks.append({"data": {"item": one.item, "near": near, "whole": whole, "question": words, "choices": known}})
    (folder / "tasks.json").write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


_STUDIO_FORM = """<View>
  <Header value="$question"/>
  <Image name="near" value="$near"/>
  <Image name="whole" value="$whole"/>
  <Choices name="answer" toName="near" choice="single" value="$choices"/>
  <TextArea name="number" toName="near" placeholder="if a number is asked for" maxSubmissions="1"/>
  <TextArea name="note" toName="near" placeholder="note" maxSubmissions="1"/>
</View>
"""


def _page(
    key: Key,
    annotator: str,
    order: Sequence[Item],
    places: Mapping[Region, int],
    asked: Mapping[str, Character],
    pictures: Mapping[Region, tuple[bytes, bytes]],
) -> str:
    items = [
        {
            "item": one.item,
            "picture": places[region(one)],
            "character": one.question.character,
            "question": question_in_words(one, asked[one.question.character]),
        }
        for one in order
    ]
    shown = [[_uri(data) for data in pictures[one]] for one in places]
    data: dict[str, Any] = {"sample": key.sample, "annotator": annotator, "slug": slug(annotator), "items": items}
    data |= {"pictures": shown, "characters": {name: _on_page(one) for name, one in asked.items()}}
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return _environment().get_template("answer.html.jinja").render(annotator=annotator, data=Markup(text)) + "\n"


def _on_page(character: Character) -> dict[str, Any]:
    number = character.kind != "categorical"
    unit = "" if character.unit in ("", "1") else f" in {character.unit}"
    step = "1" if character.kind == "count" else "any"
    about = {"definition": character.definition, "number": number, "unit": unit, "step": step}
    return about | {"choices": choices(character)}


def _uri(data: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("pipelines.traits.gold"), autoescape=True, undefined=StrictUndefined)
