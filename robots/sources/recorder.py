"""The liquid handler that a script gets in place of pylabrobot's own: behind the guard, over a notebook.

Lives in the isolated process. What would move a machine becomes an instruction; what the guard or pylabrobot refuses
is written down with its line and raised, as it would be at the machine.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.standard import (
    ResourceDrop,
    SingleChannelAspiration,
    SingleChannelDispense,
)
from pylabrobot.resources import Container, Coordinate, Deck, Plate, Resource, TipSpot
from pylabrobot.resources.opentrons import OTDeck

from protocols.outcomes import Outcome
from protocols.specs import DeviceSpec, PipetteSpec, WorkcellSpec
from robots.guard import GuardedLiquidHandler, Limit, Refused
from robots.simulator.backend import SimulatedLiquidHandler
from robots.simulator.translation import class_of, reference
from robots.sources.notebook import Notebook

HANDLER, GRIPPER = "handler", "gripper"
"""The devices of the workcell."""
_MOST = 5000.0
"""µL; what the pipettes really take is verified later."""
_QUIET = frozenset({"jet", "lld_mode", "blow_out", "minimum_height", "min_z_endpos", "hamilton_liquid_classes"})
"""Keywords of backends that are understood, or that do not change what moves."""
Operation: TypeAlias = SingleChannelAspiration | SingleChannelDispense


class _Port:
    """A World that writes down what it is told (:class:`robots.simulator.port.WorldPort`)."""

    def __init__(self, notebook: Notebook, workcell: WorkcellSpec) -> None:
        self.notebook = notebook
        self.workcell = workcell
        self.mounted: Callable[[], dict[str, list[bool]]] = dict

    async def act(self, act_id: str, command: Mapping[str, Any]) -> Outcome:
        """Write it down; it is always done."""
        return self.notebook.act(command)

    async def tips(self) -> dict[str, list[bool]]:
        """As pylabrobot's own books have it."""
        return self.mounted()


class RecordingBackend(SimulatedLiquidHandler):
    """The simulated lab's backend, understanding also what scripts say to a STAR or an OT-2."""

    def __init__(self, port: _Port) -> None:
        super().__init__(port, device=HANDLER)  # type: ignore[arg-type]
        self.notebook = port.notebook
        self.acts.begin("script")

    def can_pick_up_tip(self, channel_idx: int, tip: Any) -> bool:
        """Always; an OT-2's pipettes are taken to be those that the tips need."""
        return True

    async def aspirate(  # type: ignore[override]
        self, ops: list[Any], use_channels: list[int], **words: Any
    ) -> None:
        """Aspirate; channels at different heights or speeds one after the other."""
        await self._one_by_one(super().aspirate, ops, use_channels, words, inwards=True)

    async def dispense(  # type: ignore[override]
        self, ops: list[Any], use_channels: list[int], **words: Any
    ) -> None:
        """Dispense; as :meth:`aspirate`."""
        await self._one_by_one(super().dispense, ops, use_channels, words, inwards=False)

    async def _one_by_one(
        self,
        stroke: Callable[..., Awaitable[None]],
        ops: Sequence[Operation],
        use_channels: Sequence[int],
        words: Mapping[str, Any],
        *,
        inwards: bool,
    ) -> None:
        for word in sorted(words.keys() - _QUIET):
            self.notebook.lose(f"the keyword '{word}'", "it is known to one backend alone")
        parts: dict[tuple[Any, ...], tuple[list[Operation], list[int]]] = {}
        for index, (op, channel) in enumerate(zip(ops, use_channels, strict=True)):
            jet = bool(_of(words.get("jet"), index)) and not inwards
            height = None if _of(words.get("lld_mode"), index) else _height(op.liquid_height, op.offset, op.resource)
            cycles = op.mix.repetitions if op.mix is not None else 0
            key = (height, jet, op.flow_rate, op.blow_out_air_volume, cycles)
            own, channels = parts.setdefault(key, ([], []))
            own.append(op)
            channels.append(channel)
        for (height, jet, *_), (own, channels) in parts.items():
            own_class = class_of(own[0], inwards).model_copy(update={"jet": jet})
            await stroke(own, channels, liquid_class=own_class, height=height)

    async def aspirate96(self, aspiration: Any, **words: Any) -> None:  # type: ignore[override]
        """Aspirate with the head."""
        await super().aspirate96(aspiration, height=self._height96(aspiration, words))

    async def dispense96(self, dispense: Any, **words: Any) -> None:  # type: ignore[override]
        """Dispense with the head."""
        await super().dispense96(dispense, height=self._height96(dispense, words))

    def _height96(self, op: Any, words: Mapping[str, Any]) -> float | None:
        for word in sorted(words.keys() - _QUIET - {"use_lld"}):
            self.notebook.lose(f"the keyword '{word}'", "it is known to one backend alone")
        well = op.wells[0] if hasattr(op, "wells") else op.container
        return None if words.get("use_lld") else _height(op.liquid_height, op.offset, well)

    async def drop_resource(self, drop: ResourceDrop, site: str | None = None, **words: Any) -> None:
        """Put a gripped resource down."""
        await super().drop_resource(drop, site=site)

    async def pick_up_resource(self, pickup: Any, **words: Any) -> None:
        """Grip a resource."""
        await super().pick_up_resource(pickup)


def _of(values: Any, index: int) -> Any:
    """A keyword's value for one channel."""
    return values[index] if isinstance(values, list | tuple) and index < len(values) else values


def _height(height: float | None, offset: Coordinate, well: Resource) -> float:
    """mm above the cavity bottom: without a height pylabrobot goes to the bottom."""
    found = (height or 0.0) + float(offset.z)
    if found < 0:
        raise Refused(f"the tip would go {-found:g} mm below the bottom", place=well.name)
    return found


def recording_handler(notebook: Notebook, channels_of: Callable[[Any], int]) -> type[LiquidHandler]:
    """The class that takes the place of pylabrobot's ``LiquidHandler``.

    Args:
        channels_of: how many single channels a script's backend has.
    """

    class RecordedLiquidHandler(GuardedLiquidHandler):
        """Writes down what it is told."""

        def __init__(
            self, backend: Any, deck: Deck, default_offset_head96: Any = None, name: str | None = None
        ) -> None:
            channels = 2 if isinstance(deck, OTDeck) else channels_of(backend)
            head96 = not isinstance(deck, OTDeck)
            self.port = _Port(notebook, _workcell(channels, head96=head96))
            super().__init__(RecordingBackend(self.port), deck, Limit(flow_rate=_MOST, head96_volume=_MOST))
            self.port.mounted = self._mounted
            notebook.deck, notebook.channels, notebook.head96 = deck, channels, head96

        def _mounted(self) -> dict[str, list[bool]]:
            pipettes = self.port.workcell.pipettes.values()
            single = iter([tracker.has_tip for tracker in self.head.values()])
            core = [tracker.has_tip for tracker in self.head96.values()]
            return {
                pipette.id: core if pipette.id == "head96" else [next(single, False) for _ in range(pipette.channels)]
                for pipette in pipettes
            }

        async def setup(self, **words: Any) -> None:
            """Connect; backends' own words are of no importance here."""
            notebook.begun = True
            await super().setup()

        async def stop(self, **words: Any) -> None:
            """Disconnect; tips that are left mounted are found by verification."""
            await super().stop(leave_mounted=True)

        async def pick_up_tips(self, tip_spots: list[TipSpot], *args: Any, **kwargs: Any) -> None:
            """As the guard's; the pipettes of an OT-2 are told by the tips that they take."""
            channels = (args[0] if args else kwargs.get("use_channels")) or self._default_use_channels
            if isinstance(self.deck, OTDeck):
                for channel, spot in zip(channels or range(len(tip_spots)), tip_spots, strict=False):
                    mount = ("left", "right")[channel] if channel in (0, 1) else "left"
                    notebook.tips.setdefault(mount, spot.make_tip().maximal_volume)
            await super().pick_up_tips(tip_spots, *args, **kwargs)

        async def aspirate(self, resources: Sequence[Container], vols: list[float], *args: Any, **kwargs: Any) -> None:
            """As the guard's; wells of which the script says nothing hold enough."""
            notebook.meet(resources)
            notebook.provide(resources, vols)
            await super().aspirate(resources, vols, *args, **kwargs)

        async def aspirate96(self, resource: Any, volume: float, *args: Any, **kwargs: Any) -> None:
            """As the guard's; wells of which the script says nothing hold enough."""
            wells = _under_head(resource)
            notebook.meet(wells)
            notebook.provide(wells, [volume] * len(wells))
            await super().aspirate96(resource, volume, *args, **kwargs)

        async def dispense(self, resources: Sequence[Container], *args: Any, **kwargs: Any) -> None:
            """As the guard's."""
            notebook.meet(resources)
            await super().dispense(resources, *args, **kwargs)

        async def dispense96(self, resource: Any, *args: Any, **kwargs: Any) -> None:
            """As the guard's."""
            notebook.meet(_under_head(resource))
            await super().dispense96(resource, *args, **kwargs)

        async def pick_up_resource(self, resource: Resource, *args: Any, **kwargs: Any) -> None:
            """As the guard's; where a script says later where it puts the labware down, that is looked at then."""
            if self._destination is None and "destination" not in kwargs:
                await LiquidHandler.pick_up_resource(self, resource, *args, **kwargs)
            else:
                await super().pick_up_resource(resource, *args, **kwargs)

        async def drop_resource(self, destination: Resource, *args: Any, **kwargs: Any) -> None:
            """As the guard's, onto a site that the workcell has."""
            site = notebook.site_of(destination)
            if site is None:
                raise Refused("only sites of carriers and slots are followed", place=getattr(destination, "name", ""))
            await super().drop_resource(destination, *args, site=site, **kwargs)

    for name in (
        *("pick_up_tips", "drop_tips", "aspirate", "dispense", "pick_up_tips96", "drop_tips96", "aspirate96"),
        *("dispense96", "stamp", "pick_up_resource", "drop_resource", "move_channel_x", "move_channel_y"),
        *("move_channel_z", "prepare_for_manual_channel_operation", "move_picked_up_resource"),
    ):
        setattr(RecordedLiquidHandler, name, _watched(getattr(RecordedLiquidHandler, name), notebook))
    RecordedLiquidHandler.__name__ = "LiquidHandler"
    return RecordedLiquidHandler


def _under_head(resource: Any) -> list[Container]:
    """The containers that a call of the 96 head means, one for each channel."""
    wells = resource.get_all_items() if isinstance(resource, Plate) else resource
    return list(wells) if isinstance(wells, list | tuple) else [wells] * 96


def _watched(method: Callable[..., Awaitable[None]], notebook: Notebook) -> Callable[..., Awaitable[None]]:
    """``method``, with a look at the deck before it, and its refusal written down."""

    @functools.wraps(method)
    async def call(self: LiquidHandler, *args: Any, **kwargs: Any) -> None:
        notebook.look()
        mark = len(notebook.instructions)
        try:
            await method(self, *args, **kwargs)
        except Exception as error:
            if not hasattr(error, "written_down"):
                if mark == len(notebook.instructions):
                    _write_attempt(notebook, self, method.__name__, args, kwargs)
                notebook.refuse(error, mark)
                error.written_down = True  # type: ignore[attr-defined]
            raise

    return call


def _write_attempt(
    notebook: Notebook, handler: Any, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """Write down what was asked for and refused, where it can be said, so that verification says why in its words."""
    if method not in ("pick_up_tips", "drop_tips", "aspirate", "dispense"):
        return
    try:
        places = list(args[0] if args else kwargs.get("tip_spots", kwargs.get("resources")))
        rest = list(args[1:])
        volumes = list(rest.pop(0) if rest else kwargs["vols"]) if method in ("aspirate", "dispense") else []
        channels = (rest[0] if rest else kwargs.get("use_channels")) or list(range(len(places)))
        owners = [handler.backend._channels[channel] for channel in channels]
        told: dict[str, Any] = {"pipette": owners[0][0], "channels": [own for _, own in owners]}
        if volumes:
            own = class_of(_Bare(), method == "aspirate").model_dump(mode="json")
            told |= {"wells": list(map(reference, places)), "volumes": volumes, "liquid_class": own, "height": None}
        else:
            spots = [place for place in places if isinstance(place, TipSpot)]
            told["spots"] = list(map(reference, spots)) if spots or method == "pick_up_tips" else None
        if len({name for name, _ in owners}) == 1 and all(0 <= volume < _MOST for volume in volumes):
            if volumes:
                told["liquid_class"] = notebook.liquid_class(told["liquid_class"])
            notebook.write(method, **told)
    except Exception:  # whatever was asked for, the refusal itself is written down
        return


class _Bare:
    """An operation that says nothing of speeds."""

    flow_rate = None
    blow_out_air_volume = None


def _workcell(channels: int, *, head96: bool) -> WorkcellSpec:
    """What the backend must know: devices and pipettes."""
    common: dict[str, Any] = {"device": HANDLER, "min_volume": 0.0, "max_volume": _MOST, "fits": frozenset()}
    if head96:
        pipettes = {
            "channels": PipetteSpec(id="channels", channels=channels, independent=True, **common),
            "head96": PipetteSpec(
                id="head96", channels=96, independent=False, **{**common, "fits": frozenset({"Hamilton CO-RE"})}
            ),
        }
    else:
        pipettes = {
            mount: PipetteSpec(id=mount, channels=1, independent=False, **common) for mount in ("left", "right")
        }
    return WorkcellSpec(
        name="script",
        devices={
            HANDLER: DeviceSpec(id=HANDLER, kind="liquid handler"),
            GRIPPER: DeviceSpec(id=GRIPPER, kind="arm"),
        },
        pipettes=pipettes,
        sites={},
        kinds={},
        labware={},
        trash="trash",
        arm=GRIPPER,
    )
