"""What an imported protocol needs of its robot: as plain data, from which a workcell is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.opentrons.deck import TRASH, Deck, Robot
from protocols.opentrons.walk import Walk

_STAGING = ("A4", "B4", "C4", "D4")
FIRST_BIN = "A3"
WASTE_CHUTE = "waste chute"


@dataclass(frozen=True, slots=True)
class RigModule:
    """A module: what it is called, Opentrons' model of it, and its site.

    Attributes:
        starts_open: its lid stands open before the run; ``None`` if the protocol does not rely on it.
    """

    name: str
    model: str
    site: str
    starts_open: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What an imported protocol needs of its robot.

    Attributes:
        pipettes: by mount, Opentrons' name for each.
        adapters: by site, the kind that is fixed there.
        kinds: every kind of labware and adapter with its definition; ``None`` where the analysis does not carry it.
        origins: each kind's namespace, load name and version.
        fits: by kind of tip rack, the pipette that picks tips up from it.
        trash: a Flex's bins and chute, those that are used first.
        gripper: labware is carried by the robot.
        staging: staging area slots are used.
    """

    robot: Robot
    pipettes: Mapping[str, str]
    modules: tuple[RigModule, ...]
    adapters: Mapping[str, str]
    kinds: Mapping[str, Mapping[str, Any] | None]
    origins: Mapping[str, tuple[str, str, int]]
    fits: Mapping[str, str]
    trash: tuple[str, ...]
    gripper: bool
    staging: bool


def rig_of(walk: Walk, sites: set[str], fits: Mapping[str, str]) -> Rig:
    """What ``walk`` found; ``sites`` are all on which labware ever stands."""
    deck = walk.deck
    modules = tuple(
        RigModule(
            module.name or f"{module.model.partition('V')[0]}_{module.site}",
            module.model,
            module.site,
            _starts_open(module.model, walk),
        )
        for module in deck.modules.values()
    )
    return Rig(
        robot=deck.robot,
        pipettes=dict(walk.models),
        modules=modules,
        adapters={adapter.site: adapter.kind for adapter in deck.adapters.values()},
        kinds=dict(deck.definitions),
        origins=dict(deck.origins),
        fits=dict(fits),
        trash=_bins(deck),
        gripper=walk.gripper,
        staging=bool(sites & set(_STAGING)),
    )


def _starts_open(model: str, walk: Walk) -> bool | None:
    """Software of before heights were known took a thermocycler's lid to be open until it was closed.

    Source: opentrons 9.0.0, ``drivers/thermocycler/simulator.py``; from API 2.14 and JSON protocols of version
    6 on, the protocol itself must have opened it.
    """
    return True if model.startswith("thermocycler") and not walk.knows_heights else None


def _bins(deck: Deck) -> tuple[str, ...]:
    """The places that things are thrown to, as a Flex has them."""
    if deck.robot == "OT-2":
        return ()
    found: dict[str, None] = {}
    for place in deck.trashes:
        if "chute" in place.lower():
            found.setdefault(WASTE_CHUTE)
        elif place.startswith("movableTrash"):
            found.setdefault(deck.slot(place.removeprefix("movableTrash")))
        elif place != TRASH:  # of tips that are dropped in place, the place was named before
            found.setdefault(FIRST_BIN)
    taken = {module.site for module in deck.modules.values()} | {piece.site for piece in deck.pieces.values()}
    if not found:
        return () if FIRST_BIN in taken else (FIRST_BIN,)
    return tuple(found)
