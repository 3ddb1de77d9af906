"""Reading autoencoders: our own, and those trained with ``saev`` and with SAELens.

Foreign weights are folded into our form, in which decoder bias is subtracted before encoding and a latent's value is
its pre-activation: the same latents fire with the same values, and the reconstruction is the same to rounding. One
difference is left: where fewer than ``k`` pre-activations of a TopK are above zero, ``saev`` keeps negative ones.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pipelines.traits.sae.model import Sae
from pipelines.traits.sae.saving import load_saved, make_sae, to_device
from protocols.errors import InputError

LAST_SAEV_SCHEMA = 5


def load_sae(path: Path, *, device: str = "cpu") -> Sae:
    """Read an autoencoder.

    Args:
        path: a folder of ours (``sae.json``), a folder of SAELens (``cfg.json``, ``sae_weights.safetensors``), or a
            file of ``saev`` (``sae.pt``) or a folder with one.
        device: where the weights go.

    Raises:
        InputError: there is none, it is damaged, or of a kind that has no equal here.
    """
    path = Path(path)
    if (path / "cfg.json").is_file():
        return to_device(_saelens(path), device)
    if (path / "sae.pt").is_file():
        path = path / "sae.pt"
    if path.is_file() and path.suffix == ".pt":
        return to_device(_saev(path), device)
    if path.is_file():
        path = path.parent
    return load_saved(path, device=device)


def _folded(
    weights: Mapping[str, Tensor], *, centred: bool, k: int | None, threshold_m: Tensor, about: dict[str, Any]
) -> Sae:
    """Ours, of weights ``W_enc`` (d, m), ``b_enc``, ``W_dec`` (m, d), ``b_dec``."""
    W_enc_md, b_enc_m = weights["W_enc"].float().T, weights["b_enc"].float()
    W_dec_md, b_dec_d = weights["W_dec"].float(), weights["b_dec"].float()
    if W_enc_md.shape != W_dec_md.shape or b_enc_m.shape != W_enc_md.shape[:1] or b_dec_d.shape != W_enc_md.shape[1:]:
        raise InputError(f"weights do not fit each other: { ({name: list(t.shape) for name, t in weights.items()}) }")
    if not centred:
        b_enc_m = b_enc_m + W_enc_md @ b_dec_d
    tensors = {
        "W_enc_md": W_enc_md,
        "b_enc_m": b_enc_m,
        "W_dec_md": W_dec_md,
        "b_dec_d": b_dec_d,
        "threshold_m": threshold_m.float().expand_as(b_enc_m),
    }
    return make_sae(tensors, k, about)


def _saelens(folder: Path) -> Sae:
    """A folder as ``SAE.save_model`` writes it."""
    try:
        told = json.loads((folder / "cfg.json").read_bytes())
        weights = load_file(folder / "sae_weights.safetensors")
        architecture = told.get("architecture", "standard")
        if told.get("activation_fn_str", told.get("activation_fn")) == "topk" and "k" not in told:
            architecture, told = "topk", told | {"k": told["activation_fn_kwargs"]["k"]}
        _refuse_saelens(told, architecture)
        k = int(told["k"]) if architecture == "topk" else None
        threshold_m = weights["threshold"] if architecture == "jumprelu" else torch.zeros(())
        if architecture == "topk" and told.get("rescale_acts_by_decoder_norm"):
            norms_m = weights["W_dec"].norm(dim=1)
            weights = weights | {
                "W_enc": weights["W_enc"] * norms_m,
                "b_enc": weights["b_enc"] * norms_m,
                "W_dec": weights["W_dec"] / norms_m[:, None],
            }
        centred = bool(told.get("apply_b_dec_to_input", True))
        return _folded(weights, centred=centred, k=k, threshold_m=threshold_m, about={"saelens": told})
    except FileNotFoundError as error:
        raise InputError(
            "is missing beside cfg.json", where=str(error.filename), mend="Take the whole folder"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise InputError(f"is not a whole autoencoder of SAELens: {error}", where=str(folder)) from error
    except InputError as error:
        raise InputError(error.what, where=str(folder), mend=error.mend) from error


def _refuse_saelens(told: Mapping[str, Any], architecture: str) -> None:
    mend = "Autoencoders of the architectures standard, topk and jumprelu can be read"
    if architecture not in ("standard", "topk", "jumprelu"):
        raise InputError(f"the architecture {architecture} of SAELens has no equal here", mend=mend)
    normalised = told.get("normalize_activations", "none")
    if normalised not in ("none", "expected_average_only_in"):  # the second is folded in before it is saved
        raise InputError(f"activations normalised by {normalised} have no equal here", mend=mend)
    if told.get("reshape_activations", "none") != "none":
        raise InputError("activations of attention heads have no equal here", mend=mend)


def _saev(file: Path) -> Sae:
    """A file of one line of JSON and a state dict of torch."""
    try:
        content = io.BytesIO(file.read_bytes())
        header = json.loads(content.readline())
        weights = torch.load(io.BytesIO(content.read()), weights_only=True, map_location="cpu")
        schema = header.get("schema", 0)
        if schema > LAST_SAEV_SCHEMA:
            raise InputError(f"its schema {schema} is newer than {LAST_SAEV_SCHEMA}, the last that is known")
        kind, parameters = _saev_activation(header)
        k, threshold = None, torch.zeros(())
        if kind == "TopK" or (kind == "BatchTopK" and schema < 3):  # which chose within each activation
            k = int(parameters.get("top_k", 32))
        elif kind == "BatchTopK":
            threshold = weights["activation.threshold"].clamp(min=0)
        elif kind != "Relu":
            raise InputError(f"its activation {kind} has no equal here")
        about = {"saev": header}  # before there were schemas, the bias was subtracted before encoding
        return _folded(weights, centred=schema == 0, k=k, threshold_m=threshold, about=about)
    except InputError as error:
        raise InputError(error.what, where=str(file), mend=error.mend) from error
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise InputError(f"is not a whole autoencoder of saev: {error}", where=str(file)) from error


def _saev_activation(header: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if "schema" not in header:
        return "Relu", {}
    if header.get("cls") in ("Relu", "TopK", "BatchTopK"):
        return header["cls"], header["cfg"]
    activation = header["cfg"].get("activation", {"cls": "Relu", "params": {}})
    return activation["cls"], activation["params"]
