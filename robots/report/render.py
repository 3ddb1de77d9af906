"""The report as one self-contained page and as JSON.

The page needs no script and nothing from outside itself. Whatever comes from a file or a person is escaped.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocols.liquids import Liquid
from protocols.program import Program
from protocols.quantities import show_duration
from protocols.specs import WorkcellSpec
from protocols.wording import show_mixture
from robots.execution.home import write_atomically
from robots.report.deck import draw_deck
from robots.report.figures import in_column, show_clock, show_number, show_wall_time
from robots.report.model import InstructionLine, LabwareLine, Report, SampleLine, Status, WellLine
from robots.report.palette import choose_palette
from robots.report.platemap import PlateMap, in_order, plate_maps
from robots.report.timeline import draw_timeline

if TYPE_CHECKING:
    from jinja2 import Environment

_MOMENTS: dict[Status, str] = {
    "planned": "before the run",
    "running": "now",
    "paused": "now",
    "stopped": "when the run was stopped",
    "failed": "when the run failed",
    "completed": "at the end",
}
"""When it was that wells and deck looked as drawn."""
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""Characters that XML, and so a drawing, cannot hold, and that show nothing on a page."""
_LARGEST_BLOCK = 500
"""Instructions in one fold of the page."""


@dataclass(frozen=True, slots=True)
class Card:
    """One figure at the head of the page."""

    value: str
    label: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class _Plate:
    line: LabwareLine
    maps: Sequence[PlateMap]
    wells: Sequence[WellLine]
    concentrations: Mapping[str, Callable[[float], str]]


@dataclass(frozen=True, slots=True)
class _Block:
    """Instructions that stand together under one step."""

    step: str
    lines: Sequence[InstructionLine]

    @property
    def unlike_planned(self) -> int:
        """How many ended otherwise than they should."""
        return sum(line.status in ("failed", "partial", "skipped", "begun") for line in self.lines)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("robots.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": show_number,
        "clock": show_clock,
        "wall_time": show_wall_time,
        "mixture": show_mixture,
        "solute_column": lambda solute: _of_numbers(f"{solute}, ng/µL"),
    }
    environment.globals |= {"in_column": in_column, "of_numbers": _of_numbers}
    return environment


def render_html(report: Report, program: Program, workcell: WorkcellSpec) -> str:
    """The page.

    Args:
        program: for the liquids, and ``workcell`` for the geometry, of what is drawn.
    """
    from markupsafe import Markup

    environment = _environment()
    source, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]
    reagents = [line for line in report.reagents if line.sample is None]
    context: dict[str, Any] = {
        "report": report,
        "facts": report.facts,
        "plan": report.plan,
        "css": Markup(source),
        "is_planned": report.facts.status == "planned",
        "moment": _MOMENTS[report.facts.status],
        "stopped_because": _why_stopped(report),
        "cards": _cards(report),
        "plates": _plates(report, {**workcell.liquids, **program.liquids}, workcell),
        "concentrations": _concentration_columns(report.samples),
        "shortfalls": {line.row for line in report.plan.unreachable},
        "deck": draw_deck(report.labware, workcell),
        "timeline": draw_timeline(report),
        "reagents": [line for line in reagents if _was_used(line.start, line.left) or report.facts.status == "planned"],
        "unused": [line.liquid for line in reagents if not _was_used(line.start, line.left)],
        "sample_liquids": [line for line in report.reagents if line.sample is not None],
        "blocks": list(_blocks(report.instructions)),
    }
    return environment.get_template("report.html.jinja").render(context)


def write_report(folder: Path, report: Report, program: Program, workcell: WorkcellSpec) -> Path:
    """Write ``report.html`` and ``report.json`` into ``folder``, each whole or not at all; returns the page's path.

    Nothing is written before the whole report is drawn.

    Raises:
        OSError: the folder cannot be made.
        RecordError: a file cannot be written; the one that was there is still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = render_html(report, program, workcell)
    write_atomically(folder / "report.json", report.model_dump_json(indent=1) + "\n")
    write_atomically(folder / "report.html", page)
    return folder / "report.html"


def _without_controls(value: Any) -> Any:
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def _of_numbers(heading: str) -> tuple[str]:
    """The heading of a column whose cells are numbers; that of a column of words is a plain string."""
    return (heading,)


def _concentration_columns(lines: Iterable[SampleLine | WellLine]) -> dict[str, Callable[[float], str]]:
    """How to write the concentrations of each solute in a table of ``lines``."""
    values: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        for solute, value in line.concentrations.items():
            values[solute].append(value)
    return {solute: in_column(values[solute]) for solute in sorted(values)}


def _why_stopped(report: Report) -> str:
    if report.facts.status not in ("stopped", "failed"):
        return ""
    return next((line.message for line in reversed(report.deviations) if line.kind == "stopped"), "")


def _was_used(start: float, left: float) -> bool:
    return start - left > 1e-6


def _plates(report: Report, liquids: Mapping[str, Liquid], workcell: WorkcellSpec) -> list[_Plate]:
    """Every piece of labware with wells worth drawing, those that samples end in first."""
    final = {line.destination.rpartition("/")[0] for line in report.samples}
    drawn = [line for line in report.labware if line.wells and _is_grid(line, workcell)]
    drawn.sort(key=lambda line: line.name not in final)
    palette = choose_palette(drawn, report.reagents, liquids)
    flagged = _flagged(report)
    plates = []
    for line in drawn:
        marked = {well.rpartition("/")[2] for well in flagged if well.rpartition("/")[0] == line.name}
        maps = plate_maps(line, workcell.kinds[line.kind], palette, marked)
        plates.append(_Plate(line, maps, in_order(line.wells), _concentration_columns(line.wells)))
    return plates


def _is_grid(line: LabwareLine, workcell: WorkcellSpec) -> bool:
    spec = workcell.kinds.get(line.kind)
    return spec is not None and spec.rows * spec.columns > 1


def _flagged(report: Report) -> Set[str]:
    """Final wells of samples that cannot reach their target, and of those that a whole run left unfinished."""
    short = {line.row for line in report.plan.unreachable}
    is_whole = report.facts.status == "completed"
    return {line.destination for line in report.samples if line.row in short or (is_whole and not line.done)}


def _blocks(lines: Sequence[InstructionLine]) -> Iterator[_Block]:
    """The instructions in their order, cut where the step changes; by number alone where steps alternate."""
    runs = [(step, list(group)) for step, group in groupby(lines, key=lambda line: line.step)]
    if len(runs) > max(len(lines) / 20, 12):
        runs = [("", list(lines))]
    for step, group in runs:
        for first in range(0, len(group), _LARGEST_BLOCK):
            yield _Block(step, group[first : first + _LARGEST_BLOCK])


def _cards(report: Report) -> list[Card]:
    cards = _cards_before(report) if report.facts.status == "planned" else _cards_after(report)
    errors = sum(line.severity == "error" for line in report.plan.findings)
    if errors:
        cards.insert(0, Card(f"{errors:,}", "errors found by the verification", "bad"))
    return cards


def _cards_before(report: Report) -> list[Card]:
    cards = [Card(f"{len(report.samples):,}", "samples to be made")] if report.samples else []
    cards += _shortfall_card(report)
    cards.append(Card(f"{len(report.instructions):,}", "instructions"))
    cards += [
        Card(show_number(count), f"{what} needed") for what, count in report.plan.tallies.items() if what == "tips"
    ]
    return cards


def _cards_after(report: Report) -> list[Card]:
    done = sum(line.status == "done" for line in report.instructions)
    finished = sum(line.done for line in report.samples)
    trouble = sum(line.kind in ("fault", "partial", "doubt") for line in report.deviations)
    cards = []
    if report.samples:
        look = "" if finished == len(report.samples) else "warn"
        cards.append(Card(_of(finished, len(report.samples)), "samples finished", look))
    cards += _shortfall_card(report)
    if trouble:
        cards.append(Card(f"{trouble:,}", "faults and partial strokes", "bad"))
    cards += [
        Card(_of(done, len(report.instructions)), "instructions carried out"),
        Card(f"{sum(line.used for line in report.tips):,}", "tips used"),
        Card(show_duration(report.facts.seconds), "on the lab's clock"),
    ]
    if not trouble:
        cards.append(Card("0", "faults and partial strokes"))
    return cards


def _shortfall_card(report: Report) -> list[Card]:
    short = len(report.plan.unreachable)
    return [Card(f"{short:,}", "samples that cannot reach the target", "warn")] if short else []


def _of(part: int, whole: int) -> str:
    return f"{part:,}" if part == whole else f"{part:,} of {whole:,}"
