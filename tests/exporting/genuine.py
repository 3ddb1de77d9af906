"""Opentrons' own analysis of an exported protocol, where its package is installed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.recording import Act

PYTHON = Path(os.environ.get("OPENTRONS_PYTHON", Path(__file__).parents[2] / ".peers/opentrons/bin/python"))
needs_opentrons = pytest.mark.skipif(
    not PYTHON.exists(), reason="no Python with opentrons==9.0.0: set OPENTRONS_PYTHON to one"
)


def analyse(text: str, folder: Path) -> dict[str, Any]:
    """The analysis of a protocol's text.

    Raises:
        AssertionError: there is none.
    """
    protocol, output = folder / "exported.py", folder / "analysis.json"
    protocol.write_text(text, encoding="utf-8")
    command = [str(PYTHON), "-m", "opentrons.cli", "analyze", f"--json-output={output}", str(protocol)]
    own = {"HOME": str(folder), "OT_API_CONFIG_DIR": str(folder / "config"), "OPENBLAS_NUM_THREADS": "1"}
    environment = {**os.environ, **own}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment, check=False)
    assert output.exists(), done.stderr
    found: dict[str, Any] = json.loads(output.read_text())
    return found


def errors(analysis: Mapping[str, Any]) -> list[str]:
    return [str(error.get("detail", error)) for error in analysis["errors"]]


def alike(found: list[Act], meant: list[Act]) -> bool:
    """Whether two lists of moves are the same; Opentrons rounds what it dispenses to 9 decimals."""
    return len(found) == len(meant) and all(
        here[:3] == there[:3] and here[3:] == pytest.approx(there[3:], abs=1e-8)
        for here, there in zip(found, meant, strict=True)
    )


def moves(analysis: Mapping[str, Any]) -> list[Act]:
    """Tips and liquid by labware label and well."""
    labels = {item["id"]: item.get("displayName") or item["loadName"] for item in analysis["labware"]}
    labels["fixedTrash"] = "trash"
    found: list[Act] = []
    for command in analysis["commands"]:
        what, params = command["commandType"], command["params"]
        place = (labels.get(params.get("labwareId", ""), "trash"), params.get("wellName", ""))
        match what:
            case "pickUpTip":
                found.append(("pick up", *place))
            case "dropTip" | "dropTipInPlace":
                found.append(("drop", *(place if place[0] != "trash" else ("trash",))))
            case "aspirate" | "dispense":
                found.append((what, *place, params["volume"]))
            case "dispenseInPlace":
                found.append(("dispense", "trash", "A1", params["volume"]))
    return found
