"""What reading a collection gives: specimens, and everything that was set aside with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pipelines.traits.specimens import Specimen
from protocols.errors import InputError


class CollectionError(InputError):
    """Raised when a folder cannot be read as a collection, or an image of one cannot be opened."""


class Reason(StrEnum):
    """Why something was set aside; :attr:`mend` says what to do about it."""

    EMPTY = "empty file"
    NOT_AN_IMAGE = "not an image"
    UNSUPPORTED = "unsupported format"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too many pixels"
    TOO_LARGE = "file too large"
    TOO_SMALL = "too small"
    UNREADABLE = "unreadable"
    NOT_A_FILE = "not a regular file"
    OUTSIDE = "link out of the collection"
    BROKEN_LINK = "broken link"
    LINK_LOOP = "link loop"
    UNSAFE_NAME = "unsafe name"
    NOT_UTF8 = "name is not UTF-8"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near duplicate"
    CONTRADICTORY = "contradictory taxa"
    REPEATED_MEMBER = "repeated member"
    DAMAGED_ARCHIVE = "damaged archive"
    BAD_ROW = "bad row"

    @property
    def mend(self) -> str:
        """What a person can do about it, one sentence without a full stop."""
        return _MEND[self]


_MEND = {
    Reason.EMPTY: "Fetch the file again, or delete it",
    Reason.NOT_AN_IMAGE: "Fetch the file again: what was saved may be an error page; or delete it",
    Reason.UNSUPPORTED: "Convert it to JPEG, PNG, TIFF or WebP",
    Reason.TRUNCATED: "Fetch the file again: its end is missing",
    Reason.DAMAGED: "Fetch the file again, or restore it from a copy",
    Reason.TOO_MANY_PIXELS: "Reduce it, or cut it into parts with one organism each",
    Reason.TOO_LARGE: "Save the picture alone: an image of the most pixels that are used takes far less",
    Reason.TOO_SMALL: "Replace it by the picture in full size, or delete it",
    Reason.UNREADABLE: "Make it readable (permissions, mount, disk), then scan again",
    Reason.NOT_A_FILE: "Replace it by the image file itself",
    Reason.OUTSIDE: "Copy the file into the collection, or let links be followed (follow_links)",
    Reason.BROKEN_LINK: "Restore what the link leads to, or delete the link",
    Reason.LINK_LOOP: "Delete the link",
    Reason.UNSAFE_NAME: "Write the archive again with names that stay inside it",
    Reason.NOT_UTF8: "Rename it in UTF-8",
    Reason.DUPLICATE: "Nothing, or delete it",
    Reason.NEAR_DUPLICATE: "Nothing, or delete it; near duplicates are kept with near_duplicates=False",
    Reason.CONTRADICTORY: "Find out which name is right and delete the other copies",
    Reason.REPEATED_MEMBER: "Write the archive again with a name of its own for each member",
    Reason.DAMAGED_ARCHIVE: "Fetch the archive again; the images before the damage are used",
    Reason.BAD_ROW: "Mend the row in its table",
}


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that was set aside.

    Attributes:
        source: as in :attr:`Specimen.source`; bytes that are no UTF-8 are written as ``\\xNN``. For a row of a table,
            the table and the line.
        reason: why.
        detail: what exactly, and what to do.
    """

    source: str
    reason: Reason
    detail: str

    @classmethod
    def because(cls, source: str, reason: Reason, what: str) -> Quarantined:
        """Set ``source`` aside; ``what`` is one sentence without a full stop."""
        return cls(printable(source), reason, f"{printable(what)}. {reason.mend}.")


@dataclass(frozen=True, slots=True)
class Converted:
    """An image that is used, but not as its file has it: 16 bits, CMYK, transparent, one of several frames."""

    source: str
    how: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Two images that are near duplicates and bear contradictory names; both are kept.

    Attributes:
        source, other: the two images.
        distance: between their fingerprints, see :mod:`pipelines.traits.collections.duplicates`.
    """

    source: str
    other: str
    distance: float


@dataclass(slots=True)
class Scan:
    """All that reading a collection gave, in the order of the sources.

    Attributes:
        layout: the name of the layout, see :class:`~pipelines.traits.collections.layouts.Layout`.
        recognised: what was recognised, in words.
        specimens: the images that can be used.
        quarantined: what cannot, with reasons.
        converted: images whose pixels are not taken as they stand.
        alike: near duplicates of which the names contradict each other.
        rows_without_image: ``table:line value`` of metadata rows that no image belongs to; at most
            :data:`MOST_LISTED`, ``rows_without_image_count`` counts all.
        images_without_row: sources of images that no row of the metadata speaks of; empty where there is no metadata.
        ignored: how many files that are neither images nor metadata there are, by their ending.
    """

    layout: str
    recognised: str
    specimens: Sequence[Specimen] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    converted: list[Converted] = field(default_factory=list)
    alike: list[Alike] = field(default_factory=list)
    rows_without_image: list[str] = field(default_factory=list)
    rows_without_image_count: int = 0
    images_without_row: list[str] = field(default_factory=list)
    ignored: Mapping[str, int] = field(default_factory=dict)

    def reasons(self) -> dict[str, int]:
        """How many were quarantined for each reason, the most frequent first."""
        counts: dict[str, int] = {}
        for item in self.quarantined:
            counts[item.reason.value] = counts.get(item.reason.value, 0) + 1
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


MOST_LISTED = 100_000
"""How many rows without an image are listed one by one."""


def printable(text: str) -> str:
    """The text with what no UTF-8 file can hold, and what would disturb a terminal, as backslash escapes."""
    if text.isascii() and text.isprintable():
        return text
    raw = text.encode("utf-8", "surrogateescape") if _only_escaped_bytes(text) else text.encode("utf-8", "replace")
    shown = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def _only_escaped_bytes(text: str) -> bool:
    return all(not "\ud800" <= c <= "\udfff" or "\udc80" <= c <= "\udcff" for c in text)
