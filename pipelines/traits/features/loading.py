"""One way to every backbone: by name, by folder, or the embedded one."""

from __future__ import annotations

import torch

from pipelines.traits.features.backbone import Backbone
from pipelines.traits.features.checkpoints import OPEN_CLIP_CONFIG, TRANSFORMERS_CONFIG, find_checkpoint
from pipelines.traits.features.framing import Framing
from protocols.errors import InputError

EMBEDDED = "embedded"
"""The name of the backbone that needs no weights."""


def load_backbone(
    name_or_path: str,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    layer: int | None = None,
    framing: Framing | None = None,
) -> Backbone:
    """Load a backbone.

    Args:
        name_or_path: ``embedded``, a short name such as ``dinov2-base`` or a Hugging Face name whose weights are in
            the cache of this computer, or the folder of a checkpoint (of ``transformers`` or of open_clip).
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        dtype: float32, or bfloat16 or float16 for mixed precision.
        layer: the block whose activations are taken, from 0, or from the end with negative numbers; the second to last
            if not given. The embedded backbone has no layers.
        framing: how images are brought to size; the model's own way if not given.

    Raises:
        UnknownNameError: there is no such folder or name.
        InputError: the checkpoint or the device cannot be used.
    """
    _check_device(device)
    if dtype not in (torch.float32, torch.bfloat16, torch.float16):
        raise InputError(f"{dtype} is no precision for a backbone", mend="Use float32, bfloat16 or float16")
    if name_or_path == EMBEDDED:
        from pipelines.traits.features.embedded import Embedded

        if layer is not None:
            raise InputError("the embedded backbone has no layers", mend="Leave the layer out")
        return Embedded(framing=framing, device=device)
    folder = find_checkpoint(name_or_path)
    if (folder / OPEN_CLIP_CONFIG).exists():
        from pipelines.traits.features.open_clip import load_open_clip

        return load_open_clip(folder, device=device, dtype=dtype, layer=layer, framing=framing)
    if (folder / TRANSFORMERS_CONFIG).exists():
        from pipelines.traits.features.transformer import load_transformer

        return load_transformer(folder, device=device, dtype=dtype, layer=layer, framing=framing)
    raise InputError(
        f"there is neither {TRANSFORMERS_CONFIG} nor {OPEN_CLIP_CONFIG} in the folder",
        where=str(folder),
        mend="Name the folder that holds the checkpoint's configuration and weights",
    )


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise InputError(f"{device!r} is no device", mend="Use cpu or cuda") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError("there is no CUDA device, or this torch was built without CUDA", mend="Use the device cpu")
    if kind not in ("cpu", "cuda"):
        raise InputError(f"the device {device!r} is not supported", mend="Use cpu or cuda")
