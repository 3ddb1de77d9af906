"""Settings of a training run, and their form as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.traits.sae.auxiliary import Auxiliary
from pipelines.traits.sae.batch_topk import BatchTopK
from pipelines.traits.sae.encoder import Precision
from pipelines.traits.sae.jumprelu import JumpRelu, L0Penalty, TanhPenalty
from pipelines.traits.sae.matryoshka import Matryoshka
from pipelines.traits.sae.relu import Relu
from pipelines.traits.sae.topk import TopK
from pipelines.traits.sae.variants import Variant
from protocols.errors import InputError

KINDS = {each.__name__: each for each in (Relu, TopK, BatchTopK, JumpRelu, Matryoshka)}
PARTS = {each.__name__: each for each in (*KINDS.values(), Auxiliary, L0Penalty, TanhPenalty)}


@dataclass(frozen=True)
class Schedule:
    """The learning rate: up from 0, constant, down to 0, in a straight line each.

    Attributes:
        rate: of the constant part.
        warm_up: steps.
        decay: steps at the end.
    """

    rate: float = 1e-3
    warm_up: int = 500
    decay: int = 0

    def at(self, step: int, steps: int) -> float:
        """Of one step, counted from 0, of ``steps``."""
        rising = min((step + 1) / self.warm_up, 1.0) if self.warm_up else 1.0
        falling = min((steps - step) / self.decay, 1.0) if self.decay else 1.0
        return self.rate * min(rising, falling)


@dataclass(frozen=True)
class Resampling:
    """Dead latents begin anew at activations that are badly reconstructed (Bricken et al. 2023, "Neuron Resampling").

    Attributes:
        every: steps.
        until: the last step at which it is done.
        encoder_scale: length of the new encoder row, of the mean length of the living ones'.
    """

    every: int = 2500
    until: int = 10_000
    encoder_scale: float = 0.2


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run.

    Attributes:
        variant: of sparse autoencoder.
        latents: how many; ``expansion`` times the dimensions where it is ``None``.
        expansion: latents to a dimension.
        steps: how many.
        batch: activations of a step.
        schedule: of the learning rate.
        betas: decay of Adam's moments.
        seed: of the first weights, the order of the activations and what is drawn in training.
        precision: of the encoder's product over all latents.
        scaled: bring activations to a root mean square of 1 by one number, which the finished weights contain.
        bias: where the decoder's bias begins: the geometric median or mean of a sample, or 0.
        bias_sample: activations in that sample.
        centred: subtract the decoder's bias before encoding.
        unit_rows: decoder rows have length 1.
        project: remove from the decoder's gradient what goes along its rows.
        dead_after: activations without firing after which a latent counts as dead.
        dense_above: share of activations in which a latent fires, above which it counts as dense.
        resampling: of dead latents, if any.
        metrics_every, checkpoint_every: steps.
        keep: checkpoints.
        device: to train on.
    """

    variant: Variant = field(default_factory=TopK)
    latents: int | None = None
    expansion: int = 16
    steps: int = 10_000
    batch: int = 4096
    schedule: Schedule = field(default_factory=Schedule)
    betas: tuple[float, float] = (0.9, 0.999)
    seed: int = 0
    precision: Precision = "float32"
    scaled: bool = True
    bias: Literal["geometric_median", "mean", "zero"] = "geometric_median"
    bias_sample: int = 16_384
    centred: bool = True
    unit_rows: bool = True
    project: bool = True
    dead_after: int = 1_000_000
    dense_above: float = 0.1
    resampling: Resampling | None = None
    metrics_every: int = 100
    checkpoint_every: int = 1000
    keep: int = 2
    device: str = "cpu"

    def of(self, dimensions: int) -> int:
        """How many latents for so many dimensions."""
        return self.latents or self.expansion * dimensions

    def check(self, dimensions: int) -> None:
        """Raise InputError where settings make no sense."""
        latents = self.of(dimensions)
        if min(self.steps, self.batch, latents, self.metrics_every, self.checkpoint_every, self.keep) < 1:
            raise InputError("steps, batch, latents, keep and both intervals must be at least 1")
        match self.variant:
            case TopK(k=k) | BatchTopK(k=k) | Matryoshka(k=k):
                if not 0 < k <= latents:
                    raise InputError(f"k is {k}, which is not from 1 to the {latents} latents")
            case JumpRelu(bandwidth=bandwidth, threshold=threshold):
                if bandwidth <= 0 or threshold <= 0:
                    raise InputError("the bandwidth and the first threshold of JumpReLU must be above 0")
        if isinstance(self.variant, Matryoshka):
            shares = self.variant.prefixes
            if not shares or shares[-1] != 1 or any(a >= b for a, b in zip((0.0, *shares), shares, strict=False)):
                raise InputError("the prefixes of Matryoshka must rise from above 0 to 1")


def published() -> TrainingConfig:
    """The published trait pipeline's settings (arXiv 2604.01619): ReLU and L1, 32 times the dimensions, nothing done
    about dead latents."""
    return TrainingConfig(
        variant=Relu(l1=4e-4),
        expansion=32,
        steps=100_000_000 // 16_384,
        batch=16_384,
        schedule=Schedule(rate=1e-3, warm_up=500),
        bias="mean",
        bias_sample=524_288,
        scaled=False,
    )


def to_json(config: Any) -> dict[str, Any]:
    """Settings as plain JSON; each dataclass says its kind."""
    found: dict[str, Any] = {}
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if dataclasses.is_dataclass(value):
            kind = {"kind": type(value).__name__} if type(value).__name__ in PARTS else {}
            value = kind | to_json(value)
        found[each.name] = list(value) if isinstance(value, tuple) else value
    return found


def from_json(told: Mapping[str, Any]) -> TrainingConfig:
    """The settings that :func:`to_json` wrote.

    Raises:
        InputError: they are not of this form.
    """
    try:
        values = {name: _value(value) for name, value in told.items()}
        values["schedule"] = Schedule(**told["schedule"])
        if told.get("resampling"):
            values["resampling"] = Resampling(**told["resampling"])
        return TrainingConfig(**values)
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"not the settings of a training run: {error}") from error


def _value(value: Any) -> Any:
    if isinstance(value, dict) and "kind" in value:
        rest = {name: _value(inner) for name, inner in value.items() if name != "kind"}
        return PARTS[value["kind"]](**rest)
    return tuple(value) if isinstance(value, list) else value
