"""Files of other tools, told by what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.errors import InputError
from protocols.formats.documents import Document

HOW_TO_ANALYSE = "Make one with `python -m opentrons.cli analyze --json-output=FILE.json PROTOCOL`"


def is_analysis(data: Any) -> bool:
    """Whether a document's data look like Opentrons' analysis of a protocol, well formed or not."""
    return isinstance(data, dict) and "commands" in data and ("robotType" in data or "commandAnnotations" in data)


def refuse_foreign(document: Document) -> None:
    """Name what a JSON document is, where it belongs to another tool and cannot be used.

    Raises:
        InputError: it is one.
    """
    data = document.data
    if isinstance(data, list):
        if data and isinstance(data[0], dict) and "commandType" in data[0]:
            mend = "Give the whole analysis, with 'robotType' and 'config'"
            raise InputError("it is a bare list of Opentrons commands", where=str(document.path), mend=mend)
    elif isinstance(data, dict):
        said, mend = _foreign(data)
        if said:
            raise InputError(said, where=str(document.path), mend=mend)


def _foreign(data: Mapping[str, Any]) -> tuple[str, str]:
    """What it is and what to do; empty for what may be ours."""
    if {"labwareDefinitions", "designerApplication", "$otSharedSchema"} & data.keys():
        version = data.get("schemaVersion", data.get("protocol-schema", "of a version that is not said"))
        said = f"it is a protocol in Opentrons' JSON (schema {version}), as Protocol Designer saves it: no analysis"
        return said, HOW_TO_ANALYSE
    if {"ordering", "wells", "parameters"} <= data.keys():
        return "it is a labware definition of Opentrons'", "Name it in a workcell file (kinds: my_plate: {file: …})"
    inner = data.get("data")
    if isinstance(inner, dict) and ({"commands", "protocolId", "actions", "status"} & (data.keys() | inner.keys())):
        return "it is what an Opentrons robot's server answered, as a run log", HOW_TO_ANALYSE
    if {"refs", "instructions"} <= data.keys():
        return "it is Autoprotocol JSON", "Write it as a worklist or as a protocol of Labwright's"
    if isinstance(data.get("type"), str) and {"children", "category"} <= data.keys():
        said = "it is a resource that pylabrobot saved, a deck or labware"
        return said, "Name it in a workcell file; a protocol says what is done on it"
    return "", ""
