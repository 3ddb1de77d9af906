"""A Darwin Core Archive: occurrences, their measurements or facts, and their media with regions.

Text guide: https://dwc.tdwg.org/text/. Extensions as GBIF registers them: ExtendedMeasurementOrFact of 2023-08-28 and
Audiovisual Core of 2026-02-24 (https://rs.gbif.org/extension/). Tab-separated, UTF-8, nothing enclosed: tabs and line
ends within a value become spaces; the exact text is in the Parquet files.

A statement is here if nothing spoke against it or a person agreed with it. What was not observed is a value like
others: ``absent``, ``not visible``, ``inapplicable``, ``unknown``. The background is no fact about an
organism: not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pipelines.traits.dataset.eml import eml
from pipelines.traits.dataset.figures import Figures
from pipelines.traits.dataset.label_studio import in_words
from pipelines.traits.dataset.naming import narrowest
from pipelines.traits.dataset.regions import regions
from pipelines.traits.dataset.rows import fractions
from pipelines.traits.dataset.settings import DatasetSettings
from pipelines.traits.dataset.staging import Exported, one_line, trusted
from pipelines.traits.statements import MACHINE, Dictionary, Statement

_DWC, _DC, _DCE = "http://rs.tdwg.org/dwc/terms/", "http://purl.org/dc/terms/", "http://purl.org/dc/elements/1.1/"
_AC, _OBIS = "http://rs.tdwg.org/ac/terms/", "http://rs.iobis.org/obis/terms/"
_XMP, _PHOTO = "http://ns.adobe.com/xap/1.0/rights/", "http://ns.adobe.com/photoshop/1.0/"
_GIVEN = [
    "institutionCode",
    "collectionCode",
    "catalogNumber",
    "recordNumber",
    "recordedBy",
    "sex",
    "lifeStage",
    "caste",
]
_GIVEN += ["eventDate", "verbatimEventDate", "year", "month", "day", "habitat", "samplingProtocol", "continent"]
_GIVEN += ["country", "countryCode", "stateProvince", "county", "municipality", "locality", "verbatimLocality"]
_GIVEN += ["decimalLatitude", "decimalLongitude", "geodeticDatum", "coordinateUncertaintyInMeters", "typeStatus"]
_GIVEN += ["minimumElevationInMeters", "maximumElevationInMeters", "identifiedBy", "dateIdentified", "preparations"]
_GIVEN += ["identificationQualifier"]
"""Terms of the collection that are handed on as they are."""
_HIGHER = ("kingdom", "phylum", "class", "order", "family", "genus")
CORE = [
    _DWC + name
    for name in ("occurrenceID", "basisOfRecord", "occurrenceStatus", "scientificName", "taxonRank", *_HIGHER)
]
CORE += [f"{_DWC}verbatimIdentification", f"{_DC}license", f"{_DWC}rightsHolder", *(_DWC + name for name in _GIVEN)]
"""Term of each column of ``occurrence.txt``; the first is the row's id."""
FACTS = [f"{_DWC}occurrenceID", f"{_DWC}measurementID", f"{_DWC}measurementType", f"{_OBIS}measurementTypeID"]
FACTS += [f"{_DWC}measurementValue", f"{_OBIS}measurementValueID", f"{_DWC}measurementAccuracy"]
FACTS += [_DWC + f"measurement{name}" for name in ("Unit", "DeterminedBy", "Method", "Remarks")]
"""Term of each column of ``measurements.txt``; the first is the core's id."""
MEDIA = [f"{_DC}identifier", f"{_DCE}type", f"{_DC}format", f"{_AC}accessURI", f"{_DC}title", f"{_AC}caption"]
MEDIA += [f"{_DC}rights", f"{_XMP}UsageTerms", f"{_XMP}WebStatement", f"{_XMP}Owner", f"{_PHOTO}Credit"]
MEDIA += [f"{_AC}subjectPartLiteral", f"{_AC}isROIOf"]
MEDIA += [_AC + name for name in ("xFrac", "yFrac", "widthFrac", "heightFrac")]
"""Term of each column of ``multimedia.txt`` after the core's id."""
_FORMATS = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".tif": "image/tiff"}
_FORMATS |= {".tiff": "image/tiff", ".gif": "image/gif", ".webp": "image/webp", ".bmp": "image/bmp"}
_ABSENT = "http://purl.obolibrary.org/obo/PATO_0000462"
_RANKS = {"species": "species", **{rank: rank for rank in _HIGHER}}


def write_darwin_core(
    path: Path,
    images: Callable[[], Iterable[Exported]],
    dictionary: Dictionary,
    figures: Figures,
    settings: DatasetSettings,
) -> None:
    """The archive, with the same bytes for the same dataset.

    Args:
        path: of the archive.
        images: gives the dataset's images, as often as it is asked.
        dictionary, figures, settings: of the dataset.

    Raises:
        OSError: it cannot be written.
    """
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        _put(archive, "meta.xml", [meta()])
        _put(archive, "eml.xml", [eml(settings, figures)])
        _put(archive, "occurrence.txt", _lines(CORE, _occurrences(images())))
        facts = (_fact(image, *one, dictionary) for image in images() for one in image.said if _is_fact(one[1]))
        _put(archive, "measurements.txt", _lines(FACTS, facts))
        media = (row for image in images() for row in _media(image, dictionary, settings))
        _put(archive, "multimedia.txt", _lines(["coreid", *MEDIA], media))


def _put(archive: ZipFile, name: str, lines: Iterable[str]) -> None:
    about = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    about.compress_type = ZIP_DEFLATED
    with archive.open(about, "w", force_zip64=True) as file:
        for line in lines:
            file.write(line.encode())


def _lines(terms: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "\t".join(term.rpartition("/")[2] for term in terms) + "\n"
    for row in rows:
        yield "\t".join(one_line(value) for value in row) + "\n"


def meta() -> str:
    """``meta.xml``: which file has which terms in which columns."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">\n'
        + _table("core", f"{_DWC}Occurrence", "occurrence.txt", list(enumerate(CORE)))
        + _table("extension", f"{_OBIS}ExtendedMeasurementOrFact", "measurements.txt", list(enumerate(FACTS)))
        + _table("extension", f"{_AC}Multimedia", "multimedia.txt", list(enumerate(MEDIA, start=1)))
        + "</archive>\n"
    )


def _table(kind: str, row_type: str, file: str, fields: list[tuple[int, str]]) -> str:
    id = "id" if kind == "core" else "coreid"
    lines = "\n".join(f'    <field index="{index}" term="{term}"/>' for index, term in fields)
    return (
        f'  <{kind} encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" '
        f'ignoreHeaderLines="1" rowType="{row_type}">\n    <files><location>{file}</location></files>\n'
        f'    <{id} index="0"/>\n{lines}\n  </{kind}>\n'
    )


def _occurrences(images: Iterable[Exported]) -> Iterator[list[str]]:
    """One row an occurrence, by its first image."""
    seen = set()
    for image in images:
        if image.occurrence in seen:
            continue
        seen.add(image.occurrence)
        terms, ranks = image.specimen.terms, image.ranks
        rank, name = narrowest(ranks)
        basis = terms.get("basisOfRecord", "") or "Occurrence"
        row = [image.occurrence, basis, terms.get("occurrenceStatus", "") or "present"]
        row += ["" if name == "unknown" and not rank else name, _RANKS.get(rank, "")]
        row += [ranks[higher] for higher in _HIGHER]
        row += [image.verbatim, image.licence.url or image.specimen.licence, image.rights_holder]
        yield [*row, *(terms.get(term, "") for term in _GIVEN)]


def _is_fact(said: Statement) -> bool:
    told = said.character or said.standing == "absent"
    return bool(told) and said.standing != "background" and trusted(said)


def term_url(term: str) -> str:
    """Address of a term of an OBO ontology: ``PATO:0000322`` is ``http://purl.obolibrary.org/obo/PATO_0000322``."""
    space, colon, number = term.partition(":")
    return f"http://purl.obolibrary.org/obo/{space}_{number}" if colon and "/" not in term else term


def _fact(image: Exported, id: str, said: Statement, dictionary: Dictionary) -> list[str]:
    character = dictionary.characters.get(said.character)
    label = (character.label if character else said.character) or "presence"
    value_id = unit = accuracy = ""
    value: str = said.standing
    if said.standing == "absent":
        value_id = _ABSENT
    elif said.standing == "observed" and said.value is not None:
        value, unit = f"{said.value:.10g}", said.unit
        accuracy = "" if said.uncertainty is None else f"standard deviation {said.uncertainty:.10g}"
    elif said.standing == "observed":
        state = character.state(said.state) if character else None
        value, value_id = state.label if state else said.state or said.text, term_url(said.state_term)
    method = said.describer.name + (f", prompt {said.describer.prompt}" if said.describer.prompt else "")
    by = said.review if said.review != MACHINE else MACHINE
    row = [image.occurrence, f"{image.specimen.id}-{id}", f"{said.part or 'region'}: {label}"]
    row += [term_url(character.term) if character else "", value, value_id, accuracy, unit, by, method]
    return [*row, _remarks(said)]


def _remarks(said: Statement) -> str:
    told = [said.text, *(f"{name}: {value}" for name, value in said.conditions)]
    told += [f"part {said.part_term}"] if said.part_term else []
    told += [f"confidence {said.confidence:g}"] if said.confidence is not None else []
    told += [f"doubts: {', '.join(said.doubts)}"] if said.doubts else []
    return " | ".join(one_line(one) for one in (*told, f"latent {said.latent}") if one)


def _media(image: Exported, dictionary: Dictionary, settings: DatasetSettings) -> Iterator[list[str]]:
    """A row for the image, then one for each region that shows an organism."""
    id = f"image:{image.specimen.id}"
    base = settings.url.rstrip("/")
    address = f"{base}/images/{image.copied.file}" if base else image.specimen.terms.get("ac:accessURI", "")
    form = _FORMATS.get(Path(image.copied.file).suffix, "")
    rights = image.licence.label if image.licence.redistributable else image.specimen.licence
    rights_row = [image.specimen.licence or rights, rights, image.licence.url, image.rights_holder, image.attribution]
    caption = image.specimen.terms.get("ac:caption", "")
    title = image.specimen.source
    yield [image.occurrence, id, "StillImage", form, address, title, caption, *rights_row, *[""] * 6]
    for region, said in regions(image):
        shown = [one for _, one in said if trusted(one) and one.standing != "background"]
        if shown:
            words = "; ".join(in_words(one, dictionary) for one in shown)
            row = [image.occurrence, f"{id}#{region}", "StillImage", form, "", f"{title} {region}", words, *rights_row]
            fracs = [f"{number:.6f}" for number in fractions(shown[0].place)]
            yield [*row, "; ".join(dict.fromkeys(one.part for one in shown if one.part)), id, *fracs]
