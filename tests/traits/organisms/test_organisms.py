"""Drawn collections: whole, the same for the same seed, and true to what is written beside them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.traits.organisms import KINDS, TRAITS, Drawing, Mask, Species, draw, draw_collection, load_ground_truth
from pipelines.traits.organisms import taxonomy as species_list
from protocols.errors import InputError, RecordError

SMALL = 192
WITHIN = {
    "wing_spots": {"forewings", "hindwings"},
    "wing_band": {"forewings"},
    "abdomen_bands": {"abdomen"},
    "thorax_stripes": {"thorax"},
    "flank_marks": {"body"},
    "tail_spot": {"body"},
    "mask": {"head"},
    "head": {"body", "head"},
    "veins": {"blade"},
    "midrib": {"blade"},
    "variegation": {"blade"},
    "blotches": {"blade"},
    "lesions": {"blade"},
}
"""Marks, and the parts one of which bears them."""
PLAIN = ("absent", "smooth", "plain")


def test_a_collection_is_a_folder_per_species_with_the_truth_beside_it(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    drawn = draw_collection(
        tmp_path / "drawn", images=20, size=SMALL, kinds=("insect", "fish"), progress=lambda *done: seen.append(done)
    )
    truths = load_ground_truth(tmp_path / "drawn")
    assert truths == drawn
    assert seen[-1] == (20, 20)
    pictures = sorted((tmp_path / "drawn").rglob("*.jpg"))
    assert sorted(truth.file_name for truth in truths) == [str(p.relative_to(tmp_path / "drawn")) for p in pictures]
    for truth in truths:
        content = (tmp_path / "drawn" / truth.file_name).read_bytes()
        assert truth.sha256 == hashlib.sha256(content).hexdigest()
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image.shape[:2] == truth.organism.size
        folder = truth.file_name.split("/")[0]
        names = truth.taxon
        assert folder == "_".join([names["order"], names["family"], names["species"].replace(" ", "_")])
        assert truth.parts
        assert truth.organism.area > 300
    assert len(Counter(truth.taxon["species"] for truth in truths)) == 20


def test_a_picture_does_not_depend_on_how_many_there_are(tmp_path: Path) -> None:
    few = draw_collection(tmp_path / "few", images=3, seed=5, size=SMALL)
    more = draw_collection(tmp_path / "more", images=6, seed=5, size=SMALL)
    assert more[:3] == few
    assert draw_collection(tmp_path / "other", images=3, seed=6, size=SMALL) != few


def test_drawing_again_makes_the_same_bytes(tmp_path: Path) -> None:
    def digests() -> dict[str, str]:
        files = (path for path in tmp_path.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    draw_collection(tmp_path, images=3, size=SMALL)
    before = digests()
    (tmp_path / "ground_truth.arrow").unlink()
    next(tmp_path.rglob("*.jpg")).write_bytes(b"half")
    draw_collection(tmp_path, images=3, size=SMALL)
    assert digests() == before


@pytest.mark.slow
def test_several_processes_draw_what_one_draws(tmp_path: Path) -> None:
    one = draw_collection(tmp_path / "one", images=20, size=128, workers=1)
    assert draw_collection(tmp_path / "two", images=20, size=128, workers=2) == one


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        draw_collection(tmp_path, images=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"images": 0}, "images"),
        ({"images": 1, "seed": -1}, "seed"),
        ({"images": 1, "size": 32}, "size"),
        ({"images": 1, "nuisance": 1.5}, "nuisance"),
        ({"images": 1, "nuisance": float("nan")}, "nuisance"),
        ({"images": 1, "kinds": ("mammal",)}, "kinds"),
        ({"images": 1, "kinds": ()}, "kinds"),
    ],
)
def test_settings_out_of_range_are_named_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, object], where: str
) -> None:
    with pytest.raises(InputError) as caught:
        draw_collection(tmp_path / "drawn", **wrong)  # type: ignore[arg-type]
    assert caught.value.where == where
    assert not (tmp_path / "drawn").exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="can't be written") as caught:
        draw_collection(tmp_path / "file", images=1, size=64)
    assert str(tmp_path) in caught.value.where


def test_a_missing_or_damaged_ground_truth_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no ground truth"):
        load_ground_truth(tmp_path)
    (tmp_path / "ground_truth.arrow").write_bytes(b"ARROW1 and no more")
    with pytest.raises(InputError, match="no ground truth"):
        load_ground_truth(tmp_path)


def sitting(species: Species, seed: int = 0, **settings: float) -> Drawing:
    return draw(species, np.random.default_rng(seed), size=256, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def standing() -> list[tuple[Species, Drawing]]:
    """A picture of every second species without any nuisance."""
    return [(species, sitting(species, nuisance=0)) for species in species_list(3)[::2]]


def test_a_part_is_there_when_its_state_says_so(standing: list[tuple[Species, Drawing]]) -> None:
    checked = 0
    for species, drawing in standing:
        for name, trait in TRAITS[species.kind].items():
            if PLAIN[0] in trait.states or name == "flank":
                expected = species.states[name] not in PLAIN
                assert (trait.part in drawing.parts) == expected, (species.build, name, species.states[name])
                checked += 1
        if species.kind == "leaf":
            assert ("teeth" in drawing.parts) == (species.states["margin"] == "toothed")
    assert checked > 100


def test_marks_lie_on_what_bears_them_and_parts_within_the_organism(standing: list[tuple[Species, Drawing]]) -> None:
    found = set()
    for _, drawing in standing:
        for name, mask in drawing.parts.items():
            assert np.count_nonzero(mask & ~drawing.organism) <= 0.02 * np.count_nonzero(mask) + 4, name
            if name in WITHIN and name != "head":
                bearers = [drawing.parts[bearer] for bearer in WITHIN[name] if bearer in drawing.parts]
                assert not (mask & ~np.any(bearers, axis=0)).any(), name
                found.add(name)
    assert found == set(WITHIN) - {"head"}


def test_masks_lie_where_the_colour_is(standing: list[tuple[Species, Drawing]]) -> None:
    """What a state says of a colour is what the pixels under its mask show."""

    def mean(drawing: Drawing, part: str) -> list[float]:
        return [float(channel) for channel in drawing.image[drawing.parts[part]].mean(axis=0)]

    legs = defaultdict(list)
    for species, drawing in standing:
        if "abdomen_bands" in drawing.parts:
            red, _, blue = mean(drawing, "abdomen_bands")
            assert red > blue + 60
        if species.kind == "insect" and "legs" in drawing.parts:
            legs[species.states["leg_colour"]].append(sum(mean(drawing, "legs")))
        if species.kind == "leaf":
            red, green, _ = mean(drawing, "petiole")
            assert (red > green) == (species.states["petiole_colour"] == "red")
            assert mean(drawing, "blade")[1] > mean(drawing, "blade")[2]
        if species.kind == "fish":
            red, green, blue = mean(drawing, "anal_fin")
            assert species.states["fin_colour"] != "yellow" or (green > 1.3 * blue and red > 1.3 * blue)
            assert species.states["fin_colour"] != "red" or (red > 1.4 * green and red > 1.4 * blue)
    assert min(legs["pale"]) > max(legs["dark"])


@pytest.mark.parametrize("kind", KINDS)
def test_any_pose_keeps_its_parts_within_the_organism(kind: str) -> None:
    clutter = set()
    for seed in range(9):
        species = species_list(0, [kind])[seed]
        drawing = sitting(species, seed)
        assert drawing.image.shape[2] == 3
        assert drawing.image.std() > 5
        clutter |= set(drawing.clutter)
        for mask in drawing.clutter.values():
            assert not (mask & drawing.organism).any()
        for mask in drawing.parts.values():
            assert np.count_nonzero(mask & ~drawing.organism) <= 0.02 * np.count_nonzero(mask) + 4
    assert {"label", "scale_bar"} <= clutter


def test_a_lesion_is_a_state_of_the_leaf_not_of_its_species() -> None:
    species = species_list(0, ["leaf"])[0]
    states = Counter(sitting(species, seed).states["lesions"] for seed in range(12))
    assert set(states) == {"absent", "present"}


@pytest.mark.parametrize("seed", range(5))
def test_species_of_a_genus_differ_and_some_genera_have_only_one(seed: int) -> None:
    every = species_list(seed)
    assert len({species.folder for species in every}) == len(every)
    genera = defaultdict(list)
    for species in every:
        assert set(species.states) == set(TRAITS[species.kind])
        assert all(state in TRAITS[species.kind][name].states for name, state in species.states.items())
        genera[species.taxon.names["genus"]].append(species)
    for members in genera.values():
        for one, other in combinations(members, 2):
            apart = {name for name in one.states if one.states[name] != other.states[name]}
            assert apart
            assert all(TRAITS[one.kind][name].level == "species" for name in apart)
    sizes = Counter(len(members) for members in genera.values())
    assert sizes[1] >= 5
    assert sizes[3] >= 5
    spread = defaultdict(set)
    for species in every:
        for item in species.states.items():
            spread[item].add(species.taxon.names["genus"])
    assert sum(len(where) > 1 for where in spread.values()) > len(spread) / 2


def test_species_do_not_depend_on_the_kinds_asked_for() -> None:
    every = species_list(2)
    assert [species for species in every if species.kind == "fish"] == species_list(2, ["fish"])


@given(st.integers(1, 7), st.integers(1, 7), st.data())
def test_a_mask_comes_back_from_its_run_lengths(high: int, wide: int, data: st.DataObject) -> None:
    flat = data.draw(st.lists(st.booleans(), min_size=high * wide, max_size=high * wide))
    mask = np.array(flat).reshape(high, wide)
    packed = Mask.of(mask)
    assert (packed.pixels() == mask).all()
    assert packed.area == mask.sum()
    assert sum(packed.counts) == mask.size
    runs, value, column_by_column = [0], False, [bool(mask[y, x]) for x in range(wide) for y in range(high)]
    for pixel in column_by_column:  # COCO's own definition: runs down the columns, the first of what is outside
        if pixel != value:
            runs, value = [*runs, 0], pixel
        runs[-1] += 1
    assert list(packed.counts) == runs
    left, top, across, down = packed.box
    inside = np.zeros_like(mask)
    inside[top : top + down, left : left + across] = True
    assert not (mask & ~inside).any()
    assert not mask.any() or (inside == mask | inside).all()
