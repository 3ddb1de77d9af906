"""Where a checkpoint's weights lie on this computer, and their digest. Nothing is ever downloaded."""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from protocols.errors import InputError, UnknownNameError

REPOSITORIES = {
    "dinov2-small": "facebook/dinov2-small",
    "dinov2-base": "facebook/dinov2-base",
    "dinov2-large": "facebook/dinov2-large",
    "dinov2-giant": "facebook/dinov2-giant",
    "dinov2-registers-base": "facebook/dinov2-with-registers-base",
    "dinov2-registers-large": "facebook/dinov2-with-registers-large",
    "dinov3-small": "facebook/dinov3-vits16-pretrain-lvd1689m",
    "dinov3-base": "facebook/dinov3-vitb16-pretrain-lvd1689m",
    "dinov3-large": "facebook/dinov3-vitl16-pretrain-lvd1689m",
    "clip-base": "openai/clip-vit-base-patch16",
    "clip-large": "openai/clip-vit-large-patch14",
    "siglip-base": "google/siglip-base-patch16-224",
    "siglip-so400m": "google/siglip-so400m-patch14-384",
    "siglip2-base": "google/siglip2-base-patch16-224",
    "bioclip": "imageomics/bioclip",
    "bioclip-2": "imageomics/bioclip-2",
}
"""Short names, and the Hugging Face repository of each."""

TRANSFORMERS_CONFIG = "config.json"
OPEN_CLIP_CONFIG = "open_clip_config.json"
OPEN_CLIP_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
_AGAIN = "Fetch the checkpoint again"


def find_checkpoint(name_or_path: str) -> Path:
    """The folder of a checkpoint: a path, a short name of :data:`REPOSITORIES`, or ``owner/model`` of Hugging Face.

    A name is looked up in the Hugging Face cache of this computer (``HF_HOME`` is honoured).

    Raises:
        UnknownNameError: it is neither a folder nor a name.
        InputError: the name is known, and its weights are not on this computer.
    """
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path
    repository = REPOSITORIES.get(name_or_path, name_or_path)
    if path.exists() or repository.count("/") != 1 or repository.startswith((".", "/", "~")):
        raise UnknownNameError(
            f"there is no folder and no backbone of the name {name_or_path!r}",
            mend=f"Name the folder of a checkpoint, or one of: embedded, {', '.join(REPOSITORIES)}",
        )
    found = _cached(repository)
    if found is None:
        raise InputError(
            f"the weights of {repository} are not on this computer, and nothing is downloaded unasked",
            where=name_or_path,
            mend=f"Fetch them where there is a network with `hf download {repository}`, or copy the folder here and "
            "name it; `embedded` needs no weights",
        )
    return found


def _cached(repository: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    for file in (OPEN_CLIP_CONFIG, TRANSFORMERS_CONFIG):
        try:
            found = try_to_load_from_cache(repository, file)
        except HFValidationError:
            return None
        if isinstance(found, str) and weights_of(Path(found).parent):
            return Path(found).parent
    return None


def weights_of(folder: Path) -> list[Path]:
    """The files that hold a checkpoint's weights: those of open_clip, one safetensors file, or what its index lists.

    Raises:
        InputError: an index is damaged, or lists a file that is not there.
    """
    if (folder / OPEN_CLIP_CONFIG).exists():
        return next(([folder / name] for name in OPEN_CLIP_WEIGHTS if (folder / name).exists()), [])
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.exists() or not index.exists():
        return [single] if single.exists() else []
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"the list of weights cannot be read ({error!r})", where=str(index), mend=_AGAIN) from None
    missing = next((name for name in names if not (folder / name).is_file()), None)
    if missing is not None:
        raise InputError("a file of weights is missing", where=str(folder / missing), mend=_AGAIN)
    return [folder / name for name in names]


def digest(files: list[Path]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 over the bytes of the files, in this order."""
    found = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    return found.hexdigest()[:16]


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a ``.safetensors`` file, or of a ``.bin`` or ``.pt`` file, of which only tensors are loaded.

    Raises:
        InputError: the file is damaged, or holds something else.
    """
    try:
        found: Any = load_file(path) if path.suffix == ".safetensors" else _unpickle(path)
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"the weights cannot be read ({reason})", where=str(path), mend=_AGAIN) from None
    found = found.get("state_dict", found) if isinstance(found, dict) else {}
    tensors = {str(name).removeprefix("module."): value for name, value in found.items() if torch.is_tensor(value)}
    if not tensors:
        raise InputError("there are no weights in it", where=str(path), mend=_AGAIN)
    return tensors


def _unpickle(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickles that are refused a moment later
        return torch.load(path, map_location="cpu", weights_only=True)
