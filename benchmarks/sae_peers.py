"""Training steps of a sparse autoencoder, by one library, in a process of its own.

The process is told on standard input, a line of JSON each time, to make a step, to judge or to end, and answers with a
line. So libraries that live in different environments are measured in turn, on the same data and from the same weights:
random unit decoder rows, the encoder their copy, biases zero. All use Adam at the same rate.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import resource
import sys
import time
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

RATE, K, L1 = 1e-3, 32, 4e-4
"""Learning rate, latents of an activation, and the published weight of the L1 penalty."""


class Made(NamedTuple):
    """A library's autoencoder: a step, and a reconstruction with what is active."""

    step: Callable[[Tensor], object]
    reconstruct: Callable[[Tensor], tuple[Tensor, Tensor]]


def weights(dimensions: int, latents: int) -> Tensor:
    """(m, d): the decoder to begin with."""
    W_md = torch.randn(latents, dimensions, generator=torch.Generator().manual_seed(0))
    return W_md / W_md.norm(dim=1, keepdim=True)


def _autocast(enabled: bool) -> contextlib.AbstractContextManager[object]:
    return torch.autocast("cpu", torch.bfloat16) if enabled else contextlib.nullcontext()


def saelens(dimensions: int, latents: int, autocast: bool = False) -> Made:
    """As ``SAETrainer`` does it (6.54), with clipped gradients, without logging."""
    from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig  # type: ignore[import-not-found]
    from sae_lens.saes.sae import TrainStepInput  # type: ignore[import-not-found]

    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=dimensions, d_sae=latents, k=K, apply_b_dec_to_input=True))
    W_md = weights(dimensions, latents)
    with torch.no_grad():
        sae.W_dec.copy_(W_md)
        sae.W_enc.copy_(W_md.T)
    optimiser = torch.optim.Adam(sae.parameters(), lr=RATE)
    nobody = torch.zeros(latents, dtype=torch.bool)

    def step(x_bd: Tensor) -> None:
        given = TrainStepInput(
            sae_in=x_bd, coefficients={}, dead_neuron_mask=nobody, n_training_steps=0, is_logging_step=False
        )
        with _autocast(autocast):
            out = sae.training_forward_pass(step_input=given)
            with torch.no_grad():
                fired = out.feature_acts.bool().float()
                fired.sum(-2).bool()
                fired.sum(0)
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    def reconstruct(x_bd: Tensor) -> tuple[Tensor, Tensor]:
        acts = sae.encode(x_bd)
        return sae.decode(acts), acts > 0

    return Made(step, reconstruct)


def saelens_bf16(dimensions: int, latents: int) -> Made:
    """With its option ``autocast``."""
    return saelens(dimensions, latents, autocast=True)


def sparsify(dimensions: int, latents: int, autocast: bool = False) -> Made:
    """As ``SaeTrainer`` of eai-sparsify does it (1.3.3), with Adam."""
    from sparsify import SparseCoder, SparseCoderConfig  # type: ignore[import-not-found]

    sae = SparseCoder(dimensions, SparseCoderConfig(num_latents=latents, k=K))
    W_md = weights(dimensions, latents)
    with torch.no_grad():
        sae.W_dec.copy_(W_md)
        sae.encoder.weight.copy_(W_md)
        sae.encoder.bias.zero_()
    optimiser = torch.optim.Adam(sae.parameters(), lr=RATE)

    def step(x_bd: Tensor) -> None:
        sae.set_decoder_norm_to_unit_norm()
        with _autocast(autocast):
            fvu = sae(x_bd, dead_mask=None).fvu
        fvu.backward()
        sae.remove_gradient_parallel_to_decoder_directions()
        optimiser.step()
        optimiser.zero_grad()

    def reconstruct(x_bd: Tensor) -> tuple[Tensor, Tensor]:
        acts, latents_bk, _ = sae.encode(x_bd)
        fired = torch.zeros(len(x_bd), latents, dtype=torch.bool).scatter_(1, latents_bk, acts > 0)
        return sae.decode(acts, latents_bk), fired

    return Made(step, reconstruct)


def sparsify_bf16(dimensions: int, latents: int) -> Made:
    """With its forward pass in bfloat16, as it has it on CUDA where that can."""
    return sparsify(dimensions, latents, autocast=True)


def overcomplete(dimensions: int, latents: int) -> Made:
    """Its TopK autoencoder with a linear encoder, trained as its ``train_sae`` does (0.3.0)."""
    package = types.ModuleType("overcomplete")  # its own __init__ wants torchvision, which its autoencoders do not
    (found,) = importlib.util.find_spec("overcomplete").submodule_search_locations  # type: ignore[union-attr, misc]
    package.__path__ = [found]
    sys.modules["overcomplete"] = package
    from overcomplete.sae import TopKSAE  # type: ignore[import-not-found]

    sae = TopKSAE(dimensions, nb_concepts=latents, top_k=K, device="cpu")
    W_md = weights(dimensions, latents)
    with torch.no_grad():
        sae.dictionary._weights.copy_(W_md)
        for module in sae.encoder.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.copy_(W_md)
                module.bias.zero_()
    optimiser = torch.optim.Adam(sae.parameters(), lr=RATE)

    def step(x_bd: Tensor) -> None:
        optimiser.zero_grad()
        _, _, x_hat = sae(x_bd)
        (x_hat - x_bd).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
        optimiser.step()

    def reconstruct(x_bd: Tensor) -> tuple[Tensor, Tensor]:
        _, acts, x_hat = sae(x_bd)
        return x_hat, acts > 0

    return Made(step, reconstruct)


def _plain(dimensions: int, latents: int, activate: Callable[[Tensor], Tensor], l1: float) -> Made:
    W_md = weights(dimensions, latents)
    W_enc, W_dec = W_md.clone().requires_grad_(), W_md.clone().requires_grad_()
    b_enc, b_dec = torch.zeros(latents, requires_grad=True), torch.zeros(dimensions, requires_grad=True)
    optimiser = torch.optim.Adam([W_enc, b_enc, W_dec, b_dec], lr=RATE, fused=True)

    def forward(x_bd: Tensor) -> tuple[Tensor, Tensor]:
        acts = activate(torch.nn.functional.linear(x_bd - b_dec, W_enc, b_enc))
        return acts @ W_dec + b_dec, acts

    def step(x_bd: Tensor) -> None:
        x_hat, acts = forward(x_bd)
        loss = (x_hat - x_bd).square().mean()
        (loss + l1 * acts.sum(1).mean() if l1 else loss).backward()
        with torch.no_grad():
            assert W_dec.grad is not None
            W_dec.grad.sub_((W_dec.grad * W_dec).sum(1, keepdim=True) * W_dec)
            optimiser.step()
            W_dec.div_(W_dec.norm(dim=1, keepdim=True))
        optimiser.zero_grad()

    def reconstruct(x_bd: Tensor) -> tuple[Tensor, Tensor]:
        x_hat, acts = forward(x_bd)
        return x_hat, acts > 0

    return Made(step, reconstruct)


def dense(dimensions: int, latents: int) -> Made:
    """TopK by whole matrices and autograd, in plain PyTorch."""

    def activate(pre: Tensor) -> Tensor:
        values, places = pre.topk(K, sorted=False)
        return torch.zeros_like(pre).scatter(1, places, values.relu())

    return _plain(dimensions, latents, activate, 0.0)


def published(dimensions: int, latents: int) -> Made:
    """The published pipeline's step, ReLU and L1, in plain PyTorch."""
    return _plain(dimensions, latents, torch.relu, L1)


def _own(variant: Any, precision: Any, dimensions: int, latents: int) -> Made:
    from pipelines.traits.sae import Schedule, TrainingConfig
    from pipelines.traits.sae.training import Training

    class Unread:  # a step is given its data by the benchmark: nothing is read from a source
        def __init__(self) -> None:
            self.dimensions = dimensions

        def batches(self, size: int, seed: int, start: int = 0) -> Any:
            raise NotImplementedError

    config = TrainingConfig(
        variant=variant,
        latents=latents,
        precision=precision,
        schedule=Schedule(RATE, 0),
        scaled=False,
        bias="zero",
        steps=1 << 40,
    )
    training = Training(config, Unread())

    def step(x_bd: Tensor) -> None:
        with torch.no_grad():
            training.advance(x_bd)

    def reconstruct(x_bd: Tensor) -> tuple[Tensor, Tensor]:
        sae = training.sae()
        acts = sae.encode(x_bd)
        return sae.decode(acts), acts > 0

    return Made(step, reconstruct)


def ours(dimensions: int, latents: int) -> Made:
    """TopK, single precision."""
    from pipelines.traits.sae import TopK

    return _own(TopK(k=K), "float32", dimensions, latents)


def ours_bf16(dimensions: int, latents: int) -> Made:
    """TopK with the encoder's product in bfloat16."""
    from pipelines.traits.sae import TopK

    return _own(TopK(k=K), "bfloat16", dimensions, latents)


def ours_published(dimensions: int, latents: int) -> Made:
    """The published pipeline's variant by the training core."""
    from pipelines.traits.sae import Relu

    return _own(Relu(L1), "float32", dimensions, latents)


def _limit(dtype: torch.dtype, dimensions: int, latents: int) -> Made:
    W_md = weights(dimensions, latents).to(dtype)
    out = torch.empty(0, dtype=dtype)

    def step(x_bd: Tensor) -> None:
        nonlocal out
        if len(out) != len(x_bd):
            out = torch.empty(len(x_bd), latents, dtype=dtype)
        torch.mm(x_bd.to(dtype), W_md.T, out=out)

    return Made(step, lambda x_bd: (x_bd, x_bd > 0))


def limit(dimensions: int, latents: int) -> Made:
    """The encoder's product alone, single precision."""
    return _limit(torch.float32, dimensions, latents)


def limit_bf16(dimensions: int, latents: int) -> Made:
    """The encoder's product alone, bfloat16."""
    return _limit(torch.bfloat16, dimensions, latents)


MAKERS = {
    each.__name__: each
    for each in (
        limit,
        limit_bf16,
        ours,
        ours_bf16,
        ours_published,
        dense,
        published,
        saelens,
        saelens_bf16,
        sparsify,
        sparsify_bf16,
        overcomplete,
    )
}


def stages(made: Made, x_bd: Tensor) -> dict[str, float]:
    """Seconds of each stage of our step."""
    from pipelines.traits.sae import adam, compiled, encoder, gradients, support, topk

    spent: dict[str, float] = {}

    def timed(owner: Any, name: str, stage: str) -> None:
        inner = getattr(owner, name)

        def outer(*args: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return inner(*args, **named)
            finally:
                spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - start

        setattr(owner, name, outer)

    timed(encoder.Encoder, "pre", "encoder product")
    timed(topk, "top_k", "top-k")
    timed(support.Sparse, "decode", "decode")
    timed(support.Sparse, "products", "gradient of the codes")
    timed(compiled, "errors", "decode and gradient of the codes")
    timed(compiled, "move", "gradients of the weights, Adam, unit rows, bfloat16 copies")
    timed(gradients.Product, "rows", "gradients of the weights")
    timed(adam.Adam, "_move", "Adam")
    timed(adam, "normalise", "unit rows")
    timed(encoder.Encoder, "refresh", "bfloat16 copy")
    start = time.perf_counter()
    made.step(x_bd)
    whole = time.perf_counter() - start
    return spent | {"the rest": whole - sum(spent.values())}


@torch.no_grad()
def judge(made: Made, x_bd: Tensor) -> dict[str, float]:
    """FVU of held-out activations, and the share of latents that are active in none of them."""
    left, fired = 0.0, torch.zeros(())
    for part in torch.split(x_bd, 1024):  # type: ignore[no-untyped-call]
        x_hat, active = made.reconstruct(part)
        left += float((x_hat - part).square().sum())
        fired = fired + active.sum(0)
    return {
        "fvu": left / float((x_bd - x_bd.mean(0)).square().sum()),
        "dead": float((fired == 0).float().mean()),
    }


def main() -> None:
    """Serve one library."""
    name, data, dimensions, latents, batch, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    torch.set_num_threads(threads)
    answers, sys.stdout = sys.stdout, sys.stderr
    x_nd = torch.from_numpy(np.load(data, mmap_mode="c"))
    held, taught = x_nd[:batch], x_nd[batch:]
    made = MAKERS[name](dimensions, latents)
    at = 0
    print(json.dumps({"ready": name}), file=answers, flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        if told == "judge":
            answer = judge(made, held)
        elif told == "stages":
            answer = stages(made, taught[:batch])
        else:
            x_bd = taught[at : at + batch].clone()
            at = (at + batch) % (len(taught) - batch + 1)
            start = time.perf_counter()
            made.step(x_bd)
            answer = {"seconds": time.perf_counter() - start}
        answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
