"""The figures of the trait benchmark as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.trait_scores import Scores

console = Console()


def shown(value: float | None) -> str:
    """Three digits, or a dash."""
    return "–" if value is None or np.isnan(value) else f"{value:.3f}"


def show_rivals(name: str, rows: Mapping[str, Any]) -> None:
    """Every coder on one set; a row that is one number is of part mAP."""
    table = Table("latents", "part mAP", "coverage@0.3", "purity@16", "region IoU", "trait F1", "trait purity", "L0",
                  title=f"{name}: held-out images")  # fmt: skip
    for coder, scores in rows.items():
        if isinstance(scores, Scores):
            table.add_row(coder, *(shown(value) for value in scores.figures().values()))
        else:
            table.add_row(coder, shown(scores))
    console.print(table)


def show_sizes(sizes: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Part mAP by how large parts are."""
    for name, coders in sizes.items():
        table = Table("size of the part", *coders, title=f"{name}: part mAP by size")
        for size in next(iter(coders.values())):
            table.add_row(size, *(shown(column[size]) for column in coders.values()))
        console.print(table)


_ABLATED = ("map_parts", "coverage", "purity", "trait_f1", "trait_purity", "l0", "train_s")


def show_ablation(
    rows: list[dict[str, Any]], thresholds: Mapping[str, Mapping[str, Any]], features: Mapping[str, Mapping[str, Any]],
    layers: Mapping[str, Mapping[str, Any]],
) -> None:  # fmt: skip
    """Every setting that was tried."""
    table = Table("setting", "part mAP", "coverage@0.3", "purity@16", "trait F1", "trait purity", "L0", "s",
                  title="ablation: within the choosing half")  # fmt: skip
    named: list[tuple[str, Mapping[str, Any]]] = [(row["name"], row) for row in rows]
    named += [(f"fires from {name}", row) for name, row in thresholds.items()]
    named += list(features.items())
    named += [(f"layer {layer}", row) for layer, row in layers.items()]
    for name, row in named:
        table.add_row(name, *(shown(row.get(key)) for key in _ABLATED))
    console.print(table)


def show_rules(rules: Mapping[str, Any]) -> None:
    """What rules of selection are worth."""
    table = Table("rule", "marks", "confirmed", "first 50", "species", "alone in genus", "null marks", "null first 50",
                  title="rules that pick a species' latents: chosen on one half, looked at on the other")  # fmt: skip
    for name, row in rules.items():
        figures = [shown(row[key]) for key in ("confirmed", "first_50", "species", "singles")]
        table.add_row(name, str(row["marks"]), *figures, f"{row['null_marks']:.1f}", shown(row["null_first_50"]))
    console.print(table)
