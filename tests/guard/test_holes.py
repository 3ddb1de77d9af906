"""The holes of pylabrobot 0.2.2, each shown on bare pylabrobot first, then closed by the guard."""

from __future__ import annotations

import asyncio
import math
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import LiquidHandlerBackend
from pylabrobot.liquid_handling.errors import ChannelizedError
from pylabrobot.resources import Coordinate, set_tip_tracking, set_volume_tracking
from pylabrobot.resources.errors import TooLittleLiquidError
from pylabrobot.resources.tip_tracker import does_tip_tracking
from pylabrobot.resources.volume_tracker import does_volume_tracking

from robots.guard import GuardedLiquidHandler, Refused, TipsUnknown
from robots.workcell import Workcell
from robots.workcell.built import BuiltDeck


class Machine(LiquidHandlerBackend):  # type: ignore[misc]
    """A machine that does as it is told, until ``fails`` is set; it feels the tips named in ``felt``."""

    def __init__(self) -> None:
        super().__init__()
        self._head96_installed = True
        self._num_arms = 1
        self.fails: Exception | None = None
        self.felt: list[bool | None] | None = None
        self.calls: list[str] = []

    @property
    def num_channels(self) -> int:
        return 8

    def can_pick_up_tip(self, channel_idx: int, tip: Any) -> bool:
        return True

    async def stop(self) -> None:
        pass

    async def request_tip_presence(self) -> list[bool | None]:
        if self.felt is None:
            raise NotImplementedError
        return self.felt

    async def _do(self, name: str) -> None:
        self.calls.append(name)
        if self.fails is not None:
            raise self.fails

    async def pick_up_tips(self, ops: Any, use_channels: Any) -> None:
        await self._do("pick_up_tips")

    async def drop_tips(self, ops: Any, use_channels: Any) -> None:
        await self._do("drop_tips")

    async def aspirate(self, ops: Any, use_channels: Any) -> None:
        await self._do("aspirate")

    async def dispense(self, ops: Any, use_channels: Any) -> None:
        await self._do("dispense")

    async def pick_up_tips96(self, pickup: Any) -> None:
        await self._do("pick_up_tips96")

    async def drop_tips96(self, drop: Any) -> None:
        await self._do("drop_tips96")

    async def aspirate96(self, aspiration: Any) -> None:
        await self._do("aspirate96")

    async def dispense96(self, dispense: Any) -> None:
        await self._do("dispense96")

    async def pick_up_resource(self, pickup: Any) -> None:
        await self._do("pick_up_resource")

    async def move_picked_up_resource(self, move: Any) -> None:
        await self._do("move_picked_up_resource")

    async def drop_resource(self, drop: Any) -> None:
        await self._do("drop_resource")


class Bench:
    """A STARlet deck with two plates, and the bare and the guarded front end over one sort of machine."""

    def __init__(self, workcell: Workcell, guarded: bool) -> None:
        self.built: BuiltDeck = workcell.place({"tips_300_1": workcell.spec.labware["tips_300_1"]})
        self.deck = self.built.deck
        self.machine = Machine()
        make: Callable[..., LiquidHandler] = GuardedLiquidHandler if guarded else LiquidHandler
        self.handler = make(backend=self.machine, deck=self.deck)
        self.rack = self.deck.get_resource("tips_300_1")
        self.plate = workcell.make("p", "flat_96_360ul")
        self.other = workcell.make("q", "flat_96_360ul")
        self.away = workcell.make("away", "flat_96_360ul")
        self.built.holders["plates-a-1"].assign_child_resource(self.plate)
        self.built.holders["plates-a-2"].assign_child_resource(self.other)
        for plate in (self.plate, self.other, self.away):
            for well in plate.get_all_items():
                well.tracker.set_volume(100.0)


@pytest.fixture(autouse=True)
def tracking() -> Iterator[None]:
    """As pylabrobot starts: nothing is tracked."""
    set_tip_tracking(False)
    set_volume_tracking(False)
    yield
    set_tip_tracking(False)
    set_volume_tracking(False)


def on(workcell: Workcell, story: Callable[[Bench], Awaitable[None]], *, guarded: bool, tracked: bool = True) -> None:
    async def told() -> None:
        bench = Bench(workcell, guarded)
        await bench.handler.setup()
        if tracked:
            set_tip_tracking(True)
            set_volume_tracking(True)
        await story(bench)

    asyncio.run(told())


async def pick(bench: Bench, *spots: str) -> None:
    await bench.handler.pick_up_tips([bench.rack.get_item(spot) for spot in spots], list(range(len(spots))))


def test_1_tracking_is_off_and_global(starlet: Workcell) -> None:
    async def draw_too_much(bench: Bench) -> None:
        await pick(bench, "A1")
        await bench.handler.aspirate([bench.plate.get_well("A1")], [200.0])

    on(starlet, draw_too_much, guarded=False, tracked=False)
    assert not does_tip_tracking()
    with pytest.raises(TooLittleLiquidError):
        on(starlet, draw_too_much, guarded=True, tracked=False)
    assert does_tip_tracking()
    assert does_volume_tracking()


def test_1_tracking_switched_off_meanwhile_is_switched_on_again(starlet: Workcell) -> None:
    async def story(bench: Bench) -> None:
        await pick(bench, "A1")
        set_volume_tracking(False)
        with pytest.raises(TooLittleLiquidError):
            await bench.handler.aspirate([bench.plate.get_well("A1")], [200.0])

    on(starlet, story, guarded=True)


async def fail_on_the_second_channel(bench: Bench) -> None:
    await pick(bench, "A1", "B1")
    wells = [bench.plate.get_well("A1"), bench.plate.get_well("B1")]
    with pytest.raises(TooLittleLiquidError):
        await bench.handler.aspirate(wells, [50.0, 200.0], [0, 1])


def test_2_a_failed_aspirate_leaves_nothing_pending(starlet: Workcell) -> None:
    async def bare(bench: Bench) -> None:
        await fail_on_the_second_channel(bench)
        assert bench.handler.head[0].get_tip().tracker.get_used_volume() == 50.0
        with pytest.raises(RuntimeError, match="Cannot drop tip with volume"):
            await bench.handler.return_tips()

    async def guarded(bench: Bench) -> None:
        await fail_on_the_second_channel(bench)
        assert bench.handler.head[0].get_tip().tracker.get_used_volume() == 0.0
        assert bench.plate.get_well("A1").tracker.get_used_volume() == 100.0
        await bench.handler.return_tips()
        assert bench.rack.get_item("A1").tracker.has_tip

    on(starlet, bare, guarded=False)
    on(starlet, guarded, guarded=True)


def test_3_a_spot_is_picked_once(starlet: Workcell) -> None:
    async def bare(bench: Bench) -> None:
        with pytest.raises(Exception, match="does not have a tip"):
            await pick(bench, "A1", "A1")
        assert bench.handler.head[0].has_tip  # a ghost: the machine was never called
        assert bench.machine.calls == []

    async def guarded(bench: Bench) -> None:
        with pytest.raises(Refused, match="named twice"):
            await pick(bench, "A1", "A1")
        assert not bench.handler.head[0].has_tip
        assert bench.rack.get_item("A1").tracker.has_tip

    on(starlet, bare, guarded=False)
    on(starlet, guarded, guarded=True)


async def miss_a_tip(bench: Bench) -> None:
    bench.machine.fails = ChannelizedError({1: RuntimeError("no tip")})
    await pick(bench, "A1", "B1")


def test_4_after_a_failed_pick_up_only_the_machine_says_who_holds_tips(starlet: Workcell) -> None:
    async def bare(bench: Bench) -> None:
        bench.machine.fails = RuntimeError("X drive blocked")
        bench.machine.felt = [True] * 8  # a simulator that answers from the trackers says this
        with pytest.raises(RuntimeError):
            await pick(bench, "A1", "B1")
        assert bench.handler.head[1].has_tip

    async def silent(bench: Bench) -> None:
        with pytest.raises(TipsUnknown, match="does not say"):
            await miss_a_tip(bench)

    async def truthful(bench: Bench) -> None:
        bench.machine.felt = [True] + [False] * 7
        with pytest.raises(ChannelizedError):
            await miss_a_tip(bench)
        assert [bench.handler.head[channel].has_tip for channel in (0, 1)] == [True, False]
        assert [bench.rack.get_item(spot).tracker.has_tip for spot in ("A1", "B1")] == [False, True]

    async def silent_bare(bench: Bench) -> None:
        with pytest.raises(ChannelizedError):
            await miss_a_tip(bench)
        assert bench.handler.head[0].has_tip  # nobody felt it

    on(starlet, bare, guarded=False)
    on(starlet, silent_bare, guarded=False)
    on(starlet, silent, guarded=True)
    on(starlet, truthful, guarded=True)


def test_4_after_a_failed_drop_the_tip_is_where_the_machine_says(starlet: Workcell) -> None:
    async def story(bench: Bench) -> None:
        await pick(bench, "A1", "B1")
        bench.machine.fails = RuntimeError("squeezer")
        bench.machine.felt = [False, True] + [False] * 6
        with pytest.raises(RuntimeError, match="squeezer"):
            await bench.handler.return_tips()
        assert [bench.handler.head[channel].has_tip for channel in (0, 1)] == [False, True]
        assert [bench.rack.get_item(spot).tracker.has_tip for spot in ("A1", "B1")] == [True, False]

    on(starlet, story, guarded=True)


def test_5_a_failed_stroke_moves_no_books(starlet: Workcell) -> None:
    async def story(bench: Bench) -> tuple[float, float]:
        await pick(bench, "A1", "B1")
        bench.machine.fails = ChannelizedError({1: RuntimeError("clot")})
        wells = [bench.plate.get_well("A1"), bench.plate.get_well("B1")]
        with pytest.raises(ChannelizedError):
            await bench.handler.aspirate(wells, [50.0, 50.0], [0, 1])
        return tuple(well.tracker.volume for well in wells)

    async def bare(bench: Bench) -> None:
        assert await story(bench) == (50.0, 100.0)  # as if the clogged tip had drawn nothing and the other all

    async def guarded(bench: Bench) -> None:
        assert await story(bench) == (100.0, 100.0)  # nothing is claimed; the driver sets what was reported

    on(starlet, bare, guarded=False)
    on(starlet, guarded, guarded=True)


@pytest.mark.parametrize("call", ["aspirate96", "dispense96", "stamp"])
def test_6_the_head_needs_tips(starlet: Workcell, call: str) -> None:
    async def story(bench: Bench) -> None:
        if call == "stamp":
            await bench.handler.stamp(bench.plate, bench.other, 10.0)
        else:
            await getattr(bench.handler, call)(bench.plate, 10.0)

    async def bare(bench: Bench) -> None:
        await story(bench)
        assert bench.machine.calls

    async def guarded(bench: Bench) -> None:
        with pytest.raises(Refused):
            await story(bench)
        assert bench.machine.calls == []

    on(starlet, bare, guarded=False)
    on(starlet, guarded, guarded=True)


STROKES: dict[str, dict[str, Any]] = {
    "volume is nan": {"vols": [math.nan]},
    "volume is negative": {"vols": [-5.0]},
    "over the limit": {"vols": [5000.0]},
    "flow rate is negative": {"flow_rates": [-1.0]},
    "flow rate is nan": {"flow_rates": [math.nan]},
    "flow rate of 1e": {"flow_rates": [1e9]},
    "flow rate is 0": {"flow_rates": [0.0]},
    "above the well": {"liquid_height": [500.0]},
    "height is negative": {"liquid_height": [-1.0]},
    "height is inf": {"liquid_height": [math.inf]},
    "blow-out is negative": {"blow_out_air_volume": [-1.0]},
    "channel 0 is named twice": {"use_channels": [0, 0], "vols": [1.0, 1.0]},
    "no channel 12": {"use_channels": [12]},
    "2 flow_rates for 1": {"flow_rates": [1.0, 1.0]},
}


@pytest.mark.parametrize("said", STROKES)
def test_7_numbers_that_make_no_sense_are_refused(starlet: Workcell, said: str) -> None:
    async def story(bench: Bench) -> None:
        await pick(bench, "A1")
        arguments = {"vols": [10.0], "use_channels": [0], **STROKES[said]}
        wells = [bench.plate.get_well("A1")] * len(arguments["vols"])
        before = list(bench.machine.calls)
        for call in (bench.handler.aspirate, bench.handler.dispense):
            with pytest.raises(Refused) as refused:
                await call(wells, **arguments)
            assert said.lower() in str(refused.value).lower()
        assert bench.machine.calls == before

    on(starlet, story, guarded=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"vols": [math.nan]},
        {"vols": [-5.0]},
        {"vols": [1.0], "flow_rates": [-1.0]},
        {"vols": [1.0], "liquid_height": [500.0]},
    ],
)
def test_7_bare_pylabrobot_takes_them(starlet: Workcell, arguments: dict[str, Any]) -> None:
    async def story(bench: Bench) -> None:
        await pick(bench, "A1")
        await bench.handler.aspirate([bench.plate.get_well("A1")], use_channels=[0], **arguments)
        assert bench.machine.calls[-1] == "aspirate"

    on(starlet, story, guarded=False)


def test_7_labware_that_is_not_on_the_deck_is_refused(starlet: Workcell) -> None:
    async def story(bench: Bench) -> None:
        await pick(bench, "A1")
        await bench.handler.aspirate([bench.away.get_well("A1")], [10.0])

    on(starlet, story, guarded=False)
    with pytest.raises(Refused, match="does not stand on the deck"):
        on(starlet, story, guarded=True)


def test_8_the_destination_is_looked_at_before_the_pick_up(starlet: Workcell) -> None:
    async def story(bench: Bench) -> None:
        await bench.handler.move_resource(bench.plate, bench.built.holders["plates-a-2"])

    async def bare(bench: Bench) -> None:
        with pytest.raises(RuntimeError):
            await story(bench)
        assert bench.handler.get_picked_up_resource() is bench.plate  # the arm keeps it, every later move fails

    async def guarded(bench: Bench) -> None:
        with pytest.raises(Refused, match="'q' stands on"):
            await story(bench)
        assert bench.handler.get_picked_up_resource() is None
        await bench.handler.move_resource(bench.plate, bench.built.holders["plates-a-3"])
        assert bench.built.holders["plates-a-3"].resource is bench.plate

    on(starlet, bare, guarded=False)
    on(starlet, guarded, guarded=True)


def test_8_a_pick_up_must_say_where_it_ends(starlet: Workcell) -> None:
    async def story(bench: Bench) -> None:
        await bench.handler.pick_up_resource(bench.plate)

    on(starlet, story, guarded=False)
    with pytest.raises(Refused, match="where the labware will be put down"):
        on(starlet, story, guarded=True)


def test_10_stop_is_refused_with_tips_or_labware_held(starlet: Workcell) -> None:
    async def with_tips(bench: Bench) -> None:
        await pick(bench, "A1")
        await bench.handler.stop()

    async def with_plate(bench: Bench) -> None:
        await bench.handler.pick_up_resource(bench.plate, **destination(bench))
        await bench.handler.stop()

    def destination(bench: Bench) -> dict[str, Any]:
        guarded = isinstance(bench.handler, GuardedLiquidHandler)
        return {"destination": bench.built.holders["plates-a-3"]} if guarded else {}

    async def on_purpose(bench: Bench) -> None:
        await pick(bench, "A1")
        await bench.handler.stop(leave_mounted=True)

    on(starlet, with_tips, guarded=False)
    on(starlet, with_plate, guarded=False)
    with pytest.raises(Refused, match="tips on channels 0"):
        on(starlet, with_tips, guarded=True)
    with pytest.raises(Refused, match="'p' in the gripper"):
        on(starlet, with_plate, guarded=True)
    on(starlet, on_purpose, guarded=True)


def test_11_opentrons_racks_come_from_the_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from pylabrobot.resources.opentrons import tip_racks

    from robots.workcell import load_workcell
    from robots.workcell.opentrons import load_opentrons

    asked: list[str] = []

    def no_web(url: str, *args: object, **kwargs: object) -> None:
        asked.append(url)
        raise OSError("offline")

    monkeypatch.setattr(urllib.request, "urlopen", no_web)
    monkeypatch.setattr("os.path.exists", lambda path: path == "/tmp")
    with pytest.raises(OSError, match="offline"):
        tip_racks.opentrons_96_tiprack_300ul("rack")
    assert asked
    asked.clear()
    monkeypatch.undo()
    monkeypatch.setattr(urllib.request, "urlopen", no_web)
    load_opentrons.cache_clear()
    rack = load_workcell("ot2").build_deck().get_resource("tips_300_1")
    assert rack.num_items == 96
    assert asked == []


def test_12_nothing_imports_the_visualizer() -> None:
    from pathlib import Path

    sources = Path(__file__).parents[2].glob("robots/**/*.py")
    importing = [path for path in sources if "pylabrobot.visualizer" in path.read_text(encoding="utf-8")]
    assert importing == []


NOWHERE = [Coordinate(math.nan, 0, 0), Coordinate(0, 40, 0), Coordinate(-40, 0, 0), Coordinate(0, 0, math.inf)]


@pytest.mark.parametrize("offset", NOWHERE, ids=str)
def test_an_offset_that_is_no_place_or_leaves_the_well_is_refused(starlet: Workcell, offset: Coordinate) -> None:
    async def story(bench: Bench) -> None:
        await pick(bench, "A1")
        await bench.handler.aspirate([bench.plate.get_well("A1")], [10.0], [0], offsets=[offset])

    on(starlet, story, guarded=False)
    with pytest.raises(Refused, match="offset"):
        on(starlet, story, guarded=True)


MANUAL: dict[str, tuple[Any, ...]] = {
    "move_channel_x": (0, 9999.0),
    "move_channel_y": (0, 9999.0),
    "move_channel_z": (0, -50.0),
    "prepare_for_manual_channel_operation": (0,),
    "move_picked_up_resource": (Coordinate(9999, 0, 0),),
}


@pytest.mark.parametrize("call", MANUAL)
def test_a_move_to_bare_coordinates_is_refused(starlet: Workcell, call: str) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused, match="nothing would look"):
            await getattr(bench.handler, call)(*MANUAL[call])
        assert bench.machine.calls == []

    on(starlet, story, guarded=True)


def test_labware_that_a_device_keeps_is_neither_pipetted_nor_carried(starlet: Workcell) -> None:
    async def pipette(bench: Bench) -> None:
        await pick(bench, "A1")
        await bench.handler.aspirate([bench.plate.get_well("A1")], [10.0])

    async def carry(bench: Bench) -> None:
        await bench.handler.move_resource(bench.plate, bench.built.holders["plates-a-3"])

    def kept(story: Callable[[Bench], Awaitable[None]]) -> Callable[[Bench], Awaitable[None]]:
        async def told(bench: Bench) -> None:
            bench.handler.kept = {"p": "device shakes"}
            bench.handler.held_fast = {bench.built.holders["plates-a-1"].name: "shaker: latch not open"}
            with pytest.raises(Refused, match=r"device shakes|latch not open"):
                await story(bench)
            assert set(bench.machine.calls) <= {"pick_up_tips"}

        return told

    for story in (pipette, carry):
        on(starlet, story, guarded=False)  # pylabrobot knows nothing of devices below labware
        on(starlet, kept(story), guarded=True)
