"""The life of one tip, from its rack to where it is dropped, told as acts. Volumes µL.

What stays on the wall of an emptied tip, its film, is left aside: a tip that holds no more than that is empty. A stroke
out of and back into one well is mixing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from protocols.liquids import LiquidClass
from protocols.program import Aspirate, Dispense, Mix
from protocols.tracing.acts import Discarded, Moved, Stirred
from protocols.tracing.column import Column

ROUNDING = 1e-6
"""µL by which what is left in a tip may exceed its film, or two volumes differ that are meant to be equal."""
MOST_CYCLES = 100
"""Cycles of mixing that one step takes."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Liquid came into a tip: ``volume`` µL from ``well`` by the instruction at ``at``."""

    number: int
    well: str
    volume: float
    at: int
    pre_wet: int
    rest: bool


@dataclass(frozen=True, slots=True)
class Put:
    """Liquid left a tip: µL by the number of the draw; into no well where it was thrown away with the tip."""

    well: str | None
    parts: dict[int, float]
    at: int
    empties: bool


Flow = Draw | Put | Stirred
"""Liquid on its way into a tip or out of it, or mixed in its well."""


@dataclass(slots=True)
class Life:
    """One tip on one channel.

    Attributes:
        flow: where its draws and dispenses are noted, in the order of all tips.
        draws, events: what it did, in order.
        odd: what about it has no plain meaning, if anything.
        strokes: how often it aspirated, dispensed and mixed.
    """

    tip: int
    pipette: str
    channel: int
    spot: str
    flow: list[Flow]
    draws: dict[int, Draw] = field(default_factory=dict)
    events: list[Draw | Put | Stirred | float] = field(default_factory=list)
    odd: str | None = None
    strokes: int = 0
    film: float = 0.0
    _column: Column = field(default_factory=Column)
    _aside: float = 0.0

    @property
    def loaded(self) -> bool:
        """Whether it holds more than its film."""
        return self._column.liquid() + self._aside > self.film + ROUNDING

    def _set_aside(self) -> None:
        """A tip that holds no more than its film is empty: what clings to it is no longer followed."""
        if not self.loaded:
            self._aside += sum(self._column.empty().values())

    def aspirate(self, said: Aspirate, well: str, volume: float, style: LiquidClass, at: int, number: int) -> None:
        """Draw ``volume`` µL from ``well`` as draw ``number``."""
        self.strokes += 1
        self._set_aside()
        self.film = max(self.film, style.film)
        draw = Draw(number, well, volume, at, style.pre_wet, said.takes_rest)
        self.draws[number] = draw
        self.events.append(draw)
        self.flow.append(draw)
        self._column.draw(number, volume)

    def draw_air(self, volume: float) -> None:
        """Draw an air gap."""
        self._column.draw_air(volume)
        if self.loaded:
            self.events.append(volume)

    def dispense(self, said: Dispense, well: str, volume: float, style: LiquidClass, at: int) -> None:
        """Push ``volume`` µL out into ``well``, and what the liquid class blows out after it."""
        self.strokes += 1
        parts = self._column.push(volume)
        above = self._column.liquid() + self._aside - style.film
        if style.blow_out and ROUNDING < above <= style.blow_out + ROUNDING:
            for draw, amount in self._column.push(above).items():
                parts[draw] = parts.get(draw, 0.0) + amount
        self._put(well, parts, at)

    def blow_out(self, well: str, at: int) -> None:
        """Push everything out over ``well``."""
        if self.loaded:
            self._put(well, self._column.empty(), at)
        self._set_aside()

    def mix(self, said: Mix, well: str, volume: float, at: int) -> None:
        """Mix ``well``."""
        self.strokes += 1
        if self.loaded:
            self.odd = self.odd or "it mixes with a tip that holds liquid"
        self._set_aside()
        self.flow.append(
            Stirred(well=well, volume=volume, cycles=said.cycles, at=at, tip=self.tip, channel=self.channel)
        )
        self._stir(well, volume, said.cycles, (at,))

    def _stir(self, well: str, volume: float, cycles: int, at: tuple[int, ...]) -> None:
        last = self.events[-1] if self.events else None
        again = isinstance(last, Stirred) and last.well == well and abs(last.volume - volume) < ROUNDING
        if isinstance(last, Stirred) and again and last.cycles + cycles <= MOST_CYCLES:
            self.events[-1] = replace(last, cycles=last.cycles + cycles, strokes=last.strokes + at)
            return
        self.events.append(
            Stirred(well=well, volume=volume, cycles=cycles, at=at[-1], tip=self.tip, channel=self.channel, strokes=at)
        )

    def _put(self, well: str, parts: dict[int, float], at: int) -> None:
        parts = {draw: amount for draw, amount in parts.items() if amount > 0.0}
        if not parts:
            return
        put = Put(well, parts, at, not self.loaded)
        self.flow.append(put)
        (*_, number) = parts
        last = self.events[-1]
        whole = len(parts) == 1 and not self.loaded and last == self.draws[number]
        if whole and self.draws[number].well == well:
            self.events.pop()
            self._stir(well, parts[number], 1, (self.draws[number].at, at))
            return
        self.events.append(put)

    def drop(self, at: int, *, into_trash: bool) -> None:
        """The tip is dropped, with what is left in it."""
        if self.loaded:
            put = Put(None, self._column.empty(), at, empties=True)
            self.events.append(put)
            self.flow.append(put)
            if not into_trash:
                self.odd = self.odd or "a tip goes back to its rack with liquid in it"


def acts_of(life: Life, trash: frozenset[str]) -> list[Moved | Stirred | Discarded]:
    """What a tip did, in order; strokes of one pair that follow each other are one act."""
    sources: dict[int, set[str | None]] = defaultdict(set)
    acts: list[Moved | Stirred | Discarded] = []
    gap = 0.0
    for event in life.events:
        match event:
            case Draw():
                gap = 0.0
            case float():
                gap += event
            case Stirred():
                acts.append(event)
            case Put():
                _judge(life, event, sources)
                for act in _moves(life, event, gap, trash):
                    _join(acts, act)
                gap = 0.0
    return _attached(acts)


def _judge(life: Life, put: Put, sources: dict[int, set[str | None]]) -> None:
    """Liquids that met in a tip and then go to several wells have no plain meaning."""
    wells = {life.draws[number].well for number in put.parts}
    for number in put.parts:
        sources[number].add(put.well)
    if len(wells) > 1 and (not put.empties or any(len(sources[number]) > 1 for number in put.parts)):
        life.odd = life.odd or "liquids from several wells meet in a tip and go to several wells"


def _moves(life: Life, put: Put, gap: float, trash: frozenset[str]) -> list[Moved | Discarded]:
    """The acts of one dispense: one for each well that its liquid was drawn from; none for what goes back there."""
    found: list[Moved | Discarded] = []
    by_source: dict[str, list[int]] = defaultdict(list)
    for number in put.parts:
        by_source[life.draws[number].well].append(number)
    for source, numbers in by_source.items():
        draws = [life.draws[number] for number in numbers]
        volume = sum(put.parts[number] for number in numbers)
        rest = any(draw.rest for draw in draws)
        strokes = (*(draw.at for draw in draws), put.at)
        place: dict[str, Any] = {"at": put.at, "drawn": draws[0].at, "tip": life.tip, "channel": life.channel}
        if put.well is None or put.well.rpartition("/")[0] in trash:
            found.append(Discarded(well=source, volume=volume, air_gap=gap, rest=rest, strokes=strokes, **place))
        elif source != put.well:
            wet = max(draw.pre_wet for draw in draws)
            found.append(
                Moved(
                    source=source,
                    destination=put.well,
                    volume=volume,
                    air_gap=gap,
                    pre_wet=wet,
                    rest=rest,
                    strokes=strokes,
                    **place,
                )
            )
    return found


def _join(acts: list[Moved | Stirred | Discarded], act: Moved | Discarded) -> None:
    """Add ``act``, or join it with the one before it where that moves liquid the same way."""
    last = acts[-1] if acts else None
    if isinstance(last, Moved) and isinstance(act, Moved):
        same = (last.source, last.destination) == (act.source, act.destination)
    elif isinstance(last, Discarded) and isinstance(act, Discarded):
        same = last.well == act.well
    else:
        same = False
    if not same or last is None or isinstance(last, Stirred):
        acts.append(act)
        return
    more: dict[str, Any] = {
        "volume": last.volume + act.volume,
        "drawn": last.drawn,
        "rest": last.rest or act.rest,
        "air_gap": max(last.air_gap, act.air_gap),
        "strokes": last.strokes + act.strokes,
    }
    acts[-1] = replace(act, **more)


def _attached(acts: list[Moved | Stirred | Discarded]) -> list[Moved | Stirred | Discarded]:
    """Mixing beside a transfer, in its source or its destination, made a part of it."""
    found: list[Moved | Stirred | Discarded] = []
    for act in acts:
        last = found[-1] if found else None
        behind = isinstance(act, Stirred) and isinstance(last, Moved) and last.after is None
        if behind and isinstance(act, Stirred) and isinstance(last, Moved) and act.well == last.destination:
            found[-1] = replace(last, after=act)
            continue
        if isinstance(last, Stirred):
            if isinstance(act, Moved) and last.well == act.source:
                found[-1] = replace(act, before=last)
                continue
            if isinstance(act, Discarded) and last.well == act.well:
                found[-1] = replace(act, before=last)
                continue
        found.append(act)
    return found
