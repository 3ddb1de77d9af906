"""What is wrong with an OT-2's or a Flex's modules, adapters, bins and pipettes in a workcell file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from protocols.specs import LabwareSpec
from robots.workcell.built import BuiltDeck
from robots.workcell.config import DeviceConfig, ModuleKind, OpentronsPipette, WorkcellConfig
from robots.workcell.flex import MAIN_SLOTS, STAGING_SLOTS, trash_slot
from robots.workcell.modules import MODULES, covered_slots, slots_of
from robots.workcell.names import nearest
from robots.workcell.pipettes import describe_pipette, is_flex_pipette

Report = Callable[..., None]
"""Takes the path to a field, what is wrong with it, and what to do about it."""

_KINDS = frozenset(model.kind for model in MODULES.values())
_WHOLE_GANTRY = 96


def check_slots(config: WorkcellConfig, kinds: Mapping[str, LabwareSpec], built: BuiltDeck, report: Report) -> None:
    """Report what is wrong with the deck's own fields, its modules and its adapters."""
    _check_deck(config, report)
    taken = _taken_by_bins(config, report)
    for name, device in config.devices.items():
        _check_module(config, name, device, taken, report)
    _check_adapters(config, kinds, built, taken, report)


def _check_deck(config: WorkcellConfig, report: Report) -> None:
    deck = config.deck
    if deck.type != "generic":
        for field in ("size", "sites"):
            if getattr(deck, field):
                report(("deck", field), f"{_named(deck.type)} has its own {field}", f"Remove '{field}'")
    if deck.type == "Flex":
        return
    if deck.trash is not None:
        report(("deck", "trash"), f"the trash of {_named(deck.type)} is not chosen here", "Remove 'trash'")
    if deck.staging:
        report(("deck", "staging"), f"{_named(deck.type)} has no staging area", "Remove 'staging'")


def _taken_by_bins(config: WorkcellConfig, report: Report) -> dict[str, str]:
    """The slots that bins and the chute take, and what takes them."""
    taken: dict[str, str] = {}
    for trash in config.deck.bins if config.deck.type == "Flex" else ():
        slot = trash_slot(trash)
        if slot in taken:
            report(("deck", "trash"), f"two bins at {slot}", "Name each place once")
        taken[slot] = "a trash bin" if trash in MAIN_SLOTS else "the waste chute"
    return taken


def _check_module(
    config: WorkcellConfig, name: str, device: DeviceConfig, taken: dict[str, str], report: Report
) -> None:
    path = ("devices", name)
    if device.kind not in _KINDS:
        for field in ("model", "slot", "starts_open"):
            if getattr(device, field) is not None:
                report((*path, field), f"{_named(device.kind)} has no {field}", f"Remove '{field}'")
        return
    if device.driver != "simulated":
        report((*path, "driver"), f"a {device.kind} moves in the simulated lab only", "Write driver: simulated")
    if device.model is None or device.slot is None:
        models = ", ".join(known for known, model in MODULES.items() if model.kind == device.kind)
        report(path, f"a {device.kind} needs a 'model' and a 'slot'", f"Its models: {models}")
    elif MODULES[device.model].kind != device.kind:
        report((*path, "model"), f"a {device.model} is a {MODULES[device.model].kind}, not a {device.kind}")
    elif config.deck.type not in ("OT-2", "Flex"):
        report(path, f"a {device.model} stands on an OT-2 or a Flex, not on a {config.deck.type}")
    else:
        _check_place(config.deck.type, path, device.model, device.slot, taken, report)
        for slot in (device.slot, *covered_slots(device.model, config.deck.type)):
            taken.setdefault(slot, f"'{name}'")


def _check_place(
    robot: str, path: tuple[str, ...], model: str, slot: str, taken: Mapping[str, str], report: Report
) -> None:
    slots = slots_of(model, robot)
    if slot not in slots:
        where = f"It stands on: {', '.join(slots)}" if slots else "Choose a module that it takes"
        report((*path, "slot"), f"a {model} cannot stand on {slot} of {_named(robot)}", where)
        return
    for needed in (slot, *covered_slots(model, robot)):
        if needed in taken:
            report((*path, "slot"), f"it needs {needed}, which {taken[needed]} takes", "Move one of them")


def _check_adapters(
    config: WorkcellConfig,
    kinds: Mapping[str, LabwareSpec],
    built: BuiltDeck,
    taken: Mapping[str, str],
    report: Report,
) -> None:
    for site, kind in config.adapters.items():
        path = ("adapters", site)
        if config.deck.type not in ("OT-2", "Flex"):
            report(path, f"{_named(config.deck.type)} has carriers and no fixed adapters", "Remove it")
        elif site not in built.holders:
            why = f"{taken[site]} takes it" if site in taken else nearest(site, built.holders)
            report(path, f"there is no site '{site}'", why)
        if kind not in config.kinds:
            report(path, f"there is no kind '{kind}'", nearest(kind, config.kinds))
        elif kind in kinds and kinds[kind].category != "adapter":
            report(path, f"'{kind}' is a {kinds[kind].category}, not an adapter")
        module = config.kinds.get(kind)
        if isinstance(module, ModuleKind) and site not in slots_of(module.module, "Flex"):
            report(path, f"a {module.module} cannot stand on {site}", "It stands on a Flex, on A1 to D3")
        elif isinstance(module, ModuleKind) and site in taken:
            report(path, f"a {module.module} cannot stand on {site}, which {taken[site]} takes", "Move one of them")


def why_no_site(config: WorkcellConfig, site: str) -> str:
    """Why a Flex or an OT-2 has no site of this name, where there is a reason beside a wrong name; else ""."""
    for name, device in config.devices.items():
        if device.model is not None and site in covered_slots(device.model, config.deck.type):
            return f"'{name}' covers it"
    if config.deck.type == "Flex":
        if site in {trash_slot(trash) for trash in config.deck.bins}:
            return "the trash stands there"
        if site in STAGING_SLOTS:
            return f"what stands on {site[0]}3 leaves no room for a staging area"
    return ""


def check_opentrons_pipettes(config: WorkcellConfig, report: Report) -> None:
    """Report pipettes on the wrong robot and on mounts that are taken."""
    mounts: dict[str, str] = {}
    for name, pipette in config.pipettes.items():
        if not isinstance(pipette, OpentronsPipette):
            if config.deck.type in ("OT-2", "Flex"):
                report(("pipettes", name, "type"), f"{_named(config.deck.type)} has no {pipette.type}")
            continue
        if config.deck.type != ("Flex" if is_flex_pipette(pipette.type) else "OT-2"):
            report(("pipettes", name, "type"), f"{_named(config.deck.type)} has no {pipette.type}")
        whole = describe_pipette(name, pipette).channels == _WHOLE_GANTRY
        if whole and pipette.mount != "left":
            report(("pipettes", name, "mount"), f"a {pipette.type} takes both mounts", "Write mount: left")
        for mount in ("left", "right") if whole else (pipette.mount,):
            if mount in mounts:
                report(("pipettes", name, "mount"), f"'{mounts[mount]}' is on the {mount} mount already")
            mounts[mount] = name


def _named(what: str) -> str:
    what = "generic deck" if what == "generic" else what
    return f"an {what}" if what.startswith(("O", "a")) else f"a {what}"
