"""``eml.xml``: Ecological Metadata Language 2.2.0, https://eml.ecoinformatics.org/schema/, elements in its order."""

from __future__ import annotations

import hashlib
from xml.sax.saxutils import escape, quoteattr

from pipelines.traits.dataset.card import summary
from pipelines.traits.dataset.figures import Figures
from pipelines.traits.dataset.licences import parse_licence
from pipelines.traits.dataset.settings import DatasetSettings
from pipelines.traits.dataset.staging import one_line

NAMESPACE = "https://eml.ecoinformatics.org/eml-2.2.0"
_UNSTATED = "not stated"


def _text(words: str) -> str:
    return escape(one_line(words))


def eml(settings: DatasetSettings, figures: Figures) -> str:
    """The whole file.

    Where no creator is named, the creator is a position called "not stated": the schema wants one.
    """
    creators = [f"<organizationName>{_text(name)}</organizationName>" for name in settings.creators if one_line(name)]
    creators = creators or [f"<positionName>{_UNSTATED}</positionName>"]
    licence = parse_licence(settings.licence)
    identity = hashlib.sha256(f"{settings.title}\n{settings.version}".encode("utf-8", "replace")).hexdigest()[:32]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<eml:eml xmlns:eml="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
        f'  xsi:schemaLocation="{NAMESPACE} https://eml.ecoinformatics.org/eml-2.2.0/eml.xsd"',
        f'  packageId="{identity}" system="labwright" xml:lang="en">',
        "  <dataset>",
        f"    <title>{_text(settings.title) or _UNSTATED}</title>",
        *(f"    <creator>{creator}</creator>" for creator in creators),
    ]
    if settings.published:
        lines.append(f"    <pubDate>{_text(settings.published)}</pubDate>")
    lines += [
        "    <language>en</language>",
        f"    <abstract><para>{_text(summary(settings, figures))}</para></abstract>",
    ]
    if settings.licence:
        name = f"<citetitle>{_text(settings.licence)}</citetitle>"
        link = f"<ulink url={quoteattr(licence.url)}>{name}</ulink>" if licence.url else _text(settings.licence)
        lines.append(f"    <intellectualRights><para>This work is licensed under {link}.</para></intellectualRights>")
    if settings.url:
        online = f'<online><url function="information">{_text(settings.url)}</url></online>'
        lines.append(f"    <distribution>{online}</distribution>")
    lines.append(f"    <contact>{creators[0]}{_address(settings.contact)}</contact>")
    return "\n".join([*lines, "  </dataset>", "</eml:eml>", ""])


def _address(contact: str) -> str:
    if not one_line(contact):
        return ""
    if "@" in contact:
        return f"<electronicMailAddress>{_text(contact)}</electronicMailAddress>"
    return f"<onlineUrl>{_text(contact)}</onlineUrl>"
