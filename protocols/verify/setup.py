"""Checks of what is there before anything moves: labware, liquids, liquid classes, dependencies."""

from __future__ import annotations

import re
from collections.abc import Mapping

from protocols.deck_conflicts import Conflict, conflicts
from protocols.fillings import Filling
from protocols.labstate import LabState
from protocols.liquids import Behaviour
from protocols.program import Program
from protocols.quantities import show_volume
from protocols.specs import OFF_DECK, LabwareSpec, PlacedLabware, SiteSpec, WorkcellSpec
from protocols.verify.findings import Ledger

TELLING_NAMES: dict[Behaviour, str] = {
    "viscous": r"glycerol|glycerin|PEG|polyethylene glycol|oil|syrup|DMSO|dimethyl sulfoxide|methylcellulose|Matrigel",
    "volatile": r"ethanol|EtOH|methanol|MeOH|isopropanol|propanol|IPA|acetone|acetonitrile|chloroform|ether|hexane",
    "foaming": r"tween|triton|SDS|NP-?40|detergent|soap|BSA|albumin|saponin|digitonin|CHAPS",
}
"""Names by which liquids that depart from water are known."""

_PATTERNS = {
    kind: re.compile(rf"(?<![A-Za-z])(?:{names})(?![a-z])", re.IGNORECASE) for kind, names in TELLING_NAMES.items()
}


def check_set_up(
    program: Program, workcell: WorkcellSpec, state: LabState, fillings: Mapping[str, Filling], ledger: Ledger
) -> None:
    """Look at the deck before the first instruction; ``state`` is the state at the start, filled with ``fillings``."""
    _check_labware(program, workcell, ledger)
    for conflict in conflicts(workcell, {**workcell.labware, **program.labware}):
        ledger.add("P14", conflict.what, mend=conflict.mend, place=conflict.place)
    if not _is_plain(program, workcell, state, fillings):
        _check_contents(program, workcell, state, ledger)
    _check_liquids(program, workcell, ledger)


def conflicts_of(state: LabState, labware: str) -> list[Conflict]:
    """In whose way a piece of labware stands that was carried to where it is now."""
    instance = state.labware[labware]
    placed = {labware: PlacedLabware(kind=instance.spec.kind, site=instance.site)}
    return [conflict for conflict in conflicts(state.workcell, placed) if conflict.place == labware]


def _check_labware(program: Program, workcell: WorkcellSpec, ledger: Ledger) -> None:
    taken = {placed.site: name for name, placed in workcell.labware.items()}
    for name, placed in program.labware.items():
        own = workcell.labware.get(name)
        if own is not None:
            _check_own(name, placed, own, ledger)
            continue
        kind, site = workcell.kinds.get(placed.kind), workcell.sites.get(placed.site)
        if kind is None:
            known = ", ".join(sorted(workcell.kinds)[:8])
            ledger.add("P02", f"the workcell does not know '{placed.kind}'", mend=f"it knows {known}", place=name)
        if placed.site == OFF_DECK:
            continue
        if site is None:
            ledger.add("P03", f"there is no site '{placed.site}' for it", mend="choose a site of this deck", place=name)
            continue
        if placed.site in taken:
            ledger.add(
                "P04",
                f"'{taken[placed.site]}' stands on '{placed.site}' already",
                mend="choose a free site",
                place=name,
            )
        elif kind is not None:
            _check_site(name, kind, site, ledger)
        taken[placed.site] = name


def _check_own(name: str, placed: PlacedLabware, own: PlacedLabware, ledger: Ledger) -> None:
    """Labware of the workcell's own is where the workcell has it, whatever the program says."""
    if (placed.kind, placed.site) != (own.kind, own.site):
        message = f"the workcell has other labware of this name: '{own.kind}' on '{own.site}'"
        ledger.add("P04", message, mend="choose another name", place=name)
    elif placed.lid != own.lid or placed.barcode not in (None, own.barcode):
        what = "lid" if placed.lid != own.lid else "barcode"
        message = f"the workcell says otherwise of its {what}"
        ledger.add("P15", message, mend="look at what stands there, and correct the one that is wrong", place=name)


def _check_site(name: str, kind: LabwareSpec, site: SiteSpec, ledger: Ledger) -> None:
    takes = ", ".join(sorted(site.accepts))
    if not site.fits(kind):
        message = f"'{kind.kind}' reaches {site.overhang(kind):.3g} mm beyond '{site.id}'"
        ledger.add("P05", message, mend=f"choose a larger site; this one takes a {takes}", place=name)
    elif kind.category not in site.accepts:
        message = f"'{site.id}' is not made for a {kind.category}: it takes a {takes}"
        ledger.add("P10", message, mend="choose a site for it, or see that it stands firm and straight", place=name)


def _is_plain(program: Program, workcell: WorkcellSpec, state: LabState, fillings: Mapping[str, Filling]) -> bool:
    """Whether there is nothing to say of what the wells start with; found without a look at each fill."""
    for name, filling in fillings.items():
        well = state.wells.get(name)
        if filling.short or well is None or well.volume > well.max_volume:
            return False
    poured: set[str] = set().union(*(filling.amounts for filling in fillings.values()))
    return poured <= (program.liquids.keys() | workcell.liquids.keys())


def _check_contents(program: Program, workcell: WorkcellSpec, state: LabState, ledger: Ledger) -> None:
    described = program.liquids.keys() | workcell.liquids.keys()
    for fill in program.contents:
        if fill.volume > 0.0 and fill.liquid not in described:
            ledger.add("L13", f"'{fill.liquid}' is not described", mend="describe it under liquids", place=fill.well)
        if fill.declared is not None and fill.declared < fill.volume:
            message = (
                f"{show_volume(fill.declared)} of '{fill.liquid}' are declared, {show_volume(fill.volume)} are needed"
            )
            ledger.add("L15", message, mend="fill in what is needed, or correct what is declared", place=fill.well)
        well = state.wells.get(fill.well)
        if well is None and (fill.volume > 0.0 or fill.settled is not None):
            ledger.add("P01", "there is no such well to start with", mend="check labware and well", place=fill.well)
        elif well is not None and well.volume > well.max_volume:
            ledger.add(
                "L12",
                f"starts with {show_volume(well.volume)}, it holds {show_volume(well.max_volume)}",
                mend="start with less",
                place=fill.well,
            )


def _check_liquids(program: Program, workcell: WorkcellSpec, ledger: Ledger) -> None:
    for name, liquid in {**workcell.liquids, **program.liquids}.items():
        for behaviour, pattern in _PATTERNS.items():
            if behaviour not in liquid.behaviours and pattern.search(name):
                ledger.add(
                    "L06",
                    f"'{name}' looks {behaviour}, and is not declared so",
                    mend=f"declare it {behaviour}, or rename it if it is not",
                    place=name,
                )


def check_order(program: Program, ledger: Ledger) -> None:
    """Every instruction waits only for instructions that stand before it."""
    seen: set[str] = set()
    for instruction in program.instructions:
        for other in instruction.after or ():
            if other not in seen:
                ledger.add(
                    "D06",
                    f"'{instruction.id}' waits for '{other}', which does not come before it",
                    mend="name an earlier instruction",
                    step=instruction.step,
                    at=instruction.id,
                )
        seen.add(instruction.id)
