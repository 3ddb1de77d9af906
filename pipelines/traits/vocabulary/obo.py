"""From an ontology as its makers publish it (OBO 1.2) to the compact file that comes with Labwright.

``python -m pipelines.traits.vocabulary.obo pato.obo pipelines/traits/vocabulary/data/pato.json.gz "attribution"`` does
it; the same input gives the same bytes. Kept are identifier, name, exact synonyms, the first sentence or two of the
definition, and parents of the terms in use, and of obsolete ones what replaced them.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s+(\w+))?')
_TRAILER = re.compile(r'\s*\{\w[\w:]*=".*$')
_LONGEST_DEFINITION = 300


def compact(text: str, attribution: str) -> dict[str, Any]:
    """The kept part of an ontology in OBO format, as JSON values.

    Args:
        text: the file.
        attribution: who is to be named, as the licence asks.

    Raises:
        ValueError: it names no version or no licence.
    """
    header, _, body = text.partition("\n[Term]\n")
    name = _one(r"^ontology: (\S+?)(?:/.*)?$", header)
    prefix = name.upper() + ":"
    terms: dict[str, Any] = {}
    obsolete: dict[str, str] = {}
    for block in _terms(body):
        id = _one(r"^id: (\S+)", block)
        if not id.startswith(prefix):
            continue
        if "\nis_obsolete: true" in block:
            obsolete[id] = next(iter(re.findall(r"^replaced_by: (\S+)", block, re.MULTILINE)), "")
            continue
        terms[id] = _term(block)
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "version": _one(r'^property_value: owl:versionInfo "([^"]+)"', header),
        "title": _one(r'^property_value: dc:title "([^"]+)"', header),
        "licence": _one(r"^property_value: terms:license (\S+)", header),
        "attribution": attribution,
        "source": f"http://purl.obolibrary.org/obo/{name}.obo",
        "terms": dict(sorted(terms.items())),
        "obsolete": dict(sorted(obsolete.items())),
    }


def _terms(body: str) -> Iterator[str]:
    for block in ("[Term]\n" + body).split("\n\n["):
        if block.startswith(("[Term]\n", "Term]\n")):
            yield block.partition("\n")[2]


def _term(block: str) -> list[Any]:
    """Name, exact synonyms, parents, definition."""
    name = _TRAILER.sub("", _one(r"^name: (.*)$", block))
    synonyms = []
    for line in re.findall(r"^synonym: (.*)$", block, re.MULTILINE):
        found = _QUOTED.match(line)
        if found and found[2] == "EXACT":
            synonyms.append(_unescaped(found[1]))
    parents = re.findall(r"^is_a: (\S+)", block, re.MULTILINE)
    definition = re.search(r"^def: (.*)$", block, re.MULTILINE)
    quoted = _QUOTED.match(definition[1]) if definition else None
    return [name, sorted(set(synonyms)), sorted(parents), _shortened(_unescaped(quoted[1]) if quoted else "")]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= _LONGEST_DEFINITION:
        return text
    return text[:_LONGEST_DEFINITION].rsplit(" ", 1)[0] + " …"


def _unescaped(text: str) -> str:
    return text.replace("\\n", " ").replace('\\"', '"').replace("\\:", ":").replace("\\\\", "\\")


def _one(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ValueError(f"nothing in it looks like {pattern}")
    return found[1]


def main() -> None:
    """Read the first argument, write the second; the third says whom to name."""
    source, target, attribution = sys.argv[1:]
    made = compact(Path(source).read_text(encoding="utf-8"), attribution)
    plain = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
    Path(target).write_bytes(gzip.compress(plain, 9, mtime=0))


if __name__ == "__main__":
    main()
