"""Tiny checkpoints with random weights, made by the configuration classes of transformers itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

PREPROCESSING = {
    "do_resize": True,
    "size": {"shortest_edge": 32},
    "do_center_crop": True,
    "crop_size": {"height": 28, "width": 28},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
}
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "image_size": 28,
    "patch_size": 7,
}


def _model(kind: str) -> Any:
    import transformers.models.clip as clip
    import transformers.models.dinov2 as dinov2
    import transformers.models.dinov2_with_registers as registers
    import transformers.models.dinov3_vit as dinov3
    import transformers.models.siglip as siglip

    text = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 9}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    makers = {
        "dinov2": lambda: dinov2.Dinov2Model(dinov2.Dinov2Config(**SIZES)),
        "dinov2_with_registers": lambda: registers.Dinov2WithRegistersModel(
            registers.Dinov2WithRegistersConfig(**SIZES, num_register_tokens=3)
        ),
        "dinov3_vit": lambda: dinov3.DINOv3ViTModel(dinov3.DINOv3ViTConfig(**SIZES, num_register_tokens=2)),
        "clip": lambda: clip.CLIPModel(clip.CLIPConfig(vision_config=SIZES, text_config=text | ends)),
        "clip_vision_model": lambda: clip.CLIPVisionModel(clip.CLIPVisionConfig(**SIZES)),
        "siglip": lambda: siglip.SiglipModel(siglip.SiglipConfig(vision_config=SIZES, text_config=text | ends)),
        "siglip_vision_model": lambda: siglip.SiglipVisionModel(siglip.SiglipVisionConfig(**SIZES)),
    }
    return makers[kind]()


def make_checkpoint(folder: Path, kind: str, seed: int = 0) -> Any:
    """Write a checkpoint; returns the whole vision model that it holds."""
    from pipelines.traits.features.transformer import quiet_transformers

    torch.manual_seed(seed)
    with quiet_transformers():
        model = _model(kind)
        with torch.no_grad():
            for parameter in model.parameters():  # initial values are small, equal or zero, and would hide mistakes
                parameter.add_(torch.randn_like(parameter) * 0.3)
        model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSING))
    vision = getattr(model, "vision_model", model)
    return vision.eval()
