"""A small collection: two species with pictures, a dictionary, and what a model could say."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.traits.prompting import Description, NameGuard, Shown, Subject
from pipelines.traits.specimens import Taxon
from pipelines.traits.statements import Character, Dictionary, Place, State

BEE = Taxon({"class": "Insecta", "order": "Hymenoptera", "genus": "Apis", "species": "Apis mellifera"})
FLY = Taxon({"class": "Insecta", "order": "Diptera", "genus": "Musca", "species": "Musca domestica"})
GUARD = NameGuard([BEE, FLY], ["Western honey bee", "Housefly"])
DICTIONARY = Dictionary(
    "small",
    "1",
    {
        "colour": Character(
            "colour",
            "colour",
            "categorical",
            (State("grey", "grey", "PATO:0000950"), State("reddish_brown", "reddish brown")),
            definition="As imaged.",
        ),
        "number": Character("number", "number of parts", "count", unit="1"),
        "lightness": Character("lightness", "lightness", "continuous", unit="1", definition="Mean CIE L*."),
    },
)
BOX = (40.0, 30.0, 80.0, 60.0)
PLACE = Place(BOX, ((((40.0, 30.0), (80.0, 30.0), (80.0, 60.0), (40.0, 60.0)),),), (160, 120))
SAID: dict[str, Any] = {
    "shows": "organism",
    "part": "fore wing",
    "characters": [{"character": "colour", "state": "grey", "standing": "observed", "confidence": 0.8}],
    "text": "A clear wing.",
    "view": "dorsal",
    "sex": "unknown",
    "life_stage": "adult",
    "caste": "unknown",
    "damage": "none",
}


def description(**changed: Any) -> Description:
    return Description.model_validate(SAID | changed)


def seen(character: str, state: str, standing: str = "observed", confidence: float = 0.5) -> dict[str, Any]:
    return {"character": character, "state": state, "standing": standing, "confidence": confidence}


def pixels(level: int = 200) -> np.ndarray:
    """A body with a leg, so that it is no label, of which the region is filled."""
    image = np.full((120, 160, 3), 230, np.uint8)
    image[30:60, 40:80] = (30, level, 90)
    image[44:47, 10:40] = image[60:100, 58:62] = (30, level, 90)
    return image


def subject(image: str = "bee", sample: int = 0, level: int = 200, **more: Any) -> Subject:
    return Subject((Shown(image, 7, PLACE, lambda: pixels(level)),), sample, **more)
