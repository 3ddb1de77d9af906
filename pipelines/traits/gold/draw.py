"""Drawing a blind sample of what was said, for two people to answer without knowing what that was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rfc8785

from pipelines.traits.annotating.stored import read_statements
from pipelines.traits.collections import load_scan
from pipelines.traits.finding.lock import locked
from pipelines.traits.finding.stage import read_record
from pipelines.traits.gold.estimates import interval
from pipelines.traits.gold.forms import slug, write_forms
from pipelines.traits.gold.key import SAMPLE, SCHEMA_VERSION, Item, Key, dictionary_of, write_key
from pipelines.traits.gold.pictures import draw_regions
from pipelines.traits.gold.questions import Question, asked_about, questions
from pipelines.traits.gold.sampling import drawn, expected, rounded
from pipelines.traits.specimens import RANKS, Specimen
from pipelines.traits.statements import Dictionary
from protocols.errors import InputError, RecordError
from robots.execution.home import read_json, sync_folder, write_json

Stratum = Literal["taxon", "character", "band"]
STRATA: tuple[Stratum, ...] = ("taxon", "character", "band")
Name = tuple[str, ...]
"""The name of a stratum: its taxon, character and band, as far as strata are told apart by them."""
_USUAL = 0.9
"""The precision at which a character's expected interval is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawSettings:
    """What is drawn, and how.

    Attributes:
        size: items in all.
        strata: by what the machine's answers are told apart before some of each are drawn.
        least: items from each stratum, or all of it where it is smaller.
        rank: of the taxa that strata are of; the narrowest that is known if empty.
        characters: that are asked about; all with states or counts if empty.
        measured: ask about measured numbers, too.
        seed: of all that is left to chance.
    """

    size: int
    strata: tuple[Stratum, ...] = ("taxon", "character")
    least: int = 1
    rank: str = ""
    characters: tuple[str, ...] = ()
    measured: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample that was drawn.

    Attributes:
        sample: its id.
        folder: with a folder for each annotator.
        annotators: their folders.
        key: where the machine's answers are.
        items: how many questions each annotator gets.
        population: how many there are in all, in how many ``strata``.
        characters: for each the items, the questions in all, and the interval to expect at a precision of 0.9.
    """

    sample: str
    folder: Path
    annotators: tuple[Path, Path]
    key: Path
    items: int
    population: int
    strata: int
    characters: dict[str, tuple[int, int, tuple[float, float]]]


def draw(annotation: Path, out: Path, settings: DrawSettings, annotators: tuple[str, str] = ("A", "B")) -> Drawn:
    """Draw a sample from an annotation and write its forms; the same seed draws the same.

    Args:
        annotation: the folder of :func:`pipelines.traits.annotating.annotate`; the key is kept there.
        out: a new folder; it is there only once it is whole.
        settings: what is drawn.
        annotators: the two people's names.

    Raises:
        InputError: there is no finished annotation, ``out`` is taken, or no such sample can be drawn.
        CollectionError: an image is not there any more.
        LeaseError: another process works in the annotation.
        RecordError: something in the annotation is damaged, or the key cannot be written.
        OSError: something cannot be written; then ``out`` is not there.
    """
    annotation, out = annotation.expanduser().resolve(), out.expanduser().absolute()
    _check(annotation, out, settings, annotators)
    with locked(annotation):
        key, sizes = _drawn_key(annotation, settings, annotators)
        path = _write(annotation, out, key, settings.seed)
    counts, totals = Counter(one.question.character for one in key.items), Counter[str]()
    for name, count in sizes.items():
        totals[name[-1]] += count
    told = {name: (count, totals[name], interval(_USUAL, count)) for name, count in sorted(counts.items())}
    folders = (out / slug(annotators[0]), out / slug(annotators[1]))
    visible = len({name[:-1] for name in sizes})
    return Drawn(key.sample, out, folders, path, len(key.items), sizes.total(), visible, told)


def _drawn_key(annotation: Path, settings: DrawSettings, annotators: tuple[str, str]) -> tuple[Key, Counter[Name]]:
    """The key to what is drawn, and how many questions each stratum has."""
    dictionary = _dictionary(annotation)
    asked = _asked(dictionary, settings)
    specimens = _specimens(annotation)
    said = annotation / "checks"
    sizes = Counter(name for name, _ in _population(said, specimens, asked, settings))
    items = _chosen(said, specimens, asked, settings, sizes)
    population = {" | ".join(name[:-1]): 0 for name in sorted(sizes)}
    for name, count in sizes.items():
        population[" | ".join(name[:-1])] += count
    return _named(Key("", annotators, asdict(settings), population, dictionary, tuple(items)), settings.seed), sizes


def _specimens(annotation: Path) -> dict[str, Specimen]:
    return {one.id: one for one in load_scan(annotation / "scan").specimens}


def _check(annotation: Path, out: Path, settings: DrawSettings, annotators: tuple[str, str]) -> None:
    record = read_record(annotation / "checks")
    if record is None or not record["complete"]:
        mend = "Give labwright annotate with this --out first: it goes on where it was"
        raise InputError("nothing was described here, or that has not ended", where=str(annotation), mend=mend)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("is there already", where=str(out), mend="Name a new folder: a sample is never overwritten")
    if out.is_relative_to(annotation):
        mend = "Name a folder outside it: annotators must not see what the machine said"
        raise InputError("the sample would lie beside its key", where=str(out), mend=mend)
    if slug(annotators[0]) == slug(annotators[1]):
        mend = "Give two people different names with --annotators"
        raise InputError(f"{annotators[0]!r} and {annotators[1]!r} would share a folder", mend=mend)
    if settings.rank and settings.rank not in RANKS:
        raise InputError(f"{settings.rank!r} is no rank", where="--rank", mend=f"Give one of {', '.join(RANKS)}")
    unknown = [name for name in settings.strata if name not in STRATA]
    if unknown:
        mend = f"Give some of {', '.join(STRATA)}, with commas between"
        raise InputError(f"{unknown[0]!r} is nothing to tell strata apart by", where="--strata", mend=mend)


def _dictionary(annotation: Path) -> Dictionary:
    path = annotation / "descriptions" / "dictionary.json"
    try:
        return dictionary_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        mend = f"Delete {path.parent}, and give labwright annotate again"
        raise RecordError(f"cannot be read ({error})", where=str(path), mend=mend) from None


def _asked(dictionary: Dictionary, settings: DrawSettings) -> list[str]:
    unknown = [name for name in settings.characters if name not in dictionary.characters]
    if unknown:
        known = ", ".join(dictionary.characters)
        what = f"{unknown[0]!r} is no character of the dictionary {dictionary.name}"
        raise InputError(what, where="--character", mend=f"Give some of {known}")
    return asked_about(dictionary, settings.characters, measured=settings.measured)


def _population(
    said: Path, specimens: dict[str, Specimen], asked: Sequence[str], settings: DrawSettings
) -> Iterator[tuple[Name, Question]]:
    """Every question with its stratum; the stratum's last word is the character, which is counted by in any case."""
    for one in questions(read_statements(said), asked):
        specimen = specimens[one.image]
        words = {
            "taxon": (specimen.taxon.at(settings.rank) or "unknown") if settings.rank else specimen.taxon.name,
            "character": one.character,
            "band": one.band,
        }
        yield (*(words[name] for name in settings.strata), one.character), one


def _chosen(
    said: Path,
    specimens: dict[str, Specimen],
    asked: Sequence[str],
    settings: DrawSettings,
    by_character: Counter[Name],
) -> list[Item]:
    """The items, not yet named, in the order of the statements."""
    sizes: Counter[Name] = Counter()
    for name, count in by_character.items():
        sizes[name[:-1]] += count
    strata = sorted(sizes)
    _require_room(sizes, settings)
    rng = np.random.default_rng(settings.seed)
    wanted = expected([sizes[name] for name in strata], settings.size, settings.least)
    counts = rounded(wanted, rng)
    places = dict(zip(strata, drawn([sizes[name] for name in strata], counts.tolist(), rng), strict=True))
    chances = {name: float(one) / sizes[name] for name, one in zip(strata, wanted, strict=True)}
    passed: Counter[Name] = Counter()
    items = []
    for (*words, _), question in _population(said, specimens, asked, settings):
        name = tuple(words)
        if passed[name] in places[name]:
            whose = specimens[question.image].terms.get("occurrenceID") or question.image
            items.append(Item("", whose, name, chances[name], question))
        passed[name] += 1
    return items


def _require_room(sizes: Counter[Name], settings: DrawSettings) -> None:
    """See to it that there are as many questions as are wanted, and as many are wanted as the strata need."""
    total, needed = sizes.total(), sum(min(settings.least, count) for count in sizes.values())
    if not total:
        mend = "Ask about other characters with --character, or about measured numbers with --measured"
        raise InputError("the machine says nothing of the characters that are asked about", mend=mend)
    if settings.size > total:
        what = f"{settings.size:,} questions cannot be drawn: there are {total:,}"
        raise InputError(what, where="--size", mend=f"Give --size {total} to ask all of them, or less")
    if needed > settings.size:
        what = (
            f"{len(sizes):,} strata by {' and '.join(settings.strata)} need {needed:,} items, {settings.least} of each"
        )
        mend = (
            f"Give --size {needed} or more, tell fewer strata apart with --rank or --strata, or give --least 0: then "
        )
        raise InputError(
            what, where="--size", mend=mend + "small strata are met by chance, and nothing is biased by it"
        )


def _named(key: Key, seed: int) -> Key:
    """The key with an id of its own, and its items in an order by chance, with names that say nothing."""
    plain: list[Any] = [[one.stratum, one.chance, [said.id for said in one.question.said]] for one in key.items]
    told = rfc8785.dumps([list(key.annotators), dict(key.settings), plain])
    sample = hashlib.sha256(told).hexdigest()[:12]
    order = np.random.default_rng([seed, 1]).permutation(len(key.items))
    digits = max(3, len(str(len(order))))
    named = [
        replace(key.items[place], item=f"{sample[:4]}-{number:0{digits}d}")
        for number, place in enumerate(order.tolist(), start=1)
    ]
    return replace(key, sample=sample, items=tuple(named))


def _part(out: Path) -> Path:
    return out.with_name(f".{out.name}.part")


def _write(annotation: Path, out: Path, key: Key, seed: int) -> Path:
    """Write the sample and its key, all or nothing of the sample; where the key is."""
    part = _part(out)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        images = Path(read_json(annotation / "job.json", 1)["images"])
        pictures = {one: (near, whole) for one, near, whole in draw_regions(images, _specimens(annotation), key.items)}
        for annotator in key.annotators:
            write_forms(part / slug(annotator), key, annotator, pictures, seed)
        head = {"schema_version": SCHEMA_VERSION, "sample": key.sample, "annotation": str(annotation)}
        write_json(part / SAMPLE, head | {"annotators": list(key.annotators)})
        path = write_key(annotation, key)
        _put_in_place(out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return path


def _put_in_place(out: Path) -> None:
    os.sync()
    if out.exists():
        out.rmdir()
    _part(out).rename(out)
    sync_folder(out.parent)
