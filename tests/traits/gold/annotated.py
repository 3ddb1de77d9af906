"""A small annotation as the whole job leaves it, whose statements are wrong at known rates, and people who answer."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.traits.annotating.stored import statements_name, write_statements
from pipelines.traits.collections import read_collection, save_scan
from pipelines.traits.finding.stage import Stage
from pipelines.traits.gold.key import Key
from pipelines.traits.gold.questions import choices, code
from pipelines.traits.statements import Character, Describer, Dictionary, Place, State, Statement
from robots.execution.home import write_json

COLOURS = ("black", "brown", "red", "yellow")
DICTIONARY = Dictionary(
    "small",
    "1",
    {
        "colour": Character(
            "colour", "colour", "categorical", tuple(State(name, name.upper()) for name in COLOURS), definition="Hue."
        ),
        "pattern": Character("pattern", "pattern", "categorical", (State("plain", "plain"), State("banded", "banded"))),
        "marks": Character("marks", "number of marks", "count"),
        "width": Character("width", "width", "continuous", unit="mm"),
    },
)
MODEL = Describer("model", "describer-7b", "parts 2")
TAXA = ("Apis mellifera", "Bombus terrestris")
SECRET = ("Apis", "mellifera", "Bombus", "terrestris", "Apidae", "secretly", "describer-7b", "0.875", "Museum of Bees")
"""What annotators must not find anywhere."""


def says(image: str, latent: int, character: str, what: str, **more: object) -> Statement:
    """A statement of the model's: a state, a number, or a standing in brackets."""
    place = Place((8.0 + latent, 8.0, 30.0 + latent, 28.0), (), (48, 36))
    one = Statement(image, latent, place, "Head", character, "observed", MODEL, confidence=0.875)
    if what.startswith("["):
        one = replace(one, standing=what[1:-1])  # type: ignore[arg-type]
    elif DICTIONARY.characters[character].kind == "categorical":
        one = replace(one, state=what)
    else:
        one = replace(one, value=float(what), unit=DICTIONARY.characters[character].unit)
    return replace(one, **more)  # type: ignore[arg-type]


def annotated(root: Path, images: int = 12) -> Path:
    """The folder of a finished job over ``images`` images of two taxa, three regions each."""
    collection = root / "Museum of Bees"
    rng = np.random.default_rng(0)
    for number in range(images):
        pixels = rng.integers(0, 255, (36, 48, 3), np.uint8)
        path = collection / TAXA[number % 2].replace(" ", "_") / f"secretly {number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    scan = read_collection(collection)
    out = root / "out"
    save_scan(scan, out / "scan")
    write_json(out / "job.json", {"schema_version": 1, "images": str(collection)})
    checks = Stage(out / "checks", {}, {})
    folder = checks.begin()
    said = []
    for number, one in enumerate(scan.specimens):
        for latent in (1, 2, 3):
            said.append(says(one.id, latent, "colour", COLOURS[(number + latent) % 4]))
            said.append(says(one.id, latent, "pattern", "banded" if number % 3 else "[unknown]"))
            said.append(says(one.id, latent, "marks", str(latent - 1)))
            said.append(says(one.id, latent, "width", f"{1 + 0.1 * number}"))
            if latent == 3:
                said.append(says(one.id, latent, "colour", "red", doubts=("same elsewhere",), text="again"))
    write_statements(folder / statements_name(0), said)
    checks.finish({})
    (out / "descriptions").mkdir()
    write_json(out / "descriptions" / "dictionary.json", asdict(DICTIONARY))
    return out


def truth_of(key: Key, wrong: Mapping[str, float], seed: int = 0) -> dict[str, str]:
    """What is really there: what the machine says, but for a share of the items of each character."""
    rng = random.Random(seed)
    truth = {}
    for one in key.items:
        character = key.dictionary.characters[one.question.character]
        said = code(one.question.said[0], character)
        others = [name for name, _, _ in choices(character) if name not in (said, "[unknown]")]
        truth[one.item] = rng.choice(others) if rng.random() < wrong.get(character.id, 0) else said
    return truth


def fill(form: Path, out: Path, answer: Callable[[str], str]) -> Path:
    """Fill in an annotator's table as a spreadsheet does."""
    with open(form, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "answer": answer(row["item"]), "note": "seen"} for row in rows)
    return out
