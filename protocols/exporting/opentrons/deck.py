"""What is loaded before the protocol begins: modules, adapters, labware, trash, pipettes, liquids."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from protocols.exporting.opentrons.modules import place_of, slot_of
from protocols.exporting.opentrons.names import call, in_a_comment, number, quoted
from protocols.exporting.opentrons.script import ApiLevel, Held, Script
from protocols.liquids import Liquid
from protocols.specs import OFF_DECK, DeviceSpec, Fill, LabwareSpec, PlacedLabware, SiteSpec
from protocols.wells import split_well

Definitions = Mapping[str, Mapping[str, Any]]
"""Opentrons' labware definitions of kinds that its own library does not have, as plain JSON, by kind."""

MODULES = ("temperature module", "heater-shaker", "thermocycler", "magnetic module")
"""Kinds of devices that are modules."""
MAGNETIC_BLOCK = "magneticBlockV1"
"""The module without a motor: an adapter to Labwright, a module to Opentrons."""
WASTE_CHUTE = "wasteChute"
"""In the name of the kind of a trash that is a waste chute."""
LIQUIDS: ApiLevel = (2, 14)
"""From this level on liquids can be described."""
OPENTRONS_OWN = "opentrons"
"""The namespace of Opentrons' labware library."""
FLEX_PIPETTES = {
    "p50_single_flex": "flex_1channel_50",
    "p50_multi_flex": "flex_8channel_50",
    "p1000_single_flex": "flex_1channel_1000",
    "p1000_multi_flex": "flex_8channel_1000",
    "p1000_multi_em_flex": "flex_8channel_1000_em",
    "p1000_96": "flex_96channel_1000",
    "p200_96": "flex_96channel_200",
}
"""Flex pipettes' names in Opentrons' data, and those by which the Python API loads them
(``opentrons_shared_data.pipette.types``)."""
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
"""Colours in which the Opentrons App shows liquids, one after the other."""


def write_deck(script: Script, definitions: Definitions) -> dict[str, str]:
    """Write everything that is loaded; returns the definitions written beside it: JSON by variable."""
    constants: dict[str, str] = {}
    loader = _Loader(script, definitions, constants)
    for site in script.spec.sites.values():
        loader.fittings(site)
    for name, placed in script.labware.items():
        if name != script.spec.trash:
            loader.labware(name, placed)
    _trash(script)
    _pipettes(script)
    _liquids(script)
    return constants


class _Loader:
    """Loads labware, from Opentrons' library or from a definition in the file."""

    def __init__(self, script: Script, definitions: Definitions, constants: dict[str, str]) -> None:
        self.script = script
        self.definitions = definitions
        self.constants = constants
        self.variables: dict[str, str] = {}

    def fittings(self, site: SiteSpec) -> None:
        """The module and the adapter that are fixed on a site."""
        script = self.script
        base: str | None = None
        if site.device is not None:
            device = script.spec.devices.get(site.device)
            if device is None or device.kind not in MODULES:
                return
            base = self._module(site, device)
        if site.adapter is None:
            return
        kind = script.spec.kinds.get(site.adapter)
        if kind is not None and kind.opentrons == MAGNETIC_BLOCK:
            base = script.names.take(f"magnetic_block_{site.id}")
            block = call("protocol.load_module", quoted(MAGNETIC_BLOCK), slot_of(script, site.id) or "None")
            script.write(f"{base} = {block}")
            script.places[site.id] = base
            return
        variable = script.names.take(f"{site.adapter}_{site.id}")
        loading = self._loading(kind, site.adapter, base, site.id, adapter=True)
        if loading is not None:
            script.write(f"{variable} = {loading}")
            script.places[site.id] = variable

    def _module(self, site: SiteSpec, device: DeviceSpec) -> str:
        script = self.script
        variable = script.names.take(device.id)
        slot = slot_of(script, site.id)
        if device.model is None:
            what = f"the model of '{device.id}' is not said"
            script.remarks.refuse(f"devices.{device.id}, model", what, "Say it in the workcell file")
        elif slot is None and device.kind != "thermocycler":
            script.remarks.refuse(f"sites.{site.id}", f"'{device.id}' stands on no slot of this robot")
        else:
            on = None if device.kind == "thermocycler" else slot
            script.write(f"{variable} = {call('protocol.load_module', quoted(device.model), *filter(None, (on,)))}")
        script.devices[device.id] = variable
        script.places[site.id] = variable
        return variable

    def labware(self, name: str, placed: PlacedLabware) -> None:
        """One piece of labware where it stands at the start."""
        script = self.script
        script.variables[name] = script.names.take(name)
        where = f"labware.{name}"
        kind = script.spec.kinds.get(placed.kind)
        if placed.lid:
            script.remarks.refuse(f"{where}, lid", "a lid that lies on labware cannot be said", "Take it off before")
        if kind is not None and kind.category == "lid":
            script.remarks.refuse(f"{where}, kind", "a lid without its plate cannot be said", "Leave it off the deck")
            return
        loading = self._loading(kind, placed.kind, None, placed.site, label=name, where=where)
        if loading is not None:
            script.write(f"{script.variables[name]} = {loading}")

    def _loading(
        self,
        kind: LabwareSpec | None,
        named: str,
        base: str | None,
        site: str,
        *,
        label: str | None = None,
        adapter: bool = False,
        where: str = "",
    ) -> str | None:
        """The call that loads a kind on a site or, for an adapter, on the module that is ``base``."""
        script = self.script
        where = where or f"sites.{site}, adapter"
        place = base or place_of(script, site)
        if place is None:
            script.remarks.refuse(f"{where}, site", f"'{site}' is no place that this robot's labware can stand on")
            return None
        on_slot = place == slot_of(script, site) or site == OFF_DECK
        owner, location = ("protocol", place) if on_slot else (place, None)
        what = "adapter" if adapter else "labware"
        said = None if label is None else quoted(label)
        own = kind.opentrons.split("/") if kind is not None and kind.opentrons else []
        if len(own) == 3 and own[0] == OPENTRONS_OWN:
            words = [quoted(own[1]), *filter(None, (location,))]
            return call(f"{owner}.load_{what}", *words, label=said, namespace=quoted(own[0]), version=own[2])
        if named not in self.definitions:
            mend = "Give its Opentrons definition (kinds: opentrons: …, or file: ….json)"
            script.remarks.refuse(f"{where}, kind", f"'{named}' has no Opentrons labware definition", mend)
            return None
        words = [f"json.loads({self._constant(named)})", *filter(None, (location,))]
        return call(f"{owner}.load_{what}_from_definition", *words, label=said)

    def _constant(self, kind: str) -> str:
        self.script.imports.add("json")
        if kind not in self.variables:
            self.variables[kind] = self.script.names.take(f"{kind}_definition").upper()
            text = json.dumps(self.definitions[kind], allow_nan=False, separators=(",", ":"))
            self.constants[self.variables[kind]] = text
        return self.variables[kind]


def _trash(script: Script) -> None:
    if script.spec.robot == "OT-2":
        script.write("trash = protocol.fixed_trash")
        return
    placed = script.spec.labware.get(script.spec.trash)
    if placed is not None and WASTE_CHUTE.lower() in placed.kind.replace(" ", "").replace("_", "").lower():
        script.write("trash = protocol.load_waste_chute()")
        return
    slot = None if placed is None else _bin_slot(script, placed.site)
    if slot is None:
        script.remarks.refuse("trash", "this Flex has no trash bin and no waste chute", "Give its deck one")
    script.write(f"trash = protocol.load_trash_bin({quoted(slot or '')})")


def _bin_slot(script: Script, site: str) -> str | None:
    """The Flex slot that a trash bin takes: it has none of the sites, so its row and column are told by its place."""
    bin_site = script.spec.sites.get(site)
    middle = {name[0]: other for name, other in script.spec.sites.items() if name in ("A2", "B2", "C2", "D2")}
    if bin_site is None or not middle:
        return None
    row = min(middle, key=lambda name: abs(middle[name].y - bin_site.y))
    return f"{row}{1 if bin_site.x < middle[row].x else 3}"


def _pipettes(script: Script) -> None:
    for name, pipette in script.spec.pipettes.items():
        if pipette.model is None or pipette.mount is None:
            continue
        variable = script.names.take(name if name not in ("left", "right") else f"{name}_pipette")
        script.pipettes[name] = Held(pipette, variable)
        model = FLEX_PIPETTES.get(pipette.model, pipette.model)
        mount = None if pipette.channels == 96 else quoted(pipette.mount)
        script.write(f"{variable} = {call('protocol.load_instrument', quoted(model), *filter(None, (mount,)))}")


def _liquids(script: Script) -> None:
    fills = [fill for fill in (*script.spec.contents, *script.program.contents) if _stands(script, fill.well)]
    if fills and script.level < LIQUIDS:
        script.remarks.note(
            f"What {len(fills)} wells hold at the start is not said: API {'.'.join(map(str, script.level))}"
        )
        return
    liquids = {**script.spec.liquids, **script.program.liquids}
    variables: dict[str, str] = {}
    for number_of, name in enumerate(dict.fromkeys(fill.liquid for fill in fills)):
        variables[name] = script.names.take(name)
        colour = quoted(COLOURS[number_of % len(COLOURS)])
        described = quoted(_described(liquids.get(name)))
        defined = call("protocol.define_liquid", name=quoted(name), description=described, display_color=colour)
        script.write(f"{variables[name]} = {defined}")
    for (labware, liquid, volume), group in groupby(fills, _alike):
        _load(script, labware, [split_well(fill.well)[1] for fill in group], variables[liquid], volume)
    for fill in fills:
        if fill.settled:
            script.remarks.note(f"That a {fill.settled} lies at the bottom of {fill.well} is not said")
    mixed = [well for well, count in Counter(fill.well for fill in fills).items() if count > 1]
    if mixed:
        script.remarks.note(f"Opentrons shows one liquid for each well, and several are in {', '.join(mixed[:3])}")


def _alike(fill: Fill) -> tuple[str, str, float]:
    return split_well(fill.well)[0], fill.liquid, fill.volume


def _load(script: Script, labware: str, wells: list[str], liquid: str, volume: float) -> None:
    """Say what is in wells of one piece of labware that all hold the same."""
    if len(wells) == 1:
        place = f"{script.variables[labware]}[{quoted(wells[0])}]"
        script.write(call(f"{place}.load_liquid", liquid, number(volume)))
        return
    script.write(f"for well in [{', '.join(map(quoted, wells))}]:")
    script.write(f"    {call(f'{script.variables[labware]}[well].load_liquid', liquid, number(volume))}")


def _stands(script: Script, reference: str) -> bool:
    labware, well = split_well(reference)
    kind = script.kind(labware)
    if kind is None or well not in kind.wells or labware not in script.variables:
        script.remarks.refuse("contents", f"there is no '{reference}' on this workcell")
        return False
    return True


def _described(liquid: Liquid | None) -> str:
    if liquid is None:
        return ""
    parts = [f"sample {liquid.sample}" if liquid.sample else "", f"lot {liquid.lot}" if liquid.lot else ""]
    parts += sorted(liquid.behaviours)
    parts += [f"{name} {number(amount)} ng/µL" for name, amount in liquid.solutes.items()]
    return in_a_comment(", ".join(filter(None, parts)))
