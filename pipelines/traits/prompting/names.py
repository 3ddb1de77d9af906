"""No request shows the name of a taxon: not in its text, its examples, its images' metadata or the form of the answer.

A model that knows the name can recite what is known of the taxon instead of looking. The guard reads what would be sent
and refuses it. What it cannot see is a name written on a label in the picture itself: labels that are found are painted
over (:mod:`pipelines.traits.prompting.labels`), cut-outs show little beside the region, and an answer that names a
taxon is held against the statement by a check.
"""

from __future__ import annotations

import json
import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from agents.models import Image, Request
from agents.models.requests import as_messages
from pipelines.traits.specimens import Taxon
from protocols.errors import LabwrightError

_SHORTEST_JOINED = 7
"""Letters from which a name is also found where its words are written as one, within others."""
_SHORTEST_WORD = 3
"""Letters from which each word of a scientific name counts by itself."""
_BARE_PNG = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_WORD = re.compile(r"[^\W\d_]+")


class NameShown(LabwrightError):
    """Raised when a request would show the name of a taxon, or an image's metadata, to a model."""


class NameGuard:
    """The names of a collection's taxa, and where they occur in a text."""

    def __init__(self, taxa: Iterable[Taxon], vernacular: Iterable[str] = ()) -> None:
        """Take the names of taxa at all ranks.

        Args:
            taxa: each name counts, and each word of three letters or more of a name in Latin (of a taxon whose genus
                is known), so that a genus or an epithet alone is found.
            vernacular: names in other languages, each as a whole.
        """
        self._names: dict[tuple[str, ...], str] = {}
        self._joined: dict[str, str] = {}
        for taxon in taxa:
            for name in taxon.names.values():
                self._add(name, each_word="genus" in taxon.names)
        for name in vernacular:
            self._add(name, each_word=False)
        self._lengths = sorted({len(words) for words in self._names})
        self._found = lru_cache(maxsize=256)(self._find)

    def _add(self, name: str, *, each_word: bool) -> None:
        words = _words(name)
        if not words:
            return
        self._names.setdefault(tuple(words), name)
        if len("".join(words)) >= _SHORTEST_JOINED:
            self._joined.setdefault("".join(words), name)
        if each_word:
            self._names |= {
                (word,): name for word in words if len(word) >= _SHORTEST_WORD and (word,) not in self._names
            }

    def names_in(self, text: str) -> tuple[str, ...]:
        """The names that a text holds, whatever their case, accents and separators."""
        return tuple(dict.fromkeys(name for _, name in self._found(text)))

    def _find(self, text: str) -> tuple[tuple[tuple[str, ...], str], ...]:
        """The words that were found, each with the name they belong to."""
        words = _words(text)
        runs = (
            tuple(words[start : start + length]) for length in self._lengths for start in range(len(words) - length + 1)
        )
        found = [(run, self._names[run]) for run in runs if run in self._names]
        for word in sorted(set(words)):
            for piece in _pieces(word):
                if name := self._joined.get(piece):
                    found.append((tuple(_words(name)), name))
        return tuple(found)

    def check(self, request: Request, schema: Any = None, *, told: str = "") -> None:
        """Let a request pass, or refuse it.

        Args:
            request: as it would be sent.
            schema: of the answer, which is sent along.
            told: the name that a control tells on purpose.

        Raises:
            NameShown: a name of a taxon is in it, or an image carries more than pixels.
        """
        allowed = set(_words(told))
        for text in _texts(request, schema):
            shown = [name for words, name in self._found(text) if not set(words) <= allowed]
            if shown:
                raise NameShown(
                    f"the request would show the name {max(shown, key=len)} to the model",
                    where=f"prompt {request.name}",
                    mend="Take the name out of the dictionary or the examples; if it is a word of ordinary language "
                    "there, leave that vernacular name out",
                )
        for image in request.images:
            if more := beside_pixels(image):
                raise NameShown(f"an image would be sent with {more}", where=f"prompt {request.name}")


def _texts(request: Request, schema: Any) -> Iterator[str]:
    """All text that would be sent, piece by piece."""
    yield f"{request.prompt} {request.version}"
    for message in as_messages(request, spare_images=True):
        content = message["content"]
        yield from [content] if isinstance(content, str) else [one["text"] for one in content if one["type"] == "text"]
    if schema is not None:
        yield json.dumps(schema, ensure_ascii=False)


def _words(text: str) -> list[str]:
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return _WORD.findall(plain.casefold())


def _pieces(word: str) -> Iterator[str]:
    """The pieces of a word that are long enough for a joined name."""
    for start in range(len(word) - _SHORTEST_JOINED + 1):
        for end in range(start + _SHORTEST_JOINED, len(word) + 1):
            yield word[start:end]


def beside_pixels(image: Image) -> str:
    """What an encoded image carries beside its pixels; empty for nothing."""
    if image.media_type == "image/jpeg":
        return _beside_jpeg(image.data)
    if image.media_type == "image/png":
        return _beside_png(image.data)
    return f"whatever a file of type {image.media_type} may hold"


def _beside_jpeg(data: bytes) -> str:
    """Segments before the scan: tables and frames are pixels, APP0 of JFIF without a thumbnail is a fixed header."""
    place = 2
    while data[:2] == b"\xff\xd8" and place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], struct.unpack(">H", data[place + 2 : place + 4])[0]
        is_header = marker == 0xE0 and length == 16
        if (0xE0 <= marker <= 0xEF and not is_header) or marker == 0xFE:
            return "a comment" if marker == 0xFE else f"metadata (APP{marker - 0xE0})"
        if marker == 0xDA:
            return "" if data.endswith(b"\xff\xd9") else "bytes after its end"
        place += 2 + length
    return "no pixels"


def _beside_png(data: bytes) -> str:
    place = 8
    while data[:8] == b"\x89PNG\r\n\x1a\n" and place + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        if kind not in _BARE_PNG:
            return f"metadata ({kind.decode('latin-1')})"
        place += 12 + length
        if kind == b"IEND":
            return "" if place == len(data) else "bytes after its end"
    return "no pixels"
