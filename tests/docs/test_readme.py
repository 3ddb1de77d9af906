"""The commands of the README are carried out, and its word for a real machine is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from robots.workcell import load_workcell
from robots.workcell.workcell import SHIPPED
from tests.docs.pages import ROOT, blocks, page, sections
from tests.docs.shell import Shell
from tests.docs.test_links import NOT_RUN

README = ROOT / "README.md"


def shell_commands(page: Path = README) -> list[str]:
    """The commands in a page's blocks, without the remarks after them."""
    lines = [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]
    return [line.partition(" #")[0].strip() for line in lines if line.strip()]


def test_what_is_not_run_is_known_to_make() -> None:
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    made = [command for command in shell_commands() if command.startswith("make ")]
    assert set(made) == set(NOT_RUN["README.md"])
    assert all(f"\n{command.split()[1]}:" in targets for command in made)


@pytest.mark.slow
def test_the_five_minutes_work(tmp_path: Path) -> None:
    """In a copy of the examples; the environment is active already."""
    wanted = [command for command in shell_commands() if command.startswith("labwright ")]
    assert len(wanted) >= 7
    with Shell(tmp_path / "ada") as shell:
        shell.run("cd lab; cp -r ~/labwright/examples .")
        for command in wanted:
            printed = shell.run(command)
            assert shell.run('echo "$status"') == ["0"], "\n".join([command, *printed])
        assert shell.run("ls dilution") == ["report.html", "report.json"]
        for command in shell_commands(ROOT / "examples" / "opentrons" / "README.md"):
            printed = shell.run(command)
            assert shell.run('echo "$status"') == ["0"], "\n".join([command, *printed])


def test_the_readme_counts_the_rules_roughly_right() -> None:
    from protocols.verify import RULES

    assert "some sixty rules" in README.read_text(encoding="utf-8")
    assert 55 <= len(RULES) <= 66


def test_the_devices_of_a_real_star_are_read(tmp_path: Path) -> None:
    (block,) = (block for block in blocks(page("how-to/real-robot.md")) if block.language == "yaml")
    text = (SHIPPED / "starlet.yaml").read_text(encoding="utf-8")
    before, _, after = text.partition("\ndevices:\n")
    rest = after[after.index("\n\n") :]
    file = tmp_path / "starlet.yaml"
    file.write_text(f"{before}\n{block.text}{rest}", encoding="utf-8")
    drivers = {name: device.driver for name, device in load_workcell(file).config.devices.items()}
    assert drivers == {"handler": "STAR", "gripper": "STAR", "operator": "simulated"}


def test_the_house_is_as_the_readme_draws_it() -> None:
    drawing = sections(README)["Where things are"]
    folders = [line.split("/")[0] for line in drawing.splitlines() if line[:1].islower() and "/" in line.split()[0]]
    assert folders
    assert all((ROOT / folder).is_dir() for folder in folders)
