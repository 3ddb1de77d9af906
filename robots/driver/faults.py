"""What a failed pylabrobot call means: an outcome, or a lost connection."""

from __future__ import annotations

import re

from pylabrobot.liquid_handling.backends.hamilton import STAR_backend as star
from pylabrobot.liquid_handling.errors import ChannelizedError
from pylabrobot.resources.errors import HasTipError, NoTipError, TooLittleLiquidError

from protocols.errors import DeviceError
from protocols.outcomes import Fault, FaultKind, Outcome
from protocols.program import AnyInstruction, MoveLabware, PickUpTips
from robots.guard import Refused, TipsUnknown
from robots.ports import ConnectionLost

_PYLABROBOT_NAME = re.compile(r"\b([\w .-]+?)_(?:tipspot|well)_([A-Z]{1,2}[0-9]{1,2})\b")
"""What pylabrobot calls a well or a spot: "plate_well_A1", where we say "plate/A1"."""

_LOST = (ConnectionError, TimeoutError, BrokenPipeError)

_KINDS: tuple[tuple[type[BaseException], FaultKind], ...] = (
    (star.ClotDetectedError, "clog"),
    (star.LiquidLevelError, "level not found"),
    (star.NotAspiratedError, "short aspirate"),
    (star.AspirationError, "short aspirate"),
    (star.HamiltonNoTipError, "missing tip"),
    (star.ElementLostError, "gripper failed"),
    (star.ElementStillHoldingError, "gripper failed"),
    (star.NoElementError, "gripper failed"),
    (NoTipError, "missing tip"),
    (TooLittleLiquidError, "level not found"),
)


def outcome_of(error: Exception, instruction: AnyInstruction, numbers: dict[int, int]) -> Outcome:
    """The outcome of an instruction whose pylabrobot call raised ``error``.

    Args:
        numbers: the pipette's channel by pylabrobot's number.

    Raises:
        ConnectionLost: the machine stopped answering.
        DeviceError: the machine is in a state in which nothing can be done with it.
    """
    if isinstance(error, TipsUnknown | ConnectionLost):
        raise error
    if isinstance(error, Refused):
        channel = None if error.fault.channel is None else numbers.get(error.fault.channel, error.fault.channel)
        said = {"channel": channel, "place": _our_names(error.fault.place), "message": _our_names(error.fault.message)}
        return Outcome(status="failed", faults=(error.fault.model_copy(update=said),))
    if isinstance(error, _LOST):
        raise ConnectionLost(
            f"the machine stopped answering ({error})",
            where=f"instruction {instruction.id}",
            mend="Check its power and its cable",
        ) from error
    if isinstance(error, DeviceError):
        raise error
    if isinstance(error, ChannelizedError):
        faults = tuple(
            _fault(numbers.get(number, number), cause, instruction) for number, cause in error.errors.items()
        )
        return Outcome(status="failed", faults=faults)
    return Outcome(status="failed", faults=(_fault(None, error, instruction),))


def _fault(channel: int | None, error: BaseException, instruction: AnyInstruction) -> Fault:
    kind: FaultKind = "gripper failed" if isinstance(instruction, MoveLabware) else "refused"
    if channel is not None or isinstance(error, star.STARModuleError):
        kind = next((kind for cause, kind in _KINDS if isinstance(error, cause)), kind)
    return Fault(kind=kind, channel=channel, place=_place(channel, instruction), message=_words(error))


def _place(channel: int | None, instruction: AnyInstruction) -> str:
    channels = getattr(instruction, "channels", ())
    if channel not in channels:
        return getattr(instruction, "labware", "")
    places = instruction.spots if isinstance(instruction, PickUpTips) else getattr(instruction, "wells", None)
    return places[channels.index(channel)] if places else ""


def _words(error: BaseException) -> str:
    if isinstance(error, HasTipError):
        return _our_names(str(error)) or "there is a tip already"
    return _our_names(str(error)) or type(error).__name__


def _our_names(text: str) -> str:
    return _PYLABROBOT_NAME.sub(r"\1/\2", text)
