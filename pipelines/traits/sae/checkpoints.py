"""Checkpoints: everything that training goes on from, so that it ends with the same bits as without a stop.

A checkpoint is ``00001000.safetensors`` and ``00001000.json``. The second is written last, with the first one's digest:
without it a checkpoint is not there.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from pipelines.traits.sae.saving import write_whole
from protocols.errors import InputError


class Checkpoint(NamedTuple):
    """What was written after ``step`` steps."""

    step: int
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def write(folder: Path, checkpoint: Checkpoint, *, keep: int) -> None:
    """Write a checkpoint and delete all but the last ``keep``.

    Raises:
        InputError: it cannot be written; earlier ones stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{checkpoint.step:08d}"
    content = save({key: tensor.detach().cpu().contiguous() for key, tensor in checkpoint.tensors.items()})
    told = {"step": checkpoint.step, "sha256": hashlib.sha256(content).hexdigest(), "numbers": checkpoint.numbers}
    write_whole(folder / f"{name}.safetensors", content)
    write_whole(folder / f"{name}.json", (json.dumps(told, sort_keys=True) + "\n").encode())
    for described in sorted(folder.glob("*.json"))[:-keep]:
        described.unlink()
    whole = {described.stem for described in folder.glob("*.json")}
    for weights in folder.glob("*.safetensors"):
        if weights.stem not in whole:
            weights.unlink()


def last(folder: Path) -> Checkpoint | None:
    """The last checkpoint that was written whole, ``None`` where there is none.

    Raises:
        InputError: its files are damaged.
    """
    found = sorted(folder.glob("*.json"))
    if not found:
        return None
    described = found[-1]
    weights = described.with_suffix(".safetensors")
    mend = f"Delete {described.name} and training goes on from the checkpoint before it, or from the start"
    try:
        told = json.loads(described.read_bytes())
        content = weights.read_bytes()
        if hashlib.sha256(content).hexdigest() != told["sha256"]:
            raise InputError(
                "the checkpoint is damaged: it has changed since it was written", where=str(weights), mend=mend
            )
        return Checkpoint(told["step"], load(content), told["numbers"])
    except FileNotFoundError as error:
        raise InputError("the checkpoint's weights are missing", where=str(weights), mend=mend) from error
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise InputError(f"the checkpoint is damaged: {error}", where=str(described), mend=mend) from error
