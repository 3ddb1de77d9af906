"""Standard output and error as they are found: in any encoding, and perhaps with nobody who reads."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import IO, TextIO

_PLAIN = {"µ": "u", "μ": "u", "°": "deg ", "→": "->", "…": "...", "–": "-", "—": "-", "×": "x", "“": '"', "”": '"'}
"""What stands for a character on a terminal that cannot show it."""


def prepare() -> None:
    """Let stdout and stderr show every text, in plainer characters where their encoding has no others."""
    codecs.register_error("labwright.plain", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="labwright.plain")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in missing), error.end


def is_utf8(stream: TextIO) -> bool:
    """Whether every character can be written to ``stream`` as it is."""
    try:
        return codecs.lookup(stream.encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


def unread(stream: IO[str]) -> None:
    """Stop writing to a pipe that nobody reads any more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
