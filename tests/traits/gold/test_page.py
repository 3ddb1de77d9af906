"""The page for an annotator in a real browser: answered by keyboard and mouse, saved, taken up again."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.traits.gold import DrawSettings, draw
from pipelines.traits.gold.answers import read_answers
from pipelines.traits.gold.key import read_key
from protocols.errors import InputError
from tests.traits.gold.annotated import annotated

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page")
    draw(annotated(root, 4), root / "sample", DrawSettings(size=12, measured=True), ("</script><b>Ada", "Ben"))
    return root / "sample"


@pytest.fixture(scope="module")
def page(sample: Path) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = launched.new_page(viewport={"width": 1300, "height": 950}, accept_downloads=True)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("requestfailed", lambda request: faults.append(request.url))
        page.goto((sample / "script-b-ada" / "answer.html").as_uri())
        yield page
        launched.close()
        assert not faults


def saved(page: Any, to: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download answers").click()
    download.value.save_as(to)
    return to


def test_every_question_can_be_answered_by_keyboard_and_what_is_saved_is_read(
    page: Any, sample: Path, tmp_path: Path
) -> None:
    _, key = read_key(sample)
    characters = {one.item: one.question.character for one in key.items}
    assert page.locator("h1").inner_text() == "Questions for </script><b>Ada"
    wanted = {}
    for number in range(12):
        name = page.locator("#place").inner_text().split(" · ")[1]
        assert page.evaluate("document.getElementById('near').naturalWidth") > 100
        if characters[name] in ("marks", "width"):
            page.locator("#number").fill("3")
            page.keyboard.press("Enter")
            wanted[name] = "3"
        else:
            page.keyboard.press("x" if number % 2 else "2")
            wanted[name] = "[not visible]" if number % 2 else {"colour": "brown", "pattern": "banded"}[characters[name]]
    assert page.locator("#count").inner_text() == "12 of 12 answered"
    found = read_answers(saved(page, tmp_path / "answers.csv"), key)
    assert {item: answer for item, (answer, _) in found.items()} == wanted


def test_answers_stay_are_changed_by_mouse_and_are_taken_up_from_a_file(
    page: Any, sample: Path, tmp_path: Path
) -> None:
    _, key = read_key(sample)
    before = saved(page, tmp_path / "before.csv")
    page.reload()
    assert page.locator("#count").inner_text() == "12 of 12 answered"
    name = page.locator("#place").inner_text().split(" · ")[1]
    page.locator("#note").fill('said "so", twice')
    page.get_by_text("inapplicable", exact=False).first.click()
    page.keyboard.press("ArrowLeft")
    assert page.locator("input[type=radio]:checked").get_attribute("value") == "[inapplicable]"
    after = read_answers(saved(page, tmp_path / "after.csv"), key)
    assert after[name] == ("[inapplicable]", 'said "so", twice')
    page.evaluate("localStorage.clear()")
    page.reload()
    assert page.locator("#count").inner_text() == "0 of 12 answered"
    with pytest.raises(InputError, match="has no answer"):
        read_answers(saved(page, tmp_path / "empty.csv"), key)
    page.locator("#load").set_input_files(str(tmp_path / "after.csv"))
    page.wait_for_function("document.getElementById('count').textContent.startsWith('12 of 12')")
    assert read_answers(saved(page, tmp_path / "again.csv"), key) == after
    with open(before, newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 12
