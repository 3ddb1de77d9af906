"""open_clip's vision transformer (BioCLIP, BioCLIP 2, LAION's CLIP) on ``transformers``' CLIP vision model.

Both are the same network under other names. open_clip keeps the three projections of attention in one matrix,
``in_proj`` (query, key, value, stacked along the rows); here it is split. The activation is GELU, or QuickGELU where
the configuration says ``quick_gelu``. Names are those of open_clip's ``VisionTransformer`` and OpenAI's CLIP.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from pipelines.traits.features import checkpoints
from pipelines.traits.features.framing import CentreCrop, Framing, Letterbox, Stretch
from pipelines.traits.features.preprocessing import Preprocessing, read_json
from pipelines.traits.features.transformer import FAMILIES, PUBLISHED_LAYER, Transformer
from protocols.errors import InputError

_OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
_OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
"""open_clip's ``OPENAI_DATASET_MEAN`` and ``OPENAI_DATASET_STD``, used where a configuration has none."""

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}

_OTHERWISE = (
    "timm_model_name",
    "attentional_pool",
    "attn_pooler_heads",
    "no_ln_pre",
    "ls_init_value",
    "final_ln_after_pool",
)
"""Fields of ``vision_cfg`` that ask for another network."""

_OUTSIDE = {
    "class_embedding": "embeddings.class_embedding",
    "positional_embedding": "embeddings.position_embedding.weight",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "ln_pre.weight": "pre_layrnorm.weight",
    "ln_pre.bias": "pre_layrnorm.bias",
    "ln_post.weight": "post_layernorm.weight",
    "ln_post.bias": "post_layernorm.bias",
}
_INSIDE = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
"""open_clip's name, and that of transformers (``pre_layrnorm`` is spelled like this there)."""


def map_weights(weights: Mapping[str, torch.Tensor], blocks: int) -> dict[str, torch.Tensor]:
    """Weights of ``transformers``' CLIP vision model from those of open_clip.

    Args:
        weights: a whole open_clip model's state (vision under ``visual.``); the text half and the projection into the
            common space are left out.
        blocks: how many there are in the vision transformer.

    Raises:
        KeyError: with the name of a tensor that is missing.
    """
    found = {theirs: weights[f"visual.{ours}"] for ours, theirs in _OUTSIDE.items()}
    for block in range(blocks):
        source, target = f"visual.transformer.resblocks.{block}", f"encoder.layers.{block}"
        for kind in ("weight", "bias"):
            for ours, theirs in _INSIDE.items():
                found[f"{target}.{theirs}.{kind}"] = weights[f"{source}.{ours}.{kind}"]
            parts = weights[f"{source}.attn.in_proj_{kind}"].chunk(3)
            for name, part in zip(("q_proj", "k_proj", "v_proj"), parts, strict=True):
                found[f"{target}.self_attn.{name}.{kind}"] = part
    return found


def load_open_clip(
    folder: Path, *, device: str, dtype: torch.dtype, layer: int | None, framing: Framing | None
) -> Transformer:
    """The vision transformer of a folder with ``open_clip_config.json`` and open_clip's weights.

    Raises:
        InputError: another network is asked for, or files are missing, damaged or do not fit each other.
    """
    path = folder / checkpoints.OPEN_CLIP_CONFIG
    found = read_json(path)
    weights = checkpoints.weights_of(folder)
    if not weights:
        raise InputError(
            f"there are no weights ({' or '.join(checkpoints.OPEN_CLIP_WEIGHTS)}) in the folder",
            where=str(folder),
            mend="Fetch the checkpoint",
        )
    try:
        model_cfg = found["model_cfg"]
        model = _model(model_cfg, path)
        preprocessing = _preprocessing(
            found.get("preprocess_cfg", {}), model.config.image_size, model.config.patch_size
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the configuration cannot be used ({error!r})", where=str(path), mend="Fetch it again"
        ) from None
    try:
        mapped = map_weights(checkpoints.read_weights(weights[0]), model.config.num_hidden_layers)
        model.load_state_dict({name: value.to(torch.float32) for name, value in mapped.items()})
    except (KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[-1].strip() if isinstance(error, RuntimeError) else f"{error} is missing"
        raise InputError(
            f"the weights do not fit the configuration ({reason})", where=str(weights[0]), mend="Fetch both again"
        ) from None
    name = f"open_clip@{checkpoints.digest([path, *weights])}"
    chosen = PUBLISHED_LAYER if layer is None else layer
    return Transformer(
        model,
        FAMILIES["clip_vision_model"],
        name,
        preprocessing.framed(framing),
        device=device,
        dtype=dtype,
        layer=chosen,
    )


def _model(model_cfg: Mapping[str, Any], path: Path) -> Any:
    from transformers.models.clip import CLIPVisionConfig, CLIPVisionModel

    vision = model_cfg["vision_cfg"]
    other = next((field for field in _OTHERWISE if vision.get(field)), None)
    if other or not isinstance(vision["layers"], int) or vision.get("pool_type", "tok") not in ("tok", "avg"):
        raise InputError(
            f"the vision model is not open_clip's plain vision transformer ({other or 'layers or pool_type'})",
            where=str(path),
            mend="Use a model of the transformers library instead",
        )
    width = int(vision["width"])
    return CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=width,
            intermediate_size=int(width * vision.get("mlp_ratio", 4.0)),
            num_hidden_layers=vision["layers"],
            num_attention_heads=width // int(vision.get("head_width", 64)),
            image_size=int(vision["image_size"]),
            patch_size=int(vision["patch_size"]),
            hidden_act="quick_gelu" if model_cfg.get("quick_gelu", False) else "gelu",
            layer_norm_eps=1e-5,
        )
    )


def _preprocessing(config: Mapping[str, Any], edge: int, patch: int) -> Preprocessing:
    framings: dict[str, Framing] = {
        "shortest": CentreCrop(edge, edge, edge),
        "squash": Stretch(edge, edge),
        "longest": Letterbox(edge, edge),
    }
    mode = config.get("resize_mode") or "shortest"
    return Preprocessing(
        framing=framings[mode],
        patch=patch,
        mean=tuple(config.get("mean") or _OPENAI_MEAN),
        std=tuple(config.get("std") or _OPENAI_STD),
        resample=_FILTERS[config.get("interpolation") or "bicubic"],
    )
