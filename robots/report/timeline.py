"""The timeline: what went on when, in one lane for each sort of work, as shapes for the page to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.quantities import show_duration
from robots.report.model import InstructionLine, Report

WIDTH = 860.0
"""Drawing units from the run's start to its end."""
LEFT = 120.0
_LANE = 24.0
_TOP = 8.0
_BOTTOM = 26.0
_LEAST = 0.6
"""Drawing units: pieces of work closer together than this are drawn as one."""

_BY_HAND = "by hand"
_LANES = {
    "Tips": ("pick_up_tips", "drop_tips"),
    "Pipetting": ("aspirate", "dispense", "air_gap", "blow_out", "touch_tip"),
    "Mixing": ("mix",),
    "Labware": ("move_labware",),
    "Devices": ("set_temperature", "await_temperature", "shake", "set_latch", "set_lid", "set_magnet", "run_profile"),
    "Person": ("ask_person", "replace_tip_rack", _BY_HAND),
    "Waiting": ("wait",),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """Work without a gap that could be seen."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One sort of work; ``summary`` says how much of it there was. Lengths are drawing units."""

    name: str
    summary: str
    y: float
    height: float
    look: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All lanes, the time axis, and where something departed from the plan. Lengths are drawing units."""

    width: float
    height: float
    left: float
    axis_y: float
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]


def draw_timeline(report: Report) -> Timeline | None:
    """The timeline of a run; ``None`` where nothing took time."""
    total = report.facts.seconds
    if total <= 0:
        return None
    lanes: list[Lane] = []
    for name, kinds in _LANES.items():
        lines = [line for line in report.instructions if _lane(line) in kinds and line.start is not None]
        if lines:
            y = _TOP + len(lanes) * _LANE
            lanes.append(Lane(name, _summary(lines), y, _LANE - 6, name.lower(), _bars(lines, total)))
    axis = _TOP + len(lanes) * _LANE
    marks = tuple(
        (_at(deviation.time, total), f"{show_duration(deviation.time)}: {deviation.message}")
        for deviation in report.deviations[:200]
    )
    return Timeline(LEFT + WIDTH + 40, axis + _BOTTOM, LEFT, axis, tuple(lanes), _ticks(total), marks)


def _lane(line: InstructionLine) -> str:
    return _BY_HAND if line.by_hand else line.kind


def _summary(lines: Sequence[InstructionLine]) -> str:
    busy = sum(max((line.end or 0.0) - (line.start or 0.0), 0.0) for line in lines)
    return f"{len(lines)} instruction{'s' if len(lines) != 1 else ''}, {show_duration(busy)} in all"


def _at(time: float, total: float) -> float:
    return round(LEFT + WIDTH * min(time / total, 1.0), 2)


def _bars(lines: Sequence[InstructionLine], total: float) -> tuple[Bar, ...]:
    spans: list[tuple[float, float, int, str]] = []
    for line in sorted(lines, key=lambda line: line.start or 0.0):
        start = line.start or 0.0
        end = max(line.end if line.end is not None else start, start)
        if spans and (start - spans[-1][1]) / total * WIDTH < _LEAST:
            first, last, count, text = spans[-1]
            spans[-1] = (first, max(last, end), count + 1, text)
        else:
            spans.append((start, end, 1, line.text))
    return tuple(
        Bar(
            _at(start, total),
            round(max((end - start) / total * WIDTH, _LEAST), 2),
            f"{show_duration(start)} to {show_duration(end)}: " + (text if count == 1 else f"{count} instructions"),
        )
        for start, end, count, text in spans
    )


def _ticks(total: float) -> tuple[tuple[float, str], ...]:
    """Four to nine ticks at round times."""
    rounds = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800)
    step = next((candidate for candidate in rounds if total / candidate <= 8), total / 8)
    count = int(total // step)
    return tuple((_at(index * step, total), show_duration(index * step)) for index in range(count + 1))
