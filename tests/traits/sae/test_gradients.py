"""Each variant's losses and gradients against dense autograd, and the sparse products against dense ones."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.sae import (
    Auxiliary,
    BatchTopK,
    JumpRelu,
    L0Penalty,
    Matryoshka,
    Relu,
    TanhPenalty,
    TopK,
    Variant,
    variants,
)
from pipelines.traits.sae.adam import Adam
from pipelines.traits.sae.encoder import Encoder
from pipelines.traits.sae.objective import Batch
from pipelines.traits.sae.parameters import Parameters, initial
from pipelines.traits.sae.selection import above, batch_top_k, top_k
from pipelines.traits.sae.support import Dense, Sparse
from tests.traits.sae.reference import Planted, losses

VARIANTS: list[Variant] = [
    Relu(l1=0.01),
    TopK(k=4),
    TopK(k=3, auxiliary=Auxiliary(weight=0.5, k=5)),
    TopK(k=3, auxiliary=Auxiliary(weight=0)),
    BatchTopK(k=4),
    BatchTopK(k=4, auxiliary=Auxiliary(weight=0.5, k=2)),
    JumpRelu(L0Penalty(0.02), bandwidth=0.3, threshold=0.2),
    JumpRelu(TanhPenalty(0.02, 3.0), bandwidth=0.3, threshold=0.2),
    JumpRelu(TanhPenalty(0.02, 3.0), bandwidth=0.6, threshold=0.2),
    Matryoshka(k=4, prefixes=(0.1, 0.5, 1.0)),
    Matryoshka(k=4, auxiliary=Auxiliary(weight=0.5, k=2)),
]


def learned(variant: Variant, dimensions: int = 16, latents: int = 96) -> Parameters:
    generator = torch.Generator().manual_seed(3)
    threshold = variant.threshold if isinstance(variant, JumpRelu) else None
    parameters = initial(dimensions, latents, generator, threshold=threshold)
    for name, tensor in parameters.named().items():
        noise = 0.1 * torch.randn(tensor.shape, generator=generator)
        setattr(parameters, name, (tensor + noise).double())
    return parameters


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("dead", [0, 4, 40])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_losses_and_gradients_are_those_of_dense_autograd(variant: Variant, dead: int, centred: bool) -> None:
    parameters = learned(variant)
    x = Planted().one(50, 0, 0).double()
    dead_m = torch.arange(parameters.latents) % 96 < dead
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in parameters.named().items()}
    wanted = losses(variant, leaves, x, dead_m, centred)
    sum(wanted.values(), torch.zeros(())).backward()
    with torch.no_grad():
        found = variants.step(variant, Batch(x, parameters, Encoder(parameters), centred, dead_m))
        gradients = found.gradients.whole(parameters).named()
    for name, loss in wanted.items():
        torch.testing.assert_close(found.losses[name], loss.detach(), rtol=1e-12, atol=1e-14)
    for name, leaf in leaves.items():
        assert leaf.grad is not None
        torch.testing.assert_close(gradients[name], leaf.grad, rtol=1e-10, atol=1e-13, msg=name)
    along = (gradients["W_dec_md"] * parameters.W_dec_md).sum(1)
    torch.testing.assert_close(found.gradients.along_m, along, rtol=1e-9, atol=1e-13)


def test_dense_and_sparse_supports_give_the_same_products() -> None:
    generator = torch.Generator().manual_seed(0)
    full = torch.randn(40, 64, generator=generator, dtype=torch.float64)
    A, W = torch.randn(40, 8, generator=generator).double(), torch.randn(64, 8, generator=generator).double()
    sparse, values = above(full, 2.0)
    assert isinstance(sparse, Sparse)
    dense, spread = Dense(64), torch.where(full > 2.0, full, 0)
    torch.testing.assert_close(sparse.decode(values, W), dense.decode(spread, W))
    torch.testing.assert_close(sparse.products(A, W), sparse.at(dense.products(A, W)))
    torch.testing.assert_close(sparse.sums(values), dense.sums(spread))
    assert torch.equal(sparse.firings(values), dense.firings(spread))
    for low, high in ((0, 64), (10, 11), (63, 64), (20, 40)):
        parts = [torch.full((high - low, 8), float("nan")).double() for _ in range(2)]
        sparse.gather(sparse.by_latent_values(values), A, low, high, parts[0])
        dense.gather(dense.by_latent_values(spread), A, low, high, parts[1])
        torch.testing.assert_close(parts[0], parts[1])


@settings(deadline=None)  # what is compiled is compiled once
@given(
    rows=st.integers(1, 20),
    columns=st.sampled_from([5, 64, 96, 200, 512]),
    k=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float64]),
    shift=st.sampled_from([0.0, -2.5, -10.0]),
)
def test_top_k_is_that_of_a_full_sort(
    rows: int, columns: int, k: int, seed: int, dtype: torch.dtype, shift: float
) -> None:
    pre = (torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) + shift).to(dtype)
    values, latents = top_k(pre, k)
    assert torch.equal(pre.gather(1, latents), values)
    assert all(len(set(row)) == k for row in latents.tolist())
    wanted = pre.sort(1, descending=True).values[:, :k].relu()
    assert torch.equal(values.relu().sort(1, descending=True).values, wanted)


@given(
    rows=st.integers(1, 200),
    columns=st.sampled_from([5, 64, 96]),
    count=st.integers(1, 400),
    seed=st.integers(0, 10_000),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float64]),
    shift=st.sampled_from([0.0, -2.5, -10.0]),
)
def test_batch_top_k_is_that_of_a_full_sort(
    rows: int, columns: int, count: int, seed: int, dtype: torch.dtype, shift: float
) -> None:
    pre = (torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) + shift).to(dtype)
    support, values = batch_top_k(pre, count)
    assert torch.equal(support.at(pre), values)
    every = pre.flatten().sort(descending=True).values[:count]
    assert torch.equal(values.sort(descending=True).values, every[every > 0])
    assert support.row_ptr[-1] == len(values)
    cells = support.rows_e * columns + support.latents_e
    assert len(set(cells.tolist())) == len(values)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_optimiser_is_dense_adam_between_projection_and_scaling(precision: str) -> None:
    variant = TopK(k=4)
    parameters = learned(variant)
    for name, tensor in parameters.named().items():
        setattr(parameters, name, tensor.float())
    parameters.W_dec_md /= parameters.W_dec_md.norm(dim=1, keepdim=True)
    mine, theirs = parameters, {name: tensor.clone() for name, tensor in parameters.named().items()}
    encoder = Encoder(mine, precision)  # type: ignore[arg-type]
    optimiser, reference = Adam(mine), torch.optim.Adam(theirs.values(), lr=1e-2, fused=False, foreach=False)
    source, nobody = Planted(), torch.zeros(96, dtype=torch.bool)
    with torch.no_grad():
        for step in range(5):
            outcome = variants.step(variant, Batch(source.one(30, 0, step), mine, encoder, True, nobody))
            given = outcome.gradients.whole(mine).named()
            given["W_dec_md"] -= (given["W_dec_md"] * theirs["W_dec_md"]).sum(1, keepdim=True) * theirs["W_dec_md"]
            for name, tensor in theirs.items():
                tensor.grad = given[name].clone()
            reference.step()
            theirs["W_dec_md"] /= theirs["W_dec_md"].norm(dim=1, keepdim=True)
            optimiser.step(outcome.gradients, 1e-2, encoder)
            for name, tensor in mine.named().items():
                torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-6)


def test_bfloat16_pre_activations_are_as_near_as_their_digits() -> None:
    parameters = learned(TopK())
    for name, tensor in parameters.named().items():
        setattr(parameters, name, tensor.float())
    parameters.b_enc_m += 3.0
    x = Planted().one(64, 0, 0)
    exact = Encoder(parameters).pre(x)
    rounded = Encoder(parameters, "bfloat16").pre(x)
    assert rounded.dtype is torch.bfloat16
    assert float((rounded.float() - exact).abs().max()) < 2**-7 * float(exact.abs().max())
