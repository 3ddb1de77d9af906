"""Terms for a model's words, by the names that the bundled ontologies have; what matches none keeps its words alone."""

from __future__ import annotations

from functools import lru_cache

from pipelines.traits.vocabulary import load_ontology


class OntologyLinker:
    """Links parts to AISM and states to PATO, by name and never by likeness."""

    def __init__(self, *, insects: bool = True) -> None:
        """Read the ontologies.

        Args:
            insects: whether the collection is of insects, so that *wing* means *insect wing*; parts of other organisms
                are not in AISM, and none is linked.

        Raises:
            RecordError: the installation is damaged.
        """
        parts, states = load_ontology("aism"), load_ontology("pato")

        def part(text: str) -> str:
            found = parts.find(text, in_domain=True) if insects else None
            return "" if found is None else found.id

        def state(text: str) -> str:
            found = states.find(text)
            return "" if found is None else found.id

        self.part = lru_cache(maxsize=4096)(part)
        self.state = lru_cache(maxsize=4096)(state)
