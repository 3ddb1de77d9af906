"""Whole training runs: what they find, and that stopping them anywhere changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipelines.traits.sae import (
    Auxiliary,
    BatchTopK,
    JumpRelu,
    Matryoshka,
    Relu,
    Resampling,
    Schedule,
    TopK,
    TrainingConfig,
    Variant,
    load_sae,
    published,
    train,
)
from pipelines.traits.sae.adam import Adam
from pipelines.traits.sae.config import from_json, to_json
from pipelines.traits.sae.median import geometric_median
from pipelines.traits.sae.metrics import loss_recovered
from pipelines.traits.sae.parameters import initial
from pipelines.traits.sae.resampling import resample
from protocols.errors import InputError
from tests.traits.sae.reference import Planted

SMALL = TrainingConfig(
    variant=TopK(k=3),
    latents=64,
    steps=40,
    batch=128,
    schedule=Schedule(rate=3e-3, warm_up=5, decay=10),
    bias_sample=512,
    dead_after=1500,
    resampling=Resampling(every=15),
    metrics_every=7,
    checkpoint_every=10,
)
EVERY: list[Variant] = [Relu(0.01), TopK(k=3), BatchTopK(k=3), JumpRelu(), Matryoshka(k=3)]


class Power(Exception):
    """Somebody pulled the plug."""


class Failing(Planted):
    """Activations that end in the middle."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def batches(self, size: int, seed: int, start: int = 0) -> Iterator[Tensor]:
        for batch in super().batches(size, seed, start):
            if self.left == 0:
                raise Power
            self.left -= 1
            yield batch


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("variant", EVERY, ids=lambda variant: type(variant).__name__)
def test_a_run_that_was_stopped_ends_with_the_same_bytes(tmp_path: Path, variant: Variant, precision: str) -> None:
    config = replace(SMALL, variant=variant, precision=precision)  # type: ignore[arg-type]
    train(config, Planted(), tmp_path / "whole")
    for stops in (13, 21):
        with pytest.raises(Power):
            train(config, Failing(stops), tmp_path / "stopped")
    with (tmp_path / "stopped" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 35, "los')
    (tmp_path / "stopped" / "checkpoints" / "00000030.safetensors.part").write_bytes(b"half")
    (tmp_path / "stopped" / "checkpoints" / "00000030.safetensors").write_bytes(b"whole, but not yet described")
    train(config, Planted(), tmp_path / "stopped")
    (tmp_path / "stopped" / "checkpoints" / "00000030.safetensors.part").unlink(missing_ok=True)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_planted_directions_are_found(tmp_path: Path) -> None:
    source = Planted()
    config = replace(SMALL, steps=600, latents=64, resampling=None, schedule=Schedule(1e-2, 20, 200))
    told: list[int] = []
    sae = train(config, source, tmp_path, progress=lambda step, line: told.append(step))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == told == [*range(7, 600, 7), 600]
    assert lines[-1]["fvu"] < 0.1 < lines[0]["fvu"]
    assert lines[-1]["explained_variance"] == pytest.approx(1 - lines[-1]["fvu"], abs=0.01)
    likeness = (source.planted @ (sae.W_dec_md / sae.W_dec_md.norm(dim=1, keepdim=True)).T).max(1).values
    assert float((likeness > 0.9).float().mean()) > 0.8
    x = source.one(500, 5, 0)
    left = float((sae.decode(sae.encode(x)) - x).square().sum() / (x - x.mean(0)).square().sum())
    assert left == pytest.approx(lines[-1]["fvu"], rel=0.3)
    assert "<svg" in (tmp_path / "curves.svg").read_text()
    assert load_sae(tmp_path).identity == sae.identity == train(config, source, tmp_path).identity


@pytest.mark.parametrize("variant", [BatchTopK(k=3), Matryoshka(k=3)], ids=str)
def test_one_threshold_stands_for_the_choice_of_a_batch(tmp_path: Path, variant: Variant) -> None:
    config = replace(SMALL, variant=replace(variant, threshold_rate=0.05), steps=300, checkpoint_every=1000)
    sae = train(config, Planted(), tmp_path)
    codes = sae.encode_sparse(Planted().one(1000, 9, 0))
    assert len(codes.values) / 1000 == pytest.approx(3, rel=0.25)
    assert float(codes.values.min()) >= float(sae.threshold_m[0]) > 0


def test_codes_are_what_the_dense_encoding_holds(tmp_path: Path) -> None:
    x = Planted().one(300, 1, 0)
    for variant in EVERY:
        sae = train(replace(SMALL, variant=variant, steps=20), Planted(), tmp_path / type(variant).__name__)
        dense, codes = sae.encode(x), sae.encode_sparse(x)
        assert codes.rows.dtype == codes.latents.dtype == "int64"
        assert codes.values.dtype == "float32"
        rows, latents = dense.nonzero(as_tuple=True)
        assert codes.rows.tolist() == rows.tolist()
        assert codes.latents.tolist() == latents.tolist()
        assert codes.values.tolist() == dense[rows, latents].tolist()
        assert (codes.values > 0).all()
        assert len(sae.encode_sparse(x[:0]).rows) == 0


def test_dead_latents_begin_anew_where_the_reconstruction_is_worst() -> None:
    parameters = initial(16, 64, torch.Generator().manual_seed(0))
    before = parameters.W_dec_md.clone()
    optimiser = Adam(parameters)
    for moments in (optimiser.first, optimiser.second):
        for tensor in moments.named().values():
            tensor.fill_(1.0)
    x, residual = Planted().one(50, 0, 0), torch.zeros(50, 16)
    residual[[3, 8]] = 1.0
    dead = torch.arange(64) < 20
    count = resample(Resampling(), parameters, optimiser, dead, x, residual, torch.Generator().manual_seed(0))
    assert count == 20
    directions = x[[3, 8]] / x[[3, 8]].norm(dim=1, keepdim=True)
    nearest = (parameters.W_dec_md[:20, None] - directions).norm(dim=2)
    assert float(nearest.min(1).values.max()) < 1e-6
    assert len(set(nearest.argmin(1).tolist())) == 2
    torch.testing.assert_close(parameters.W_enc_md[:20], 0.2 * parameters.W_dec_md[:20])
    assert torch.equal(parameters.W_dec_md[20:], before[20:])
    assert not optimiser.first.W_enc_md[:20].any()
    assert not optimiser.second.b_enc_m[:20].any()
    assert optimiser.second.W_dec_md[20:].all()
    assert optimiser.first.b_dec_d.all()


def test_resampling_happens_in_training(tmp_path: Path) -> None:
    variant = TopK(3, Auxiliary(weight=0))
    config = replace(SMALL, variant=variant, latents=128, steps=130, dead_after=800, schedule=Schedule(1e-2, 5))
    train(replace(config, resampling=Resampling(every=60)), Planted(), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines[0]["resampled"] == 0 < lines[-1]["resampled"]


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Power):
        train(SMALL, Failing(15), tmp_path)
    with pytest.raises(InputError, match="latents, variant differ"):
        train(replace(SMALL, latents=32, variant=TopK(k=2)), Planted(), tmp_path)
    with pytest.raises(InputError, match="dimensions differ"):
        train(SMALL, Planted(dimensions=8), tmp_path)
    described = json.loads((tmp_path / "training.json").read_text())
    described["settings"]["latents"] = 32
    (tmp_path / "training.json").write_text(json.dumps(described))
    with pytest.raises(InputError, match="of another model"):
        train(replace(SMALL, latents=32), Planted(), tmp_path)


def test_a_damaged_checkpoint_is_refused_and_the_one_before_serves(tmp_path: Path) -> None:
    whole = train(SMALL, Planted(), tmp_path / "whole")
    folder = tmp_path / "stopped"
    with pytest.raises(Power):
        train(SMALL, Failing(30), folder)
    weights, described = (folder / "checkpoints" / f"00000020.{end}" for end in ("safetensors", "json"))
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged.*Delete 00000020\.json"):
        train(SMALL, Planted(), folder)
    weights.unlink()
    with pytest.raises(InputError, match="missing"):
        train(SMALL, Planted(), folder)
    described.write_text("{")
    with pytest.raises(InputError, match="damaged"):
        train(SMALL, Planted(), folder)
    described.unlink()
    assert train(SMALL, Planted(), folder).identity == whole.identity


def test_a_damaged_autoencoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished autoencoder"):
        load_sae(tmp_path)
    train(SMALL, Planted(), tmp_path)
    content = bytearray((tmp_path / "sae.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "sae.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="not those that"):
        load_sae(tmp_path)
    (tmp_path / "sae.json").write_text("[]")
    with pytest.raises(InputError, match="is damaged"):
        load_sae(tmp_path)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.traits.sae import saving

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(saving.os, "fsync", full)
        with pytest.raises(InputError, match="No space left"):
            train(SMALL, Planted(), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert train(SMALL, Planted(), tmp_path).latents == 64


def test_divergence_is_said(tmp_path: Path) -> None:
    class Broken(Planted):
        def one(self, size: int, seed: int, step: int) -> Tensor:
            return super().one(size, seed, step) * (float("nan") if step > 5 else 1.0)

    with pytest.raises(InputError, match="diverged"):
        train(SMALL, Broken(), tmp_path)


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"variant": TopK(k=65)}, {"variant": Matryoshka(k=2, prefixes=(0.5, 0.4, 1.0))}]
)
def test_settings_without_sense_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        train(replace(SMALL, **change), Planted(), tmp_path)  # type: ignore[arg-type]


def test_settings_survive_json() -> None:
    for variant in EVERY:
        config = replace(SMALL, variant=variant)
        assert from_json(json.loads(json.dumps(to_json(config)))) == config
    assert from_json(to_json(published())) == published()
    with pytest.raises(InputError):
        from_json({"variant": {"kind": "Nothing"}})


def test_the_learning_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(rate=2.0, warm_up=4, decay=2)
    assert [schedule.at(step, 8) for step in range(8)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 1.0]


def test_the_geometric_median_is_not_moved_by_an_outlier() -> None:
    x = torch.randn(200, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    median = geometric_median(x)
    pulls = (x - median) / (x - median).norm(dim=1, keepdim=True)
    assert float(pulls.mean(0).norm()) < 1e-4
    x[0] = 1e6
    assert float((geometric_median(x) - median).norm()) < 0.05


def test_loss_recovered_is_one_for_the_same_and_zero_for_nothing(tmp_path: Path) -> None:
    x = Planted().one(200, 2, 0)

    def run(replace_with: object) -> float:
        return float((replace_with(x) - x).square().mean())  # type: ignore[operator]

    assert loss_recovered(run, lambda x: x) == 1
    assert loss_recovered(run, torch.zeros_like) == 0
    train(replace(SMALL, steps=300), Planted(), tmp_path, run_model=run)
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert 0.5 < last["loss_recovered"] < 1


@pytest.mark.slow
@pytest.mark.kill
def test_killed_at_any_moment_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from dataclasses import replace;"
        "from tests.traits.sae.test_training import SMALL, Planted, train; import torch; torch.set_num_threads(1);"
        "train(replace(SMALL, steps=90, checkpoint_every=3), Planted(), Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program]
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    kills = 0
    for delay in (0.02, 0.11, 0.23):
        process = subprocess.Popen([*command, str(tmp_path / "killed")])
        while not (tmp_path / "killed" / "training.json").exists() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delay)
        kills += process.poll() is None
        process.kill()
        process.wait()
    assert kills
    subprocess.run([*command, str(tmp_path / "killed")], check=True)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
