"""Pipetting instructions as guarded pylabrobot calls: one instruction, one call."""

from __future__ import annotations

from typing import Any

from pylabrobot.liquid_handling.standard import Mix as PylabrobotMix
from pylabrobot.resources import Container, Coordinate, TipRack, Trash

from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.program import (
    AirGap,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    PickUpTips,
    PipettingInstruction,
    Program,
    TouchTip,
)
from protocols.tips import Tip as Column
from robots.driver.dialects import Dialect
from robots.driver.mirror import Mirror, plate_of
from robots.driver.stroke import Stroke, spread
from robots.guard import GuardedLiquidHandler, Refused
from robots.simulator.translation import HEAD_96

_AIR = LiquidClass(name="air")
"""How an air gap is drawn and a wall touched."""

StrokeInstruction = Aspirate | Dispense | Mix | AirGap | BlowOut | TouchTip


class Pipetting:
    """The pipettes of one liquid handler."""

    def __init__(
        self, handler: GuardedLiquidHandler, mirror: Mirror, dialect: Dialect, program: Program, state: LabState
    ) -> None:
        self._handler = handler
        self._mirror = mirror
        self._dialect = dialect
        self._program = program
        self._state = state
        self._over: dict[tuple[str, int], Container] = {}

    async def carry_out(self, instruction: PipettingInstruction) -> None:
        """Make the call that ``instruction`` is.

        Raises:
            Refused: the guard would not let it through, or a head was given a part of its channels.
        """
        match instruction:
            case PickUpTips():
                await self._pick_up_tips(instruction)
            case DropTips():
                await self._drop_tips(instruction)
            case Dispense() | BlowOut() | TouchTip():
                await self._dispense(self._stroke(instruction))
            case Aspirate():
                await self._aspirate(self._stroke(instruction), drains=self._drains(instruction))
            case Mix() | AirGap():
                await self._aspirate(self._stroke(instruction))

    # -- tips ---------------------------------------------------------------------------------------

    async def _pick_up_tips(self, instruction: PickUpTips) -> None:
        spots = [self._mirror.spot(reference) for reference in instruction.spots]
        words = self._dialect.tips(instruction.pipette)
        if self._is_head(instruction.pipette):
            rack = spots[0].parent
            self._need_all(instruction.pipette, instruction.channels)
            if not isinstance(rack, TipRack) or [*rack.get_all_items()] != spots:
                raise Refused("the head takes all tips of one rack, in order", place=instruction.spots[0])
            await self._handler.pick_up_tips96(rack)
        else:
            numbers = self._pylabrobot_channels(instruction.pipette, instruction.channels)
            await self._handler.pick_up_tips(spots, list(numbers), **words)

    async def _drop_tips(self, instruction: DropTips) -> None:
        words = self._dialect.tips(instruction.pipette)
        spots = None if instruction.spots is None else [self._mirror.spot(spot) for spot in instruction.spots]
        if self._is_head(instruction.pipette):
            self._need_all(instruction.pipette, instruction.channels)
            target = self._head_trash() if spots is None else spots[0].parent
            if spots is not None and (not isinstance(target, TipRack) or [*target.get_all_items()] != spots):
                raise Refused("the head puts its tips into one rack, in order", place=target.name if target else "")
            await self._handler.drop_tips96(target, allow_nonzero_volume=True)
            return
        numbers = list(self._pylabrobot_channels(instruction.pipette, instruction.channels))
        if spots is not None:
            await self._handler.drop_tips(spots, numbers, allow_nonzero_volume=True, **words)
        elif self._state.workcell.pipettes[instruction.pipette].independent:
            await self._handler.discard_tips(numbers, **words)
        else:  # pylabrobot would spread channels that move together over the trash
            trash = [self._handler.deck.get_trash_area()] * len(numbers)
            await self._handler.drop_tips(trash, numbers, allow_nonzero_volume=True, **words)

    def _head_trash(self) -> Trash:
        try:
            return self._handler.deck.get_trash_area96()
        except NotImplementedError:  # a deck with one trash for all
            return self._handler.deck.get_trash_area()

    # -- liquids ------------------------------------------------------------------------------------

    async def _aspirate(self, stroke: Stroke, *, drains: bool = False) -> None:
        """``drains``: the wells hold less than is drawn, and air after it is meant."""
        own, head = stroke.liquid_class, self._is_head(stroke.pipette.id)
        mixes = [PylabrobotMix(volume, cycles, own.aspirate_flow_rate) for volume, cycles in stroke.mixes]
        draws_blow_out = not stroke.air and any(stroke.volumes)
        blow_outs = [own.blow_out if draws_blow_out and column.column() <= 0 else 0.0 for column in stroke.columns]
        words = self._dialect.aspirate(stroke, head=head)
        if head:
            await self._handler.aspirate96(
                self._under_head(stroke),
                self._one(stroke.volumes, "volumes"),
                flow_rate=own.aspirate_flow_rate,
                liquid_height=self._dialect.height(stroke, 0, dispensing=False),
                blow_out_air_volume=self._one(blow_outs, "blow-out volumes"),
                mix=self._one(mixes, "mixes") if mixes else None,
                above=stroke.air,
                untracked=drains,
                **words,
            )
            return
        await self._handler.aspirate(
            list(stroke.wells),
            list(stroke.volumes),
            list(stroke.numbers),
            flow_rates=[own.aspirate_flow_rate] * len(stroke.channels),
            liquid_height=self._heights(stroke, dispensing=False),
            blow_out_air_volume=blow_outs,
            mix=mixes or None,
            above=stroke.air,
            untracked=drains,
            **_places(stroke),
            **words,
        )

    async def _dispense(self, stroke: Stroke) -> None:
        own, head = stroke.liquid_class, self._is_head(stroke.pipette.id)
        words = self._dialect.dispense(stroke, head=head)
        untracked = self._runs_over(stroke) or any(
            self._delivers_less(stroke, index) for index in range(len(stroke.channels))
        )
        if head:
            volume = min(stroke.volumes) if stroke.sort == "blown out" else self._one(stroke.volumes, "volumes")
            await self._handler.dispense96(
                self._under_head(stroke),
                volume,
                flow_rate=own.dispense_flow_rate,
                liquid_height=self._dialect.height(stroke, 0, dispensing=True),
                untracked=untracked,
                **words,
            )
            return
        await self._handler.dispense(
            list(stroke.wells),
            list(stroke.volumes),
            list(stroke.numbers),
            flow_rates=[own.dispense_flow_rate] * len(stroke.channels),
            liquid_height=self._heights(stroke, dispensing=True),
            untracked=untracked,
            **_places(stroke),
            **words,
        )

    def _drains(self, instruction: Aspirate) -> bool:
        """Whether a stroke that takes the rest of its wells asks one of them for more than it holds."""
        if not instruction.takes_rest:
            return False
        asked: dict[str, float] = {}
        for well, volume in zip(instruction.wells, instruction.volumes, strict=True):
            asked[well] = asked.get(well, 0.0) + volume
        return any(volume > self._state.volume(well) for well, volume in asked.items())

    def _runs_over(self, stroke: Stroke) -> bool:
        """Whether a well is asked to take more than it holds, in a program for which that is worth a warning only."""
        if self._program.overflow != "warning":
            return False
        given: dict[int, float] = {}
        for well, volume in zip(stroke.wells, stroke.volumes, strict=True):
            given[id(well)] = given.get(id(well), 0.0) + volume
        return any(given[id(well)] > well.tracker.get_free_volume() for well in stroke.wells)

    # -- what a stroke needs ------------------------------------------------------------------------

    def _stroke(self, instruction: StrokeInstruction) -> Stroke:
        """The stroke that ``instruction`` is; over which wells the channels are is kept for a later air gap."""
        pipette, channels = instruction.pipette, instruction.channels
        numbers = self._pylabrobot_channels(pipette, channels)
        columns = tuple(self._column(pipette, channel) for channel in channels)
        wells = self._wells(instruction)
        self._over |= {(pipette, channel): well for channel, well in zip(channels, wells, strict=True)}
        shared: dict[str, Any] = {
            "pipette": self._state.workcell.pipettes[pipette],
            "channels": channels,
            "numbers": numbers,
            "wells": wells,
            "tips": tuple(self._tip(pipette, channel) for channel in channels),
            "columns": columns,
        }
        none = (0.0,) * len(channels)
        match instruction:
            case AirGap():
                return Stroke(**shared, volumes=instruction.volumes, liquid_class=_AIR, height=None, sort="air")
            case BlowOut():
                held = tuple(column.column() for column in columns)
                own = LiquidClass(name="blow-out", dispense_flow_rate=instruction.flow_rate, film=0.0)
                return Stroke(**shared, volumes=held, liquid_class=own, height=instruction.height, sort="blown out")
            case TouchTip():
                return Stroke(**shared, volumes=none, liquid_class=_AIR, height=instruction.height, sort="touch")
        own = self._program.liquid_classes[instruction.liquid_class]
        mixes: tuple[tuple[float, int], ...] = ()
        if isinstance(instruction, Mix):
            mixes = tuple((volume, instruction.cycles) for volume in instruction.volumes)
        elif isinstance(instruction, Aspirate) and own.pre_wet > 0:
            mixes = tuple((volume, own.pre_wet) for volume in instruction.volumes)
        volumes = none if isinstance(instruction, Mix) else instruction.volumes
        if isinstance(instruction, Dispense) and instruction.gives_rest:  # a piston cannot push out what is not there
            volumes = tuple(min(v, column.column()) for v, column in zip(volumes, columns, strict=True))
        return Stroke(**shared, volumes=volumes, liquid_class=own, height=instruction.height, mixes=mixes)

    def _wells(self, instruction: StrokeInstruction) -> tuple[Container, ...]:
        if not isinstance(instruction, AirGap):
            return tuple(self._mirror.container(reference) for reference in instruction.wells)
        over = (self._over.get((instruction.pipette, channel)) for channel in instruction.channels)
        return tuple(well or self._mirror.any_container() for well in over)

    def _tip(self, pipette: str, channel: int) -> Any:
        tip = self._mirror.tip(self._handler, pipette, channel)
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
        return pipette in self._mirror.heads

    def _need_all(self, pipette: str, channels: tuple[int, ...]) -> None:
        if channels != tuple(range(HEAD_96)):
            raise Refused(f"all 96 channels of '{pipette}' move together, in order", place=pipette)

    def _under_head(self, stroke: Stroke) -> Any:
        """What pylabrobot's head calls take: a trough, or the plate."""
        self._need_all(stroke.pipette.id, stroke.channels)
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
        return [self._dialect.height(stroke, index, dispensing=dispensing) for index in range(len(stroke.channels))]

    def _delivers_less(self, stroke: Stroke, index: int) -> bool:
        """Less liquid than the stroke reaches the well: there is air in the tip, or a film stays in it."""
        column = stroke.columns[index]
        return column.air() > 0 or column.liquid() - stroke.volumes[index] < stroke.liquid_class.film


def _places(stroke: Stroke) -> dict[str, Any]:
    """Where in its well each channel goes, in the words of pylabrobot's ``aspirate`` and ``dispense``."""
    offsets: list[Coordinate] | None = spread(stroke)
    return {"offsets": offsets, "spread": "custom"} if offsets is not None else {"offsets": None}
