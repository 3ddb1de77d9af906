"""The Opentrons labware definitions that a workcell brings along, for protocols that are to carry them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.formats import load_document
from robots.workcell.config import FileKind
from robots.workcell.workcell import Workcell


def opentrons_definitions(workcell: Workcell) -> dict[str, Mapping[str, Any]]:
    """The definitions that stand in files beside the workcell file, as plain JSON, by kind.

    Raises:
        InputError: one of the files cannot be read any more.
    """
    folder = workcell.path.parent
    return {
        name: load_document(folder / kind.file).data
        for name, kind in workcell.config.kinds.items()
        if isinstance(kind, FileKind) and kind.file.lower().endswith(".json")
    }
