"""pylabrobot's picture of the deck, kept in step with LabState.

pylabrobot's own record cannot be trusted with the truth: it does not restore (tip liquid and origin are lost,
moved plates return), knows one float per well, and guesses after a failure. LabState is the record. Before each
instruction the mirror sets from it what the instruction is about to use: labware places, mounted tips, tips at
spots, volumes. It reads LabState and never writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pylabrobot.liquid_handling.standard import GripDirection, ResourcePickup
from pylabrobot.resources import Container, Coordinate, Plate, Resource, ResourceHolder, Tip, TipRack, TipSpot
from pylabrobot.resources.tip_tracker import TipTracker

from protocols import tips
from protocols.devices import holds_fast
from protocols.errors import DeviceError
from protocols.labstate import LabState
from protocols.program import (
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    PickUpTips,
    PipettingInstruction,
    TouchTip,
)
from protocols.specs import OFF_DECK, WorkcellSpec
from protocols.vessels import LabwareInstance
from protocols.wells import split_well
from robots.guard import GuardedLiquidHandler, Refused
from robots.simulator.translation import HEAD_96, is_core_head
from robots.workcell import Workcell
from robots.workcell.built import TRASH, BuiltDeck
from robots.workcell.labware import containers_of, spots_of

GRIP_BELOW_TOP = 5.0
"""mm below a plate's top where it is gripped: pylabrobot's default."""


def number_channels(workcell: WorkcellSpec) -> dict[str, tuple[int, ...]]:
    """pylabrobot's numbers for each pipette's channels: pipettes one after the other, a CO-RE head apart.

    Raises:
        DeviceError: there is more than one CO-RE head.
    """
    numbers: dict[str, tuple[int, ...]] = {}
    first = 0
    for name, pipette in workcell.pipettes.items():
        if is_core_head(pipette):
            numbers[name] = tuple(range(pipette.channels))
            continue
        numbers[name] = tuple(range(first, first + pipette.channels))
        first += pipette.channels
    if sum(map(is_core_head, workcell.pipettes.values())) > 1:
        raise DeviceError("pylabrobot moves one 96 head, this workcell has more", where=f"workcell {workcell.name}")
    return numbers


@dataclass(slots=True)
class _Standing:
    """A piece of labware as pylabrobot has it."""

    instance: LabwareInstance
    site: str
    lid: bool
    resource: Resource
    wells: Mapping[str, Container]
    spots: Mapping[str, TipSpot]


class Mirror:
    """Keeps one pylabrobot deck and the heads of one liquid handler in step with a LabState."""

    def __init__(self, workcell: Workcell, state: LabState) -> None:
        self._workcell = workcell
        self._state = state
        self._built: BuiltDeck = workcell.place({})
        self._standing: dict[str, _Standing] = {}
        self._prototypes: dict[str, TipSpot] = {}
        self.numbers = number_channels(workcell.spec)
        self.heads = frozenset(name for name, pipette in workcell.spec.pipettes.items() if is_core_head(pipette))
        self.follow_labware()

    @property
    def deck(self) -> Resource:
        """pylabrobot's deck."""
        return self._built.deck

    # -- names to resources -------------------------------------------------------------------------

    def labware(self, name: str) -> Resource:
        """pylabrobot's resource for a piece of labware.

        Raises:
            Refused: it does not stand on the deck.
        """
        if name == self._workcell.spec.trash:
            return self._built.deck.get_resource(TRASH)
        return self._stands(name).resource

    def site(self, name: str) -> ResourceHolder:
        """pylabrobot's holder of a site; off the deck, the place above the waste chute.

        Raises:
            Refused: there is no such site, or nothing can be put there.
        """
        holder = self._built.chute if name == OFF_DECK else self._built.holders.get(name)
        if holder is None:
            raise Refused(f"there is no site '{name}' that labware can be put on", place=name)
        return holder

    def container(self, reference: str) -> Container:
        """The well that ``reference`` names.

        Raises:
            Refused: there is none.
        """
        labware, well = split_well(reference)
        if labware == self._workcell.spec.trash:
            trash = self._built.deck.get_resource(TRASH)
            if isinstance(trash, Container) and reference in self._state.wells:
                return trash
            raise Refused("no liquid goes there", place=reference)
        found = self._stands(labware).wells.get(well)
        if found is None:
            raise Refused("there is no such well", place=reference)
        return found

    def spot(self, reference: str) -> TipSpot:
        """The tip spot that ``reference`` names.

        Raises:
            Refused: there is none.
        """
        labware, spot = split_well(reference)
        found = self._stands(labware).spots.get(spot)
        if found is None:
            raise Refused("there is no such tip spot", place=reference)
        return found

    def any_container(self) -> Container:
        """Some container on the deck.

        Raises:
            Refused: there is none.
        """
        for standing in self._standing.values():
            for container in standing.wells.values():
                return container
        raise Refused("nothing on the deck holds liquid")

    def _stands(self, name: str) -> _Standing:
        standing = self._standing.get(name)
        if standing is None:
            raise Refused(f"'{name}' does not stand on the deck", place=name)
        return standing

    # -- following LabState -------------------------------------------------------------------------

    def follow(self, handler: GuardedLiquidHandler, instruction: PipettingInstruction) -> None:
        """Set what ``instruction`` is about to use from LabState."""
        self._follow_channels(handler, instruction.pipette)
        if isinstance(instruction, PickUpTips | DropTips):
            self._follow_spots(instruction.spots or ())
        if isinstance(instruction, Aspirate | Dispense | Mix | BlowOut | TouchTip):
            for reference in set(instruction.wells):
                tracker = self.container(reference).tracker
                tracker.volume = tracker.pending_volume = min(self._state.volume(reference), tracker.max_volume)

    def obstacles(self) -> tuple[dict[str, str], dict[str, str]]:
        """What keeps pipettes from labware, by its name, and what keeps the gripper from a site."""
        kept = {name: item.obstacle for name, item in self._state.labware.items() if item.obstacle is not None}
        spec, fast = self._workcell.spec, {}
        for site in spec.sites.values():
            now = self._state.devices.get(site.device or "")
            reason = None if now is None else holds_fast(spec.devices[site.device or ""], now)
            holder = self._built.holders.get(site.id)
            if reason is not None and holder is not None:
                fast[holder.name] = f"{site.device}: {reason}"
        return {name: reason for name, reason in kept.items() if reason != "lid in the way"}, fast

    def follow_labware(self, held: Resource | None = None) -> None:
        """Stand every piece of labware where LabState says; ``held`` is in the gripper and stays so."""
        wanted = {name: item for name, item in self._state.labware.items() if name != self._workcell.spec.trash}
        changed = [name for name, item in wanted.items() if not self._is_standing(name, item)]
        gone = [name for name in self._standing if name not in wanted]
        for name in (*changed, *gone):
            standing = self._standing.get(name)
            if standing is not None and standing.resource is not held:
                standing.resource.unassign()
                if name in gone or standing.instance.spec.kind != wanted[name].spec.kind:
                    del self._standing[name]
        for name in changed:
            self._stand(name, wanted[name], held)

    def _is_standing(self, name: str, item: LabwareInstance) -> bool:
        standing = self._standing.get(name)
        same = standing is not None and standing.instance is item and standing.lid == item.lid
        wanted = None if item.site == OFF_DECK else self._built.holders.get(item.site)
        return same and standing is not None and standing.resource.parent is wanted

    def _stand(self, name: str, item: LabwareInstance, held: Resource | None) -> None:
        standing = self._standing.get(name)
        if standing is None or standing.lid != item.lid:
            resource = self._workcell.make(name, item.spec.kind, lid=item.lid)
            standing = _Standing(item, item.site, item.lid, resource, containers_of(resource), spots_of(resource))
            self._standing[name] = standing
        standing.instance, standing.site = item, item.site
        if standing.resource is not held and item.site != OFF_DECK:
            try:
                self.site(item.site).assign_child_resource(standing.resource)
            except (ValueError, AssertionError) as error:  # pylabrobot refuses it: its name, or its sort of plate
                raise DeviceError(f"'{name}' cannot stand on '{item.site}': {error}", where=f"labware {name}") from None

    def _follow_channels(self, handler: GuardedLiquidHandler, pipette: str) -> None:
        mounted = self._state.channels.get(pipette, [])
        trackers = handler.head96 if pipette in self.heads else handler.head
        for number, tip in zip(self.numbers.get(pipette, ()), mounted, strict=True):
            if number in trackers:
                self._follow_tip(trackers[number], tip)

    def _follow_spots(self, spots: Iterable[str]) -> None:
        for reference in spots:
            self._follow_tip(self.spot(reference).tracker, self._state.spots.get(reference))

    def _follow_tip(self, tracker: TipTracker, tip: tips.Tip | None) -> None:
        if tip is None:
            tracker.clear()
            return
        there = tracker._tip
        prototype = self._prototype(tip.spec.kind)
        if there is None or tracker._pending_tip is not there or there.maximal_volume != tip.spec.capacity:
            there = prototype.make_tip()
            tracker.clear()
            tracker.add_tip(there, origin=self._origin(tip.spot))
        volume = min(tip.column(), there.maximal_volume)
        there.tracker.volume = there.tracker.pending_volume = volume

    def _origin(self, spot: str) -> TipSpot | None:
        labware, name = split_well(spot)
        standing = self._standing.get(labware)
        return None if standing is None else standing.spots.get(name)

    def _prototype(self, kind: str) -> TipSpot:
        """A spot that makes tips of ``kind``, which is the kind of the racks they come in."""
        if kind not in self._prototypes:
            rack = self._workcell.make(f"prototype of {kind}", kind)
            assert isinstance(rack, TipRack)
            self._prototypes[kind] = rack.get_all_items()[0]
        return self._prototypes[kind]

    def hold(self, handler: GuardedLiquidHandler, resource: Resource) -> None:
        """Make pylabrobot know that the gripper holds ``resource``: it was gripped before this process began."""
        handler._resource_pickup = ResourcePickup(
            resource=resource,
            offset=Coordinate.zero(),
            pickup_distance_from_top=GRIP_BELOW_TOP,
            direction=GripDirection.FRONT,
        )

    def tip(self, handler: GuardedLiquidHandler, pipette: str, channel: int) -> Tip | None:
        """pylabrobot's tip on a pipette's channel."""
        numbers = self.numbers.get(pipette, ())
        if channel >= len(numbers):
            return None
        trackers = handler.head96 if pipette in self.heads else handler.head
        tracker = trackers.get(numbers[channel])
        return tracker._tip if tracker is not None else None


def plate_of(wells: Iterable[Container]) -> Plate | None:
    """The plate whose 96 wells ``wells`` are, in pylabrobot's order; ``None`` if they are not."""
    given = list(wells)
    plate = given[0].parent if given else None
    if isinstance(plate, Plate) and len(given) == HEAD_96:
        same = all(mine is its for mine, its in zip(given, plate.get_all_items(), strict=False))
        return plate if same and plate.num_items == HEAD_96 else None
    return None
