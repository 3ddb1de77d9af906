"""The life of one tip, from its rack to where it is dropped, told as acts. Volumes µL.

What stays on the wall of an emptied tip, its film, is left aside: a tip that holds no more than that is empty. A stroke
out of and back into one well is mixing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from protocols.liquids import LiquidClass
from protocols.program import Aspirate, Dispense, Mix
from protocols.tracing.acts import Discarded, Moved, Stirred
from protocols.tracing.column import DUST, Column

ROUNDING = 1e-6
"""µL by which what is left in a tip may exceed its film, or two volumes differ that are meant to be equal."""
MOST_CYCLES = 100
"""Cycles of mixing that one step takes."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Liquid came into tip ``tip``: ``volume`` µL from ``well`` by the instruction at ``at``."""

    number: int
    tip: int
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
        unused: where it is noted how much of each draw, µL, only clung to a tip.
        draws, events: what it did, in order.
        odd: what about it has no plain meaning, if anything.
        strokes: how often it aspirated, dispensed and mixed.
        returned: it went back into a rack with liquid in it.
    """

    tip: int
    pipette: str
    channel: int
    spot: str
    flow: list[Flow]
    unused: dict[int, float]
    draws: dict[int, Draw] = field(default_factory=dict)
    events: list[Draw | Put | Stirred | float] = field(default_factory=list)
    odd: str | None = None
    strokes: int = 0
    returned: bool = False
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
            self._leave(self._column.empty())

    def _leave(self, parts: dict[int, float]) -> None:
        """Liquid stays on the wall for good."""
        for number, amount in parts.items():
            self._aside += amount
            self.unused[number] = self.unused.get(number, 0.0) + amount

    def aspirate(self, said: Aspirate, well: str, volume: float, style: LiquidClass, at: int, number: int) -> None:
        """Draw ``volume`` µL from ``well`` as draw ``number``.

        A film that is more than this class leaves counts as drawn with it: the stroke was made smaller for it.
        """
        self.strokes += 1
        self._set_aside()
        if self._column.liquid() == 0.0 and self._aside > style.film:
            volume += self._aside - style.film
            self._aside = style.film
        self.film = max(self.film, style.film)
        draw = Draw(number, self.tip, well, volume, at, style.pre_wet, said.takes_rest)
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

    def mix(self, said: Mix, well: str, volume: float, style: LiquidClass, at: int) -> None:
        """Mix ``well``; a film stays on the tip."""
        self.strokes += 1
        self.film = max(self.film, style.film)
        if self.loaded:
            self.odd = self.odd or "it mixes with a tip that holds liquid"
        self._set_aside()
        self._aside = max(self._aside, style.film)
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
        parts = {draw: amount for draw, amount in parts.items() if amount > DUST}
        if not parts:
            return
        put = Put(well, parts, at, not self.loaded)
        self.flow.append(put)
        inner = self.events.pop() if self._stirs_on_the_way(well) else None
        last = self.events[-1]
        if isinstance(last, Draw) and last.well == well and abs(sum(parts.values()) - last.volume) < ROUNDING:
            self._mix_by_hand(last, put, inner if isinstance(inner, Stirred) else None)
        else:
            self.events += [put] if inner is None else [inner, put]

    def _stirs_on_the_way(self, well: str) -> bool:
        """Whether the last strokes were one out of ``well``, and then mixing in it with the tip part full."""
        match self.events[-2:]:
            case [Draw(well=source), Stirred(well=stirred)]:
                return source == stirred == well
        return False

    def _mix_by_hand(self, draw: Draw, put: Put, inner: Stirred | None) -> None:
        """A stroke out of a well and back into it: mixing, with which liquid from elsewhere may get in.

        A stroke in two parts, as deep in the well and high in it, is one; ``inner`` is its second part.
        """
        self.events.pop()
        volume = draw.volume
        strokes: tuple[int, ...] = (draw.at, put.at)
        if inner is not None and inner.cycles == 1:
            volume, strokes = volume + inner.volume, (draw.at, *inner.strokes, put.at)
        elif inner is not None:
            self.events.append(inner)
        self._stir(draw.well, volume, 1, strokes)
        brought = {number: amount for number, amount in put.parts.items() if self.draws[number].well != draw.well}
        if brought:
            self.events.insert(-1, replace(put, parts=brought))

    def drop(self, at: int, *, into_trash: bool) -> None:
        """The tip is dropped, with what is left in it: all above its film is thrown away."""
        if self.loaded:
            parts = self._column.empty()
            held = sum(parts.values())
            clings = max(0.0, self.film - self._aside) / held
            self._leave({number: amount * clings for number, amount in parts.items()})
            put = Put(None, {number: amount * (1.0 - clings) for number, amount in parts.items()}, at, empties=True)
            self.events.append(put)
            self.flow.append(put)
            self.returned = not into_trash
        self._set_aside()


def acts_of(life: Life, trash: frozenset[str]) -> list[Moved | Stirred | Discarded]:
    """What a tip did, in order; strokes of one pair that follow each other are one act."""
    sources: dict[int, set[str | None]] = defaultdict(set)
    acts: list[Moved | Stirred | Discarded] = []
    moved: set[int] = set()
    gaps: dict[int, float] = defaultdict(float)
    drawn = 0
    for event in life.events:
        match event:
            case Draw():
                drawn = event.number
            case float():
                gaps[drawn] += event
            case Stirred():
                acts.append(event)
            case Put():
                _judge(life, event, sources)
                gap = max(gaps[number] for number in event.parts)
                for act in _moves(life, event, gap, trash, moved):
                    _join(acts, act)
                moved |= event.parts.keys()
    return _attached(acts)


def _judge(life: Life, put: Put, sources: dict[int, set[str | None]]) -> None:
    """Liquids that met in a tip and then go to several wells have no plain meaning; what goes back is not counted."""
    brought = [number for number in put.parts if life.draws[number].well != put.well]
    for number in brought:
        sources[number].add(put.well)
    met = len({life.draws[number].well for number in brought}) > 1
    if met and (not put.empties or any(len(sources[number]) > 1 for number in brought)):
        life.odd = life.odd or "liquids from several wells meet in a tip and go to several wells"


def _moves(life: Life, put: Put, gap: float, trash: frozenset[str], moved: Collection[int]) -> list[Moved | Discarded]:
    """The acts of one dispense: one for each well that its liquid was drawn from; none for what goes back there."""
    found: list[Moved | Discarded] = []
    by_source: dict[str, list[int]] = defaultdict(list)
    for number in sorted(put.parts):
        by_source[life.draws[number].well].append(number)
    for source, numbers in by_source.items():
        draws = [life.draws[number] for number in numbers]
        volume = sum(put.parts[number] for number in numbers)
        rest = any(draw.rest for draw in draws)
        strokes = (*(draw.at for draw in draws), put.at)
        place: dict[str, Any] = {"at": put.at, "drawn": draws[0].at, "tip": life.tip, "channel": life.channel}
        if put.well is None or put.well.rpartition("/")[0] in trash:
            left = any(number in moved for number in numbers)
            found.append(
                Discarded(well=source, volume=volume, air_gap=gap, rest=rest, excess=left, strokes=strokes, **place)
            )
        elif source != put.well:
            wet = max(draw.pre_wet for draw in draws)
            found.append(
                Moved(
                    source=source,
                    destination=put.well,
                    volume=volume,
                    part=volume,
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
