"""Procedures to print: everything is said, ticked off where a person acts, and nothing hostile gets out."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from protocols.exporting import Exported, Procedure, html, markdown, procedure_of_program, procedure_of_protocol
from protocols.exporting.pages import plain
from protocols.formats.protocol_file import read_input
from protocols.liquids import Liquid
from protocols.program import AskPerson, Aspirate, Dispense, Program, Wait
from protocols.protocol import Protocol
from protocols.specs import Fill, PlacedLabware
from tests.exporting.lab import COMPILED, EXAMPLES, compiled, spec, with_tip

EVIL = "<script>alert(1)</script> | a\n\n# b `c` [d](javascript:e) *f* _g_ &amp; \x00\u202e"
WRITERS: tuple[Callable[[Procedure], Exported], ...] = (markdown, html)


def bench(name: str) -> Protocol:
    protocol = read_input(EXAMPLES / "protocols" / name).protocol
    assert protocol is not None
    return protocol


def stroke(make: type[Aspirate] | type[Dispense], well: str, volume: float) -> Aspirate | Dispense:
    return make(id="x", pipette="p300", channels=(0,), wells=(well,), volumes=(volume,), liquid_class="plain")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize(("example", "workcell"), COMPILED)
def test_every_transfer_and_every_piece_is_said(example: str, workcell: str) -> None:
    program = compiled(example, workcell)
    procedure = procedure_of_program(program, spec(workcell))
    assert [step.text for step in procedure.steps] == [note.text for note in program.steps.values()]
    assert {piece.name for piece in procedure.labware} >= set(program.labware)
    for write in WRITERS:
        text = write(procedure).text
        for name in program.labware:
            assert f"Put {name} (" in text
        assert text.count("[ ]" if write is markdown else 'class="box"') >= len(procedure.setup) + len(procedure.steps)


def test_the_bench_procedure_needs_no_robot() -> None:
    text = markdown(procedure_of_protocol(bench("serial_dilution.yaml"))).text
    assert "| dye | 220 µL | 220 µL in dilutions/A1 | lot 2024-117, 1000 ng/µL tartrazine |" in text
    assert "180 µL each from water/A1 to dilutions/A2:A8" in text
    assert "robot" not in text


def test_holds_and_questions_are_marked() -> None:
    steps = procedure_of_protocol(bench("cell_wash.yaml")).steps
    assert [step.is_hold for step in steps] == [False, True, True, False, False]
    assert "Wait 10 min" in steps[1].text


def test_a_hold_inside_a_step_is_said_where_it_belongs() -> None:
    moved = (stroke(Aspirate, "reservoir/A1", 20), stroke(Dispense, "reservoir/A2", 20))
    program = with_tip(*moved, Wait(id="x", seconds=90), AskPerson(id="x", message="Is it clear?"))
    (step,) = procedure_of_program(program, spec()).steps
    assert [(act.text, act.is_hold) for act in step.acts] == [
        ("Transfer", False),
        ("Hold for 1 min 30 s", True),
        ("Is it clear?", True),
    ]


def test_strokes_that_were_split_are_one_line_but_a_later_refill_is_its_own() -> None:
    once = (stroke(Aspirate, "reservoir/A1", 20), stroke(Dispense, "reservoir/A2", 20))
    away = (stroke(Aspirate, "reservoir/A2", 40), stroke(Dispense, "trash/A1", 40))
    (step,) = procedure_of_program(with_tip(*once, *once, *away, *once), spec()).steps
    volumes = [row[2] for act in step.acts for row in act.rows]
    assert volumes == ["40 µL", "40 µL", "20 µL"]


def test_liquids_and_hot_devices_are_warned_of() -> None:
    ethanol = Liquid(name="ethanol", behaviours=frozenset({"volatile"}))
    program = with_tip(
        liquids={"ethanol": ethanol}, contents=(Fill(well="reservoir/A3", liquid="ethanol", volume=5000),)
    )
    moved = program.model_copy(update={"instructions": (*program.instructions, stroke(Aspirate, "reservoir/A3", 30))})
    assert any(line.startswith("ethanol: It evaporates") for line in procedure_of_program(moved, spec()).safety)


def test_hostile_words_stay_words() -> None:
    named = PlacedLabware(kind="corning_96_wellplate_360ul_flat", site="slot-1")
    program = Program(
        title=EVIL,
        liquids={EVIL: Liquid(name=EVIL, lot=EVIL)},
        labware={EVIL: named},
        contents=(Fill(well=f"{EVIL}/A1", liquid=EVIL, volume=5),),
        steps={"s": {"text": EVIL, "source": EVIL}},  # type: ignore[dict-item]
        instructions=(AskPerson(id="a", step="s", message=EVIL),),
    )
    procedure = procedure_of_program(program, spec(), purpose=EVIL, setup=(EVIL,), notes=(EVIL,))
    page = html(procedure).text
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.tags
    assert not {name for name in tags.attributes if name.startswith("on") or name in ("href", "src")}
    assert "\x00" not in page
    text = markdown(procedure).text
    assert not re.search(r"(?<!\\)<script", text)
    assert not re.search(r"(?m)^# b", text)
    assert "\x00" not in text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b 1.5 mL (x)", "a_b 1.5 mL (x)"),
        ("_a_ *b*", r"\_a\_ \*b\*"),
        ("1. first", r"1\. first"),
        ("- item", r"\- item"),
        ("a | b\nc", r"a \| b c"),
        ("&lt;b>", r"\&lt;b\>"),
    ],
)
def test_markdown_reads_nothing_in_a_plain_text(text: str, written: str) -> None:
    assert plain(text) == written


def test_the_page_is_whole_in_itself() -> None:
    page = html(procedure_of_protocol(bench("stain_column.yaml"))).text
    assert "default-src 'none'" in page
    assert "@page { size: A4" in page
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"https?://|url\(", page)
