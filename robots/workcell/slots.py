"""Decks of slots, an OT-2's and a Flex's: their sites, with what modules and adapters make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pylabrobot.resources import Coordinate, Deck, ResourceHolder, Trash
from pylabrobot.resources.opentrons import OTDeck

from protocols.specs import LabwareCategory, LabwareSpec, SiteSpec
from robots.workcell.built import TRASH, BuiltDeck, bare_site, trash_with_well
from robots.workcell.catalogue import Kind
from robots.workcell.config import DeckConfig, DeviceConfig, WorkcellConfig
from robots.workcell.flex import (
    MAIN_SLOTS,
    STAGING_SLOTS,
    WASTE_CHUTE,
    FlexDeck,
    chute_holder,
    slot_area,
    trash_place,
    trash_slot,
)
from robots.workcell.modules import covered_slots, offset_on, slots_of

_TAKES: frozenset[LabwareCategory] = frozenset({"plate", "trough", "tube rack", "tip rack", "adapter", "lid"})
_MODULE_TAKES = _TAKES - {"tip rack"}
_OT2_BIN, _FLEX_BIN = 1_100_000.0, 3_200_000.0
"""µL, ``totalLiquidVolume`` of opentrons_1_trash_1100ml_fixed and opentrons_1_trash_3200ml_fixed."""
_CHUTE = 1e9
"""µL: a waste chute leads out of the robot, and this is more than any run dispenses."""


def build_slot_deck(config: WorkcellConfig, kinds: Mapping[str, Kind]) -> BuiltDeck:
    """The OT-2's or the Flex's deck, with the modules and adapters of ``config`` on it.

    Mistakes are passed over here, a module where none can stand among them: the file's check names them.
    """
    bare = _ot2() if config.deck.type == "OT-2" else _flex(config)
    holders, sites = dict(bare.holders), dict(bare.sites)
    for name, module in config.devices.items():
        if module.model is not None and module.slot in sites:
            for covered in covered_slots(module.model, config.deck.type):
                holders.pop(covered, None)
                sites.pop(covered, None)
            _stand_module(config.deck.type, name, module, holders, sites)
    for site, kind in config.adapters.items():
        if site in sites and kind in kinds:
            _raise(holders, sites, site, Coordinate(0, 0, kinds[kind].stands_at - _nesting(kinds, kind)))
            sites[site] = sites[site].model_copy(update={"adapter": kind})
    for site, device in [(site, spec.device) for site, spec in sites.items()]:
        if device is not None and sites[site].adapter is None:
            model = config.devices[device].model or ""
            _raise(holders, sites, site, Coordinate(0, 0, -_overlap(kinds.values(), model)))
    return BuiltDeck(bare.deck, holders, sites, bare.trash, bare.chute)


def _stand_module(
    robot: str, name: str, module: DeviceConfig, holders: dict[str, ResourceHolder], sites: dict[str, SiteSpec]
) -> None:
    assert module.model is not None
    assert module.slot is not None
    if module.slot not in slots_of(module.model, robot) or sites[module.slot].device is not None:
        return
    _raise(holders, sites, module.slot, offset_on(module.model, robot, module.slot))
    sites[module.slot] = sites[module.slot].model_copy(update={"device": name, "accepts": _MODULE_TAKES})


def _raise(holders: Mapping[str, ResourceHolder], sites: dict[str, SiteSpec], site: str, by: Coordinate) -> None:
    spec, holder = sites[site], holders[site]
    holder.child_location = holder.child_location + by
    place = {"x": round(spec.x + by.x, 3), "y": round(spec.y + by.y, 3), "z": round(spec.z + by.z, 3)}
    sites[site] = spec.model_copy(update=place)


def _nesting(kinds: Mapping[str, Kind], adapter: str) -> float:
    """mm by which labware sinks into ``adapter``."""
    return _overlap(kinds.values(), kinds[adapter].load_name)


def _overlap(kinds: Iterable[Kind], parent: str) -> float:
    """mm by which labware sinks into the adapter or module ``parent``.

    One site has one height: of the kinds whose definition says how far they sink, the one that sinks least.
    """
    return min((kind.overlaps[parent] for kind in kinds if parent in kind.overlaps), default=0.0)


def _site(deck: Deck, site: str, holder: ResourceHolder, *, gripper: bool, pipettes: bool = True) -> SiteSpec:
    place = holder.get_location_wrt(deck)
    return SiteSpec(
        id=site,
        x=round(place.x, 3),
        y=round(place.y, 3),
        z=round(place.z, 3),
        accepts=_TAKES,
        gripper=gripper,
        pipettes=pipettes,
    )


def _ot2() -> BuiltDeck:
    deck = OTDeck()
    slots = [child for child in deck.children if isinstance(child, ResourceHolder)][:11]
    holders = {f"slot-{number}": holder for number, holder in enumerate(slots, 1)}
    sites = {name: _site(deck, name, holder, gripper=False) for name, holder in holders.items()}
    trash = deck.get_trash_area()
    sites[TRASH] = bare_site(deck, trash)
    kind = trash_with_well("opentrons_1_trash_1100ml_fixed", trash, _OT2_BIN, "pylabrobot OTDeck")
    return BuiltDeck(deck, holders, sites, kind)


def _flex(config: WorkcellConfig) -> BuiltDeck:
    deck = FlexDeck()
    bins = config.deck.bins
    taken = {trash_slot(trash) for trash in bins}
    holders = {}
    sites = {}
    for slot in (*MAIN_SLOTS, *sorted(_staging(config, taken))):
        if slot in taken:
            continue
        box = slot_area(slot)["boundingBox"]
        holders[slot] = deck.add_slot(slot, (box["xDimension"], box["yDimension"]))
        sites[slot] = _site(
            deck, slot, holders[slot], gripper=config.arm is not None, pipettes=slot not in STAGING_SLOTS
        )
    corner, size = trash_place(bins[0]) if bins else (Coordinate.zero(), (1.0, 1.0, 1.0))
    trash = Trash(name=TRASH, size_x=size[0], size_y=size[1], size_z=size[2])
    deck.assign_child_resource(trash, location=corner)
    if bins:
        sites[TRASH] = bare_site(deck, trash)
    chute = chute_holder(deck) if WASTE_CHUTE in bins else None
    return BuiltDeck(deck, holders, sites, _flex_trash(config.deck, trash), chute)


def _staging(config: WorkcellConfig, taken: set[str]) -> set[str]:
    """The staging slots that there are: all where the file says so, else those that it stands something on.

    A bin at the same row's column 3 leaves no room for one; the waste chute does.
    """
    used = {placed.site for placed in config.labware.values()} | set(config.adapters)
    wanted = {slot for slot in STAGING_SLOTS if config.deck.staging or slot in used}
    blocked = {f"{slot[0]}4" for slot in taken if slot[1] == "3" and slot in config.deck.bins}
    caddies = {
        f"{device.slot[0]}4"
        for device in config.devices.values()
        if device.slot and device.slot in ("A3", "B3", "C3", "D3")
    }
    return wanted - blocked - caddies


def _flex_trash(config: DeckConfig, trash: Trash) -> LabwareSpec:
    if not config.bins:
        return trash_with_well("no trash", trash, _CHUTE, "a Flex without a bin: tips cannot be dropped")
    if config.bins[0] == WASTE_CHUTE:
        source = "Opentrons ot3_standard; it holds any volume"
        return trash_with_well("waste chute", trash, _CHUTE, source, any_head=True)
    return trash_with_well("opentrons_1_trash_3200ml_fixed", trash, _FLEX_BIN, "Opentrons ot3_standard")
