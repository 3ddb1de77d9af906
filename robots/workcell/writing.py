"""Writing a workcell's folder: ``workcell.yaml`` and ``labware/KIND.json``, all of it or none.

Each kind's file is an Opentrons labware definition, so that the workcell needs nothing but itself.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from protocols.errors import FileProblemsError, InputError, Problem
from robots.workcell.workcell import load_workcell

WORKCELL_FILE = "workcell.yaml"
"""The workcell's file in its folder."""
LABWARE_FOLDER = "labware"
"""Where its labware definitions stand."""

_SAFE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,98}[A-Za-z0-9_\-])?")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def write_folder(folder: Path, document: Mapping[str, Any], definitions: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write ``document`` as the workcell file, and each of ``definitions`` by its kind; return the file's path.

    ``folder`` is made if it is not there; it may hold other files, but no workcell.

    Raises:
        InputError: a kind whose name cannot be a file's, a workcell that stands there already, or a folder that
            cannot be written.
        FileProblemsError: what would be written is no workcell; each mistake is listed.
    """
    _check_names(definitions)
    target = folder / WORKCELL_FILE
    for taken in (target, folder / LABWARE_FOLDER):
        if taken.exists() or taken.is_symlink():
            raise InputError("there is one already", where=str(taken), mend="Name another folder")
    text = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=110)
    draft: Path | None = None
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".workcell-", dir=folder))
        _write_draft(draft, text, definitions)
        _check_draft(draft, folder)
        (draft / LABWARE_FOLDER).rename(folder / LABWARE_FOLDER)
        (draft / WORKCELL_FILE).rename(target)  # last: it makes the rest a workcell
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        what = f"the workcell cannot be written ({why})"
        raise InputError(what, where=str(folder), mend="Check the folder") from None
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
        if is_new and not target.exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
    return target


def is_file_name(name: str) -> bool:
    """``name`` can be a kind's: it is a file's name on every computer."""
    return bool(_SAFE.fullmatch(name)) and not _RESERVED.fullmatch(name)


def _write_draft(draft: Path, text: str, definitions: Mapping[str, Mapping[str, Any]]) -> None:
    (draft / LABWARE_FOLDER).mkdir()
    for kind, definition in definitions.items():
        content = json.dumps(definition, ensure_ascii=False, indent=1) + "\n"
        (draft / LABWARE_FOLDER / f"{kind}.json").write_text(content, encoding="utf-8")
    (draft / WORKCELL_FILE).write_text(text, encoding="utf-8")


def _check_draft(draft: Path, folder: Path) -> None:
    """Refuse what cannot be loaded, with the places that its reader will see."""
    try:
        load_workcell(draft / WORKCELL_FILE)
    except FileProblemsError as error:
        problems = [
            Problem(problem.where.replace(str(draft), str(folder)), problem.what, problem.mend)
            for problem in error.problems
        ]
        raise FileProblemsError(str(folder / WORKCELL_FILE), problems, more=error.more) from None


def _check_names(kinds: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for kind in kinds:
        if not is_file_name(kind):
            raise InputError(
                f"the labware name {kind!r} cannot be a file's name",
                mend="Use letters, digits, '_', '-' and '.', at most 100 of them",
            )
        other = seen.setdefault(kind.casefold(), kind)
        if other != kind:
            raise InputError(
                f"the labware names '{other}' and '{kind}' are one on some computers", mend="Rename one of them"
            )
