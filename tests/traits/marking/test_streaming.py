"""The streaming pass: any order, any division, killed and resumed: the same counts, the same bytes, bounded memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.codes import Codes
from pipelines.traits.marking import Counting, Prevalence, Top, load_prevalence, mark, save_prevalence
from pipelines.traits.marking.tallies import Tally
from pipelines.traits.specimens import Specimen
from protocols.errors import InputError
from tests.traits.marking.simulated import dense_codes, several, specimen

COUNTING = Counting(latents=6, top=3)


def _images(seed: int, number: int = 18) -> list[tuple[Specimen, Codes, np.ndarray]]:
    rng = np.random.default_rng(seed)
    specimens = several(["Apis mellifera", "Apis cerana", "Osmia rufa"], number // 3)
    values = [np.round(rng.normal(size=(4, 6)), 1).clip(0).astype(np.float32) for _ in specimens]
    return [(one, dense_codes(each), rng.random(4)) for one, each in zip(specimens, values, strict=True)]


def _pass(images: list[tuple[Specimen, Codes, np.ndarray]]) -> Prevalence:
    prevalence = Prevalence(COUNTING)
    for one, codes, foreground in images:
        prevalence.add(one, codes, 4, foreground)
    return prevalence


def _bytes(prevalence: Prevalence, folder: Path) -> bytes:
    save_prevalence(prevalence, folder / "state.npz")
    return (folder / "state.npz").read_bytes()


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(18)), st.integers(0, 18))
def test_any_order_and_any_division_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("states")
    images = _images(1)
    shuffled = [images[place] for place in order]
    whole = _bytes(_pass(images), folder)
    first, second = _pass(shuffled[:cut]), _pass(shuffled[cut:])
    first.merge(second)
    assert _bytes(first, folder) == whole
    save_prevalence(_pass(shuffled[:cut]), folder / "half.npz")
    resumed = load_prevalence(folder / "half.npz")
    assert resumed.holds([one for one, _, _ in shuffled[:cut]])
    for one, codes, foreground in shuffled[cut:]:
        resumed.add(one, codes, 4, foreground)
    assert _bytes(resumed, folder) == whole
    assert mark(resumed) == mark(first) == mark(_pass(images))


def test_counts_are_those_of_the_dense_codes(tmp_path: Path) -> None:
    images = _images(2)
    save_prevalence(_pass(images), tmp_path / "state.npz")
    prevalence = load_prevalence(tmp_path / "state.npz")
    dense = np.zeros((len(images), 4, 6), np.float32)
    for image, (_, codes, _) in enumerate(images):
        dense[image, codes.rows, codes.latents] = codes.values
    for latent in range(6):
        peaks = dense[:, :, latent].max(axis=1)
        ranked = sorted(range(len(images)), key=lambda image: (-peaks[image], images[image][0].id))
        expected = [
            Top(float(peaks[image]), images[image][0].id, int(dense[image, :, latent].argmax()))
            for image in ranked[:3]
            if peaks[image] > 0
        ]
        assert prevalence.top(latent) == expected
        of_latent = prevalence.peaks().latent == latent
        assert prevalence.peaks().images[of_latent].sum() == (peaks > 0).sum()
        absolute = prevalence.above_absolute()
        assert absolute.images[absolute.latent == latent].sum() == (peaks > 0.9).sum()
        _, latents, fired, nonzero = prevalence.patches()
        assert fired[latents == latent].sum() == (dense[:, :, latent] > 0.9).sum()
        assert nonzero[latents == latent].sum() == (dense[:, :, latent] > 0).sum()
        units = np.array([np.rint(foreground * 255) / 255 for _, _, foreground in images])
        share = units[dense[:, :, latent] > 0].mean()
        assert prevalence.background_shares(np.zeros(6, np.int64))[latent] == pytest.approx(1 - share)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=8), max_size=8))
def test_a_tally_is_a_counter(batches: list[list[tuple[int, int]]]) -> None:
    tally, expected = Tally(), np.zeros(6, np.int64)
    for batch in batches:
        keys, counts = (np.array([pair[column] for pair in batch], np.int64) for column in (0, 1))
        tally.add(keys, counts)
        np.add.at(expected, keys, counts)
        seen, totals = tally.items()
        assert seen.tolist() == np.flatnonzero(expected).tolist()
        assert totals[:, 0].tolist() == expected[expected > 0].tolist()


def test_memory_does_not_grow_with_images() -> None:
    """Five hundred images of one species and one latent take as many entries as two, plus the images kept."""
    prevalence = Prevalence(Counting(latents=10, top=4))
    for number in range(500):
        values = np.zeros((4, 10), np.float32)
        values[number % 4, 3] = 1 + (number % 2) / 1000
        prevalence.add(specimen(f"Apis mellifera/{number}"), dense_codes(values), 4, np.ones(4))
    entries = [len(tally.items()[0]) for tally in (prevalence.peak_counts, prevalence.patch_counts)]
    assert entries == [2, 1]  # one of each part
    assert len(prevalence.tops.entries()) == 4


def test_resuming_after_other_specimens_is_noticed() -> None:
    images = _images(3)
    prevalence = _pass(images[:5])
    specimens = [one for one, _, _ in images]
    assert prevalence.holds(specimens[:5][::-1])
    assert not prevalence.holds(specimens[:4])
    assert not prevalence.holds(specimens[1:6])


@pytest.mark.parametrize("kept", [0, 10, 300, -1])
def test_a_damaged_state_is_an_error_with_a_way_out(tmp_path: Path, kept: int) -> None:
    content = _bytes(_pass(_images(4)), tmp_path)
    path = tmp_path / "state.npz"
    path.write_bytes(content[:kept])
    with pytest.raises(InputError, match=r"damaged .*count the images again"):
        load_prevalence(path)
    path.write_bytes(content[:200] + bytes([content[200] ^ 255]) + content[201:])
    with pytest.raises(InputError, match="damaged"):
        load_prevalence(path)
    with pytest.raises(InputError, match="no such file"):
        load_prevalence(tmp_path / "absent.npz")


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    before = _bytes(_pass(_images(5)[:3]), tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="not an ordinary file"):
        save_prevalence(_pass(_images(5)), tmp_path / "folder")
    with pytest.raises(InputError, match="cannot be written"):
        save_prevalence(_pass(_images(5)), tmp_path / "absent" / "state.npz")
    assert (tmp_path / "state.npz").read_bytes() == before


def test_codes_of_another_image_or_model_are_refused_and_nothing_is_counted(tmp_path: Path) -> None:
    images = _images(6)
    prevalence = _pass(images[:2])
    before = _bytes(prevalence, tmp_path)
    one, good, _ = images[2]
    strange = [
        (good._replace(rows=good.rows + 4), None, "not of an image with 4 patches"),
        (good._replace(latents=good.latents + 6), None, "beyond the autoencoder's 6"),
        (good._replace(values=good.values * np.float32(np.nan)), None, "not finite and positive"),
        (good._replace(values=-good.values), None, "not finite and positive"),
        (good, np.ones(3), "foreground of .3,. for 4 patches"),
    ]
    for codes, foreground, message in strange:
        with pytest.raises(InputError, match=message):
            prevalence.add(one, codes, 4, foreground)
    assert _bytes(prevalence, tmp_path) == before
    with pytest.raises(InputError, match="cannot be merged"):
        prevalence.merge(Prevalence(Counting(latents=6, top=3, model="another")))


def test_an_image_in_which_nothing_fires_still_counts_as_a_specimen() -> None:
    prevalence = Prevalence(COUNTING)
    prevalence.add(specimen("Apis mellifera"), dense_codes(np.zeros((4, 6), np.float32)), 4, np.zeros(4))
    assert prevalence.images == 1
    assert prevalence.specimens.sum() == 1
    assert mark(prevalence) == []
    assert prevalence.top(0) == []


@pytest.mark.parametrize("wrong", [{"latents": 0}, {"held_out": 1.0}, {"top": 0}])
def test_settings_that_count_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        Counting(**{"latents": 4, **wrong})  # type: ignore[arg-type]
