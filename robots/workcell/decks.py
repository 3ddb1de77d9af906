"""Decks: pylabrobot's picture of one, and a STAR's carriers with their sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pylabrobot.resources import (
    Carrier,
    Deck,
    PlateCarrier,
    Resource,
    ResourceHolder,
    TipCarrier,
    TroughCarrier,
)
from pylabrobot.resources.hamilton import HamiltonSTARDeck, STARDeck, STARLetDeck

from protocols.errors import InputError
from protocols.specs import LabwareCategory, LabwareSpec, SiteSpec
from robots.workcell.built import TRASH, BuiltDeck, bare_site
from robots.workcell.catalogue import Kind, pylabrobot_maker
from robots.workcell.config import CarrierConfig, WorkcellConfig
from robots.workcell.generic import build_generic_deck
from robots.workcell.slots import build_slot_deck


def build_deck(config: WorkcellConfig, kinds: Mapping[str, Kind]) -> BuiltDeck:
    """The deck with its carriers, its modules and its adapters, which are of ``kinds``.

    Raises:
        InputError: an unknown carrier, two carriers in one place, or one beyond the deck.
    """
    if config.deck.type in ("OT-2", "Flex"):
        if config.carriers:
            robot = "an OT-2" if config.deck.type == "OT-2" else "a Flex"
            raise InputError(f"{robot} has slots and no carriers", where="carriers", mend="Remove 'carriers'")
        return build_slot_deck(config, kinds)
    if config.deck.type == "generic":
        return build_generic_deck(config)
    make: Callable[..., HamiltonSTARDeck] = STARLetDeck if config.deck.type == "STARlet" else STARDeck
    deck = make(core_grippers=config.deck.core_grippers)
    # At each change pylabrobot walks over every tip and well to log what stands too high, a third of the time that a
    # run takes to start; `workcell check` looks at heights once.
    deck.deregister_did_assign_resource_callback(deck._check_safe_z_height)
    holders: dict[str, ResourceHolder] = {}
    sites: dict[str, SiteSpec] = {}
    for name, carrier in config.carriers.items():
        for number, holder in _place_carrier(deck, name, carrier):
            site = f"{name}-{number}"
            holders[site] = holder
            sites[site] = _site(deck, site, holder, _accepts(name, carrier, holder.parent), config.arm is not None)
    waste = deck.get_resource("waste_block")
    sites[TRASH] = bare_site(deck, waste)
    return BuiltDeck(deck, holders, sites, _trash_kind("Hamilton waste block", waste, "pylabrobot STAR deck"))


def _place_carrier(deck: HamiltonSTARDeck, name: str, config: CarrierConfig) -> list[tuple[int, ResourceHolder]]:
    where = f"carriers.{name}"
    try:
        carrier = pylabrobot_maker(config.type, Carrier)(name)
    except InputError as error:
        raise type(error)(error.what, where=f"{where}.type", mend=error.mend) from None
    except NotImplementedError as error:
        raise InputError(f"pylabrobot cannot make '{config.type}': {error}", where=f"{where}.type") from None
    assert isinstance(carrier, Carrier)
    _check_place(deck, carrier, config.rail, where)
    try:
        deck.assign_child_resource(carrier, rails=config.rail)
    except ValueError as error:
        raise InputError(f"carrier '{name}' cannot stand at rail {config.rail}: {error}", where=where) from None
    return [(index + 1, holder) for index, holder in sorted(carrier.sites.items())]


def _check_place(deck: HamiltonSTARDeck, carrier: Carrier, rail: int, where: str) -> None:
    """pylabrobot's own check misses a carrier that lies wholly inside or over another one."""
    left = deck.rails_to_location(rail).x
    right = left + carrier.get_absolute_size_x()
    for other in deck.children:
        if not isinstance(other, Carrier) and other.name != "waste_block":
            continue
        other_left = other.get_location_wrt(deck).x
        if left < other_left + other.get_absolute_size_x() - 0.01 and other_left + 0.01 < right:
            raise InputError(
                f"carrier '{carrier.name}' ({left:.1f} to {right:.1f} mm) overlaps '{other.name}', which "
                f"begins at {other_left:.1f} mm",
                where=f"{where}.rail",
                mend="Move one of them; a rail is 22.5 mm wide",
            )
    if left < 100.0 - 0.01 or right > deck.rails_to_location(deck.num_rails + 1).x:
        raise InputError(
            f"carrier '{carrier.name}' reaches beyond the deck at rail {rail}",
            where=f"{where}.rail",
            mend=f"The deck has rails 1 to {deck.num_rails}",
        )


def _accepts(name: str, config: CarrierConfig, carrier: Resource | None) -> frozenset[LabwareCategory]:
    if config.accepts is not None:
        return config.accepts
    if isinstance(carrier, TipCarrier):
        return frozenset({"tip rack"})
    if isinstance(carrier, PlateCarrier):
        return frozenset({"plate"})
    if isinstance(carrier, TroughCarrier):
        return frozenset({"trough"})
    raise InputError(
        f"what stands on a {config.type} is not known",
        where=f"carriers.{name}",
        mend="Give 'accepts', e.g. accepts: [tube rack]",
    )


def _site(
    deck: Deck, site: str, holder: ResourceHolder, accepts: frozenset[LabwareCategory], has_arm: bool
) -> SiteSpec:
    place = holder.get_location_wrt(deck)
    reached = has_arm and bool(accepts & {"plate", "lid", "trough"}) and isinstance(holder.parent, PlateCarrier)
    return SiteSpec(
        id=site,
        x=round(place.x, 3),
        y=round(place.y, 3),
        z=round(place.z, 3),
        size=(holder.get_size_x(), holder.get_size_y()),
        accepts=accepts,
        gripper=reached,
    )


def _trash_kind(kind: str, resource: Resource, source: str) -> LabwareSpec:
    size = (resource.get_size_x(), resource.get_size_y(), resource.get_size_z())
    return LabwareSpec(kind=kind, category="trash", size=size, source=source)
