"""Statements, made short."""

from __future__ import annotations

from typing import Any

from pipelines.traits.statements import Character, Describer, Dictionary, Place, State, Statement

PLACE = Place((0, 0, 10, 10), (((((0.0, 0.0), (10.0, 0.0), (10.0, 10.0))),),), (20, 20))
MODEL = Describer("model", "seer-1", "describe-region 1")
DICTIONARY = Dictionary(
    "drawn",
    "1",
    {
        "colour": Character("colour", "colour", "categorical", (State("red", "red"), State("blue", "blue"))),
        "number": Character("number", "number of parts", "count", unit="1"),
        "lightness": Character("lightness", "lightness", "continuous", unit="1"),
    },
)


def state(image: str, what: str = "red", *, sample: int = 0, **more: Any) -> Statement:
    """A statement on the colour of the wing, observed unless told otherwise."""
    told: dict[str, Any] = {"latent": 3, "place": PLACE, "part": "wing", "character": "colour", "standing": "observed"}
    describer = more.pop("describer", Describer(MODEL.kind, MODEL.name, MODEL.prompt, sample))
    return Statement(image=image, state=what, describer=describer, **(told | more))
