"""Autoencoders of ``saev`` and SAELens, in their formats as the tests write them, and by the genuine library."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pipelines.traits.sae import load_sae, save_sae
from protocols.errors import InputError

GENUINE = Path(__file__).resolve().parents[3] / ".peers" / "sae" / "bin" / "python"


def weights(dimensions: int = 6, latents: int = 20) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "W_enc": torch.randn(dimensions, latents, generator=generator),
        "b_enc": torch.randn(latents, generator=generator),
        "W_dec": torch.randn(latents, dimensions, generator=generator),
        "b_dec": torch.randn(dimensions, generator=generator),
    }


X = torch.randn(30, 6, generator=torch.Generator().manual_seed(5))


def write_saelens(folder: Path, held: dict[str, Tensor], **told: Any) -> Path:
    folder.mkdir(exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in held.items()}, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"d_in": 6, "d_sae": 20, "dtype": "float32", **told}))
    return folder


def write_saev(path: Path, header: dict[str, Any], held: dict[str, Tensor]) -> Path:
    with path.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        torch.save(held, file)
    return path


@pytest.mark.parametrize("centred", [True, False])
def test_saelens_standard_and_jumprelu(tmp_path: Path, centred: bool) -> None:
    held = weights()
    pre = (X - held["b_dec"] if centred else X) @ held["W_enc"] + held["b_enc"]
    threshold = torch.rand(20, generator=torch.Generator().manual_seed(1))
    for architecture, floor in (("standard", torch.zeros(20)), ("jumprelu", threshold)):
        more = {"threshold": threshold} if architecture == "jumprelu" else {}
        told = {"architecture": architecture, "apply_b_dec_to_input": centred, "normalize_activations": "none"}
        sae = load_sae(write_saelens(tmp_path / architecture, held | more, **told))
        acts = pre * (pre > floor)
        torch.testing.assert_close(sae.encode(X), acts.relu(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(sae.decode(acts), acts @ held["W_dec"] + held["b_dec"], rtol=1e-4, atol=1e-5)


def test_saelens_topk_with_rescaled_decoder(tmp_path: Path) -> None:
    held = weights()
    told = {"architecture": "topk", "k": 4, "rescale_acts_by_decoder_norm": True}
    sae = load_sae(write_saelens(tmp_path / "topk", held, **told))
    norms = held["W_dec"].norm(dim=1)
    pre = ((X - held["b_dec"]) @ held["W_enc"] + held["b_enc"]) * norms
    kept = torch.zeros_like(pre).scatter(1, pre.topk(4).indices, 1.0) * pre.relu()
    torch.testing.assert_close(sae.encode(X), kept, rtol=1e-4, atol=1e-5)
    wanted = (kept / norms) @ held["W_dec"] + held["b_dec"]
    torch.testing.assert_close(sae.decode(sae.encode(X)), wanted, rtol=1e-4, atol=1e-5)
    save_sae(sae, tmp_path / "ours")
    assert load_sae(tmp_path / "ours").identity == sae.identity


@pytest.mark.parametrize(
    ("header", "centred", "k", "threshold"),
    [
        ({"d_vit": 6, "exp_factor": 3, "sparsity_coeff": 4e-4, "ghost_grads": False, "seed": 0}, True, None, 0.0),
        ({"schema": 1, "cls": "TopK", "cfg": {"d_vit": 6, "top_k": 3}}, False, 3, 0.0),
        ({"schema": 2, "cfg": {"activation": {"cls": "Relu", "params": {}}}}, False, None, 0.0),
        ({"schema": 2, "cfg": {"activation": {"cls": "BatchTopK", "params": {"top_k": 3}}}}, False, 3, 0.0),
        ({"schema": 5, "cfg": {"activation": {"cls": "BatchTopK", "params": {"top_k": 3}}}}, False, None, 0.7),
    ],
)
def test_saev(tmp_path: Path, header: dict[str, Any], centred: bool, k: int | None, threshold: float) -> None:
    held = weights()
    more = {"activation.threshold": torch.tensor(threshold)} if threshold else {}
    sae = load_sae(write_saev(tmp_path / "sae.pt", header, held | more))
    assert load_sae(tmp_path).identity == sae.identity
    pre = (X - held["b_dec"] if centred else X) @ held["W_enc"] + held["b_enc"]
    acts = pre.relu() * (pre > threshold)
    if k is not None:
        acts = torch.zeros_like(acts).scatter(1, acts.topk(k).indices, 1.0) * acts
    torch.testing.assert_close(sae.encode(X), acts, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(sae.decode(acts), acts @ held["W_dec"] + held["b_dec"], rtol=1e-4, atol=1e-5)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    held = weights()
    with pytest.raises(InputError, match="gated"):
        load_sae(write_saelens(tmp_path / "gated", held, architecture="gated"))
    with pytest.raises(InputError, match="layer_norm"):
        load_sae(write_saelens(tmp_path / "norm", held, normalize_activations="layer_norm"))
    folder = write_saelens(tmp_path / "half", held)
    whole = (folder / "sae_weights.safetensors").read_bytes()
    (folder / "sae_weights.safetensors").write_bytes(whole[:100])
    with pytest.raises(InputError, match="not a whole autoencoder of SAELens"):
        load_sae(folder)
    (folder / "sae_weights.safetensors").unlink()
    with pytest.raises(InputError, match="missing"):
        load_sae(folder)
    with pytest.raises(InputError, match="do not fit"):
        load_sae(write_saelens(tmp_path / "odd", held | {"b_enc": torch.zeros(3)}))
    file = write_saev(tmp_path / "sae.pt", {"schema": 2, "cfg": {}}, held)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(InputError, match="not a whole autoencoder of saev"):
        load_sae(file)
    with pytest.raises(InputError, match="schema 9"):
        load_sae(write_saev(tmp_path / "new.pt", {"schema": 9, "cfg": {}}, held))


@pytest.mark.slow
@pytest.mark.skipif(not GENUINE.exists(), reason="SAELens is not installed: python -m benchmarks.peers sae")
def test_the_genuine_saelens_agrees(tmp_path: Path) -> None:
    program = """
import sys, torch
from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig, SAE
from sae_lens.saes.sae import TrainStepInput
torch.manual_seed(0)
sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=6, d_sae=20, k=4, normalize_activations="none"))
with torch.no_grad():
    for each in sae.parameters(): each.add_(0.2 * torch.randn_like(each))
sae.save_inference_model(sys.argv[1])
plain = SAE.load_from_disk(sys.argv[1])
x = torch.load(sys.argv[2])
with torch.no_grad(): torch.save({"acts": plain.encode(x), "x_hat": plain(x)}, sys.argv[3])
"""
    torch.save(X, tmp_path / "x.pt")
    paths = [str(tmp_path / name) for name in ("sae", "x.pt", "out.pt")]
    done = subprocess.run([str(GENUINE), "-c", program, *paths], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs, ours = torch.load(paths[2]), load_sae(Path(paths[0]))
    acts = ours.encode(X)
    torch.testing.assert_close(acts, theirs["acts"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.decode(acts), theirs["x_hat"], rtol=1e-4, atol=1e-5)
