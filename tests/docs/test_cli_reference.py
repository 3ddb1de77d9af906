"""The page of commands says what the commands are: no more, no less."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
import typer

from console.cli.app import app
from console.cli.exits import ExitCode
from tests.docs.pages import Block, blocks, page, sections, table_rows
from tests.docs.shell import commands

PAGE = page("reference/cli.md")
HOW_TO = tuple(page(f"how-to/{name}.md") for name in ("protocols-in-python", "convert", "traits", "annotate"))
EXAMPLES = [block for block in blocks(PAGE) if block.language == "console"]
SHARED = {
    "How a program is made": {
        "labwright run",
        "labwright verify",
        "labwright simulate",
        "labwright convert",
        "labwright diff",
    },
    "Protocols in Python": {
        "labwright run",
        "labwright verify",
        "labwright simulate",
        "labwright convert",
        "labwright diff",
    },
    "The simulated lab, and faults": {"labwright run", "labwright simulate"},
}
"""Sections whose options belong to several commands."""


def every_command(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """The commands that do something, and the main one for its own options."""
    inner: dict[str, click.Command] = getattr(command, "commands", {})
    if not inner or name == "labwright":
        yield name, command
    for word, below in inner.items():
        yield from every_command(below, f"{name} {word}")


ROOT: click.Command = typer.main.get_command(app)
COMMANDS = dict(every_command(ROOT, "labwright"))


def names_of(command: click.Command) -> set[str]:
    """All spellings of its options, and its arguments as help shows them."""
    found: set[str] = set()
    for parameter in command.params:
        found |= (
            {*parameter.opts, *parameter.secondary_opts}
            if parameter.param_type_name == "option"
            else {str(parameter.metavar)}
        )
    return found


def names_in(text: str) -> set[str]:
    """The options and arguments that the tables of a section name in their first column."""
    found: set[str] = set()
    for cells in table_rows(text):
        for code in re.findall(r"`([^`]+)`", cells[0]):
            found.add(code.split()[0] if code.startswith("-") else code)
    return found


def test_every_command_has_its_section_and_no_other_has_one() -> None:
    assert {title for title in sections(PAGE) if title.split()[:1] == ["labwright"]} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_names_every_option_and_argument_and_no_other(name: str) -> None:
    parts = sections(PAGE)
    said = names_in(parts[name]).union(*(names_in(parts[title]) for title, users in SHARED.items() if name in users))
    wanted = names_of(COMMANDS[name])
    help_of = {
        option: getattr(parameter, "help", "") for parameter in COMMANDS[name].params for option in parameter.opts
    }
    missing = [f"| `{option}` | {help_of.get(option, '')} |" for option in sorted(wanted - said)]
    assert not missing, "rows missing on the page:\n" + "\n".join(missing)
    assert not said - wanted, "on the page and gone from the command: " + ", ".join(sorted(said - wanted))


def test_every_command_has_an_example() -> None:
    without = [name for name, text in sections(PAGE).items() if name in COMMANDS and "$ labwright" not in text]
    assert without == ["labwright"]


def parse(words: list[str]) -> None:
    """Read a command line as the command would, and do nothing."""
    command, name = ROOT, words.pop(0)
    while isinstance(inner := getattr(command, "commands", None), dict) and words and words[0] in inner:
        name, command = words[0], inner[words.pop(0)]
    command.make_context(name, words)


@pytest.mark.parametrize(
    "block",
    [block for file in (PAGE, *HOW_TO) for block in blocks(file) if block.language == "console"],
    ids=lambda b: b.place,
)
def test_every_example_can_be_read(block: Block) -> None:
    for example in commands(block):
        parse(shlex.split(example.text))


def test_the_exit_codes_are_those_of_the_command() -> None:
    said = {int(cells[0]): cells[1] for cells in table_rows(sections(PAGE)["Exit codes"])}
    assert said == {code.value: code.name for code in ExitCode}
