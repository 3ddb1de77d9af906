"""The commands of the trait pipeline and their options; see :mod:`console.cli.app`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import options as o
from console.cli.exits import ExitCode
from console.cli.groups import expanded
from console.cli.reported import report_failures
from console.cli.screen import Screen

traits = typer.Typer(
    help="What marks a taxon in images of organisms, and where it shows: regions with evidence.", no_args_is_help=True
)
_MODEL = "Sparse autoencoder"
_COLLECTION = "Collection"
_MARKS = "What marks a taxon"
_MACHINE = "This computer"
_WORDS = "Descriptions"

Images = Annotated[
    Path,
    typer.Argument(
        metavar="IMAGES",
        help="A folder of images: a folder per taxon, or images with a table (CSV, Parquet), WebDataset shards, an "
        "imagefolder.",
    ),
]
OutFolder = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="Everything that is found goes there, stage by stage.")
]
Example = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet, or is empty.")]
Found = Annotated[Path, typer.Argument(metavar="DIR", help="The --out of labwright traits find.")]
Backbone = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|PATH",
        help="The vision model: embedded (default; needs no weights, and is much weaker), or a checkpoint's folder or "
        "name: DINOv2, DINOv3, BioCLIP 2, CLIP, SigLIP.",
    ),
]
Layer = Annotated[
    int | None, typer.Option(metavar="NUMBER", help="Which layer of the model; negative ones count from the last.")
]
SaePath = Annotated[
    Path | None,
    typer.Option(
        "--sae", metavar="PATH", help="A trained sparse autoencoder, instead of training.", rich_help_panel=_MODEL
    ),
]
Variant = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="topk (default), batch-topk, matryoshka, jumprelu or relu.",
        rich_help_panel=_MODEL,
    ),
]
Expansion = Annotated[
    int | None,
    typer.Option(metavar="FACTOR", min=1, max=256, help="Latents for each dimension.", rich_help_panel=_MODEL),
]
K = Annotated[
    int | None,
    typer.Option(
        "--k", metavar="NUMBER", min=1, max=4096, help="Latents that fire for a patch.", rich_help_panel=_MODEL
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=1, max=10_000_000, help="Steps of the training.", rich_help_panel=_MODEL),
]
Rank = Annotated[
    str | None,
    typer.Option(
        metavar="RANK",
        help="Of the taxa: order, family, genus, species …; by default all of them.",
        rich_help_panel=_MARKS,
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="ACTIVATION",
        min=0,
        max=1e6,
        help="A latent fires where it is above this; by default from half of its own strongest.",
        rich_help_panel=_MARKS,
    ),
]
Licence = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="The licence of images without a statement of their own, in place of what the folder's licence file says.",
        rich_help_panel=_COLLECTION,
    ),
]
Layout = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="folders, table, imagefolder, manifest, webdataset or flat, where it is not recognised.",
        rich_help_panel=_COLLECTION,
    ),
]
Seed = Annotated[int | None, typer.Option(metavar="NUMBER", min=0, max=2**31 - 1, help="Of everything left to chance.")]
Workers = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=1, max=256, help="How many read images at a time.", rich_help_panel=_MACHINE),
]
Device = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="cpu or cuda; by default cuda where there is one.", rich_help_panel=_MACHINE),
]
Again = Annotated[
    bool,
    typer.Option("--again", help="Do again what other options, or images that changed, make out of date in DIR."),
]
Dataset = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="DATASET",
        help="Everything goes there, stage by stage: a new folder, or the --out of labwright traits find.",
    ),
]
DictionaryFile = Annotated[
    Path | None,
    typer.Option(
        "--dictionary",
        metavar="FILE",
        help="Your own dictionary of characters and states (YAML), instead of the one that comes with Labwright.",
        rich_help_panel=_WORDS,
    ),
]
PixelsPerMm = Annotated[
    float | None,
    typer.Option(
        metavar="NUMBER",
        help="Calibration of images that state none themselves; without one there are no millimetres.",
        rich_help_panel=_WORDS,
    ),
]
PixelsPerMmSd = Annotated[
    float | None,
    typer.Option(metavar="NUMBER", help="One standard deviation of it.", rich_help_panel=_WORDS),
]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="Title of the dataset.", rich_help_panel=_COLLECTION)]
AllowUnlicensed = Annotated[
    bool,
    typer.Option(
        "--allow-unlicensed",
        help="Put images without a known licence into the dataset, too; those whose licence forbids it stay out.",
        rich_help_panel=_COLLECTION,
    ),
]
Count = Annotated[int, typer.Option("--images", metavar="NUMBER", min=8, max=1_000_000, help="How many to draw.")]
ExampleSeed = Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, max=2**31 - 1, help="Of what is drawn.")]


@dataclass(frozen=True, kw_only=True)
class FindOptions:
    """How regions are found, and on which computer."""

    backbone: Backbone = None
    layer: Layer = None
    rank: Rank = None
    threshold: Threshold = None
    sae: SaePath = None
    variant: Variant = None
    expansion: Expansion = None
    k: K = None
    steps: Steps = None
    layout: Layout = None
    licence: Licence = None
    seed: Seed = None

    def asked(self) -> dict[str, Any]:
        """What is asked, by name, paths as text."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """With what the work is done, and whether what was done before is done again."""

    device: Device = None
    workers: Workers = None
    again: Again = False


@traits.command("find")
@expanded
def _traits_find(
    images: Images,
    out: OutFolder,
    finding: FindOptions,
    machine: MachineOptions,
    as_json: o.Json = False,
) -> None:
    """Find what marks each taxon of a collection, and where it shows, and write a gallery.

    Works offline. Killed at any moment, the same command goes on where it was. An option that is not given is as DIR
    was begun with, or else chosen by the size of the collection.
    """

    def work(screen: Screen) -> ExitCode:
        from console.cli.traits import find

        return find(screen, images, out, finding.asked(), **asdict(machine))

    report_failures(work, as_json=as_json)


@traits.command("show")
def _traits_show(folder: Found, everything: o.All = False, as_json: o.Json = False) -> None:
    """What was found: the latents that mark each taxon, with their evidence, and where the gallery is."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.traits import show

        return show(screen, folder, everything=everything)

    report_failures(work, as_json=as_json)


@traits.command("example")
def _traits_example(folder: Example, images: Count = 480, seed: ExampleSeed = 0, as_json: o.Json = False) -> None:
    """Draw a collection of made-up insects, fish and leaves whose traits are known, to try things on."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.traits import example

        return example(screen, folder, images=images, seed=seed)

    report_failures(work, as_json=as_json)


@expanded
def annotate(
    images: Images,
    out: Dataset,
    finding: FindOptions,
    machine: MachineOptions,
    dictionary: DictionaryFile = None,
    pixels_per_mm: PixelsPerMm = None,
    pixels_per_mm_sd: PixelsPerMmSd = None,
    title: Title = None,
    allow_unlicensed: AllowUnlicensed = False,
    as_json: o.Json = False,
) -> None:
    """Say what the images of each taxon show: regions, described in words, checked, as a dataset.

    Works offline and without a model: then it says what can be measured. Killed at any moment, the same command goes on
    where it was. An option that is not given is as DATASET was begun with.
    """

    def work(screen: Screen) -> ExitCode:
        from console.cli.annotating import annotate as annotated

        described = {
            "dictionary": None if dictionary is None else str(dictionary),
            "pixels_per_mm": pixels_per_mm,
            "pixels_per_mm_sd": pixels_per_mm_sd,
            "title": title,
            "allow_unlicensed": allow_unlicensed or None,
        }
        return annotated(screen, images, out, finding.asked(), described, **asdict(machine))

    report_failures(work, as_json=as_json)
