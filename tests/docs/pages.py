"""The project's pages: their fenced blocks, tables, links and words in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(```+)\s*(\S*)\s*(.*)$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FILE_NAME = re.compile(r"`([\w.-]+\.(?:csv|yaml|json))`[^`]*:$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the rest of its info line, its text, and the line that stands before it."""

    page: Path
    line: int
    language: str
    info: str
    text: str
    before: str

    @property
    def place(self) -> str:
        """Where it stands, for a test's name."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file_name(self) -> str | None:
        """The file that a reader is to write: named in the info line, or in backticks before the block."""
        named = re.search(r"[\w.-]+\.(csv|yaml|json)", self.info)
        if named:
            return named.group(0)
        before = _FILE_NAME.search(self.before)
        return before.group(1) if before else None


def all_pages() -> list[Path]:
    """README and everything under docs/, and the README of the example workcells."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


def page(name: str) -> Path:
    """A page under docs/ by its path there."""
    return DOCS / name


@cache
def blocks(path: Path) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order."""
    return tuple(_blocks(path))


def _blocks(path: Path) -> Iterator[Block]:
    lines = path.read_text(encoding="utf-8").splitlines()
    number = 0
    before = ""
    while number < len(lines):
        opened = _FENCE.match(lines[number])
        if opened is None:
            before = lines[number] or before
            number += 1
            continue
        end = lines.index(opened[1], number + 1)
        yield Block(path, number + 1, opened[2], opened[3], "\n".join(lines[number + 1 : end]) + "\n", before)
        number, before = end + 1, ""


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(path: Path) -> list[str]:
    """Where the page's links lead."""
    return _LINK.findall(prose(path))


def in_backticks(path: Path) -> list[str]:
    """The words in backticks."""
    return _CODE.findall(prose(path))


def sections(path: Path, level: int = 2) -> dict[str, str]:
    """What stands under each heading of a level, by the heading's text without backticks."""
    found: dict[str, str] = {}
    title = ""
    fenced = False
    for line in path.read_text(encoding="utf-8").splitlines():
        fenced ^= line.startswith("```")
        heading = None if fenced else re.match(rf"#{{1,{level}}} (.*)", line)
        if heading:
            title = heading[1].replace("`", "").strip()
        found[title] = found.get(title, "") + line + "\n"
    return found


def table_rows(text: str) -> list[list[str]]:
    """The rows of the Markdown tables in a text, without headers and rules; backticks and spaces taken off."""
    rows: list[list[str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line) and not re.fullmatch(r"\|[|\s:-]+", following):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            rows.append([cell.replace("\\|", "|").strip() for cell in cells])
    return rows
