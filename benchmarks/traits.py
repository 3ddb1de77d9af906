"""How much of what is there the trait pipeline finds: parts, regions and trait states whose right answer is known.

On drawn organisms (parts with masks, traits with states) and on real pictures with part or landmark truth, each sparse
autoencoder is held against random latents, principal components, clusters of k-means on the same activations, and a
linear probe that was shown the labels; and the published rule of selection against the tested one. Latents, thresholds
and settings are chosen on one half of the images, figures are of the other. Settings are compared (the ablation) within
the choosing half alone.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.output import options, write
from benchmarks.trait_rivals import Clusters, Floats, principal_components, random_latents
from benchmarks.trait_scores import Scores, ceiling, judge, rule_scores
from benchmarks.trait_sets import PatchSet, drawn, flies, ovaries
from pipelines.traits.codes import Codes
from pipelines.traits.features import Backbone, load_backbone
from pipelines.traits.organisms import KINDS
from pipelines.traits.sae import (
    BatchTopK,
    JumpRelu,
    Matryoshka,
    Relu,
    Sae,
    Schedule,
    TanhPenalty,
    TopK,
    TrainingConfig,
    Variant,
    train,
)

ORGANISMS = Path(__file__).resolve().parents[2] / "shared" / "data" / "organisms"
console = Console()


@dataclass(frozen=True)
class Setting:
    """One sparse autoencoder: name of its variant, latents to a dimension, latents of a patch, steps of training."""

    variant: str = "TopK"
    expansion: int = 8
    k: int = 16
    steps: int = 600

    def config(self) -> TrainingConfig:
        """As the training core wants it."""
        variants: dict[str, Variant] = {
            "TopK": TopK(k=self.k),
            "BatchTopK": BatchTopK(k=self.k),
            "Matryoshka": Matryoshka(k=self.k),
            "Relu": Relu(l1=4e-4),
            "JumpRelu": JumpRelu(penalty=TanhPenalty(weight=4e-4)),
        }
        return TrainingConfig(
            variant=variants[self.variant],
            expansion=self.expansion,
            steps=self.steps,
            batch=1024,
            schedule=Schedule(rate=1e-3, warm_up=self.steps // 12, decay=self.steps // 4),
            bias_sample=4096,
            dead_after=150 * 1024,
            metrics_every=self.steps,
            checkpoint_every=self.steps,
        )

    @property
    def name(self) -> str:
        """For the table."""
        return f"{self.variant} x{self.expansion} k={self.k}"


class Rows:
    """Activations in memory as a source of training."""

    def __init__(self, activations: Floats) -> None:
        self._activations = torch.from_numpy(activations)
        self.dimensions = activations.shape[1]
        self.identity = hashlib.sha256(activations).hexdigest()

    def batches(self, size: int, seed: int, start: int = 0) -> Any:
        """Endless random batches (size, d)."""
        step = start
        while True:
            rng = torch.Generator().manual_seed(seed * 1_000_003 + step)
            yield self._activations[torch.randint(len(self._activations), (size,), generator=rng)]
            step += 1


def learned(data: PatchSet, setting: Setting, work: Path) -> Sae:
    """Train a sparse autoencoder on all patches of a set: no label is looked at."""
    return train(setting.config(), Rows(data.activations), work / "sae" / data.name / setting.name.replace(" ", "-"))


def coded(data: PatchSet, sae: Sae) -> Codes:
    """Codes of all patches."""
    return sae.encode_sparse(torch.from_numpy(data.activations))


def against_rivals(data: PatchSet, setting: Setting, work: Path, *, quick: bool) -> dict[str, Any]:
    """The measures of every coder on a set."""
    sae = learned(data, setting, work)
    rows: dict[str, Any] = {"sae": judge(data, coded(data, sae), sae.latents)}
    rivals = {
        "random": random_latents(data.activations, sae.latents, setting.k, seed=1),
        "pca": principal_components(data.activations, k=32),
        "k_means": Clusters(data.activations, 256 if quick else sae.latents, seed=1),
    }
    for name, rival in rivals.items():
        rows[name] = judge(data, rival.codes(data.activations), rival.latents)
    rows["linear_probe"], rows["chance"] = ceiling(data)
    return rows


# -- ablation ----------------------------------------------------------------------------------------------


def settings_to_try(*, quick: bool) -> list[Setting]:
    """Each setting changes one thing."""
    base = Setting(steps=80 if quick else 600)
    tries = [base, replace(base, k=4), replace(base, k=32), replace(base, expansion=2), replace(base, expansion=16)]
    tries += [replace(base, variant=name) for name in ("BatchTopK", "Matryoshka", "Relu", "JumpRelu")]
    return [tries[0], tries[6]] if quick else tries


def ablation(data: PatchSet, work: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Measures within the choosing half, by setting."""
    rows = []
    for setting in settings_to_try(quick=quick):
        start = time.perf_counter()
        sae = learned(data, setting, work)
        trained = time.perf_counter() - start
        scores = judge(data, coded(data, sae), sae.latents, inner=True, regions=False)
        console.print(
            f"{setting.name}: {scores.map_parts:.3f} part mAP, {shown(scores.trait_f1)} trait F1, {trained:.0f} s"
        )
        rows.append(asdict(setting) | {"name": setting.name, "train_s": round(trained, 1)} | scores.figures())
    return rows


def by_threshold(
    data: PatchSet, codes: Codes, latents: int, shares: Sequence[float]
) -> dict[str, dict[str, float | None]]:
    """Measures within the choosing half when what is below a share of each latent's 99.9th percentile is cut."""
    tops = np.zeros(latents, np.float32)
    order = np.lexsort((codes.values, codes.latents))
    ends = np.searchsorted(codes.latents[order], np.arange(latents + 1))
    for latent in np.flatnonzero(np.diff(ends)):
        mine = codes.values[order[ends[latent] : ends[latent + 1]]]
        tops[latent] = mine[int(0.999 * (len(mine) - 1))]
    found: dict[str, dict[str, float | None]] = {}
    for share in shares:
        kept = codes.values >= share * tops[codes.latents]
        cut = Codes(codes.rows[kept], codes.latents[kept], codes.values[kept])
        found[f"{share:g} of a latent's own peak"] = judge(data, cut, latents, inner=True, regions=False).figures()
    absolute = codes.values > 0.9
    cut = Codes(codes.rows[absolute], codes.latents[absolute], codes.values[absolute])
    found["0.9 for all (published)"] = judge(data, cut, latents, inner=True, regions=False).figures()
    return found


# -- tables ------------------------------------------------------------------------------------------------


def shown(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.3f}"


def show_rivals(name: str, rows: dict[str, Any]) -> None:
    table = Table("latents", "part mAP", "coverage@0.3", "purity@16", "region IoU", "trait F1", "L0",
                  title=f"{name}: held-out images")  # fmt: skip
    for coder, scores in rows.items():
        if isinstance(scores, Scores):
            table.add_row(coder, *(shown(value) for value in scores.figures().values()))
        else:
            table.add_row(coder, shown(scores))
    console.print(table)


def show_ablation(rows: list[dict[str, Any]], thresholds: dict[str, dict[str, float | None]]) -> None:
    table = Table(
        "setting", "part mAP", "coverage@0.3", "trait F1", "L0", "s", title="ablation: within the choosing half"
    )
    for row in rows:
        figures = [shown(row[key]) for key in ("map_parts", "coverage", "trait_f1", "l0", "train_s")]
        table.add_row(row["name"], *figures)
    for name, row_of in thresholds.items():
        table.add_row(
            f"fires from {name}", *(shown(row_of[key]) for key in ("map_parts", "coverage", "trait_f1", "l0"))
        )
    console.print(table)


def show_rules(rules: dict[str, Any]) -> None:
    table = Table("rule", "marks", "confirmed", "first 50", "species", "alone in genus", "null marks", "null first 50",
                  title="rules that pick a species' latents: chosen on one half, looked at on the other")  # fmt: skip
    for name, row in rules.items():
        figures = [shown(row[key]) for key in ("confirmed", "first_50", "species", "singles")]
        table.add_row(name, str(row["marks"]), *figures, f"{row['null_marks']:.1f}", shown(row["null_first_50"]))
    console.print(table)


def main() -> None:
    arguments = _arguments()
    backbone = load_backbone(arguments.backbone, layer=arguments.layer)
    reasons: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="traits-") as temporary:
        work = Path(arguments.work or temporary)
        figures = _measure(arguments, backbone, work, reasons)
    write(arguments.json, _plain(figures | {"reasons": reasons}))
    for name, reason in reasons.items():
        console.print(f"{name}: not measured, {reason}")


def _plain(value: Any) -> Any:
    """The same with ``None`` for what isn't a number, which JSON can't say."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _arguments() -> argparse.Namespace:
    parser = options(__doc__ or "")
    parser.add_argument("--organisms", type=Path, default=ORGANISMS, help="folder with fly_keypoints and ovary")
    parser.add_argument("--images", type=int, help="drawn images; 264 if not given, 96 fish with --quick")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn organisms")
    parser.add_argument("--backbone", default="embedded", help="name or folder of a checkpoint")
    parser.add_argument("--layer", type=int, help="of the backbone")
    parser.add_argument("--layers", type=int, nargs="*", default=[], help="layers to compare")
    parser.add_argument("--work", type=Path, help="folder for what is made meanwhile; a temporary one if not given")
    return parser.parse_args()


def _measure(arguments: argparse.Namespace, backbone: Backbone, work: Path, reasons: dict[str, str]) -> dict[str, Any]:
    quick = arguments.quick
    images = arguments.images or (96 if quick else 264)
    kinds = ("fish",) if quick else KINDS
    data = drawn(backbone, work, images=images, seed=arguments.seed, kinds=kinds, size=320 if quick else 512)
    tried = ablation(data, work, quick=quick)
    best = max(tried, key=lambda row: row["map_parts"] + row["trait_f1"])
    setting = Setting(best["variant"], best["expansion"], best["k"], best["steps"])
    sae = learned(data, setting, work)
    codes = coded(data, sae)
    thresholds = by_threshold(data, codes, sae.latents, (0.0, 0.25) if quick else (0.0, 0.1, 0.25, 0.5))
    show_ablation(tried, thresholds)
    rules = _rules(data if quick else _fish(arguments, backbone, work), setting, work, shuffles=2 if quick else 10)
    tables = {"drawn": against_rivals(data, setting, work, quick=quick)}
    for name, folder, load in (("flies", "fly_keypoints", flies), ("ovary", "ovary", ovaries)):
        if not (arguments.organisms / folder).is_dir():
            reasons[name] = f"there is no folder {arguments.organisms / folder}"
            continue
        real = load(backbone, arguments.organisms / folder, work)
        tables[name] = against_rivals(real, setting, work, quick=quick)
    for name, rows in tables.items():
        show_rivals(name, rows)
    show_rules(rules)
    layers = _by_layer(arguments, work, setting, reasons, images=images)
    reasons.setdefault("ovary purity", "it takes 16 held-out images, and there is one")
    reasons.setdefault("flies region_iou", "its truth is points, not masks")
    reasons.setdefault("flies and ovary trait_f1", "nobody wrote down traits of these pictures")
    keys = ("map_parts", "region_iou", "trait_f1", "coverage", "purity")
    found: dict[str, Any] = {key: {name: _column(rows, key) for name, rows in tables.items()} for key in keys}
    for name in ("flies", "ovary"):
        for key in keys:
            found[key].setdefault(name, None)
    return found | {
        "backbone": backbone.identity,
        "setting": asdict(setting),
        "images": images,
        "ablation": tried,
        "by_threshold": thresholds,
        "by_layer": layers,
        "rules": rules,
        "by_part": {name: rows["sae"].by_part for name, rows in tables.items()},
    }


FISH = 288
"""Pictures of fish for the rules: 24 of each species, since a test needs specimens."""


def _fish(arguments: argparse.Namespace, backbone: Backbone, work: Path) -> PatchSet:
    return drawn(backbone, work, images=FISH, seed=arguments.seed, kinds=("fish",), size=320, name="fish")


def _rules(data: PatchSet, setting: Setting, work: Path, *, shuffles: int) -> dict[str, Any]:
    """What the published rule and the tested one are worth, on the same codes."""
    sae = learned(data, setting, work)
    codes = coded(data, sae)
    return {
        rule: asdict(rule_scores(data, codes, sae.latents, rule, shuffles=shuffles, seed=0))
        for rule in ("published", "tested")
    }


def _column(rows: dict[str, Any], key: str) -> dict[str, float | None]:
    column = {name: getattr(row, key) for name, row in rows.items() if isinstance(row, Scores)}
    if key == "map_parts":
        column |= {name: row for name, row in rows.items() if not isinstance(row, Scores)}
    return column


def _by_layer(
    arguments: argparse.Namespace, work: Path, setting: Setting, reasons: dict[str, str], *, images: int
) -> dict[str, Any] | None:
    """Measures by layer of the backbone, within the choosing half."""
    if arguments.backbone == "embedded":
        reasons["by_layer"] = "the embedded backbone has no layers"
        return None
    found = {}
    for layer in arguments.layers:
        backbone = load_backbone(arguments.backbone, layer=layer)
        folder = work / f"layer{layer}"
        data = drawn(backbone, folder, images=images, seed=arguments.seed, kinds=KINDS, size=512)
        sae = learned(data, setting, folder)
        found[str(layer)] = judge(data, coded(data, sae), sae.latents, inner=True, regions=False).figures()
    return found


if __name__ == "__main__":
    main()
