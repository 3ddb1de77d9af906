"""A bar that characters must reach to be published: by what people found of a blind sample of the machine's statements.

``gold.json`` in the folder of an annotation says what was found, for which describers and by which dictionary. A
character passes where the lower end of the 95 % interval of its precision reaches the bar: fewer items then never make
it easier to pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.traits.statements import Describer, Dictionary
from pipelines.traits.vocabulary import digest
from protocols.errors import RecordError
from robots.execution.home import write_json

FILE = "gold.json"
SCHEMA_VERSION = 1
NO_CHARACTER = ""
"""Stands for what is said of no character of the dictionary: nobody can score that."""
_NEVER = "was never scored against people"


@dataclass(frozen=True, slots=True)
class Scored:
    """One character as people found it.

    Attributes:
        precision: share of the machine's claims that people agreed with.
        low, high: its 95 % interval.
        claims: how many were looked at.
    """

    precision: float
    low: float
    high: float
    claims: int


@dataclass(frozen=True, slots=True)
class Gold:
    """What a sample showed.

    Attributes:
        sample: its id.
        bar: that characters must reach; ``None`` where none was set.
        dictionary: SHA-256 of the dictionary that was used.
        describers: whose statements were looked at: kind, name and prompt.
        characters: those of which some claim was looked at.
    """

    sample: str
    bar: float | None
    dictionary: str
    describers: tuple[tuple[str, str, str], ...]
    characters: Mapping[str, Scored]


def write_gold(folder: Path, gold: Gold) -> Path:
    """Write ``gold.json``, whole or not at all.

    Raises:
        RecordError: it cannot be written.
    """
    write_json(folder / FILE, {"schema_version": SCHEMA_VERSION, **asdict(gold)})
    return folder / FILE


def read_gold(folder: Path) -> Gold | None:
    """What a sample showed; ``None`` where none was scored.

    Raises:
        RecordError: the file is damaged, or of another version.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("schema_version") != SCHEMA_VERSION:
            raise ValueError("it is of another version")
        found["characters"] = {name: Scored(**one) for name, one in found["characters"].items()}
        found["describers"] = tuple((kind, name, prompt) for kind, name, prompt in found["describers"])
        return Gold(**found)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        mend = "Score the sample again: labwright traits gold score"
        raise RecordError(f"cannot be read ({error})", where=str(path), mend=mend) from None


def kept_out(
    gold: Gold | None, bar: float | None, dictionary: Dictionary, describers: Iterable[Describer]
) -> tuple[tuple[str, str], ...]:
    """Characters that are not to be published, each with the reason; empty where no bar is set.

    Args:
        gold: what people found, if they looked.
        bar: in place of the one that was set when the sample was scored.
        dictionary: that is used now.
        describers: who says what is to be published.
    """
    bar = bar if bar is not None else gold.bar if gold else None
    if bar is None:
        return ()
    asked: set[tuple[str, str, str]] = {(one.kind, one.name, one.prompt) for one in describers}
    other = _another(gold, digest(dictionary), asked)
    found = [(NO_CHARACTER, "no character of the dictionary: cannot be scored")]
    for name in dictionary.characters:
        scored = None if gold is None or other else gold.characters.get(name)
        if scored is None:
            found.append((name, other or _NEVER))
        elif scored.low < bar:
            found.append((name, f"below the bar of {bar:g}: precision {_in_words(scored)}"))
    return tuple(found)


def _another(gold: Gold | None, dictionary: str, describers: set[tuple[str, str, str]]) -> str:
    """Why what people found does not hold for this; empty where it does."""
    if gold is None:
        return ""
    if gold.dictionary != dictionary:
        return "was scored by another text of the dictionary"
    return "" if describers <= set(gold.describers) else "was scored for another describer"


def _in_words(scored: Scored) -> str:
    return f"{scored.precision:.3f} (95 % interval {scored.low:.3f} to {scored.high:.3f}, {scored.claims:,} claims)"
