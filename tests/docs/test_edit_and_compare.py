"""Every command of the page on editing and comparing, in order, prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import page
from tests.docs.shell import Shell
from tests.docs.test_tutorial import follow


@pytest.mark.slow
def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    with Shell(tmp_path / "ada") as shell:
        shell.run("cd lab")
        wrong = follow(page("how-to/edit-and-compare.md"), shell)
    assert not wrong, "\n\n".join(wrong)
