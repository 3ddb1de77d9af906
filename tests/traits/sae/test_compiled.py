"""The compiled step against the plain one, and that nothing is missing without numba."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from pipelines.traits.sae import (
    Auxiliary,
    BatchTopK,
    Schedule,
    TopK,
    TrainingConfig,
    Variant,
    compiled,
    objective,
    variants,
)
from pipelines.traits.sae.encoder import Encoder, Precision
from pipelines.traits.sae.objective import Batch
from pipelines.traits.sae.parameters import initial
from pipelines.traits.sae.selection import top_k
from pipelines.traits.sae.training import Training
from tests.traits.sae.reference import Planted

VARIANTS = [TopK(k=4), TopK(k=4, auxiliary=Auxiliary(weight=0.5, k=5)), BatchTopK(k=4)]
with_numba = pytest.mark.skipif(compiled.numba is None, reason="numba is not installed")


def trained(
    variant: Variant, precision: Precision, monkeypatch: pytest.MonkeyPatch, numba: object, threads: int = 1
) -> Training:
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "numba", numba)
        source = Planted()
        config = TrainingConfig(
            variant=variant, latents=96, precision=precision, schedule=Schedule(1e-3, 0), steps=30, dead_after=200
        )
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            with torch.no_grad():
                training = Training(config, source)
                for step in range(30):
                    training.advance(source.one(200, 0, step))
        finally:
            torch.set_num_threads(before)
        return training


@with_numba
@pytest.mark.parametrize(("precision", "rounding"), [("bfloat16", 2**-7), ("float32", 2**-18)])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_step_is_the_plain_one_to_rounding(
    variant: Variant, precision: Precision, rounding: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = initial(16, 96, torch.Generator().manual_seed(3))
    x, dead_m = Planted().one(300, 0, 0), torch.arange(96) < 10
    with torch.no_grad():
        fast = variants.step(variant, Batch(x, parameters, Encoder(parameters, precision), True, dead_m))
        monkeypatch.setattr(objective, "compiled", SimpleNamespace(usable=lambda _: False))
        plain = variants.step(variant, Batch(x, parameters, Encoder(parameters, precision), True, dead_m))
    for name, loss in plain.losses.items():
        torch.testing.assert_close(fast.losses[name], loss, rtol=rounding / 2, atol=1e-6)
    wanted = plain.gradients.whole(parameters).named()
    for name, gradient in fast.gradients.whole(parameters).named().items():
        assert float((gradient - wanted[name]).norm()) < rounding * float(wanted[name].norm()), name


@with_numba
@pytest.mark.parametrize(("precision", "most"), [("bfloat16", 0.15), ("float32", 0.01)])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_training_ends_as_without_numba(
    variant: Variant, precision: Precision, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = trained(variant, precision, monkeypatch, compiled.numba)
    plain = trained(variant, precision, monkeypatch, None)
    first = initial(16, 96, torch.Generator().manual_seed(0)).W_dec_md
    for name in ("W_dec_md", "W_enc_md"):
        mine, theirs = fast.parameters.named()[name], plain.parameters.named()[name]
        assert float((mine - theirs).norm()) < most * float((theirs - first).norm()), name
    torch.testing.assert_close(fast.parameters.W_dec_md.norm(dim=1), torch.ones(96))
    encoder_copy, decoder_copy = fast.encoder.copies() or ()
    if precision == "bfloat16":
        assert torch.equal(decoder_copy, fast.parameters.W_dec_md.bfloat16())
        assert torch.equal(encoder_copy[:, :16], fast.parameters.W_enc_md.bfloat16())
    else:
        assert len(encoder_copy) == len(decoder_copy) == 0


@with_numba
def test_bits_do_not_depend_on_the_threads_of_the_compiled_part() -> None:
    parameters = initial(16, 96, torch.Generator().manual_seed(3))
    pre = torch.randn(50, 512, generator=torch.Generator().manual_seed(1)).bfloat16()
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            values, latents = top_k(pre, 4)
            starts = torch.arange(0, 201, 4, dtype=torch.int32)
            target = Planted().one(50, 0, 0)
            errors = compiled.errors(
                starts,
                (latents.flatten() % 96).int(),
                values.flatten().float(),
                parameters.W_dec_md.bfloat16(),
                target,
                0.5,
            )
            found.append((values, latents, *errors))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(found[0], other, strict=True))
