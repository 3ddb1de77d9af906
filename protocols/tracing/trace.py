"""A program told as acts, block by block. Volumes µL, times s.

A block begins where a tip is picked up while no pipette holds one, and ends where the last is dropped. What a block
does is said by its acts; the instructions between blocks stand for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocols.liquids import LiquidClass
from protocols.program import (
    AirGap,
    AnyInstruction,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    PickUpTips,
    TouchTip,
    Wait,
)
from protocols.tracing.acts import Act, Other
from protocols.tracing.life import Draw, Flow, Life, acts_of

TRASH = frozenset({"trash"})
"""What labware is called into which tips are dropped, where no workcell says otherwise."""
LONGEST_SETTLING = 10.0
"""s that a tip waits in or over a well to let liquid settle or drip off; a longer wait is a step of its own."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of instructions during which some pipette holds a tip, or one instruction outside all of those.

    Attributes:
        start, stop: its instructions are those from ``start`` up to, not with, ``stop``.
        acts: what it does, in order.
        flow: liquid into and out of tips, in order, for the accounts.
        odd: why its meaning is not plain, where it is not.
        spots: the tips it takes.
        settling: waits left to the liquid class.
        strokes: aspirates, dispenses and mixes, each channel counted.
    """

    start: int
    stop: int
    acts: tuple[Act, ...]
    flow: tuple[Flow, ...] = ()
    odd: str | None = None
    spots: tuple[str, ...] = ()
    settling: int = 0
    strokes: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """A program as blocks, in order.

    Attributes:
        draws: each draw of the program by its number.
    """

    blocks: tuple[Block, ...]
    draws: dict[int, Draw]

    @property
    def acts(self) -> tuple[Act, ...]:
        """All acts, in order."""
        return tuple(act for block in self.blocks for act in block.acts)


def trace(
    instructions: Sequence[AnyInstruction],
    liquid_classes: Mapping[str, LiquidClass],
    trash: frozenset[str] = TRASH,
) -> Trace:
    """Follow the tips of a program.

    Args:
        trash: the labware into which liquid is thrown away.

    Raises:
        KeyError: an instruction names a liquid class that is not there.
    """
    tracer = _Tracer(liquid_classes, trash)
    for at, instruction in enumerate(instructions):
        tracer.follow(at, instruction)
    tracer.end(len(instructions))
    return Trace(tuple(tracer.blocks), tracer.draws)


@dataclass
class _Tracer:
    classes: Mapping[str, LiquidClass]
    trash: frozenset[str]
    blocks: list[Block] = field(default_factory=list)
    draws: dict[int, Draw] = field(default_factory=dict)
    _tips: int = 0
    _mounted: dict[tuple[str, int], Life] = field(default_factory=dict)
    _lives: list[Life] = field(default_factory=list)
    _flow: list[Flow] = field(default_factory=list)
    _others: list[Other] = field(default_factory=list)
    _start: int | None = None
    _odd: str | None = None
    _settling: int = 0

    def follow(self, at: int, said: AnyInstruction) -> None:
        match said:
            case PickUpTips():
                self._start = at if self._start is None else self._start
                for channel, spot in zip(said.channels, said.spots, strict=True):
                    self._pick_up(said.pipette, channel, spot)
            case DropTips() | Aspirate() | Dispense() | Mix() | AirGap() | BlowOut() | TouchTip():
                if self._start is None:
                    self._start, self._odd = at, "a pipette moves without a tip"
                self._pipetting(at, said)
                if not self._mounted:
                    self._close(at + 1)
            case _:
                self._other(at, said)

    def end(self, at: int) -> None:
        """The program is over."""
        if self._start is not None:
            self._odd = self._odd or "a tip is still on at the end"
            self._close(at)

    def _pick_up(self, pipette: str, channel: int, spot: str) -> None:
        if (pipette, channel) in self._mounted:
            self._odd = self._odd or "a channel that has a tip picks up another"
        life = self._mounted[pipette, channel] = Life(self._tips, pipette, channel, spot, self._flow)
        self._lives.append(life)
        self._tips += 1

    def _other(self, at: int, said: AnyInstruction) -> None:
        if self._start is None:
            self.blocks.append(Block(at, at + 1, (Other(instruction=said, at=at),)))
        elif isinstance(said, Wait) and said.seconds <= LONGEST_SETTLING:
            self._settling += 1
        else:
            if any(life.loaded for life in self._mounted.values()):
                self._odd = self._odd or f"something else happens ({said.kind}) while a tip holds liquid"
            self._others.append(Other(instruction=said, at=at))

    def _pipetting(self, at: int, said: DropTips | Aspirate | Dispense | Mix | AirGap | BlowOut | TouchTip) -> None:
        for index, channel in enumerate(said.channels):
            life = self._mounted.get((said.pipette, channel))
            if life is None:
                self._odd = self._odd or "a channel moves without a tip"
                continue
            self._act(at, said, life, index)

    def _act(
        self,
        at: int,
        said: DropTips | Aspirate | Dispense | Mix | AirGap | BlowOut | TouchTip,
        life: Life,
        index: int,
    ) -> None:
        match said:
            case Aspirate():
                number = len(self.draws)
                style = self.classes[said.liquid_class]
                life.aspirate(said, said.wells[index], said.volumes[index], style, at, number)
                self.draws[number] = life.draws[number]
            case Dispense():
                life.dispense(said, said.wells[index], said.volumes[index], self.classes[said.liquid_class], at)
            case Mix():
                life.film = max(life.film, self.classes[said.liquid_class].film)
                life.mix(said, said.wells[index], said.volumes[index], at)
            case AirGap():
                life.draw_air(said.volumes[index])
            case BlowOut():
                life.blow_out(said.wells[index], at)
            case DropTips():
                life.drop(at, into_trash=said.spots is None)
                del self._mounted[said.pipette, life.channel]

    def _close(self, stop: int) -> None:
        assert self._start is not None
        acts: list[Act] = [act for life in self._lives for act in acts_of(life, self.trash)]
        odd = self._odd or next((life.odd for life in self._lives if life.odd), None)
        acts += self._others
        acts.sort(key=lambda act: (act.at, getattr(act, "channel", 0)))
        self.blocks.append(
            Block(
                self._start,
                stop,
                tuple(acts),
                tuple(self._flow),
                odd,
                tuple(life.spot for life in self._lives),
                self._settling,
                sum(life.strokes for life in self._lives),
            )
        )
        self._mounted, self._lives, self._flow, self._others = {}, [], [], []
        self._start, self._odd, self._settling = None, None, 0
