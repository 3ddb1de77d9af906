"""What is wrong with a workcell file beyond its form, and what is merely doubtful."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.deck_conflicts import conflicts
from protocols.errors import Problem
from protocols.formats import Document
from protocols.specs import LabwareSpec, WorkcellSpec
from protocols.wells import split_well
from robots.workcell.built import BuiltDeck
from robots.workcell.config import LabwareConfig, OpentronsPipette, WorkcellConfig
from robots.workcell.names import nearest
from robots.workcell.pipettes import describe_pipette
from robots.workcell.slot_checks import Report, check_opentrons_pipettes, check_slots, why_no_site

OVERHANG = 2.0
"""mm by which labware may be larger than pylabrobot's figure for its site: those figures round differently."""

_DECKS = {"STAR": {"STAR", "STARlet"}, "STAR chatterbox": {"STAR", "STARlet"}, "OT-2": {"OT-2"}}


def find_problems(
    config: WorkcellConfig, kinds: Mapping[str, LabwareSpec], built: BuiltDeck, document: Document
) -> list[Problem]:
    """Every mistake in a workcell file, with its line. ``kinds`` are those that could be read."""
    problems: list[Problem] = []

    def report(path: tuple[str | int, ...], what: str, mend: str = "") -> None:
        field = ", ".join(f"entry {step + 1}" if isinstance(step, int) else step for step in path)
        problems.append(Problem(document.where(*path), f"{field}: {what}", mend))

    _check_devices(config, report)
    check_slots(config, kinds, built, report)
    _check_labware(config, kinds, built, report)
    _check_contents(config, kinds, report)
    return problems


TRAVEL_HEIGHT = 245.0
"""mm above the deck at which a STAR's channels travel; what is higher may be hit (pylabrobot's HamiltonDeck)."""


def find_doubts(config: WorkcellConfig, spec: WorkcellSpec, file: str) -> tuple[Problem, ...]:
    """What a person should know: unknown or guessed geometry, and what no site or pipette ever takes."""
    doubts: list[Problem] = []
    for name in config.kinds:
        kind = spec.kinds[name]
        where = f"{file}: kinds, {name}"
        if kind.source.startswith("guessed: "):
            doubts.append(Problem(where, f"its geometry is {kind.source}", "Give 'measured' heights and volumes"))
        if any(shape.profile is None for shape in kind.shapes.values()):
            doubts.append(Problem(where, "how high its liquid stands is unknown", "Heights are not checked in it"))
        if any(shape.dead_volume is None for shape in kind.shapes.values()):
            doubts.append(Problem(where, "its dead volume is unknown and counts as 0", "Give 'dead_volume'"))
        if not any(kind.category in site.accepts for site in spec.sites.values()):
            doubts.append(Problem(where, f"no site takes a {kind.category}"))
        if kind.tip is not None and not any(kind.tip.fits in pipette.fits for pipette in spec.pipettes.values()):
            doubts.append(Problem(where, f"no pipette takes its tips ({kind.tip.fits})"))
    return (*doubts, *_conflicts(spec, file), *_too_high(config, spec, file))


def _conflicts(spec: WorkcellSpec, file: str) -> list[Problem]:
    """What verification will refuse of any program: things that stand in each other's way."""
    return [
        Problem(
            f"{file}: {'labware' if found.place in spec.labware else 'devices'}, {found.place}", found.what, found.mend
        )
        for found in conflicts(spec, spec.labware)
    ]


def _too_high(config: WorkcellConfig, spec: WorkcellSpec, file: str) -> list[Problem]:
    if config.deck.type in ("OT-2", "Flex"):
        return []
    tops = {name: spec.sites[own.site].z + spec.kinds[own.kind].size[2] for name, own in config.labware.items()}
    mend = f"Channels travel {TRAVEL_HEIGHT:g} mm above the deck: put it elsewhere"
    return [
        Problem(f"{file}: labware, {name}", f"its top is {top:.4g} mm high", mend)
        for name, top in tops.items()
        if top > TRAVEL_HEIGHT
    ]


def _check_devices(config: WorkcellConfig, report: Report) -> None:
    for name, device in config.devices.items():
        decks = _DECKS.get(device.driver)
        if decks is not None and config.deck.type not in decks:
            report(("devices", name, "driver"), f"a {config.deck.type} deck is not moved by '{device.driver}'")
        if device.driver == "OT-2" and device.host is None:
            report(("devices", name), "the OT-2's address is missing", "Add 'host'")
    _check_pipettes(config, report)
    if config.arm is not None and getattr(config.devices.get(config.arm), "kind", None) != "arm":
        arms = [name for name, device in config.devices.items() if device.kind == "arm"]
        report(("arm",), f"there is no arm '{config.arm}'", nearest(config.arm, arms))


def _check_pipettes(config: WorkcellConfig, report: Report) -> None:
    for name, pipette in config.pipettes.items():
        known = config.devices.get(pipette.device)
        if known is None or known.kind != "liquid handler":
            handlers = [name for name, device in config.devices.items() if device.kind == "liquid handler"]
            report(
                ("pipettes", name, "device"),
                f"there is no liquid handler '{pipette.device}'",
                nearest(pipette.device, handlers),
            )
    check_opentrons_pipettes(config, report)
    if any(device.driver == "OT-2" for device in config.devices.values()):
        multi = [name for name, pipette in config.pipettes.items() if describe_pipette(name, pipette).channels > 1]
        for name in multi:
            report(("pipettes", name, "type"), "pylabrobot moves an OT-2's single-channel pipettes only")
        mounts = [pipette.mount for pipette in config.pipettes.values() if isinstance(pipette, OpentronsPipette)]
        if mounts not in (["left"], ["left", "right"]):
            report(("pipettes",), "pylabrobot needs an OT-2's left pipette, named before the right one")


def _check_labware(config: WorkcellConfig, kinds: Mapping[str, LabwareSpec], built: BuiltDeck, report: Report) -> None:
    taken: dict[str, str] = {}
    fittings = {fit for name, pipette in config.pipettes.items() for fit in describe_pipette(name, pipette).fits}
    for name, placed in config.labware.items():
        path = ("labware", name)
        if "/" in name or name != name.strip():
            report(path, "a labware's name has no slash and no spaces around it")
        if name in config.carriers or name in built.sites or built.deck.has_resource(name) or name == built.deck.name:
            report(path, "this name is taken by the deck, a carrier or a site", "Choose another")
        if placed.site in taken:
            report((*path, "site"), f"'{taken[placed.site]}' stands on '{placed.site}' already")
        taken[placed.site] = name
        if placed.kind not in config.kinds:
            report((*path, "kind"), f"there is no kind '{placed.kind}'", nearest(placed.kind, config.kinds))
        if placed.site not in built.holders:
            why = why_no_site(config, placed.site) or nearest(placed.site, built.holders)
            report((*path, "site"), f"there is no site '{placed.site}'", why)
        elif placed.kind in kinds:
            _check_fit(path, placed, kinds[placed.kind], built, report)
        kind = kinds.get(placed.kind)
        if kind is not None and kind.tip is not None and kind.tip.fits not in fittings:
            report(path, f"no pipette takes its tips ({kind.tip.fits})", f"Pipettes take {', '.join(sorted(fittings))}")
        if placed.lid and kind is not None and kind.category != "plate":
            report((*path, "lid"), f"a {kind.category} has no lid")


def _check_fit(
    path: tuple[str, ...], placed: LabwareConfig, kind: LabwareSpec, built: BuiltDeck, report: Report
) -> None:
    site = built.sites[placed.site]
    if kind.category not in site.accepts:
        takes = ", ".join(sorted(site.accepts))
        report((*path, "site"), f"'{placed.site}' takes no {kind.category}", f"It takes: {takes}")
        return
    holder = built.holders[placed.site]
    room = (holder.get_size_x(), holder.get_size_y())
    if kind.size[0] > room[0] + OVERHANG or kind.size[1] > room[1] + OVERHANG:
        report(
            (*path, "site"),
            f"'{placed.kind}' ({kind.size[0]:g} x {kind.size[1]:g} mm) is larger than the site's "
            f"{room[0]:g} x {room[1]:g} mm",
        )


def _check_contents(config: WorkcellConfig, kinds: Mapping[str, LabwareSpec], report: Report) -> None:
    filled: dict[str, float] = {}
    for index, content in enumerate(config.contents):
        path = ("contents", index)
        if content.liquid not in config.liquids:
            report((*path, "liquid"), f"there is no liquid '{content.liquid}'", nearest(content.liquid, config.liquids))
        for reference in content.wells:
            labware, well = split_well(reference)
            placed = config.labware.get(labware)
            if placed is None:
                report((*path, "wells"), f"there is no labware '{labware}'", nearest(labware, config.labware))
                break
            kind = kinds.get(placed.kind)
            if kind is None:
                break
            if kind.tip is not None or well not in kind.wells:
                report((*path, "wells"), f"'{labware}' has no well '{well}'", nearest(well, kind.wells))
                break
            filled[reference] = filled.get(reference, 0.0) + content.volume
            most = kind.shape(well).max_volume
            if filled[reference] > most:
                report((*path, "volume"), f"{reference} would hold {filled[reference]:g} µL, it takes {most:g} µL")
                break
