"""How often the measured describer is right on drawn organisms, whose parts and trait states are known.

Each part's own mask is described as a region; what the describer says is held against the drawn state, by a table that
says which state of the dictionary each drawn state is (:data:`QUESTIONS`; written before any result was seen). Beside
it: the whole organism described without regions, and the state that most specimens have. Thresholds of the describer
were set on patches drawn for the tests, and looked at on 96 organisms of seed 0; figures are of another seed. Made-up
organisms do not validate descriptions of nature.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.output import options, write
from pipelines.traits.collections import open_image
from pipelines.traits.describing import MeasuredDescriber, Picture
from pipelines.traits.organisms import draw_collection, load_ground_truth
from pipelines.traits.organisms.ground_truth import Truth
from pipelines.traits.regions import coarse_foreground
from pipelines.traits.regions.polygons import level_polygons
from pipelines.traits.specimens import Specimen, Taxon
from pipelines.traits.statements import Place, Statement
from pipelines.traits.vocabulary import shipped_dictionary

Accepted = tuple[str, ...]
"""States of the dictionary that a drawn state may be called, the first its name in the figures."""
OPAQUE = ("Velaptera", "Clypeoptera")
"""Orders whose wings are not clear: a clear wing has the colour of what lies behind it."""


@dataclass(frozen=True)
class Question:
    """A character of a part, and what the drawn states are in the dictionary's words.

    Attributes:
        kind: of organism.
        part: whose mask is described.
        character: in the dictionary.
        trait: in the ground truth.
        accepted: for each drawn state; one that is missing is not asked for.
        orders: in which it is asked; all if empty.
        only_if: states of other traits without which it is not asked, as two patterns on a part hide one another.
    """

    kind: str
    part: str
    character: str
    trait: str
    accepted: Mapping[str, Accepted]
    orders: tuple[str, ...] = ()
    only_if: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.kind}: {self.character} of {self.part} ({self.trait})"

    def answer(self, truth: Truth) -> Accepted | None:
        """What is true of an organism; ``None`` where it is not asked or not to be seen."""
        if truth.kind != self.kind or self.part not in truth.parts:
            return None
        if self.orders and truth.taxon["order"] not in self.orders:
            return None
        if any(truth.states.get(trait) != state for trait, state in self.only_if.items()):
            return None
        return self.accepted.get(truth.states[self.trait])


QUESTIONS = (
    Question("insect", "thorax", "colour", "body_colour",
             {"black": ("black",), "brown": ("brown",), "green": ("green",), "ochre": ("brown",), "blue": ("blue",)},
             only_if={"thorax_stripes": "absent"}),
    Question("insect", "abdomen", "colour", "body_colour",
             {"black": ("black",), "brown": ("brown",), "green": ("green",), "ochre": ("brown",), "blue": ("blue",)},
             only_if={"abdomen_bands": "absent"}),
    Question("insect", "forewings", "colour", "wing_colour",
             {"cream": ("yellow", "white"), "orange": ("orange",), "blue": ("blue",), "brown": ("brown",),
              "red": ("red",)}, orders=OPAQUE),
    Question("insect", "legs", "brightness", "leg_colour", {"dark": ("dark",), "pale": ("light",)}),
    Question("insect", "abdomen", "pattern", "abdomen_bands",
             {"absent": ("plain",), "two": ("banded",), "four": ("banded",)}),
    Question("insect", "forewings", "pattern", "wing_spots",
             {"absent": ("plain",), "one": ("spotted",), "three": ("spotted",)}, orders=OPAQUE,
             only_if={"wing_band": "absent"}),
    Question("fish", "body", "colour", "body_colour",
             {"silver": ("grey", "white"), "olive": ("olive",), "blue": ("blue",), "gold": ("yellow",),
              "rose": ("pink", "red")}),
    Question("fish", "body", "pattern", "flank",
             {"plain": ("plain",), "bars": ("banded",), "stripes": ("striped",), "spots": ("spotted",)}),
    Question("fish", "anal_fin", "colour", "fin_colour",
             {"clear": ("grey",), "red": ("red",), "yellow": ("yellow",)}),
    Question("leaf", "blade", "colour", "leaf_colour",
             {"green": ("green",), "dark": ("green",), "yellowish": ("yellow_green",), "bluish": ("green", "blue")}),
    Question("leaf", "petiole", "colour", "petiole_colour",
             {"green": ("yellow_green", "olive", "green"), "red": ("red",)}),
)  # fmt: skip
"""Drawn names are the generator's: ochre is a strong yellowish brown, cream a pale yellow, gold a yellow, rose a pink
or light red, silver a grey or white."""


class Score:
    """Answers to one question, counted."""

    def __init__(self) -> None:
        self.asked = 0
        self.seconds = 0.0
        self.confusion: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, right: Accepted, said: str) -> None:
        """One answer; ``said`` is a state, or why there is none in brackets."""
        self.asked += 1
        self.confusion[right[0]][right[0] if said in right else said] += 1

    def figures(self) -> dict[str, Any]:
        """Precision, recall and F1, the mean over states, and how often something was claimed at all."""
        claimed: Counter[str] = Counter()
        for row in self.confusion.values():
            claimed.update({said: count for said, count in row.items() if not said.startswith("(")})
        precisions, recalls, f1s = [], [], []
        for state, row in sorted(self.confusion.items()):
            hits = row[state]
            precision = hits / claimed[state] if claimed[state] else 0.0
            recall = hits / row.total()
            precisions.append(precision)
            recalls.append(recall)
            f1s.append(2 * precision * recall / (precision + recall) if hits else 0.0)
        total = claimed.total()
        hits = sum(row[state] for state, row in self.confusion.items())
        return {
            "n": self.asked,
            "precision": _mean(precisions),
            "recall": _mean(recalls),
            "f1": _mean(f1s),
            "claimed": round(total / max(self.asked, 1), 4),
            "right_of_claimed": round(hits / total, 4) if total else None,
            "confusion": {state: dict(row.most_common()) for state, row in sorted(self.confusion.items())},
        }


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def place_of(mask: NDArray[np.bool_]) -> Place:
    """A mask of an image as a region."""
    height, width = mask.shape
    polygons = level_polygons(mask, 0, 0, width, height)
    boxes = np.array([polygon.box for polygon in polygons])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    rings = tuple((polygon.outer, *polygon.holes) for polygon in polygons)
    return Place((float(left), float(top), float(right), float(bottom)), rings, (width, height))


def answers(folder: Path, truths: Iterable[Truth], *, found: bool) -> tuple[dict[str, Score], dict[str, Score]]:
    """Answers of the parts, and of the whole organism; ``found``: with the organism as the pipeline finds it."""
    describer = MeasuredDescriber(shipped_dictionary())
    parts = {question.name: Score() for question in QUESTIONS}
    wholes = {question.name: Score() for question in QUESTIONS}
    for truth in truths:
        asked = [(question, right) for question in QUESTIONS if (right := question.answer(truth)) is not None]
        image = open_image(folder, Specimen(truth.sha256[:32], truth.file_name, Taxon({}), *truth.organism.size[::-1]))
        picture = Picture.of(truth.sha256[:32], image, coarse_foreground(image) if found else truth.organism.pixels())
        characters = list(dict.fromkeys(question.character for question, _ in asked))
        whole = _said(describer.describe(picture, 0, place_of(truth.organism.pixels()), characters))
        for question, right in asked:
            part = place_of(truth.parts[question.part].pixels())
            began = time.perf_counter()
            said = _said(describer.describe(picture, 0, part, [question.character]))
            parts[question.name].seconds += time.perf_counter() - began
            parts[question.name].add(right, said[question.character])
            wholes[question.name].add(right, whole[question.character])
    return parts, wholes


def _said(statements: Iterable[Statement]) -> dict[str, str]:
    return {one.character: one.state or f"({one.standing})" for one in statements}


def commonest(scores: Mapping[str, Score]) -> dict[str, float]:
    """F1 of always saying the state that most have."""
    found = {}
    for name, score in scores.items():
        guess = Score()
        sizes = {state: row.total() for state, row in score.confusion.items()}
        for state, size in sizes.items():
            for _ in range(size):
                guess.add((state,), max(sizes, key=lambda one: (sizes[one], one)))
        found[name] = guess.figures()["f1"]
    return found


def measure(images: int, seed: int, work: Path) -> dict[str, Any]:
    """All figures over a drawn collection."""
    folder = work / "organisms"
    draw_collection(folder, images=images, seed=seed)
    truths = load_ground_truth(folder)
    parts, wholes = answers(folder, truths, found=False)
    as_found, _ = answers(folder, truths, found=True)
    guess = commonest(parts)
    by_character = {
        name: score.figures()
        | {
            "f1_organism_as_found": as_found[name].figures()["f1"],
            "f1_whole_organism": wholes[name].figures()["f1"],
            "f1_commonest_state": guess[name],
        }
        for name, score in parts.items()
        if score.asked
    }
    seconds, asked = (sum(getattr(score, what) for score in parts.values()) for what in ("seconds", "asked"))
    return {
        "images": images,
        "seed": seed,
        "f1": _mean([row["f1"] for row in by_character.values()]),
        "precision": _mean([row["precision"] for row in by_character.values()]),
        "recall": _mean([row["recall"] for row in by_character.values()]),
        "baselines": {
            key: _mean([row[f"f1_{key}"] for row in by_character.values()])
            for key in ("organism_as_found", "whole_organism", "commonest_state")
        },
        "ms_per_statement": round(1000 * seconds / max(asked, 1), 2),
        "by_character": by_character,
    }


def main() -> None:
    """Measure, print, and write if asked."""
    parser = options(__doc__ or "")
    parser.add_argument("--images", type=int, help="how many organisms are drawn (default: 480, 96 with --quick)")
    parser.add_argument("--seed", type=int, default=7, help="of the drawing (default: 7)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        figures = measure(given.images or (96 if given.quick else 480), given.seed, Path(work))
    table = Table("character", "n", "precision", "recall", "F1", "claimed", "as found", "whole", "commonest",
                  title=f"measured descriptions of {figures['images']} drawn organisms")  # fmt: skip
    for name, row in figures["by_character"].items():
        numbers = [row[key] for key in ("precision", "recall", "f1", "claimed", "f1_organism_as_found",
                                        "f1_whole_organism", "f1_commonest_state")]  # fmt: skip
        table.add_row(name, str(row["n"]), *(f"{number:.2f}" for number in numbers))
    Console(width=150).print(table)
    Console().print(
        f"F1 {figures['f1']:.3f} in the mean of characters; {figures['ms_per_statement']:.1f} ms a statement"
    )
    write(given.json, figures)


if __name__ == "__main__":
    main()
