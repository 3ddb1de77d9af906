"""A scan on the disk: ``specimens.jsonl``, ``quarantine.jsonl``, and ``scan.json``, which is written last.

``scan.json`` bears the SHA-256 of the other two: a folder that was not written to its end, or changed since, is told
from a whole one. The same scan gives the same bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.traits.collections.scans import Alike, Converted, Quarantined, Reason, Scan
from pipelines.traits.collections.stored import StoredSpecimens, as_line
from pipelines.traits.specimens import Specimen
from protocols.errors import RecordError

SCHEMA_VERSION = 1
_LISTS = ("converted", "alike", "rows_without_image", "images_without_row")


def save_scan(scan: Scan, folder: Path) -> None:
    """Write a scan into a folder, which is made if it is not there.

    Raises:
        RecordError: it cannot be written; no half-written file is left.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digests = {
            "specimens.jsonl": _write(folder / "specimens.jsonl", lambda file: _specimens(file, scan.specimens)),
            "quarantine.jsonl": _write(folder / "quarantine.jsonl", lambda file: _lines(file, scan.quarantined)),
        }
        head: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "layout": scan.layout,
            "recognised": scan.recognised,
            "specimens": len(scan.specimens),
            "quarantined": scan.reasons(),
            "ignored": dict(scan.ignored),
            "rows_without_image_count": scan.rows_without_image_count,
            "sha256": digests,
        }
        for name in _LISTS:
            items = getattr(scan, name)
            head[name] = [item if isinstance(item, str) else dataclasses.asdict(item) for item in items]
        text = json.dumps(head, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
        _write(folder / "scan.json", lambda file: file.write(text.encode()))
    except OSError as error:
        raise RecordError(
            f"the scan cannot be written ({error.strerror or error})",
            where=str(folder),
            mend="Make room on the disk, or name another folder",
        ) from None


def load_scan(folder: Path) -> Scan:
    """Read a scan that was saved; its specimens stay on the disk.

    Raises:
        RecordError: it is missing, was not written to its end, is damaged, or of another version.
    """
    folder = Path(folder)
    mend = "Scan the collection again"
    try:
        head = json.loads((folder / "scan.json").read_bytes())
        if head["schema_version"] != SCHEMA_VERSION:
            what = f"the scan is of version {head['schema_version']!r}, this Labwright reads {SCHEMA_VERSION}"
            raise RecordError(what, where=str(folder), mend=mend)
        for name, digest in head["sha256"].items():
            with open(folder / name, "rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                    raise RecordError(
                        "is not the file that was written with scan.json", where=str(folder / name), mend=mend
                    )
        lines = (folder / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()
        return Scan(
            layout=head["layout"],
            recognised=head["recognised"],
            specimens=StoredSpecimens(folder / "specimens.jsonl"),
            quarantined=[_quarantined(json.loads(line)) for line in lines],
            converted=[Converted(**item) for item in head["converted"]],
            alike=[Alike(**item) for item in head["alike"]],
            rows_without_image=head["rows_without_image"],
            rows_without_image_count=head["rows_without_image_count"],
            images_without_row=head["images_without_row"],
            ignored=head["ignored"],
        )
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise RecordError(f"there is no whole scan: {name} is missing", where=str(folder), mend=mend) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"the scan cannot be read ({error})", where=str(folder), mend=mend) from None


def _quarantined(item: dict[str, str]) -> Quarantined:
    return Quarantined(item["source"], Reason(item["reason"]), item["detail"])


def _specimens(file: BinaryIO, specimens: Iterable[Specimen]) -> None:
    for specimen in specimens:
        file.write(as_line(specimen))


def _lines(file: BinaryIO, items: Iterable[Quarantined]) -> None:
    for item in items:
        file.write(json.dumps(dataclasses.asdict(item), ensure_ascii=False).encode() + b"\n")


def _write(path: Path, fill: Callable[[BinaryIO], Any]) -> str:
    """Write a whole file or none of it; its SHA-256."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "x+b") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return digest
