"""Exported Opentrons protocols do what the program says: on a recording API, and in Opentrons' own analysis."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.exporting import export_opentrons
from tests.exporting import genuine
from tests.exporting.genuine import analyse, needs_opentrons
from tests.exporting.intended import intended
from tests.exporting.lab import COMPILED, compiled, spec
from tests.exporting.recording import moves, perform


@pytest.mark.parametrize(("example", "workcell"), COMPILED)
def test_a_compiled_program_makes_the_same_moves(example: str, workcell: str) -> None:
    program = compiled(example, workcell)
    acts = perform(export_opentrons(program, spec(workcell)).text)
    assert moves(acts) == intended(program)


@needs_opentrons
@pytest.mark.robots
@pytest.mark.parametrize(("example", "workcell"), COMPILED)
def test_opentrons_itself_finds_no_error_and_the_same_moves(example: str, workcell: str, tmp_path: Path) -> None:
    program = compiled(example, workcell)
    analysis = analyse(export_opentrons(program, spec(workcell)).text, tmp_path)
    assert genuine.errors(analysis) == []
    assert genuine.alike(genuine.moves(analysis), intended(program))
