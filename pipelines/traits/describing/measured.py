"""The describer that needs no model: it claims what was measured in the pixels, and no more.

A region is *region*, never a part with a name. A state is claimed only where the number behind it lies more than one
standard deviation from the edges between states; otherwise it is ``unknown``. Numbers carry that deviation: of colours
and patterns from leaving out one part of the region at a time, of outlines from a pixel less and a pixel more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.describing.colour import Colours, colours
from pipelines.traits.describing.cutting import Cut, Mask, Organism, cut
from pipelines.traits.describing.estimates import Estimate
from pipelines.traits.describing.outline import bearings, outline
from pipelines.traits.describing.pattern import pattern
from pipelines.traits.describing.texture import texture
from pipelines.traits.statements import Character, Describer, Dictionary, Place, Standing, Statement
from protocols.errors import InputError

MEASURED = Describer("measured", "labwright-measured 1")
LEAST_PIXELS = 16
"""Pixels of organism in a region without which nothing is said of it."""
LEAST_ORGANISM = 0.5
"""Share of a region that must be organism; what shows less is background."""
_COLOUR = ("colour", "secondary_colour", "colour_share", "brightness", "lightness")
_PATTERN = ("contrast", "pattern", "mark_count")
_TEXTURE = ("visible_texture", "roughness", "granularity")
_OUTLINE = ("outline_shape", "elongation", "circularity", "solidity", "patch_count", "area", "length")
_BEARINGS = ("relative_area", "position_along", "position_across")
APPEARANCE = (*_COLOUR, *_PATTERN, *_TEXTURE)
"""Characters of how a region looks, which change where it is moved to another place unless that looks the same."""
FORM = (*_OUTLINE, *_BEARINGS)
"""Characters of where a region is and of its outline."""
_IN_MM = ("area", "length")
AS_IMAGED = ("colour", "as imaged")
"""The condition of every statement on colour and lightness: nothing in the picture says how it was lit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many pixels of an image are a millimetre, and one standard deviation of that."""

    pixels_per_mm: float
    sd: float = 0.0


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of an organism, ready to be described.

    Attributes:
        id: of the specimen's image.
        image: (H, W, 3) RGB.
        organism: ``None`` where nothing stands out from the background.
        scale: where a calibration is known.
        conditions: that bound everything that is said of it.
    """

    id: str
    image: NDArray[np.uint8]
    organism: Organism | None
    scale: Scale | None = None
    conditions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, id: str, image: NDArray[np.uint8], mask: Mask, scale: Scale | None = None,
           conditions: tuple[tuple[str, str], ...] = ()) -> Picture:  # fmt: skip
        """A picture with the organism's mask (h, w), which may be smaller than the image."""
        return cls(id, image, Organism.of(mask, (image.shape[0], image.shape[1])), scale, conditions)


@dataclass(frozen=True, slots=True)
class Said:
    """One character as it was measured: a state, or a number, or why there is neither."""

    character: str
    standing: Standing
    text: str
    state: str = ""
    number: Estimate | None = None


class Describes(Protocol):
    """What describes regions of a picture."""

    def __call__(self, picture: Picture, latent: int, place: Place) -> list[Statement]:
        """The statements on one region."""
        ...


class MeasuredDescriber:
    """Measures regions, in the words of a dictionary; characters that the dictionary lacks are left out."""

    def __init__(self, dictionary: Dictionary) -> None:
        """Prepare to speak of what the dictionary knows.

        Raises:
            InputError: it knows none of the characters that can be measured, or one of them in another sense.
        """
        known = [name for name in (*APPEARANCE, *FORM) if name in dictionary.characters]
        if not known:
            raise InputError(
                f"the dictionary {dictionary.name} has none of the characters that can be measured",
                mend=f"Give some of them these names: {', '.join(APPEARANCE)}",
            )
        self._dictionary = dictionary

    def __call__(self, picture: Picture, latent: int, place: Place) -> list[Statement]:
        """The statements on one region: appearance, then form."""
        return self.describe(picture, latent, place, (*APPEARANCE, *FORM))

    def describe(self, picture: Picture, latent: int, place: Place, characters: Sequence[str]) -> list[Statement]:
        """Statements on those of some characters that the dictionary knows."""
        unscaled = _IN_MM if picture.scale is None else ()
        wanted = [name for name in characters if name in self._dictionary.characters and name not in unscaled]
        said = {one.character: one for one in _measured(picture, place, wanted)}
        return [self._statement(picture, latent, place, said[name]) for name in wanted if name in said]

    def _statement(self, picture: Picture, latent: int, place: Place, said: Said) -> Statement:
        character = self._dictionary.characters[said.character]
        number = said.number
        lit = said.character in APPEARANCE and said.standing == "observed"
        return Statement(
            image=picture.id,
            latent=latent,
            place=place,
            part="region",
            character=character.id,
            standing=said.standing,
            describer=MEASURED,
            state=said.state,
            state_term=_term(character, said.state),
            value=None if number is None else _rounded(number.value),
            uncertainty=None if number is None else _rounded(number.sd),
            unit=_unit(said.character) if number is not None else "",
            text=said.text,
            conditions=(*picture.conditions, AS_IMAGED) if lit else picture.conditions,
        )


def _term(character: Character, state: str) -> str:
    found = character.state(state)
    return found.term if found else ""


def _unit(character: str) -> str:
    return {"area": "mm2", "length": "mm"}.get(character, "1")


def _rounded(value: float) -> float:
    """To four significant digits: the same on any computer, and more than anything here is worth."""
    return float(f"{value:.4g}")


# -- measuring ---------------------------------------------------------------------------------------------


def _measured(picture: Picture, place: Place, wanted: Sequence[str]) -> Iterator[Said]:
    if picture.organism is None:
        yield from _all(wanted, "unknown", "no organism stands out from the background")
        return
    shown = cut(picture.image, picture.organism, place)
    if shown.share < LEAST_ORGANISM:
        yield from _all(wanted, "background", f"{100 * (1 - shown.share):.0f} % of the region is background")
        return
    if np.count_nonzero(shown.inside) < LEAST_PIXELS:
        yield from _all(wanted, "not visible", "the region is only a few pixels large")
        return
    asked = set(wanted)
    if asked.intersection(_COLOUR):
        yield from _colour(colours(shown))
    if asked.intersection(_PATTERN):
        yield from _pattern(shown, picture.organism)
    if asked.intersection(_TEXTURE):
        yield from _texture(shown)
    if asked.intersection(_OUTLINE):
        yield from _form(shown, picture.scale)
    if asked.intersection(_BEARINGS):
        yield from _bearings(shown, place, picture.organism)


def _all(wanted: Sequence[str], standing: Standing, text: str) -> Iterator[Said]:
    return (Said(name, standing, text) for name in wanted)


def _colour(found: Colours) -> Iterator[Said]:
    share = _percent(found.share)
    if found.first is None:
        yield Said("colour", "unknown", f"no colour has clearly the largest share ({found.first_words}, {share})")
    else:
        yield Said("colour", "observed", f"{found.first_words}, {share} of the region", found.first)
    if found.second is None:
        yield Said("secondary_colour", "unknown", "a second colour cannot be told")
    elif found.second:
        words = f"{found.second_words}, {_percent(found.second_share)} of the region"
        yield Said("secondary_colour", "observed", words, found.second)
    else:
        yield Said("secondary_colour", "absent", "no second colour has a share that counts")
    yield _number("colour_share", found.share, f"{share} of the region")
    light = f"L* {found.lightness.value:.0f} ± {found.lightness.sd:.0f}"
    yield _state("brightness", found.brightness, light)
    yield _number("lightness", found.lightness, light)


def _pattern(shown: Cut, organism: Organism) -> Iterator[Said]:
    found = pattern(shown, organism)
    if found is None:
        yield from _all(_PATTERN, "not visible", "too small to see a pattern")
        return
    yield _number("contrast", found.contrast, f"two shades {found.contrast.value:.0f} apart in L*a*b*")
    yield _state("pattern", found.state, found.words)
    if found.marks is not None:
        yield _number("mark_count", found.marks, found.words)
    elif found.state == "plain":
        yield Said("mark_count", "absent", found.words)
    else:
        yield Said("mark_count", "unknown", found.words)


def _texture(shown: Cut) -> Iterator[Said]:
    found = texture(shown)
    if found is None:
        yield from _all(_TEXTURE, "not visible", "too small to see a texture")
        return
    words = f"L* differs by {found.roughness.value:.1f} over short distances"
    yield _state("visible_texture", found.state, words)
    yield _number("roughness", found.roughness, words)
    yield _number("granularity", found.grain, f"grain of {100 * found.grain.value:.0f} % of the diameter")


def _form(shown: Cut, scale: Scale | None) -> Iterator[Said]:
    found = outline(shown)
    yield _state("outline_shape", found.state, f"{found.elongation.value:.1f} times as long as wide")
    yield _number("elongation", found.elongation, f"{found.elongation.value:.2f} times as long as wide")
    yield _number("circularity", found.circularity, f"circularity {found.circularity.value:.2f}")
    yield _number("solidity", found.solidity, f"fills {_percent(found.solidity)} of its convex hull")
    many = int(found.patches.value)
    yield _number("patch_count", found.patches, f"{many} area{'s' if many != 1 else ''}")
    if scale is None:
        return
    long, wide = _in_mm(found.length, scale, 1), _in_mm(found.area, scale, 2)
    yield _number("length", long, f"{long.value:.3g} ± {long.sd:.1g} mm in the picture's plane")
    yield _number("area", wide, f"{wide.value:.3g} ± {wide.sd:.1g} mm² in the picture's plane")


def _in_mm(found: Estimate, scale: Scale, power: int) -> Estimate:
    value = found.value / scale.pixels_per_mm**power
    relative = np.hypot(found.sd / max(found.value, 1e-9), power * scale.sd / scale.pixels_per_mm)
    return Estimate(value, float(value * relative))


def _bearings(shown: Cut, place: Place, organism: Organism) -> Iterator[Said]:
    found = bearings(shown, (max(int(place.box[0]), 0), max(int(place.box[1]), 0)), organism)
    yield _number("relative_area", found.relative_area, f"{_percent(found.relative_area)} of the organism's area")
    if found.along is None or found.across is None:
        yield from _all(("position_along", "position_across"), "unknown", "the organism has no long axis to tell by")
        return
    yield _number("position_along", found.along, f"{found.along.value:.2f} of the way from {found.end}")
    yield _number("position_across", found.across, f"{found.across.value:.2f} of the half width from the long axis")


def _state(character: str, state: str | None, text: str) -> Said:
    return Said(character, "unknown", text) if state is None else Said(character, "observed", text, state)


def _number(character: str, number: Estimate, text: str) -> Said:
    return Said(character, "observed", text, number=number)


def _percent(number: Estimate) -> str:
    return f"{100 * number.value:.0f} ± {100 * number.sd:.0f} %"
