"""A pylabrobot liquid handler that refuses what must not happen and keeps its books straight when a call fails.

Every public call of pylabrobot's front end that moves something comes through here: the calls that are not
overridden (``transfer``, ``discard_tips``, ``return_tips``, ``move_plate`` …) are made of those that are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pylabrobot.liquid_handling.backends import LiquidHandlerBackend
from pylabrobot.liquid_handling.standard import Mix
from pylabrobot.resources import (
    Container,
    Deck,
    Plate,
    TipRack,
    TipSpot,
    Trash,
    set_tip_tracking,
    set_volume_tracking,
)
from pylabrobot.resources.tip_tracker import TipTracker

from protocols.errors import DeviceError
from robots.guard.books import Books
from robots.guard.carrying import GuardedArm
from robots.guard.refusal import (
    Limit,
    Refused,
    TipsUnknown,
    check_amount,
    check_distinct,
    check_flow_rate,
    check_height,
    check_lengths,
    check_offset,
    check_on_deck,
)

HEAD_96 = 96


class GuardedLiquidHandler(GuardedArm):
    """pylabrobot's liquid handler behind a guard; every method may raise :class:`~robots.guard.refusal.Refused`.

    Attributes:
        kept: what keeps the pipettes from labware, by its name: it shakes, or is under a closed lid.
    """

    def __init__(self, backend: LiquidHandlerBackend, deck: Deck, limit: Limit | None = None) -> None:
        super().__init__(backend, deck)
        self.limit = limit or Limit()
        self.kept: Mapping[str, str] = {}

    async def setup(self, **backend_kwargs: Any) -> None:
        """Connect. Tip and volume tracking are switched on for good."""
        _track()
        await super().setup(**backend_kwargs)

    async def stop(self, *, leave_mounted: bool = False) -> None:
        """Disconnect.

        Raises:
            Refused: tips are mounted or labware is held; ``leave_mounted`` says that the record knows of them.
        """
        mounted = [str(channel) for channel, tracker in self.head.items() if tracker.has_tip]
        head = sum(tracker.has_tip for tracker in self.head96.values())
        held = self.get_picked_up_resource() if self.setup_finished else None
        if not leave_mounted and (mounted or head or held):
            what = [f"tips on channels {', '.join(mounted)}"] * bool(mounted) + [f"{head} tips on the head"] * bool(
                head
            )
            what += [f"'{held.name}' in the gripper"] if held is not None else []
            raise Refused(f"there are {' and '.join(what)}", mend="Drop them first")
        await super().stop()

    # -- tips ---------------------------------------------------------------------------------------

    async def pick_up_tips(
        self, tip_spots: list[TipSpot], use_channels: list[int] | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """As pylabrobot's; each spot once, each with a tip, onto channels without one."""
        channels = self._channels(use_channels, len(tip_spots))
        check_distinct("spot", [spot.name for spot in tip_spots])
        check_on_deck(self.deck, tip_spots, self.kept)
        for channel, spot in zip(channels, tip_spots, strict=True):
            if self.head[channel].has_tip:
                raise Refused(f"channel {channel} has a tip already", place=spot.name, channel=channel)
            if not spot.tracker.has_tip:
                raise Refused("there is no tip at this spot", place=spot.name, channel=channel)
        async with self._tip_books(channels, tip_spots, picked=True):
            await super().pick_up_tips(tip_spots, channels, *args, **kwargs)

    async def drop_tips(
        self,
        tip_spots: Sequence[TipSpot | Trash],
        use_channels: list[int] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """As pylabrobot's; each spot once and empty, from channels that have a tip."""
        channels = self._channels(use_channels, len(tip_spots))
        spots = [spot for spot in tip_spots if isinstance(spot, TipSpot)]
        check_distinct("spot", [spot.name for spot in spots])
        check_on_deck(self.deck, tip_spots, self.kept)
        for channel, spot in zip(channels, tip_spots, strict=True):
            if not self.head[channel].has_tip:
                raise Refused(f"channel {channel} has no tip", place=spot.name, channel=channel)
            if isinstance(spot, TipSpot) and spot.tracker.has_tip:
                raise Refused("a tip stands at this spot already", place=spot.name, channel=channel)
        async with self._tip_books(channels, spots, picked=False):
            await super().drop_tips(tip_spots, channels, *args, **kwargs)

    async def pick_up_tips96(self, tip_rack: TipRack, *args: Any, **kwargs: Any) -> None:
        """As pylabrobot's; from a full rack of 96, onto a head without tips."""
        check_on_deck(self.deck, [tip_rack], self.kept)
        self._need_head()
        spots = tip_rack.get_all_items() if isinstance(tip_rack, TipRack) else []
        missing = sum(not spot.tracker.has_tip for spot in spots)
        if len(spots) != HEAD_96 or missing:
            raise Refused(f"the rack lacks {missing or HEAD_96 - len(spots)} of 96 tips", place=tip_rack.name)
        if any(tracker.has_tip for tracker in self.head96.values()):
            raise Refused("the head has tips already", place=tip_rack.name)
        async with self._books([*self.head96.values(), *(spot.tracker for spot in spots)], []):
            await super().pick_up_tips96(tip_rack, *args, **kwargs)

    async def drop_tips96(self, resource: TipRack | Trash, *args: Any, **kwargs: Any) -> None:
        """As pylabrobot's; into an empty rack or the trash, from a head with all its tips."""
        check_on_deck(self.deck, [resource])
        self._need_head(tips=True)
        spots = resource.get_all_items() if isinstance(resource, TipRack) else []
        if any(spot.tracker.has_tip for spot in spots):
            raise Refused("tips stand in this rack already", place=resource.name)
        async with self._books([*self.head96.values(), *(spot.tracker for spot in spots)], []):
            await super().drop_tips96(resource, *args, **kwargs)

    # -- liquids ------------------------------------------------------------------------------------

    async def aspirate(
        self,
        resources: Sequence[Container],
        vols: list[float],
        use_channels: list[int] | None = None,
        *,
        above: bool = False,
        untracked: bool = False,
        **kwargs: Any,
    ) -> None:
        """As pylabrobot's; ``above`` draws air over the wells, whose trackers then stay as they are.

        ``untracked``: the wells are drained, and air is drawn after the liquid; their trackers stay still too.
        """
        channels = self._check_stroke(resources, vols, use_channels, above=above, **kwargs)
        still = above or untracked
        async with self._books([self.head[channel] for channel in channels], resources, untracked=still):
            await super().aspirate(resources, vols, channels, **kwargs)

    async def dispense(
        self,
        resources: Sequence[Container],
        vols: list[float],
        use_channels: list[int] | None = None,
        *,
        untracked: bool = False,
        **kwargs: Any,
    ) -> None:
        """As pylabrobot's; ``untracked``: what reaches the wells is not the stroke, so their trackers stay still."""
        channels = self._check_stroke(resources, vols, use_channels, **kwargs)
        async with self._books([self.head[channel] for channel in channels], resources, untracked=untracked):
            await super().dispense(resources, vols, channels, **kwargs)

    async def aspirate96(
        self,
        resource: Plate | Container | list[Container],
        volume: float,
        *,
        above: bool = False,
        untracked: bool = False,
        **kwargs: Any,
    ) -> None:
        """As pylabrobot's, with tips on all of the head; ``above`` and ``untracked`` as for :meth:`aspirate`."""
        containers = self._check_stroke96(resource, volume, above=above, **kwargs)
        async with self._books(self.head96.values(), containers, untracked=above or untracked):
            await super().aspirate96(resource, volume, **kwargs)

    async def dispense96(
        self, resource: Plate | Container | list[Container], volume: float, *, untracked: bool = False, **kwargs: Any
    ) -> None:
        """As pylabrobot's, with tips on all of the head."""
        containers = self._check_stroke96(resource, volume, **kwargs)
        async with self._books(self.head96.values(), containers, untracked=untracked):
            await super().dispense96(resource, volume, **kwargs)

    async def stamp(self, source: Plate, target: Plate, *args: Any, **kwargs: Any) -> None:
        """Refused: pylabrobot's stamp dispenses into its source.

        Raises:
            Refused: always.
        """
        raise Refused("stamp dispenses into its source plate", place=source.name, mend="Use aspirate96 and dispense96")

    # -- checks and books ---------------------------------------------------------------------------

    def _channels(self, use_channels: list[int] | None, count: int) -> list[int]:
        channels = list(use_channels or self._default_use_channels or range(count))
        check_distinct("channel", channels)
        for channel in channels:
            if channel not in self.head:
                raise Refused(f"there is no channel {channel}", channel=channel)
        if count != len(channels):
            raise Refused(f"{count} places for {len(channels)} channels")
        return channels

    def _need_head(self, *, tips: bool = False) -> None:
        if len(self.head96) != HEAD_96:
            raise Refused("there is no 96 head")
        missing = sum(not tracker.has_tip for tracker in self.head96.values())
        if tips and missing:
            raise Refused(f"the head has no tip on {missing} of its 96 channels")

    def _check_stroke(
        self,
        resources: Sequence[Container],
        vols: Sequence[float],
        use_channels: list[int] | None,
        *,
        above: bool = False,
        flow_rates: Sequence[float | None] | None = None,
        liquid_height: Sequence[float | None] | None = None,
        blow_out_air_volume: Sequence[float | None] | None = None,
        mix: Sequence[Mix | None] | None = None,
        **others: Any,
    ) -> list[int]:
        """Refuse a stroke that must not happen; the channels it uses."""
        channels = self._channels(use_channels, len(vols))
        count = len(channels)
        check_lengths(count, wells=resources, flow_rates=flow_rates, heights=liquid_height, mixes=mix)
        offsets = others.get("offsets")
        check_lengths(count, blow_outs=blow_out_air_volume, offsets=offsets)
        self._check_wells(resources)
        for index, (channel, well) in enumerate(zip(channels, resources, strict=True)):
            if not self.head[channel].has_tip:
                raise Refused(f"channel {channel} has no tip", place=well.name, channel=channel)
            most = min(self.limit.volume.get(channel, float("inf")), self.head[channel].get_tip().maximal_volume)
            check_amount("volume", vols[index], most=most, place=well.name)
            check_flow_rate(flow_rates[index] if flow_rates else None, self.limit.flow_rate, well.name)
            check_height(well, liquid_height[index] if liquid_height else None, above=above)
            check_offset(well, offsets[index] if offsets else None)
            check_amount(
                "blow-out", blow_out_air_volume[index] if blow_out_air_volume else None, most=most, place=well.name
            )
            self._check_mix(mix[index] if mix else None, most, well.name)
        return channels

    def _check_stroke96(
        self,
        resource: Plate | Container | list[Container],
        volume: float,
        *,
        above: bool = False,
        flow_rate: float | None = None,
        liquid_height: float | None = None,
        blow_out_air_volume: float | None = None,
        mix: Mix | None = None,
        **_others: Any,
    ) -> list[Container]:
        """Refuse a stroke of the head that must not happen; the containers it uses."""
        self._need_head(tips=True)
        if isinstance(resource, Plate):
            wells: list[Container] = resource.get_all_items()
        else:
            wells = [resource] if isinstance(resource, Container) else list(resource)
        if len(wells) not in (1, HEAD_96):
            raise Refused(f"the head works on 96 wells or one trough, not on {len(wells)} wells")
        self._check_wells(wells)
        place = wells[0].name
        smallest = min(tracker.get_tip().maximal_volume for tracker in self.head96.values())
        most = min(self.limit.head96_volume, smallest)
        check_amount("volume", volume, most=most, place=place)
        check_flow_rate(flow_rate, self.limit.flow_rate, place)
        check_height(wells[0], liquid_height, above=above)
        check_amount("blow-out", blow_out_air_volume, most=most, place=place)
        self._check_mix(mix, most, place)
        return wells

    def _check_wells(self, wells: Sequence[Container]) -> None:
        for well in wells:
            if not isinstance(well, Container):
                raise Refused("it does not hold liquid", place=getattr(well, "name", str(well)))
        check_on_deck(self.deck, wells, self.kept)

    def _check_mix(self, mix: Mix | None, most: float, place: str) -> None:
        if mix is None:
            return
        check_amount("mixing volume", mix.volume, most=most, place=place)
        check_flow_rate(mix.flow_rate, self.limit.flow_rate, place)
        if mix.repetitions < 0:
            raise Refused(f"{mix.repetitions} mixing cycles", place=place)

    @asynccontextmanager
    async def _books(
        self, trackers: Iterable[TipTracker], containers: Sequence[Container], *, untracked: bool = False
    ) -> AsyncIterator[None]:
        """Track the call; put the books back if it fails. ``untracked`` leaves the containers out of it."""
        _track()
        books = Books.of(trackers, containers)
        still = [container.tracker for container in containers if untracked and not container.tracker.is_disabled]
        for tracker in still:
            tracker.disable()
        try:
            yield
        except BaseException:
            books.put_back()
            raise
        finally:
            for tracker in still:
                tracker.enable()

    @asynccontextmanager
    async def _tip_books(self, channels: list[int], spots: Sequence[TipSpot], *, picked: bool) -> AsyncIterator[None]:
        """As :meth:`_books`, and after a failure each tip is where the machine says it is."""
        _track()
        books = Books.of([*(self.head[channel] for channel in channels), *(spot.tracker for spot in spots)], [])
        try:
            yield
        except Exception as error:
            books.put_back()
            if not _says_enough(error):
                await self._settle_tips(channels, spots, error, picked=picked)
            raise
        except BaseException:
            books.put_back()
            raise

    async def _settle_tips(
        self, channels: list[int], spots: Sequence[TipSpot], error: Exception, *, picked: bool
    ) -> None:
        try:
            presence = await self.backend.request_tip_presence()
        except Exception:  # whatever the reason: it does not say
            presence = []
        known = {channel: presence[channel] for channel in channels if channel < len(presence)}
        if any(known.get(channel) is None for channel in channels):
            raise TipsUnknown(
                f"a tip instruction failed and the machine does not say which channels hold tips ({error})",
                mend="Look at the channels, then reset the record of the workcell",
            ) from error
        for index, channel in enumerate(channels):
            if known[channel] is not picked:
                continue
            spot = spots[index] if index < len(spots) else None
            if picked and spot is not None:
                tip = spot.tracker.get_tip()
                spot.tracker.remove_tip(commit=True)
                self.head[channel].add_tip(tip, origin=spot)
            elif not picked:
                tip = self.head[channel].get_tip()
                self.head[channel].remove_tip(commit=True)
                if spot is not None:
                    spot.tracker.add_tip(tip)


def _says_enough(error: Exception) -> bool:
    """No question about tips helps: pylabrobot raised it before it called the machine, or the machine is gone."""
    return isinstance(error, DeviceError | TypeError | AssertionError)


def _track() -> None:
    set_tip_tracking(True)
    set_volume_tracking(True)
