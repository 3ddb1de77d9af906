"""The words of descriptions: ontologies that come with Labwright, and dictionaries of characters and their states."""

from pipelines.traits.vocabulary.dictionary import digest, parsed_dictionary, read_dictionary, shipped_dictionary
from pipelines.traits.vocabulary.ontology import Ontology, Term, load_ontology, resolve

__all__ = [
    "Ontology",
    "Term",
    "digest",
    "load_ontology",
    "parsed_dictionary",
    "read_dictionary",
    "resolve",
    "shipped_dictionary",
]
