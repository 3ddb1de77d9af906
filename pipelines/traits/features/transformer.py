"""Vision transformers through ``transformers``: one activation for each patch, from the block that was asked for.

A layer is a block, counted from 0, or from the end with negative numbers. Its activation is the residual stream that
leaves the block: no normalisation comes after it, not even behind the last block, where the models put one. So it
equals ``hidden_states[layer + 1]`` of the model for a layer counted from 0, and ``hidden_states[layer]`` for one
counted from the end, where ``transformers`` gives these without normalisation. The published pipeline takes the second
to last block. CLIP normalises before its first block; that is part of every activation.

Class and register tokens are dropped. Blocks that are not needed are not run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipelines.traits.features import checkpoints
from pipelines.traits.features.backbone import Prepared
from pipelines.traits.features.framing import Framing
from pipelines.traits.features.preprocessing import Preprocessing, read_json, read_preprocessing
from pipelines.traits.grids import Grid
from protocols.errors import InputError

PUBLISHED_LAYER = -2
"""The second to last block: the published pipeline's choice for DINOv2 (index 10 of 12)."""


@dataclass(frozen=True, slots=True)
class Family:
    """How ``transformers`` builds a kind of vision transformer.

    Attributes:
        module, model: where its class is.
        blocks: path of the list of blocks in the model.
        norm: path of the normalisation behind the last block.
        part: name of the vision model's part in a configuration of images and text; empty where there is none.
        classes: class tokens before the patches.
        resizes: whether position embeddings are fitted to other sizes only when asked to.
    """

    module: str
    model: str
    blocks: str
    norm: str
    part: str = ""
    classes: int = 1
    resizes: bool = False


_MODELS = "transformers.models"
_CLIP = Family(
    f"{_MODELS}.clip", "CLIPVisionModel", "encoder.layers", "post_layernorm", part="vision_config", resizes=True
)
_SIGLIP = Family(
    f"{_MODELS}.siglip",
    "SiglipVisionModel",
    "encoder.layers",
    "post_layernorm",
    part="vision_config",
    classes=0,
    resizes=True,
)
FAMILIES = {
    "dinov2": Family(f"{_MODELS}.dinov2", "Dinov2Model", "encoder.layer", "layernorm"),
    "dinov2_with_registers": Family(
        f"{_MODELS}.dinov2_with_registers", "Dinov2WithRegistersModel", "encoder.layer", "layernorm"
    ),
    "dinov3_vit": Family(f"{_MODELS}.dinov3_vit", "DINOv3ViTModel", "model.layer", "norm"),
    "clip": _CLIP,
    "clip_vision_model": _CLIP,
    "siglip": _SIGLIP,
    "siglip_vision_model": _SIGLIP,
}
"""By ``model_type`` of the configuration. SigLIP 2 of fixed size says ``siglip``."""


class Transformer:
    """A vision transformer, cut off behind one block.

    Args:
        model: of ``transformers``, with its weights.
        family: how it is built.
        name: its kind, and the digest of its weights.
        preprocessing: of its images.
        device: where it runs.
        dtype: float32, or bfloat16 or float16 for autocast.
        layer: the block, see the module.
    """

    def __init__(
        self,
        model: nn.Module,
        family: Family,
        name: str,
        preprocessing: Preprocessing,
        *,
        device: str,
        dtype: torch.dtype,
        layer: int,
    ) -> None:
        config: Any = model.config
        blocks = model.get_submodule(family.blocks)
        assert isinstance(blocks, nn.ModuleList)
        self.layer = _counted(layer, len(blocks))
        del blocks[self.layer + 1 :]
        model.set_submodule(family.norm, nn.Identity())
        if getattr(model, "use_head", False):
            setattr(model, "use_head", False)  # noqa: B010 (SigLIP's pooling, which nobody looks at)
        self.model = model.to(device).eval().requires_grad_(False)
        self.preprocessing = preprocessing
        self.dimensions = int(config.hidden_size)
        self.identity = f"{name}/layer-{self.layer}/{preprocessing.identity}"
        self._prefix = family.classes + int(getattr(config, "num_register_tokens", 0) or 0)
        self._options: dict[str, Any] = {"interpolate_pos_encoding": True} if family.resizes else {}
        self._device, self._dtype = torch.device(device), dtype

    def grid(self, height: int, width: int) -> Grid:
        """Where the patches of an image of this size lie."""
        return self.preprocessing.grid(height, width)

    def prepare(self, image: NDArray[np.uint8]) -> Prepared:
        """An upright RGB image as the model wants it."""
        return self.preprocessing.prepare(image)

    @torch.no_grad()  # not inference_mode, whose tensors autograd refuses to take into training
    def encode(self, batch: torch.Tensor) -> torch.Tensor:
        """(images, patches, dimensions) float32: what leaves the block, class and register tokens dropped."""
        mixed = self._dtype != torch.float32
        with torch.autocast(self._device.type, dtype=self._dtype if mixed else None, enabled=mixed):
            out = self.model(pixel_values=batch.to(self._device, non_blocking=True), **self._options)
        found: torch.Tensor = out.last_hidden_state[:, self._prefix :]
        return found.to(torch.float32).contiguous()


def _counted(layer: int, blocks: int) -> int:
    if not -blocks <= layer < blocks:
        raise InputError(
            f"there is no layer {layer} in a model of {blocks} blocks",
            mend=f"Choose one of 0 to {blocks - 1}, or -1 to -{blocks} counted from the end",
        )
    return layer % blocks


def load_transformer(
    folder: Path, *, device: str, dtype: torch.dtype, layer: int | None, framing: Framing | None
) -> Transformer:
    """The vision transformer of a folder with ``config.json``, safetensors and ``preprocessor_config.json``.

    Raises:
        InputError: of a kind that is not known, or files are missing, damaged or do not fit each other.
    """
    path = folder / checkpoints.TRANSFORMERS_CONFIG
    found = read_json(path)
    kind = found.get("model_type")
    family = FAMILIES.get(kind) if isinstance(kind, str) else None
    if family is None:
        raise InputError(
            f"models of the kind {kind!r} cannot be used",
            where=str(path),
            mend=f"Use one of the kinds {', '.join(FAMILIES)}, or an open_clip vision transformer",
        )
    weights = checkpoints.weights_of(folder)
    if not weights:
        raise InputError(
            "there are no weights (model.safetensors) in the folder", where=str(folder), mend="Fetch the checkpoint"
        )
    for file in weights:
        if file.suffix == ".safetensors":
            _readable(file)
    model = _from_pretrained(folder, family)
    preprocessing = read_preprocessing(folder, _patch(model.config, path)).framed(framing)
    name = f"{kind}@{checkpoints.digest([path, *weights])}"
    chosen = PUBLISHED_LAYER if layer is None else layer
    return Transformer(model, family, name, preprocessing, device=device, dtype=dtype, layer=chosen)


def _patch(config: Any, path: Path) -> int:
    size = config.patch_size
    edges = {int(edge) for edge in size} if isinstance(size, (tuple, list)) else {int(size)}
    if len(edges) != 1:
        raise InputError(f"patches of {size} pixels are not square", where=str(path), mend="Use another model")
    return edges.pop()


def _readable(file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt"):
            pass
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"the weights cannot be read ({error})", where=str(file), mend="Fetch the checkpoint again"
        ) from None


def _from_pretrained(folder: Path, family: Family) -> Any:
    import importlib

    kind = getattr(importlib.import_module(family.module), family.model)
    try:
        with quiet_transformers():
            model, report = kind.from_pretrained(
                folder, local_files_only=True, output_loading_info=True, dtype=torch.float32, use_safetensors=True
            )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the model cannot be built ({reason})", where=str(folder), mend="Fetch the checkpoint again"
        ) from None
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("head."))
    if missing:
        raise InputError(
            f"{len(missing)} tensors of the model are not in the weights, the first is {missing[0]}",
            where=str(folder),
            mend="Fetch the checkpoint again",
        )
    return model


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and no reports of tensors that were left out on purpose; what was set before comes back."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
