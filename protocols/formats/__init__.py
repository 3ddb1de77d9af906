"""Reading and writing the files that people bring: protocols, programs, worklists and other YAML or JSON."""

from protocols.formats.documents import Document, load_document, parse_document
from protocols.formats.validation import validate

__all__ = ["Document", "load_document", "parse_document", "validate"]
