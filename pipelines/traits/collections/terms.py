"""Columns of metadata: what they are called, and what a row says of the taxon and the licence.

A column's name is compared without its prefix (``dwc:``, ``http://rs.tdwg.org/dwc/terms/``), case, spaces and
underscores, so that ``scientific_name``, ``dwc:scientificName`` and ``ScientificName`` are one. What is known is filed
under the Darwin Core or Audiovisual Core term (https://dwc.tdwg.org/terms/, https://ac.tdwg.org/termlist/), everything
else under the name its column has. No column is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.traits.collections.names import folder_name, missing, rank_of, scientific_name
from pipelines.traits.specimens import RANKS, Taxon

_DARWIN_CORE_AND_AUDIOVISUAL_CORE = """
type modified language rightsHolder accessRights bibliographicCitation references institutionID collectionID
datasetID institutionCode collectionCode datasetName ownerInstitutionCode basisOfRecord informationWithheld
dataGeneralizations dynamicProperties occurrenceID catalogNumber recordNumber recordedBy recordedByID
individualCount organismQuantity sex lifeStage reproductiveCondition caste behavior vitality establishmentMeans
degreeOfEstablishment occurrenceStatus preparations disposition associatedMedia associatedOccurrences
associatedReferences associatedSequences associatedTaxa otherCatalogNumbers occurrenceRemarks organismID
organismName materialSampleID materialEntityID eventID parentEventID fieldNumber eventDate eventTime year month
day verbatimEventDate habitat samplingProtocol eventRemarks locationID higherGeography continent waterBody
island country countryCode stateProvince county municipality locality verbatimLocality minimumElevationInMeters
maximumElevationInMeters minimumDepthInMeters maximumDepthInMeters decimalLatitude decimalLongitude
geodeticDatum coordinateUncertaintyInMeters identificationID verbatimIdentification identificationQualifier
typeStatus identifiedBy dateIdentified identificationRemarks taxonID scientificNameID acceptedNameUsageID
scientificName acceptedNameUsage higherClassification kingdom phylum class order superfamily family subfamily
tribe subtribe genus genericName subgenus specificEpithet infraspecificEpithet cultivarEpithet taxonRank
scientificNameAuthorship vernacularName nomenclaturalCode taxonomicStatus taxonRemarks gbifID species
ac:accessURI ac:subjectPart ac:subjectOrientation ac:caption ac:hashValue ac:hashFunction ac:variant
ac:captureDevice ac:resourceCreationTechnique ac:licenseLogoURL ac:furtherInformationURL ac:derivedFrom
ac:physicalSetting ac:associatedSpecimenReference ac:providerLiteral ac:tag dcterms:identifier dcterms:title
dcterms:description dcterms:creator dcterms:license dcterms:rights dcterms:source dcterms:publisher
dcterms:format dcterms:created xmpRights:UsageTerms xmpRights:WebStatement xmpRights:Owner photoshop:Credit
xmp:CreateDate
"""
_TERMS = _DARWIN_CORE_AND_AUDIOVISUAL_CORE.split()

_SPELLINGS = {
    "rightsholder": "rightsHolder",
    "scientificname": "scientificName",
    "sciname": "scientificName",
    "latinname": "scientificName",
    "binomial": "scientificName",
    "taxonname": "scientificName",
    "speciesname": "scientificName",
    "taxon": "scientificName",
    "commonname": "vernacularName",
    "classs": "class",
    "classname": "label",
    "category": "label",
    "lat": "decimalLatitude",
    "latitude": "decimalLatitude",
    "lon": "decimalLongitude",
    "lng": "decimalLongitude",
    "long": "decimalLongitude",
    "longitude": "decimalLongitude",
    "licence": "dcterms:license",
    "imagelicense": "dcterms:license",
    "imagelicence": "dcterms:license",
    "copyrightlicense": "dcterms:license",
    "copyrightlicence": "dcterms:license",
    "licensename": "dcterms:license",
    "photographer": "dcterms:creator",
    "author": "dcterms:creator",
    "caption": "ac:caption",
    "text": "ac:caption",
    "imageurl": "ac:accessURI",
    "photourl": "ac:accessURI",
    "url": "ac:accessURI",
    "stage": "lifeStage",
}
_BY_KEY = {term.rpartition(":")[2].casefold(): term for term in _TERMS} | _SPELLINGS
_LICENCES = ("dcterms:license", "xmpRights:UsageTerms", "xmpRights:WebStatement", "dcterms:rights", "accessRights")


def key(column: str) -> str:
    """A column's name as it is compared: no prefix, no case, letters and digits only."""
    return (
        re.sub(r"[^0-9a-z]", "", re.split(r"[/#]|(?<=[A-Za-z]):", column.strip())[-1].casefold()) or column.casefold()
    )


def term_names(columns: list[str]) -> list[str]:
    """The term under which each column is filed; a second column of the same meaning keeps its own name."""
    names: list[str] = []
    for place, column in enumerate(columns):
        own = column.strip() or f"column {place + 1}"
        name = _BY_KEY.get(key(own), own)
        if name in names:
            name = own
        same = 1
        while name in names:
            same += 1
            name = f"{own} ({same})"
        names.append(name)
    return names


def says_taxon(terms: list[str]) -> bool:
    """Whether columns of these terms could say what an organism is."""
    return any(term in RANKS or term in ("scientificName", "label", "verbatimIdentification") for term in terms)


def taxon_names(row: Mapping[str, str]) -> dict[str, str]:
    """Names at each rank that a row, filed by term, says; empty where it says none.

    The columns of the ranks come first, then ``genericName``, ``specificEpithet`` and ``scientificName`` (at
    ``taxonRank`` if that is given), then ``label`` and ``verbatimIdentification``, read as the name of a folder is.
    """
    found = {rank: " ".join(row[rank].split()) for rank in RANKS if not missing(row.get(rank, ""))}
    if "genus" not in found and not missing(row.get("genericName", "")):
        found["genus"] = row["genericName"].strip()
    _add_species(found, row)
    scientific = row.get("scientificName", "")
    if not missing(scientific):
        for rank, name in _scientific(scientific, row.get("taxonRank", "").strip().casefold(), found).items():
            found.setdefault(rank, name)
    for column in ("label", "verbatimIdentification"):
        if not found and not missing(row.get(column, "")):
            found = _labelled(row[column])
    return {rank: found[rank] for rank in RANKS if rank in found}


def _add_species(found: dict[str, str], row: Mapping[str, str]) -> None:
    epithet = found.pop("species", "")
    if not epithet and not missing(row.get("specificEpithet", "")):
        epithet = row["specificEpithet"].strip()
    if not epithet:
        return
    read = scientific_name(epithet)
    if "species" in read:
        found.setdefault("genus", read["genus"])
        found["species"] = read["species"]
    elif "genus" in read:  # "Apis sp."
        found.setdefault("genus", read["genus"])
    elif "genus" in found and " " not in epithet:
        found["species"] = f"{found['genus']} {epithet}"
    elif not re.match(r"(sp|spp|cf|aff|nr)\b", epithet):
        found["species"] = epithet


def _scientific(text: str, rank: str, found: Mapping[str, str]) -> dict[str, str]:
    read = scientific_name(text)
    if rank in RANKS and rank != "species" and read:
        return {rank: next(iter(read.values()))}
    if set(read) == {"genus"} and rank_of(read["genus"]) is None and "genus" not in found:
        if read["genus"] in found.values():
            return {}
        return read
    return read or ({} if found else folder_name(text))


def _labelled(text: str) -> dict[str, str]:
    label = text.strip()
    if label.lstrip("-").isdigit():
        return {"species": f"class {label}"}
    return folder_name(label)


def taxon(names: Mapping[str, str]) -> Taxon:
    """A taxon of names at ranks, the genus of a species in full filled in where it is not said."""
    full = dict(names)
    if "genus" not in full and "species" in full:
        full |= {rank: name for rank, name in scientific_name(full["species"]).items() if rank == "genus"}
    return Taxon({rank: full[rank] for rank in RANKS if rank in full})


def stated_licence(row: Mapping[str, str]) -> str:
    """The licence that a row states: its licence, else usage terms, else rights; empty where it states none."""
    return next((row[term].strip() for term in _LICENCES if row.get(term, "").strip()), "")


def contradict(one: Taxon, other: Taxon) -> bool:
    """Whether two taxa cannot be the same organism: some rank that both know bears different names."""
    return any(one.names[rank] != other.names[rank] for rank in one.names.keys() & other.names.keys())


def without_surrogates(text: str) -> str:
    """The text as any UTF-8 file can hold it: lone surrogates, which JSON can say, become ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def filed(names: list[str], values: list[str], seen: dict[str, str]) -> dict[str, str]:
    """A row by term, without what is empty; ``seen`` keeps one copy of each short value that comes again."""
    row: dict[str, str] = {}
    for name, value in zip(names, values, strict=False):
        if value:
            row[name] = seen.setdefault(value, value) if len(value) <= 64 and len(seen) < 100_000 else value
    return row
