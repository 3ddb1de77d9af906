"""A small Flex and a small OT-2 for verification's tests: modules, heads of 8 and 96 nozzles, a gripper."""

from typing import Any, Literal

from protocols.program import AnyInstruction, DropTips, PickUpTips, Program
from protocols.specs import DeviceSpec, PipetteSpec, PlacedLabware, SiteSpec, WorkcellSpec

from .lab import GRID, RACK, TROUGH, program, workcell

TALL_RACK = RACK.model_copy(update={"kind": "tall rack", "size": (127, 85, 99)})
LOW_RACK = RACK.model_copy(update={"kind": "rack", "tip": RACK.tip.model_copy(update={"length": 50})})  # type: ignore[union-attr]
DEVICES = {
    "shaker": DeviceSpec(id="shaker", kind="heater-shaker", temperatures=(0, 95), speeds=(200, 3000)),
    "cycler": DeviceSpec(id="cycler", kind="thermocycler", temperatures=(4, 99), lid_temperatures=(37, 110)),
    "magnet": DeviceSpec(id="magnet", kind="magnetic module", magnet_heights=(0, 20)),
}


def pipette(channels: int, mount: Literal["left", "right"]) -> PipetteSpec:
    return PipetteSpec(
        id=mount,
        device="arm",
        channels=channels,
        independent=channels == 1,
        min_volume=1,
        max_volume=300,
        fits={"cone"},
        mount=mount,
    )


def robot(
    kind: Literal["OT-2", "Flex"], *, left: int, right: int, shaker: int = 1, cycler: int = 10, **labware: int
) -> WorkcellSpec:
    """Slots count from 1 at the front left, three in a row; ``labware`` says which slot each piece stands on."""
    name = (lambda n: f"slot-{n}") if kind == "OT-2" else (lambda n: "DCBA"[(n - 1) // 3] + str((n - 1) % 3 + 1))
    on = {shaker: "shaker", cycler: "cycler", 3: "magnet"}
    sites: dict[str, Any] = {
        name(n): SiteSpec(
            id=name(n),
            x=132.5 * ((n - 1) % 3),
            y=90.5 * ((n - 1) // 3),
            z=0,
            accepts={"plate", "trough", "tip rack", "trash"},
            device=on.get(n),
        )
        for n in range(1, 12)
    }
    sites["A4"] = sites[name(1)].model_copy(update={"id": "A4", "pipettes": False, "device": None})
    sites["trash"] = sites[name(1)].model_copy(update={"id": "trash", "device": None})
    kinds = {
        "tips": "rack",
        "more": "rack",
        "tall": "tall rack",
        "plate": "plate",
        "other": "plate",
        "trough": "trough",
    }
    placed = {item: PlacedLabware(kind=kinds[item], site=name(slot)) for item, slot in labware.items()}
    plain = workcell()
    return workcell(
        devices={**plain.devices, **DEVICES},
        pipettes={"left": pipette(left, "left"), "right": pipette(right, "right")},
        sites=sites,
        kinds={**plain.kinds, "tall rack": TALL_RACK, "rack": LOW_RACK, "trough": TROUGH},
        labware={**placed, "trash": PlacedLabware(kind="trash", site="trash")},
        robot=kind,
    )


def take(pipette: str, channels: tuple[int, ...], first: str = "tips/A1", name: str = "take") -> PickUpTips:
    """Tips for ``channels``, from ``first`` on down the columns of its rack."""
    rack, _, well = first.rpartition("/")
    start = GRID.index(well)
    spots = tuple(f"{rack}/{GRID[start + at]}" for at in range(len(channels)))
    return PickUpTips(id=name, pipette=pipette, channels=channels, spots=spots)


def put(pipette: str, channels: tuple[int, ...], name: str = "put") -> DropTips:
    return DropTips(id=name, pipette=pipette, channels=channels)


def of(*instructions: AnyInstruction, **fields: Any) -> Program:
    """A program of these instructions, with 200 µL in the first column of the plate."""
    return program(*instructions, **({"fills": {f"plate/{well}": 200.0 for well in GRID[:8]}} | fields))
