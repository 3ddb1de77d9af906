"""What annotators answered, read from their tables or from Label Studio, and what they differ in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.traits.dataset.rows import csv_writer
from pipelines.traits.gold.forms import choices_in_words, picture_names, question_in_words, slug
from pipelines.traits.gold.key import Item, Key
from pipelines.traits.gold.questions import read_answer
from protocols.errors import FileProblemsError, InputError, Problem
from robots.execution.home import write_atomically

ADJUDICATION = "adjudication.csv"
_WANTED = "Give the table from an annotator's folder or page (columns item and answer), or Label Studio's JSON export"


@dataclass(frozen=True, slots=True)
class _Row:
    place: str
    item: str
    answer: str
    note: str


def read_answers(path: Path, key: Key) -> dict[str, tuple[str, str]]:
    """Answer and note of every item.

    Raises:
        InputError: the file cannot be read.
        FileProblemsError: a row is of no item of this sample, an item is there twice or not at all, or an answer is
            missing or none of the choices; each with its row.
    """
    rows = list(_rows(path))
    found, problems = _matched(rows, key, path)
    known = {row.item for row in rows}
    missing = [one.item for one in key.items if one.item not in known]
    mend = "Add its row again, from the annotator's answers.csv"
    problems += [Problem(str(path), f"the item {name} is missing", mend) for name in missing]
    open_items = [row for row in rows if row.item in found and not found[row.item][0]]
    mend = "Answer it; where it cannot be told, write [unknown]"
    problems += [Problem(f"{path}, {row.place}", f"the item {row.item} has no answer", mend) for row in open_items]
    _refuse(path, problems)
    return found


def read_adjudication(path: Path, key: Key, disputed: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Answer and note of those items whose dispute was settled; rows without an answer are still open.

    Raises:
        InputError, FileProblemsError: as for :func:`read_answers`, and where an item is not disputed.
    """
    rows = list(_rows(path))
    found, problems = _matched(rows, key, path)
    settled = set(found) - set(disputed)
    mend = "Take the row out: both annotators gave the same answer"
    problems += [
        Problem(f"{path}, {row.place}", f"the item {row.item} is not disputed", mend)
        for row in rows
        if row.item in settled
    ]
    _refuse(path, problems)
    return {item: said for item, said in found.items() if said[0]}


def _refuse(path: Path, problems: Sequence[Problem]) -> None:
    if problems:
        raise FileProblemsError(str(path), problems[:50], more=max(0, len(problems) - 50))


def _matched(rows: Sequence[_Row], key: Key, path: Path) -> tuple[dict[str, tuple[str, str]], list[Problem]]:
    """Answers by item, empty ones too, and what is wrong with the rows."""
    items = {one.item: one for one in key.items}
    found: dict[str, tuple[str, str]] = {}
    problems = []
    for row in rows:
        place = f"{path}, {row.place}"
        if row.item not in items:
            mend = f"Give the answers to sample {key.sample}: its items are {key.items[0].item} and so on"
            problems.append(Problem(place, f"{row.item!r} is no item of this sample", mend))
        elif row.item in found:
            problems.append(Problem(place, f"the item {row.item} is there twice", "Keep one of its rows"))
        else:
            try:
                found[row.item] = _code(row.answer, items[row.item], key), row.note
            except ValueError as error:
                found[row.item] = "?", row.note
                mend = f"{str(error)[:1].upper()}{str(error)[1:]}"
                problems.append(Problem(place, f"{row.answer!r} is no answer to {row.item}", mend))
    return found, problems


def _code(answer: str, item: Item, key: Key) -> str:
    return read_answer(answer, key.dictionary.characters[item.question.character]) if answer.strip() else ""


def _rows(path: Path) -> Iterator[_Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if path.suffix.casefold() == ".json":
            yield from _from_label_studio(json.loads(text))
        else:
            yield from _from_csv(text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        why = f"there is no column {error}" if isinstance(error, KeyError) else why
        raise InputError(f"cannot be read as answers ({why})", where=str(path), mend=_WANTED) from None


def _from_csv(text: str) -> Iterator[_Row]:
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)  # spreadsheets of many countries save with semicolons
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    for row in reader:
        if any((value or "").strip() for value in row.values() if isinstance(value, str)):
            item, answer = (row["item"] or "").strip(), (row["answer"] or "").strip()
            yield _Row(f"line {reader.line_num}", item, answer, (row.get("note") or "").strip())


def _from_label_studio(tasks: list[dict[str, Any]]) -> Iterator[_Row]:
    for task in tasks:
        for annotation in task["annotations"]:
            if annotation.get("was_cancelled"):
                continue
            said: dict[str, str] = {}
            for result in annotation["result"]:
                value = result.get("value", {})
                words = value.get("choices") or value.get("text") or [""]
                said[result.get("from_name", "")] = words if isinstance(words, str) else words[0]
            answer = said.get("number", "").strip() or said.get("answer", "").strip()
            yield _Row(f"task {task.get('id', '?')}", task["data"]["item"], answer, said.get("note", "").strip())


def write_adjudication(
    path: Path,
    key: Key,
    disputed: Mapping[str, tuple[tuple[str, str], tuple[str, str]]],
    settled: Mapping[str, tuple[str, str]],
) -> None:
    """A table of what the annotators differ in, for a third person or both together; the machine's answer is not there.

    What was settled before in a table at the same place is kept.

    Args:
        path: where to.
        key: of the sample.
        disputed: by item each annotator's answer and note.
        settled: answers and notes that are known already.

    Raises:
        OSError: it cannot be written.
    """
    earlier = _earlier(path) | dict(settled)
    text = io.StringIO()
    writer = csv_writer(text)
    first, second = key.annotators
    said = [f"{what} of {name}" for name in (first, second) for what in ("answer", "note")]
    writer.writerow(["item", "near", "whole", "question", "choices", *said, "answer", "note"])
    pictures = picture_names(key)
    for one in key.items:
        if one.item in disputed:
            character = key.dictionary.characters[one.question.character]
            shown = [f"{slug(first)}/{name}" for name in pictures[one.item]]
            asked = (question_in_words(one, character), choices_in_words(character))
            both = [word for said in disputed[one.item] for word in said]
            writer.writerow([one.item, *shown, *asked, *both, *earlier.get(one.item, ("", ""))])
    write_atomically(path, "\ufeff" + text.getvalue())


def _earlier(path: Path) -> dict[str, tuple[str, str]]:
    """What stands in a table already, understood or not."""
    return {row.item: (row.answer, row.note) for row in _rows(path)} if path.exists() else {}
