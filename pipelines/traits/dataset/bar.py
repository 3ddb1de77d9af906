"""A bar that characters must reach to be published: by what people found of a blind sample of the machine's statements.

``gold.json`` in the folder of an annotation says what was found, for which describers and by which dictionary. A
character passes where the lower end of the 95 % interval of its precision reaches the bar: fewer items then never make
it easier to pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipelines.traits.statements import Dictionary, Statement
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
        sample: id of the sample that they were in.
    """

    precision: float
    low: float
    high: float
    claims: int
    sample: str


@dataclass(frozen=True, slots=True)
class Gold:
    """What samples showed.

    Attributes:
        bar: that characters must reach; ``None`` where none was set.
        dictionary: SHA-256 of the dictionary that was used.
        describers: whose statements were looked at: kind, name and prompt.
        characters: those of which some claim was looked at.
    """

    bar: float | None
    dictionary: str
    describers: tuple[tuple[str, str, str], ...]
    characters: Mapping[str, Scored]

    def after(self, earlier: Gold | None) -> Gold:
        """With what an earlier sample showed of other characters, if it holds for these describers and words, and with
        the bar of before where none is set."""
        if earlier is None:
            return self
        bar = earlier.bar if self.bar is None else self.bar
        same = (earlier.dictionary, earlier.describers) == (self.dictionary, self.describers)
        return replace(self, bar=bar, characters={**(earlier.characters if same else {}), **self.characters})


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
        mend = "Delete it, and score the sample again: labwright traits gold score"
        raise RecordError(f"cannot be read ({error})", where=str(path), mend=mend) from None


@dataclass(frozen=True, slots=True)
class Bar:
    """What may be published.

    Attributes:
        share: that the lower end of a character's precision must reach.
        out: characters that are not published, each with the reason; :data:`NO_CHARACTER` among them.
        describers: whose statements were looked at: kind, name and prompt; those of others are not published.
    """

    share: float
    out: tuple[tuple[str, str], ...]
    describers: tuple[tuple[str, str, str], ...]

    def why_not(self, said: Statement) -> str:
        """Why a statement is not published; empty where it is. What a person says is bound by its character alone."""
        reasons = dict(self.out)
        why = reasons.get(said.character, "")
        by = said.describer
        if why or by.kind == "person" or (by.kind, by.name, by.prompt) in self.describers:
            return why
        return f"{by.name} {_NEVER}"


def bar_of(gold: Gold | None, share: float | None, dictionary: Dictionary) -> Bar | None:
    """The bar for a release; ``None`` where there is none.

    Args:
        gold: what people found, if they looked.
        share: in place of the one that was set when the sample was scored; 0 is none.
        dictionary: that is used now.
    """
    share = share if share is not None else gold.bar if gold else None
    if not share:
        return None
    other = gold is not None and gold.dictionary != digest(dictionary)
    known = {} if gold is None or other else gold.characters
    out = [(NO_CHARACTER, "no character of the dictionary: cannot be scored")]
    for name in dictionary.characters:
        scored = known.get(name)
        if scored is None:
            out.append((name, "was scored by another text of the dictionary" if other else _NEVER))
        elif scored.low < share:
            out.append((name, f"below the bar of {share:g}: precision {_in_words(scored)}"))
    return Bar(share, tuple(out), gold.describers if gold else ())


def _in_words(scored: Scored) -> str:
    return f"{scored.precision:.3f} (95 % interval {scored.low:.3f} to {scored.high:.3f}, {scored.claims:,} claims)"
