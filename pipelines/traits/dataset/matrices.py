"""Specimens and taxa against characters, as CSV.

In a cell: states with their counts, most frequent first (``red:12|brown:3``); a number; or, where no state was seen,
the standing in brackets: ``[absent]``, ``[not visible]``, ``[inapplicable]``, ``[unknown]``. An empty cell: nobody said
anything. Statements with doubts do not count unless a person agreed with them, the background never does. In states,
``\\``, ``|``, ``:`` and a leading ``[`` have a ``\\`` before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipelines.traits.dataset.figures import Cell, Column, Figures, cells_of
from pipelines.traits.dataset.rows import csv_writer
from pipelines.traits.dataset.staging import Exported
from pipelines.traits.statements import STANDINGS

SPECIMENS, TAXA, LONG = "specimens.csv", "taxa.csv", "taxa_long.csv"


def escaped(state: str) -> str:
    """A state as it stands in a cell."""
    for sign in "\\|:":
        state = state.replace(sign, f"\\{sign}")
    return f"\\{state}" if state.startswith("[") else state


def cell_text(cell: Cell | None) -> str:
    """A cell, as this module's heading says."""
    if cell is None:
        return ""
    shown = [f"{escaped(state)}:{count}" for state, count in ordered(cell)]
    if cell.numbers[0]:
        shown.append(f"{cell.mean:.6g}")
    return "|".join(shown) or f"[{cell.standing}]"


def ordered(cell: Cell) -> list[tuple[str, int]]:
    """States and their counts, most frequent first, then by name."""
    return sorted(cell.states.items(), key=lambda pair: (-pair[1], pair[0]))


def heading(column: Column) -> str:
    """A column's heading: ``"head: colour"``."""
    return f"{column[0]}: {column[1]}"


def write_specimens(path: Path, images: Iterable[Exported], figures: Figures) -> None:
    """A row a specimen, a column a character.

    Raises:
        OSError: it cannot be written.
    """
    columns = sorted(figures.columns)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv_writer(file)
        writer.writerow(["image", "taxon", "verbatim_name", "licence", *map(heading, columns)])
        for image in images:
            cells = cells_of(image)
            row = [image.specimen.id, image.taxon, image.verbatim, image.licence.label]
            writer.writerow([*row, *(cell_text(cells.get(column)) for column in columns)])


def write_taxa(folder: Path, figures: Figures) -> None:
    """``taxa.csv``, a row a taxon, and ``taxa_long.csv``, a row a taxon and character with counts and agreement.

    A specimen counts once for each state it shows. Agreement is the share of the specimens with a state that show the
    commonest one.

    Raises:
        OSError: it cannot be written.
    """
    columns = sorted(figures.columns)
    with (
        open(folder / TAXA, "w", encoding="utf-8", newline="") as wide_file,
        open(folder / LONG, "w", encoding="utf-8", newline="") as long_file,
    ):
        wide, long = csv_writer(wide_file), csv_writer(long_file)
        wide.writerow(["taxon", "specimens", *map(heading, columns)])
        missing = [standing.replace(" ", "_") for standing in STANDINGS if standing not in ("observed", "background")]
        numbers = ["states", "specimens_with_state", "agreement", "specimens_measured", "mean", "sd"]
        long.writerow(["taxon", "part", "character", *numbers, *missing])
        for taxon in sorted(figures.taxa):
            cells = [figures.by_taxon.get((taxon, column)) for column in columns]
            wide.writerow([taxon, figures.taxa[taxon], *map(cell_text, cells)])
            for column, cell in zip(columns, cells, strict=True):
                if cell is not None:
                    long.writerow([taxon, *column, *_long(cell)])


def _long(cell: Cell) -> list[str | int]:
    states = "|".join(f"{escaped(state)}:{count}" for state, count in ordered(cell))
    most = max(cell.states.values(), default=0)
    row: list[str | int] = [states, cell.with_state, f"{most / cell.with_state:.4f}" if cell.states else ""]
    row += [cell.numbers[0], f"{cell.mean:.6g}" if cell.numbers[0] else ""]
    row.append("" if cell.deviation is None else f"{cell.deviation:.6g}")
    standings = [standing for standing in STANDINGS if standing not in ("observed", "background")]
    return [*row, *(cell.standings[standing] for standing in standings)]
