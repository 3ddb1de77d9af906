"""A pylabrobot backend for the liquid handler of a simulated lab.

The pipettes of the device lie side by side in pylabrobot's channel numbers, in the order in which the workcell
lists them; a Hamilton CO-RE head with 96 channels is the 96 head. So on an OT-2 "left" is channel 0 and "right" the
next free number.

Every call is one act of the World. What a real device could not do it reports as pylabrobot's
``ChannelizedError`` with a typed error for each channel that failed; the other channels have moved. What
pylabrobot's operations cannot say comes in backend keyword arguments:

- ``liquid_class``: without one, a class is made of the operation's flow rates and blow-out volume.
- ``height``: mm above the cavity bottom; without one, the operations' ``liquid_height``.
- ``pipette``: the pipette's id, checked against the channels.
- ``air_gap``: an aspirate that draws air.
- ``blow_out``: a dispense that pushes out all that the tips hold, at the operation's flow rate; ``touch_tip``: one of
  nothing, for the touch of the wall.
- ``site``: where a resource is dropped; without one, the site nearest to the operation's coordinate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pylabrobot.liquid_handling.backends import LiquidHandlerBackend
from pylabrobot.liquid_handling.errors import ChannelizedError
from pylabrobot.liquid_handling.standard import (
    Drop,
    DropTipRack,
    MultiHeadAspirationContainer,
    MultiHeadAspirationPlate,
    MultiHeadDispenseContainer,
    MultiHeadDispensePlate,
    Pickup,
    PickupTipRack,
    ResourceDrop,
    ResourceMove,
    ResourcePickup,
    SingleChannelAspiration,
    SingleChannelDispense,
)
from pylabrobot.resources import ItemizedResource, Resource, Tip, TipSpot

from protocols.errors import DeviceError
from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from robots.simulator.acts import Acts
from robots.simulator.channel_errors import channel_error
from robots.simulator.port import WorldPort
from robots.simulator.translation import (
    HEAD_96,
    HeadOperation,
    Mixing,
    SingleOperation,
    class_of,
    common_mix,
    emptying,
    is_core_head,
    liquid_handler_of,
    number_channels,
    reference,
    site_at,
)

_Op = TypeVar("_Op", Pickup, Drop, SingleChannelAspiration, SingleChannelDispense)


class SimulatedLiquidHandler(LiquidHandlerBackend):  # type: ignore[misc]
    """The liquid handler of a simulated lab, for pylabrobot's ``LiquidHandler``."""

    def __init__(self, world: WorldPort, *, device: str | None = None) -> None:
        """Work on ``world`` as its device ``device``; the default is its only liquid handler.

        Raises:
            DeviceError: the workcell has no such device, or several and none is named.
        """
        super().__init__()
        self.world = world
        self.device = liquid_handler_of(world.workcell, device)
        pipettes = [pipette for pipette in world.workcell.pipettes.values() if pipette.device == self.device]
        self._head96_pipette = next((pipette.id for pipette in pipettes if is_core_head(pipette)), None)
        self._channels = number_channels(pipettes)
        self._head96_installed = self._head96_pipette is not None
        self._num_arms = 0 if world.workcell.arm is None else 1
        self._references: dict[str, str] = {}
        self.acts = Acts(world, self.device)

    # -- acts and their numbers ---------------------------------------------------------------------

    def channel_of(self, pipette: str, channel: int = 0) -> int:
        """pylabrobot's number of a pipette's channel; the 96 head's are its own.

        Raises:
            DeviceError: this device has no such pipette or channel.
        """
        if pipette == self._head96_pipette and 0 <= channel < HEAD_96:
            return channel
        for number, (owner, own) in enumerate(self._channels):
            if (owner, own) == (pipette, channel):
                return number
        raise DeviceError(f"'{self.device}' has no channel {channel} of a pipette '{pipette}'")

    async def make_safe(self) -> None:
        """Stop all motion now."""
        await self.world.make_safe()

    async def wait(self, seconds: float) -> Outcome:
        """Let ``seconds`` pass in the lab."""
        return await self._act({"kind": "wait", "seconds": seconds})

    async def replace_tip_rack(self, rack: str) -> Outcome:
        """A person puts a full rack in the place of ``rack``."""
        return await self._act({"kind": "replace_tip_rack", "rack": rack})

    async def carry(self, labware: str, site: str) -> Outcome:
        """A person carries ``labware`` to ``site``."""
        return await self._act({"kind": "carry", "labware": labware, "site": site})

    async def ask_person(self, message: str) -> Outcome:
        """A person reads ``message``; in the lab this only takes time."""
        return await self._act({"kind": "ask_person", "message": message})

    # -- pylabrobot's machine -----------------------------------------------------------------------

    async def setup(self) -> None:
        """Connect to the World.

        Raises:
            ConnectionLost: it does not answer.
        """
        await super().setup()
        await self.world.tips()

    async def stop(self) -> None:
        """Let the device rest. The World goes on; whoever made it closes it."""

    @property
    def num_channels(self) -> int:
        """Channels of all pipettes but the 96 head."""
        return len(self._channels)

    def can_pick_up_tip(self, channel_idx: int, tip: Tip) -> bool:
        """Always: whether a tip fits shows when it is picked up, as in a lab."""
        return True

    async def request_tip_presence(self) -> list[bool | None]:
        """Which channels feel a tip; the 96 head's are told by :meth:`head96_tip_presence`."""
        tips = await self.world.tips()
        return [tips[pipette][channel] for pipette, channel in self._channels]

    async def head96_tip_presence(self) -> list[bool]:
        """Which channels of the 96 head feel a tip; empty without one."""
        tips = await self.world.tips()
        return [] if self._head96_pipette is None else tips[self._head96_pipette]

    # -- single channels ----------------------------------------------------------------------------

    async def pick_up_tips(self, ops: list[Pickup], use_channels: list[int], pipette: str | None = None) -> None:
        """Pick up tips; see pylabrobot's ``LiquidHandler.pick_up_tips``."""
        for name, channels, part in self._by_pipette(ops, use_channels, pipette):
            spots = [self._reference(op.resource) for op in part]
            await self._act({"kind": "pick_up_tips", "pipette": name, "channels": channels, "spots": spots})

    async def drop_tips(self, ops: list[Drop], use_channels: list[int], pipette: str | None = None) -> None:
        """Drop tips into spots, or all of them into the trash; see pylabrobot's ``LiquidHandler.drop_tips``."""
        for name, channels, part in self._by_pipette(ops, use_channels, pipette):
            places = list(zip(channels, part, strict=True))
            for in_spots in (True, False):
                own = [(channel, op) for channel, op in places if isinstance(op.resource, TipSpot) is in_spots]
                if own:
                    spots = [self._reference(op.resource) for _, op in own] if in_spots else None
                    chosen = [channel for channel, _ in own]
                    await self._act({"kind": "drop_tips", "pipette": name, "channels": chosen, "spots": spots})

    async def aspirate(
        self,
        ops: list[SingleChannelAspiration],
        use_channels: list[int],
        liquid_class: LiquidClass | None = None,
        height: float | None = None,
        pipette: str | None = None,
        air_gap: bool = False,
    ) -> None:
        """Aspirate; ``vols=0`` with ``mix`` is mixing alone. See pylabrobot's ``LiquidHandler.aspirate``."""
        for name, channels, part in self._by_pipette(ops, use_channels, pipette):
            volumes = [op.volume for op in part]
            if air_gap:
                await self._act({"kind": "air_gap", "pipette": name, "channels": channels, "volumes": volumes})
                continue
            stroke = self._stroke(name, channels, part, liquid_class, height, inwards=True)
            mixing = common_mix([op.mix for op in part])
            await self._mix_first(stroke, mixing, liquid_class, volumes)
            if any(volumes) or mixing is None:
                await self._act({**stroke, "kind": "aspirate", "volumes": volumes})

    async def dispense(
        self,
        ops: list[SingleChannelDispense],
        use_channels: list[int],
        liquid_class: LiquidClass | None = None,
        height: float | None = None,
        pipette: str | None = None,
        blow_out: bool = False,
        touch_tip: bool = False,
    ) -> None:
        """Dispense; with ``mix``, the mixing afterwards is an act of its own. See ``LiquidHandler.dispense``."""
        for name, channels, part in self._by_pipette(ops, use_channels, pipette):
            if blow_out or touch_tip:
                wells = [self._reference(op.resource) for op in part]
                rate = part[0].flow_rate if blow_out else None
                await self._act(emptying(name, channels, wells, height, rate))
                continue
            stroke = self._stroke(name, channels, part, liquid_class, height, inwards=False)
            await self._act({**stroke, "kind": "dispense", "volumes": [op.volume for op in part]})
            await self._mix(stroke, common_mix([op.mix for op in part]))

    # -- 96 head ------------------------------------------------------------------------------------

    async def pick_up_tips96(self, pickup: PickupTipRack) -> None:
        """Pick up the tips of a rack; see pylabrobot's ``LiquidHandler.pick_up_tips96``."""
        spots = pickup.resource.get_all_items()
        chosen = [channel for channel, tip in enumerate(pickup.tips) if tip is not None]
        await self._act(
            {
                "kind": "pick_up_tips",
                "pipette": self._need_head96(),
                "channels": chosen,
                "spots": [self._reference(spots[channel]) for channel in chosen],
            }
        )

    async def drop_tips96(self, drop: DropTipRack) -> None:
        """Drop all tips of the head; see pylabrobot's ``LiquidHandler.drop_tips96``."""
        head = self._need_head96()
        channels = list(range(self.world.workcell.pipettes[head].channels))
        spots: list[str] | None = None
        if isinstance(drop.resource, ItemizedResource):
            items = drop.resource.get_all_items()
            spots = [self._reference(items[channel]) for channel in channels]
        await self._act({"kind": "drop_tips", "pipette": head, "channels": channels, "spots": spots})

    async def aspirate96(
        self,
        aspiration: MultiHeadAspirationPlate | MultiHeadAspirationContainer,
        liquid_class: LiquidClass | None = None,
        height: float | None = None,
        air_gap: bool = False,
    ) -> None:
        """Aspirate with the head; ``volume=0`` with ``mix`` is mixing alone. See ``LiquidHandler.aspirate96``."""
        stroke, volumes = self._stroke96(aspiration, liquid_class, height, inwards=True)
        if air_gap:
            chosen = {name: stroke[name] for name in ("pipette", "channels")}
            await self._act({"kind": "air_gap", **chosen, "volumes": volumes})
            return
        mixing = common_mix([aspiration.mix] * len(volumes))
        await self._mix_first(stroke, mixing, liquid_class, volumes)
        if any(volumes) or mixing is None:
            await self._act({**stroke, "kind": "aspirate", "volumes": volumes})

    async def dispense96(
        self,
        dispense: MultiHeadDispensePlate | MultiHeadDispenseContainer,
        liquid_class: LiquidClass | None = None,
        height: float | None = None,
        blow_out: bool = False,
        touch_tip: bool = False,
    ) -> None:
        """Dispense with the head; see pylabrobot's ``LiquidHandler.dispense96``."""
        stroke, volumes = self._stroke96(dispense, liquid_class, height, inwards=False)
        if blow_out or touch_tip:
            rate = dispense.flow_rate if blow_out else None
            await self._act(emptying(stroke["pipette"], stroke["channels"], stroke["wells"], height, rate))
            return
        await self._act({**stroke, "kind": "dispense", "volumes": volumes})
        await self._mix(stroke, common_mix([dispense.mix] * len(volumes)))

    # -- gripper ------------------------------------------------------------------------------------

    async def pick_up_resource(self, pickup: ResourcePickup) -> None:
        """Grip a resource; see pylabrobot's ``LiquidHandler.pick_up_resource``."""
        await self._act({"kind": "grip", "labware": pickup.resource.name})

    async def move_picked_up_resource(self, move: ResourceMove) -> None:
        """Carry a gripped resource on its way; nothing is told to the World until it is put down."""

    async def drop_resource(self, drop: ResourceDrop, site: str | None = None) -> None:
        """Put a gripped resource down; see pylabrobot's ``LiquidHandler.drop_resource``.

        Raises:
            DeviceError: no site is named, and none is near the coordinate.
        """
        target = site or site_at(self.world.workcell, drop.destination.x, drop.destination.y)
        await self._act({"kind": "release", "labware": drop.resource.name, "site": target})

    # -- inside -------------------------------------------------------------------------------------

    async def _act(self, command: dict[str, Any]) -> Outcome:
        """One act of the World; what failed is raised."""
        outcome = await self.acts.perform(command)
        if outcome.faults:
            self._raise(command, outcome)
        return outcome

    def _raise(self, command: dict[str, Any], outcome: Outcome) -> None:
        pipette = command.get("pipette")
        errors: dict[int, Exception] = {}
        for fault in outcome.faults:
            error = channel_error(fault)
            if pipette is None or fault.channel is None:
                raise error
            errors[self.channel_of(pipette, fault.channel)] = error
        raise ChannelizedError(errors, volumes=outcome.volumes)

    async def _mix_first(
        self,
        stroke: dict[str, Any],
        mixing: Mixing | None,
        liquid_class: LiquidClass | None,
        volumes: Sequence[float],
    ) -> None:
        """Mix before an aspirate, unless what pylabrobot calls mixing is the liquid class's pre-wetting."""
        if not any(volumes) or liquid_class is None or liquid_class.pre_wet == 0:
            await self._mix(stroke, mixing)

    async def _mix(self, stroke: dict[str, Any], mixing: Mixing | None) -> None:
        if mixing is not None:
            await self._act({**stroke, "kind": "mix", "volumes": mixing.volumes, "cycles": mixing.cycles})

    def _by_pipette(
        self, ops: Sequence[_Op], use_channels: Sequence[int], pipette: str | None
    ) -> list[tuple[str, list[int], list[_Op]]]:
        """Split a call by pipette: its id, its own channel numbers and its operations."""
        parts: dict[str, tuple[list[int], list[_Op]]] = {}
        for op, number in zip(ops, use_channels, strict=True):
            name, channel = self._channels[number]
            if pipette is not None and name != pipette:
                raise DeviceError(f"channel {number} of '{self.device}' is of pipette '{name}', not '{pipette}'")
            channels, own = parts.setdefault(name, ([], []))
            channels.append(channel)
            own.append(op)
        return [(name, channels, own) for name, (channels, own) in parts.items()]

    def _stroke(
        self,
        pipette: str,
        channels: list[int],
        ops: Sequence[SingleOperation],
        liquid_class: LiquidClass | None,
        height: float | None,
        *,
        inwards: bool,
    ) -> dict[str, Any]:
        heights = {op.liquid_height for op in ops}
        if height is None and len(heights) > 1:
            raise DeviceError("the channels of one act have one height", mend="Give the height to all, or to none")
        first = ops[0]
        return {
            "pipette": pipette,
            "channels": channels,
            "wells": [self._reference(op.resource) for op in ops],
            "liquid_class": (liquid_class or class_of(first, inwards)).model_dump(mode="json"),
            "height": heights.pop() if height is None else height,
        }

    def _stroke96(
        self, op: HeadOperation, liquid_class: LiquidClass | None, height: float | None, *, inwards: bool
    ) -> tuple[dict[str, Any], list[float]]:
        chosen = [channel for channel, tip in enumerate(op.tips) if tip is not None]
        if isinstance(op, MultiHeadAspirationContainer | MultiHeadDispenseContainer):
            wells = [self._reference(op.container)] * len(chosen)
        else:
            wells = [self._reference(op.wells[channel]) for channel in chosen]
        stroke = {
            "pipette": self._need_head96(),
            "channels": chosen,
            "wells": wells,
            "liquid_class": (liquid_class or class_of(op, inwards)).model_dump(mode="json"),
            "height": op.liquid_height if height is None else height,
        }
        return stroke, [op.volume] * len(chosen)

    def _need_head96(self) -> str:
        if self._head96_pipette is None:
            raise DeviceError(f"'{self.device}' has no 96 head")
        return self._head96_pipette

    def _reference(self, resource: Resource) -> str:
        """ "labware/A1" of a well, a tube, a trough or a tip spot."""
        found = self._references.get(resource.name)
        if found is None:
            found = self._references[resource.name] = reference(resource)
        return found
