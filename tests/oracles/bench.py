"""The laboratory of the hand-worked tables: one small workcell, every number of it chosen for mental arithmetic."""

from __future__ import annotations

from protocols.specs import (
    DeviceSpec,
    Fill,
    LabwareCategory,
    LabwareSpec,
    PipetteSpec,
    PlacedLabware,
    SiteSpec,
    TipSpec,
    WellShape,
    WellSite,
    WorkcellSpec,
)
from protocols.wells import well_name

EVERYTHING: frozenset[LabwareCategory] = frozenset(
    {"plate", "trough", "tube rack", "tip rack", "lid", "trash", "adapter"}
)

DEVICES = {
    "shaker": DeviceSpec(id="shaker", kind="heater-shaker", temperatures=(0.0, 95.0), speeds=(200.0, 3000.0)),
    "cycler": DeviceSpec(
        id="cycler", kind="thermocycler", temperatures=(4.0, 99.0), lid_temperatures=(37.0, 110.0), starts_open=False
    ),
    "cooler": DeviceSpec(id="cooler", kind="temperature module", temperatures=(-9.0, 99.0)),
    "magnet": DeviceSpec(id="magnet", kind="magnetic module", magnet_heights=(0.0, 20.0)),
}
ON_DEVICES = {"shaken": "shaker", "cycled": "cycler"}
"""The device on which each of these pieces of labware stands."""

VIAL = WellShape(max_volume=120.0, depth=12.0, dead_volume=15.0, profile=((0.0, 0.0), (4.0, 20.0), (12.0, 120.0)))


def grid(
    kind: str,
    category: LabwareCategory,
    rows: int,
    columns: int,
    *,
    shape: WellShape | None = None,
    tip: TipSpec | None = None,
    height: float = 20.0,
) -> LabwareSpec:
    """Labware whose wells (or tips) are all alike, 9 mm apart."""
    names = [(row, column) for column in range(columns) for row in range(rows)]
    return LabwareSpec(
        kind=kind,
        category=category,
        size=(127.0, 85.0, height),
        rows=rows,
        columns=columns,
        wells={
            well_name(row, column): WellSite(x=9.0 + 9 * column, y=72.0 - 9 * row, z=1.0, shape="well")
            for row, column in names
        },
        shapes={} if shape is None else {"well": shape},
        tip=tip,
        source="made for the oracles",
    )


def workcell(
    kinds: list[LabwareSpec],
    pipettes: list[PipetteSpec],
    *,
    contents: tuple[Fill, ...] = (),
    lids: frozenset[str] = frozenset(),
) -> WorkcellSpec:
    """One piece of each kind on a site of its own ("on plate" for "plate"), and empty sites.

    "free" takes everything, "shelf" is out of the arm's reach, "store" out of the pipettes', "stack" takes lids only.
    """
    trash = grid("trash", "trash", 1, 1, shape=WellShape(max_volume=1e6), height=50.0)
    every = [*kinds, trash]
    sites = {f"on {kind.kind}": (EVERYTHING, True) for kind in every}
    sites |= {"free": (EVERYTHING, True), "shelf": (EVERYTHING, False), "stack": (frozenset({"lid"}), True)}
    sites |= {"store": (EVERYTHING, True)}
    return WorkcellSpec(
        name="oracle bench",
        devices={
            "handler": DeviceSpec(id="handler", kind="liquid handler"),
            "arm": DeviceSpec(id="arm", kind="arm"),
            **DEVICES,
        },
        pipettes={pipette.id: pipette for pipette in pipettes},
        sites={
            site: SiteSpec(
                id=site,
                x=150.0 * at,
                y=0.0,
                z=0.0,
                accepts=accepts,
                gripper=gripper,
                pipettes=site != "store",
                device=ON_DEVICES.get(site.removeprefix("on ")),
            )
            for at, (site, (accepts, gripper)) in enumerate(sites.items())
        },
        kinds={kind.kind: kind for kind in every},
        labware={
            kind.kind: PlacedLabware(kind=kind.kind, site=f"on {kind.kind}", lid=kind.kind in lids) for kind in every
        },
        contents=contents,
        trash="trash",
        arm="arm",
        robot="Flex",
    )


def pipette(name: str, channels: int, *fits: str) -> PipetteSpec:
    return PipetteSpec(
        id=name,
        device="handler",
        channels=channels,
        independent=channels < 96,
        min_volume=0.0,
        max_volume=1000.0,
        fits=frozenset(fits),
    )


def hand_workcell() -> WorkcellSpec:
    """The workcell of ``hand.yaml``; the table's head describes it in words."""
    return workcell(
        [
            grid("plate", "plate", 8, 12, shape=WellShape(max_volume=400.0)),
            grid("other", "plate", 8, 12, shape=WellShape(max_volume=400.0)),
            grid(
                "cones",
                "plate",
                8,
                1,
                shape=WellShape(max_volume=350.0, depth=15.0, profile=((0.0, 0.0), (5.0, 50.0), (15.0, 350.0))),
            ),
            grid("dead", "plate", 8, 1, shape=WellShape(max_volume=400.0, dead_volume=20.0)),
            grid("vials", "plate", 8, 1, shape=VIAL),
            grid("trough", "trough", 1, 1, shape=WellShape(max_volume=10000.0, dead_volume=100.0)),
            grid("covered", "plate", 8, 1, shape=WellShape(max_volume=400.0)),
            grid("shaken", "plate", 8, 1, shape=WellShape(max_volume=400.0)),
            grid("cycled", "plate", 8, 1, shape=WellShape(max_volume=400.0)),
            grid("tall", "plate", 8, 1, shape=WellShape(max_volume=400.0), height=99.0),
            grid("tips", "tip rack", 8, 12, tip=_tip("tip 300", 300.0, 50.0, "standard")),
            grid("short", "tip rack", 8, 12, tip=_tip("tip 50", 50.0, 8.0, "standard")),
            grid("wide", "tip rack", 8, 1, tip=_tip("tip 1000", 1000.0, 80.0, "wide")),
        ],
        [pipette("single", 1, "standard"), pipette("eight", 8, "standard"), pipette("head", 96, "standard")],
        lids=frozenset({"covered"}),
    )


def _tip(kind: str, capacity: float, length: float, fits: str) -> TipSpec:
    return TipSpec(kind=kind, capacity=capacity, min_volume=0.0, length=length, fits=fits)
