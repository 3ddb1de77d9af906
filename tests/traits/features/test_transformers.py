"""Vision transformers, held against the models of transformers called directly."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipelines.traits.features import Streamed, load_backbone, write_activations
from pipelines.traits.features.framing import Letterbox, Whole
from protocols.errors import InputError, UnknownNameError
from tests.traits.features.plain import images
from tests.traits.features.tiny import make_checkpoint

pytestmark = pytest.mark.slow  # transformers takes seconds to import

KINDS = {
    "dinov2": 1,
    "dinov2_with_registers": 4,
    "dinov3_vit": 3,
    "clip": 1,
    "clip_vision_model": 1,
    "siglip": 0,
    "siglip_vision_model": 0,
}
"""By kind, how many tokens stand before the patches."""


def _picture(height: int = 61, width: int = 47, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _hidden(model: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What enters the first block, then what leaves each, seen by hooks: nothing of the code under test."""
    blocks = next(
        module for name, module in model.named_modules() if isinstance(module, torch.nn.ModuleList) and "layer" in name
    )
    seen: list[torch.Tensor] = []
    hooks = [block.register_forward_hook(lambda *call: seen.append(_first(call[2]))) for block in blocks]
    options = {"interpolate_pos_encoding": True} if type(model).__name__.startswith(("CLIP", "Siglip")) else {}
    with torch.no_grad():
        model(pixel_values=pixels, **options)
    for hook in hooks:
        hook.remove()
    return tuple(seen)


def _first(output: Any) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output


@pytest.mark.parametrize("kind", KINDS)
def test_activations_are_those_of_the_block_without_class_and_register_tokens(tmp_path: Path, kind: str) -> None:
    model = make_checkpoint(tmp_path, kind)
    prefix = KINDS[kind]
    images_two = [_picture(61, 47), _picture(33, 90, 1)]
    default = load_backbone(str(tmp_path))
    batch = torch.stack([default.prepare(image).pixels for image in images_two])
    expected = _hidden(model, batch)
    assert len(expected) == 4
    for layer, index in ((None, 2), (-1, 3), (-2, 2), (-4, 0), (0, 0), (1, 1), (3, 3)):
        backbone = load_backbone(str(tmp_path), layer=layer)
        found = backbone.encode(batch)
        assert found.shape == (2, 16, 32)
        torch.testing.assert_close(found, expected[index][:, prefix:], rtol=1e-4, atol=1e-5)
        assert f"/layer-{index}/" in backbone.identity
    assert default.dimensions == 32
    assert default.identity.startswith(kind + "@")


@pytest.mark.parametrize("kind", ["dinov2", "dinov2_with_registers", "dinov3_vit"])
def test_layers_count_as_in_the_hidden_states_of_transformers(tmp_path: Path, kind: str) -> None:
    model = make_checkpoint(tmp_path, kind)
    backbone = load_backbone(str(tmp_path))
    pixels = backbone.prepare(_picture()).pixels[None]
    with torch.no_grad():
        states = model(pixel_values=pixels, output_hidden_states=True).hidden_states
    assert len(states) == 5
    torch.testing.assert_close(backbone.encode(pixels), states[-2][:, KINDS[kind] :], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["dinov2", "dinov3_vit", "clip", "siglip"])
def test_grids_need_not_be_square(tmp_path: Path, kind: str) -> None:
    model = make_checkpoint(tmp_path, kind)
    for framing, shape in ((Letterbox(28, 56), (4, 8)), (Whole(24), (6, 4))):
        backbone = load_backbone(str(tmp_path), framing=framing)
        prepared = backbone.prepare(_picture(90, 60))
        assert (prepared.grid.rows, prepared.grid.columns) == shape
        assert prepared.grid == backbone.grid(90, 60)
        found = backbone.encode(prepared.pixels[None])
        expected = _hidden(model, prepared.pixels[None])[2][:, KINDS[kind] :]
        assert found.shape[1] == prepared.grid.patches
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_change_in_one_patch_is_seen_most_in_that_patch(tmp_path: Path) -> None:
    make_checkpoint(tmp_path, "dinov2_with_registers")
    backbone = load_backbone(str(tmp_path), layer=0)
    image = np.full((128, 96, 3), 128, np.uint8)
    other = image.copy()
    grid = backbone.grid(128, 96)
    left, top, right, bottom = (round(edge) for edge in grid.box(6))
    other[top + 2 : bottom - 2, left + 2 : right - 2] = 255
    moved = backbone.encode(torch.stack([backbone.prepare(image).pixels, backbone.prepare(other).pixels]))
    assert int((moved[0] - moved[1]).norm(dim=1).argmax()) == 6


def test_bfloat16_is_close_and_comes_out_as_float32(tmp_path: Path) -> None:
    make_checkpoint(tmp_path, "dinov2")
    exact, mixed = load_backbone(str(tmp_path)), load_backbone(str(tmp_path), dtype=torch.bfloat16)
    pixels = exact.prepare(_picture()).pixels[None]
    found = mixed.encode(pixels)
    assert found.dtype == torch.float32
    assert not torch.equal(found, exact.encode(pixels))
    assert float((found - exact.encode(pixels)).norm() / exact.encode(pixels).norm()) < 0.03


def test_the_identity_follows_weights_layer_and_preprocessing_but_not_the_folder(tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        make_checkpoint(tmp_path / name, "clip_vision_model", seed)
    one = load_backbone(str(tmp_path / "one")).identity
    assert one == load_backbone(str(tmp_path / "same")).identity
    others = {
        load_backbone(str(tmp_path / "other")).identity,
        load_backbone(str(tmp_path / "one"), layer=0).identity,
        load_backbone(str(tmp_path / "one"), framing=Whole(16)).identity,
    }
    assert len(others | {one}) == 4


def test_into_a_store_and_back(tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "model", "dinov2")
    backbone = load_backbone(str(tmp_path / "model"))
    store = write_activations(backbone, images(5), tmp_path / "store", dtype="bfloat16", shard_images=2, batch_images=2)
    store.verify()
    assert store.rows == 5 * 16
    make_checkpoint(tmp_path / "other", "dinov2", seed=1)
    with pytest.raises(InputError, match="made with the backbone dinov2@"):
        write_activations(load_backbone(str(tmp_path / "other")), images(5), tmp_path / "store", shard_images=2)


def test_straight_into_training(tmp_path: Path) -> None:
    make_checkpoint(tmp_path, "dinov3_vit")
    backbone = load_backbone(str(tmp_path))
    source = Streamed(backbone, images(6), batch_images=2)
    assert source.rows == 6 * 16
    layer = torch.nn.Linear(source.dimensions, 4)
    layer(backbone.encode(backbone.prepare(_picture()).pixels[None])).sum().backward()  # autograd keeps the input
    for batch in islice(source.batches(40, 0), 3):
        loss = (layer(batch) ** 2).mean()
        loss.backward()
    assert layer.weight.grad is not None
    assert float(layer.weight.grad.norm()) > 0


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _edit(path: Path, **change: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def test_damaged_checkpoints_are_refused_with_the_file_named(tmp_path: Path) -> None:
    def fresh(name: str) -> Path:
        make_checkpoint(tmp_path / name, "dinov2")
        return tmp_path / name

    harms = {
        r"model\.safetensors: the weights cannot be read": lambda folder: _cut(folder / "model.safetensors"),
        r"there are no weights": lambda folder: (folder / "model.safetensors").unlink(),
        r"config\.json: models of the kind 'bert'": lambda folder: _edit(folder / "config.json", model_type="bert"),
        r"config\.json: cannot be read as JSON": lambda folder: _cut(folder / "config.json"),
        r"does not say how to prepare": lambda folder: (folder / "preprocessor_config.json").unlink(),
        r"neither config\.json nor": lambda folder: (folder / "config.json").unlink(),
        r"(tensors of the model are not in|cannot be built)": lambda folder: _edit(
            folder / "config.json", num_hidden_layers=6
        ),
        r"cannot be built": lambda folder: _edit(folder / "config.json", hidden_size=64),
    }
    for number, (message, harm) in enumerate(harms.items()):
        folder = fresh(str(number))
        harm(folder)
        with pytest.raises(InputError, match=message):
            load_backbone(str(folder))


def test_choices_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    make_checkpoint(tmp_path, "dinov2")
    for layer in (4, -5):
        with pytest.raises(InputError, match=f"no layer {layer} in a model of 4 blocks"):
            load_backbone(str(tmp_path), layer=layer)
    with pytest.raises(InputError, match="no device"):
        load_backbone(str(tmp_path), device="toaster")
    with pytest.raises(InputError, match="no precision"):
        load_backbone(str(tmp_path), dtype=torch.float64)
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA device"):
            load_backbone(str(tmp_path), device="cuda")


def test_names_are_explained_and_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        InputError, match=r"facebook/dinov2-base are not on this computer.*hf download facebook/dinov2-base"
    ):
        load_backbone("dinov2-base")
    with pytest.raises(InputError, match=r"hf download someone/some-model"):
        load_backbone("someone/some-model")
    for name in ("dinov9", "no/such/folder", "./nowhere"):
        with pytest.raises(UnknownNameError, match=r"no folder and no backbone"):
            load_backbone(name)


def test_a_name_is_found_in_the_cache_of_hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    repository = tmp_path / "models--facebook--dinov2-base"
    make_checkpoint(repository / "snapshots" / "abc", "dinov2")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert load_backbone("dinov2-base").identity == load_backbone(str(repository / "snapshots" / "abc")).identity
