"""Sparse autoencoders to be compared: their settings, their training on patches in memory, and the ablation."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from benchmarks.trait_rivals import Floats
from benchmarks.trait_scores import judge
from benchmarks.trait_sets import PatchSet
from pipelines.traits.codes import Codes
from pipelines.traits.features import descriptors
from pipelines.traits.features.embedded import PATCH
from pipelines.traits.sae import (
    BatchTopK,
    JumpRelu,
    Matryoshka,
    Relu,
    Sae,
    Schedule,
    TanhPenalty,
    TopK,
    TrainingConfig,
    Variant,
    train,
)

console = Console()


@dataclass(frozen=True)
class Setting:
    """One sparse autoencoder: name of its variant, latents to a dimension, latents of a patch, steps of training."""

    variant: str = "TopK"
    expansion: int = 8
    k: int = 32
    steps: int = 600

    def config(self) -> TrainingConfig:
        """As the training core wants it."""
        variants: dict[str, Variant] = {
            "TopK": TopK(k=self.k),
            "BatchTopK": BatchTopK(k=self.k),
            "Matryoshka": Matryoshka(k=self.k),
            "Relu": Relu(l1=4e-4),
            "JumpRelu": JumpRelu(penalty=TanhPenalty(weight=4e-4)),
        }
        return TrainingConfig(
            variant=variants[self.variant],
            expansion=self.expansion,
            steps=self.steps,
            batch=1024,
            schedule=Schedule(rate=1e-3, warm_up=self.steps // 12, decay=self.steps // 4),
            bias_sample=4096,
            dead_after=150 * 1024,
            metrics_every=self.steps,
            checkpoint_every=self.steps,
        )

    @property
    def name(self) -> str:
        """For the table."""
        width = f"{self.variant} x{self.expansion}"
        return f"{width} k={self.k}" if "TopK" in self.variant or self.variant == "Matryoshka" else width


class Rows:
    """Activations in memory as a source of training."""

    def __init__(self, activations: Floats) -> None:
        self._activations = torch.from_numpy(activations)
        self.dimensions = activations.shape[1]
        self.identity = hashlib.sha256(activations.data).hexdigest()

    def batches(self, size: int, seed: int, start: int = 0) -> Any:
        """Endless random batches (size, d)."""
        step = start
        while True:
            rng = torch.Generator().manual_seed(seed * 1_000_003 + step)
            yield self._activations[torch.randint(len(self._activations), (size,), generator=rng)]
            step += 1


def learned(data: PatchSet, setting: Setting, work: Path) -> Sae:
    """Train a sparse autoencoder on all patches of a set: no label is looked at."""
    return train(setting.config(), Rows(data.activations), work / "sae" / data.name / setting.name.replace(" ", "-"))


def coded(data: PatchSet, sae: Sae) -> Codes:
    """Codes of all patches."""
    return sae.encode_sparse(torch.from_numpy(data.activations))


def settings_to_try(*, quick: bool) -> list[Setting]:
    """Each setting changes one thing."""
    base = Setting(steps=80 if quick else 600)
    tries = [base, *(replace(base, k=k) for k in (16, 64)), *(replace(base, expansion=x) for x in (4, 16))]
    tries += [replace(base, variant=name) for name in ("BatchTopK", "Matryoshka", "Relu", "JumpRelu")]
    return [base, tries[-3]] if quick else tries


def ablation(data: PatchSet, work: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Measures within the choosing half, by setting."""
    return [asdict(setting) | _inner(data, setting, work) for setting in settings_to_try(quick=quick)]


def _inner(data: PatchSet, setting: Setting, work: Path) -> dict[str, Any]:
    start = time.perf_counter()
    sae = learned(data, setting, work)
    trained = time.perf_counter() - start
    scores = judge(data, coded(data, sae), sae.latents, inner=True, regions=False)
    console.print(f"{data.name}, {setting.name}: part mAP {scores.map_parts:.3f}, trained in {trained:.0f} s")
    return {"name": setting.name, "train_s": round(trained, 1)} | scores.figures()


def by_threshold(
    data: PatchSet, codes: Codes, latents: int, shares: Sequence[float]
) -> dict[str, dict[str, float | None]]:
    """Measures within the choosing half when what is below a share of each latent's 99.9th percentile is cut."""
    tops = np.zeros(latents, np.float32)
    order = np.lexsort((codes.values, codes.latents))
    ends = np.searchsorted(codes.latents[order], np.arange(latents + 1))
    for latent in np.flatnonzero(np.diff(ends)):
        mine = codes.values[order[ends[latent] : ends[latent + 1]]]
        tops[latent] = mine[int(0.999 * (len(mine) - 1))]
    found: dict[str, dict[str, float | None]] = {}
    for share in shares:
        kept = codes.values >= share * tops[codes.latents]
        found[f"{share:g} of a latent's own peak"] = _cut(data, codes, latents, kept)
    found["0.9 for all (published)"] = _cut(data, codes, latents, codes.values > 0.9)
    return found


def _cut(data: PatchSet, codes: Codes, latents: int, kept: Any) -> dict[str, float | None]:
    cut = Codes(codes.rows[kept], codes.latents[kept], codes.values[kept])
    return judge(data, cut, latents, inner=True, regions=False).figures()


def by_feature(data: PatchSet, setting: Setting, work: Path) -> dict[str, dict[str, Any]]:
    """Measures within the choosing half without one group of the embedded backbone's features.

    It has no layers; its groups and scales are what can be left out.
    """
    groups = descriptors.groups(np.zeros((2 * PATCH, 2 * PATCH, 3), np.float32), PATCH)
    sizes = [group.reshape(4, -1).shape[1] for group in groups.values()]
    owner = np.repeat(np.array(list(groups)), sizes)
    found = {}
    for name in groups:
        without = f"without {name}"
        less = replace(
            data,
            name=f"{data.name} {without}".replace(" ", "-"),
            activations=np.ascontiguousarray(data.activations[:, owner != name]),
        )
        found[without] = {"dimensions": int((owner != name).sum())} | _inner(less, setting, work)
    return found
