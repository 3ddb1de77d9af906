"""What a file of Python is, told from its text: nothing of it is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Literal

from protocols.errors import InputError

LARGEST = 5_000_000
"""Bytes of a file that is read at all; the largest of Opentrons' published protocols has 0.3 MB."""
SourceKind = Literal["opentrons", "pylabrobot"]
"""Whose protocols these are."""


def read_source(path: Path) -> bytes:
    """The text of a Python file.

    Raises:
        InputError: it cannot be read, or is larger than :data:`LARGEST`.
    """
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"the file cannot be read ({reason.lower()})", where=str(path)) from None
    if len(source) > LARGEST:
        raise InputError(f"it has more than {LARGEST / 1e6:.0f} MB, no protocol is that long", where=str(path))
    return source


def kind_of_source(source: bytes, path: Path) -> SourceKind:
    """Whether this is an Opentrons protocol or a script for pylabrobot.

    Raises:
        InputError: it is neither, or not Python at all.
    """
    tree = parse(source, path)
    modules = _imported(tree)
    if "pylabrobot" in modules:
        return "pylabrobot"
    if _has_run(tree) and (modules & {"opentrons"} or _has_metadata(tree)):
        return "opentrons"
    raise InputError(
        "this Python is no protocol: it neither defines run(protocol) with 'metadata' or 'requirements', as Opentrons'"
        " protocols do, nor imports pylabrobot",
        where=str(path),
        mend="Give a protocol, a worklist, or a program",
    )


def parse(source: bytes, path: Path) -> ast.Module:
    """The syntax tree.

    Raises:
        InputError: it is not Python; with the line.
    """
    try:
        return ast.parse(source)
    except SyntaxError as error:
        where = f"{path}:{error.lineno}" if error.lineno else str(path)
        raise InputError(f"this is not Python: {error.msg}", where=where) from None
    except (ValueError, RecursionError, MemoryError) as error:
        why = "it is nested too deeply" if not isinstance(error, ValueError) else str(error)
        raise InputError(f"this is not Python that can be read: {why}", where=str(path)) from None


def neighbours(source: bytes, path: Path) -> tuple[Path, ...]:
    """Files of Python beside ``path`` that it imports, and those that they import."""
    found: dict[Path, None] = {}
    waiting = [source]
    while waiting:
        for name in sorted(_imported(parse(waiting.pop(), path))):
            beside = path.parent / f"{name}.py"
            if re.fullmatch(r"\w+", name) and beside != path and beside not in found and beside.is_file():
                found[beside] = None
                waiting.append(read_source(beside))
    return tuple(found)


def _imported(tree: ast.Module) -> set[str]:
    """Top-level names of all modules that are imported anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def _has_run(tree: ast.Module) -> bool:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"]
    return any(len(function.args.posonlyargs + function.args.args) == 1 for function in functions)


def _has_metadata(tree: ast.Module) -> bool:
    names: set[str] = set()
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return bool(names & {"metadata", "requirements"})
