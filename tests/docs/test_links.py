"""Links lead somewhere, paths exist, and every example on a page is run or read by a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, all_pages, blocks, in_backticks, links
from tests.docs.shell import commands

PAGES = all_pages()
TOP = {path.name for path in ROOT.iterdir()}
MADE_LATER = {
    "demo-output": "made by `make demo`",
}
"""Paths that a fresh clone does not have, and why."""

RUN_BY = {
    ("docs/tutorial.md", "console"): "test_tutorial.py",
    ("docs/tutorial.md", "csv"): "test_tutorial.py",
    ("docs/tutorial.md", "yaml"): "test_tutorial.py",
    ("docs/reference/cli.md", "console"): "test_cli_reference.py",
    ("docs/reference/dataset.md", "csv"): "test_dataset.py",
    ("docs/reference/dataset.md", "python"): "test_dataset.py",
    ("docs/reference/files.md", "csv"): "test_files.py",
    ("docs/reference/files.md", "yaml"): "test_files.py",
    ("docs/how-to/edit-and-compare.md", "console"): "test_edit_and_compare.py",
    ("docs/how-to/gold.md", "console"): "test_gold.py",
    ("docs/how-to/convert.md", "console"): "test_cli_reference.py",
    ("docs/how-to/convert.md", "python"): "test_convert.py",
    ("docs/how-to/protocols-in-python.md", "console"): "test_cli_reference.py",
    ("docs/how-to/real-robot.md", "yaml"): "test_readme.py",
    ("docs/how-to/traits.md", "console"): "test_cli_reference.py",
    ("docs/how-to/annotate.md", "console"): "test_cli_reference.py",
    ("docs/how-to/annotate.md", "yaml"): "test_annotate.py",
    ("docs/how-to/annotate.md", "toml"): "test_annotate.py",
    ("docs/how-to/models.md", "sh"): "test_models.py",
    ("docs/how-to/models.md", "toml"): "test_models.py",
    ("docs/how-to/models.md", "python"): "test_models.py",
    ("docs/explanations/describing.md", "yaml"): "test_describing.py",
    ("README.md", "sh"): "test_readme.py",
    ("examples/opentrons/README.md", "sh"): "test_readme.py",
}
"""The test that runs or reads the blocks of a language on a page."""
EXEMPT = {
    ("docs/benchmarks.md", "sh"): "the benchmarks take minutes",
    ("docs/benchmarks.md", "console"): "the benchmarks take minutes",
}
"""Blocks that no test runs, and why."""
NOT_RUN = {"README.md": {"make demo": "sets up an environment", "make test": "runs this test"}}
"""Commands that no test runs, and why."""
LANGUAGES = {"sh", "console", "yaml", "toml", "python", "csv", "json"}
"""Blocks in these must be run or read; a block without a language is a drawing or a listing."""


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(page: Path, link: str) -> bool:
    if link.startswith(("https://", "http://", "mailto:")):
        return False
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists():
        return str(target.relative_to(ROOT)) not in MADE_LATER
    return bool(anchor) and anchor not in anchors(target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if leads_nowhere(page, link)] == []


def is_path(word: str) -> bool:
    """Whether a word in backticks looks like a file or folder of the repository."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word):
        return False
    return "/" in word and word.split("/")[0] in TOP


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_exists(page: Path) -> None:
    paths = [word for word in in_backticks(page) if is_path(word)]
    absent = [
        path for path in paths if not (ROOT / path).exists() and not MADE_LATER.keys() & {path, path.split("/")[0]}
    ]
    assert absent == []


def runner_of(block: Block) -> str | None:
    """The test that runs or reads a block, or why none does."""
    key = (str(block.page.relative_to(ROOT)), block.language)
    return RUN_BY.get(key) or EXEMPT.get(key)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_is_run_or_read_by_a_test(page: Path) -> None:
    orphans = [block.place for block in blocks(page) if block.language in LANGUAGES and runner_of(block) is None]
    assert orphans == [], "name the test that runs them in RUN_BY"


def test_no_runner_is_named_for_nothing() -> None:
    used = {(str(block.page.relative_to(ROOT)), block.language) for page in PAGES for block in blocks(page)}
    assert set(RUN_BY) - used == set()
    assert all((Path(__file__).parent / name).is_file() for name in RUN_BY.values())


def test_every_block_says_its_language_or_has_none() -> None:
    known = {block.language for page in PAGES for block in blocks(page)}
    assert known <= LANGUAGES | {""}


def test_console_blocks_begin_with_a_command() -> None:
    for page in PAGES:
        for block in blocks(page):
            assert block.language != "console" or commands(block)


def test_no_page_speaks_of_this_machine() -> None:
    odd = {page.name: re.findall(r"/(?:work|tmp|root)/\S*", page.read_text(encoding="utf-8")) for page in PAGES}
    assert {name: found for name, found in odd.items() if found} == {}
