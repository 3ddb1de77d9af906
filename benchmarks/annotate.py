"""Annotation: images a second from file to regions, each stage's share, memory, and what is added to the model's own.

Three measurements. *Speed*: drawn organisms on the embedded backbone, from files to regions; training and gallery have
shares of their own and are left out of the rate, for they do not grow with the images that are annotated afterwards.
*Memory*: the peak of whole jobs over more and more small images, each in a process of its own with a small vision
transformer of random weights, beside what the published design keeps (images x patches x latents x 4 bytes).
*Overhead*: a ViT-B/14-shaped model of random weights and 24,576 latents; what the job takes for each image over the
bare model and encoder product on prepared pixels, measured before and after it on the same machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.output import options, show, write

STAGES = ("scan", "features", "codes", "marking", "regions")
"""From file to regions, once there is an autoencoder."""
PATCHES, LATENTS = 256, 24_576
"""Of an image and of the autoencoder, as published."""
PREPROCESSING = {
    "do_resize": True,
    "do_center_crop": True,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
}
"""DINOv2's, beside the sizes."""
SMALL = (96, 72)
"""Pixels, width and height, of the images whose number grows."""
SMALL_VIT = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 56, "patch_size": 14}
"""Of their backbone: 16 patches of 64 numbers. What is held for each image does not depend on the backbone."""


class Clock:
    """When each stage of a job began and ended; of the regions, when every image had its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.stage = "start"
        self._began = 0.0

    def __call__(self, event: Any) -> None:
        now = time.perf_counter()
        self.stage = event.stage
        stage = "pictures" if event.unit == "pictures" else event.stage
        if event.state == "begun":
            self._began = now
        elif event.stage == "regions" and event.state == "going on":
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._began
            self._began = now
        elif event.state == "done":
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._began


def run_job(images: Path, out: Path, clock: Clock | None = None, **settings: Any) -> dict[str, float]:
    """Seconds of each stage of a job."""
    from pipelines.traits.finding import Settings, find_traits

    clock = clock or Clock()
    find_traits(images, out, Settings(**settings), report=clock)
    return clock.seconds


# -- speed -------------------------------------------------------------------------------------------------


def speed(folder: Path, images: int) -> dict[str, Any]:
    """Images a second on the embedded backbone, and each stage's share of the whole job."""
    from pipelines.traits.organisms import draw_collection

    draw_collection(folder / "drawn", images=images, workers=1)
    seconds = run_job(folder / "drawn", folder / "found")
    total = sum(seconds.values())
    return {
        "images_per_s": images / sum(seconds[stage] for stage in STAGES),
        "stage_share": {stage: spent / total for stage, spent in seconds.items()},
        "seconds_of_whole_job": total,
        "images_drawn": images,
    }


# -- memory ------------------------------------------------------------------------------------------------


def draw_small(folder: Path, images: int) -> None:
    """Small pictures of smooth noise, no two alike, in folders of 20 taxa, each of a colour of its own."""
    import cv2
    import numpy as np

    width, height = SMALL
    for number in range(images):
        taxon = folder / f"Genus_species{chr(97 + number % 20)}"
        taxon.mkdir(parents=True, exist_ok=True)
        colour = np.random.default_rng(number % 20).integers(0, 128, 3)
        coarse = (np.random.default_rng(number).integers(0, 128, (6, 8, 3)) + colour).astype(np.uint8)
        image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(taxon / f"{number:06d}.jpg"), image)


def peak_of(images: int) -> dict[str, Any]:
    """Peak memory of a whole job over so many small images, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        draw_small(Path(folder) / "images", images)
        make_vit(Path(folder) / "vit", **SMALL_VIT)
        command = [sys.executable, "-m", "benchmarks.annotate", "--job", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def job_in_this_process(folder: Path) -> None:
    """The job whose memory is measured; prints it."""
    began, clock = time.perf_counter(), Clock()
    own, ended = dict.fromkeys((*STAGES, "sae", "gallery"), 0.0), threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            own[clock.stage] = max(own.get(clock.stage, 0.0), memory_mb("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run_job(folder / "images", folder / "found", clock, backbone=str(folder / "vit"), steps=50, expansion=4, k=8)
    finally:
        ended.set()
        watcher.join()
    found = {"peak_mb": max(own.values()), "with_files_mb": memory_mb("VmHWM"), "stages": own}
    print(json.dumps(found | {"seconds": time.perf_counter() - began}))


def memory_mb(name: str) -> float:
    """Memory of this process, MB: ``RssAnon`` is its own; ``VmHWM`` the most there was, with pages of mapped files.

    Mapped files are activations that the system drops when memory is wanted. (``ru_maxrss`` would count what the
    process that started this one had.)
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def memory(counts: tuple[int, ...]) -> dict[str, Any]:
    """Peaks by number of images, and how much each more image takes."""
    peaks = {count: peak_of(count) for count in counts}
    few, many = counts[0], counts[-1]
    slope = (peaks[many]["peak_mb"] - peaks[few]["peak_mb"]) / (many - few)
    return {
        "peak_mb_by_images": {str(count): found["peak_mb"] for count, found in peaks.items()},
        "peak_mb_with_mapped_files_by_images": {str(count): found["with_files_mb"] for count, found in peaks.items()},
        "peak_mb_by_stage": {str(count): found["stages"] for count, found in peaks.items()},
        "seconds_by_images": {str(count): found["seconds"] for count, found in peaks.items()},
        "bytes_for_each_more_image": 2**20 * slope,
        "published_kb_for_each_image": PATCHES * LATENTS * 4 / 1024,
        "published_mb_by_images": {str(count): count * PATCHES * LATENTS * 4 / 2**20 for count in counts},
    }


# -- overhead ----------------------------------------------------------------------------------------------


def make_vit(folder: Path, **sizes: int) -> Path:
    """A vision transformer of random weights, as ``transformers`` writes one.

    Args:
        sizes: of its configuration; ViT-B/14 if not given: crop of 224 pixels, 256 patches of 768 numbers.
    """
    import torch
    from transformers.models.dinov2 import Dinov2Config, Dinov2Model

    from pipelines.traits.features.transformer import quiet_transformers

    torch.manual_seed(0)
    config = Dinov2Config(**({"image_size": 224, "patch_size": 14} | sizes))
    with quiet_transformers():
        Dinov2Model(config).save_pretrained(folder)
    seen = config.image_size
    preprocessing = PREPROCESSING | {
        "size": {"shortest_edge": seen * 8 // 7},
        "crop_size": {"height": seen, "width": seen},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return folder


def make_sae(folder: Path) -> Path:
    """An autoencoder of random weights."""
    import torch

    from pipelines.traits.sae import Sae, save_sae
    from pipelines.traits.sae.saving import make_sae as of_weights

    weights = torch.nn.functional.normalize(
        torch.randn(LATENTS, 768, generator=torch.Generator().manual_seed(0)), dim=1
    )
    tensors = {
        "W_enc_md": weights,
        "b_enc_m": torch.zeros(LATENTS),
        "W_dec_md": weights.clone(),
        "b_dec_d": torch.zeros(768),
        "threshold_m": torch.zeros(LATENTS),
    }
    made: Sae = of_weights(tensors, 32, {})
    save_sae(made, folder)
    return folder


def bare(model: Path, sae: Path, images: Path, count: int, batch: int) -> float:
    """Seconds of the model and the encoder product alone, over prepared pixels."""
    import torch

    from pipelines.traits.collections import open_image, read_collection
    from pipelines.traits.features import load_backbone
    from pipelines.traits.sae import load_sae

    backbone, weights = load_backbone(str(model)), load_sae(sae).W_enc_md
    specimens = read_collection(images).specimens[:batch]
    prepared = torch.stack([backbone.prepare(open_image(images, one)).pixels for one in specimens])
    began = time.perf_counter()
    for done in range(0, count, len(prepared)):
        activations = backbone.encode(prepared[: count - done])
        for image in activations:
            torch.mm(image, weights.T)
    return time.perf_counter() - began


def overhead(folder: Path, images: int) -> dict[str, Any]:
    """What a job takes over the bare model and product, as a fraction of those."""
    from pipelines.traits.organisms import draw_collection

    draw_collection(folder / "for-vit", images=images, workers=1)
    model, sae = make_vit(folder / "vit"), make_sae(folder / "sae")
    measure = partial(bare, model, sae, folder / "for-vit", images, min(images, 16))
    before = measure()
    seconds = run_job(folder / "for-vit", folder / "found-vit", backbone=str(model), sae=str(sae))
    alone = statistics.median([before, measure()])
    annotated = sum(seconds[stage] for stage in STAGES)
    return {
        "overhead_over_backbone": annotated / alone - 1,
        "vit_images_per_s": images / annotated,
        "bare_images_per_s": images / alone,
        "vit_seconds": {stage: seconds[stage] for stage in STAGES},
        "vit_images": images,
    }


def figures(quick: bool) -> dict[str, Any]:
    """All three measurements."""
    counts = (100, 300) if quick else (100, 1_000, 10_000, 100_000)
    found: dict[str, Any] = {"processors": len(os.sched_getaffinity(0))}
    with tempfile.TemporaryDirectory() as folder:
        found |= speed(Path(folder), 24 if quick else 240)
        found |= overhead(Path(folder), 8 if quick else 48)
    return found | memory(counts)


def rows(found: Mapping[str, Any]) -> list[tuple[str, object]]:
    """The table for people."""
    table: list[tuple[str, object]] = [("images/s, file to regions, embedded backbone", found["images_per_s"])]
    table += [(f"share of {stage}", f"{share:.1%}") for stage, share in found["stage_share"].items()]
    table += [
        ("images/s, ViT-B/14 shape", found["vit_images_per_s"]),
        ("images/s, model and encoder product alone", found["bare_images_per_s"]),
        ("overhead over these", f"{found['overhead_over_backbone']:.1%}"),
    ]
    for count, peak in found["peak_mb_by_images"].items():
        published = found["published_mb_by_images"][count]
        table.append((f"peak memory, {int(count):,} images", f"{peak:,.0f} MB (published design: {published:,.0f} MB)"))
    table.append(("for each more image", f"{found['bytes_for_each_more_image']:.0f} bytes"))
    return table


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument("--job", type=Path, help="(internal) run one job in this process and print its memory")
    given = parser.parse_args()
    if given.job is not None:
        job_in_this_process(given.job)
        return
    found = figures(given.quick)
    show("Annotation", rows(found))
    write(given.json, found)


if __name__ == "__main__":
    main()
