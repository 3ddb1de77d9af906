"""What the effects of devices on the deck mean to a person: what is wrong, and how to mend it."""

from __future__ import annotations

from protocols.effects import Effect
from protocols.labstate import LabState
from protocols.specs import DeviceSpec


def explain_device(state: LabState, effect: Effect) -> tuple[str, str]:
    """What is wrong with an instruction of a device, or with one that a device stands in the way of; and the mend.

    Args:
        state: the state after the instruction.
    """
    device = state.workcell.devices.get(effect.place)
    match effect.kind:
        case "latch not closed":
            return f"{_latch(state, effect)}; it must be closed", "close the latch first"
        case "latch not open":
            return (
                f"{_latch(state, effect)}; it holds the labware",
                "open the latch before labware is put on or taken off",
            )
        case "device shakes":
            return "it is shaking", "stop it first"
        case "thermocycler closed":
            known = _lid(state, effect)
            return f"the thermocycler's lid {known}", "open the lid first"
        case "set-point refused":
            return _out_of_range(device, effect), "choose a value that the device can be set to"
        case "no set-point":
            return "it is waited for a temperature, and none was set", "set the temperature first"
    if device is None:
        return "there is no such device", "see 'labwright workcell show' for the devices"
    return f"a {device.kind} like this one cannot do it", "use a device that can"


def _device_at(state: LabState, place: str) -> str:
    """The device that ``place`` is, or on which the labware of the well ``place`` stands."""
    if place in state.devices:
        return place
    site = state.workcell.sites.get(state.site_of(place.rpartition("/")[0]) or "")
    return (site.device if site else None) or ""


def _latch(state: LabState, effect: Effect) -> str:
    now = state.devices.get(_device_at(state, effect.place))
    known = None if now is None else now.latch_open
    return "the latch is " + {True: "open", False: "closed", None: "not known to be open or closed"}[known]


def _lid(state: LabState, effect: Effect) -> str:
    now = state.devices.get(_device_at(state, effect.place))
    return "is closed" if now is not None and now.lid_open is False else "is not known to be open"


def _out_of_range(device: DeviceSpec | None, effect: Effect) -> str:
    if device is None:
        return f"what is asked lies {effect.amount:.4g} beyond its range"
    named = {
        "°C": device.temperatures,
        "°C at the lid": device.lid_temperatures,
        "rpm": device.speeds,
        "mm": device.magnet_heights,
    }
    ranges = [f"{span[0]:g} to {span[1]:g} {unit}" for unit, span in named.items() if span is not None]
    return f"what is asked lies {effect.amount:.4g} beyond its range ({', '.join(ranges)})"
