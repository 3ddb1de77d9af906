"""The command on a terminal of its own, with a person who types."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.commands import COMMAND, PATIENCE, environment

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Shown:
    """How a command ended on a terminal and what stood there."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """The lines as they were left, without colours."""
        plain = _CODES.sub("", self.raw).replace("\r\n", "\n")
        return [line.rsplit("\r", 1)[-1].rstrip() for line in plain.split("\n")]

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


def on_terminal(
    home: Path,
    *words: str,
    typed: Sequence[tuple[str, str]] = (),
    width: int = 80,
    env: Mapping[str, str] | None = None,
) -> Shown:
    """Run the command; ``typed`` is what a person types, each time after a text has appeared."""
    kept = {name: value for name, value in environment(home).items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
        os.execve(COMMAND, [str(COMMAND), *words], {**kept, "TERM": "xterm-256color", **(env or {})})
    raw = _watched(pid, terminal, list(typed))
    os.close(terminal)
    return Shown(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), raw.decode())


def _watched(pid: int, terminal: int, typed: list[tuple[str, str]]) -> bytes:
    raw, seen, until = b"", 0, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        try:
            raw += os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return raw
        if typed and typed[0][0].encode() in raw[seen:]:
            seen = len(raw)
            os.write(terminal, typed.pop(0)[1].encode())
    os.kill(pid, signal.SIGKILL)
    return raw
