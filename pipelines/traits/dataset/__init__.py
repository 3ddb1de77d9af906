"""Statements as a dataset that others read: tables, matrices, images, and the files of other tools.

:func:`write_dataset` writes it, :func:`read_reviews` and :func:`apply_reviews` bring back what people decided.
"""

from pipelines.traits.dataset.bar import Bar, Gold, Scored, bar_of, read_gold, write_gold
from pipelines.traits.dataset.licences import Licence, parse_licence
from pipelines.traits.dataset.naming import read_checklist
from pipelines.traits.dataset.reviews import Review, apply_reviews, keep_reviews, kept_reviews, read_reviews
from pipelines.traits.dataset.settings import DatasetSettings, Written
from pipelines.traits.dataset.writing import write_dataset

__all__ = [
    "Bar",
    "DatasetSettings",
    "Gold",
    "Licence",
    "Review",
    "Scored",
    "Written",
    "apply_reviews",
    "bar_of",
    "keep_reviews",
    "kept_reviews",
    "parse_licence",
    "read_checklist",
    "read_gold",
    "read_reviews",
    "write_dataset",
    "write_gold",
]
