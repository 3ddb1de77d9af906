"""A deck that is nobody's make: its sites are where the workcell file says, and it moves in the simulated lab only."""

from __future__ import annotations

from pylabrobot.resources import Coordinate, Deck, ResourceHolder, Trash

from protocols.errors import InputError
from protocols.specs import LabwareCategory, SiteSpec
from robots.workcell.built import TRASH, BuiltDeck, bare_site, trash_with_well
from robots.workcell.config import PlaceConfig, WorkcellConfig

_ALL: frozenset[LabwareCategory] = frozenset({"plate", "trough", "tube rack", "tip rack", "adapter", "lid"})
_HOLDS_ANY_VOLUME = 1e9
"""µL, more than any run dispenses."""


def build_generic_deck(config: WorkcellConfig) -> BuiltDeck:
    """The deck with the sites that its file gives.

    Raises:
        InputError: it has no size, or carriers.
    """
    if config.carriers:
        raise InputError("a generic deck has sites and no carriers", where="carriers", mend="Give 'sites' in 'deck'")
    if config.deck.size is None:
        raise InputError("a generic deck needs its size", where="deck", mend="Add size: [600 mm, 500 mm, 300 mm]")
    x, y, z = config.deck.size
    deck = Deck(size_x=x, size_y=y, size_z=z, name="generic_deck")
    holders: dict[str, ResourceHolder] = {}
    sites: dict[str, SiteSpec] = {}
    for name, place in config.deck.sites.items():
        if name != TRASH:
            holders[name] = ResourceHolder(name=name, size_x=place.size[0], size_y=place.size[1], size_z=0)
            deck.assign_child_resource(holders[name], location=Coordinate(*place.at))
            sites[name] = _site(name, place, gripper=config.arm is not None)
    there = config.deck.sites.get(TRASH)
    at, (width, depth) = (there.at, there.size) if there is not None else ((0.0, 0.0, 0.0), (1.0, 1.0))
    trash = Trash(name=TRASH, size_x=width, size_y=depth, size_z=1)
    deck.assign_child_resource(trash, location=Coordinate(*at))
    if there is not None:
        sites[TRASH] = bare_site(deck, trash)
    kind = trash_with_well(TRASH if there else "no trash", trash, _HOLDS_ANY_VOLUME, "described in the workcell file")
    return BuiltDeck(deck, holders, sites, kind)


def _site(name: str, place: PlaceConfig, *, gripper: bool) -> SiteSpec:
    x, y, z = place.at
    return SiteSpec(id=name, x=x, y=y, z=z, accepts=_ALL if place.accepts is None else place.accepts, gripper=gripper)
