"""LabState and the exact interpreter give what was worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args, get_type_hints

import pytest

from protocols.effects import EffectKind
from protocols.fold import apply
from protocols.labstate import LabState
from protocols.program import AnyInstruction
from tests.oracles.bench import hand_workcell
from tests.oracles.exact import ExactLab
from tests.oracles.pictures import differences, effect_differences, exactly, picture
from tests.oracles.tables import Table, hand_tables

every_table = pytest.mark.parametrize("table", hand_tables(), ids=lambda table: table.name)


@every_table
def test_labstate_gives_what_was_worked_out_by_hand(table: Table) -> None:
    state = LabState.start(hand_workcell(), table.program)
    told = zip(table.program.instructions, table.outcomes, strict=True)
    effects = [effect for step, outcome in told for effect in apply(state, table.program, step, outcome)]
    assert differences(table.expected, table.shown(picture(state))) == []
    assert effect_differences(table.effects, exactly(effects)) == []


@every_table
def test_the_exact_interpreter_gives_it_to_the_last_digit(table: Table) -> None:
    lab = ExactLab(hand_workcell(), table.program)
    told = zip(table.program.instructions, table.outcomes, strict=True)
    effects = [effect for step, outcome in told for effect in lab.apply(step, outcome)]
    assert differences(table.expected, table.shown(picture(lab)), Fraction(0)) == []
    assert effect_differences(table.effects, effects, Fraction(0)) == []


def test_every_kind_of_effect_and_of_instruction_stands_in_a_table() -> None:
    tables = hand_tables()
    effects = {effect.kind for table in tables for effect in table.effects}
    kinds = {step.kind for table in tables for step in table.program.instructions}
    assert len({table.name for table in tables}) == len(tables) >= 30
    assert effects == set(get_args(EffectKind))
    assert kinds == {get_args(get_type_hints(kind)["kind"])[0] for kind in get_args(AnyInstruction)}
