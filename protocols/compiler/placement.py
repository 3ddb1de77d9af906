"""Where the labware of a protocol stands, and of what kind it is. Volumes µL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from protocols.compiler.geometry import nearest
from protocols.compiler.materials import Standing
from protocols.compiler.pairs import Pair
from protocols.compiler.passing import flows_of, wells_of
from protocols.compiler.removal import removals
from protocols.errors import CompileError, UnknownNameError
from protocols.labstate import LabState
from protocols.protocol import AnyStep, Instructions, LabwareNeed, MixWells, Move, Protocol, Remove, SerialDilution
from protocols.quantities import show_volume
from protocols.specs import OFF_DECK, Fill, LabwareSpec, PlacedLabware, SiteSpec, WorkcellSpec
from protocols.wells import split_well

Taken = Sequence[tuple[AnyStep, Sequence[Pair]]]
"""The steps of a protocol with their pairs."""


@dataclass
class Occupied:
    """Sites where something stands, and what.

    Attributes:
        fixed: that stays.
        left: left there by an earlier run; a person takes it away where its site is needed.
    """

    fixed: dict[str, str]
    left: dict[str, str] = field(default_factory=dict)
    coming: Collection[str] = ()

    @classmethod
    def on(cls, workcell: WorkcellSpec, state: LabState | None, coming: Collection[str]) -> Occupied:
        """What stands on the deck now; ``coming`` are the names of labware about to be placed."""
        if state is None:
            return cls({placed.site: name for name, placed in workcell.labware.items()})
        standing = {site: name for site in workcell.sites if (name := state.labware_at(site)) is not None}
        fixed = {site: name for site, name in standing.items() if name in workcell.labware}
        return cls(fixed, {site: name for site, name in standing.items() if site not in fixed}, coming)

    def has_room(self, site: str, name: str) -> bool:
        """Whether ``name`` can be put on ``site``."""
        left = self.left.get(site)
        return site not in self.fixed and (left in (None, name) or left not in self.coming)

    def holder(self, site: str) -> str | None:
        """What stands on ``site``."""
        return self.fixed.get(site) or self.left.get(site)


def wells_used(protocol: Protocol, steps: Taken) -> dict[str, dict[str, str]]:
    """By labware, the wells that the protocol names, each with where it names it first."""
    named: dict[str, dict[str, str]] = defaultdict(dict)

    def note(references: Iterable[str], where: str) -> None:
        for reference in references:
            labware, well = split_well(reference)
            named[labware].setdefault(well, where)

    for material in protocol.materials:
        note(material.wells, f"materials, '{material.liquid}'")
    for step, pairs in steps:
        where = f"step '{step.id}'"
        for pair in pairs:
            note((pair.source, pair.destination), where)
        if isinstance(step, MixWells | SerialDilution | Remove):
            note(step.wells, where)
        elif isinstance(step, Instructions):
            note(wells_of(step.instructions), where)
    return named


def peaks(steps: Taken, fills: Sequence[Fill], standing: Standing) -> dict[str, float]:
    """The most that each well holds at any time, films left aside."""
    flows = [flow for step, pairs in steps for flow in _flows(step, pairs)]
    touched = {well for source, destination, _ in flows for well in (source, destination) if well is not None}
    volumes = defaultdict(float, {well: standing.volume(well) for well in touched})
    for fill in fills:
        volumes[fill.well] += fill.volume
    most = dict(volumes)
    for source, destination, volume in flows:
        held = volumes[source]
        volumes[source] = held - volume if held >= volume or destination is not None else min(held, 0.0)
        if destination is not None:
            volumes[destination] += volume
            most[destination] = max(most[destination], volumes[destination])
    return most


def _flows(step: AnyStep, pairs: Sequence[Pair]) -> Iterable[tuple[str, str | None, float]]:
    """(source, destination, µL) of a step; no destination for what is thrown away."""
    match step:
        case Remove():
            return ((well, None, volume) for well, volume in removals(step))
        case Instructions():
            return flows_of(step)
    return ((pair.source, pair.destination, pair.volume) for pair in pairs)


def check_names(protocol: Protocol, workcell: WorkcellSpec, named: Mapping[str, Mapping[str, str]]) -> None:
    """Make sure that all labware that the protocol refers to is declared or on the deck.

    Raises:
        UnknownNameError: naming the step and the nearest name.
    """
    known = [*protocol.labware, *workcell.labware]
    for labware, wells in named.items():
        if labware not in protocol.labware and labware not in workcell.labware:
            raise UnknownNameError(
                f"there is no labware '{labware}'", where=next(iter(wells.values())), mend=nearest(labware, known)
            )
    for step in protocol.steps:
        if isinstance(step, Move) and step.labware not in known:
            raise UnknownNameError(
                f"there is no labware '{step.labware}'",
                where=f"step '{step.id}'",
                mend=nearest(step.labware, known),
            )


def check_lids(workcell: WorkcellSpec, placed: Mapping[str, PlacedLabware], steps: Taken) -> None:
    """Make sure that no tip has to go through a lid.

    Raises:
        CompileError: naming the step and the labware.
    """
    lidded = {name for name, labware in {**workcell.labware, **placed}.items() if labware.lid}
    for step, pairs in steps:
        wells = [well for pair in pairs for well in (pair.source, pair.destination)]
        for well in (*wells, *(step.wells if isinstance(step, MixWells | Remove) else ())):
            labware = split_well(well)[0]
            if labware in lidded:
                raise CompileError(
                    f"'{labware}' has its lid on",
                    where=f"step '{step.id}'",
                    mend="Take the lid off, and declare the labware without it",
                )


def place_labware(
    protocol: Protocol,
    workcell: WorkcellSpec,
    named: Mapping[str, Mapping[str, str]],
    most: Mapping[str, float],
    state: LabState | None,
) -> dict[str, PlacedLabware]:
    """Kind and site of each piece of labware that a person must place, in the protocol's order.

    Raises:
        CompileError: no kind fits, or no suitable site is free.
        UnknownNameError: a kind or a site that the workcell does not have.
    """
    taken = Occupied.on(workcell, state, protocol.labware)
    needs = {
        name: need
        for name, need in protocol.labware.items()
        if name not in workcell.labware and not left_to_workcell(protocol, name, workcell)
    }
    kinds = {name: _kind(workcell, name, need, list(named.get(name, ())), most) for name, need in needs.items()}
    _check_standing(protocol, workcell)
    sites: dict[str, str] = {}
    for name, need in sorted(needs.items(), key=lambda item: item[1].site is None):
        sites[name] = _site(workcell, name, need, kinds[name], taken)
        if sites[name] != OFF_DECK:
            taken.fixed[sites[name]] = name
    return {
        name: PlacedLabware(kind=kinds[name].kind, site=sites[name], barcode=need.barcode, lid=need.lid)
        for name, need in needs.items()
    }


def left_to_workcell(protocol: Protocol, name: str, workcell: WorkcellSpec) -> bool:
    """Whether a rack of tips of the protocol is left out: a kind that a workcell with tips of its own does not know."""
    need = protocol.labware[name]
    if need.category != "tip rack" or need.kind is None or need.kind in workcell.kinds:
        return False
    return any(workcell.kinds[placed.kind].tip is not None for placed in workcell.labware.values())


def _check_standing(protocol: Protocol, workcell: WorkcellSpec) -> None:
    """Labware that the protocol asks for by the name of something on the deck must be what stands there."""
    for name, need in protocol.labware.items():
        placed = workcell.labware.get(name)
        if placed is None:
            continue
        spec = workcell.kinds[placed.kind]
        if need.kind not in (None, placed.kind) or need.category != spec.category:
            raise CompileError(
                f"the workcell's '{name}' is a {spec.category} of kind '{placed.kind}', "
                f"the protocol asks for a {need.category}" + (f" of kind '{need.kind}'" if need.kind else ""),
                where=f"labware.{name}",
                mend="Give the protocol's labware another name, or change the deck",
            )
        if need.site not in (None, placed.site):
            raise CompileError(
                f"'{name}' stands on site '{placed.site}', the protocol wants it on '{need.site}'",
                where=f"labware.{name}",
                mend="Move it in the workcell file, or leave the site out",
            )


def _kind(
    workcell: WorkcellSpec, name: str, need: LabwareNeed, wells: Sequence[str], most: Mapping[str, float]
) -> LabwareSpec:
    if need.kind is not None:
        if need.kind not in workcell.kinds:
            raise UnknownNameError(
                f"the workcell knows no labware of kind '{need.kind}'",
                where=f"labware.{name}.kind",
                mend=nearest(need.kind, list(workcell.kinds)),
            )
        return workcell.kinds[need.kind]
    candidates = [spec for spec in workcell.kinds.values() if spec.category == need.category]
    fitting = [spec for spec in workcell.kinds.values() if _suits(spec, name, need, wells, most)]
    for spec in fitting:
        if spec.category == need.category:
            return spec
    needed = max((most.get(f"{name}/{well}", 0.0) for well in wells), default=0.0)
    known = ", ".join(
        f"{spec.kind} ({len(spec.wells)} wells of "
        f"{show_volume(max((shape.max_volume for shape in spec.shapes.values()), default=0.0))})"
        for spec in candidates
    )
    last = f"; wells up to {wells[-1]} are used" if wells else ""
    of = f" of {need.positions} wells" if need.positions else ""
    raise CompileError(
        f"no {need.category}{of} holds {show_volume(max(needed, need.holds or 0.0))} a well{last}",
        where=f"labware.{name}",
        mend=f"The workcell knows: {known or 'none of this category'}" + _instead(fitting),
    )


def _suits(spec: LabwareSpec, name: str, need: LabwareNeed, wells: Sequence[str], most: Mapping[str, float]) -> bool:
    """Whether labware of this kind has the wells that are used and holds what comes into them."""
    if need.positions not in (None, len(spec.wells)):
        return False
    if need.holds and min((shape.max_volume for shape in spec.shapes.values()), default=0.0) < need.holds - 1e-9:
        return False
    return all(
        well in spec.wells
        and (spec.tip is not None or most.get(f"{name}/{well}", 0.0) <= spec.shape(well).max_volume + 1e-9)
        for well in wells
    )


def _instead(fitting: Sequence[LabwareSpec]) -> str:
    """Labware of other categories that would do."""
    others = [f"{spec.category} {spec.kind}" for spec in fitting if spec.tip is None and spec.shapes]
    return f". With another category these would do: {', '.join(others[:3])}" if others else ""


def _site(workcell: WorkcellSpec, name: str, need: LabwareNeed, kind: LabwareSpec, taken: Occupied) -> str:
    suitable = [site for site in workcell.sites.values() if kind.category in site.accepts and site.fits(kind)]
    free = sorted(
        (site for site in suitable if taken.has_room(site.id, name)),
        key=lambda site: (
            site.id in taken.left,
            not site.pipettes,
            site.device is not None or site.adapter is not None,
        ),
    )
    if need.site is None:
        if free:
            return free[0].id
        raise CompileError(
            f"no free site takes a {kind.category}",
            where=f"labware.{name}",
            mend=_sites_in_words(suitable, taken, kind.category),
        )
    if need.site == OFF_DECK:
        return OFF_DECK
    if need.site not in workcell.sites:
        raise UnknownNameError(
            f"there is no site '{need.site}'",
            where=f"labware.{name}.site",
            mend=nearest(need.site, list(workcell.sites)),
        )
    if workcell.sites[need.site] not in free:
        holder = taken.holder(need.site)
        small = "" if workcell.sites[need.site].fits(kind) else f" as large as '{kind.kind}'"
        reason = f"'{holder}' stands there" if holder else f"it takes no {kind.category}{small}"
        raise CompileError(
            f"'{name}' cannot stand on site '{need.site}': {reason}",
            where=f"labware.{name}.site",
            mend=f"Free for a {kind.category}: {', '.join(site.id for site in free) or 'none'}",
        )
    return need.site


def _sites_in_words(suitable: Sequence[SiteSpec], taken: Occupied, category: str) -> str:
    if not suitable:
        return f"The deck has no site for a {category}"
    return "Taken are: " + ", ".join(f"{site.id} by '{taken.holder(site.id)}'" for site in suitable)


def still_standing(
    placed: Mapping[str, PlacedLabware], fills: Sequence[Fill], state: LabState | None
) -> tuple[str, ...]:
    """The labware that an earlier run left where this protocol wants it: it stays, with what is in it.

    As in :meth:`LabState.set_up`, labware that is filled for this protocol is new.
    """
    if state is None:
        return ()
    filled = {split_well(fill.well)[0] for fill in fills}
    return tuple(
        name
        for name, labware in placed.items()
        if (old := state.labware.get(name)) is not None
        and (old.spec.kind, old.site) == (labware.kind, labware.site)
        and name not in filled
    )


def sites_taken(placed: Mapping[str, PlacedLabware], workcell: WorkcellSpec, state: LabState | None) -> dict[str, str]:
    """What stands on which site when the run begins."""
    own = {labware.site: name for name, labware in placed.items() if labware.site != OFF_DECK}
    if state is None:
        return {labware.site: name for name, labware in workcell.labware.items()} | own
    standing = {site: name for site in workcell.sites if (name := state.labware_at(site)) is not None}
    return {site: name for site, name in standing.items() if name not in placed} | own
