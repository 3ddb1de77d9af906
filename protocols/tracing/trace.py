"""A program told as acts, block by block. Volumes µL, times s.

A block begins where a tip is picked up while no pipette holds one, and ends where the last is dropped. What a block
does is said by its acts; the instructions between blocks stand for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
        returned: spots of racks into which tips go with liquid in them.
    """

    start: int
    stop: int
    acts: tuple[Act, ...]
    flow: tuple[Flow, ...] = ()
    odd: str | None = None
    spots: tuple[str, ...] = ()
    settling: int = 0
    strokes: int = 0
    returned: tuple[str, ...] = ()


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
    return Trace(tuple(_taken_again(tracer.blocks)), tracer.draws)


def _taken_again(blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks, odd where a tip goes back with liquid that is taken again later, and where it is taken."""
    left: set[str] = set()
    again: set[str] = set()
    for block in blocks:
        again |= left.intersection(block.spots)
        left |= set(block.returned)
    for block in blocks:
        if block.odd is None and again.intersection((*block.returned, *block.spots)):
            yield replace(block, odd="a tip goes back to its rack with liquid in it, and is taken again")
        else:
            yield block


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
    _unused: dict[int, float] = field(default_factory=dict)
    _dropped: list[str] = field(default_factory=list)
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
        if self._start is None:
            return
        for life in self._mounted.values():
            if life.loaded:
                self._odd = self._odd or "a tip with liquid is still on at the end"
            life.drop(at - 1, into_trash=True)
        self._close(at)

    def _pick_up(self, pipette: str, channel: int, spot: str) -> None:
        if (pipette, channel) in self._mounted:
            self._odd = self._odd or "a channel that has a tip picks up another"
        life = self._mounted[pipette, channel] = Life(self._tips, pipette, channel, spot, self._flow, self._unused)
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
                life.mix(said, said.wells[index], said.volumes[index], self.classes[said.liquid_class], at)
            case AirGap():
                life.draw_air(said.volumes[index])
            case BlowOut():
                life.blow_out(said.wells[index], at)
            case DropTips():
                life.drop(at, into_trash=said.spots is None)
                if life.returned and said.spots is not None:
                    self._dropped.append(said.spots[index])
                del self._mounted[said.pipette, life.channel]

    def _used(self, event: Flow) -> Flow:
        """A draw without what only clung to its tip."""
        if isinstance(event, Draw) and (unused := self._unused.get(event.number)):
            return replace(event, volume=max(0.0, event.volume - unused))
        return event

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
                tuple(self._used(event) for event in self._flow),
                odd,
                tuple(life.spot for life in self._lives),
                self._settling,
                sum(life.strokes for life in self._lives),
                tuple(self._dropped),
            )
        )
        self._mounted, self._lives, self._flow, self._others = {}, [], [], []
        self._unused, self._dropped = {}, []
        self._start, self._odd, self._settling = None, None, 0
