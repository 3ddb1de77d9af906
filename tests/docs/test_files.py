"""The page of files: its examples are read by the real readers, and it names every field there is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from protocols import device_steps, step
from protocols import protocol as bench
from protocols.compiler import compile_protocol
from protocols.formats import columns, load_document, validate
from protocols.formats.columns import Role, read_header
from protocols.formats.protocol_file import read_input
from protocols.liquids import Behaviour, Liquid
from protocols.outcomes import FaultKind
from protocols.ports import RecoveryChoice
from protocols.protocol import AnyStep
from protocols.specs import LabwareCategory
from protocols.verify import verify
from robots.report.model import Report
from robots.simulator.faults import FaultPlan, PlannedFault, PlannedKind
from robots.workcell import config, load_workcell
from tests.docs.pages import ROOT, Block, blocks, page, sections, table_rows

PAGE = page("reference/files.md")
EXAMPLES = [block for block in blocks(PAGE) if block.language in ("csv", "yaml")]
Reader = Callable[[Path], None]


def named(section: str) -> set[str]:
    """The words in backticks in a section."""
    return set(re.findall(r"`([^`\n]+)`", sections(PAGE)[section]))


# -- examples ------------------------------------------------------------------------------------------


def plan(path: Path) -> None:
    given = read_input(path)
    assert given.protocol is not None
    spec = load_workcell("starlet").spec
    findings = verify(compile_protocol(given.protocol, spec).program, spec).findings
    assert [finding for finding in findings if finding.severity == "error"] == []


def read_only(path: Path) -> None:
    assert read_input(path).protocol is not None


def read_workcell(path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "workcells" / "labware", path.parent / "labware")
    load_workcell(path)


def read_labware(path: Path) -> None:
    text = (ROOT / "examples" / "workcells" / "ot2-teaching.yaml").read_text(encoding="utf-8")
    using = path.parent / "workcell.yaml"
    using.write_text(text.replace("kinds:\n", f"kinds:\n  own: {{file: {path.name}}}\n"), encoding="utf-8")
    assert load_workcell(using).spec.kinds["own"].wells


def read_faults(path: Path) -> None:
    assert validate(load_document(path), FaultPlan).faults


READERS: dict[str, Reader] = {
    "cherry-pick": plan,
    "normalisation": plan,
    "protocol": plan,
    "device protocol": read_only,
    "workcell": read_workcell,
    "labware": read_labware,
    "faults": read_faults,
}


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.info)
def test_every_example_is_read_without_an_error(block: Block, tmp_path: Path) -> None:
    file = tmp_path / f"example.{block.language}"
    file.write_text(block.text, encoding="utf-8")
    READERS[block.info](file)


def test_there_is_an_example_of_everything() -> None:
    assert {block.info for block in EXAMPLES} == set(READERS)


def test_the_protocol_has_a_step_of_every_type() -> None:
    texts = "".join(block.text for block in EXAMPLES if block.info in ("protocol", "device protocol"))
    types = {kind.model_fields["do"].default for kind in get_args(AnyStep)}
    assert set(re.findall(r"(?:^   |,) do: (\w+)", texts, re.MULTILINE)) == types


# -- fields --------------------------------------------------------------------------------------------


def models_of(module: Any) -> Iterator[type[BaseModel]]:
    """The public records that a module defines."""
    for name, value in vars(module).items():
        ours = isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__
        if ours and not name.startswith("_"):
            yield value


FIELDS = [
    *(("Protocols", model) for model in (*models_of(bench), *models_of(step), *models_of(device_steps), Liquid)),
    *(("Workcells", model) for model in models_of(config) if model not in (config.WellsConfig, config.OwnKind)),
    ("Own labware", config.WellsConfig),
    ("Fault plan", PlannedFault),
    ("Fault plan", FaultPlan),
    ("report.json", Report),
]


@pytest.mark.parametrize(("section", "model"), FIELDS, ids=lambda value: getattr(value, "__name__", value))
def test_every_field_is_named(section: str, model: type[BaseModel]) -> None:
    assert set(model.model_fields) - named(section) == set()


def test_the_fields_of_own_labware_are_named() -> None:
    own = set(config.OwnKind.model_fields)
    assert own - named("Own labware") - named("Workcells") == set()


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("Protocols", get_args(LabwareCategory)),
        ("Protocols", get_args(Behaviour)),
        ("Workcells", get_args(config.DriverName)),
        ("Workcells", get_args(config.OpentronsPipette.model_fields["type"].annotation)),
        ("Fault plan", get_args(PlannedKind)),
        ("Recovery", get_args(FaultKind)),
        ("Recovery", tuple(choice for choice in get_args(RecoveryChoice) if choice != "replan")),  # no planner yet
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_every_choice_is_named(section: str, words: tuple[str, ...]) -> None:
    assert set(words) - named(section) == set()


# -- headers -------------------------------------------------------------------------------------------


def spellings() -> dict[str, list[str]]:
    """The headers that the page lists, by column."""
    found: dict[str, list[str]] = {}
    for name, text in (cells for cells in table_rows(sections(PAGE)["Worklists"]) if len(cells) == 2):
        first, _, second = text.partition(", then ")
        sides, ends = re.findall(r"`([^`]+)`", first), re.findall(r"`([^`]+)`", second)
        found[name] = [f"{side} {end}" for side in sides for end in ends] if ends else sides
    return found


def test_every_column_has_its_row() -> None:
    assert set(spellings()) == set(get_args(Role))


@pytest.mark.parametrize("role", get_args(Role))
def test_headers_are_understood_as_the_page_says_and_none_is_left_out(role: Role) -> None:
    said = spellings()[role]
    assert {read_header(0, header).role for header in said} == {role}
    assert {header.replace(" ", "") for header in said} == set(columns._SPELLINGS[role])
