"""Training, resumable at any moment with the same bits as an uninterrupted run.

A run's folder holds ``training.json`` (settings and what it is trained on), ``checkpoints/``, ``metrics.jsonl`` and, at
the end, ``sae.safetensors``, ``curves.svg`` and ``sae.json``, which makes it whole. Nothing in them depends on when or
how often training was stopped. The same bits need the same machine, torch and number of threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from pipelines.traits.sae import checkpoints, variants
from pipelines.traits.sae.adam import Adam
from pipelines.traits.sae.batch_topk import BatchTopK
from pipelines.traits.sae.checkpoints import Checkpoint
from pipelines.traits.sae.config import TrainingConfig, to_json
from pipelines.traits.sae.curves import draw_curves
from pipelines.traits.sae.encoder import Encoder
from pipelines.traits.sae.jumprelu import JumpRelu
from pipelines.traits.sae.matryoshka import Matryoshka
from pipelines.traits.sae.median import geometric_median
from pipelines.traits.sae.metrics import Replacement, Window, explained, loss_recovered
from pipelines.traits.sae.model import Sae
from pipelines.traits.sae.objective import Batch, Outcome
from pipelines.traits.sae.parameters import initial
from pipelines.traits.sae.resampling import resample
from pipelines.traits.sae.saving import load_saved, make_sae, save_sae, write_whole
from pipelines.traits.sae.topk import TopK
from protocols.errors import InputError


class Source(Protocol):
    """Activations to train on."""

    @property
    def dimensions(self) -> int:
        """Of an activation."""

    def batches(self, size: int, seed: int, start: int = 0) -> Iterator[Tensor]:
        """Endless shuffled (size, d) float32 batches, from the ``start``-th on; the same for the same seed."""


Progress = Callable[[int, dict[str, Any]], None]
"""Told the steps done and the last metrics, each time metrics are measured."""


class Training:
    """The state of a run.

    Args:
        config: settings.
        source: activations.
        checkpoint: to go on from; without one, scale and first bias are drawn from the source.
    """

    def __init__(self, config: TrainingConfig, source: Source, checkpoint: Checkpoint | None = None) -> None:
        self.config = config
        self.dimensions, self.latents = source.dimensions, config.of(source.dimensions)
        generator = torch.Generator().manual_seed(config.seed)
        threshold = config.variant.threshold if isinstance(config.variant, JumpRelu) else None
        self.parameters = initial(self.dimensions, self.latents, generator, threshold=threshold)
        for name, tensor in self.parameters.named().items():
            setattr(self.parameters, name, tensor.to(config.device))
        beta1, beta2 = config.betas
        self.optimiser = Adam(
            self.parameters, beta1=beta1, beta2=beta2, unit_rows=config.unit_rows, project=config.project
        )
        self.generator = generator
        self.window = Window(self.latents, config.device)
        self.silent_m = torch.zeros(self.latents, dtype=torch.int64, device=config.device)
        self.threshold: float | None = None
        self.resampled = 0
        self.scale = 1.0
        if checkpoint is None:
            self._begin(source)
        else:
            self._restore(checkpoint)
        self.encoder = Encoder(self.parameters, config.precision)

    @property
    def step(self) -> int:
        """How many were made."""
        return self.optimiser.steps

    @property
    def dead_m(self) -> Tensor:
        """(m,) bool: which latents have not fired for long."""
        return self.silent_m >= self.config.dead_after

    def _begin(self, source: Source) -> None:
        """Scale and first bias, from a sample."""
        config = self.config
        if not config.scaled and config.bias == "zero":
            return
        taken, count = [], 0
        for batch in source.batches(config.batch, config.seed):
            taken.append(batch)
            count += len(batch)
            if count >= config.bias_sample:
                break
        sample = torch.cat(taken)[: config.bias_sample].float()
        if config.scaled:
            size = float(sample.double().square().mean().sqrt())
            if not 0 < size < float("inf"):
                raise InputError("the activations are all zero or not all finite", mend="Extract the features again")
            self.scale = 1 / size
            sample = sample * self.scale
        if config.bias == "geometric_median":
            self.parameters.b_dec_d.copy_(geometric_median(sample))
        elif config.bias == "mean":
            self.parameters.b_dec_d.copy_(sample.mean(0))

    def advance(self, x_bd: Tensor) -> Outcome:
        """One step."""
        config, step = self.config, self.step
        if x_bd.shape[1:] != (self.dimensions,):
            raise InputError(f"activations have {x_bd.shape[1]} dimensions, not {self.dimensions}")
        x_bd = x_bd.to(config.device, torch.float32)
        if self.scale != 1:
            x_bd = x_bd * self.scale
        batch = Batch(x_bd, self.parameters, self.encoder, config.centred, self.dead_m)
        outcome = variants.step(config.variant, batch)
        self.optimiser.step(outcome.gradients, config.schedule.at(step, config.steps), self.encoder)
        self.silent_m.add_(len(x_bd)).masked_fill_(outcome.firings_m > 0, 0)
        if outcome.threshold is not None and isinstance(config.variant, BatchTopK | Matryoshka):
            least, rate = float(outcome.threshold), config.variant.threshold_rate
            self.threshold = least if self.threshold is None else self.threshold + rate * (least - self.threshold)
        self.window.add(outcome)
        self._resample(x_bd, outcome)
        return outcome

    def _resample(self, x_bd: Tensor, outcome: Outcome) -> None:
        settings = self.config.resampling
        if settings is None or self.step > settings.until or self.step % settings.every:
            return
        dead_m = self.dead_m
        self.resampled += resample(
            settings, self.parameters, self.optimiser, dead_m, x_bd, outcome.residual_bd, self.generator
        )
        self.silent_m[dead_m] = 0
        self.encoder.refresh()

    def measured(self, x_bd: Tensor, outcome: Outcome) -> dict[str, Any]:
        """A line of metrics, of the last step and of the steps since the last line.

        Raises:
            InputError: the loss is no longer finite.
        """
        losses = {name: float(value) for name, value in outcome.losses.items()}
        line: dict[str, Any] = {"step": self.step, "loss": sum(losses.values()), **losses}
        line |= explained(x_bd.to(outcome.residual_bd) * self.scale, outcome.residual_bd)
        line |= self.window.told(self.config.dense_above)
        if not float("-inf") < line["loss"] < float("inf"):
            mend = "Use a lower learning rate or longer warm-up, and check that the activations are finite"
            raise InputError(f"training has diverged: the loss is {line['loss']} at step {self.step}", mend=mend)
        line["dead_fraction"] = float(self.dead_m.double().mean())
        line["learning_rate"] = self.config.schedule.at(self.step - 1, self.config.steps)
        if self.config.resampling:
            line["resampled"] = self.resampled
        self.window.clear()
        return line

    def checkpoint(self) -> Checkpoint:
        """Everything that training goes on from."""
        tensors = {f"parameters.{name}": tensor for name, tensor in self.parameters.named().items()}
        tensors |= {f"first.{name}": tensor for name, tensor in self.optimiser.first.named().items()}
        tensors |= {f"second.{name}": tensor for name, tensor in self.optimiser.second.named().items()}
        tensors |= {f"window.{name}": tensor for name, tensor in self.window.sums.items()}
        tensors |= {"silent_m": self.silent_m, "generator": self.generator.get_state()}
        numbers = {"threshold": self.threshold, "scale": self.scale, "resampled": self.resampled}
        return Checkpoint(self.step, tensors, numbers)

    def _restore(self, checkpoint: Checkpoint) -> None:
        kept = checkpoint.tensors
        try:
            for prefix, mine in (
                ("parameters", self.parameters.named()),
                ("first", self.optimiser.first.named()),
                ("second", self.optimiser.second.named()),
                ("window", self.window.sums),
                ("", {"silent_m": self.silent_m}),
            ):
                for name, tensor in mine.items():
                    tensor.copy_(kept[f"{prefix}.{name}".lstrip(".")])
            self.generator.set_state(kept["generator"])
            self.optimiser.steps = checkpoint.step
            self.threshold = checkpoint.numbers["threshold"]
            self.scale, self.resampled = checkpoint.numbers["scale"], checkpoint.numbers["resampled"]
        except (KeyError, RuntimeError) as error:
            raise InputError(f"the checkpoint is of another model: {error}", mend="Choose another folder") from error

    def sae(self) -> Sae:
        """What has been learned so far, for activations as they come: scale and centring are in the weights."""
        own, scale = self.parameters, self.scale
        log_threshold_m, variant = own.log_threshold_m, self.config.variant
        threshold_m = torch.full_like(own.b_enc_m, self.threshold or 0.0)
        if log_threshold_m is not None:
            threshold_m = log_threshold_m.exp()
        b_enc_m = own.b_enc_m if self.config.centred else own.b_enc_m + own.W_enc_md @ own.b_dec_d
        tensors = {
            "W_enc_md": own.W_enc_md * scale,
            "b_enc_m": b_enc_m,
            "W_dec_md": own.W_dec_md / scale,
            "b_dec_d": own.b_dec_d / scale,
            "threshold_m": threshold_m,
        }
        k = variant.k if isinstance(variant, TopK) else None
        return make_sae(tensors, k, {"training": to_json(self.config), "steps": self.step})


@torch.no_grad()
def train(
    config: TrainingConfig,
    activations: Source,
    folder: Path,
    *,
    progress: Progress | None = None,
    run_model: Callable[[Replacement], float] | None = None,
) -> Sae:
    """Train, or go on from the last checkpoint in ``folder``, or read what is finished there.

    Args:
        config: settings.
        activations: to train on.
        folder: of the run.
        progress: told at each line of metrics.
        run_model: the loss of the model that the activations are of, with what is given in their place
            (:func:`pipelines.traits.sae.metrics.loss_recovered`); without it that metric is left out.

    Raises:
        InputError: the folder is of another run, a checkpoint is damaged, the disk is full, settings make no sense or
            training has diverged.
    """
    config.check(activations.dimensions)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(config, activations, folder)
    if (folder / "sae.json").exists():
        return load_saved(folder, device=config.device)
    begun = checkpoints.last(folder / "checkpoints")
    training = Training(config, activations, begun)
    lines = _lines(folder / "metrics.jsonl", training.step)
    batches = activations.batches(config.batch, config.seed, training.step)
    while training.step < config.steps:
        x_bd = next(batches)
        outcome = training.advance(x_bd)
        if training.step % config.metrics_every == 0 or training.step == config.steps:
            line = training.measured(x_bd, outcome)
            if run_model is not None:
                line["loss_recovered"] = _recovered(run_model, training.sae())
            lines.append(json.dumps(line, sort_keys=True))
            with (folder / "metrics.jsonl").open("a") as file:
                file.write(lines[-1] + "\n")
            if progress is not None:
                progress(training.step, line)
        if training.step % config.checkpoint_every == 0 and training.step < config.steps:
            checkpoints.write(folder / "checkpoints", training.checkpoint(), keep=config.keep)
    finished = training.sae()
    write_whole(folder / "metrics.jsonl", "".join(line + "\n" for line in lines).encode())
    write_whole(folder / "curves.svg", draw_curves([json.loads(line) for line in lines]).encode())
    save_sae(finished, folder)
    return finished


def _recovered(run_model: Callable[[Replacement], float], sae: Sae) -> float:
    return loss_recovered(run_model, lambda x_nd: sae.decode(sae.encode(x_nd)))


def _claim(config: TrainingConfig, activations: Source, folder: Path) -> None:
    """Say in the folder what is trained there, or see that it is this."""
    mine = {"settings": to_json(config), "dimensions": activations.dimensions}
    mine["activations"] = getattr(activations, "identity", None)
    claim = folder / "training.json"
    if not claim.exists():
        write_whole(claim, (json.dumps(mine, indent=2, sort_keys=True) + "\n").encode())
        return
    try:
        there = json.loads(claim.read_bytes())
        settings = there["settings"] | {key: there[key] for key in ("dimensions", "activations")}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"is damaged: {error}", where=str(claim), mend="Choose another folder") from error
    wanted = json.loads(json.dumps(mine["settings"])) | {key: mine[key] for key in ("dimensions", "activations")}
    differing = sorted(key for key in wanted.keys() | settings.keys() if wanted.get(key) != settings.get(key))
    if differing:
        raise InputError(
            f"another autoencoder is trained there: {', '.join(differing)} differ",
            where=str(folder),
            mend="Choose another folder, or train with the settings in training.json",
        )


def _lines(path: Path, step: int) -> list[str]:
    """The lines of metrics up to a step; later ones, from before a stop, are cut off the file."""
    if not path.exists():
        return []
    kept = []
    for line in path.read_text().splitlines():
        try:
            if json.loads(line)["step"] > step:
                break
        except (ValueError, KeyError, TypeError):  # half a line: the machine stopped while it was written
            break
        kept.append(line)
    write_whole(path, "".join(line + "\n" for line in kept).encode())
    return kept
