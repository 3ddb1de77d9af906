"""Pages stand by themselves, lead to each other, and show what was given, whatever it is called."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.traits.gallery import Taxon, write_gallery
from tests.traits.gallery.views import NASTY, evidence, latent_view, overview, written

NAMES = {12: "Carabus auratus", 7: "Musca domestica", 345: "Apis mellifera"}


class Page(HTMLParser):
    """What a page refers to, its headings, and pictures without a word on them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.ids: set[str] = set()
        self.headings: list[str] = []
        self.silent: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a":
            self.links.append(found.get("href") or "")
        elif found.get("href") or found.get("src"):
            self.sources.append(found.get("href") or found.get("src") or "")
        if found.get("id"):
            self.ids.add(str(found["id"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if tag == "svg" and not (found.get("aria-label") or found.get("aria-hidden")):
            self.silent.append(str(self.getpos()))
        self.open.append(tag)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(tmp_path_factory.mktemp("gallery"), NAMES)


def test_there_is_a_page_for_each_latent_and_taxon(pages: dict[str, str]) -> None:
    assert set(pages) == {
        "index.html",
        *(f"latents/{latent:06d}.html" for latent in NAMES),
        "taxa/0001-carabus-auratus.html",
        "taxa/0002-musca-domestica.html",
        "taxa/0003-apis-mellifera.html",
    }


def test_every_link_leads_to_a_page_or_a_place_on_it(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        for link in Page(text).links:
            page, _, place = link.partition("#")
            target = (Path(name).parent / page).as_posix() if page else name
            parts: list[str] = []
            for part in target.split("/"):
                if part == "..":
                    parts.pop()
                elif part != ".":
                    parts.append(part)
            assert "/".join(parts) in pages, link
            assert not place or place in Page(pages["/".join(parts)]).ids, link


def test_pages_stand_by_themselves(pages: dict[str, str]) -> None:
    for text in pages.values():
        assert all(source.startswith("data:") for source in Page(text).sources)
        assert "<script" not in text
        assert not re.search(r"https?://|@import|url\(", text)


def test_pages_can_be_read_by_everyone(pages: dict[str, str]) -> None:
    for text in pages.values():
        page = Page(text)
        assert '<html lang="en">' in text
        assert page.silent == []
        assert page.headings.count("h1") == 1
        assert "main" in page.ids
        levels = [int(heading[1]) for heading in page.headings]
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_evidence_stands_where_it_belongs(pages: dict[str, str]) -> None:
    latent = pages["latents/000012.html"]
    assert "7 of 8 · 88 %" in latent
    assert "&lt; 0.0001" in latent
    assert "7 of 8, others 3 %" in latent
    taxon = pages["taxa/0001-carabus-auratus.html"]
    assert "<b>1</b> latent marks it" in taxon
    index = pages["index.html"]
    assert "a/b.jpg" in index
    assert "the end is missing" in index
    assert "one specimen of each taxon" in index


def test_every_picture_has_its_licence_and_credit(pages: dict[str, str]) -> None:
    text = pages["latents/000012.html"]
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.DOTALL)
    assert len(captions) == 5
    assert all("CC BY 4.0" in caption or "no licence stated" in caption for caption in captions)
    assert sum("A. Person" in caption for caption in captions) == 2


def test_names_are_never_markup(tmp_path: Path) -> None:
    pages = written(tmp_path, {1: NASTY}, title=NASTY, quarantined=[(NASTY, NASTY, NASTY)], notes=[NASTY])
    for text in pages.values():
        assert "<script" not in text
        assert "\x07" not in text
        assert "&lt;script&gt;" in text


def test_what_could_not_be_tested_is_said(tmp_path: Path) -> None:
    lone = Taxon("Apis", "genus", 1, [evidence(3, "Apis", standing="not tested", rank="genus")])
    write_gallery(tmp_path, overview(), [lone], [3], lambda latent: latent_view(latent, "Apis"))
    assert "Too few to test: one specimen" in (tmp_path / "taxa" / "0001-apis.html").read_text()
    assert "not tested" in (tmp_path / "index.html").read_text()


def test_nothing_found_is_a_page_too(tmp_path: Path) -> None:
    write_gallery(tmp_path, overview(points=[], curves=[], quarantined=[]), [], [], lambda _: pytest.fail("no latent"))
    text = (tmp_path / "index.html").read_text()
    assert "Nothing speaks for any taxon" in text
    assert "every file of the collection could be used" in text


def test_the_same_again_is_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "1", NAMES) == written(tmp_path / "2", NAMES)


def test_one_latent_is_in_memory_at_a_time(tmp_path: Path) -> None:
    asked: list[int] = []

    def look(latent: int) -> object:
        asked.append(latent)
        return latent_view(latent, "Apis")

    many = list(range(130))
    write_gallery(tmp_path, overview(), [], many, look)  # type: ignore[arg-type]
    assert asked[: len(many)] == many
    assert len(asked) == len(many) + 96
