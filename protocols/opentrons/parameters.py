"""The parameters of Opentrons' commands, as far as they are used. Volumes µL, flow rates µL/s, lengths mm, times s."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from protocols.opentrons.parts import Finite, Identity, Measure, Part, Positive, WellName

Location = Annotated[dict[str, Any] | str, Field()]
"""Where labware is put: {"slotName": …}, {"moduleId": …}, {"labwareId": …}, {"addressableAreaName": …}, "offDeck"."""


class Params(Part):
    """The parameters of one command."""


class Offset(Part):
    """mm from a place."""

    x: Finite = 0.0
    y: Finite = 0.0
    z: Finite = 0.0


class WellLocation(Part):
    """A point in a well, or above it."""

    origin: Literal["top", "bottom", "center", "meniscus", "default"] = "top"
    offset: Offset = Offset()


class LoadPipette(Params):
    """A pipette on its mount."""

    pipetteName: Identity
    mount: Literal["left", "right", "extension"]
    pipetteId: Identity | None = None


class LoadModule(Params):
    """A module on its slot."""

    model: Identity
    location: Location
    moduleId: Identity | None = None


class LoadLabware(Params):
    """A piece of labware where it stands at the start."""

    location: Location
    loadName: Identity
    namespace: str = "opentrons"
    version: int = 1
    labwareId: Identity | None = None
    displayName: str | None = None


class LoadLiquid(Params):
    """What is in wells at the start."""

    liquidId: Identity
    labwareId: Identity
    volumeByWell: dict[WellName, Measure]


class WithPipette(Params):
    """What a pipette does wherever it is."""

    pipetteId: Identity


class AtWell(WithPipette):
    """What a pipette does at a well."""

    labwareId: Identity
    wellName: WellName
    wellLocation: WellLocation = WellLocation()


class Stroke(AtWell):
    """Drawing from a well, or pushing out into it."""

    volume: Measure
    flowRate: Positive
    pushOut: Measure | None = None


class TrackedStroke(WithPipette):
    """The same, following the surface from one point to another."""

    labwareId: Identity
    wellName: WellName
    trackFromLocation: WellLocation = WellLocation()
    trackToLocation: WellLocation = WellLocation()
    volume: Measure
    flowRate: Positive
    pushOut: Measure | None = None


class InPlace(WithPipette):
    """A stroke where the pipette is."""

    volume: Measure
    flowRate: Positive
    pushOut: Measure | None = None


class BlowOut(AtWell):
    """Blowing out over a well."""

    flowRate: Positive


class BlowOutInPlace(WithPipette):
    """Blowing out where the pipette is."""

    flowRate: Positive


class MoveRelative(WithPipette):
    """Moving along one axis."""

    axis: Literal["x", "y", "z"]
    distance: Finite


class MoveToArea(WithPipette):
    """Moving over a place of the deck that is no labware."""

    addressableAreaName: Identity


class Layout(Part):
    """The nozzles in use."""

    style: Literal["ALL", "SINGLE", "ROW", "COLUMN", "QUADRANT"]
    primaryNozzle: Identity | None = None
    frontRightNozzle: Identity | None = None
    backLeftNozzle: Identity | None = None


class ConfigureNozzleLayout(WithPipette):
    """Which nozzles take tips from now on."""

    configurationParams: Layout


class MoveLabware(Params):
    """Carrying a piece of labware."""

    labwareId: Identity
    newLocation: Location
    strategy: Literal["usingGripper", "manualMoveWithPause", "manualMoveWithoutPause"]


class WaitForDuration(Params):
    """Waiting."""

    seconds: Measure
    message: str | None = None


class WaitForResume(Params):
    """Waiting for a person."""

    message: str | None = None


class Comment(Params):
    """A word to the reader."""

    message: str


class Custom(Params):
    """What older protocols do beside pipetting, in words."""

    legacyCommandType: str = ""
    legacyCommandText: str = ""


class CreateTimer(Params):
    """A timer that runs beside what follows."""

    time: Measure
    task_id: str | None = None


class WaitForTasks(Params):
    """Waiting for what runs beside."""

    task_ids: tuple[str, ...]


class WithModule(Params):
    """What a module does."""

    moduleId: Identity


class SetTemperature(WithModule):
    """A set-point, and how long to hold it."""

    celsius: Finite
    holdTimeSeconds: Measure | None = None
    taskId: str | None = None


class AwaitTemperature(WithModule):
    """Waiting for a set-point, or for the temperature named."""

    celsius: Finite | None = None


class ShakeSpeed(WithModule):
    """A speed, rpm."""

    rpm: Measure
    taskId: str | None = None


class EngageMagnet(WithModule):
    """How high, mm above the base of the labware."""

    height: Finite


class Hold(Part):
    """One hold of a profile."""

    celsius: Finite
    holdSeconds: Measure


class Cycle(Part):
    """Holds that are repeated."""

    steps: tuple[Hold, ...]
    repetitions: Annotated[int, Field(ge=1, le=1000)]


class RunProfile(WithModule):
    """Holds, one after the other."""

    profile: Annotated[tuple[Hold, ...], Field(min_length=1, max_length=100_000)]
    blockMaxVolumeUl: Measure | None = None


class RunExtendedProfile(WithModule):
    """Holds and cycles of them."""

    profileElements: Annotated[tuple[Cycle | Hold, ...], Field(min_length=1, max_length=10_000)]
    blockMaxVolumeUl: Measure | None = None
    taskId: str | None = None


OF_COMMAND: dict[str, type[Params]] = {
    "loadPipette": LoadPipette,
    "loadModule": LoadModule,
    "loadLabware": LoadLabware,
    "loadLiquid": LoadLiquid,
    "pickUpTip": AtWell,
    "dropTip": AtWell,
    "dropTipInPlace": WithPipette,
    "unsafe/dropTipInPlace": WithPipette,
    "aspirate": Stroke,
    "dispense": Stroke,
    "aspirateWhileTracking": TrackedStroke,
    "dispenseWhileTracking": TrackedStroke,
    "aspirateInPlace": InPlace,
    "dispenseInPlace": InPlace,
    "airGapInPlace": InPlace,
    "blowout": BlowOut,
    "blowOutInPlace": BlowOutInPlace,
    "unsafe/blowOutInPlace": BlowOutInPlace,
    "touchTip": AtWell,
    "moveToWell": AtWell,
    "moveRelative": MoveRelative,
    "moveToCoordinates": WithPipette,
    "moveToAddressableArea": MoveToArea,
    "moveToAddressableAreaForDropTip": MoveToArea,
    "liquidProbe": AtWell,
    "tryLiquidProbe": AtWell,
    "configureNozzleLayout": ConfigureNozzleLayout,
    "moveLabware": MoveLabware,
    "waitForDuration": WaitForDuration,
    "waitForResume": WaitForResume,
    "pause": WaitForResume,
    "comment": Comment,
    "custom": Custom,
    "createTimer": CreateTimer,
    "waitForTasks": WaitForTasks,
    "temperatureModule/setTargetTemperature": SetTemperature,
    "temperatureModule/waitForTemperature": AwaitTemperature,
    "temperatureModule/deactivate": WithModule,
    "heaterShaker/setTargetTemperature": SetTemperature,
    "heaterShaker/waitForTemperature": AwaitTemperature,
    "heaterShaker/deactivateHeater": WithModule,
    "heaterShaker/setAndWaitForShakeSpeed": ShakeSpeed,
    "heaterShaker/setShakeSpeed": ShakeSpeed,
    "heaterShaker/deactivateShaker": WithModule,
    "heaterShaker/openLabwareLatch": WithModule,
    "heaterShaker/closeLabwareLatch": WithModule,
    "magneticModule/engage": EngageMagnet,
    "magneticModule/disengage": WithModule,
    "thermocycler/setTargetBlockTemperature": SetTemperature,
    "thermocycler/waitForBlockTemperature": AwaitTemperature,
    "thermocycler/deactivateBlock": WithModule,
    "thermocycler/setTargetLidTemperature": SetTemperature,
    "thermocycler/waitForLidTemperature": AwaitTemperature,
    "thermocycler/deactivateLid": WithModule,
    "thermocycler/openLid": WithModule,
    "thermocycler/closeLid": WithModule,
    "thermocycler/runProfile": RunProfile,
    "thermocycler/runExtendedProfile": RunExtendedProfile,
    "thermocycler/startRunExtendedProfile": RunExtendedProfile,
    "flexStacker/setStoredLabware": WithModule,
    "flexStacker/retrieve": WithModule,
    "unsafe/flexStacker/manualRetrieve": WithModule,
    "flexStacker/store": WithModule,
}
"""The model of each command whose parameters are used."""
