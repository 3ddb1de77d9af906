"""LabState as plain JSON, and back.

Only what differs from a lab that nobody has touched is written, so that a record stays small. What a record lacks
is as it is before a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.devices import DeviceState
from protocols.specs import SCHEMA_VERSION, PlacedLabware
from protocols.tips import Tip

if TYPE_CHECKING:
    from protocols.labstate import LabState


def written(state: LabState) -> dict[str, Any]:
    """``state`` as plain JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "clock": state.clock,
        "devices": {
            name: now.snapshot()
            for name, now in state.devices.items()
            if now != DeviceState.before_a_run(state.workcell.devices[name])
        },
        "labware": {
            name: {"kind": item.spec.kind, "site": item.site, "lid": item.lid, "barcode": item.barcode}
            for name, item in state.labware.items()
        },
        "wells": {
            name: {"amounts": well.amounts(), "settled_height": well.settled_height}
            for name, well in state.wells.items()
            if well.volume > 0.0 or well.settled_height is not None
        },
        "spots": {
            name: tip.snapshot() if tip else None for name, tip in state.spots.touched().items() if _changed(name, tip)
        },
        "channels": {
            name: [tip.snapshot() if tip else None for tip in tips]
            for name, tips in state.channels.items()
            if any(tips)
        },
        "waste": state.waste.amounts(),
        "spilled": state.spilled.amounts(),
    }


def read(state: LabState, record: dict[str, Any]) -> None:
    """Bring ``state``, as it is before a run, to what ``record`` says.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the record does not fit the workcell.
    """
    state.clock = record["clock"]
    for name, now in record.get("devices", {}).items():
        if name not in state.devices:
            raise KeyError(name)
        state.devices[name] = DeviceState(**now)
    for name, item in record["labware"].items():
        state.place(name, PlacedLabware.model_validate(item))
    for name, content in record["wells"].items():
        state.wells[name].fill(content["amounts"].items())
        state.wells[name].settled_height = content["settled_height"]
    tips = {spec.tip.kind: spec.tip for spec in state.workcell.kinds.values() if spec.tip is not None}
    for name, tip in record["spots"].items():
        state.spots[name] = Tip.restore(tips[tip["kind"]], tip) if tip else None
    for name, row in record["channels"].items():
        state.channels[name] = [Tip.restore(tips[tip["kind"]], tip) if tip else None for tip in row]
    state.waste.fill(record["waste"].items())
    state.spilled.fill(record["spilled"].items())


def _changed(spot: str, tip: Tip | None) -> bool:
    return tip is None or tip.wet is not None or tip.spot != spot or tip.taken() > 0.0 or tip.film > 0.0
