"""An ontology that comes with Labwright: terms found by their names, never by likeness."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from pipelines.traits.vocabulary.obo import SCHEMA_VERSION
from pipelines.traits.vocabulary.spelling import key, keys, plain
from protocols.errors import RecordError

Name = Literal["aism", "pato"]
NAMES: tuple[Name, ...] = ("aism", "pato")


@dataclass(frozen=True, slots=True)
class Term:
    """A term in use.

    Attributes:
        id: as ``"PATO:0000322"``.
        name: its label.
        synonyms: those that its makers call exact.
        parents: identifiers of what it is a kind of; of another ontology where its makers say so.
        definition: the beginning of it.
    """

    id: str
    name: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    definition: str


@dataclass(frozen=True)
class Ontology:
    """One version of an ontology.

    Attributes:
        name, version: which.
        title: in words.
        licence: address of its licence.
        attribution: whom to name.
        source: where its makers publish it.
        terms: those in use, by identifier.
        obsolete: those that are not, each with what replaced it; empty where nothing did.
        domain: the word with which names of terms begin that hold for its organisms only (``"insect"``).
    """

    name: str
    version: str
    title: str
    licence: str
    attribution: str
    source: str
    terms: Mapping[str, Term]
    obsolete: Mapping[str, str]
    domain: str = ""

    def find(self, text: str, *, in_domain: bool = False) -> Term | None:
        """The term that is meant by a text, or ``None`` where none or more than one could be.

        Its label first, then its exact synonyms, then the same in another spelling, plural or order of words
        (:mod:`pipelines.traits.vocabulary.spelling`).

        Args:
            text: a name, as a person or a model writes it.
            in_domain: the organism is of the kind that the ontology is about, so that *leg* means *insect leg*.
        """
        domain = self.domain if in_domain else ""
        written = [plain(text), *([f"{domain} {plain(text)}"] if domain else [])]
        spellings = list(keys(text))
        spellings += [domain + spelling for spelling in spellings] if domain else []
        for index, spelt in ((self._labels, written), (self._synonyms, written), (self._spellings, spellings)):
            found = next((index[spelling] for spelling in spelt if spelling in index), None)
            if found is not None:
                return self.terms[found[0]] if len(found) == 1 else None
        return None

    def get(self, id: str) -> Term | None:
        """The term of an identifier; of an obsolete one what replaced it; ``None`` where nothing did."""
        return self.terms.get(self.obsolete.get(id, id))

    def ancestors(self, id: str) -> set[str]:
        """Everything that a term is a kind of, itself left out."""
        found: set[str] = set()
        left = list(self.terms[id].parents) if id in self.terms else []
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left += self.terms[one].parents if one in self.terms else ()
        return found

    @cached_property
    def _labels(self) -> Mapping[str, list[str]]:
        return _index((plain(term.name), term.id) for term in self.terms.values())

    @cached_property
    def _synonyms(self) -> Mapping[str, list[str]]:
        return _index((plain(word), term.id) for term in self.terms.values() for word in term.synonyms)

    @cached_property
    def _spellings(self) -> Mapping[str, list[str]]:
        """By spelling; a label counts before a synonym of another term."""
        labels = _index((key(term.name), term.id) for term in self.terms.values())
        others = _index((key(word), term.id) for term in self.terms.values() for word in term.synonyms)
        return others | labels


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for word, id in pairs:
        if word and id not in found[word]:
            found[word].append(id)
    return dict(found)


@cache
def load_ontology(name: Name) -> Ontology:
    """An ontology that comes with Labwright; read once a process.

    Raises:
        RecordError: the installation is damaged.
    """
    path = files("pipelines.traits.vocabulary") / "data" / f"{name}.json.gz"
    try:
        found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
        if found.pop("schema_version") != SCHEMA_VERSION:
            raise ValueError("it is of another version")
        terms = {
            id: Term(id, label, tuple(synonyms), tuple(parents), definition)
            for id, (label, synonyms, parents, definition) in found.pop("terms").items()
        }
        return Ontology(terms=terms, domain="insect" if name == "aism" else "", **found)
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise RecordError(f"cannot be read ({error})", where=str(path), mend="Install Labwright again") from None


def resolve(id: str) -> Term | None:
    """The term of an identifier in whichever of the bundled ontologies has it, as it stands; ``None`` otherwise."""
    return next((found for name in NAMES if (found := load_ontology(name).terms.get(id))), None)


def replacement(id: str) -> str:
    """What replaced an obsolete identifier; empty where it is not obsolete, or nothing did."""
    return next((found for name in NAMES if (found := load_ontology(name).obsolete.get(id))), "")
