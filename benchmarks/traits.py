"""How much of what is there the trait pipeline finds: parts, regions and trait states whose right answer is known.

On drawn organisms (parts with masks, traits with states) and on real pictures with part or landmark truth, each sparse
autoencoder is held against random latents, principal components, clusters of k-means on the same activations, and a
linear probe that was shown the labels; and the published rule of selection against the tested one. Latents, thresholds
and settings are chosen on one half of the images, figures are of the other. Settings are compared (the ablation) within
the choosing half alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.output import options, write
from benchmarks.trait_control import random_transformer
from benchmarks.trait_rivals import Clusters, Coder, principal_components, random_latents
from benchmarks.trait_scores import Scores, by_size, ceiling, judge, rule_scores, trait_chance
from benchmarks.trait_sets import PatchSet, drawn, flies, ovaries
from benchmarks.trait_settings import Setting, ablation, by_feature, by_threshold, coded, learned
from benchmarks.trait_tables import show_ablation, show_rivals, show_rules, show_sizes
from pipelines.traits.features import Backbone, load_backbone
from pipelines.traits.organisms import KINDS

ORGANISMS = Path(__file__).resolve().parents[2] / "shared" / "data" / "organisms"
FISH = 288
"""Pictures of fish for the rules: 24 of each species, since a test needs specimens."""
CONTROL_EXPANSION = 4
"""Of its 768 dimensions: 3,072 latents, about as many as 8 times those of the embedded backbone."""
KEYS = ("map_parts", "coverage", "purity", "region_iou", "trait_f1", "trait_purity")
console = Console()


@dataclass(frozen=True)
class Plan:
    """What one run measures.

    Attributes:
        work: folder for what is made meanwhile.
        organisms: folder of the real pictures.
        images, seed, kinds, size: of the drawn organisms.
        quick: whether to be done within a minute.
    """

    work: Path
    organisms: Path
    images: int
    seed: int
    kinds: tuple[str, ...]
    size: int
    quick: bool

    def drawn(self, backbone: Backbone, folder: Path) -> PatchSet:
        """The drawn organisms."""
        return drawn(backbone, folder, images=self.images, seed=self.seed, kinds=self.kinds, size=self.size)

    def sets(self, backbone: Backbone, folder: Path, reasons: dict[str, str]) -> Iterator[PatchSet]:
        """The real pictures that are there."""
        for name, source, load in (("flies", "fly_keypoints", flies), ("ovary", "ovary", ovaries)):
            if (self.organisms / source).is_dir():
                yield load(backbone, self.organisms / source, folder)
            else:
                reasons[name] = f"there is no folder {self.organisms / source}"


def against_rivals(data: PatchSet, setting: Setting, plan: Plan, work: Path) -> dict[str, Any]:
    """The measures of every coder on a set."""
    sae = learned(data, setting, work)
    rows: dict[str, Any] = {"sae": judge(data, coded(data, sae), sae.latents)}
    rivals: dict[str, Coder] = {
        "random": random_latents(data.activations, sae.latents, setting.k, seed=1),
        "pca": principal_components(data.activations, k=32),
        "k_means": Clusters(data.activations, 256 if plan.quick else min(sae.latents, MOST_CLUSTERS), seed=1),
    }
    for name, rival in rivals.items():
        rows[name] = judge(data, rival.codes(data.activations), rival.latents)
    rows["linear_probe"], rows["chance"] = ceiling(data)
    return rows


MOST_CLUSTERS = 2560
"""More take minutes and are no better: of some 20,000 patches each would have fewer than eight."""


def main() -> None:
    arguments = _arguments()
    start = time.perf_counter()
    backbone = load_backbone(arguments.backbone, layer=arguments.layer)
    reasons: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="traits-") as temporary:
        plan = Plan(
            Path(arguments.work or temporary),
            arguments.organisms,
            arguments.images or (96 if arguments.quick else 198),
            arguments.seed,
            ("fish",) if arguments.quick else KINDS,
            320 if arguments.quick else 512,
            arguments.quick,
        )
        figures = _measure(arguments, plan, backbone, reasons)
    minutes = (time.perf_counter() - start) / 60
    write(arguments.json, _plain(figures | {"reasons": reasons, "minutes": round(minutes, 1)}))
    for name, reason in reasons.items():
        console.print(f"{name}: not measured, {reason}")
    console.print(f"{minutes:.1f} minutes")


def _plain(value: Any) -> Any:
    """The same with ``None`` for what isn't a number, which JSON can't say."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _arguments() -> argparse.Namespace:
    parser = options(__doc__ or "")
    parser.add_argument("--organisms", type=Path, default=ORGANISMS, help="folder with fly_keypoints and ovary")
    parser.add_argument("--images", type=int, help="drawn images; 198 if not given, 96 fish with --quick")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn organisms")
    parser.add_argument("--backbone", default="embedded", help="name or folder of a checkpoint")
    parser.add_argument("--layer", type=int, help="of the backbone")
    parser.add_argument("--layers", type=int, nargs="*", default=[], help="layers to compare")
    parser.add_argument("--work", type=Path, help="folder for what is made meanwhile; a temporary one if not given")
    return parser.parse_args()


def _measure(arguments: argparse.Namespace, plan: Plan, backbone: Backbone, reasons: dict[str, str]) -> dict[str, Any]:
    work, quick = plan.work, plan.quick
    data = plan.drawn(backbone, work)
    tried = ablation(data, work, quick=quick)
    best = max(tried, key=lambda row: row["map_parts"] + row["trait_f1"])
    setting = Setting(best["variant"], best["expansion"], best["k"], best["steps"])
    sae = learned(data, setting, work)
    thresholds = by_threshold(data, coded(data, sae), sae.latents, (0.0, 0.25) if quick else (0.0, 0.1, 0.25, 0.5))
    features = _by_feature(arguments, data, setting, work, reasons, quick=quick)
    layers = _by_layer(arguments, plan, setting, reasons)
    show_ablation(tried, thresholds, features or {}, layers or {})
    sets = [data, *plan.sets(backbone, work, reasons)]
    tables = {each.name: against_rivals(each, setting, plan, work) for each in sets}
    sizes = {each.name: _sizes(each, tables[each.name]) for each in sets}
    for name, rows in tables.items():
        show_rivals(name, rows)
    show_sizes(sizes)
    fish = data if quick else drawn(backbone, work, images=FISH, seed=plan.seed, kinds=("fish",), size=320, name="fish")
    rules = _rules(fish, setting, work, shuffles=2 if quick else 10)
    show_rules(rules)
    reasons |= {
        "ovary purity": "it takes 16 held-out images, and there is one",
        "flies region_iou": "its truth is points, not masks",
        "flies and ovary trait_f1, trait_purity": "nobody wrote down traits of these pictures",
    }
    found = _columns(tables)
    found["trait_f1"]["drawn"]["chance"] = trait_chance(data)
    return found | {
        "backbone": backbone.identity,
        "setting": asdict(setting),
        "images": plan.images,
        "ablation": tried,
        "by_threshold": thresholds,
        "by_feature": features,
        "by_layer": layers,
        "rules": rules,
        "by_part": {name: rows["sae"].by_part for name, rows in tables.items()},
        "by_size": sizes,
        "by_state": {state: dict(zip(("f1", "purity"), both, strict=True))
                     for state, both in tables["drawn"]["sae"].by_state.items()},
        "random_transformer": _control(plan, setting, reasons),
    }  # fmt: skip


def _columns(tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """By measure, by set, by coder; ``None`` for a set that is not there."""
    found: dict[str, Any] = {key: {name: _column(rows, key) for name, rows in tables.items()} for key in KEYS}
    for name in ("drawn", "flies", "ovary"):
        for key in KEYS:
            found[key].setdefault(name, None)
    return found


def _column(rows: dict[str, Any], key: str) -> dict[str, float | None]:
    column = {name: getattr(row, key) for name, row in rows.items() if isinstance(row, Scores)}
    if key == "map_parts":
        column |= {name: row for name, row in rows.items() if not isinstance(row, Scores)}
    return column


def _sizes(data: PatchSet, rows: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {coder: by_size(data, scores.by_part) for coder, scores in rows.items() if isinstance(scores, Scores)}


def _rules(data: PatchSet, setting: Setting, work: Path, *, shuffles: int) -> dict[str, Any]:
    """What the published rule and the tested one are worth, on the same codes."""
    sae = learned(data, setting, work)
    codes = coded(data, sae)
    return {
        rule: asdict(rule_scores(data, codes, sae.latents, rule, shuffles=shuffles, seed=0))
        for rule in ("published", "tested")
    }


def _by_feature(
    arguments: argparse.Namespace, data: PatchSet, setting: Setting, work: Path, reasons: dict[str, str], *, quick: bool
) -> dict[str, Any] | None:
    if arguments.backbone != "embedded":
        reasons["by_feature"] = "only the embedded backbone is made of groups of features"
        return None
    if quick:
        reasons["by_feature"] = "only without --quick"
        return None
    return by_feature(data, setting, work)


def _by_layer(
    arguments: argparse.Namespace, plan: Plan, setting: Setting, reasons: dict[str, str]
) -> dict[str, Any] | None:
    """Measures by layer of the backbone, within the choosing half."""
    if arguments.backbone == "embedded":
        reasons["by_layer"] = (
            "the embedded backbone has no layers (by_feature leaves out its parts instead), and layers of random "
            "weights tell nothing of learned ones; give --backbone with a checkpoint, and --layers"
        )
        return None
    found = {}
    for layer in arguments.layers:
        backbone = load_backbone(arguments.backbone, layer=layer)
        folder = plan.work / f"layer{layer}"
        data = plan.drawn(backbone, folder)
        sae = learned(data, setting, folder)
        found[str(layer)] = judge(data, coded(data, sae), sae.latents, inner=True, regions=False).figures()
    return found


def _control(plan: Plan, setting: Setting, reasons: dict[str, str]) -> dict[str, Any] | None:
    """The same table of a vision transformer that has learned nothing."""
    if plan.quick:
        reasons["random_transformer"] = "only without --quick"
        return None
    folder = plan.work / "random-transformer"
    backbone = random_transformer(folder)
    setting = replace(setting, expansion=CONTROL_EXPANSION)
    tables = {}
    for data in (plan.drawn(backbone, folder), *plan.sets(backbone, folder, {})):
        tables[data.name] = against_rivals(data, setting, plan, folder)
        show_rivals(f"random weights, {data.name}", tables[data.name])
    return _columns(tables) | {"backbone": backbone.identity}


if __name__ == "__main__":
    main()
