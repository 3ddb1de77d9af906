"""One image, looked at: what it is, whether it can be used, and the fingerprint by which it is known again."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.traits.collections.duplicates import ENOUGH, fingerprint
from pipelines.traits.collections.headers import Unusable, check_cost, conversion, header, upright_size
from pipelines.traits.collections.pixels import LARGE, decoded, identity, one_large, open_source
from pipelines.traits.collections.scans import CollectionError, Reason
from pipelines.traits.collections.terms import without_surrogates

LEAST_SIDE = 16
"""Pixels of the shorter side of an image: less than one patch of a vision transformer (14 or 16) shows no organism."""

_EXIF = {0x8298: "dcterms:rights", 0x013B: "dcterms:creator", 0x010E: "dcterms:description", 0x0110: "ac:captureDevice"}
_EXIF_BLOCK, _TAKEN = 0x8769, 0x9003


@dataclass(slots=True)
class Inspected:
    """What one image file told.

    Attributes:
        id: see :attr:`Specimen.id`; empty where the header says already that the file cannot be used.
        width, height: upright.
        fingerprint: see :func:`~pipelines.traits.collections.duplicates.fingerprint`.
        terms: what the file itself says (EXIF, XMP), by term.
        converted: what is done to its pixels, in words.
        reason, what: why it cannot be used.
    """

    id: str = ""
    width: int = 0
    height: int = 0
    fingerprint: NDArray[np.float16] | None = None
    terms: dict[str, str] = field(default_factory=dict)
    converted: str = ""
    reason: Reason | None = None
    what: str = ""


def inspect_image(root: Path, source: str) -> Inspected:
    """Read one image to its end; nothing that is wrong with it is raised.

    The header is read before any pixel is decoded. Memory: see :func:`~pipelines.traits.collections.pixels.open_image`.
    """
    found = Inspected()
    try:
        with open_source(root, source) as stream:
            if not stream.read(1):
                raise Unusable(Reason.EMPTY, "the file holds no byte")
            stream.seek(0)
            with header(stream) as image:
                stored = image.size
                found.width, found.height = stored
                if min(stored) < LEAST_SIDE:
                    what = f"{stored[0]} x {stored[1]} pixels, of which the shorter side must have {LEAST_SIDE}"
                    raise Unusable(Reason.TOO_SMALL, what)
                check_cost(image, stream)
                found.id = identity(stream)
                with one_large if stored[0] * stored[1] > LARGE else nullcontext():
                    found.converted = conversion(image)
                    found.fingerprint = fingerprint(decoded(image, stream, reduced=ENOUGH))
                found.width, found.height = upright_size(image, stored)
                found.terms = _said_by_file(image)
    except Unusable as error:
        found.reason, found.what = error.reason, error.what
    except OSError as error:
        found.reason, found.what = Reason.UNREADABLE, error.strerror or str(error)
    except CollectionError as error:
        found.reason, found.what = Reason.UNREADABLE, error.what
    return found


def _said_by_file(image: Image.Image) -> dict[str, str]:
    """Rights, creator, description, camera and date of the EXIF block, licence of the XMP packet."""
    terms: dict[str, str] = {}
    try:
        exif = image.getexif()
        for tag, term in _EXIF.items():
            terms[term] = _clean(exif.get(tag))
        terms["xmp:CreateDate"] = _clean(exif.get_ifd(_EXIF_BLOCK).get(_TAKEN))
    except Exception:  # a damaged block raises anything; the pixels may be whole
        terms.clear()
    packet = image.info.get("xmp") or b""
    if isinstance(packet, (bytes, str)):
        text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else packet
        licence = re.search(r"cc:license[^>]{0,40}?rdf:resource=[\"']([^\"']{1,300})", text[:1_000_000])
        statement = re.search(r"xmpRights:WebStatement(?:=[\"']|>)([^\"'<]{1,300})", text[:1_000_000])
        terms["dcterms:license"] = _clean(licence[1]) if licence else ""
        terms["xmpRights:WebStatement"] = _clean(statement[1]) if statement else ""
    return {term: value for term, value in terms.items() if value}


def _clean(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    return without_surrogates(" ".join("".join(c if c.isprintable() else " " for c in value).split()))[:2000]
