"""The report as one self-contained page and as JSON.

The page needs no script and nothing from outside itself. Whatever comes from a file or a person is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocols.liquids import Liquid
from protocols.program import Program
from protocols.quantities import show_duration
from protocols.specs import WorkcellSpec
from robots.execution.home import write_atomically
from robots.report.deck import draw_deck
from robots.report.model import LabwareLine, Report
from robots.report.platemap import PlateMap, plate_maps
from robots.report.timeline import draw_timeline

if TYPE_CHECKING:
    from jinja2 import Environment


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


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("robots.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = show_number
    environment.filters["clock"] = show_clock
    return environment


def show_number(value: float) -> str:
    """A number for a table: at most four significant digits, thousands set apart: ``"9.91"``, ``"1,234"``."""
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.4g}"


def show_clock(seconds: float | None) -> str:
    """A time on the lab's clock, ``""`` where there is none; tenths of a second below a minute."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 60 else show_duration(seconds)


def render_html(report: Report, program: Program, workcell: WorkcellSpec) -> str:
    """The page.

    Args:
        program: for the liquids, and ``workcell`` for the geometry, of what is drawn.
    """
    from markupsafe import Markup

    environment = _environment()
    source, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]
    context: dict[str, Any] = {
        "report": report,
        "facts": report.facts,
        "plan": report.plan,
        "css": Markup(source),
        "cards": _cards(report),
        "plates": _plates(report, {**workcell.liquids, **program.liquids}, workcell),
        "solutes": sorted({solute for line in report.samples for solute in line.concentrations}),
        "shortfalls": {line.row for line in report.plan.unreachable},
        "deck": draw_deck(report.labware, workcell),
        "timeline": draw_timeline(report),
        "reagents": [line for line in report.reagents if line.sample is None],
        "sample_liquids": [line for line in report.reagents if line.sample is not None],
    }
    return environment.get_template("report.html.jinja").render(context)


def write_report(folder: Path, report: Report, program: Program, workcell: WorkcellSpec) -> Path:
    """Write ``report.html`` and ``report.json`` into ``folder``, each whole or not at all; returns the page's path.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = render_html(report, program, workcell)
    write_atomically(folder / "report.json", report.model_dump_json(indent=1) + "\n")
    write_atomically(folder / "report.html", page)
    return folder / "report.html"


def _plates(report: Report, liquids: dict[str, Liquid], workcell: WorkcellSpec) -> list[_Plate]:
    plates = []
    for line in report.labware:
        spec = workcell.kinds.get(line.kind)
        maps = plate_maps(line, spec, liquids) if spec is not None else []
        if maps:
            plates.append(_Plate(line, maps))
    return plates


def _cards(report: Report) -> list[Card]:
    done = sum(line.status == "done" for line in report.instructions)
    total = len(report.instructions)
    finished = sum(line.done for line in report.samples)
    tips = sum(line.used for line in report.tips)
    trouble = sum(line.kind in ("fault", "partial") for line in report.deviations)
    errors = sum(line.severity == "error" for line in report.plan.findings)
    short = len(report.plan.unreachable)
    cards = [Card(f"{done:,}" if done == total else f"{done:,} of {total:,}", "instructions carried out")]
    if report.samples:
        of_all = f"{finished:,}" if finished == len(report.samples) else f"{finished:,} of {len(report.samples):,}"
        cards.insert(0, Card(of_all, "samples finished", "" if finished == len(report.samples) else "warn"))
    if short:
        cards.append(Card(f"{short:,}", "samples that cannot reach the target", "warn"))
    cards.append(Card(f"{tips:,}", "tips used"))
    cards.append(Card(show_duration(report.facts.seconds), "on the lab's clock"))
    cards.append(Card(f"{trouble:,}", "faults and partial strokes", "bad" if trouble else ""))
    if errors:
        cards.append(Card(f"{errors:,}", "errors found by the verification", "bad"))
    return cards
