"""The robot's deck as an analysis builds and changes it: pipettes, modules, adapters, labware, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, Literal

from protocols.opentrons.definition import Definition
from protocols.opentrons.parameters import LoadLabware
from protocols.specs import OFF_DECK, DeviceKind

Robot = Literal["OT-2", "Flex"]

_KINDS: tuple[tuple[str, DeviceKind], ...] = (
    ("temperatureModule", "temperature module"),
    ("heaterShakerModule", "heater-shaker"),
    ("thermocyclerModule", "thermocycler"),
    ("magneticModule", "magnetic module"),
)
_FLEX_SLOTS = {f"{row}{column}" for row in "ABCD" for column in range(1, 5)}
_NUMBERED = {str(3 * "DCBA".index(row) + column): f"{row}{column}" for row in "DCBA" for column in (1, 2, 3)}
"""An OT-2's slot numbers and the Flex's names of the same places."""
_LETTERED = {name: number for number, name in _NUMBERED.items()}
_AREA_OF_MODULE = re.compile(r"[a-z][A-Za-z]+V[0-9]+(?:Slot)?([A-D][1-4]|[0-9]{1,2})?(?:Slot[0-9]+)?")
TRASH = "trash"
TRASH_WELL = "trash/A1"
OT2_TRASH = "slot-12"


@dataclass(frozen=True, slots=True)
class Module:
    """A module on the deck.

    Attributes:
        name: the device's in the workcell; empty for one that is no device, as a magnetic block.
        kind: ``None`` for one that the workcell has no device for.
        model: Opentrons' name for it.
        site: the slot it stands on.
    """

    id: str
    name: str
    kind: DeviceKind | None
    model: str
    site: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of labware.

    Attributes:
        name: its instance id.
        kind: its kind's name.
        definition: ``None`` where the analysis does not carry it.
        site: where it stands at the start.
        index: of the command that loads it.
    """

    id: str
    name: str
    kind: str
    definition: Definition | None
    site: str
    index: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something is put where something else stands, or where there is nothing to stand on."""

    place: str
    what: str
    index: int


Holder = tuple[Literal["slot", "module", "labware"], str]
"""What something stands directly on."""


@dataclass(slots=True)
class Deck:
    """What stands where.

    Attributes:
        pieces: labware other than adapters and trash, by Opentrons' id.
        adapters: adapters, by Opentrons' id.
        trash_ids: ids of labware that is the trash.
        lids: ids of lids, which are not followed.
        definitions: raw definitions by kind; ``None`` where the analysis does not carry it.
        origins: namespace, load name and version of each kind.
        conflicts: what cannot stand where it is put.
        trashes: places that tips and liquid are thrown to.
    """

    robot: Robot
    modules: dict[str, Module] = field(default_factory=dict)
    pieces: dict[str, Piece] = field(default_factory=dict)
    adapters: dict[str, Piece] = field(default_factory=dict)
    trash_ids: set[str] = field(default_factory=lambda: {"fixedTrash"})
    lids: set[str] = field(default_factory=set)
    definitions: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)
    origins: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    trashes: dict[str, None] = field(default_factory=dict)
    _on: dict[Holder, str] = field(default_factory=dict)
    _under: dict[str, Holder | None] = field(default_factory=dict)

    # -- places ---------------------------------------------------------------------------------------

    def slot(self, name: str) -> str:
        """The site of a slot, whichever robot's way of naming it is used."""
        if self.robot == "Flex":
            return _NUMBERED.get(name, name)
        number = _LETTERED.get(name, name)
        return f"slot-{number}" if number.isdigit() else number

    def holder(self, location: Mapping[str, Any] | str) -> tuple[Holder | None, str]:
        """What ``location`` is, and the site it belongs to; no holder beside the deck."""
        if isinstance(location, str):
            return None, OFF_DECK
        if "slotName" in location:
            site = self.slot(str(location["slotName"]))
            return ("slot", site), site
        if "moduleId" in location:
            module = self.modules.get(str(location["moduleId"]))
            return ("module", str(location["moduleId"])), module.site if module else str(location["moduleId"])
        if "labwareId" in location:
            return ("labware", str(location["labwareId"])), self.site_of(str(location["labwareId"]))
        if "addressableAreaName" in location:
            return self._area(str(location["addressableAreaName"]))
        return None, OFF_DECK

    def _area(self, name: str) -> tuple[Holder | None, str]:
        if self.is_trash_area(name):
            return None, OFF_DECK
        if self.slot(name) in _FLEX_SLOTS or name.isdigit():
            return ("slot", self.slot(name)), self.slot(name)
        match = _AREA_OF_MODULE.fullmatch(name)
        for module in self.modules.values() if match else ():
            if match and (match[1] is None or self.slot(match[1]) == module.site) and _alike(module.model, name):
                return ("module", module.id), module.site
        return ("slot", name), name

    def is_trash_area(self, name: str) -> bool:
        """Whether a place of the deck takes tips and liquid that nobody wants any more."""
        return "trash" in name.lower() or "wastechute" in name.lower()

    def throw(self, place: str) -> None:
        """Note a place that is used as trash."""
        self.trashes.setdefault(place)

    def site_of(self, piece: str) -> str:
        """The site on which labware, or an adapter, stands now."""
        holder = self._under.get(piece)
        if holder is None:
            return OFF_DECK
        if holder[0] == "slot":
            return holder[1]
        if holder[0] == "module":
            module = self.modules.get(holder[1])
            return module.site if module else holder[1]
        return self.site_of(holder[1])

    def on_module(self, module: str) -> str | None:
        """The labware that stands on a module, by Opentrons' id."""
        labware = self._on.get(("module", module))
        return labware if labware in self.pieces else None

    # -- loading --------------------------------------------------------------------------------------

    def add_module(self, module_id: str, model: str, location: Mapping[str, Any] | str, index: int) -> None:
        """Put a module on its slot."""
        holder, site = self.holder(location)
        if model.startswith("flexStacker") and site[:1] in "ABCD":  # it stands beside the deck; its shuttle on it
            site = f"{site[:1]}4"
            holder = ("slot", site)
        kind = next((kind for start, kind in _KINDS if model.startswith(start)), None)
        name = f"{kind.replace(' ', '_').replace('-', '_')}_{site}" if kind else ""
        if holder is None:
            self.conflicts.append(Conflict(name or model, "a module stands on a slot of the deck", index))
        else:
            self._stand(holder, module_id, name or model, index)
        self.modules[module_id] = Module(module_id, name, kind, model, site)

    def add_labware(
        self,
        labware_id: str,
        params: LoadLabware,
        definition: Definition | None,
        raw: Mapping[str, Any] | None,
        at: int,
    ) -> None:
        """Put a piece of labware, an adapter or the trash where it is loaded; ``at`` is the command's index."""
        if definition is not None and definition.is_trash:
            self._add_trash(labware_id, params.location, at)
            return
        if definition is not None and definition.is_lid:
            self.lids.add(labware_id)
            return
        holder, site = self.holder(params.location)
        kind = self._kind(params, raw)
        name = self._name(kind, site)
        adapter = definition is not None and definition.is_adapter
        self._under[labware_id] = holder
        if holder is not None:
            self._stand(holder, labware_id, name, at)
        piece = Piece(labware_id, name, kind, definition, site, at)
        (self.adapters if adapter else self.pieces)[labware_id] = piece

    def _add_trash(self, labware_id: str, location: Mapping[str, Any] | str, at: int) -> None:
        """The trash of an OT-2 is where it is; that of a Flex may stand in any slot."""
        self.trash_ids.add(labware_id)
        holder, site = self.holder(location)
        if self.robot == "OT-2" and site != OT2_TRASH:
            self.conflicts.append(Conflict("trash", f"the trash of an OT-2 is fixed at {OT2_TRASH}", at))
        elif holder is not None:
            self._stand(holder, labware_id, "trash", at)

    def move(self, labware_id: str, location: Mapping[str, Any] | str, index: int) -> str:
        """Let labware stand elsewhere, and say on which site."""
        old = self._under.get(labware_id)
        if old is not None and self._on.get(old) == labware_id:
            del self._on[old]
        holder, site = self.holder(location)
        self._under[labware_id] = holder
        if holder is not None:
            self._stand(holder, labware_id, self.pieces[labware_id].name, index)
        return site

    def _stand(self, holder: Holder, what: str, name: str, index: int) -> bool:
        """Whether ``what`` can stand there; if not, why is noted."""
        there = self._on.get(holder)
        missing = (holder[0] == "module" and holder[1] not in self.modules) or (
            holder[0] == "labware" and holder[1] not in self.pieces.keys() | self.adapters.keys()
        )
        if there is not None and there != what:
            said = f"'{self._called(there)}' stands there"
        elif missing:
            said = f"it is put on a {holder[0]} that was not loaded"
        else:
            self._on[holder] = what
            return True
        self.conflicts.append(Conflict(name, said, index))
        return False

    def _called(self, what: str) -> str:
        if what in self.modules:
            return self.modules[what].name or self.modules[what].model
        piece = self.pieces.get(what) or self.adapters.get(what)
        return piece.name if piece else what

    def _kind(self, params: LoadLabware, raw: Mapping[str, Any] | None) -> str:
        """What a kind of labware is called: its load name, and what more is needed to tell it from others."""
        origin = (params.namespace, params.loadName, params.version)
        base = _plain(params.loadName)
        names = chain((base, f"{base}_v{params.version}"), (f"{base}_{number}" for number in count(2)))
        name = next(name for name in names if self.origins.setdefault(name, origin) == origin)
        if self.definitions.get(name) is None:
            self.definitions[name] = raw
        return name

    def _name(self, kind: str, site: str) -> str:
        base = f"{kind}_{site.removeprefix('slot-').replace('-', '_')}"
        taken = {piece.name for piece in (*self.pieces.values(), *self.adapters.values())}
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        return name


def _alike(model: str, area: str) -> bool:
    """Whether an area's name ("heaterShakerV1D1") belongs to a module's model ("heaterShakerModuleV1")."""
    return area.startswith((model.replace("Module", "").split("V")[0], model))


def _plain(name: str) -> str:
    """``name`` as a part of identifiers and file names: no slash, no space, not endless."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:60] or "labware"
