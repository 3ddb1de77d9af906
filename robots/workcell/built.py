"""A deck as it is built from a workcell file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pylabrobot.resources import Container, Deck, Resource, ResourceHolder

from protocols.specs import LabwareSpec, SiteSpec, WellShape, WellSite

TRASH = "trash"
"""The name of the trash, of its site and of pylabrobot's resource, on every deck."""


@dataclass(frozen=True, slots=True)
class BuiltDeck:
    """A pylabrobot deck with nothing on it but its carriers, and its sites.

    Attributes:
        holders: pylabrobot's holder of each site, by site id; the trash has none.
        sites: there is one of the trash, but on a Flex without bins.
        trash: the kind of its trash.
        chute: where the arm lets labware fall that leaves the deck; ``None`` without a waste chute.
    """

    deck: Deck
    holders: Mapping[str, ResourceHolder]
    sites: Mapping[str, SiteSpec]
    trash: LabwareSpec
    chute: ResourceHolder | None = None


def bare_site(deck: Deck, trash: Resource) -> SiteSpec:
    """The site of a deck's own trash, on which nothing else stands."""
    place = trash.get_location_wrt(deck)
    return SiteSpec(
        id=TRASH,
        x=round(place.x, 3),
        y=round(place.y, 3),
        z=round(place.z, 3),
        accepts=frozenset({"trash"}),
        gripper=False,
    )


def trash_with_well(
    kind: str, trash: Container, max_volume: float, source: str, *, any_head: bool = False
) -> LabwareSpec:
    """The kind of a trash whose only well, A1, liquid may be dispensed into.

    Args:
        any_head: its opening is not drawn, and takes every head.
    """
    size = (trash.get_size_x(), trash.get_size_y(), trash.get_size_z())
    well = WellSite(x=round(size[0] / 2, 4), y=round(size[1] / 2, 4), z=0.0, shape="bin")
    return LabwareSpec(
        kind=kind,
        category="trash",
        size=size,
        rows=1,
        columns=1,
        wells={"A1": well},
        shapes={"bin": WellShape(max_volume=max_volume, depth=size[2], opening=None if any_head else size[:2])},
        source=source,
    )
