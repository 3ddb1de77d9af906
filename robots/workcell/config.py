"""The workcell file: what a lab writes down about its workcell, once.

Quantities carry their units; names are the lab's own. ``docs`` and ``examples/workcells/`` show it filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from protocols.liquids import Behaviours, Name, Record
from protocols.quantities import Concentration, Duration, FlowRate, Length, Volume
from protocols.specs import DeviceKind, LabwareCategory
from protocols.wells import Wells

DriverName = Literal["simulated", "STAR", "STAR chatterbox", "OT-2"]
"""What moves a device: the simulated lab, or a real machine."""


def _listed(value: object) -> object:
    """One text stands for a list of one."""
    return [value] if isinstance(value, str) else value


BinName = Literal["A1", "B1", "C1", "D1", "A3", "B3", "C3", "D3", "waste chute"]
"""A Flex's trash: a bin by its slot, or the chute at D3."""


class PlaceConfig(Record):
    """A site of a deck that no maker's plan describes.

    Attributes:
        at: of its front left corner, from the deck's, and the height on which labware stands.
        size: its width and depth.
        accepts: what it takes; all labware unless it is said.
    """

    at: tuple[Length, Length, Length]
    size: tuple[Length, Length] = (128.0, 86.0)
    accepts: frozenset[LabwareCategory] | None = None


class DeckConfig(Record):
    """The deck.

    Attributes:
        core_grippers: where a STAR's gripper paddles are parked; ``None`` if it has none.
        trash: a Flex's bins and chute, of which tips go to the first; A3 unless it is said.
        staging: a Flex has its staging area, slots A4 to D4.
        size: of a deck of type "generic".
        sites: its sites, by name; tips are dropped at the one called "trash".
    """

    type: Literal["STARlet", "STAR", "OT-2", "Flex", "generic"]
    core_grippers: Literal["1000uL-at-waste", "1000uL-5mL-on-waste"] | None = "1000uL-5mL-on-waste"
    trash: Annotated[tuple[BinName, ...], BeforeValidator(_listed)] | None = None
    staging: bool = False
    size: tuple[Length, Length, Length] | None = None
    sites: dict[Name, PlaceConfig] = {}

    @property
    def bins(self) -> tuple[BinName, ...]:
        """A Flex's bins and chute."""
        return ("A3",) if self.trash is None else self.trash


class CarrierConfig(Record):
    """A carrier on a rail deck.

    Attributes:
        type: the name of pylabrobot's carrier, e.g. ``PLT_CAR_L5AC_A00``.
        rail: its leftmost rail, counted from 1.
        accepts: what its sites take, where the carrier's type does not say it.
    """

    type: Name
    rail: Annotated[int, Field(ge=-4, le=60)]
    accepts: frozenset[LabwareCategory] | None = None


class _KindConfig(Record):
    """What a definition may leave out.

    Attributes:
        dead_volume: in each well, what no tip reaches.
        min_volume: the least volume that the tips move within their accuracy.
        fits: the tips' fitting.
        category: in place of the category that the definition says.
    """

    dead_volume: Volume | None = None
    min_volume: Volume | None = None
    fits: Name | None = None
    category: LabwareCategory | None = None


class PylabrobotKind(_KindConfig):
    """Labware that pylabrobot defines, by the name of the function that makes it."""

    pylabrobot: Name


class OpentronsKind(_KindConfig):
    """Labware of the Opentrons labware library, by load name; the newest version unless one is given."""

    opentrons: Name
    version: Annotated[int, Field(ge=1)] | None = None


class FileKind(_KindConfig):
    """A lab's own labware in a file beside the workcell file: an Opentrons labware JSON, or Labwright's YAML."""

    file: Name


class ModuleKind(_KindConfig):
    """A module that is no device, a Flex's magnetic block: fixed on a site, it is an adapter."""

    module: Literal["magneticBlockV1"]


class WellsConfig(Record):
    """The wells of own labware, all alike.

    Attributes:
        rows, columns: of the grid.
        first: from the labware's left and *front* edge to the centre of A1, the well at the back left.
        pitch: from column to column and from row to row.
        floor: from the labware's underside to the bottom of the cavities.
        depth: from the bottom of the cavity to its rim.
        diameter: of a round well's rim.
        width, length: of a rectangular well's rim, in x and in y.
        bottom: "flat" gives straight walls; "round" a half ball of the well's diameter under straight walls;
            "cone" a cone ``cone_height`` high under straight walls; without it the geometry is unknown.
        measured: heights and the volumes found to stand so high; they win over all else.
    """

    rows: Annotated[int, Field(ge=1, le=32)] = 1
    columns: Annotated[int, Field(ge=1, le=48)] = 1
    first: tuple[Length, Length]
    pitch: tuple[Length, Length] = (9.0, 9.0)
    floor: Length
    depth: Length
    max_volume: Volume
    diameter: Length | None = None
    width: Length | None = None
    length: Length | None = None
    bottom: Literal["flat", "round", "cone"] | None = None
    cone_height: Length | None = None
    measured: tuple[tuple[Length, Volume], ...] = ()


class OwnKind(_KindConfig):
    """A lab's own plate or trough, described here."""

    size: tuple[Length, Length, Length]
    wells: WellsConfig
    source: str = ""


def _definition(value: object) -> str:
    if isinstance(value, Mapping):
        return next((tag for tag in ("pylabrobot", "opentrons", "file", "module") if tag in value), "own")
    kinds: tuple[tuple[type, str], ...] = (
        (PylabrobotKind, "pylabrobot"),
        (OpentronsKind, "opentrons"),
        (FileKind, "file"),
        (ModuleKind, "module"),
    )
    return next((tag for kind, tag in kinds if isinstance(value, kind)), "own")


KindConfig = Annotated[
    Annotated[PylabrobotKind, Tag("pylabrobot")]
    | Annotated[OpentronsKind, Tag("opentrons")]
    | Annotated[FileKind, Tag("file")]
    | Annotated[ModuleKind, Tag("module")]
    | Annotated[OwnKind, Tag("own")],
    Discriminator(_definition),
]
"""Where a kind of labware is defined; the field ``pylabrobot``, ``opentrons``, ``file`` or ``module`` tells which."""


class LabwareConfig(Record):
    """A piece of labware on the deck."""

    kind: Name
    site: Name
    barcode: str | None = None
    lid: bool = False


class LiquidConfig(Record):
    """A liquid that stands on the deck; fields as in :class:`protocols.liquids.Liquid`."""

    sample: str | None = None
    lot: str | None = None
    behaviours: Behaviours = frozenset()
    solutes: dict[Name, Concentration] = {}


class ContentConfig(Record):
    """What is in wells at the start: ``volume`` of ``liquid`` in each of ``wells``."""

    wells: Wells
    liquid: Name
    volume: Volume
    settled: Literal["monolayer", "pellet", "bead ring"] | None = None
    settled_height: Length = 1.0


ModuleName = Literal[
    "temperatureModuleV1",
    "temperatureModuleV2",
    "heaterShakerModuleV1",
    "thermocyclerModuleV1",
    "thermocyclerModuleV2",
    "magneticModuleV1",
    "magneticModuleV2",
]
"""Opentrons' name for a module that is a device."""


class DeviceConfig(Record):
    """A device; changing ``driver`` moves a run from simulation to hardware.

    Attributes:
        answers: after a lost connection it can say whether an instruction happened.
        host, port: where an OT-2's server listens.
        gripper: what a STAR moves plates with.
        model, slot: of a module, Opentrons' name for it and the site it stands on.
        starts_open: a module's lid or latch stands open before a run; left out, nobody knows.
    """

    kind: DeviceKind
    driver: DriverName = "simulated"
    answers: bool = True
    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 31950
    gripper: Literal["iswap", "core"] = "iswap"
    model: ModuleName | None = None
    slot: Name | None = None
    starts_open: bool | None = None


class HamiltonChannels(Record):
    """A STAR's independent 1000 µL channels."""

    device: Name
    type: Literal["Hamilton 1000 uL channels"]
    channels: Annotated[int, Field(ge=1, le=16)] = 8


class HamiltonHead(Record):
    """A STAR's CO-RE 96 head."""

    device: Name
    type: Literal["Hamilton CO-RE 96 head"]


OpentronsPipetteName = Literal[
    "p10_single",
    "p10_multi",
    "p20_single_gen2",
    "p20_multi_gen2",
    "p50_single",
    "p50_multi",
    "p300_single",
    "p300_single_gen2",
    "p300_multi",
    "p300_multi_gen2",
    "p1000_single",
    "p1000_single_gen2",
    "p50_single_flex",
    "p50_multi_flex",
    "p1000_single_flex",
    "p1000_multi_flex",
    "p1000_multi_em_flex",
    "p1000_96",
    "p200_96",
]
"""Opentrons' name for a pipette, of an OT-2 or of a Flex."""


class OpentronsPipette(Record):
    """An OT-2 or Flex pipette by Opentrons' name for it; one of 96 channels takes both mounts, and says the left."""

    device: Name
    type: OpentronsPipetteName
    mount: Literal["left", "right"]


PipetteConfig = Annotated[HamiltonChannels | HamiltonHead | OpentronsPipette, Field(discriminator="type")]
"""A pipette or a pipetting head."""


class MotionConfig(Record):
    """How long movements take; used for expectation and simulation."""

    pick_up_tips: Duration = 4.0
    drop_tips: Duration = 3.0
    approach: Duration = 2.0
    move_labware: Duration = 20.0
    person: Duration = 60.0
    device: Duration = 5.0


class LimitsConfig(Record):
    """What nothing on this workcell may exceed."""

    flow_rate: FlowRate = 1000.0
    wait: Duration = 7 * 86400.0


class WorkcellConfig(Record):
    """The whole file.

    Attributes:
        kinds: every kind of labware that the lab uses; the first of a category is taken where a protocol
            names none.
        labware: what stands on the deck before a run, by the name it is called by.
        adapters: by site, the kind of adapter that is fixed there, on an OT-2 or a Flex.
        arm: the device that moves labware.
    """

    schema_version: Literal[1] = 1
    name: Name
    deck: DeckConfig
    carriers: dict[Name, CarrierConfig] = {}
    kinds: dict[Name, KindConfig]
    adapters: dict[Name, Name] = {}
    labware: dict[Name, LabwareConfig] = {}
    liquids: dict[Name, LiquidConfig] = {}
    contents: tuple[ContentConfig, ...] = ()
    devices: dict[Name, DeviceConfig]
    pipettes: dict[Name, PipetteConfig]
    arm: Name | None = None
    motion: MotionConfig = MotionConfig()
    limits: LimitsConfig = LimitsConfig()
