"""Looks, the guard, examples, and the reading of answers, by themselves."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from agents.models import Answer, Image, Request
from agents.models.schemas import AnswerForm
from pipelines.traits.organisms import draw, taxonomy
from pipelines.traits.prompting import (
    Box,
    Crop,
    Description,
    Look,
    NameGuard,
    NameShown,
    OntologyLinker,
    Overlay,
    Prompt,
    Shown,
    Subject,
    Whole,
    another_place,
    beside_pixels,
    encoded,
    read_examples,
    statements,
)
from pipelines.traits.prompting.labels import labels, without_labels
from pipelines.traits.specimens import Taxon
from pipelines.traits.statements import STANDINGS, Place, Statement
from protocols.errors import InputError
from tests.model_server.behaviours import strict_problem
from tests.traits.prompting.insects import BEE, DICTIONARY, FLY, GUARD, PLACE, SAID, description, pixels, seen, subject

LOOKS: list[Look] = [Crop(), Box(), Overlay(), Whole()]


def shown(image: Image) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def red(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 0] > 160) & (picture[..., 1] < 80) & (picture[..., 2] < 90)


# -- looks ---------------------------------------------------------------------------------------------


def test_a_crop_is_filled_by_its_region_and_nothing_is_drawn() -> None:
    image = shown(Crop(side=90, margin=0).picture(pixels(), PLACE))
    assert image.shape == (72, 90, 3)  # the region is 40 x 30; 32 pixels are shown at least
    assert np.abs(image[10:60, 5:85] - (30, 200, 90)).max() < 25
    assert not red(image).any()


@pytest.mark.parametrize("look", [Box(side=320), Overlay(side=320)])
def test_a_box_or_an_outline_is_drawn_around_the_region_and_not_over_it(look: Box | Overlay) -> None:
    block = np.full((120, 160, 3), 230, np.uint8)
    block[30:60, 40:80] = (30, 200, 90)
    image = shown(look.picture(block, PLACE))
    inside = np.abs(image - (30, 200, 90)).max(axis=2) < 40
    ys, xs = np.nonzero(red(image))
    green_ys, green_xs = np.nonzero(inside)
    assert xs.min() < green_xs.min() < green_xs.max() < xs.max()
    assert ys.min() < green_ys.min() < green_ys.max() < ys.max()
    assert inside.mean() > 0.9 * 40 * 30 / (160 * 120)


def test_without_a_region_the_whole_image_is_shown_as_it_is() -> None:
    image = shown(Whole(side=160).picture(pixels(), PLACE))
    assert np.abs(image - pixels()).mean() < 2
    assert not red(image).any()


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.sampled_from(LOOKS),
)
@settings(max_examples=60, deadline=None)
def test_any_region_of_any_image_can_be_shown(width: int, height: int, corners: Any, look: Look) -> None:
    left, right = sorted((corners[0] * width, corners[1] * width))
    top, bottom = sorted((corners[2] * height, corners[3] * height))
    ring = ((left, top), (right, top), (right, bottom), (left, bottom))
    place = Place((left, top, right, bottom), ((ring,),), (width, height))
    image = look.picture(np.zeros((height, width, 3), np.uint8), place)
    assert max(image.width or 0, image.height or 0) <= look.side
    assert beside_pixels(image) == ""
    assert shown(image).shape == (image.height, image.width, 3)


def test_the_same_pixels_are_the_same_bytes() -> None:
    assert encoded(pixels()).digest == encoded(pixels()).digest != encoded(pixels(201)).digest


# -- the guard -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a wing of Apis mellifera",
        "APIS",
        "the mellifera kind",
        "data/Apis_mellifera_001.jpg",
        "apismellifera",
        "is it a western honey-bee?",
        "Hymenoptera: wing",
        "Ápis",
        "HouseFly2",
        "myhousefly",
    ],
)
def test_names_are_found_however_they_are_written(text: str) -> None:
    assert GUARD.names_in(text)


@pytest.mark.parametrize("text", ["honey", "a bee", "western", "capistrate", "domestic", "fly", "wing of an insect"])
def test_words_that_are_no_names_pass(text: str) -> None:
    assert GUARD.names_in(text) == ()


def test_a_name_that_is_not_latin_counts_as_a_whole() -> None:
    guard = NameGuard([Taxon({"species": "Black footed Albatross"})])
    assert guard.names_in("black") == ()
    assert guard.names_in("a black-footed albatross") == ("Black footed Albatross",)


@given(st.text(alphabet="xyz ,._-", max_size=12), st.text(alphabet=" ,.-\n_0", min_size=1, max_size=3))
def test_a_name_between_any_words_is_found(around: str, between: str) -> None:
    assert GUARD.names_in(f"{around} Musca{between}domestica {around}")


@pytest.mark.parametrize("where", ["system", "parts", "prompt", "asked", "answered"])
def test_a_name_anywhere_in_a_request_is_refused(where: str) -> None:
    from agents.models import Example

    told = dict.fromkeys(("system", "parts", "prompt", "asked", "answered"), "of the region")
    told[where] = "of Musca"
    request = Request(
        told["prompt"],
        "1",
        told["system"],
        (told["parts"], encoded(pixels())),
        (Example((told["asked"], encoded(pixels())), told["answered"]),),
    )
    with pytest.raises(NameShown, match="the name Musca"):
        GUARD.check(request)
    GUARD.check(request, told="Musca domestica")
    with pytest.raises(NameShown, match="Musca"):
        GUARD.check(request, told="Apis mellifera")


def test_a_name_that_is_told_on_purpose_may_share_a_word_with_another() -> None:
    names = ("Apis cincta", "Musca cincta")
    guard = NameGuard([Taxon({"genus": name.split()[0], "species": name}) for name in names])
    told = Request("a", "1", "b", ("It was identified as Musca cincta.",))
    guard.check(told, told="Musca cincta")
    with pytest.raises(NameShown, match="cincta"):
        guard.check(told, told="Musca alba")


def test_a_name_in_the_form_of_the_answer_is_refused() -> None:
    with pytest.raises(NameShown):
        GUARD.check(Request("a", "1", "b", ("c",)), {"description": "as in Musca"})


def test_images_with_more_than_pixels_are_refused() -> None:
    picture = Pillow.fromarray(pixels())
    exif = picture.getexif()
    exif[0x010E] = "Apis mellifera"
    forms: list[tuple[str, dict[str, Any], Any]] = [
        ("JPEG", {"exif": exif}, "image/jpeg"),
        ("JPEG", {"comment": b"Apis"}, "image/jpeg"),
        ("PNG", {"exif": exif}, "image/png"),
        ("WEBP", {}, "image/webp"),
    ]
    for kind, more, media in forms:
        file = io.BytesIO()
        picture.save(file, kind, **more)
        with pytest.raises(NameShown, match="an image would be sent with"):
            GUARD.check(Request("a", "1", "b", (Image(file.getvalue(), media),)))
    bare = io.BytesIO()
    picture.save(bare, "PNG")
    assert beside_pixels(Image(bare.getvalue())) == ""
    assert beside_pixels(Image(bare.getvalue() + b"Apis")) == "bytes after its end"
    assert beside_pixels(Image(encoded(pixels()).data + b"Apis", "image/jpeg")) == "bytes after its end"


def test_labels_are_painted_over_and_organisms_are_not() -> None:
    hidden = drawn = 0
    for number, species in enumerate(taxonomy(0)[::2]):
        drawing = draw(species, np.random.default_rng([6, number]), size=256, nuisance=1.0)
        found = labels(drawing.image)
        assert not (found & drawing.organism).any()
        for name, mask in drawing.clutter.items():
            if name.startswith("label"):
                drawn += 1
                hidden += bool(found[mask].mean() > 0.8)
    assert hidden > drawn / 2 > 3, (hidden, drawn)


def test_a_picture_without_labels_is_sent_as_it_is_and_one_with_a_label_without_its_words() -> None:
    plain = np.full((300, 400, 3), 225, np.uint8)
    cv2.ellipse(plain, (150, 150), (70, 40), 0, 0, 360, (90, 60, 30), -1)
    assert without_labels(plain) is plain
    written = plain.copy()
    cv2.rectangle(written, (270, 220), (380, 280), (255, 255, 250), -1)
    cv2.rectangle(written, (270, 220), (380, 280), (120, 120, 120), 1)
    cv2.putText(written, "Apis mel.", (278, 255), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (10, 10, 10), 2)
    shown_in = [Shown("i", 1, PLACE, written)]
    for hide in (True, False):
        image = shown(Prompt(DICTIONARY, Whole(side=400), hide_labels=hide).request(Subject(tuple(shown_in))).images[0])
        label = image[222:278, 272:378]
        assert (label.max() - label.min() > 150) is not hide


# -- prompts and examples ------------------------------------------------------------------------------


def test_the_prompt_offers_what_can_be_seen_and_not_what_is_measured() -> None:
    system = Prompt(DICTIONARY).system
    assert "colour: grey, reddish_brown. As imaged." in system
    assert "number: a number" in system
    assert "lightness" not in system
    assert all(standing in system for standing in STANDINGS if standing != "background")


def test_whatever_changes_what_is_said_or_shown_changes_the_version(tmp_path: Path) -> None:
    prompts = [Prompt(DICTIONARY), Prompt(DICTIONARY, Crop()), Prompt(DICTIONARY, most=3)]
    prompts.append(Prompt(DICTIONARY, examples=read_examples(example_file(tmp_path))))
    assert len({prompt.version for prompt in prompts}) == 4
    assert Prompt(DICTIONARY).version == Prompt(DICTIONARY).version


def example_file(folder: Path, **changed: Any) -> Path:
    import yaml

    Pillow.fromarray(pixels()).save(folder / "Apis_mellifera.png")
    told = {"image": "Apis_mellifera.png", "box": [40, 30, 80, 60], "answer": SAID} | changed
    file = folder / "examples.yaml"
    file.write_text(yaml.safe_dump({"examples": [told]}), encoding="utf-8")
    return file


def test_examples_are_shown_like_the_question_and_their_files_names_are_not(tmp_path: Path) -> None:
    prompt = Prompt(DICTIONARY, examples=read_examples(example_file(tmp_path)))
    request = prompt.request(subject())
    GUARD.check(request, AnswerForm(Description).schema)
    assert len(request.images) == 2
    assert request.images[0].digest == request.images[1].digest
    assert Description.model_validate_json(request.examples[0].answered) == description()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"image": "nowhere.png"}, "nowhere.png cannot be read"),
        ({"image": "examples.yaml"}, "no picture that can be read"),
        ({"image": 3}, "an example is incomplete"),
        ({"box": [0, 0, 200, 60]}, "not within the picture of 160 x 120"),
        ({"box": "all"}, "not four numbers"),
        ({"answer": SAID | {"shows": "insect"}}, "answer.shows: Input should be"),
    ],
)
def test_examples_that_cannot_be_used_are_named(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        read_examples(example_file(tmp_path, **changed))
    assert "examples.yaml (examples.0)" in str(error.value)


def test_a_file_without_examples_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "few.yaml"
    file.write_text("[]")
    with pytest.raises(InputError, match="holds no examples"):
        read_examples(file)
    file.write_text("examples: [")
    with pytest.raises(InputError, match="cannot be read"):
        read_examples(file)


def test_the_form_of_the_answer_is_one_that_strict_servers_take() -> None:
    assert strict_problem(AnswerForm(Description).schema) is None


def test_too_many_pictures_or_places_are_refused() -> None:
    from pipelines.traits.prompting import Elsewhere

    with pytest.raises(InputError, match="9 regions in one prompt"):
        Subject(tuple(Shown(str(n), 1, PLACE, pixels()) for n in range(9)))
    with pytest.raises(InputError, match="2 other regions for 1 images"):
        subject(control=Elsewhere((PLACE, PLACE)))


# -- reading answers -----------------------------------------------------------------------------------


def read(**changed: Any) -> list[Statement]:
    answer = Answer(description(**changed), "eyes-1", "describe-region", "1", 0, 0, True, Decimal(0), False, 1, 1, "")
    return statements(subject(), answer, DICTIONARY)


def test_background_and_labels_are_background_and_not_described() -> None:
    for shows in ("background", "label"):
        (one,) = read(shows=shows, part="", characters=[])
        assert (one.standing, one.part, one.character, one.state) == ("background", "region", "", "")
    assert one.text == "label: A clear wing."


def test_an_organism_without_characters_is_kept_as_unknown() -> None:
    (one,) = read(characters=[])
    assert (one.standing, one.part, one.confidence, one.text) == ("unknown", "fore wing", None, "A clear wing.")


@pytest.mark.parametrize(
    ("state", "standing", "expected"),
    [
        ("not visible", "observed", ("", "not visible")),
        ("Unknown", "observed", ("", "unknown")),
        ("absent", "absent", ("", "absent")),
        ("none", "not visible", ("", "not visible")),
        ("reddish brown", "observed", ("reddish_brown", "observed")),
        ("Reddish-Brown", "observed", ("reddish_brown", "observed")),
        ("reddish", "observed", ("reddish", "observed")),
        ("grey", "inapplicable", ("grey", "inapplicable")),  # kept: a check speaks against it
    ],
)
def test_states_and_standings(state: str, standing: str, expected: tuple[str, str]) -> None:
    (one,) = read(characters=[seen("colour", state, standing)])
    assert (one.state, one.standing) == expected


@given(
    st.lists(
        st.builds(
            seen,
            st.text(max_size=10) | st.sampled_from(["colour", "number", "COLOUR"]),
            st.text(max_size=10) | st.sampled_from([*STANDINGS, "grey", "2"]),
            st.sampled_from(["observed", "absent", "not visible", "inapplicable", "unknown"]),
        ),
        max_size=6,
    )
)
def test_whatever_a_model_says_ids_are_unique_and_nothing_gets_lost(characters: list[dict[str, Any]]) -> None:
    found = read(characters=characters)
    assert len({one.id for one in found}) == len(found)
    assert found
    told = " ".join(f"{one.character} {one.state} {one.text} {one.value}".casefold() for one in found)
    for each in characters:
        words = " ".join(each["character"].split()).casefold()
        assert words in told or "number of parts" in words


def test_the_names_of_other_taxa_count_too() -> None:
    assert NameGuard([BEE, FLY]).names_in("Diptera") == ("Diptera",)


# -- terms and places ----------------------------------------------------------------------------------


def test_words_are_linked_by_name_and_never_by_likeness() -> None:
    linker = OntologyLinker()
    assert [linker.part(word) for word in ("fore wing", "Forewings", "wing", "tibia-like thing")] == [
        *("AISM:0000037", "AISM:0000037", "AISM:0000033", ""),
    ]
    assert linker.state("brown") == "PATO:0000952"
    assert linker.state("brownish with a tinge") == ""
    assert OntologyLinker(insects=False).part("wing") == ""


def box(left: float, top: float, right: float, bottom: float) -> Place:
    return Place((left, top, right, bottom), (), (100, 100))


def test_the_other_region_of_a_control_is_the_one_that_has_least_in_common() -> None:
    here = box(0, 0, 10, 10)
    far, near = box(50, 50, 60, 60), box(9, 0, 20, 10)
    assert another_place(here, [near, far]) is far
    assert another_place(here, [near]) is near
    assert another_place(here, [box(1, 0, 11, 10), here]) is None
    assert another_place(here, []) is None
    assert another_place(box(3, 3, 3, 3), [box(3, 3, 3, 3)]) is None
