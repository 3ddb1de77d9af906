"""A deck of pylabrobot's as a workcell: its carriers, its labware and where it stands.

What a deck does not say (pipettes, arms, liquids) is assumed and told, or left out and told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pylabrobot.resources import Carrier, Deck, Lid, Resource, ResourceHolder, Trash
from pylabrobot.resources.hamilton import HamiltonSTARDeck, STARDeck, STARLetDeck
from pylabrobot.resources.hamilton.hamilton_decks import HamiltonCoreGrippers
from pylabrobot.resources.opentrons import OTDeck

from protocols.errors import InputError
from robots.workcell.built import TRASH
from robots.workcell.catalogue import pylabrobot_maker, pylabrobot_names
from robots.workcell.deck_file import DeckFile, read_deck_file
from robots.workcell.deck_kinds import KindsFound, has_lid, is_labware
from robots.workcell.labware import OPENTRONS_FITTINGS
from robots.workcell.workcell import Workcell, load_workcell
from robots.workcell.writing import write_folder

_RAIL, _FIRST_RAIL = 22.5, 100.0
"""mm: a rail of a STAR, and where the first one begins."""
_PIPETTES = {"OT-2 P20": "p20_single_gen2", "OT-2 P300": "p300_single_gen2", "OT-2 P1000": "p1000_single_gen2"}
_PLACED = 0.6
"""mm by which a site may lie beside where its carrier has it: pylabrobot's own figures round."""


@dataclass(frozen=True, slots=True)
class ImportedDeck:
    """A deck that was written as a workcell.

    Attributes:
        path: the workcell file.
        left_out: what of the deck is not in it, in words.
        guessed: what it says and the deck did not, in words.
    """

    path: Path
    left_out: tuple[str, ...]
    guessed: tuple[str, ...]


def import_deck(path: Path, folder: Path) -> ImportedDeck:
    """Write the deck in the file at ``path`` as a workcell to ``folder``, all of it or none.

    Raises:
        InputError: the file holds no deck that can be read, or the folder cannot be written.
        FileProblemsError: what would be written is no workcell; each mistake is listed.
    """
    found = _Found(read_deck_file(path))
    try:
        _take_over(found)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        why = f"{type(error).__name__}: {error}"[:200]  # from pylabrobot, which takes whatever a file says
        raise InputError(f"the parts of this deck do not fit together ({why})", where=str(path)) from None
    found.left_out.append("liquids: a deck says what stands where, not what is in it")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-")[:40] or "deck"
    document = {
        "schema_version": 1,
        "name": name,
        "deck": found.deck,
        **({"carriers": found.carriers} if found.carriers else {}),
        "kinds": found.kinds.kinds,
        "labware": found.labware,
        "devices": found.devices,
        "pipettes": found.pipettes,
        **({"arm": found.arm} if found.arm else {}),
    }
    written = write_folder(folder, document, found.kinds.definitions)
    guessed = (*found.guessed, *found.kinds.guessed, *_geometry(load_workcell(written), found.kinds.definitions))
    return ImportedDeck(written, tuple(found.left_out), guessed)


def _geometry(workcell: Workcell, described: Iterable[str]) -> Iterator[str]:
    """What is guessed or unknown of the wells of those kinds that no library names."""
    for name in described:
        kind = workcell.spec.kinds[name]
        if kind.source.startswith("guessed: "):
            yield f"{name}: how high its liquid stands is guessed: {kind.source.partition('; ')[2] or kind.source}"
        elif any(shape.profile is None for shape in kind.shapes.values()):
            yield f"{name}: nobody knows how high its liquid stands, so heights are not checked"


@dataclass(slots=True)
class _Found:
    """What has been found on a deck so far."""

    source: DeckFile
    deck: dict[str, Any] = field(default_factory=dict)
    carriers: dict[str, Any] = field(default_factory=dict)
    labware: dict[str, Any] = field(default_factory=dict)
    devices: dict[str, Any] = field(
        default_factory=lambda: {
            "handler": {"kind": "liquid handler", "driver": "simulated"},
            "operator": {"kind": "person"},
        }
    )
    pipettes: dict[str, Any] = field(default_factory=dict)
    arm: str = ""
    kinds: KindsFound = field(default_factory=KindsFound)
    left_out: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)

    def add(self, resource: Resource, site: str) -> None:
        """Take a piece of labware over, or say why it is not."""
        if not is_labware(resource):
            self.left_out.append(f"{resource.name}: a {type(resource).__name__} is no labware with wells or tips")
            return
        try:
            kind = self.kinds.kind_of(resource, self.source.had_code)
        except InputError as error:
            self.left_out.append(f"{resource.name}: {error.what}")
            return
        self.labware[self._free_name(resource.name)] = {
            "kind": kind,
            "site": site,
            **({"barcode": resource.barcode.data} if resource.barcode is not None else {}),
            **({"lid": True} if has_lid(resource) else {}),
        }

    def _free_name(self, name: str) -> str:
        plain = re.sub(r"[/\s]+", "_", name).strip("_")[:100] or "labware"
        if plain in self.labware:
            plain = f"{plain}_{len(self.labware)}"
        if plain != name:
            self.guessed.append(f"{name!r} is called '{plain}' here")
        return plain


def _take_over(found: _Found) -> None:
    deck = found.source.deck
    if isinstance(deck, HamiltonSTARDeck):
        _star(deck, found)
    elif isinstance(deck, OTDeck):
        _ot2(deck, found)
    else:
        _generic(deck, found)


def _star(deck: HamiltonSTARDeck, found: _Found) -> None:
    kinds = {STARLetDeck().num_rails: "STARlet", STARDeck().num_rails: "STAR"}
    if deck.num_rails not in kinds:
        raise InputError(
            f"a Hamilton deck of {deck.num_rails} rails is neither a STARlet's nor a STAR's", where="num_rails"
        )
    grippers = next((item for item in _all(deck) if isinstance(item, HamiltonCoreGrippers)), None)
    place = None
    if grippers is not None:
        place = "1000uL-at-waste" if "at_waste" in (grippers.model or "") else "1000uL-5mL-on-waste"
        found.devices["gripper"] = {"kind": "arm", "driver": "simulated", "gripper": "core"}
        found.arm = "gripper"
        found.guessed.append("arm: the channels' own grippers, which are parked on the deck, move plates")
    found.deck = {"type": kinds[deck.num_rails], "core_grippers": place}
    found.pipettes = {"channels": {"device": "handler", "type": "Hamilton 1000 uL channels", "channels": 8}}
    found.guessed.append("pipettes: eight channels of 1000 µL, as most of these machines have them")
    for child in deck.children:
        if isinstance(child, Carrier):
            _carrier(deck, child, found)
        elif child.name not in ("waste_block", TRASH, "trash_core96"):
            found.left_out.append(f"{child.name}: it stands on the deck itself, on no carrier")


def _carrier(deck: Deck, carrier: Carrier, found: _Found) -> None:
    rail = (carrier.get_location_wrt(deck).x - _FIRST_RAIL) / _RAIL + 1
    why = _why_not(carrier, rail)
    if why:
        standing = [holder.resource.name for holder in carrier.sites.values() if holder.resource is not None]
        found.left_out.append(f"{carrier.name}: {why}" + (f"; on it: {', '.join(standing)}" if standing else ""))
        return
    name = re.sub(r"[/\s]+", "_", carrier.name)
    found.carriers[name] = {"type": carrier.model, "rail": round(rail)}
    for index, holder in sorted(carrier.sites.items()):
        if holder.resource is not None:
            found.add(holder.resource, f"{name}-{index + 1}")


def _why_not(carrier: Carrier, rail: float) -> str:
    """Why a carrier cannot be taken over; "" if it can."""
    if carrier.model not in pylabrobot_names(Carrier):
        return f"pylabrobot has no carrier '{carrier.model}'"
    if abs(rail - round(rail)) > 0.01:
        return f"it stands between two rails ({rail:.2f})"
    try:
        known = pylabrobot_maker(carrier.model, Carrier)("it")
    except NotImplementedError:
        return f"pylabrobot cannot make a '{carrier.model}'"
    assert isinstance(known, Carrier)
    if set(known.sites) != set(carrier.sites):
        return f"it has other sites than a '{carrier.model}'"
    for index, holder in carrier.sites.items():
        place, other = holder.location, known.sites[index].location
        if max(abs(place.x - other.x), abs(place.y - other.y), abs(place.z - other.z)) > _PLACED:
            return f"its sites lie elsewhere than those of a '{carrier.model}'"
    return ""


def _ot2(deck: OTDeck, found: _Found) -> None:
    found.deck = {"type": "OT-2"}
    for number, resource in enumerate(deck.slots, 1):
        if resource is not None and not isinstance(resource, Trash):
            found.add(resource, f"slot-{number}")
    fittings = {kind.tip.fits for kind in found.kinds.specs() if kind.tip is not None}
    wanted = [_PIPETTES[fits] for _, fits, _ in OPENTRONS_FITTINGS if fits in fittings] or ["p300_single_gen2"]
    for mount, name in zip(("left", "right"), wanted, strict=False):
        found.pipettes[mount] = {"device": "handler", "type": name, "mount": mount}
    found.guessed.append(f"pipettes: {' and '.join(wanted[:2])}, to fit the tips")


def _generic(deck: Deck, found: _Found) -> None:
    """Any other deck: each holder is a site, and so is whatever labware stands on none."""
    size = [f"{max(extent, 1.0):g} mm" for extent in (deck.get_size_x(), deck.get_size_y(), deck.get_size_z())]
    sites: dict[str, Any] = {}
    found.deck = {"type": "generic", "size": size, "sites": sites}
    found.pipettes = {"channels": {"device": "handler", "type": "Hamilton 1000 uL channels", "channels": 8}}
    found.guessed.append(f"deck: a {type(deck).__name__} has no plan here, so its sites are where it has them")
    found.guessed.append("pipettes: eight channels of 1000 µL")
    for resource in _outermost(deck):
        place = resource.get_location_wrt(deck)
        if min(place.x, place.y, place.z) < 0:
            found.left_out.append(f"{resource.name}: it stands outside the deck, at {place}")
            continue
        if isinstance(resource, Trash):
            sites.setdefault(TRASH, _place(resource))
            continue
        if isinstance(resource, ResourceHolder):
            site = resource.name
            if resource.resource is not None:
                found.add(resource.resource, site)
        else:
            site = f"{resource.name} place"
            found.add(resource, site)
        sites[site] = _place(resource)


def _place(resource: Resource) -> dict[str, Any]:
    at = resource.get_location_wrt(resource.get_root())
    width, depth = max(resource.get_size_x(), 1.0), max(resource.get_size_y(), 1.0)
    return {
        "at": [f"{value:g} mm" for value in (at.x, at.y, at.z)],
        "size": [f"{width:g} mm", f"{depth:g} mm"],
    }


def _outermost(resource: Resource) -> list[Resource]:
    """Holders, bins and labware, each without what is in it."""
    found: list[Resource] = []
    for child in resource.children:
        if isinstance(child, ResourceHolder | Trash) or is_labware(child):
            found.append(child)
        elif not isinstance(child, Lid):
            found += _outermost(child)
    return found


def _all(resource: Resource) -> list[Resource]:
    return [part for child in resource.children for part in (child, *_all(child))]
