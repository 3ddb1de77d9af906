"""A small drawn collection with statements of every standing, licences of every sort, and odd words."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.traits.specimens import Specimen, Taxon
from pipelines.traits.statements import Character, Describer, Dictionary, Place, State, Statement

STATES = (State("red", "red", "PATO:0000322"), State("brown", "brown", "PATO:0000952"))
DICTIONARY = Dictionary(
    "tiny",
    "3",
    {
        "colour": Character("colour", "colour", "categorical", STATES, term="PATO:0000014"),
        "aspect": Character("aspect", "aspect ratio", "continuous", unit="1"),
    },
)
SEEN = Describer("measured", "colours 1")
ASKED = Describer("model", "describer-7b", "parts 2", 1)
LICENCES = ("CC BY 4.0", "cc0", "https://creativecommons.org/licenses/by-nc-nd/4.0/", "All rights reserved", "", "MIT")
ODD = 'said "so", it\tis\nà l\'œil; |x| ü\u2028\x00'


def collection(root: Path, licences: tuple[str, ...] = LICENCES) -> list[Specimen]:
    """Images of 60 x 40 pixels with a coloured box, one for each licence; two taxa take turns."""
    found = []
    for number, licence in enumerate(licences):
        pixels = np.full((40, 60, 3), 200, np.uint8)
        pixels[10:30, 15:45] = (180 - number, 30, 20 + number)
        path = root / f"imgs/specimen {number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        id = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
        species = ("Apis mellifera", "Bombus terrestris")[number % 2]
        names = {"order": "Hymenoptera", "family": "Apidae", "genus": species.split()[0], "species": species}
        terms = {"rightsHolder": "Museum of Tést", "catalogNumber": f"00{number}", "note": ODD, "sex": "female"}
        found.append(Specimen(id, f"imgs/specimen {number}.png", Taxon(names), 60, 40, licence, terms))
    return found


RING = ((15.0, 10.0), (45.0, 10.0), (45.0, 30.0), (15.0, 30.0))
HOLE = ((20.0, 15.0), (20.0, 25.0), (30.0, 25.0), (30.0, 15.0))
PLACE = Place((15.0, 10.0, 45.0, 30.0), ((RING, HOLE),), (60, 40))


def said_of(specimen: Specimen, red: bool = True) -> list[Statement]:
    """One statement of each standing, a number, an own word and a doubted one."""
    one = Statement(specimen.id, 7, PLACE, "head", "colour", "observed", SEEN, "AISM:0000107")
    state = STATES[0] if red else STATES[1]
    return [
        replace(one, state=state.id, state_term=state.term, confidence=0.9, text=ODD, conditions=(("view", "top"),)),
        replace(one, character="aspect", value=1.5, uncertainty=0.25, unit="1"),
        replace(one, latent=8, part="wing", part_term="", character="", standing="absent", describer=ASKED),
        replace(one, part="leg", standing="not visible", describer=ASKED),
        replace(one, part="sting", standing="inapplicable", describer=ASKED),
        replace(one, part="eye", standing="unknown", describer=ASKED),
        replace(one, latent=9, part="region", standing="background", character="", describer=ASKED),
        replace(one, part="abdomen", state="a 'burnt' umber", describer=ASKED),
        replace(one, part="leg", state="red", describer=replace(ASKED, sample=2), doubts=("made-up part",)),
    ]


def statements(specimens: list[Specimen]) -> list[Statement]:
    """Those of each specimen; the colour of the head takes turns within a taxon."""
    return [one for number, specimen in enumerate(specimens) for one in said_of(specimen, number // 2 % 2 == 0)]
