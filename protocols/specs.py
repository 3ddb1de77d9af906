"""What a laboratory has, as pure data: the workcell, its deck, its labware and its pipettes.

``robots/`` fills these from a workcell file and pylabrobot's resources; everything on this floor and above
reads them. Lengths are mm in the deck's frame (x to the right, y to the back, z up), volumes µL, times s.
What is not known is ``None``, never 0.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from protocols.instruction import STRICT
from protocols.liquids import SORTED, Amount, Liquid, Name, PositiveAmount, Record

SCHEMA_VERSION = 1
"""Of every record on this floor; a file of another version is refused."""

LabwareCategory = Literal["plate", "trough", "tube rack", "tip rack", "lid", "trash", "adapter"]
"""What sort of thing a piece of labware is."""


class WellShape(Record):
    """The inside of a well, a tube or a trough.

    Attributes:
        max_volume: µL it holds before it runs over.
        depth: mm from the cavity bottom to the rim.
        dead_volume: µL that no tip reaches; ``None`` if unknown.
        profile: (height mm, volume µL) pairs, both rising, from (0, 0): how much liquid stands how high,
            linear between the pairs; ``None`` if the geometry is unknown.
        opening: mm, (x, y), the rim's clear width; ``None`` if unknown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, ignored_types=(cached_property,))

    max_volume: PositiveAmount
    depth: PositiveAmount | None = None
    dead_volume: Amount | None = None
    profile: tuple[tuple[Amount, Amount], ...] | None = None
    opening: tuple[PositiveAmount, PositiveAmount] | None = None

    @model_validator(mode="after")
    def _profile_rises(self) -> Self:
        if self.profile is None:
            return self
        if len(self.profile) < 2 or self.profile[0] != (0, 0):
            raise ValueError("profile: must start at (0, 0) and have a second point")
        for (h0, v0), (h1, v1) in zip(self.profile, self.profile[1:], strict=False):
            if h1 <= h0 or v1 <= v0:
                raise ValueError("profile: heights and volumes must rise from point to point")
        return self

    @cached_property
    def _heights(self) -> list[float]:
        return [height for height, _ in self.profile or ()]

    @cached_property
    def _volumes(self) -> list[float]:
        return [volume for _, volume in self.profile or ()]

    def volume_below(self, height: float) -> float | None:
        """µL that stand below ``height`` mm above the cavity bottom; ``None`` if the geometry is unknown."""
        return None if self.profile is None else _between(height, self._heights, self._volumes)

    def surface(self, volume: float) -> float | None:
        """Height of the surface, mm above the cavity bottom, of ``volume`` µL; ``None`` if unknown."""
        return None if self.profile is None else _between(volume, self._volumes, self._heights)


def _between(x: float, xs: list[float], ys: list[float]) -> float:
    """Linear interpolation from (0, 0), carried on along the last segment."""
    if x <= 0:
        return 0.0
    end = min(bisect_left(xs, x), len(xs) - 1)
    slope = (ys[end] - ys[end - 1]) / (xs[end] - xs[end - 1])
    return ys[end - 1] + slope * (x - xs[end - 1])


class WellSite(Record):
    """Where a well or a tip sits: its centre, mm from the labware's front left bottom corner; z of its bottom."""

    x: float
    y: float
    z: float
    shape: Name


class TipSpec(Record):
    """A kind of tip.

    Attributes:
        capacity: µL of liquid and air it takes before liquid reaches the filter or the fitting.
        min_volume: µL, the least that it moves within its stated accuracy.
        length: mm that reach below the fitting.
        fits: the fitting; a pipette takes tips of its own fittings only.
    """

    kind: Name
    capacity: PositiveAmount
    min_volume: Amount
    length: PositiveAmount
    filtered: bool = False
    fits: Name


class LabwareSpec(Record):
    """A kind of labware.

    Attributes:
        size: (x, y, z) mm.
        grip_height: mm above its underside at which a gripper holds it; ``None`` if it is not said.
        rows, columns: of the grid of wells or tips.
        wells: well or tip positions by canonical name ("A1"), down the columns.
        shapes: well shapes by the name that ``wells`` refers to.
        tip: the tips it is delivered with, for a tip rack.
        source: where the geometry comes from; "guessed: …" where it was not given.
        opentrons: "namespace/load name/version" of its Opentrons definition, or the model of a module that it is;
            ``None`` where it has none.
    """

    kind: Name
    category: LabwareCategory
    size: tuple[PositiveAmount, PositiveAmount, PositiveAmount]
    grip_height: Amount | None = None
    rows: Annotated[int, Field(ge=0, le=32)] = 0
    columns: Annotated[int, Field(ge=0, le=48)] = 0
    wells: dict[str, WellSite] = {}
    shapes: dict[str, WellShape] = {}
    tip: TipSpec | None = None
    source: str = ""
    opentrons: Name | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, well in self.wells.items():
            if self.category != "tip rack" and well.shape not in self.shapes:
                raise ValueError(f"wells.{name}: no shape '{well.shape}'")
        if (self.tip is not None) != (self.category == "tip rack"):
            raise ValueError("tip: a tip rack has tips, and nothing else does")
        return self

    def shape(self, well: str) -> WellShape:
        """The shape of the well named ``well`` (canonical name).

        Raises:
            KeyError: there is no such well.
        """
        return self.shapes[self.wells[well].shape]


OFF_DECK = "off-deck"
"""The site of labware that stands beside the robot: any number of pieces, reached by a person alone."""

SITE_SLACK = 6.0
"""mm by which labware may reach beyond a site: tip carriers' sites are drawn 5.4 mm shorter than the frame of a
standard plate (ANSI/SLAS 1: 127.76 x 85.48 mm)."""


class SiteSpec(Record):
    """A place on the deck that holds one piece of labware.

    Attributes:
        x, y, z: mm, the front left corner and the height on which labware stands.
        size: mm, (x, y), what its maker's drawing gives it; ``None`` if that is not known.
        accepts: categories that stand here.
        gripper: the arm reaches it.
        pipettes: the pipettes reach it; they do not reach a staging slot, a shelf or an incubator.
        device: the device whose plate, block or magnet this site is.
        adapter: the kind of adapter that is fixed on it, on which labware then stands.
    """

    id: Name
    x: float
    y: float
    z: float
    size: tuple[PositiveAmount, PositiveAmount] | None = None
    accepts: Annotated[frozenset[LabwareCategory], SORTED]
    gripper: bool = True
    pipettes: bool = True
    device: Name | None = None
    adapter: Name | None = None

    def overhang(self, labware: LabwareSpec) -> float:
        """mm by which labware of this kind reaches beyond the site; 0 where that is not known."""
        if self.size is None:
            return 0.0
        return max(0.0, labware.size[0] - self.size[0], labware.size[1] - self.size[1])

    def fits(self, labware: LabwareSpec) -> bool:
        """Whether the site is large enough for labware of this kind, as far as is known."""
        return self.overhang(labware) <= SITE_SLACK


class PipetteSpec(Record):
    """A pipette or a pipetting head.

    Attributes:
        channels: how many nozzles.
        independent: each channel has a volume and a y position of its own; otherwise all move together.
        min_volume, max_volume: µL in one stroke of one channel.
        fits: fittings of the tips it takes.
        pitch: mm between neighbouring channels, the least where they are independent.
        model: the maker's name for it.
        mount: the side of an OT-2's or a Flex's gantry that carries it; a head there can pick up tips with some of its
            nozzles alone.
        body: mm from its first nozzle to the left, back, right and front edges of its body, whose underside is level
            with the nozzles; ``None`` where that is not known, and it is not judged what the body may hit.
    """

    id: Name
    device: Name
    channels: Annotated[int, Field(ge=1, le=384)]
    independent: bool
    min_volume: Amount
    max_volume: PositiveAmount
    fits: Annotated[frozenset[Name], SORTED]
    pitch: PositiveAmount = 9.0
    model: str | None = None
    mount: Literal["left", "right"] | None = None
    body: tuple[float, float, float, float] | None = None


DeviceKind = Literal[
    "liquid handler", "arm", "person", "temperature module", "heater-shaker", "thermocycler", "magnetic module"
]
"""What sort of thing a device is."""


class DeviceSpec(Record):
    """A device of the workcell.

    Attributes:
        driver: "simulated", or the real driver's name.
        answers: after a lost connection it can say whether an instruction happened.
        model: the maker's name for it, where its limits depend on it.
        temperatures: °C, the lowest and highest it can be set to; ``None`` where it has no heating.
        lid_temperatures: the same of its lid.
        speeds: rpm, the lowest and highest it shakes at; ``None`` where it does not shake.
        magnet_heights: mm, the lowest and highest its magnets are raised to; ``None`` where it has none.
        starts_open: its lid or latch stands open before a run; ``None`` if that is not known.
    """

    id: Name
    kind: DeviceKind
    driver: Name = "simulated"
    answers: bool = True
    model: str | None = None
    temperatures: tuple[float, float] | None = None
    lid_temperatures: tuple[float, float] | None = None
    speeds: tuple[float, float] | None = None
    magnet_heights: tuple[float, float] | None = None
    starts_open: bool | None = None


class Motion(Record):
    """How long movements take, s; used for expectation and simulation.

    Attributes:
        device: until a device has done what it is told: opened a lid, reached a set-point.
    """

    pick_up_tips: Amount = 4.0
    drop_tips: Amount = 3.0
    approach: Amount = 2.0
    move_labware: Amount = 20.0
    person: Amount = 60.0
    device: Amount = 5.0


class Limits(Record):
    """What nothing on this workcell may exceed.

    Attributes:
        flow_rate: µL/s of any stroke.
        wait: s of a single wait.
    """

    flow_rate: PositiveAmount = 1000.0
    wait: PositiveAmount = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Fill:
    """Liquid in one well at the start; ``settled`` says what lies at its bottom and must not be touched.

    Attributes:
        well: "labware/A1".
        volume: µL.
        settled_height: mm above the cavity bottom that a tip must stay clear of.
        declared: µL that somebody said there are, where the program needs more; ``volume`` is what it needs.
    """

    well: Name
    liquid: Name
    volume: Amount
    settled: Literal["monolayer", "pellet", "bead ring"] | None = None
    settled_height: Amount = 1.0
    declared: Amount | None = None


class PlacedLabware(Record):
    """A piece of labware and where it stands: its kind, its site, its barcode and its lid."""

    kind: Name
    site: Name
    barcode: str | None = None
    lid: bool = False


class WorkcellSpec(Record):
    """A laboratory's workcell: what verify, the compiler, the simulator and the report know of it.

    Attributes:
        kinds: every kind of labware it knows, by kind.
        labware: what stands on the deck before a run, by instance id; tip racks stand full unless the
            workcell's own record says otherwise.
        contents: liquids that stand on the deck before a run.
        liquids: those liquids.
        trash: the instance id of the labware into which tips are dropped.
        robot: the robot whose deck it is. The sites of an OT-2 ("slot-1") and a Flex ("A1") are named as its maker
            names the slots.
        chute: the arm can let labware fall into a waste chute, which takes it off the deck.
    """

    schema_version: Literal[1] = 1
    name: Name
    devices: dict[str, DeviceSpec]
    pipettes: dict[str, PipetteSpec]
    sites: dict[str, SiteSpec]
    kinds: dict[str, LabwareSpec]
    labware: dict[str, PlacedLabware]
    liquids: dict[str, Liquid] = {}
    contents: tuple[Fill, ...] = ()
    trash: Name
    arm: Name | None = None
    robot: Literal["STARlet", "STAR", "OT-2", "Flex"] | None = None
    chute: bool = False
    motion: Motion = Motion()
    limits: Limits = Limits()
