"""What goes to the screen: words and tables on the terminal, or one JSON object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

Step = "Callable[[int, int, str], None]"
"""Told of progress: how many are done, of how many, and a word on the last."""


class Screen:
    """Where a command speaks. With ``as_json`` all words go to stderr and stdout gets one JSON object."""

    def __init__(self, *, as_json: bool = False) -> None:
        from rich.console import Console

        self.as_json = as_json
        self.out: Console = Console(stderr=as_json, highlight=False, soft_wrap=True)

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """A line of plain words; nothing in it is read as markup. Not shown with JSON."""
        if not self.as_json:
            self.out.print(text, style=style, markup=False)

    def lines(self, texts: Iterable[str], *, indent: str = "  ", style: str | None = None) -> None:
        """Several lines, indented."""
        for text in texts:
            self.say(f"{indent}{text}", style=style)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A plain table; whole words only are wrapped."""
        if self.as_json:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self.out.print(table, soft_wrap=False)

    def give(self, value: dict[str, Any]) -> None:
        """The command's result, for machines; only with JSON."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1))

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int, str], None]]:
        """A progress bar, on a terminal; elsewhere nothing is shown."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[last]}", markup=False),
        )
        with Progress(*columns, console=self.out, disable=not self.out.is_terminal) as bar:
            task = bar.add_task(what, total=None, last="")

            def step(done: int, total: int, last: str) -> None:
                bar.update(task, completed=done, total=total, last=last)

            yield step

    def choose(self, question: str, choices: Sequence[str]) -> str | None:
        """Ask the person at the terminal; ``None`` where nobody can be asked."""
        if not sys.stdin.isatty():
            return None
        numbered = "  ".join(f"[{number}] {choice}" for number, choice in enumerate(choices, 1))
        while True:
            self.out.print(f"{question}\n{numbered}", markup=False)
            try:
                said = input("> ").strip()
            except EOFError:
                return None
            if said in choices:
                return said
            if said.isdecimal() and 1 <= int(said) <= len(choices):
                return choices[int(said) - 1]


def complain(text: str) -> None:
    """One paragraph on stderr."""
    print(f"labwright: {text}", file=sys.stderr)
