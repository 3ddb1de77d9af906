"""The commands of the trait pipeline; see :mod:`console.cli.app`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from console.cli import options as o
from console.cli.exits import ExitCode
from console.cli.gold import gold
from console.cli.groups import expanded
from console.cli.reported import report_failures
from console.cli.screen import Screen
from console.cli.traits_options import (
    AskOptions,
    Count,
    Dataset,
    DescribeOptions,
    Example,
    ExampleSeed,
    FindOptions,
    Found,
    Images,
    MachineOptions,
    OutFolder,
    Reviews,
)

traits = typer.Typer(
    help="What marks a taxon in images of organisms, and where it shows: regions with evidence.", no_args_is_help=True
)
traits.add_typer(gold, name="gold")


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
    describing: DescribeOptions,
    asking: AskOptions,
    machine: MachineOptions,
    reviews: Reviews = None,
    as_json: o.Json = False,
) -> None:
    """Say what the images of each taxon show: regions, described in words, checked, as a dataset.

    Works offline and without a model: then it says what can be measured. Killed at any moment, the same command goes on
    where it was. An option that is not given is as DATASET was begun with.
    """

    def work(screen: Screen) -> ExitCode:
        from console.cli.annotating import annotate as annotated

        return annotated(
            screen, images, out, finding.asked(), describing.asked(), asking, reviews=reviews, **asdict(machine)
        )

    report_failures(work, as_json=as_json)
