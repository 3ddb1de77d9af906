"""Where pipettes cannot go while a heater-shaker on an OT-2 or a Flex shakes, or its latch stands open.

The rules and their slots are those of opentrons 9.0.0 (``protocol_engine/execution/heater_shaker_movement_flagger.py``
and ``motion_planning/adjacent_slots_getters.py``). What holds at the heater-shaker itself, on any robot, is in
:mod:`protocols.devices`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from protocols.devices import DeviceState
from protocols.labstate import LabState
from protocols.specs import PipetteSpec, SiteSpec, WorkcellSpec
from protocols.verify.checks import Problem

OT2_TRASH = 12
"""The slot of an OT-2's trash."""
COLUMNS = 3
"""Slots from left to right, on both robots."""

_OT2_SLOT = re.compile(r"slot-(\d{1,2})")
_FLEX_SLOT = re.compile(r"([A-D])([1-4])")


def shakers_by_slot(workcell: WorkcellSpec) -> dict[str, int]:
    """The slot of every heater-shaker of an OT-2 or a Flex, by device; empty for other robots."""
    if workcell.robot not in {"OT-2", "Flex"}:
        return {}
    sites = ((site, workcell.devices.get(site.device)) for site in workcell.sites.values() if site.device is not None)
    return {
        device.id: slot
        for site, device in sites
        if device is not None and device.kind == "heater-shaker" and (slot := slot_number(site)) is not None
    }


def slot_number(site: SiteSpec) -> int | None:
    """A slot as an OT-2 counts it, from 1 at the front left, row by row; ``None`` for other sites."""
    if found := _OT2_SLOT.fullmatch(site.id):
        return int(found[1])
    if (found := _FLEX_SLOT.fullmatch(site.id)) and int(found[2]) <= COLUMNS:
        return COLUMNS * "DCBA".index(found[1]) + int(found[2])
    return None


def neighbour_problems(
    state: LabState, pipette: PipetteSpec, labware: Iterable[str], shakers: dict[str, int]
) -> Iterator[Problem]:
    """Why ``pipette`` cannot go to these pieces of labware now, on account of a heater-shaker beside them."""
    for name in labware:
        slot = _slot_of(state, name)
        if slot is None:
            continue
        is_rack = name in state.labware and state.labware[name].spec.tip is not None
        for device, at in shakers.items():
            problem = _problem(state, state.devices[device], pipette, slot, at, is_rack)
            if problem is not None:
                code, message, mend = problem
                yield code, f"{message}: '{device}'", mend, name


def _slot_of(state: LabState, labware: str) -> int | None:
    site = state.workcell.sites.get(state.site_of(labware) or "")
    slot = None if site is None else slot_number(site)
    if slot is None and labware == state.workcell.trash and state.workcell.robot == "OT-2":
        return OT2_TRASH
    return slot


def _problem(
    state: LabState, now: DeviceState, pipette: PipetteSpec, slot: int, at: int, is_rack: bool
) -> tuple[str, str, str] | None:
    beside = abs(slot - at) == 1 and (slot - 1) // COLUMNS == (at - 1) // COLUMNS
    behind = abs(slot - at) == COLUMNS
    if not beside and not behind:
        return None
    if now.rpm is not None:
        return "D12", "a pipette does not go beside a heater-shaker that shakes", "stop it first"
    if state.workcell.robot != "OT-2":
        return None
    if beside and now.latch_open is not False:
        return "D11", "a pipette does not go beside a heater-shaker whose latch is not closed", "close the latch first"
    if now.latch_open is not False or pipette.channels == 1:
        return None
    if beside:
        return (
            "P07",
            "a pipette of several channels does not fit beside a heater-shaker",
            "use a pipette of one channel",
        )
    if not is_rack:
        message = "a pipette of several channels does not fit before or behind a heater-shaker but over tip racks"
        return "P07", message, "use a pipette of one channel, or another slot"
    return None
