"""Reads a page the way a browser does: its elements, its texts and its drawings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = frozenset({"meta", "link", "br"})
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)

Tag = tuple[str, tuple[str, ...]]
"""An element's name and the names of its attributes."""


@dataclass
class Page:
    """What a page is made of."""

    tags: list[Tag] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, tuple(name for name, _ in attrs)))
        self.page.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.page.texts.append(data)


def read(html: str) -> Page:
    """The page; an element that is not closed, or closed in the wrong place, fails."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    return reader.page


def drawings(html: str) -> list[ElementTree.Element]:
    """Every drawing, parsed as XML."""
    return [ElementTree.fromstring(found) for found in _DRAWING.findall(html)]
