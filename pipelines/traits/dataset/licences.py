"""What a licence allows, from however a collection spells it.

====================================  ==============  ===========
licence                               redistribution  derivatives
====================================  ==============  ===========
CC0, public domain                    yes             yes
CC BY, BY-SA, BY-NC, BY-NC-SA         yes             yes
CC BY-ND, BY-NC-ND                    yes             no
MIT, Apache 2.0                       yes             yes
all rights reserved                   no              no
none stated, or not understood        not known       not known
====================================  ==============  ===========

The texts are those of https://creativecommons.org/licenses/, https://spdx.org/licenses/MIT.html and
https://www.apache.org/licenses/LICENSE-2.0. A licence with any word that is not understood counts as not known: who
wrote more than the licence's name may have meant less than it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ATTRIBUTED = re.compile(r"\b(?:some|no)\s+rights\s+reserved\s*[(,:]?\s*(cc[\w .\-]*)\)?\s*$")
"""As iNaturalist writes: ``(c) A. Person, some rights reserved (CC BY-NC)``."""
_FILE = re.compile(r"\s\(licen[cs]e[.a-z]*\)$")
"""The name of the file in which a collection's licence was found, as its reader puts it behind the licence."""
_FILLERS = {"http", "https", "www", "org", "creativecommons", "opensource", "creative", "commons", "legalcode", "deed"}
_FILLERS |= {"license", "licence", "licenses", "licences", "licensed", "under", "the", "a", "an", "version", "v", "en"}
_FILLERS |= {"international", "unported", "generic", "universal"}
_LONG = {"attribution": "by", "noncommercial": "nc", "noderivatives": "nd", "noderivs": "nd", "sharealike": "sa"}
_PUBLIC_DOMAIN = (
    {"public", "domain"},
    {"public", "domain", "mark"},
    {"publicdomain"},
    {"publicdomain", "mark"},
    {"pdm"},
    {"cc", "pdm"},
)
_ZERO = (
    {"cc0"},
    {"cc", "0"},
    {"zero"},
    {"cc", "zero"},
    {"publicdomain", "zero"},
    {"cc0", "public", "domain"},
    {"cc0", "public", "domain", "dedication"},
)
_COMMONS = ({"by"}, {"by", "sa"}, {"by", "nc"}, {"by", "nc", "sa"}, {"by", "nd"}, {"by", "nc", "nd"})


@dataclass(frozen=True, slots=True)
class Licence:
    """What may be done with an image.

    Attributes:
        name: as in the table of this module: ``"CC BY-NC-ND"``, ``"all rights reserved"``, ``"unknown"``.
        version: as stated, ``"4.0"``; empty where none is.
        url: of its text; empty where the version is not stated or there is no such page.
        redistributable: whether an unchanged copy may be handed on; ``None`` where that is not known.
        derivatives: whether crops and re-encoded copies may be.
    """

    name: str
    version: str = ""
    url: str = ""
    redistributable: bool | None = True
    derivatives: bool = True

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()


_UNKNOWN = Licence("unknown", redistributable=None, derivatives=False)
_RESERVED = Licence("all rights reserved", redistributable=False, derivatives=False)


def parse_licence(text: str) -> Licence:
    """The licence that a text names; ``unknown`` where it names none, or says more than a licence's name."""
    plain = _FILE.sub("", text.casefold()).replace("share alike", "sharealike").replace("share-alike", "sharealike")
    plain = re.sub(r"non[\s-]commercial", "noncommercial", re.sub(r"no[\s-]deriv", "noderiv", plain))
    if re.search(r"all\s+rights\s+reserved", plain):
        return _RESERVED
    attributed = _ATTRIBUTED.search(plain)
    plain = attributed.group(1) if attributed else plain
    found = re.search(r"\b([1-4])[._]([05])\b|(?<=_)([1-4])_([05])\b", plain)
    numbers = [part for part in found.groups() if part is not None] if found else []
    version = ".".join(numbers)
    words = re.findall(r"[^\W\d_]+0?|\d+", re.sub(r"(?<![a-z])[1-4]([._ ][05])?\b", " ", plain.replace("_", " ")))
    said = {_LONG.get(word, word) for word in words} - _FILLERS
    if {"creativecommons", "attribution"} & set(words) or {"creative", "commons"} <= set(words):
        said.add("cc")
    return _known(said, version)


def _known(said: set[str], version: str) -> Licence:
    if said in _ZERO or said - {"cc"} in _ZERO:
        return Licence("CC0", "1.0", "https://creativecommons.org/publicdomain/zero/1.0/")
    if said in _PUBLIC_DOMAIN or said - {"cc"} in _PUBLIC_DOMAIN:
        return Licence("public domain", "", "https://creativecommons.org/publicdomain/mark/1.0/")
    if {"by", "cc"} <= said and said - {"cc"} in _COMMONS:
        parts = "-".join(part for part in ("by", "nc", "nd", "sa") if part in said)
        url = f"https://creativecommons.org/licenses/{parts}/{version}/" if version else ""
        return Licence(f"CC {parts.upper()}", version, url, True, "nd" not in said)
    if said == {"mit"}:
        return Licence("MIT", "", "https://opensource.org/license/mit")
    if said == {"apache"}:
        return Licence("Apache", "2.0", "https://www.apache.org/licenses/LICENSE-2.0")
    return _UNKNOWN


def why_left_out(text: str, licence: Licence, allow_unlicensed: bool) -> str:
    """Why an image may not be published; empty where it may.

    Args:
        text: as the collection states the licence.
        licence: what was understood of it.
        allow_unlicensed: publish what has no known licence; what is forbidden stays out.
    """
    if licence.redistributable is False:
        return "its licence forbids to hand it on"
    if licence.redistributable is None and not allow_unlicensed:
        return "its licence is not understood" if text.strip() else "no licence is stated"
    return ""
