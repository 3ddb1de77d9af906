"""Carrying labware: what an arm or a person can put where, and what keeps a pipette from labware where it stands.

``docs/explanations/semantics.md`` says what happens, step by step. Lengths mm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from protocols.devices import holds_fast, obstacle
from protocols.effects import Effect, EffectKind
from protocols.specs import OFF_DECK, LabwareSpec, SiteSpec, WorkcellSpec
from protocols.vessels import LabwareInstance

if TYPE_CHECKING:
    from protocols.labstate import LabState

FULL_HEAD = 96
"""Channels of a head that is as wide as labware. Smaller ones stand beside the gripper's labware."""
FLEX_NOZZLES = 248.0
"""mm above the deck of a Flex pipette's nozzles when it is up (opentrons 9.0.0, ``protocol_engine/state/geometry.py``,
``_PIPETTE_HOMED_POSITION_Z``)."""
FLEX_GRIPPER = 166.125
"""mm above the deck at which a Flex gripper holds labware when it is up (opentrons 9.0.0,
``protocol_engine/execution/labware_movement.py``, ``_GRIPPER_HOMED_POSITION_Z``)."""


def move_labware(state: LabState, labware: str, site: str, by: Literal["arm", "person"]) -> Sequence[Effect]:
    """Carry a piece of labware to a free site that takes it, or off the deck; where it cannot be, nothing moves."""
    instance = state.labware.get(labware)
    target = state.workcell.sites.get(site)
    if instance is None:
        return (Effect(kind="unknown labware", place=labware),)
    if target is None and site != OFF_DECK:
        return (Effect(kind="unknown site", place=site),)
    if state.sites.get(site, labware) != labware or _refused_by_software(state, instance, site):
        return (Effect(kind="site occupied", place=site),)
    origin = state.workcell.sites.get(instance.site)
    if not _suits(instance, origin, target, by, chute=state.workcell.chute):
        return (Effect(kind="site unsuitable", place=site),)
    held = _held_fast(state, (origin, target))
    if held is not None:
        return (held,)
    if by == "arm" and (overlap := tips_in_the_way(state, instance.spec)) > 0.0:
        return (Effect(kind="tips in the way", place=labware, amount=overlap),)
    if state.sites.get(instance.site) == labware:
        del state.sites[instance.site]
    if target is not None:
        state.sites[site] = labware
    instance.site = site
    state.look_at(instance)
    return ()


def _refused_by_software(state: LabState, instance: LabwareInstance, site: str) -> bool:
    """Whether the labware stands there already, and the robot's software takes that for another's place.

    Opentrons' does (9.0.0, ``LocationIsOccupiedError``), whoever carries; other robots put it down again.
    """
    return state.workcell.robot in ("OT-2", "Flex") and instance.site == site != OFF_DECK


def _suits(
    instance: LabwareInstance,
    origin: SiteSpec | None,
    target: SiteSpec | None,
    by: Literal["arm", "person"],
    *,
    chute: bool,
) -> bool:
    """Whether the labware belongs there, and whoever carries it reaches it here and there."""
    if target is not None and instance.spec.category not in target.accepts:
        return False
    if by == "person":
        return True
    taken = instance.site != OFF_DECK and (origin is None or origin.gripper)
    return taken and (chute if target is None else target.gripper)


def _held_fast(state: LabState, sites: Iterable[SiteSpec | None]) -> Effect | None:
    for site in sites:
        if site is None or site.device is None:
            continue
        device, now = state.workcell.devices.get(site.device), state.devices.get(site.device)
        kind = None if device is None or now is None else holds_fast(device, now)
        if kind is not None:
            return Effect(kind=kind, place=site.device)
    return None


def tips_in_the_way(state: LabState, spec: LabwareSpec) -> float:
    """mm by which mounted tips reach below the top of labware in the gripper; 0 or less if they clear it.

    A Flex carries gripper and pipettes on one gantry, all of them up while labware is carried. The rule is that of
    opentrons 9.0.0 (``GeometryView.check_gripper_labware_tip_collision``): heads of 96 channels alone are looked at,
    and labware is held at its grip height, by default half its height.
    """
    if state.workcell.robot != "Flex":
        return 0.0
    held_at = spec.size[2] / 2 if spec.grip_height is None else spec.grip_height
    top = FLEX_GRIPPER + spec.size[2] - held_at
    lowest = FLEX_NOZZLES - _longest_tip(state)
    return top - lowest if lowest < FLEX_NOZZLES else 0.0


def _longest_tip(state: LabState) -> float:
    heads = (tips for tips in state.channels.values() if len(tips) == FULL_HEAD)
    return max((tip.length for tips in heads for tip in tips if tip is not None), default=0.0)


def obstacle_to(state: LabState, instance: LabwareInstance) -> EffectKind | None:
    """What keeps pipettes from a piece of labware where it stands now; ``None`` if nothing does."""
    site = state.workcell.sites.get(instance.site)
    if instance.site == OFF_DECK or (site is not None and not site.pipettes):
        return "out of reach"
    if site is not None and site.device is not None:
        device, now = state.workcell.devices.get(site.device), state.devices.get(site.device)
        kind = None if device is None or now is None else obstacle(device, now)
        if kind is not None:
            return kind
    return "lid in the way" if instance.lid else None


def sites_by_device(workcell: WorkcellSpec) -> dict[str, list[str]]:
    """The sites that belong to each device."""
    sites: dict[str, list[str]] = {}
    for site in workcell.sites.values():
        if site.device is not None:
            sites.setdefault(site.device, []).append(site.id)
    return sites
