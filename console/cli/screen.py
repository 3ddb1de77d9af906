"""What goes to the screen: words and tables on the terminal, or one JSON object for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Step = Callable[[int, int, str], None]
"""Told of progress: how many are done, of how many, and a word on the last."""


class Screen:
    """Where a command speaks. With ``as_json`` all words go to stderr and stdout gets one JSON object."""

    def __init__(self, *, as_json: bool = False) -> None:
        from rich.console import Console

        self.as_json = as_json
        self.out: Console = Console(stderr=as_json, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None

    @property
    def has_person(self) -> bool:
        """Whether someone sits at the terminal who can be asked."""
        return sys.stdin.isatty() and not self.as_json

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """A line of plain words; nothing in it is read as markup. Not shown with JSON."""
        if not self.as_json:
            self.out.print(text, style=style, markup=False)

    def lines(self, texts: Iterable[str], *, most: int | None = None, style: str | None = None) -> None:
        """Several lines, indented; beyond ``most`` only how many more there are."""
        every = list(texts)
        for text in every[:most]:
            self.say(f"  {text}", style=style)
        if most is not None and len(every) > most:
            self.say(f"  and {len(every) - most:,} more")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A plain table; what does not fit is folded. Not shown with JSON."""
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
            print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1), flush=True)

    @contextmanager
    def progress(self, what: str) -> Iterator[Step]:
        """A progress bar on a terminal; elsewhere nothing is shown."""
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
            self._bar = bar

            def step(done: int, total: int, last: str) -> None:
                bar.update(task, completed=done, total=total, last=last)

            try:
                yield step
            finally:
                self._bar = None

    def choose(self, question: str, choices: Sequence[str]) -> str | None:
        """Ask the person at the terminal; ``None`` where nobody can be asked."""
        if not self.has_person:
            return None
        if self._bar is not None:
            self._bar.stop()
        try:
            return self._chosen(question, choices)
        finally:
            if self._bar is not None:
                self._bar.start()

    def _chosen(self, question: str, choices: Sequence[str]) -> str | None:
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

    def ask(self, question: str) -> str:
        """A line that the person at the terminal types; empty where nobody can be asked."""
        if not self.has_person:
            return ""
        self.out.print(question, markup=False, end=" ")
        try:
            return input().strip()
        except EOFError:
            return ""

    def abandon_output(self) -> None:
        """Stop writing to a pipe that nobody reads any more."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """One paragraph on stderr."""
    print(f"labwright: {text}", file=sys.stderr)
