"""open_clip's weights, held against a forward pass of its vision transformer written out in plain PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as fn

from pipelines.traits.features import load_backbone
from pipelines.traits.features.framing import CentreCrop
from protocols.errors import InputError

pytestmark = pytest.mark.slow  # transformers takes seconds to import

WIDTH, HEAD, LAYERS, PATCH, EDGE, EMBED = 48, 16, 3, 7, 28, 20


def _state(seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape) * 0.3

    state = {
        "class_embedding": random(WIDTH),
        "positional_embedding": random((EDGE // PATCH) ** 2 + 1, WIDTH),
        "proj": random(WIDTH, EMBED),
        "conv1.weight": random(WIDTH, 3, PATCH, PATCH) * 0.3,
    }
    for norm in ("ln_pre", "ln_post"):
        state |= {f"{norm}.weight": 1 + random(WIDTH), f"{norm}.bias": random(WIDTH)}
    for block in range(LAYERS):
        at = f"transformer.resblocks.{block}"
        state |= {
            f"{at}.attn.in_proj_weight": random(3 * WIDTH, WIDTH),
            f"{at}.attn.in_proj_bias": random(3 * WIDTH),
            f"{at}.attn.out_proj.weight": random(WIDTH, WIDTH),
            f"{at}.attn.out_proj.bias": random(WIDTH),
            f"{at}.mlp.c_fc.weight": random(4 * WIDTH, WIDTH),
            f"{at}.mlp.c_fc.bias": random(4 * WIDTH),
            f"{at}.mlp.c_proj.weight": random(WIDTH, 4 * WIDTH),
            f"{at}.mlp.c_proj.bias": random(WIDTH),
        }
        for norm in ("ln_1", "ln_2"):
            state |= {f"{at}.{norm}.weight": 1 + random(WIDTH), f"{at}.{norm}.bias": random(WIDTH)}
    text = {"token_embedding.weight": random(9, 4), "logit_scale": torch.tensor(2.0)}
    return {f"visual.{name}": value for name, value in state.items()} | text


def _forward(state: dict[str, torch.Tensor], pixels: torch.Tensor, *, quick: bool) -> list[torch.Tensor]:
    """Tokens as they leave each block."""

    def norm(values: torch.Tensor, name: str) -> torch.Tensor:
        return fn.layer_norm(values, (WIDTH,), state[f"visual.{name}.weight"], state[f"visual.{name}.bias"], 1e-5)

    def linear(values: torch.Tensor, name: str) -> torch.Tensor:
        return fn.linear(values, state[f"visual.{name}.weight"], state[f"visual.{name}.bias"])

    tokens = fn.conv2d(pixels, state["visual.conv1.weight"], stride=PATCH).flatten(2).transpose(1, 2)
    first = state["visual.class_embedding"].expand(len(pixels), 1, WIDTH)
    tokens = norm(torch.cat([first, tokens], dim=1) + state["visual.positional_embedding"], "ln_pre")
    seen = []
    for block in range(LAYERS):
        at = f"transformer.resblocks.{block}"
        entering = norm(tokens, f"{at}.ln_1").transpose(0, 1)
        attended, _ = fn.multi_head_attention_forward(
            entering,
            entering,
            entering,
            WIDTH,
            WIDTH // HEAD,
            state[f"visual.{at}.attn.in_proj_weight"],
            state[f"visual.{at}.attn.in_proj_bias"],
            None,
            None,
            False,
            0.0,
            state[f"visual.{at}.attn.out_proj.weight"],
            state[f"visual.{at}.attn.out_proj.bias"],
            training=False,
            need_weights=False,
        )
        tokens = tokens + attended.transpose(0, 1)
        inner = linear(norm(tokens, f"{at}.ln_2"), f"{at}.mlp.c_fc")
        inner = inner * torch.sigmoid(1.702 * inner) if quick else fn.gelu(inner)
        tokens = tokens + linear(inner, f"{at}.mlp.c_proj")
        seen.append(tokens)
    return seen


def _config(**vision: Any) -> dict[str, Any]:
    sizes = {"image_size": EDGE, "layers": LAYERS, "width": WIDTH, "patch_size": PATCH, "head_width": HEAD}
    return {
        "model_cfg": {"embed_dim": EMBED, "vision_cfg": sizes | vision, "text_cfg": {"width": 4}},
        "preprocess_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4], "interpolation": "bicubic"},
    }


def _write(folder: Path, state: dict[str, torch.Tensor], config: dict[str, Any], weights: str = "safetensors") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    if weights == "safetensors":
        save_file(state, folder / "open_clip_model.safetensors")
    elif weights == "training":
        prefixed = {f"module.{name}": value for name, value in state.items()}
        torch.save({"epoch": 3, "state_dict": prefixed}, folder / "open_clip_pytorch_model.bin")
    else:
        torch.save(state, folder / "open_clip_pytorch_model.bin")
    return folder


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("weights", ["safetensors", "bin", "training"])
def test_activations_equal_those_of_open_clip_written_out(tmp_path: Path, weights: str, quick: bool) -> None:
    state, config = _state(), _config()
    config["model_cfg"]["quick_gelu"] = quick
    folder = _write(tmp_path, state, config, weights)
    image = np.random.default_rng(0).integers(0, 256, (40, 31, 3), dtype=np.uint8)
    for layer, block in ((None, 1), (-1, 2), (0, 0)):
        backbone = load_backbone(str(folder), layer=layer)
        pixels = torch.stack([backbone.prepare(image).pixels, backbone.prepare(image[::-1].copy()).pixels])
        expected = _forward(state, pixels, quick=quick)[block][:, 1:]
        found = backbone.encode(pixels)
        assert found.shape == (2, 16, WIDTH)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    other = _forward(state, pixels, quick=not quick)[0][:, 1:]
    assert not torch.allclose(found, other, rtol=1e-4, atol=1e-4)


def test_preprocessing_is_that_of_the_configuration(tmp_path: Path) -> None:
    backbone: Any = load_backbone(str(_write(tmp_path, _state(), _config())))
    found = backbone.preprocessing
    assert (found.framing, found.mean, found.std) == (CentreCrop(28, 28, 28), (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
    config = _config()
    del config["preprocess_cfg"]
    plain: Any = load_backbone(str(_write(tmp_path, _state(), config)))
    assert plain.preprocessing.mean == (0.48145466, 0.4578275, 0.40821073)
    assert plain.identity != backbone.identity


def test_half_precision_weights_are_widened(tmp_path: Path) -> None:
    state = {name: value.half() for name, value in _state().items()}
    backbone = load_backbone(str(_write(tmp_path, state, _config())), layer=0)
    pixels = backbone.prepare(np.zeros((28, 28, 3), np.uint8)).pixels[None]
    expected = _forward({name: value.float() for name, value in state.items()}, pixels, quick=False)[0][:, 1:]
    torch.testing.assert_close(backbone.encode(pixels), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "field", [{"timm_model_name": "vit_base"}, {"attentional_pool": True}, {"layers": [3, 4, 6, 3]}]
)
def test_other_networks_of_open_clip_are_refused(tmp_path: Path, field: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"not open_clip's plain vision transformer"):
        load_backbone(str(_write(tmp_path, _state(), _config(**field))))


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    state = _state()
    del state["visual.transformer.resblocks.1.attn.in_proj_bias"]
    with pytest.raises(InputError, match=r"do not fit.*resblocks\.1\.attn\.in_proj_bias.*missing"):
        load_backbone(str(_write(tmp_path, state, _config())))
    with pytest.raises(InputError, match=r"do not fit.*size mismatch"):
        load_backbone(str(_write(tmp_path, _state(), _config(image_size=35))))
    (tmp_path / "open_clip_model.safetensors").unlink()
    with pytest.raises(InputError, match="there are no weights"):
        load_backbone(str(tmp_path))


def test_a_damaged_or_dangerous_file_of_weights_is_refused(tmp_path: Path) -> None:
    folder = _write(tmp_path, _state(), _config(), "bin")
    path = folder / "open_clip_pytorch_model.bin"
    whole = path.read_bytes()
    torch.save({"visual.proj": Path("/")}, path)  # not only tensors: loading it would run code of the file
    with pytest.raises(InputError, match="cannot be read"):
        load_backbone(str(folder))
    for data in (whole[: len(whole) // 2], b"", b"\x80\x04N."):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"open_clip_pytorch_model\.bin"):
            load_backbone(str(folder))
