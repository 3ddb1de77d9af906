"""Every command of the tutorial, in order, prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import blocks as blocks_of
from tests.docs.pages import page
from tests.docs.shell import Shell, commands, difference

TUTORIAL = page("tutorial.md")


def follow(tutorial: Path, shell: Shell) -> list[str]:
    """Do what a page says; returns where it departs from what happens."""
    wrong: list[str] = []
    for block in blocks_of(tutorial):
        if block.language == "console":
            for command in commands(block):
                found = difference(command.printed, shell.run(command.text))
                if found is not None:
                    wrong.append(f"line {command.line}: $ {command.text}\n{found}")
        elif block.file_name is not None:
            (shell.home / "lab" / block.file_name).write_text(block.text, encoding="utf-8")
    return wrong


@pytest.mark.slow
@pytest.mark.kill
def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    with Shell(tmp_path / "ada") as shell:
        wrong = follow(TUTORIAL, shell)
    assert not wrong, "\n\n".join(wrong)


def test_every_block_is_a_command_or_a_file() -> None:
    assert [block.place for block in blocks_of(TUTORIAL) if block.language != "console" and not block.file_name] == []


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert difference(["a", "…", "d"], ["a", "b", "c", "d"]) is None
    assert difference(["a …", "d"], ["a b  c", "d"]) is None
    assert difference(["a", "d"], ["a", "b", "d"]) is not None
    assert difference(["a", "…"], ["b"]) is not None
