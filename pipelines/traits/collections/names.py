"""Names of taxa as people write them on folders, in file names and in columns.

What is understood, by example (words may be joined by spaces, underscores or plus signs):

====================================================  ===================================================
``Apis mellifera``, ``Apis_mellifera``                genus Apis, species Apis mellifera
``apis_mellifera``                                    the same: two words are a genus and a species
``Apis mellifera carnica``, ``… Linnaeus, 1758``      the same: subspecies and author are left out
``Apis sp.``, ``Apis cf. mellifera``                  genus Apis: what is doubtful is not said
``Hymenoptera_Apidae_Apis_mellifera``                 order, family, genus, species
``02691_Animalia_…_Apidae_Apis_mellifera``            all seven ranks (iNaturalist's data sets)
``order=Hymenoptera``, ``family_Apidae``              the rank is written
``Apidae``, ``Hymenoptera``, ``Rosaceae``             the rank follows from the ending or from a list of orders
``Apis``                                              genus: one word that says nothing else
``001.Black_footed_Albatross``                        species "Black footed Albatross": a name that is not Latin is
                                                      taken as it stands, at the narrowest rank, without a genus
====================================================  ===================================================

Endings are those of the codes: -idae (family of animals, ICZN article 29.2), -aceae, -ales (family and order of plants,
algae and fungi, ICN articles 18 and 17); -iformes is what orders of birds and fish end in. Orders without such an
ending, classes, phyla and kingdoms are listed below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pipelines.traits.specimens import RANKS

_LISTED = {
    "kingdom": """
        Animalia Metazoa Plantae Fungi Chromista Protista Protozoa Bacteria Archaea Archaeplastida Viridiplantae
    """,
    "phylum": """
        Arthropoda Chordata Mollusca Annelida Cnidaria Echinodermata Nematoda Platyhelminthes Porifera Rotifera
        Bryozoa Brachiopoda Tardigrada Onychophora Tracheophyta Bryophyta Marchantiophyta Magnoliophyta
        Ascomycota Basidiomycota Chlorophyta Rhodophyta Ochrophyta Vertebrata
    """,
    "class": """
        Insecta Arachnida Collembola Diplopoda Chilopoda Malacostraca Branchiopoda Ostracoda Copepoda Aves
        Mammalia Reptilia Amphibia Actinopterygii Actinopteri Teleostei Chondrichthyes Elasmobranchii Gastropoda
        Bivalvia Cephalopoda Polychaeta Clitellata Anthozoa Hydrozoa Scyphozoa Asteroidea Echinoidea
        Holothuroidea Magnoliopsida Liliopsida Pinopsida Polypodiopsida Lycopodiopsida Bryopsida Agaricomycetes
        Lecanoromycetes Sordariomycetes Leotiomycetes
    """,
    "order": """
        Archaeognatha Blattodea Coleoptera Dermaptera Diptera Embioptera Ephemeroptera Grylloblattodea Hemiptera
        Hymenoptera Lepidoptera Mantodea Mantophasmatodea Mecoptera Megaloptera Neuroptera Odonata Orthoptera
        Phasmatodea Plecoptera Psocodea Psocoptera Raphidioptera Siphonaptera Strepsiptera Thysanoptera
        Trichoptera Zoraptera Zygentoma Isoptera Homoptera Phthiraptera Entomobryomorpha Poduromorpha
        Symphypleona Araneae Opiliones Scorpiones Trombidiformes Sarcoptiformes Mesostigmata Ixodida
        Pseudoscorpiones Isopoda Amphipoda Decapoda Anura Caudata Squamata Testudines Crocodylia Rodentia
        Chiroptera Carnivora Artiodactyla Cetacea Primates Lagomorpha Eulipotyphla Diprotodontia
    """,
}
_RANK_OF = {name: rank for rank, names in _LISTED.items() for name in names.split()}
_ENDINGS = (("idae", "family"), ("aceae", "family"), ("iformes", "order"), ("ales", "order"))
_NOT_BY_ENDING = {"Animales"}
_DOUBT = {"sp", "spp", "cf", "aff", "nr", "indet", "sp.", "spp.", "cf.", "aff.", "nr.", "indet.", "ssp.", "x", "×"}

_SAYS_NOTHING = """
adult adults all anterior caudal crop cropped crops data dataset dev dorsal egg eggs eval face female females
files frontal full habitus head image images img imgs jpeg jpg juvenile label labels larva larvae lateral leg
legs male males media nymph original originals photo photos pics pictures png posterior pupa pupae queen raw
resized test testing train training unlabeled unlabelled val valid validation ventral wing wings worker
"""
GENERIC = frozenset(_SAYS_NOTHING.split())
"""Folder names that say nothing of the taxon: splits, kinds of file, views, sexes and stages."""

_NO_NAME = """
- ? incertae_sedis indet indet. n/a na nan none not_classified null unclassified undetermined unidentified
unknown unspecified
"""
_MISSING = frozenset(_NO_NAME.split())
_WORD = re.compile(r"[A-Z][a-zë-]*[a-zë]")
_EPITHET = re.compile(r"[a-zë][a-zë-]+")
_NUMBER = re.compile(r"\d+[._ -]+")
_AUTHOR = re.compile(r"\d{4}|\.|,")
_BRACKETS = re.compile(r"\([^()]*\)")  # a subgenus, or an author
_RANKED = re.compile(rf"({'|'.join(RANKS)})[=_: -]+(.+)", re.IGNORECASE)


def missing(name: str) -> bool:
    """Whether what stands where a name belongs says that there is none."""
    text = name.strip().casefold().replace(" ", "_")
    return not text or text in _MISSING or text[0] in "[{"  # JSON: several values, none of them the name


def rank_of(word: str) -> str | None:
    """The rank that a capitalised Latin word bears by its ending or the lists above; ``None`` where it shows none."""
    if word in _RANK_OF:
        return _RANK_OF[word]
    if not _WORD.fullmatch(word) or word in _NOT_BY_ENDING:
        return None
    return next((rank for ending, rank in _ENDINGS if word.endswith(ending) and len(word) >= len(ending) + 2), None)


def scientific_name(text: str) -> dict[str, str]:
    """Genus and species of a scientific name, or the one rank of a single word; empty where it is not Latin."""
    words = _BRACKETS.sub(" ", _tidy(text)).split()
    if not words:
        return {}
    first = words[0]
    if not _WORD.fullmatch(first):
        return {}
    rank = rank_of(first)
    if len(words) == 1 or rank is not None:
        return {rank or "genus": first}
    if words[1] in _DOUBT or not _EPITHET.fullmatch(words[1]):
        return {"genus": first}
    return {"genus": first, "species": f"{first} {words[1]}"}


def folder_name(name: str) -> dict[str, str]:
    """Ranks and names that one folder name says, by the table at the top of this module; empty where it says none."""
    text = _tidy(name)
    if missing(text) or text.casefold().replace(" ", "_") in GENERIC or text.casefold() in GENERIC:
        return {}
    ranked = _RANKED.fullmatch(text)
    if ranked:
        return _at_rank(ranked[1].lower(), ranked[2].strip())
    words = _BRACKETS.sub(" ", _NUMBER.sub("", text, count=1)).split()
    if len(words) == 2 and all(_EPITHET.fullmatch(word) for word in words):
        words[0] = words[0].capitalize()
    return _lineage(words) or _verbatim(_NUMBER.sub("", text, count=1))


def folders(names: Sequence[str]) -> dict[str, str]:
    """Ranks and names that nested folders say, the outermost first.

    A single lower-case word under a genus is its species' epithet. A folder inside a species' folder says nothing more.
    A name that is not Latin is a species' label where no folder says a species, whatever ranks are said above it.
    """
    found: dict[str, str] = {}
    verbatim: dict[str, str] = {}
    for name in names:
        if "species" in found:
            break
        word = _tidy(name)
        if "genus" in found and _EPITHET.fullmatch(word) and " " not in word and word not in GENERIC:
            found["species"] = f"{found['genus']} {word}"
            continue
        said = folder_name(name)
        if set(said) == {"species"} and "genus" not in said:
            verbatim = said
        else:
            found |= said
    if found:
        return _ordered(found if "species" in found or not verbatim else found | verbatim)
    return verbatim


def file_name(stem: str, *, binomials: bool) -> dict[str, str]:
    """What a file's name says where neither a folder nor a row says anything: ``Blattodea``, ``Apidae_003``.

    Two words are a genus and a species only with ``binomials``: ``Image_bee`` is neither.
    """
    words = re.sub(r"[\s_(-]*\d+\)?$", "", _tidy(stem)).split()
    if len(words) == 1:
        rank = rank_of(words[0])
        return {rank: words[0]} if rank else {}
    if binomials and len(words) >= 2 and _WORD.fullmatch(words[0]) and _EPITHET.fullmatch(words[1]):
        return scientific_name(f"{words[0]} {words[1]}") if len(words[1]) > 2 else {}
    return {}


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).replace("_", " ").replace("+", " ").split())


def _at_rank(rank: str, name: str) -> dict[str, str]:
    if missing(name):
        return {}
    return (scientific_name(name) or {"species": name}) if rank == "species" else {rank: name}


def _verbatim(text: str) -> dict[str, str]:
    return {} if not any(c.isalpha() for c in text) else {"species": text}


def _lineage(words: list[str]) -> dict[str, str]:
    """Capitalised words from wide to narrow, and perhaps an epithet; empty where they are no such thing."""
    capitals = 0
    while capitals < len(words) and _WORD.fullmatch(words[capitals]):
        capitals += 1
    if not capitals:
        return {}
    wide, rest = words[:capitals], words[capitals:]
    if len(wide) > 1 and wide[-1] == wide[-2]:  # "Chironomus_Chironomus riparius"
        wide.pop()
    narrow = scientific_name(" ".join([wide[-1], *rest]))
    if len(wide) == 1:
        return narrow if _latin(rest) else {}
    above: dict[str, str] = {}
    place = RANKS.index("genus" if "genus" in narrow else next(iter(narrow)))
    for word in reversed(wide[:-1]):
        rank = rank_of(word)
        at = RANKS.index(rank) if rank else place - 1
        if at >= place or at < 0:
            return {}
        above[RANKS[at]] = word
        place = at
    known = any(rank_of(word) for word in wide)
    return _ordered(above | narrow) if known and _latin(rest) else {}


def _latin(rest: Sequence[str]) -> bool:
    """Whether what follows the genus is an epithet, a word of doubt, or nothing, and then perhaps an author."""
    if not rest:
        return True
    if rest[0].rstrip(".") in _DOUBT:
        return True
    if not _EPITHET.fullmatch(rest[0]):
        return False
    return all(_EPITHET.fullmatch(word) for word in rest[1:2]) or bool(_AUTHOR.search(" ".join(rest[1:])))


def _ordered(names: dict[str, str]) -> dict[str, str]:
    return {rank: names[rank] for rank in RANKS if rank in names}
