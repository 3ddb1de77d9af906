"""Words of the Python that is written: variables, numbers, texts."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping

RESERVED = frozenset({"protocol", "protocol_api", "run", "json", "metadata", "requirements", "trash", "well"})
"""Names that the written file uses for itself."""
_LONGEST = 40


class Names:
    """Gives each thing a variable of its own, as near to its name as Python allows."""

    def __init__(self) -> None:
        self._taken: set[str] = set(RESERVED)

    def take(self, wanted: str) -> str:
        """A variable that nothing else has."""
        plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode()
        stem = re.sub(r"\W+", "_", plain).strip("_").lower()[:_LONGEST] or "item"
        if stem[0].isdigit() or keyword.iskeyword(stem) or keyword.issoftkeyword(stem):
            stem = f"the_{stem}"
        name, number = stem, 2
        while name in self._taken:
            name, number = f"{stem}_{number}", number + 1
        self._taken.add(name)
        return name


def number(value: float) -> str:
    """``value`` exactly, a whole one without its ".0"."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def quoted(text: str) -> str:
    """``text`` as a literal in double quotes; what cannot be printed is escaped."""
    if not text.isprintable():
        return repr(text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def in_a_comment(text: str) -> str:
    """``text`` as one line that nothing can break out of."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def call(function: str, *arguments: str, **named: str | None) -> str:
    """A call as it is written; a named argument that is ``None`` is left out."""
    given = [*arguments, *(f"{name}={value}" for name, value in named.items() if value is not None)]
    return f"{function}({', '.join(given)})"


def dictionary(values: Mapping[str, str]) -> str:
    """A dictionary as it is written; the values are expressions."""
    return "{" + ", ".join(f"{quoted(key)}: {value}" for key, value in values.items()) + "}"
