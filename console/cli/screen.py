"""What goes to the screen: words and tables on the terminal, or one JSON object for machines."""

from __future__ import annotations

import json
import select
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from console.cli.streams import is_utf8, unread

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Step = Callable[[int, int, str], None]
"""Told of progress: how many are done, of how many, and a word on the last."""
MOST_LINES = 12
"""Lines of one list that are shown; `--all` and the report show the rest."""
_LEAST_WIDTH = 40
"""Columns of a terminal below which nothing is wrapped."""
_PIPED_WIDTH = 1000
"""Columns of a table that goes to a file or a pipe: a row stays one line there."""


class Screen:
    """Where a command speaks. With ``as_json`` all words go to stderr and stdout gets one JSON object.

    Attributes:
        bar: the progress that is shown now; it pauses while a person is asked.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out: Console = _console(stderr=as_json)
        self.bar: Progress | None = None
        self._waiting = False

    @property
    def has_person(self) -> bool:
        """Whether someone sits at the terminal who can be asked."""
        return sys.stdin.isatty() and not self.as_json

    def say(self, text: str = "", *, style: str | None = None, whole: bool = False) -> None:
        """A line of plain words; nothing in it is read as markup. Not shown with JSON.

        ``whole`` keeps a path or a command in one piece, so that it can be copied.
        """
        if self.as_json:
            return
        if self._waiting:  # the cursor still stands behind a question that was answered elsewhere
            self._waiting = False
            self.out.print()
        self.out.print(text if whole else self._wrapped(text), style=style, markup=False)

    def lines(self, texts: Iterable[str], *, most: int | None = None, style: str | None = None) -> None:
        """Several lines, indented; beyond ``most`` only how many more there are."""
        every = list(texts)
        for text in every[:most]:
            self.say(f"  {text}", style=style)
        if most is not None and len(every) > most:
            self.say(f"  and {len(every) - most:,} more; --all shows them")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, sparse: bool = False) -> None:
        """A plain table; what does not fit is folded, in the first column last of all. Not shown with JSON.

        Without names of columns it has no head; ``sparse`` leaves out columns in which nothing stands.
        """
        if self.as_json:
            return
        rows = list(rows)
        if sparse:
            kept = [place for place in range(len(columns)) if any(row[place].strip() for row in rows)]
            columns, rows = [columns[place] for place in kept], [[row[place] for place in kept] for row in rows]
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
        for place, name in enumerate(columns):
            table.add_column(name, overflow="fold", no_wrap=place == 0)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self.out.print(table, soft_wrap=False)

    def give(self, value: dict[str, Any]) -> None:
        """The command's result, for machines; only with JSON."""
        if not self.as_json:
            return
        text = json.dumps(value, ensure_ascii=not is_utf8(sys.stdout), allow_nan=False, indent=1)
        try:
            print(text, flush=True)
        except BrokenPipeError:
            unread(sys.stdout)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Step]:
        """A progress bar on a terminal; elsewhere nothing is shown."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        columns = (
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=min(32, self.out.width // 4)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.fields[last]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
        )
        with Progress(*columns, console=self.out, disable=not self.out.is_terminal, expand=True) as bar:
            task = bar.add_task(what, total=total, last="")
            self.bar = bar

            def step(done: int, total: int, last: str) -> None:
                bar.update(task, completed=done, total=total, last=last)

            try:
                yield step
            finally:
                self.bar = None

    def choose(self, question: str, choices: Sequence[str]) -> str | None:
        """Ask the person at the terminal; ``None`` where nobody can be asked."""
        if not self.has_person:
            return None
        if self.bar is not None:
            self.bar.stop()
        try:
            return self._chosen(question, choices)
        finally:
            if self.bar is not None:
                self.bar.start()

    def _chosen(self, question: str, choices: Sequence[str]) -> str | None:
        numbered = "  ".join(f"[{number}] {choice}" for number, choice in enumerate(choices, 1))
        by_name = {choice.lower(): choice for choice in choices}
        self.say(f"{question}\n{numbered}")
        while True:
            said = self._answer("> ")
            if said is None:
                return None
            if said.lower() in by_name:
                return by_name[said.lower()]
            if said.isdecimal() and 1 <= int(said) <= len(choices):
                return choices[int(said) - 1]
            self.say(f"Type a number from 1 to {len(choices)}, or one of: {', '.join(choices)}")

    def ask(self, question: str) -> str:
        """A line that the person at the terminal types; empty where nobody can be asked."""
        return (self._answer(f"{question} ") if self.has_person else None) or ""

    def _answer(self, prompt: str) -> str | None:
        """What the person types; ``None`` if they end the input (Ctrl-D) or are interrupted."""
        try:
            self.out.print(prompt, markup=False, end="")  # an interrupt may come as soon as it is seen
            self._waiting = True
            _until_typed()
            said = input().strip()
        except EOFError:
            self.say()
            return None
        except KeyboardInterrupt:
            self.say()
            raise
        self._waiting = False
        return said

    def _wrapped(self, text: str) -> str:
        return wrapped(text, self.out.width) if self.out.is_terminal else text


def _until_typed() -> None:
    """Wait until a line, or the end of the input, can be read; a Ctrl-C is noticed whenever it comes.

    A Ctrl-C between the prompt and the reading of it would not interrupt :func:`input`.
    """
    from robots.execution.signals import signalled

    with signalled() as woken:
        while woken is not None and sys.stdin not in select.select([sys.stdin, woken], [], [])[0]:
            woken.recv(64)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    class Terminal(Console):
        """A console whose reader may go away: a run goes on, and its exit code still says how it ended."""

        def on_broken_pipe(self) -> None:
            unread(self.file)

    console = Terminal(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


def wrapped(text: str, width: int) -> str:
    """``text`` in lines of at most ``width`` columns, broken between words, what follows a break indented."""
    if width < _LEAST_WIDTH:
        return text
    return "\n".join(_wrapped_line(line, width) for line in text.split("\n"))


def _wrapped_line(line: str, width: int) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    parts = textwrap.wrap(
        line,
        width,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return "\n".join(parts)


def complain(text: str) -> None:
    """One paragraph on stderr."""
    import shutil

    said = f"labwright: {text}"
    if sys.stderr.isatty():
        said = wrapped(said, shutil.get_terminal_size().columns)
    try:
        print(said, file=sys.stderr, flush=True)
    except BrokenPipeError:
        unread(sys.stderr)
