"""The published rule, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.traits.marking import Counting, Prevalence, published_rule
from tests.traits.marking.simulated import dense_codes, specimen


def _image(prevalence: Prevalence, name: str, firing: dict[int, int], weak: int = 0) -> None:
    """An image in which ``firing[latent]`` patches are at 1.0 and ``weak`` patches of latent 0 at exactly 0.9."""
    values = np.zeros((1000, prevalence.counting.latents), np.float32)
    for latent, patches in firing.items():
        values[:patches, latent] = 1
    values[900 : 900 + weak, 0] = 0.9
    prevalence.add(specimen(name), dense_codes(values), 1000)


def test_shares_of_patches_decide_as_published() -> None:
    """Worked out by hand.

    A. mellifera: 400 + 590 + 7 + 3 = 1000 firings; A. cerana: 100 + 890 + 0 + 10 = 1000; genus Apis: 2000.
      latent 0: 0.400 of the species, 500/2000 = 0.250 of the genus: mellifera keeps it; cerana (0.100) does not
      latent 1: 0.590 and 0.890 against 0.740: cerana keeps it
      latent 2: 0.007 of mellifera, 7/2000 = 0.0035 of the genus: kept, by three thousandths
      latent 3: 0.003 of mellifera is not above 3e-3; 0.010 of cerana, 13/2000 = 0.0065: cerana keeps it
    Osmia rufa, alone in its genus: both shares are the same number: nothing.
    """
    prevalence = Prevalence(Counting(latents=4))
    _image(prevalence, "Apis mellifera/0", {0: 300, 1: 590, 2: 7})
    _image(prevalence, "Apis mellifera/1", {0: 100, 3: 3}, weak=50)  # at 0.9, which is not above it
    _image(prevalence, "Apis cerana/0", {0: 100, 1: 890, 3: 10})
    _image(prevalence, "Osmia rufa/0", {0: 1000, 3: 500})
    marks = published_rule(prevalence)
    assert [(one.taxon, one.latent) for one in marks] == [
        ("Apis cerana", 1), ("Apis cerana", 3), ("Apis mellifera", 0), ("Apis mellifera", 2),
    ]  # fmt: skip
    first = marks[2]
    assert first.effect == pytest.approx(0.15)
    assert first.score == pytest.approx(0.4)
    assert first.note == "40.00% of the firings in the species, 25.00% of those in its genus"
    assert (first.specimens, first.firing, first.seen.others, first.seen.others_firing) == (2, 2, 2, 2)
    assert {one.rule for one in marks} == {"published"}
    assert not any(one.tested for one in marks)


def test_the_genus_share_must_be_above_too() -> None:
    prevalence = Prevalence(Counting(latents=2))
    _image(prevalence, "Apis mellifera/0", {0: 4, 1: 996})
    _image(prevalence, "Apis cerana/0", {1: 1000})
    assert [one.latent for one in published_rule(prevalence)] == [1]  # latent 0: 0.004, but 4/2000 = 0.002
    assert [one.latent for one in published_rule(prevalence, genus_ratio=0.001)] == [1, 0]


def test_nothing_that_fires_gives_nothing() -> None:
    prevalence = Prevalence(Counting(latents=1))
    _image(prevalence, "Apis mellifera/0", {}, weak=3)
    assert published_rule(prevalence) == []
