"""Protocols as YAML or JSON and programs as JSON, read and written; and any input told by its content."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from protocols.errors import InputError
from protocols.formats.columns import read_header
from protocols.formats.delimited import sniff
from protocols.formats.documents import Document, load_document
from protocols.formats.foreign import is_analysis, refuse_foreign
from protocols.formats.markup import INTEGER, NUMBER
from protocols.formats.options import Worklist, WorklistOptions
from protocols.formats.validation import AnyModel, validate
from protocols.formats.worklist import read_worklist
from protocols.program import Program
from protocols.protocol import Instructions, Protocol
from protocols.specs import SCHEMA_VERSION
from protocols.wells import count_wells, in_blocks

LINE_WIDTH = 100
MOST_WELLS_IN_ALL = 1_000_000
"""How many wells the steps and materials of a protocol file may name, blocks written out: a few bytes can name many."""


@dataclass(frozen=True)
class Input:
    """What stands in a file that a person gave: a protocol, a program that was compiled before, or an analysis.

    Attributes:
        worklist: what more is to be said where the protocol comes from a worklist.
        analysis: Opentrons' analysis of a protocol, still to be imported.
    """

    path: Path
    protocol: Protocol | None = None
    program: Program | None = None
    worklist: Worklist | None = None
    analysis: Document | None = None


def read_input(path: str | Path, options: WorklistOptions | None = None) -> Input:
    """Read the worklist, protocol, program or analysis at ``path``; which of them it is, its content says.

    Raises:
        InputError: it is none of them, or cannot be used; every problem with its place.
    """
    file = Path(path)
    if _is_worklist(file):
        worklist = read_worklist(file, options)
        return Input(file, protocol=worklist.protocol, worklist=worklist)
    document = load_document(file)
    refuse_foreign(document)
    if is_analysis(document.data):
        return Input(file, analysis=document)
    if isinstance(document.data, dict) and "instructions" in document.data:
        return Input(file, program=_of_this_version(document, Program))
    return Input(file, protocol=_of_this_version(document, Protocol))


def read_protocol(path: str | Path) -> Protocol:
    """The protocol in the YAML or JSON file at ``path``.

    Raises:
        InputError: it cannot be read, is of another schema version, or is not a protocol; every problem with
            its line and field.
    """
    return _of_this_version(load_document(path), Protocol)


def read_program(path: str | Path) -> Program:
    """The program in the JSON (or YAML) file at ``path``.

    Raises:
        InputError: as for :func:`read_protocol`.
    """
    return _of_this_version(load_document(path), Program)


def dump_protocol(protocol: Protocol) -> str:
    """``protocol`` as YAML that reads back equal; what equals its default is left out."""
    text: str = yaml.dump(_plain(protocol), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=LINE_WIDTH)
    return text


def dump_protocol_json(protocol: Protocol) -> str:
    """``protocol`` as JSON that reads back equal; what equals its default is left out."""
    return json.dumps(_plain(protocol), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def dump_program(program: Program) -> str:
    """``program`` as JSON that reads back equal."""
    return program.model_dump_json(indent=1) + "\n"


def _plain(protocol: Protocol) -> dict[str, Any]:
    """``protocol`` as mappings, lists and values, in the order in which a person reads them."""
    data = protocol.model_dump(mode="json", exclude_defaults=True)
    data["steps"] = [
        {"id": said.pop("id"), "do": step.do, **said} for step, said in zip(protocol.steps, data["steps"], strict=True)
    ]
    for step, said in zip(protocol.steps, data["steps"], strict=True):
        if isinstance(step, Instructions):
            said["instructions"] = [
                {"kind": one.kind, **more} for one, more in zip(step.instructions, said["instructions"], strict=True)
            ]
    for said in (*data["steps"], *data.get("materials", ())):
        for name in ("wells", "source", "destination"):
            if isinstance(said.get(name), list):
                blocks = in_blocks(said[name])
                said[name] = blocks[0] if len(blocks) == 1 else list(blocks)
    return {"schema_version": protocol.schema_version, **data}


def write_protocol(protocol: Protocol, path: str | Path) -> None:
    """Write ``protocol`` to ``path`` as YAML, completely or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    write_whole(Path(path), dump_protocol(protocol).encode())


def write_program(program: Program, path: str | Path) -> None:
    """Write ``program`` to ``path`` as JSON, completely or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    write_whole(Path(path), dump_program(program).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` in the file ``path`` so that nobody, not even after a crash, finds half of it.

    Raises:
        InputError: the file cannot be written; what was there is unchanged.
    """
    temporary: str | None = None
    if path.exists() and not path.is_file():
        raise InputError("it is not an ordinary file", where=str(path), mend="Name another one")
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise InputError(f"it cannot be written ({why})", where=str(path), mend="Check the folder") from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or the core schema of YAML 1.2 would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal parts out: a reader should not have to look them up."""
        return True


for _pattern, _tag in ((INTEGER, "int"), (NUMBER, "float")):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, list("-+.0123456789"))


def _of_this_version(document: Document, model: type[AnyModel]) -> AnyModel:
    kind = model.__name__.lower()
    data = document.data
    if not isinstance(data, dict):
        said = "it is empty" if data is None else "it is not a mapping of fields to values"
        raise InputError(said, where=document.where(), mend=f"A {kind} begins with 'title: …'")
    version = data.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION or isinstance(version, bool):
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        raise InputError(
            f"the {kind} is of schema version {str(version)[:20]}, this Labwright reads version {SCHEMA_VERSION}",
            where=document.where("schema_version"),
            mend="Use a newer Labwright" if newer else f"Write it anew for schema version {SCHEMA_VERSION}",
        )
    if model is Protocol:
        _refuse_too_many_wells(document, data)
    return validate(document, model)


def _refuse_too_many_wells(document: Document, data: dict[str, Any]) -> None:
    """Count the wells before any is written out.

    Raises:
        InputError: there are more than :data:`MOST_WELLS_IN_ALL`; the entry that is too much is named.
    """
    named = 0
    for part in ("materials", "steps"):
        entries = data.get(part)
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            named += _wells_named(entry)
            if named > MOST_WELLS_IN_ALL:
                raise InputError(
                    f"{part}, entry {number + 1}: more than {MOST_WELLS_IN_ALL:,} wells are named in all",
                    where=document.where(part, number),
                    mend="Split the protocol",
                )


def _wells_named(entry: Any) -> int:
    """How many wells one material or step names; what is no well is left to validation."""
    values = [entry.get(field) for field in ("wells", "source", "destination")] if isinstance(entry, dict) else []
    references = [item for value in values for item in (value if isinstance(value, list) else [value])]
    named = 0
    for reference in references:
        if isinstance(reference, str):
            with suppress(InputError):
                named += count_wells(reference)
    return named


def _is_worklist(path: Path) -> bool:
    """A header with two columns of known meaning, or a name that says so."""
    header = sniff(path)
    if header[:1] and header[0].lstrip().startswith(("{", "[")):
        return False
    known = sum(read_header(index, cell).role is not None for index, cell in enumerate(header))
    return known >= 2 or path.suffix.lower() in (".csv", ".tsv")
