"""Names of organisms: the accepted one by a checklist, the collection's own kept beside it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from pipelines.traits.specimens import RANKS, Specimen
from protocols.errors import FileProblemsError, InputError, Problem

_VERBATIM = ("verbatim name", "verbatim", "name", "synonym", "scientific name")
_ACCEPTED = ("accepted name", "accepted", "valid name", "accepted name usage")


def read_checklist(path: Path) -> tuple[tuple[str, str], ...]:
    """Names and their accepted names, from a CSV file with the columns ``verbatim name`` and ``accepted name``.

    Raises:
        InputError: it cannot be read, or has no such columns.
        FileProblemsError: one name has two accepted names, or a row lacks one.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read ({error})", where=str(path), mend="Give a CSV file in UTF-8") from None
    verbatim, accepted = _columns(path, rows)
    names: dict[str, str] = {}
    problems = []
    for number, row in enumerate(rows[1:], start=2):
        cells = [*row, *[""] * len(rows[0])]
        name, valid = cells[verbatim].strip(), cells[accepted].strip()
        place = f"{path}, row {number}"
        if not name or not valid:
            problems.append(Problem(place, "a name is missing", "Write both names, or delete the row"))
        elif names.setdefault(name, valid) != valid:
            problems.append(Problem(place, f"{name!r} has two accepted names", f"Keep {names[name]!r} or {valid!r}"))
    if problems:
        raise FileProblemsError(str(path), problems[:50], more=max(0, len(problems) - 50))
    return tuple(sorted(names.items()))


def _columns(path: Path, rows: list[list[str]]) -> tuple[int, int]:
    header = [_spelt(cell) for cell in rows[0]] if rows else []
    verbatim = next((header.index(name) for name in _VERBATIM if name in header), None)
    accepted = next((header.index(name) for name in _ACCEPTED if name in header), None)
    if verbatim is None or accepted is None:
        mend = "Let the first line be: verbatim name,accepted name"
        raise InputError("has no columns of verbatim and accepted names", where=str(path), mend=mend)
    return verbatim, accepted


def _spelt(cell: str) -> str:
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in cell.strip())
    return " ".join(spaced.replace("_", " ").casefold().split())


def verbatim_name(specimen: Specimen) -> str:
    """The name as the collection gives it."""
    return specimen.terms.get("scientificName") or specimen.taxon.name


def accepted_ranks(specimen: Specimen, checklist: Mapping[str, str]) -> dict[str, str]:
    """The name at each rank, empty where it is not known; genus and species follow the accepted name.

    An accepted name of two words or more takes the place of the species, and its first word that of the genus; a name
    of one word takes the place of the narrowest known rank. Wider ranks stay as the collection has them.
    """
    ranks = {rank: specimen.taxon.names.get(rank, "") for rank in RANKS}
    accepted = checklist.get(verbatim_name(specimen)) or checklist.get(specimen.taxon.name)
    if accepted:
        words = accepted.split()
        if len(words) > 1:
            ranks |= {"genus": words[0], "species": accepted}
        else:
            narrowest = next((rank for rank in reversed(RANKS) if ranks[rank]), "genus")
            ranks[narrowest] = accepted
    return ranks


def narrowest(ranks: Mapping[str, str]) -> tuple[str, str]:
    """Rank and name of the narrowest known taxon; ``("", "unknown")`` where none is."""
    return next(((rank, ranks[rank]) for rank in reversed(RANKS) if ranks.get(rank)), ("", "unknown"))
