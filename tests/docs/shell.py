"""A reader at a shell: commands one after the other, and whether they print what a page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from tests.docs.pages import ROOT, Block

LAB = "/home/ada/lab"
"""The folder in which the reader of a page works, as the page writes it."""
ANY = "…"
"""Stands for words in a line, or for any lines if it is alone."""
_END = "--- end of output:"
_JOB_NOTICE = re.compile(r"^(?:\S*bash|/bin/sh): line \d+: +\d+ Killed .*$")

_VARYING = (
    (re.compile(r"\d{8}T\d{6}-([a-z0-9-]+?)-[0-9a-f]{4}\b"), r"RUN-\1"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), "DATE"),
    (re.compile(r"\b\d?\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"(?:^|(?<=resume ))[0-9a-f]{4}(?= DATE| --answer|$)"), "ID"),
    (re.compile(r"\bseconds [\d.]+"), "SECONDS"),
    (re.compile(r"(lab's clock) .*$"), r"\1 DURATION"),
    (
        re.compile(r"[\d,]+(?:\.\d+)?( s| min \d+ s| min| h \d+ min| h) on the lab's clock"),
        "DURATION on the lab's clock",
    ),
    (re.compile(r"In the simulated lab \S+ departs most from the plan, by [+-][\d.]+ µL"), "In the lab WELL departs"),
    (re.compile(r"[\d.]+ GB free"), "SPACE free"),
)


@dataclass(frozen=True)
class Command:
    """One command of a page, and what is printed there below it."""

    line: int
    text: str
    printed: list[str]


def commands(block: Block) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if line.startswith("$ "):
            found.append(Command(number, line[2:], []))
        elif line.startswith("> ") and found and not found[-1].printed:
            found[-1] = Command(found[-1].line, f"{found[-1].text}\n{line[2:]}", [])
        elif found:
            found[-1].printed.append(line)
        else:
            raise ValueError(f"{block.place}: a console block begins with a command")
    return found


@dataclass
class Shell:
    """A bash in which the folder, variables and background jobs stay from command to command."""

    home: Path
    _process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Shell:
        """A home with the repository at ~/labwright and an empty folder ~/lab to work in."""
        (self.home / "lab").mkdir(parents=True)
        (self.home / "labwright").symlink_to(ROOT)
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.home,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        return self

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("TMPDIR", "LANG") if name in os.environ}
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
        home = str(self.home)
        return {**kept, "PATH": path, "HOME": home, "LABWRIGHT_HOME": f"{home}/kept", "COLUMNS": "240", "NO_COLOR": "1"}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the shell and what it started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("kill $(jobs -p) 2>/dev/null; exit\n")
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.stdout.close()
        self._process.wait()

    def run(self, command: str) -> list[str]:
        """What a command prints, stdout and stderr together."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # the status of the command before is what the reader sees with `echo $?`
        self._process.stdin.write(f"(exit ${{status:-0}})\n{command}\nstatus=$?\nprintf '\\n{_END} %s\\n' $status\n")
        self._process.stdin.flush()
        printed: list[str] = []
        for line in self._process.stdout:
            if line.startswith(_END):
                break
            printed.append(line.rstrip("\n"))
        text = "\n".join(printed).replace(str(self.home / "lab"), LAB).replace(str(self.home), "/home/ada")
        text = text.replace(str(ROOT), "/home/ada/labwright")
        return [line for line in text.rstrip("\n").split("\n") if not _JOB_NOTICE.match(line)]


def told_apart(line: str) -> str:
    """A line with its spaces made single, and without what differs from run to run."""
    line = " ".join(line.split())
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return line


def difference(page: list[str], printed: list[str]) -> str | None:
    """Where what was printed departs from the page; ``None`` if it does not."""
    wanted = [told_apart(line) for line in page]
    seen = [told_apart(line) for line in printed]
    while seen and not seen[-1]:
        seen.pop()
    while wanted and not wanted[-1]:
        wanted.pop()
    if _matches(wanted, seen):
        return None
    return "the page says:\n{}\nand it prints:\n{}".format("\n".join(page), "\n".join(printed))


def _matches(wanted: list[str], seen: list[str]) -> bool:
    """Each of ``wanted`` in its place in ``seen``; any lines where it says "…" alone."""
    reachable = {0}
    for line in wanted:
        if line == ANY:
            reachable = set(range(min(reachable), len(seen) + 1))
        else:
            reachable = {place + 1 for place in reachable if place < len(seen) and _line_matches(line, seen[place])}
        if not reachable:
            return False
    return len(seen) in reachable


def _line_matches(line: str, seen: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, line.split(ANY))), seen) is not None
