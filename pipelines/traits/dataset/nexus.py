"""Matrices as NEXUS: a CHARACTERS block with labels of characters and states.

After Maddison, Swofford and Maddison 1997, Systematic Biology 46: 590-621. ``?`` is unknown or not visible, or not said
at all; ``-`` is inapplicable; ``absent`` is a state like others; several states stand in round brackets. Characters
that are measured, and those of more states than there are symbols, are left out and named in a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipelines.traits.dataset.figures import Cell, Column, Figures, cells_of
from pipelines.traits.dataset.matrices import heading
from pipelines.traits.dataset.staging import Exported, one_line
from pipelines.traits.statements import Dictionary

SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""NEXUS takes capital and small letters for the same symbol."""


def quoted(word: str) -> str:
    """A NEXUS token: in single quotes, those in it doubled, on one line."""
    return "'" + one_line(word).replace("'", "''") + "'"


class Nexus:
    """The characters of a dataset, ready for its rows."""

    def __init__(self, figures: Figures, dictionary: Dictionary) -> None:
        self.columns: dict[Column, Mapping[str, str]] = {}
        self.left_out: list[Column] = []
        self._labels: dict[Column, list[str]] = {}
        for column, cell in sorted(figures.columns.items()):
            states = _states(column, cell, dictionary)
            if cell.numbers[0] or len(states) > len(SYMBOLS):
                self.left_out.append(column)
            else:
                self.columns[column] = dict(zip(states, SYMBOLS, strict=False))
                self._labels[column] = list(states.values())

    def symbols(self, column: Column, cell: Cell | None) -> str:
        """What stands in the matrix for one specimen or several, counted by :meth:`Cell.add_specimen`."""
        known = self.columns[column]
        if cell is None:
            return "?"
        found = sorted(known[f"state {state}"] for state in cell.states)
        if cell.standings["absent"]:
            found = sorted([*found, known["absent"]])
        if found:
            return found[0] if len(found) == 1 else f"({''.join(found)})"
        return "-" if cell.standing == "inapplicable" else "?"

    def write(self, path: Path, rows: Iterable[tuple[str, Mapping[Column, Cell]]], names: Iterable[str]) -> None:
        """A whole file.

        Args:
            path: of the file.
            rows: name and cells of each taxon, in the order of ``names``.
            names: each once, before ``rows`` is asked for anything.

        Raises:
            OSError: it cannot be written.
        """
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(self._head(list(names)))
            for name, cells in rows:
                said = "".join(self.symbols(column, cells.get(column)) for column in self.columns)
                file.write(f"    {quoted(name)} {said}\n")
            file.write("  ;\nEND;\n" if self.columns else "")

    def _head(self, names: list[str]) -> Iterator[str]:
        yield "#NEXUS\n"
        for column in self.left_out:
            label = heading(column).replace("[", "(").replace("]", ")")
            yield f"[left out, measured or of too many states: {one_line(label)}]\n"
        yield f"BEGIN TAXA;\n  DIMENSIONS NTAX={len(names)};\n  TAXLABELS\n"
        yield from (f"    {quoted(name)}\n" for name in names)
        yield "  ;\nEND;\n"
        if not self.columns:
            return
        used = max((len(labels) for labels in self._labels.values()), default=0)
        yield f"BEGIN CHARACTERS;\n  DIMENSIONS NCHAR={len(self.columns)};\n"
        yield f'  FORMAT DATATYPE=STANDARD MISSING=? GAP=- SYMBOLS="{SYMBOLS[: max(used, 2)]}";\n  CHARSTATELABELS\n'
        last = len(self.columns)
        for number, (column, labels) in enumerate(self._labels.items(), start=1):
            states = " ".join(map(quoted, labels))
            yield f"    {number} {quoted(heading(column))} / {states}{',' if number < last else ''}\n"
        yield "  ;\n  MATRIX\n"


def _states(column: Column, cell: Cell, dictionary: Dictionary) -> dict[str, str]:
    """Keys and labels of the states that occur: the dictionary's in its order, then other words, then absent."""
    character = dictionary.characters.get(column[1])
    ordered = {state.id: state.label for state in character.states} if character else {}
    found = {f"state {id}": label for id, label in ordered.items() if id in cell.states}
    found |= {f"state {words}": words for words in sorted(cell.states) if words not in ordered}
    return found | ({"absent": "absent"} if cell.standings["absent"] else {})


def specimen_rows(images: Iterable[Exported]) -> Iterator[tuple[str, Mapping[Column, Cell]]]:
    """Rows of specimens."""
    for image in images:
        said = cells_of(image)
        cells = {column: Cell() for column in said}
        for column, cell in said.items():
            cells[column].add_specimen(cell)
        yield image.specimen.id, cells


def taxon_rows(figures: Figures) -> Iterator[tuple[str, Mapping[Column, Cell]]]:
    """Rows of taxa."""
    for taxon in sorted(figures.taxa):
        yield taxon, {column: cell for column in figures.columns if (cell := figures.by_taxon.get((taxon, column)))}
