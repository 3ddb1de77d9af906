"""The driver: one instruction, one guarded pylabrobot call (two for moving labware)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from pylabrobot.liquid_handling.errors import ChannelizedError
from pylabrobot.liquid_handling.standard import Mix as PylabrobotMix
from pylabrobot.resources import Container, TipRack, Trash

from protocols.errors import DeviceError
from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    Program,
    ReplaceTipRack,
    Wait,
)
from protocols.tips import Tip as Column
from robots.driver.faults import outcome_of
from robots.driver.machines import Machine, make_machine
from robots.driver.mirror import HEAD_96, Mirror, plate_of
from robots.driver.stroke import Stroke, spread
from robots.guard import GuardedLiquidHandler, Limit, Refused
from robots.ports import ConnectionLost
from robots.simulator import SimulatedLiquidHandler, WorldPort
from robots.simulator.channel_errors import ChannelFault
from robots.workcell import Workcell

_AIR = LiquidClass(name="air")
"""How an air gap is drawn."""


def make_driver(
    workcell: Workcell, program: Program, state: LabState, run: str, *, world: WorldPort | None = None
) -> PyLabRobotDriver:
    """The driver of a workcell for one run; nothing is connected before :meth:`PyLabRobotDriver.setup`.

    Args:
        state: what is where now. Whoever runs the program keeps it up to date; the driver reads it before each
            instruction and never writes it.
        run: the run's id, part of each act's id.
        world: the simulated lab, for a simulated workcell.

    Raises:
        DeviceError: the workcell has no liquid handler that can be driven.
    """
    return PyLabRobotDriver(workcell, program, state, run, make_machine(workcell, world))


class PyLabRobotDriver:
    """Carries out instructions through pylabrobot, behind the guard; see :class:`robots.ports.Driver`."""

    def __init__(self, workcell: Workcell, program: Program, state: LabState, run: str, machine: Machine) -> None:
        self.answers = machine.answers
        self._workcell = workcell
        self._program = program
        self._state = state
        self._run = run
        self._machine = machine
        self._mirror = Mirror(workcell, state)
        self.handler = GuardedLiquidHandler(machine.backend, self._mirror.deck, _limit(workcell, self._mirror))
        self._over: dict[tuple[str, int], Container] = {}

    @property
    def _simulated(self) -> SimulatedLiquidHandler | None:
        backend = self._machine.backend
        return backend if isinstance(backend, SimulatedLiquidHandler) else None

    async def setup(self) -> None:
        """Connect to the machine.

        Raises:
            ConnectionLost: it does not answer.
            DeviceError: it refuses to start.
        """
        try:
            await self.handler.setup()
        except DeviceError:
            raise
        except (OSError, TimeoutError) as error:
            raise ConnectionLost(f"the machine does not answer ({error})", mend="Check power and cable") from error
        except Exception as error:  # backends raise errors of many types when they cannot start
            raise DeviceError(f"the machine does not start ({type(error).__name__}: {error})") from error

    def acts(self, instruction: AnyInstruction) -> int:
        """See :meth:`robots.ports.Driver.acts`."""
        return 2 if isinstance(instruction, MoveLabware) else 1

    async def execute(self, instruction: AnyInstruction, *, acts_done: int = 0) -> Outcome:
        """See :meth:`robots.ports.Driver.execute`.

        Where all acts are done already, a machine that answers is asked for the last one again: it does not do
        it twice, and says how it went.
        """
        first = min(acts_done, self.acts(instruction) - 1)
        simulated = self._simulated
        if simulated is not None:
            simulated.begin(f"{self._run}:{instruction.id}", first_act=first)
        elif acts_done >= self.acts(instruction):
            return Outcome()
        began = time.monotonic()
        try:
            self._follow(instruction, first)
            await self._carry_out(instruction, first)
        except Exception as error:
            if simulated is not None and isinstance(error, ChannelizedError | ChannelFault):
                return simulated.outcome()
            outcome = outcome_of(error, instruction, self._numbers(instruction))
        else:
            outcome = Outcome() if simulated is None else simulated.outcome()
        return outcome.model_copy(update={"seconds": time.monotonic() - began}) if simulated is None else outcome

    async def acts_done(self, instruction_id: str) -> int | None:
        """See :meth:`robots.ports.Driver.acts_done`."""
        if self._simulated is None or not self.answers:
            return None
        return await self._simulated.acts_done(f"{self._run}:{instruction_id}")

    async def make_safe(self) -> None:
        """See :meth:`robots.ports.Driver.make_safe`.

        Raises:
            DeviceError: pylabrobot has no way to stop this machine.
        """
        backend = self._machine.backend
        stop: Any = getattr(backend, "make_safe", None) or getattr(backend, "halt", None)
        if stop is None:
            raise DeviceError("pylabrobot cannot stop this machine", mend="Press its own stop button")
        await stop()
        if not self._machine.halts_at_once:
            raise DeviceError(
                "the machine ends the move that it is in; no further one is sent",
                mend="Keep its emergency stop in reach",
            )

    async def close(self) -> None:
        """See :meth:`robots.ports.Driver.close`."""
        if self.handler.setup_finished:
            await self.handler.stop(leave_mounted=True)

    # -- before an instruction ----------------------------------------------------------------------

    def _follow(self, instruction: AnyInstruction, first: int) -> None:
        held = self.handler.get_picked_up_resource()
        if isinstance(instruction, MoveLabware) and first == 1 and held is None:
            held = self._mirror.labware(instruction.labware)
            self._mirror.hold(self.handler, held)
        self._mirror.follow_labware(held)
        if isinstance(instruction, PickUpTips | DropTips | Aspirate | Dispense | Mix | AirGap):
            self._mirror.follow(self.handler, instruction)

    def _numbers(self, instruction: AnyInstruction) -> dict[int, int]:
        """The pipette's channels by pylabrobot's numbers."""
        numbers = self._mirror.numbers.get(getattr(instruction, "pipette", ""), ())
        return {number: channel for channel, number in enumerate(numbers)}

    # -- instructions to calls ----------------------------------------------------------------------

    async def _carry_out(self, instruction: AnyInstruction, first: int) -> None:
        match instruction:
            case PickUpTips():
                await self._pick_up_tips(instruction)
            case DropTips():
                await self._drop_tips(instruction)
            case Aspirate() | Mix() | AirGap():
                await self._pipette(self._stroke(instruction), self._aspirate)
            case Dispense():
                await self._pipette(self._stroke(instruction), self._dispense)
            case MoveLabware():
                await self._move_labware(instruction, first)
            case ReplaceTipRack():
                if self._simulated is not None:
                    await self._simulated.replace_tip_rack(instruction.rack)
            case Wait():
                await (
                    self._simulated.wait(instruction.seconds) if self._simulated else asyncio.sleep(instruction.seconds)
                )
            case AskPerson():
                if self._simulated is not None:
                    await self._simulated.ask_person(instruction.message)

    async def _pick_up_tips(self, instruction: PickUpTips) -> None:
        spots = [self._mirror.spot(reference) for reference in instruction.spots]
        words = self._machine.dialect.tips(instruction.pipette)
        if self._is_head(instruction.pipette):
            rack = spots[0].parent
            self._need_all(instruction.pipette, instruction.channels)
            if not isinstance(rack, TipRack) or [*rack.get_all_items()] != spots:
                raise Refused("the head takes all tips of one rack, in order", place=instruction.spots[0])
            await self.handler.pick_up_tips96(rack)
        else:
            numbers = self._pylabrobot_channels(instruction.pipette, instruction.channels)
            await self.handler.pick_up_tips(spots, list(numbers), **words)

    async def _drop_tips(self, instruction: DropTips) -> None:
        words = self._machine.dialect.tips(instruction.pipette)
        spots = None if instruction.spots is None else [self._mirror.spot(spot) for spot in instruction.spots]
        if self._is_head(instruction.pipette):
            self._need_all(instruction.pipette, instruction.channels)
            target = self._head_trash() if spots is None else spots[0].parent
            if spots is not None and (not isinstance(target, TipRack) or [*target.get_all_items()] != spots):
                raise Refused("the head puts its tips into one rack, in order", place=target.name if target else "")
            await self.handler.drop_tips96(target, allow_nonzero_volume=True)
            return
        numbers = list(self._pylabrobot_channels(instruction.pipette, instruction.channels))
        if spots is None:
            await self.handler.discard_tips(numbers, **words)
        else:
            await self.handler.drop_tips(spots, numbers, allow_nonzero_volume=True, **words)

    def _head_trash(self) -> Trash:
        try:
            return self.handler.deck.get_trash_area96()
        except NotImplementedError:  # a deck with one trash for all
            return self.handler.deck.get_trash_area()

    async def _pipette(self, stroke: Stroke, move: Callable[[Stroke], Awaitable[None]]) -> None:
        """Make a stroke, and remember over which wells the channels are: a later air gap is drawn there."""
        await move(stroke)
        self._over |= {(stroke.pipette, c): well for c, well in zip(stroke.channels, stroke.wells, strict=True)}

    async def _aspirate(self, stroke: Stroke) -> None:
        own, head = stroke.liquid_class, self._is_head(stroke.pipette)
        mixes = [PylabrobotMix(volume, cycles, own.aspirate_flow_rate) for volume, cycles in stroke.mixes]
        draws_blow_out = not stroke.air and any(stroke.volumes)
        blow_outs = [own.blow_out if draws_blow_out and column.column() <= 0 else 0.0 for column in stroke.columns]
        words = self._machine.dialect.aspirate(stroke, head=head)
        if head:
            await self.handler.aspirate96(
                self._under_head(stroke),
                self._one(stroke.volumes, "volumes"),
                flow_rate=own.aspirate_flow_rate,
                liquid_height=self._machine.dialect.height(stroke, 0, dispensing=False),
                blow_out_air_volume=self._one(blow_outs, "blow-out volumes"),
                mix=self._one(mixes, "mixes") if mixes else None,
                above=stroke.air,
                **words,
            )
            return
        await self.handler.aspirate(
            list(stroke.wells),
            list(stroke.volumes),
            list(stroke.numbers),
            flow_rates=[own.aspirate_flow_rate] * len(stroke.channels),
            offsets=spread(stroke),
            liquid_height=self._heights(stroke, dispensing=False),
            blow_out_air_volume=blow_outs,
            mix=mixes or None,
            above=stroke.air,
            **words,
        )

    async def _dispense(self, stroke: Stroke) -> None:
        own, head = stroke.liquid_class, self._is_head(stroke.pipette)
        words = self._machine.dialect.dispense(stroke, head=head)
        untracked = any(self._delivers_less(stroke, index) for index in range(len(stroke.channels)))
        if head:
            await self.handler.dispense96(
                self._under_head(stroke),
                self._one(stroke.volumes, "volumes"),
                flow_rate=own.dispense_flow_rate,
                liquid_height=self._machine.dialect.height(stroke, 0, dispensing=True),
                untracked=untracked,
                **words,
            )
            return
        await self.handler.dispense(
            list(stroke.wells),
            list(stroke.volumes),
            list(stroke.numbers),
            flow_rates=[own.dispense_flow_rate] * len(stroke.channels),
            offsets=spread(stroke),
            liquid_height=self._heights(stroke, dispensing=True),
            untracked=untracked,
            **words,
        )

    async def _move_labware(self, instruction: MoveLabware, first: int) -> None:
        labware, site = self._mirror.labware(instruction.labware), self._mirror.site(instruction.site)
        if first == 0:
            await self.handler.pick_up_resource(labware, destination=site, **self._machine.dialect.grip())
        await self.handler.drop_resource(site, **self._machine.dialect.release(instruction.site))

    # -- what a stroke needs ------------------------------------------------------------------------

    def _stroke(self, instruction: Aspirate | Dispense | Mix | AirGap) -> Stroke:
        pipette, channels = instruction.pipette, instruction.channels
        numbers = self._pylabrobot_channels(pipette, channels)
        if isinstance(instruction, AirGap):
            over = (self._over.get((pipette, channel)) for channel in channels)
            wells = tuple(well or self._mirror.any_container() for well in over)
        else:
            wells = tuple(self._mirror.container(reference) for reference in instruction.wells)
        own = _AIR if isinstance(instruction, AirGap) else self._program.liquid_classes[instruction.liquid_class]
        if isinstance(instruction, Mix):
            mixes = tuple((volume, instruction.cycles) for volume in instruction.volumes)
        else:
            wet = isinstance(instruction, Aspirate) and own.pre_wet > 0
            mixes = tuple((volume, own.pre_wet) for volume in instruction.volumes) if wet else ()
        return Stroke(
            pipette=pipette,
            channels=channels,
            numbers=numbers,
            wells=wells,
            volumes=(0.0,) * len(channels) if isinstance(instruction, Mix) else instruction.volumes,
            liquid_class=own,
            tips=tuple(self._tip(pipette, channel) for channel in channels),
            columns=tuple(self._column(pipette, channel) for channel in channels),
            height=None if isinstance(instruction, AirGap) else instruction.height,
            mixes=mixes,
            air=isinstance(instruction, AirGap),
        )

    def _tip(self, pipette: str, channel: int) -> Any:
        tip = self._mirror.tip(self.handler, pipette, channel)
        if tip is None:
            raise Refused(f"channel {channel} of '{pipette}' has no tip", place=pipette, channel=channel)
        return tip

    def _column(self, pipette: str, channel: int) -> Column:
        column = self._state.tip_on(pipette, channel)
        if column is None:
            raise Refused(f"channel {channel} of '{pipette}' has no tip", place=pipette, channel=channel)
        return column

    def _pylabrobot_channels(self, pipette: str, channels: tuple[int, ...]) -> tuple[int, ...]:
        numbers = self._mirror.numbers.get(pipette)
        if numbers is None:
            raise Refused(f"there is no pipette '{pipette}'", place=pipette)
        for channel in channels:
            if channel >= len(numbers):
                raise Refused(f"'{pipette}' has no channel {channel}", place=pipette)
        return tuple(numbers[channel] for channel in channels)

    def _is_head(self, pipette: str) -> bool:
        return len(self._mirror.numbers.get(pipette, ())) >= HEAD_96

    def _need_all(self, pipette: str, channels: tuple[int, ...]) -> None:
        if channels != tuple(range(HEAD_96)):
            raise Refused(f"all 96 channels of '{pipette}' move together, in order", place=pipette)

    def _under_head(self, stroke: Stroke) -> Any:
        """What pylabrobot's head calls take: a trough, or the plate."""
        self._need_all(stroke.pipette, stroke.channels)
        if all(well is stroke.wells[0] for well in stroke.wells):
            return stroke.wells[0]
        plate = plate_of(stroke.wells)
        if plate is None:
            raise Refused("the head works on all 96 wells of one plate in order, or in one trough")
        return plate

    def _one(self, values: Any, what: str) -> Any:
        """The value that all channels share."""
        if any(value != values[0] for value in values):
            raise Refused(f"the channels of a head move together: one of {what} for all")
        return values[0]

    def _heights(self, stroke: Stroke, *, dispensing: bool) -> list[float | None]:
        dialect = self._machine.dialect
        return [dialect.height(stroke, index, dispensing=dispensing) for index in range(len(stroke.channels))]

    def _delivers_less(self, stroke: Stroke, index: int) -> bool:
        """Less liquid than the stroke reaches the well: there is air in the tip, or a film stays in it."""
        column = stroke.columns[index]
        return column.air() > 0 or column.liquid() - stroke.volumes[index] < stroke.liquid_class.film


def _limit(workcell: Workcell, mirror: Mirror) -> Limit:
    """What the workcell allows, by pylabrobot's channel number."""
    pipettes = workcell.spec.pipettes
    single = {name: pipette for name, pipette in pipettes.items() if pipette.channels < HEAD_96}
    return Limit(
        flow_rate=workcell.spec.limits.flow_rate,
        volume={number: pipette.max_volume for name, pipette in single.items() for number in mirror.numbers[name]},
        head96_volume=min((p.max_volume for p in pipettes.values() if p.channels >= HEAD_96), default=0.0),
    )
