"""A second, independent reading of an analysis's liquid moves: nothing of the product is used."""

from __future__ import annotations

from typing import Any, NamedTuple

PITCH = 9.0


class Move(NamedTuple):
    """One liquid move: of which command, what, of which labware (by its load order), which wells, µL for each."""

    command: int
    kind: str
    labware: str
    wells: tuple[str, ...]
    volume: float


def liquid_moves(analysis: dict[str, Any]) -> list[Move]:
    """Every aspirate and dispense that names a well, and those in place; draws above the rim left out."""
    labware, pipettes, at, found = {}, {}, {}, []
    config = analysis["config"]
    version = config.get("apiVersion") or [2, 14]
    heights = version >= [2, 14] if config["protocolType"] == "python" else config["schemaVersion"] >= 6
    for index, command in enumerate(analysis["commands"]):
        kind, given, result = command["commandType"], command["params"], command.get("result") or {}
        if kind == "loadLabware" and "definition" in result:
            labware[result["labwareId"]] = result["definition"]
        elif kind == "loadPipette":
            name = given["pipetteName"]
            count = 96 if "_96" in name else 8 if "_multi" in name else 1
            pipettes[result["pipetteId"]] = {"count": count, "layout": (0, count), "tips": None}
        elif kind == "configureNozzleLayout":
            pipettes[given["pipetteId"]]["layout"] = _layout(
                given["configurationParams"], pipettes[given["pipetteId"]]["count"]
            )
        if "pipetteId" not in given or kind in ("loadPipette", "configureNozzleLayout"):
            continue
        if "labwareId" in given and kind not in ("pickUpTip", "dropTip"):
            at[given["pipetteId"]] = given
        if kind not in ("aspirate", "dispense", "aspirateInPlace", "dispenseInPlace"):
            continue
        place = at[given["pipetteId"]]
        if place["labwareId"] not in labware or "trash" in labware[place["labwareId"]]["parameters"]["loadName"]:
            found.append(Move(index, kind[:8], "trash", (), given["volume"]))
            continue
        definition = labware[place["labwareId"]]
        well = definition["wells"][place["wellName"]]
        location = place["wellLocation"]
        above = location["origin"] == "top" and location["offset"]["z"] >= 0
        if kind.startswith("aspirate") and above and heights:
            continue
        first, many = pipettes[given["pipetteId"]]["layout"]
        wells = _wells(definition, place["wellName"], first, many, pipettes[given["pipetteId"]]["count"])
        found.append(Move(index, kind[:8], place["labwareId"], wells, given["volume"]))
        assert well is not None
    return found


def _layout(params: dict[str, str], count: int) -> tuple[int, int]:
    """Which row the primary nozzle is of those in use, and how many there are (one column of a pipette only)."""
    if params["style"] == "ALL":
        return 0, count
    assert params["style"] == "QUADRANT"
    assert params["primaryNozzle"] == params["frontRightNozzle"]
    many = ord(params["frontRightNozzle"][0]) - ord(params["backLeftNozzle"][0]) + 1
    return many - 1, many


def _wells(definition: dict[str, Any], well: str, first: int, many: int, count: int) -> tuple[str, ...]:
    ordering = definition["ordering"]
    column = next(number for number, names in enumerate(ordering) if well in names)
    row = ordering[column].index(well)
    if count == 1:
        return (well,)
    step = max(1, len(ordering[column]) // 8)
    columns = range(column, len(ordering), max(1, len(ordering) // 12))[:12] if count == 96 else (column,)
    if len(ordering[column]) == 1:  # a trough takes all nozzles of a column, or of the head
        per = 96 if len(ordering) == 1 else 8
        return tuple(ordering[c][0] for c in columns for _ in range(per if count == 96 else many))
    names = []
    for c in columns:
        rows = [row + step * (number - first) for number in range(8 if count == 96 else many)]
        names += [ordering[c][r] for r in rows if 0 <= r < len(ordering[c])]
    return tuple(names)
