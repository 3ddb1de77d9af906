"""The page: whole, by itself, safe against whatever stands in a name, and quick."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from protocols.errors import RecordError
from protocols.labstate import LabState
from protocols.program import AnyInstruction, Aspirate, Dispense, PickUpTips, Program
from protocols.verify import Finding
from robots.execution import home
from robots.report import Plan, Report, build_report, render, render_html, write_report
from robots.report.model import Status
from tests.report import lab, pages, runs

SVG = "{http://www.w3.org/2000/svg}"
FINDINGS = (
    Finding(code="L01", severity="error", step="samples", place="normalised/A1", message="too much", mend="take less"),
    Finding(code="T02", severity="warning", instruction="i1", message="few tips", mend="bring more", count=3),
)


def told(events: Iterable[Any] = (), plan: Plan | None = None, status: Status = "completed") -> Report:
    program, spec = lab.normalisation(), lab.starlet()
    facts = lab.facts().model_copy(update={"status": status, "question": ""})
    return build_report(facts, plan or lab.plan(), program, spec, LabState.start(spec, program), events)


@cache
def eventful() -> Report:
    """A run with everything that a page can show: findings, a fault, a question, and a stop."""
    writer = lab.Writer(lab.normalisation())
    first, second = writer.program.instructions[:2]
    writer.carry_out(first)
    writer.carry_out(second)
    writer.note("inspection", second.id, text="a drop hangs at the tip", when="after")
    writer.note("question", second.id, topic="checkpoint", question="Go on?", choices=["go on", "stop"])
    writer.note("answer", second.id, answer="go on")
    writer.carry_out_all(writer.program.instructions[2:60])
    writer.note("stopped", reason="the alarm rang", safe=True)
    return told(writer.events, lab.plan().model_copy(update={"findings": FINDINGS}), "stopped")


@cache
def finished() -> Report:
    writer = lab.Writer(lab.normalisation())
    writer.carry_out_all(writer.program.instructions)
    return told(writer.events)


def html(report: Report) -> str:
    return render_html(report, lab.normalisation(), lab.starlet())


REPORTS = [
    pytest.param(eventful, id="stopped"),
    pytest.param(finished, id="completed"),
    pytest.param(lambda: told(status="planned"), id="planned"),
]


# -- whole and by itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", REPORTS)
def test_the_page_is_well_formed_and_so_is_every_drawing(make: Any) -> None:
    page = html(make())
    assert page.startswith('<!doctype html>\n<html lang="en">')
    pages.read(page)
    drawn = pages.drawings(page)
    assert len(drawn) == page.count("<svg")
    for drawing in drawn:
        title, description = drawing.find(f"{SVG}title"), drawing.find(f"{SVG}desc")
        assert title is not None
        assert title.text
        assert description is not None
        assert drawing.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


@pytest.mark.parametrize("make", REPORTS)
def test_the_page_needs_nothing_from_outside_and_runs_no_script(make: Any) -> None:
    page = pages.read(html(make()))
    assert not {"script", "iframe", "object", "embed", "base", "form", "img"} & {name for name, _ in page.tags}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    for name, value in page.attributes:
        if name in ("href", "src", "action", "xlink:href"):
            assert value.startswith("#") or value in ("report.json", "data:,"), value
    style = page.texts[page.texts.index(next(text for text in page.texts if ":root" in text))]
    assert "url(" not in style
    assert "@import" not in style


def test_ids_are_unique_and_every_link_leads_somewhere() -> None:
    page = pages.read(html(eventful()))
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {value[1:] for name, value in page.attributes if name == "href" and value.startswith("#")}
    assert targets <= set(ids)


def test_every_table_has_named_columns() -> None:
    page = html(eventful())
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        columns = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)
        assert columns
        assert all(columns)
        for row in re.findall(r"<tr>.*?</tr>", table.partition("<tbody>")[2], re.DOTALL):
            assert len(re.findall(r"<t[dh][ >]", row)) == len(columns)


def test_the_page_shows_every_sample_finding_deviation_and_instruction() -> None:
    report = eventful()
    text = pages.read(html(report)).text
    for line in report.samples:
        assert line.sample in text
        assert line.destination in text
    for finding in report.plan.findings:
        assert {part for part in (finding.code, finding.message, finding.mend) if part not in text} == set()
    for deviation in report.deviations:
        assert deviation.message in text
    for short in report.plan.unreachable:
        assert {part for part in (short.row, short.sample, short.reason, short.action) if part not in text} == set()
    page = html(report)
    for instruction in report.instructions:
        assert f"<bdi>{instruction.id}</bdi></th>" in page


def test_maps_mark_the_wells_of_samples_that_cannot_reach_their_target() -> None:
    marked = [
        disc.findtext(f"{SVG}title", "").split(":")[0]
        for drawing in pages.drawings(html(finished()))
        if (drawing.findtext(f"{SVG}title") or "").startswith("Volume, µL: normalised")
        for disc in drawing.iter(f"{SVG}g")
        if any(circle.get("class") == "flag" for circle in disc.findall(f"{SVG}circle"))
    ]
    assert marked == ["G12", "H12"]


def test_a_planned_run_speaks_of_what_is_to_come() -> None:
    text = pages.read(html(told(status="planned"))).text
    assert "Plates before the run" in text
    assert "What will be done" in text
    assert "not run yet" in text
    assert "went as planned" not in text


# -- whatever stands in a name ----------------------------------------------------------------------------------------

FREE = frozenset(
    {
        "title", "approved_by", "question", "source", "description", "setup", "notes", "reason", "action", "row",
        "sample", "step", "place", "message", "mend", "text", "id", "instruction", "remark", "liquid", "lot",
        "destination", "first_well", "barcode", "name", "run", "workcell",
    }
)  # fmt: skip
"""Fields of a report that hold what a person or a file wrote; the others are names of ours."""
KEYED = frozenset({"options", "tallies", "liquids", "concentrations", "waste", "spilled"})
"""Fields whose keys were written by a person or a file."""


def poisoned(value: Any, text: str, free: bool = False) -> Any:
    """``value`` with ``text`` before every string that is not a name of ours."""
    if isinstance(value, dict):
        return {
            (f"{text}{key}"[:128] if free else key): poisoned(item, text, key in FREE or key in KEYED)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [poisoned(item, text, free) for item in value]
    return f"{text}{value}" if free and isinstance(value, str) and value else value


def with_text(report: Report, text: str) -> Report:
    return Report.model_validate(poisoned(report.model_dump(mode="json"), text))


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></svg></table></main>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u2066\u200f",
    "&lt;&amp;&#60;",
    "]]><!-- -->",
    "\x00\x07\x1b[31m\ufffe",
    "a\n\tb",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_stands(text: str) -> None:
    assert_harmless(text)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
@example("<")
@example("&")
def test_any_text_stays_text(text: str) -> None:
    assert_harmless(text)


def assert_harmless(text: str) -> None:
    """The elements of the page are those of the same report with harmless words in its place."""
    page = html(with_text(small(), text))
    read, plain = pages.read(page), pages.read(html(with_text(small(), "x" * len(text))))
    assert read.tags == plain.tags
    pages.drawings(page)
    assert shown(f"{text}too dilute") in read.text
    assert shown(f"{text}{small().facts.title}") in read.text


def shown(text: str) -> str:
    """``text`` as a page can show it."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", "\N{REPLACEMENT CHARACTER}", text)


@cache
def small() -> Report:
    """The eventful report with a line or two of everything, so that many texts can be tried."""
    report = eventful()
    plan = report.plan.model_copy(
        update={
            "unreachable": tuple(
                line.model_copy(update={"reason": "too dilute"}) for line in report.plan.unreachable[:1]
            )
        }
    )
    return report.model_copy(
        update={
            "plan": plan,
            "samples": report.samples[:2],
            "reagents": (report.reagents[0], report.reagents[-1]),
            "instructions": report.instructions[:4],
            "labware": tuple(line.model_copy(update={"wells": line.wells[:3]}) for line in report.labware[:12]),
            "facts": report.facts.model_copy(update={"question": "Go on?"}),
        }
    )


def test_a_title_of_500_characters_is_shown_whole() -> None:
    title = "Normalisierung" * 36
    report = finished().model_copy(update={"facts": lab.facts(title[:500])})
    assert title[:500] in pages.read(html(report)).text


# -- files ------------------------------------------------------------------------------------------------------------


def write(folder: Path, report: Report) -> Path:
    return write_report(folder, report, lab.normalisation(), lab.starlet())


def test_both_files_are_written_and_agree(tmp_path: Path) -> None:
    page = write(tmp_path / "report", finished())
    assert page.read_text(encoding="utf-8") == html(finished())
    assert Report.model_validate_json((page.parent / "report.json").read_text(encoding="utf-8")) == finished()
    assert {entry.name for entry in page.parent.iterdir()} == {"report.html", "report.json"}


@pytest.mark.parametrize("failing", ["report.json", "report.html"])
def test_a_disk_that_fails_midway_leaves_each_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    write(tmp_path, eventful())
    before = (tmp_path / failing).read_bytes()
    replace = os.replace

    def fail(source: Path, target: Path) -> None:
        if target.name == failing:
            raise OSError("no space left on device")
        replace(source, target)

    monkeypatch.setattr(home.os, "replace", fail)
    with pytest.raises((OSError, RecordError), match="no space"):
        write(tmp_path, finished())
    assert (tmp_path / failing).read_bytes() == before
    assert {entry.name for entry in tmp_path.iterdir()} == {"report.html", "report.json"}


def test_a_page_that_cannot_be_drawn_leaves_both_files_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, eventful())
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(render, "draw_deck", fail)
    with pytest.raises(ZeroDivisionError):
        write(tmp_path, finished())
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from tests.report import test_page as t; r = t.eventful.__wrapped__();"
        "print(hashlib.sha256((t.html(r) + r.model_dump_json()).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


# -- size and time ----------------------------------------------------------------------------------------------------


def long_program(count: int) -> Program:
    """``count`` instructions on eight channels, in steps of fifty transfers within the plate."""
    pick_up = lab.normalisation().instructions[0]
    assert isinstance(pick_up, PickUpTips)
    instructions: list[AnyInstruction] = [pick_up]
    for index in range(count - 1):
        fields: dict[str, Any] = {
            "id": f"t{index}",
            "step": f"step {index // 100}",
            "pipette": "channels",
            "channels": lab.CHANNELS,
            "wells": lab.column("extraction", index // 2 % 12),
            "volumes": (5.0,) * 8,
            "liquid_class": "water",
            "height": 0.5,
        }
        instructions.append(Dispense(**fields) if index % 2 else Aspirate(**fields))
    return lab.normalisation().model_copy(update={"instructions": tuple(instructions)})


def timed(count: int) -> tuple[float, str]:
    """s to make the page of a run of ``count`` instructions from its events, and the page."""
    program, spec = long_program(count), lab.starlet()
    writer = lab.Writer(program)
    writer.carry_out_all(program.instructions)
    start = LabState.start(spec, program)
    began = time.perf_counter()
    report = build_report(lab.facts(), lab.plan(), program, spec, start, writer.events)
    page = render_html(report, program, spec)
    return time.perf_counter() - began, page


def test_a_thousand_instructions_take_less_than_two_seconds_and_two_megabytes() -> None:
    seconds, page = timed(1_000)
    assert seconds < 2
    assert len(page.encode()) < 2_000_000
    assert page.count('</bdi></th><td class="words">') >= 1_000


@pytest.mark.slow
def test_twenty_thousand_instructions_still_make_a_page() -> None:
    seconds, page = timed(20_000)
    assert seconds < 40
    assert len(page.encode()) < 20_000_000
    pages.read(page)


def test_runs_from_the_examples_make_whole_pages() -> None:
    work = runs.serial_dilution()
    page = runs.page(work, runs.report(work, runs.run(work)))
    pages.read(page)
    assert "colours by the logarithm" in page
