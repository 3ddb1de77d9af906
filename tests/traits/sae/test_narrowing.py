"""The search through a product in bfloat16 against the definition, and against itself by its other way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.sae import Sae, compiled, narrowing
from pipelines.traits.sae.narrowing import Greatest, Narrowing
from pipelines.traits.sae.saving import make_sae

pytestmark = pytest.mark.skipif(compiled.numba is None, reason="numba is not installed")
LATENTS, WIDTH = 512, 24


def encoder(seed: int, spread: float, bias: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of unequal lengths, some of them zero, some equal, and biases."""
    made = torch.Generator().manual_seed(seed)
    weights = torch.randn(LATENTS, WIDTH, generator=made) * torch.exp(spread * torch.randn(LATENTS, 1, generator=made))
    biases = bias * torch.randn(LATENTS, generator=made)
    weights[::7], biases[::14] = 0, 0
    weights[5::50], biases[5::50] = weights[5].clone(), biases[5].clone()
    return weights, biases


def search(weights: torch.Tensor, biases: torch.Tensor, k: int, x: torch.Tensor) -> Greatest:
    narrowed = Narrowing(weights, biases, k)
    return narrowed.greatest(x, narrowed.room(len(x)))


def same(one: Greatest, other: Greatest) -> bool:
    kept = np.arange(one.latents.shape[1]) < one.counts[:, None]
    return (
        (one.counts == other.counts).all()
        and (one.latents[kept] == other.latents[kept]).all()
        and one.values[kept].tobytes() == other.values[kept].tobytes()
    )


@given(
    seed=st.integers(0, 2**31),
    spread=st.sampled_from([0.0, 0.3, 1.0]),
    bias=st.sampled_from([-3.0, 0.0, 0.1, 100.0]),
    mean=st.sampled_from([0.0, 30.0]),
    k=st.sampled_from([1, 5, 32]),
)
@settings(max_examples=60, deadline=None)
def test_no_latent_that_is_left_out_is_above_one_that_is_taken(
    seed: int, spread: float, bias: float, mean: float, k: int
) -> None:
    weights, biases = encoder(seed, spread, bias)
    x = torch.randn(9, WIDTH, generator=torch.Generator().manual_seed(seed + 1)) + mean
    x[0] = 0
    found = search(weights, biases, k, x)
    exact = (x.double() @ weights.T.double() + biases).numpy()
    size = (x.norm(dim=1)[:, None] * weights.norm(dim=1).max() + biases.abs().max()).numpy() + 1e-30
    for row, (latents, values, count) in enumerate(zip(*found, strict=True)):
        taken, sums = latents[:count].tolist(), exact[row]
        rounding = 1e-5 * float(size[row, 0])
        assert count <= k
        assert taken == sorted(set(taken))
        assert np.abs(sums[taken] - values[:count]).max(initial=0) < rounding
        assert (values[:count] > 0).all()
        others = np.delete(sums, taken)
        floor = values[:count].min() if count == k else 0.0
        assert others.max() < floor + rounding


def test_both_ways_and_any_number_of_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, biases = encoder(4, 0.5, 0.5)
    x = torch.randn(100, WIDTH, generator=torch.Generator().manual_seed(8))
    once = search(weights, biases, 8, x)
    assert once.counts.tolist() == [8] * 100
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert same(once, search(weights, biases, 8, x))
    finally:
        torch.set_num_threads(before)
    assert same(Greatest(once.latents[40:], once.values[40:], once.counts[40:]), search(weights, biases, 8, x[40:]))
    monkeypatch.setattr(narrowing, "MOST_MORE", 0)  # nothing may remain: all go by single precision
    assert same(once, search(weights, biases, 8, x))


def test_an_autoencoder_says_the_same_whichever_way_its_codes_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, biases = encoder(2, 0.2, 0.1)
    tensors = {
        "W_enc_md": weights,
        "b_enc_m": biases,
        "W_dec_md": weights,
        "b_dec_d": torch.linspace(-1, 1, WIDTH),
        "threshold_m": torch.zeros(LATENTS),
    }
    sae: Sae = make_sae(tensors, 6, {})
    x = torch.randn(50, WIDTH, generator=torch.Generator().manual_seed(3)).half()
    plain = sae.encode_sparse(x)
    monkeypatch.setattr(narrowing, "LEAST_LATENTS", 1)
    monkeypatch.setattr(narrowing, "fast", lambda: True)
    codes = replace(sae).encode_sparse(x)
    assert codes.rows.tolist() == plain.rows.tolist()
    different = codes.latents != plain.latents
    assert different.mean() < 0.05  # equal latents: either is right
    assert codes.values == pytest.approx(plain.values, rel=1e-5)
    assert [part.dtype for part in codes] == [part.dtype for part in plain]
    assert len(replace(sae).encode_sparse(x[:0]).rows) == 0
