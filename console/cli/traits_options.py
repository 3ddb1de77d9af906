"""The options of the trait pipeline's commands; see :mod:`console.cli.traits_commands`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

_MODEL = "Sparse autoencoder"
_COLLECTION = "Collection"
_MARKS = "What marks a taxon"
_MACHINE = "This computer"
_WORDS = "Descriptions"
_ASKED = "A model that describes"
_RELEASE = "The dataset"

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
Add = Annotated[
    bool,
    typer.Option(
        "--add",
        help="Take in images that were added: the autoencoder and what was made of the others stay, and no latent gets "
        "another number.",
    ),
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
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="A vision-language model that describes regions, too, at any OpenAI-compatible endpoint: a table "
        "[models.NAME] or [model] of labwright.toml, or the model of this name at LABWRIGHT_MODEL_URL.",
        rich_help_panel=_ASKED,
    ),
]
LookName = Annotated[
    str | None,
    typer.Option(
        "--look",
        metavar="NAME",
        help="How it is shown a region: overlay (default; cut out, outlined), crop, box or whole (without the region, "
        "to compare with).",
        rich_help_panel=_ASKED,
    ),
]
ImagesPerPrompt = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER",
        min=1,
        max=8,
        help="Specimens of a taxon that are shown at once; what all of them share is asked for. Default: 1.",
        rich_help_panel=_ASKED,
    ),
]
Examples = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Your own examples (YAML): pictures with their descriptions.", rich_help_panel=_ASKED
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=1, max=32, help="How often it is asked the same.", rich_help_panel=_ASKED),
]
Controls = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        min=0,
        max=1,
        help="Share of the questions that are asked as controls, too: with another region, a blank image, a wrong "
        "name, and once more; 0 for none. Default: 0.05.",
        rich_help_panel=_ASKED,
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="MONEY",
        help="The most that DATASET's questions may cost, those of before included, in the currency of the price.",
        rich_help_panel=_ASKED,
    ),
]
BudgetTokens = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=0, help="The same in tokens, sent and received.", rich_help_panel=_ASKED),
]
Batch = Annotated[
    bool,
    typer.Option("--batch", help="Ask through OpenAI's batch interface: cheaper, and slower.", rich_help_panel=_ASKED),
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Ask the model without asking a person first.", rich_help_panel=_ASKED)
]
Creators = Annotated[
    list[str],
    typer.Option(
        "--creator",
        metavar="NAME",
        help="Who made the dataset: a person or an organisation. May be given several times.",
        rich_help_panel=_RELEASE,
    ),
]
DatasetLicence = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help='The licence of the statements, as "CC BY 4.0"; not of the images.',
        rich_help_panel=_RELEASE,
    ),
]
Checklist = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Synonyms: a CSV file with the columns verbatim name and accepted name. The collection's names are kept, "
        "too.",
        rich_help_panel=_RELEASE,
    ),
]
Reviews = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="What people decided about statements: Label Studio's export (JSON), or CSV with statement, decision, "
        "reviewer and state. Kept in DATASET, and applied from then on.",
        rich_help_panel=_RELEASE,
    ),
]
GoldBar = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        min=0,
        max=1,
        help="Leave characters out unless the lower end of their precision's interval, by labwright traits gold, "
        "reaches this; 0 for none.",
        rich_help_panel=_RELEASE,
    ),
]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="Title of the dataset.", rich_help_panel=_RELEASE)]
AllowUnlicensed = Annotated[
    bool | None,
    typer.Option(
        "--allow-unlicensed/--only-licensed",
        show_default=False,
        help="Put images without a known licence into the dataset, too; those whose licence forbids it stay out.",
        rich_help_panel=_RELEASE,
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
    add: Add = False


@dataclass(frozen=True, kw_only=True)
class DescribeOptions:
    """How regions are described, and what the dataset is to be."""

    dictionary: DictionaryFile = None
    pixels_per_mm: PixelsPerMm = None
    pixels_per_mm_sd: PixelsPerMmSd = None
    model: ModelName = None
    look: LookName = None
    images_per_prompt: ImagesPerPrompt = None
    examples: Examples = None
    samples: Samples = None
    controls: Controls = None
    title: Title = None
    creator: Creators = field(default_factory=list)
    dataset_licence: DatasetLicence = None
    checklist: Checklist = None
    allow_unlicensed: AllowUnlicensed = None
    gold_bar: GoldBar = None

    def asked(self) -> dict[str, Any]:
        """What is asked, by name, paths as text; ``None`` where nothing is."""
        said = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        creators = tuple(said.pop("creator")) or None
        return said | {"creators": creators}


@dataclass(frozen=True, kw_only=True)
class AskOptions:
    """At what expense a model is asked, and in which way."""

    budget: Budget = None
    budget_tokens: BudgetTokens = None
    batch: Batch = False
    yes: Yes = False
