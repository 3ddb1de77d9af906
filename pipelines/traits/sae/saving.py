"""A trained autoencoder as files: ``sae.safetensors``, and ``sae.json``, which is written last and makes it whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rfc8785
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from pipelines.traits.sae.model import Sae
from protocols.errors import InputError

FORMAT = 1
TENSORS = ("W_enc_md", "b_enc_m", "W_dec_md", "b_dec_d", "threshold_m")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, also when the machine stops in between.

    Raises:
        InputError: it cannot be written: the disk is full, or nothing may be written there.
    """
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        beside.unlink(missing_ok=True)
        mend = "Make room or choose another folder; what was written before is whole, and training goes on from it"
        raise InputError(f"cannot be written: {error.strerror}", where=str(path), mend=mend) from error


def identity_of(tensors: Mapping[str, Tensor], k: int | None) -> str:
    """32 hexadecimal digits of weights and rule."""
    digest = hashlib.sha256(rfc8785.dumps({"k": k, "shapes": {name: list(t.shape) for name, t in tensors.items()}}))
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def make_sae(tensors: Mapping[str, Tensor], k: int | None, about: Mapping[str, Any]) -> Sae:
    """An autoencoder of these weights."""
    kept = {name: tensors[name].detach().float().contiguous() for name in TENSORS}
    return Sae(**kept, k=k, identity=identity_of(kept, k), about=dict(about))


def save_sae(sae: Sae, folder: Path) -> None:
    """Write an autoencoder into a folder.

    Raises:
        InputError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: getattr(sae, name).cpu().contiguous() for name in TENSORS})
    told = {
        "format": FORMAT,
        "identity": sae.identity,
        "k": sae.k,
        "latents": sae.latents,
        "dimensions": sae.dimensions,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "about": dict(sae.about),
    }
    write_whole(folder / "sae.safetensors", weights)
    write_whole(folder / "sae.json", (json.dumps(told, indent=2, sort_keys=True) + "\n").encode())


def load_saved(folder: Path, *, device: str = "cpu") -> Sae:
    """Read what :func:`save_sae` wrote.

    Raises:
        InputError: a file is missing, damaged or of another format.
    """
    described = folder / "sae.json"
    mend = "Train it again, or take a whole copy"
    try:
        told = json.loads(described.read_bytes())
        weights = (folder / "sae.safetensors").read_bytes()
        if told["format"] != FORMAT:
            raise InputError(f"is of format {told['format']}, not {FORMAT}", where=str(described))
        if hashlib.sha256(weights).hexdigest() != told["sha256"]:
            raise InputError("the weights are not those that sae.json describes", where=str(folder), mend=mend)
        tensors = {name: tensor.to(device) for name, tensor in load(weights).items()}
        sae = make_sae(tensors, told["k"], told["about"])
    except FileNotFoundError as error:
        raise InputError("there is no finished autoencoder", where=str(error.filename), mend=mend) from error
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise InputError(f"is damaged: {error}", where=str(folder), mend=mend) from error
    if sae.identity != told["identity"]:
        raise InputError("the weights are not those that sae.json describes", where=str(folder), mend=mend)
    return sae


def to_device(sae: Sae, device: str) -> Sae:
    """The same on another device."""
    tensors = {name: getattr(sae, name).to(device) for name in TENSORS}
    return Sae(**tensors, k=sae.k, identity=sae.identity, about=sae.about)
