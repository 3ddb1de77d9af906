"""Commands that no instruction stands for, each with why, and with what it means for the run."""

from __future__ import annotations

_MOVES = "nothing moves liquid; the driver goes where the next instruction needs it"
_DRIVER = "nothing moves liquid; the driver does it by itself"
_LIGHT = "it is shown, and moves nothing"
_TIPS = "tips are followed from the racks' start, full, and from what is picked up and dropped"
_MACHINE = "it is upkeep of the robot and no part of a protocol's work"
_LIDS = "lids are not followed"
_READER = "plate readers of Opentrons' are not among the devices that are followed"
_STACKER = "stackers are not among the devices that are followed: a person fills and empties them"
_RESIN = "resin tips are not followed: neither the tip nor what is pushed through it"
_ARM = "moves of bare axes and of the gripper's jaws cannot be told in terms of labware and wells"

_REASONS = {
    "home": "nothing moves liquid; the driver homes by itself",
    "retractAxis": _DRIVER,
    "savePosition": "it is a measurement, and moves nothing",
    "moveToWell": "nothing moves liquid; it counts as the place of what is done there",
    "moveToAddressableArea": "nothing moves liquid; it counts as the place of what is done there",
    "moveToAddressableAreaForDropTip": "nothing moves liquid; it counts as the place of what is done there",
    "moveToCoordinates": _MOVES,
    "moveRelative": _MOVES,
    "prepareToAspirate": _DRIVER,
    "configureForVolume": "the pipette's mode for small volumes is left to the driver",
    "liquidProbe": "the level is known from what was pipetted, and is not measured",
    "tryLiquidProbe": "the level is known from what was pipetted, and is not measured",
    "loadLiquidClass": "flow rates stand in each stroke; the class as such is not kept",
    "reloadLabware": "it renews position offsets, and moves nothing",
    "identifyModule": _LIGHT,
    "setRailLights": _LIGHT,
    "setStatusBar": _LIGHT,
    "captureImage": "pictures are not taken",
    "verifyTipPresence": _TIPS,
    "getTipPresence": _TIPS,
    "getNextTip": _TIPS,
    "setTipState": _TIPS,
    "loadLid": _LIDS,
    "loadLidStack": _LIDS,
    "sealPipetteToTip": _RESIN,
    "pressureDispense": _RESIN,
    "unsealPipetteFromTip": _RESIN,
    "robot/moveAxesRelative": _ARM,
    "robot/moveAxesTo": _ARM,
    "robot/moveTo": _ARM,
    "robot/openGripperJaw": _ARM,
    "robot/closeGripperJaw": _ARM,
}
_BEGINNINGS = {
    "absorbanceReader/": _READER,
    "flexStacker/": _STACKER,
    "unsafe/flexStacker/": _STACKER,
    "calibration/": _MACHINE,
    "unsafe/": _MACHINE,
}


def beside(kind: str) -> str:
    """Why a command that is understood is nevertheless no instruction; empty if it is one."""
    return _REASONS.get(kind, "")


def reason(kind: str) -> str:
    """Why a command that nothing is made of is left out."""
    if kind in _REASONS:
        return _REASONS[kind]
    said = next((why for start, why in _BEGINNINGS.items() if kind.startswith(start)), None)
    return said or "this command is not known, so what it does is unknown too"
