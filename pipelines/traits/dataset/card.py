"""The dataset's card, ``README.md``: the headings of the Imageomics template, figures computed from the data.

Template: https://imageomics.github.io/Imageomics-guide/wiki-guide/HF_DatasetCard_Template_mkdocs/
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import yaml

from pipelines.traits.dataset.figures import Figures
from pipelines.traits.dataset.settings import DatasetSettings
from pipelines.traits.dataset.staging import one_line
from pipelines.traits.statements import STANDINGS, Dictionary

_HUB = {
    "CC0": "cc0-1.0",
    "MIT": "mit",
    "Apache": "apache-2.0",
    "public domain": "pddl",
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MOST = 15
"""Lines of a table; the rest is summed."""


def card(
    settings: DatasetSettings,
    dictionary: Dictionary,
    figures: Figures,
    left_out: Mapping[str, int],
    licence: str,
    barred: Mapping[str, int],
) -> str:
    """The whole text.

    Args:
        settings: title, creators and so on.
        dictionary: of the characters.
        figures: of the data.
        left_out: images by the reason why they are not there.
        licence: of the statements, by the Hub's own short name, empty where it is not stated.
        barred: statements that the bar kept out, by character.
    """
    lines: list[str] = ["---", _front(settings, figures, licence).rstrip(), "---", ""]
    for part in (_about, _structure, _creation, _considerations):
        lines += part(settings, dictionary, figures, left_out)
    lines += _validation(settings, dictionary, barred)
    lines += _additional(settings, dictionary, figures, left_out)
    return "\n".join(lines) + "\n"


def hub_licence(label: str) -> str:
    """A licence by the short name that the Hugging Face Hub has for it; empty where it has none."""
    name, _, version = label.rpartition(" ") if re.search(r" \d\.\d$", label) else (label, "", "")
    if name.startswith("CC BY") and version:
        return f"{name.replace(' ', '-').lower()}-{version}"
    return _HUB.get(name, "") if name != "public domain" else ""


def summary(settings: DatasetSettings, figures: Figures) -> str:
    """A sentence on what the dataset is, if a person gave none."""
    return settings.description or (
        f"{figures.statements:,} statements on the morphology of organisms, each tied to a region of one of "
        f"{figures.images:,} images of {len(figures.taxa):,} taxa."
    )


def citation(settings: DatasetSettings) -> str:
    """How to cite the dataset, from what a person stated."""
    year = f" ({settings.published[:4]})" if settings.published else ""
    names = one_line(", ".join(settings.creators)) or "Creators not stated"
    return f"{names}{year}. {one_line(settings.title)}, version {settings.version}. {settings.url}".rstrip()


def _front(settings: DatasetSettings, figures: Figures, licence: str) -> str:
    size = next((name for limit, name in _SIZES if figures.statements < limit), "n>1M")
    head = {
        "pretty_name": settings.title,
        "license": licence or "unknown",
        "language": ["en"],
        "tags": ["biology", "image", "morphology", "traits", "biodiversity"],
        "size_categories": [size],
        "configs": [{"config_name": "statements", "data_files": "data/*.parquet", "default": True}],
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True)


def _about(settings: DatasetSettings, dictionary: Dictionary, figures: Figures, _: Mapping[str, int]) -> Iterator[str]:
    yield from (f"# Dataset Card for {one_line(settings.title)}", "", one_line(summary(settings, figures)), "")
    yield from ("## Dataset Description", "")
    yield f"- **Homepage:** {settings.url or 'not stated'}"
    yield f"- **Point of Contact:** {settings.contact or 'not stated'}"
    yield f"- **Version:** {settings.version}"
    yield from ("", "### Dataset Summary", "")
    rows = [
        ("images", figures.images),
        ("of them with statements", figures.with_statements),
        ("taxa", len(figures.taxa)),
        ("statements", figures.statements),
        ("of them reviewed by a person", figures.reviewed),
        ("of them with a doubt", figures.doubted),
        ("observed states without a term of an ontology", figures.unmatched),
    ]
    yield from _table(("what", "how many"), [(name, f"{count:,}") for name, count in rows])
    yield from ("### Supported Tasks and Leaderboards", "")
    yield "Description of parts of organisms, attribute prediction, comparison of taxa. There is no leaderboard."
    yield from ("", "### Languages", "", "English; names of organisms are scientific names.", "")


def _structure(settings: DatasetSettings, dictionary: Dictionary, figures: Figures, _: object) -> Iterator[str]:
    yield from ("## Dataset Structure", "", "```")
    yield "data/statements-*.parquet   one row a statement"
    yield "images/                     images, metadata.parquet: one row an image"
    yield "specimens.csv, .nex         specimen x character"
    yield "taxa.csv, taxa_long.csv, .nex   taxon x character"
    yield "characters.json, .csv       the dictionary of characters and states"
    yield "darwin_core.zip             Darwin Core Archive"
    yield "croissant.json              Croissant 1.1"
    yield "coco.json, label_studio/    regions for COCO readers, FiftyOne and Label Studio"
    yield "left_out.csv                images that are not here, and why"
    yield "left_out_characters.csv     characters that are not here, and why"
    yield "manifest.json               SHA-256 and size of every file"
    yield from ("```", "", 'The images with `datasets`: `load_dataset("imagefolder", data_dir="images")`.', "")
    yield from ("### Data Instances", "", "By standing:", "")
    yield from _counted("standing", Counter({name: figures.standings[name] for name in STANDINGS}))
    yield from ("By character:", "")
    yield from _counted("character", figures.characters)
    yield from ("By part:", "")
    yield from _counted("part", figures.parts)
    yield from ("### Data Fields", "")
    yield "`standing` tells six things apart: `observed`; `absent` (looked for, and not there); `not visible`;"
    yield "`inapplicable`; `unknown` (looked at, could not be told); `background` (the region shows no organism)."
    yield f"`review` is a person's name or `machine-proposed`. Characters: {one_line(dictionary.name)}, version"
    yield f"{one_line(dictionary.version)}, {len(dictionary.characters)} characters. Boxes and polygons are in"
    yield "pixels of the upright original image; `x_frac` … `height_frac` are fractions of it."
    yield from ("", "### Data Splits", "", "None: all rows are in `train`.", "")


def _creation(_: DatasetSettings, dictionary: Dictionary, figures: Figures, __: object) -> Iterator[str]:
    yield from ("## Dataset Creation", "", "### Source Data", "")
    yield "The path of each image in its collection is in `source`, the collection's own words in `terms`."
    yield f"{figures.renamed:,} images have another name here than in the collection; that is in `verbatim_name`."
    yield from ("", "### Annotations", "", "#### Annotation process", "")
    yield "Regions are where latents of a sparse autoencoder fire; each is described by one of these:"
    yield ""
    yield from _counted("describer", figures.describers)
    yield from ("#### Who are the annotators?", "")
    share = figures.reviewed / figures.statements if figures.statements else 0.0
    yield f"Machines. A person reviewed {share:.1%} of the statements; `review` names who."
    yield from ("", "### Personal and Sensitive Information", "")
    yield "Names of collectors, photographers and reviewers as far as the collection or the review gives them."
    yield ""


def _considerations(_: DatasetSettings, __: Dictionary, figures: Figures, left_out: Mapping[str, int]) -> Iterator[str]:
    yield from ("## Considerations for Using the Data", "", "### Discussion of Biases", "", "Images by taxon:", "")
    yield from _counted("taxon", figures.taxa)
    few = sum(1 for count in figures.taxa.values() if count < 3)
    yield f"{few:,} of {len(figures.taxa):,} taxa have fewer than three images: nothing is known of their variation."
    yield from ("", "### Other Known Limitations", "")
    yield "- Statements are proposals unless a person is named; colours are as imaged."
    if figures.doubted:
        yield f"- {figures.doubted:,} statements have doubts; they are in `data/`, and in no matrix nor the archive:"
        yield from ("", *_counted("doubt", figures.doubts))
    if figures.unmatched:
        yield f"- {figures.unmatched:,} observed states have no term of an ontology."
    if figures.images - figures.with_statements:
        yield f"- {figures.images - figures.with_statements:,} images have no statement: nothing follows from that."
    for reason, count in sorted(left_out.items()):
        yield f"- {count:,} images were left out: {reason}. They are listed in `left_out.csv`."
    yield ""


def _validation(settings: DatasetSettings, dictionary: Dictionary, barred: Mapping[str, int]) -> Iterator[str]:
    bar = settings.bar
    if bar is None:
        return
    yield from ("### Held against people", "")
    yield "Two people answered a blind sample of what the machine says. A character is here where the lower end of"
    yield f"the 95 % interval of its precision is {bar.share:g} or more; statements of describers that were not in the"
    yield "sample are not here. `left_out_characters.csv` says which characters are not here, and why."
    out = {name for name, _ in bar.out}
    passed = [name for name in dictionary.characters if name not in out]
    yield from ("", f"- Reached it: {', '.join(passed) or 'none'}.")
    yield from (f"- Statements left out: {sum(barred.values()):,}.", "")
    if barred:
        yield from _counted("character left out", Counter(barred))


def _additional(settings: DatasetSettings, _: Dictionary, figures: Figures, __: object) -> Iterator[str]:
    yield from ("## Additional Information", "", "### Dataset Curators", "")
    yield one_line(", ".join(settings.creators)) or "Not stated: name them before this is published."
    yield from ("", "### Licensing Information", "")
    yield f"Statements: {settings.licence or 'not stated: choose a licence before this is published'}."
    yield from ("Each image keeps its own licence, in every row:", "")
    yield from _counted("licence", figures.licences)
    yield from ("### Citation Information", "", citation(settings))
    yield from ("", "### Contributions", "", "Made with Labwright.")


def _counted(what: str, counts: Counter[str]) -> list[str]:
    rows = [(name, f"{count:,}") for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    if len(rows) > _MOST:
        rest = sorted(counts.values(), reverse=True)[_MOST:]
        rows = [*rows[:_MOST], (f"{len(rest):,} others", f"{sum(rest):,}")]
    return _table((what, "how many"), rows)


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|---|---:|"]
    lines += [f"| {one_line(name).replace('|', chr(92) + '|')} | {count} |" for name, count in rows]
    return [*lines, ""]
