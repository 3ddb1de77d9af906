"""Opentrons' own analysis of an exported protocol, where its package is installed."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.recording import Act

PYTHON = Path(os.environ.get("OPENTRONS_PYTHON", Path(__file__).parents[2] / ".peers/opentrons/bin/python"))
needs_opentrons = pytest.mark.skipif(
    not PYTHON.exists(), reason="no Python with opentrons==9.0.0: set OPENTRONS_PYTHON to one"
)
ANALYSER = """
import os, sys
from opentrons.cli.analyze import analyze
for line in iter(sys.stdin.readline, ""):
    protocol, output = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        try:
            analyze.main([f"--json-output={output}", protocol], standalone_mode=False)
        except BaseException as error:
            print(error, file=sys.stderr)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""
"""Imports Opentrons once, which takes 2 s, and has each protocol analysed by a child of its own."""


@cache
def _analyser() -> subprocess.Popen[str]:
    """It ends with the process that started it, whose end closes its input."""
    folder = tempfile.TemporaryDirectory(prefix="labwright-opentrons-")
    atexit.register(folder.cleanup)
    own = {"HOME": folder.name, "OT_API_CONFIG_DIR": f"{folder.name}/config", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [str(PYTHON), "-c", ANALYSER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **own},
    )
    atexit.register(process.communicate)
    return process


def analyse(text: str, folder: Path) -> dict[str, Any]:
    """The analysis of a protocol's text.

    Raises:
        FileNotFoundError: there is none.
    """
    protocol, output = folder / "exported.py", folder / "analysis.json"
    protocol.write_text(text, encoding="utf-8")
    output.unlink(missing_ok=True)
    analyser = _analyser()
    assert analyser.stdin is not None
    assert analyser.stdout is not None
    analyser.stdin.write(f"{protocol}\t{output}\n")
    analyser.stdin.flush()
    while (said := analyser.stdout.readline()) != "ended\n":
        assert said, "the analyser has ended"
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
