"""How fast sparse autoencoders are trained: a TopK step beside other libraries and beside the one product it needs.

768 dimensions, 16 and 32 times as many latents, 32 active, batches of 4,096: every library makes a step in turn, on the
same data, from the same weights, with the same number of threads, each in a process of its own. The limit is the
encoder's product alone, in the precision used, in the same turns. Quality is judged on held-out activations after equal
steps of smaller autoencoders that all libraries can afford.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.output import options, write
from benchmarks.peers import python_of

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("saelens", "saelens_bf16", "sparsify", "sparsify_bf16", "overcomplete")
HERE = ("limit", "limit_bf16", "ours", "ours_bf16", "dense", "published", "ours_published")


class Setting(NamedTuple):
    """What is measured: shapes, and how often."""

    dimensions: int
    expansion: int
    batch: int
    warm_up: int
    rounds: int

    @property
    def name(self) -> str:
        return f"x{self.expansion}"


class Server:
    """A library in its process."""

    def __init__(self, name: str, data: Path, setting: Setting, threads: int) -> None:
        self.name = name
        python = str(python_of("sae")) if name in PEERS else sys.executable
        latents = setting.dimensions * setting.expansion
        numbers = [str(each) for each in (setting.dimensions, latents, setting.batch, threads)]
        settings = {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled"}
        if name.startswith("ours"):  # as pipelines.traits sets it where it is imported before torch
            settings["OMP_WAIT_POLICY"] = "PASSIVE"
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.sae_peers", name, str(data), *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | settings,
        )

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}")
        return json.loads(line)  # type: ignore[no-any-return]

    def ask(self, what: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(what), file=self.process.stdin, flush=True)
        return self.heard()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def activations(path: Path, dimensions: int, count: int) -> None:
    """Sparse sums of 4,096 directions, of which some are common and most are rare, with noise."""
    random = np.random.default_rng(0)
    directions = random.standard_normal((4096, dimensions), np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    chances = 1 / np.arange(1, 4097) ** 0.8
    chances /= chances.sum()
    x_nd = 0.02 * random.standard_normal((count, dimensions), np.float32)
    for _ in range(24):
        chosen = random.choice(4096, count, p=chances)
        x_nd += random.gamma(2.0, 0.5, (count, 1)).astype(np.float32) * directions[chosen]
    np.save(path, x_nd)


def begin(names: list[str], data: Path, setting: Setting, threads: int, stack: ExitStack) -> dict[str, Any]:
    """Servers that are ready; a reason for each that is not."""
    found: dict[str, Any] = {}
    for name in names:
        if name in PEERS and python_of("sae") is None:
            found[name] = "not installed: python -m benchmarks.peers sae"
            continue
        server = stack.enter_context(Server(name, data, setting, threads))
        try:
            server.heard()
            found[name] = server
        except RuntimeError as error:
            found[name] = str(error)
    return found


def measured(setting: Setting, names: list[str], data: Path, threads: int) -> dict[str, Any]:
    """Of each library: activations a second and peak memory, in turns; of ours the stages too."""
    with ExitStack() as stack:
        servers = begin(names, data, setting, threads, stack)
        timings: dict[str, list[float]] = {name: [] for name in names}
        peaks: dict[str, float] = {}
        for turn in range(setting.warm_up + setting.rounds):
            for name, server in list(servers.items()):
                if isinstance(server, str):
                    continue
                try:
                    answer = server.ask("step")
                except RuntimeError as error:
                    servers[name] = str(error)
                    continue
                peaks[name] = answer["peak_mb"]
                if turn >= setting.warm_up:
                    timings[name].append(answer["seconds"])
        found: dict[str, Any] = {}
        for name, server in servers.items():
            if isinstance(server, str):
                found[name] = {"acts_per_s": None, "peak_mb": None, "reason": server}
                continue
            seconds = statistics.median(timings[name])
            found[name] = {"acts_per_s": setting.batch / seconds, "seconds": seconds, "peak_mb": peaks[name]}
            if name in ("ours", "ours_bf16"):
                spent = server.ask("stages")
                del spent["peak_mb"]
                found[name]["stage_share"] = {stage: each / sum(spent.values()) for stage, each in spent.items()}
        return found


def quality(steps: int, threads: int, folder: Path) -> dict[str, Any]:
    """FVU and dead share of each library after equal steps of a smaller autoencoder."""
    setting = Setting(256, 16, 1024, 0, steps)
    data = folder / "small.npy"
    activations(data, setting.dimensions, setting.batch * (min(steps, 64) + 2))
    names = ["ours", "ours_bf16", "dense", *PEERS]
    found: dict[str, Any] = {"steps": steps, "dimensions": 256, "latents": 4096, "batch": setting.batch}
    for name in names:
        with ExitStack() as stack:
            server = begin([name], data, setting, threads, stack)[name]
            if isinstance(server, str):
                found[name] = {"fvu": None, "dead": None, "reason": server}
                continue
            for _ in range(steps):
                server.ask("step")
            judged = server.ask("judge")
            found[name] = {"fvu": judged["fvu"], "dead": judged["dead"]}
    return found


def ratios(found: dict[str, Any]) -> dict[str, Any]:
    """Of ours, to the others and to the limit; both precisions."""

    def ratio(mine: str, other: str) -> float | None:
        rates = [found.get(name, {}).get("acts_per_s") for name in (mine, other)]
        return rates[0] / rates[1] if None not in rates else None

    return {
        "fraction_of_limit": ratio("ours", "limit"),
        "fraction_of_limit_bf16": ratio("ours_bf16", "limit_bf16"),
        **{f"ratio_to_{name}": ratio("ours", name) for name in ("dense", *PEERS)},
        **{f"bf16_ratio_to_{name}": ratio("ours_bf16", name) for name in ("dense", *PEERS)},
        "ratio_to_published": ratio("ours_published", "published"),
    }


def report(by_setting: dict[str, Any], judged: dict[str, Any]) -> None:
    """Print the tables."""
    table = Table("setting", "step", "activations/s", "peak MB", "of the limit", title="A training step")
    for name, found in by_setting.items():
        for each, figures in found["steps"].items():
            if figures["acts_per_s"] is None:
                table.add_row(name, each, "-", "-", figures["reason"])
                continue
            limit = found["steps"]["limit_bf16" if each.endswith("bf16") else "limit"]["acts_per_s"]
            share = f"{figures['acts_per_s'] / limit:.1%}"
            table.add_row(name, each, f"{figures['acts_per_s']:,.0f}", f"{figures['peak_mb']:,.0f}", share)
    console = Console()
    console.print(table)
    for name, found in by_setting.items():
        for each in ("ours", "ours_bf16"):
            shares = found["steps"][each].get("stage_share", {})
            console.print(f"{name} {each}: " + ", ".join(f"{stage} {share:.0%}" for stage, share in shares.items()))
    table = Table("library", "FVU", "dead", title=f"After {judged['steps']} equal steps")
    for name, figures in judged.items():
        if isinstance(figures, dict):
            table.add_row(
                name, *(f"{figures[key]:.4f}" if figures[key] is not None else "-" for key in ("fvu", "dead"))
            )
    console.print(table)


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if asked.quick:  # a quarter of the batch: slow libraries take seconds a step
        settings, steps = [Setting(768, 16, 1024, 1, 2)], 8
    else:
        settings, steps = [Setting(768, 16, 4096, 2, 4), Setting(768, 32, 4096, 2, 4)], 150
    by_setting: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "activations.npy"
        activations(data, 768, settings[0].batch * 9)
        for setting in settings:
            found = measured(setting, [*HERE, *PEERS], data, asked.threads)
            by_setting[setting.name] = {"batch": setting.batch, **ratios(found), "steps": found}
        judged = quality(steps, asked.threads, Path(folder))
    first = by_setting["x16"]
    report(by_setting, judged)
    write(
        asked.json,
        {
            "acts_per_s": first["steps"]["ours"]["acts_per_s"],
            **{key: first[key] for key in ("ratio_to_dense", "ratio_to_saelens", "ratio_to_sparsify")},
            "ratio_to_overcomplete": first["ratio_to_overcomplete"],
            "fraction_of_limit": first["fraction_of_limit"],
            "stage_share": first["steps"]["ours"]["stage_share"],
            "fvu": judged["ours"]["fvu"],
            "peak_mb": first["steps"]["ours"]["peak_mb"],
            "threads": asked.threads,
            "quality": judged,
            "by_setting": by_setting,
            "cuda": None,
            "cuda_reason": "no CUDA device was to hand",
        },
    )


if __name__ == "__main__":
    main()
