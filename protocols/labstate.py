"""LabState: what is where, and what happens to it.

One meaning, three uses: verification folds a program over it, the expectation during a run folds the
recorded outcomes over it, and the simulated lab passes the amounts that really moved. The primitives are total: they
apply what physically happens and return it as effects; they never raise, draw no random number and do no
I/O. ``docs/explanations/semantics.md`` says what each does, step by step. Volumes µL, heights mm, times s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from protocols import clearing, devices, moves, snapshots, strokes
from protocols.device_instructions import DeviceInstruction
from protocols.devices import DeviceState
from protocols.effects import Effect, EffectKind
from protocols.errors import RecordError
from protocols.fillings import Filling, gathered
from protocols.liquids import LiquidClass
from protocols.mixtures import Content, Mixture
from protocols.program import Program
from protocols.specs import OFF_DECK, SCHEMA_VERSION, PlacedLabware, WorkcellSpec
from protocols.tips import DUST, Tip
from protocols.vessels import Cavity, LabwareInstance, Spots, Well

Effects = Sequence[Effect]
"""What happened beside what was asked; empty for the most part."""

_NOTHING: Effects = ()


class LabState:
    """What is where in a laboratory.

    Attributes:
        clock: s since the start.
        labware: by instance id.
        wells: by reference, "labware/A1".
        spots: tips standing in racks, by reference; ``None`` where there is none.
        channels: the tips on each pipette's channels.
        devices: what each module on the deck does, by device.
        waste: what left with discarded tips.
        spilled: what ran over.
    """

    def __init__(self, workcell: WorkcellSpec) -> None:
        self.workcell = workcell
        self.clock = 0.0
        self.labware: dict[str, LabwareInstance] = {}
        self.sites: dict[str, str] = {}
        self.wells: dict[str, Well] = {}
        self.spots = Spots()
        self.channels: dict[str, list[Tip | None]] = {
            name: [None] * pipette.channels for name, pipette in workcell.pipettes.items()
        }
        self.devices = {
            name: DeviceState.before_a_run(device)
            for name, device in workcell.devices.items()
            if device.kind in devices.MODULES
        }
        self._sites_of = moves.sites_by_device(workcell)
        self._kept_racks: dict[str, EffectKind] = {}
        """What keeps pipettes from tip racks, by rack."""
        self._pure: dict[str, Mixture] = {}
        self.waste = Content()
        self.spilled = Content()

    @classmethod
    def start(cls, workcell: WorkcellSpec, program: Program | None = None) -> LabState:
        """The state before a run: the workcell's own deck, then what ``program`` has placed; racks full."""
        state = cls(workcell)
        for name, placed in workcell.labware.items():
            state.place(name, placed)
        state.fill(gathered(workcell.contents))
        if program is not None:
            state.set_up(program)
        return state

    def set_up(self, program: Program, fillings: Mapping[str, Filling] | None = None) -> None:
        """Put a program's labware and liquids on the deck, as a person would before the run.

        ``fillings`` are what its wells start with, for whoever has gathered them. Labware of the same name and kind
        that an earlier run left there stays, with what is in it, unless the program fills it anew; other labware of
        earlier runs makes room where its site is needed.
        """
        fillings = gathered(program.contents) if fillings is None else fillings
        filled = {well.rpartition("/")[0] for well in fillings}
        for name, placed in program.labware.items():
            if name in self.workcell.labware:
                continue
            old = self.labware.get(name)
            if old is not None and old.spec.kind == placed.kind and old.site == placed.site and name not in filled:
                continue
            for gone in {name, self.sites.get(placed.site, name)} & self.labware.keys():
                if gone not in self.workcell.labware and (gone == name or gone not in program.labware):
                    self.remove(gone)
            self.place(name, placed)
        self.fill(fillings)

    def remove(self, name: str) -> None:
        """Take a piece of labware off the deck, with all that is in it."""
        instance = self.labware.pop(name)
        if self.sites.get(instance.site) == name:
            del self.sites[instance.site]
        for position in instance.spec.wells:
            self.wells.pop(f"{name}/{position}", None)
        self.spots.take_away(name)
        self._kept_racks.pop(name, None)

    def place(self, name: str, placed: PlacedLabware) -> None:
        """Stand a new piece of labware on its site; unknown kinds are passed over (verify names them)."""
        spec = self.workcell.kinds.get(placed.kind)
        if spec is None:
            return
        instance = LabwareInstance(name, spec, placed.site, lid=placed.lid, barcode=placed.barcode)
        self.labware[name] = instance
        if placed.site != OFF_DECK:
            self.sites.setdefault(placed.site, name)
        self.look_at(instance)
        if spec.tip is not None:
            self.spots.stand(name, spec)
            return
        cavities = {key: Cavity(shape) for key, shape in spec.shapes.items()}
        for well, position in spec.wells.items():
            reference = f"{name}/{well}"
            self.wells[reference] = Well(instance, reference, cavities[position.shape])

    def look_at(self, instance: LabwareInstance) -> None:
        """See anew what keeps pipettes from a piece of labware: after it, or a device below it, has changed."""
        instance.obstacle = kept = moves.obstacle_to(self, instance)
        if instance.spec.tip is not None:
            self._kept_racks.pop(instance.name, None)
            if kept is not None and kept != "lid in the way":
                self._kept_racks[instance.name] = kept

    def fill(self, fillings: Mapping[str, Filling]) -> None:
        """Put liquids into wells without a pipette; unknown wells are passed over (verify names them)."""
        wells = self.wells
        for name, filling in fillings.items():
            well = wells.get(name)
            if well is None:
                continue
            amounts = filling.amounts
            volume = sum(amounts.values())
            if volume > 0.0:
                well.add(self._pure_of(*amounts) if len(amounts) == 1 else Mixture(amounts, volume), volume)
            if filling.settled_height is not None:
                well.settled_height = max(filling.settled_height, well.settled_height or 0.0)

    def _pure_of(self, liquid: str) -> Mixture:
        """One composition for all wells that start with this liquid alone: like with like is mixed at no cost."""
        pure = self._pure.get(liquid)
        if pure is None:
            pure = self._pure[liquid] = Mixture.pure(liquid)
        return pure

    # -- tips ---------------------------------------------------------------------------------------

    def pick_up_tips(self, pipette: str, channels: Sequence[int], spots: Sequence[str]) -> Effects:
        """Put the tip at each spot on its channel."""
        effects: list[Effect] = []
        mounted, kept_racks = self.channels.get(pipette, []), self._kept_racks
        for channel, spot in zip(channels, spots, strict=False):
            if channel >= len(mounted):
                effects.append(Effect(kind="unknown channel", place=pipette, channel=channel))
                continue
            tip = self.spots.get(spot)
            if kept_racks and (kept := kept_racks.get(spot.rpartition("/")[0])) is not None:
                effects.append(Effect(kind=kept, place=spot, channel=channel))
            elif mounted[channel] is not None:
                effects.append(Effect(kind="channel has tip", place=spot, channel=channel))
            elif tip is None:
                effects.append(Effect(kind="no tip at spot", place=spot, channel=channel))
            elif tip.spec.fits not in self.workcell.pipettes[pipette].fits:
                effects.append(Effect(kind="tip does not fit", place=spot, channel=channel))
            else:
                mounted[channel] = tip
                self.spots[spot] = None
        return effects

    def drop_tips(self, pipette: str, channels: Sequence[int], spots: Sequence[str] | None) -> Effects:
        """Take tips off into spots, or into the trash where ``spots`` is ``None``."""
        effects: list[Effect] = []
        mounted = self.channels.get(pipette, [])
        for index, channel in enumerate(channels):
            place = self.workcell.trash if spots is None else spots[index]
            if channel >= len(mounted):
                effects.append(Effect(kind="unknown channel", place=pipette, channel=channel))
                continue
            tip = mounted[channel]
            if tip is None:
                effects.append(Effect(kind="no tip", place=place, channel=channel))
            elif spots is None:
                above = tip.liquid() - tip.film
                if above > DUST:
                    effects.append(Effect(kind="liquid discarded", place=place, channel=channel, amount=above))
                tip.pour_into(self.waste)
                mounted[channel] = None
            elif self._kept_racks and (kept := self._kept_racks.get(place.rpartition("/")[0])) is not None:
                effects.append(Effect(kind=kept, place=place, channel=channel))
            elif place not in self.spots:
                effects.append(Effect(kind="unknown well", place=place, channel=channel))
            elif self.spots.get(place) is not None:
                effects.append(Effect(kind="spot occupied", place=place, channel=channel))
            else:
                tip.vent()
                self.spots[place] = tip
                mounted[channel] = None
        return effects

    def replace_tip_rack(self, rack: str) -> Effects:
        """A full rack of the same kind stands where ``rack`` stood."""
        instance = self.labware.get(rack)
        if instance is None or instance.spec.tip is None:
            return (Effect(kind="unknown labware", place=rack),)
        used = self.spots.touched()
        for position in instance.spec.wells:
            tip = used.get(f"{rack}/{position}")
            if tip is not None:
                tip.pour_into(self.waste)
        self.spots.stand(rack, instance.spec)
        return _NOTHING

    # -- liquids ------------------------------------------------------------------------------------

    def aspirate(
        self,
        pipette: str,
        channels: Sequence[int],
        wells: Sequence[str],
        volumes: Sequence[float],
        liquid_class: LiquidClass,
        height: float | None,
    ) -> Effects:
        """Draw from wells into tips; ``height`` of the tips' ends, ``None`` if unknown."""
        return strokes.aspirate(self, pipette, channels, wells, volumes, liquid_class, height)

    def dispense(
        self,
        pipette: str,
        channels: Sequence[int],
        wells: Sequence[str],
        volumes: Sequence[float],
        liquid_class: LiquidClass,
        height: float | None,
    ) -> Effects:
        """Push liquid out of tips into wells; arguments as for :meth:`aspirate`."""
        return strokes.dispense(self, pipette, channels, wells, volumes, liquid_class, height)

    def mix(
        self,
        pipette: str,
        channels: Sequence[int],
        wells: Sequence[str],
        volumes: Sequence[float],
        liquid_class: LiquidClass,
        height: float | None,
    ) -> Effects:
        """Draw and return; afterwards tip and well hold one composition. Arguments as for :meth:`aspirate`."""
        return strokes.mix(self, pipette, channels, wells, volumes, liquid_class, height)

    def air_gap(self, pipette: str, channels: Sequence[int], volumes: Sequence[float]) -> Effects:
        """Draw air into tips."""
        return strokes.air_gap(self, pipette, channels, volumes)

    def blow_out(self, pipette: str, channels: Sequence[int], wells: Sequence[str], height: float | None) -> Effects:
        """Push all that tips hold out over wells; ``height`` of the tips' ends, ``None`` if unknown."""
        return clearing.blow_out(self, pipette, channels, wells, height)

    def touch_tip(self, pipette: str, channels: Sequence[int], wells: Sequence[str], height: float | None) -> Effects:
        """Touch the walls of wells with the tips' ends; arguments as for :meth:`blow_out`."""
        return clearing.touch_tip(self, pipette, channels, wells, height)

    # -- labware and time ---------------------------------------------------------------------------

    def move_labware(self, labware: str, site: str, by: Literal["arm", "person"] = "arm") -> Effects:
        """Carry a piece of labware to a free site that takes it, or off the deck."""
        return moves.move_labware(self, labware, site, by)

    def operate(self, instruction: DeviceInstruction) -> Effects:
        """Let a device on the deck do what it is told; one that refuses changes nothing."""
        name = instruction.device
        after, effects = devices.operate(self.workcell.devices.get(name), self.devices.get(name), instruction)
        if after is not None:
            self.devices[name] = after
            for site in self._sites_of.get(name, ()):
                if site in self.sites:
                    self.look_at(self.labware[self.sites[site]])
        return effects

    def advance_time(self, seconds: float) -> Effects:
        """Let time pass."""
        self.clock += seconds
        return _NOTHING

    # -- questions ----------------------------------------------------------------------------------

    def volume(self, well: str) -> float:
        """µL in a well; 0 for one that does not exist."""
        found = self.wells.get(well)
        return 0.0 if found is None else found.volume

    def composition(self, well: str) -> dict[str, float]:
        """µL of each liquid in a well."""
        found = self.wells.get(well)
        return {} if found is None else found.amounts()

    def has_tip(self, pipette: str, channel: int) -> bool:
        """Whether a channel holds a tip."""
        return self.tip_on(pipette, channel) is not None

    def tip_volume(self, pipette: str, channel: int) -> float:
        """µL of liquid in the tip on a channel; 0 without one."""
        tip = self.tip_on(pipette, channel)
        return 0.0 if tip is None else tip.liquid()

    def tip_composition(self, pipette: str, channel: int) -> dict[str, float]:
        """µL of each liquid in the tip on a channel."""
        tip = self.tip_on(pipette, channel)
        return {} if tip is None else tip.amounts()

    def tip_at(self, spot: str) -> bool:
        """Whether a tip stands at a spot."""
        return self.spots.get(spot) is not None

    def tip_is_new(self, spot: str) -> bool:
        """Whether a tip that was never wet stands at a spot."""
        tip = self.spots.get(spot)
        return tip is not None and tip.wet is None

    def site_of(self, labware: str) -> str | None:
        """The site on which a piece of labware stands."""
        instance = self.labware.get(labware)
        return None if instance is None else instance.site

    def labware_at(self, site: str) -> str | None:
        """The labware that stands on a site."""
        return self.sites.get(site)

    def wasted(self) -> dict[str, float]:
        """µL of each liquid that left with discarded tips."""
        return self.waste.amounts()

    def lost(self) -> dict[str, float]:
        """µL of each liquid that ran over."""
        return self.spilled.amounts()

    def tip_on(self, pipette: str, channel: int) -> Tip | None:
        """The tip on a channel."""
        mounted = self.channels.get(pipette, ())
        return mounted[channel] if channel < len(mounted) else None

    # -- record -------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """This state as plain JSON; only what differs from an empty well is written."""
        return snapshots.written(self)

    @classmethod
    def restore(cls, workcell: WorkcellSpec, snapshot: dict[str, Any]) -> LabState:
        """The state that :meth:`snapshot` wrote, on the same workcell.

        Raises:
            RecordError: it has another schema version, or does not fit the workcell.
        """
        if snapshot.get("schema_version") != SCHEMA_VERSION:
            raise RecordError(
                f"the record has schema version {snapshot.get('schema_version')}, this program reads {SCHEMA_VERSION}",
                where=f"workcell {workcell.name}",
            )
        state = cls(workcell)
        try:
            snapshots.read(state, snapshot)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordError(
                f"the record of the workcell's state does not fit it ({error!r})",
                where=f"workcell {workcell.name}",
                mend="Reset the state once a person has looked at the deck",
            ) from error
        return state
