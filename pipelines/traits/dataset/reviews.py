"""What people decided about statements: read from Label Studio or CSV, kept in a file that only grows, applied.

Nothing is erased. An accepted statement bears the reviewer's name. A rejected one stays, with a doubt that names the
reviewer, and so does a changed one, beside a new statement of the reviewer's. Where reviewers disagree the statement
stays the machine's, with a doubt that says who decided what.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.traits.statements import STANDINGS, Describer, Dictionary, Statement
from protocols.errors import FileProblemsError, InputError, Problem

DECISIONS = ("accept", "reject", "change")
"""What a person may decide."""


@dataclass(frozen=True, slots=True)
class Review:
    """One person's decision about one statement.

    Attributes:
        statement: its id.
        decision: one of :data:`DECISIONS`.
        reviewer: the person's name.
        state: of a change: the id or label of a state, a number, own words, or a standing in brackets, ``[absent]``.
    """

    statement: str
    decision: str
    reviewer: str
    state: str = ""


def read_reviews(path: Path, reviewers: Mapping[str, str] | None = None) -> list[Review]:
    """Decisions from a JSON export of Label Studio, or a CSV file ``statement,decision,reviewer,state``.

    Args:
        path: ``.json`` or ``.csv``.
        reviewers: names by what Label Studio calls its users: their number or e-mail address.

    Raises:
        InputError: it cannot be read.
        FileProblemsError: a decision is none, or names no person or no state; nothing is taken from the file then.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(_from_label_studio(json.loads(text))) if path.suffix == ".json" else list(_from_csv(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        mend = "Give Label Studio's export as JSON, or CSV with statement, decision, reviewer and state"
        raise InputError(f"cannot be read as decisions ({error})", where=str(path), mend=mend) from None
    known = reviewers or {}
    found = [(place, replace(one, reviewer=known.get(one.reviewer, one.reviewer).strip())) for place, one in rows]
    problems = [Problem(f"{path}, {place}", *fault) for place, one in found if (fault := _fault(one))]
    if problems:
        raise FileProblemsError(str(path), problems[:50], more=max(0, len(problems) - 50))
    return [one for _, one in found]


def _fault(one: Review) -> tuple[str, str] | None:
    if not one.statement:
        return "no statement is named", "Keep the column or field of the statement's id"
    if one.decision not in DECISIONS:
        return f"{one.decision!r} is no decision", f"Write one of {', '.join(DECISIONS)}"
    if not one.reviewer or one.reviewer.isdigit():
        return f"the reviewer {one.reviewer!r} is no name", "Say which person that is"
    if one.decision == "change" and not one.state.strip():
        return "a change without a state", "Write the state that was seen"
    return None


def _from_csv(text: str) -> Iterator[tuple[str, Review]]:
    for number, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2):
        statement, decision, reviewer = ((row[name] or "").strip() for name in ("statement", "decision", "reviewer"))
        yield f"row {number}", Review(statement, decision, reviewer, (row.get("state") or "").strip())


def _from_label_studio(tasks: list[dict[str, Any]]) -> Iterator[tuple[str, Review]]:
    for task in tasks:
        for annotation in task["annotations"]:
            if annotation.get("was_cancelled"):
                continue
            said: dict[str, str] = {}
            for item in annotation["result"]:
                value = item.get("value", {})
                words = value.get("choices") or value.get("text") or [""]
                said[item.get("from_name", "")] = words if isinstance(words, str) else words[0]
            by = annotation.get("completed_by", "")
            name = by.get("email", "") if isinstance(by, dict) else str(by)
            review = Review(task["data"]["statement"], said.get("decision", ""), name, said.get("state", "").strip())
            yield f"task {task.get('id', '?')}", review


def keep_reviews(file: Path, reviews: Iterable[Review]) -> None:
    """Add decisions to the end of a file of JSON lines; they are on the disk when this returns.

    Raises:
        OSError: they cannot be written.
    """
    lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in reviews)
    with open(file, "ab") as kept:
        if kept.tell() and not _ends_whole(file):
            kept.write(b"\n")  # what a kill cut off is a line of its own, passed over when read
        kept.write(lines.encode("utf-8", "replace"))
        kept.flush()
        os.fsync(kept.fileno())


def _ends_whole(file: Path) -> bool:
    with open(file, "rb") as kept:
        kept.seek(-1, os.SEEK_END)
        return kept.read() == b"\n"


def kept_reviews(file: Path) -> list[Review]:
    """All decisions of a file that :func:`keep_reviews` wrote, oldest first; empty where there is none.

    Raises:
        OSError: it cannot be read.
    """
    found = []
    for line in file.read_text(encoding="utf-8").split("\n") if file.exists() else ():
        try:
            found.append(Review(**json.loads(line)))
        except (ValueError, TypeError):
            continue  # cut off by a kill while it was written: it was never said to be kept
    return found


def apply_reviews(
    statements: Iterable[Statement], reviews: Iterable[Review], dictionary: Dictionary
) -> Iterator[Statement]:
    """Statements after the decisions, and each changed one followed by the reviewer's own.

    Of one person's decisions about a statement the last counts. Decisions about other statements are passed over.

    Raises:
        InputError: a number was changed into words.
    """
    by_statement: dict[str, dict[str, Review]] = {}
    for one in reviews:
        by_statement.setdefault(one.statement.partition("-")[0], {})[one.reviewer] = one
    for said in statements:
        decided = by_statement.get(said.id)
        if decided is None:
            yield said
        else:
            yield from _reviewed(said, [decided[name] for name in sorted(decided)], dictionary)


def _reviewed(said: Statement, decided: list[Review], dictionary: Dictionary) -> Iterator[Statement]:
    names = ", ".join(one.reviewer for one in decided)
    if len({(one.decision, one.state) for one in decided}) > 1:
        told = ", ".join(f"{one.reviewer}: {one.decision} {one.state}".strip() for one in decided)
        yield replace(said, doubts=(*said.doubts, f"reviewers disagree ({told})"))
        return
    decision = decided[0].decision
    if decision == "accept":
        yield replace(said, review=names)
        return
    word = "rejected" if decision == "reject" else "changed"
    yield replace(said, doubts=(*said.doubts, f"{word} by {names}"))
    if decision == "change":
        yield _changed(said, decided[0].state, names, dictionary)


def _changed(said: Statement, state: str, names: str, dictionary: Dictionary) -> Statement:
    own = replace(said, describer=Describer("person", names), review=names, doubts=(), confidence=None, text="")
    own = replace(own, standing="observed", state="", state_term="", value=None, uncertainty=None, unit="")
    for standing in STANDINGS:
        if state == f"[{standing}]":
            return replace(own, standing=standing)
    character = dictionary.characters.get(said.character)
    if character is not None and character.kind != "categorical":
        try:
            value = float(state)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            where = f"statement {said.id}"
            raise InputError(f"{state!r} is no number", where=where, mend=f"{character.label} is a number")
        return replace(own, value=value, unit=character.unit)
    known = [one for one in (character.states if character else ()) if state in (one.id, one.label)]
    return replace(own, state=known[0].id, state_term=known[0].term) if known else replace(own, state=state)
