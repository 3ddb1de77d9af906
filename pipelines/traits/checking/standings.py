"""Rules that a statement's standing makes: what was not seen has no state, and what is not there is not described."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipelines.traits.checking.claims import answers, part_key
from pipelines.traits.checking.doubts import INCOHERENT, doubted
from pipelines.traits.statements import STANDINGS, Dictionary, Statement


def check_standings(statements: Sequence[Statement], dictionary: Dictionary | None = None) -> list[Statement]:
    """Doubt each statement that breaks a rule, alone or together with others of the same answer.

    Args:
        statements: of any describers.
        dictionary: where given, a character has states or a number as it says.
    """
    found = [_doubted(statement, broken_rule(statement, dictionary)) for statement in statements]
    for places in answers(statements).values():
        of_region = [statements[place] for place in places]
        background = any(one.standing == "background" for one in of_region)
        absent = {part_key(one) for one in of_region if one.standing == "absent" and not one.character}
        for place in places:
            one = statements[place]
            if background and one.standing not in ("background", "unknown"):
                found[place] = _doubted(found[place], "background is described")
            if one.standing == "observed" and part_key(one) in absent:
                found[place] = _doubted(found[place], "an absent part is described")
    return found


def broken_rule(statement: Statement, dictionary: Dictionary | None = None) -> str:
    """The first rule that a statement breaks by itself; empty where it breaks none."""
    one = statement
    character = None if dictionary is None else dictionary.characters.get(one.character)
    numbers = [number for number in (one.value, one.uncertainty) if number is not None]
    rules = {
        "no such standing": one.standing not in STANDINGS,
        "observed without a state or a number": one.standing == "observed" and not one.state and one.value is None,
        f"{one.standing}, with a state": one.standing != "observed" and bool(one.state),
        f"{one.standing}, with a number": one.standing != "observed" and one.value is not None,
        "a state and a number": bool(one.state) and one.value is not None,
        "a number that is not finite": not all(map(math.isfinite, numbers)),
        "an uncertainty below 0": one.uncertainty is not None and one.uncertainty < 0,
        "an uncertainty without a number": one.uncertainty is not None and one.value is None,
        "a confidence outside 0 to 1": one.confidence is not None and not 0 <= one.confidence <= 1,
    }
    if character is not None and one.standing == "observed":
        categorical = character.kind == "categorical"
        rules[f"{character.id} is a {character.kind}, without a number"] = not categorical and one.value is None
        rules[f"{character.id} has states, and no number"] = categorical and one.value is not None
        count = one.value if character.kind == "count" else None
        rules["a count that is no count"] = count is not None and (count < 0 or not float(count).is_integer())
    return next((rule for rule, broken in rules.items() if broken), "")


def _doubted(statement: Statement, rule: str) -> Statement:
    return doubted(statement, f"{INCOHERENT}: {rule}") if rule else statement
