"""How a World in its own process is spoken to: JSON, one line a message, over a Unix domain socket.

A request is ``{"id": ..., "call": NAME, "args": {...}}``. Its answer has the same id and either ``result`` or
``error`` (type, what, where, mend). While an act goes on in real time, lines with ``busy`` say that the World is
alive. A connection carries one request at a time; several connections may be open.
"""

from __future__ import annotations

import json
from typing import Any

from protocols.errors import DeviceError, InputError, LabwrightError, RecordError
from robots.ports import ConnectionLost
from robots.simulator.errors import ActRefused, Stopped

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes in one message; the set-up of forty 1536-well plates takes less."""
BUSY_EVERY = 1.0
"""s between the lines that say an act goes on."""
LONGEST_PATH = 100
"""Bytes in a socket's path; Linux allows 108, other systems 104, with a closing zero."""

_TYPES: dict[str, type[LabwrightError]] = {
    kind.__name__: kind
    for kind in (LabwrightError, InputError, RecordError, DeviceError, ConnectionLost, ActRefused, Stopped)
}


def encode(message: dict[str, Any]) -> bytes:
    """One message as a line.

    Raises:
        ActRefused: it is longer than :data:`LONGEST_LINE`, or holds a number that is not finite.
    """
    try:
        line = json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except ValueError as error:
        raise ActRefused(f"the message cannot be written as JSON ({error})") from None
    if len(line) > LONGEST_LINE:
        raise ActRefused(f"the message has {len(line)} bytes, {LONGEST_LINE} are allowed")
    return line


def decode(line: bytes) -> dict[str, Any]:
    """The message in a line.

    Raises:
        ActRefused: it is not a JSON object, or holds a number that is not finite.
    """
    try:
        message = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ActRefused(f"the message is not JSON ({type(error).__name__})") from None
    if not isinstance(message, dict):
        raise ActRefused("the message is not a JSON object")
    return message


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a finite number")


def encode_error(error: LabwrightError) -> dict[str, str]:
    """An error as plain JSON: its nearest type that both ends know, and what it says."""
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _TYPES)
    return {"type": name, "what": error.what, "where": error.where, "mend": error.mend}


def decode_error(data: dict[str, str]) -> LabwrightError:
    """The error that :func:`encode_error` wrote."""
    kind = _TYPES.get(data.get("type", ""), DeviceError)
    return kind(data.get("what", "the World failed"), where=data.get("where", ""), mend=data.get("mend", ""))
