"""Exported Opentrons protocols do what the program says: on a recording API, and in Opentrons' own analysis."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.exporting import Exported, export_opentrons
from robots.workcell.definitions import opentrons_definitions
from tests.exporting import genuine
from tests.exporting.genuine import analyse, needs_opentrons
from tests.exporting.imported import by_place, imported, raw_moves
from tests.exporting.intended import intended
from tests.exporting.lab import COMPILED, compiled, spec
from tests.exporting.recording import moves, perform
from tests.opentrons import corpus


@pytest.mark.parametrize(("example", "workcell"), COMPILED)
def test_a_compiled_program_makes_the_same_moves(example: str, workcell: str) -> None:
    program = compiled(example, workcell)
    acts = perform(export_opentrons(program, spec(workcell)).text)
    assert moves(acts) == intended(program)


@needs_opentrons
@pytest.mark.robots
@pytest.mark.slow
@pytest.mark.parametrize(("example", "workcell"), COMPILED)
def test_opentrons_itself_finds_no_error_and_the_same_moves(example: str, workcell: str, tmp_path: Path) -> None:
    program = compiled(example, workcell)
    analysis = analyse(export_opentrons(program, spec(workcell)).text, tmp_path)
    assert genuine.errors(analysis) == []
    assert genuine.alike(genuine.moves(analysis), intended(program))


def exported(name: str, folder: Path) -> Exported:
    """The real protocol called ``name``, imported and exported again."""
    found, workcell = imported(corpus.write(name, folder), folder / "workcell")
    return export_opentrons(found.program, workcell.spec, opentrons_definitions(workcell))


@pytest.mark.parametrize("name", corpus.NAMES)
def test_a_real_protocol_makes_the_same_moves_again(name: str, tmp_path: Path) -> None:
    acts = perform(exported(name, tmp_path).text)
    thermocycler = "7" if name.startswith("OT2") else "B1"
    assert genuine.alike(by_place(acts, thermocycler), raw_moves(corpus.analysis(name)))


@needs_opentrons
@pytest.mark.robots
@pytest.mark.slow
@pytest.mark.parametrize("name", corpus.SUCCEEDED)
def test_opentrons_itself_finds_the_same_in_a_real_protocol(name: str, tmp_path: Path) -> None:
    analysis = analyse(exported(name, tmp_path).text, tmp_path)
    assert genuine.errors(analysis) == []
    assert genuine.alike(raw_moves(analysis), raw_moves(corpus.analysis(name)))
