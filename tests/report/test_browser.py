"""The page in a real browser: it stands by itself, fits the window, and shows its drawings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.test_page import eventful, html, timed, with_text

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report as it comes, and one whose every name is long and has no place to break."""
    folder = tmp_path_factory.mktemp("pages")
    facts = eventful().facts.model_copy(update={"title": "Normalisierungsprotokoll" * 20})
    long = with_text(eventful(), "Probenbezeichnung" * 5).model_copy(update={"facts": facts})
    made = {"plain": html(eventful()), "long": html(long)}
    for name, page in made.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.mark.parametrize("name", ["plain", "long"])
@pytest.mark.parametrize("width", [1280, 420])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_stands_by_itself_and_fits(
    browser: Any, files: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=False
    )
    page = context.new_page()
    requested: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(files[name].as_uri())
    assert {url for url in requested if not url.startswith("data:")} == {files[name].as_uri()}
    assert said == []
    for drawing in ("svg.deck", "svg.timeline", "#plates svg"):
        box = page.locator(drawing).first.bounding_box()
        assert box is not None
        assert box["width"] > 250
        assert box["height"] > 40
    page.close()
    context.close()


@pytest.mark.parametrize("name", ["plain", "long"])
@pytest.mark.parametrize("width", [1280, 420])
def test_nothing_makes_the_window_scroll_sideways_even_unfolded(
    browser: Any, files: dict[str, Path], name: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(files[name].as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_instructions_are_folded_and_unfold_by_keyboard(browser: Any, files: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(files["plain"].as_uri())
    row = page.locator("#instructions tbody tr").first
    assert not row.is_visible()
    page.locator("#instructions summary").first.focus()
    page.keyboard.press("Enter")
    assert row.is_visible()
    page.close()


def test_well_numbers_are_readable_and_stay_within_their_wells(browser: Any, files: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(files["plain"].as_uri())
    wells = page.evaluate(
        """[...document.querySelectorAll('#plates svg g:has(> text)')].filter(g => g.querySelector('.well')).map(g => [
            g.querySelector('text').getBoundingClientRect().width,
            g.querySelector('text').getBoundingClientRect().height,
            g.querySelector('.well').getBoundingClientRect().width])"""
    )
    assert len(wells) > 100
    assert all(text <= well and height >= 8 for text, height, well in wells)
    page.close()


@pytest.mark.slow
def test_twenty_thousand_instructions_open(browser: Any, tmp_path: Path) -> None:
    _, made = timed(20_000)
    (tmp_path / "long.html").write_text(made, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "long.html").as_uri(), timeout=60_000)
    assert page.locator("#record").is_visible()
    page.locator("#instructions summary").last.click()
    assert page.locator("#instructions tbody tr").last.is_visible()
    page.close()
