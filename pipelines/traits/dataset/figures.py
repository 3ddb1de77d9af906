"""Figures of a dataset, gathered while its images pass by once: for the card, the matrices and the readers.

Memory grows with taxa, characters and states, not with images.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import sqrt

from pipelines.traits.dataset.staging import Exported, trusted
from pipelines.traits.statements import MACHINE, STANDINGS, Statement

Column = tuple[str, str]
"""A column of the matrices: what part, and which character of it."""
PRESENCE = "presence"
"""The character of a part that was looked for and is not there."""


def column_of(said: Statement) -> Column | None:
    """The matrix column that a statement speaks of; ``None`` where it speaks of no character or of the background.

    Regions whose part nobody named are told apart by their latent.
    """
    if said.standing == "background":
        return None
    part = said.part.strip().casefold()
    part = f"latent {said.latent}" if part in ("", "region") else part
    if said.character:
        return part, said.character
    return (part, PRESENCE) if said.standing == "absent" else None


@dataclass(slots=True)
class Cell:
    """What is said of one character of one specimen or taxon.

    Attributes:
        states: how often each state was seen.
        standings: how often each standing other than ``observed`` was given.
        numbers: count, sum and sum of squares of measured values.
        with_state: specimens of which a state was seen.
    """

    states: Counter[str] = field(default_factory=Counter)
    standings: Counter[str] = field(default_factory=Counter)
    numbers: tuple[int, float, float] = (0, 0.0, 0.0)
    with_state: int = 0

    def add(self, said: Statement) -> None:
        """Count a statement."""
        if said.standing != "observed":
            self.standings[said.standing] += 1
        elif said.value is not None:
            count, total, squares = self.numbers
            self.numbers = (count + 1, total + said.value, squares + said.value**2)
        elif said.state:
            self.states[said.state] += 1
        else:
            self.standings["unknown"] += 1

    def add_specimen(self, cell: Cell) -> None:
        """Count a specimen: each of its states once, its numbers by their mean."""
        self.states.update(cell.states.keys())
        self.with_state += bool(cell.states)
        if cell.numbers[0]:
            mean = cell.numbers[1] / cell.numbers[0]
            count, total, squares = self.numbers
            self.numbers = (count + 1, total + mean, squares + mean**2)
        if not cell.states and not cell.numbers[0]:
            self.standings.update([cell.standing])

    @property
    def standing(self) -> str:
        """What holds where no state was seen: the standing that most was said, the first of them if several."""
        return max(STANDINGS, key=lambda standing: self.standings[standing]) if self.standings else "unknown"

    @property
    def mean(self) -> float:
        """Of the numbers."""
        return self.numbers[1] / self.numbers[0]

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the numbers, with n - 1; ``None`` for fewer than two."""
        count, total, squares = self.numbers
        return sqrt(max(0.0, (squares - total**2 / count) / (count - 1))) if count > 1 else None


def cells_of(image: Exported) -> dict[Column, Cell]:
    """What is said of a specimen's characters, by statements without doubts or that a person agreed with."""
    cells: dict[Column, Cell] = defaultdict(Cell)
    for _, said in image.said:
        column = column_of(said)
        if column is not None and trusted(said):
            cells[column].add(said)
    return dict(cells)


@dataclass(slots=True)
class Figures:
    """Counts over a whole dataset."""

    images: int = 0
    statements: int = 0
    doubted: int = 0
    reviewed: int = 0
    unmatched: int = 0
    with_statements: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    describers: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    taxa: Counter[str] = field(default_factory=Counter)
    renamed: int = 0
    columns: dict[Column, Cell] = field(default_factory=dict)
    by_taxon: dict[tuple[str, Column], Cell] = field(default_factory=dict)

    def add(self, image: Exported) -> None:
        """Count an image and what is said of it."""
        self.images += 1
        self.with_statements += bool(image.said)
        self.licences[image.licence.label] += 1
        self.taxa[image.taxon] += 1
        self.renamed += image.specimen.taxon.name != image.taxon
        for _, said in image.said:
            self._add_statement(said)
        for column, cell in cells_of(image).items():
            self.columns.setdefault(column, Cell()).add_specimen(cell)
            self.by_taxon.setdefault((image.taxon, column), Cell()).add_specimen(cell)

    def _add_statement(self, said: Statement) -> None:
        self.statements += 1
        self.doubted += bool(said.doubts)
        self.reviewed += said.review != MACHINE
        self.unmatched += said.standing == "observed" and said.value is None and not said.state_term
        self.standings[said.standing] += 1
        self.describers[f"{said.describer.name} ({said.describer.kind})"] += 1
        self.characters[said.character or "(none of the dictionary)"] += 1
        self.parts[said.part] += 1
        self.doubts.update(said.doubts)
