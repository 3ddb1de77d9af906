"""A vision transformer with random weights: the control of every figure that a backbone reaches."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from pipelines.traits.features import Backbone, load_backbone
from pipelines.traits.features.embedded import PATCHES
from pipelines.traits.features.framing import Whole

EDGE = 392
"""Pixels: 28 x 28 patches of 14; pictures are brought to whole patches as for the embedded backbone."""
BLOCK = 5
"""Counted from 0. The published pipeline takes 10; without learning the later ones only cost more time."""


def random_transformer(folder: Path) -> Backbone:
    """A DINOv2 ViT-B/14 that was never trained, behind block 5 of 12.

    Its size and how its weights are drawn are the defaults of transformers' ``Dinov2Config``, which are those of
    ViT-B/14; 343 MB are written to ``folder``.
    """
    from transformers.models.dinov2 import Dinov2Config, Dinov2Model

    checkpoint = folder / "checkpoint"
    torch.manual_seed(0)
    Dinov2Model(Dinov2Config()).save_pretrained(checkpoint)
    preprocessing = {
        "do_resize": True, "size": {"shortest_edge": EDGE}, "do_center_crop": True,
        "crop_size": {"height": EDGE, "width": EDGE}, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3,
    }  # fmt: skip
    (checkpoint / "preprocessor_config.json").write_text(json.dumps(preprocessing), encoding="utf-8")
    return load_backbone(str(checkpoint), layer=BLOCK, framing=Whole(PATCHES))
