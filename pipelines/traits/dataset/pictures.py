"""Images of the dataset: copied byte by byte, or written anew."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from pipelines.traits.collections import CollectionError, open_image
from pipelines.traits.collections.pixels import open_source
from pipelines.traits.dataset.staging import Copied
from pipelines.traits.specimens import Specimen

_BLOCK = 1 << 20
_SUFFIXES = {"jpeg": ".jpg", "png": ".png"}


def copy_picture(root: Path, specimen: Specimen, images: Path, reencode: Literal["jpeg", "png"] | None) -> Copied:
    """Put an image into ``images``, as ``3f/3f0c….jpg``.

    Args:
        root: the collection's folder.
        specimen: whose image.
        images: the dataset's folder of images.
        reencode: ``None`` copies the file; else pixels are decoded, turned upright and written without metadata.

    Raises:
        CollectionError: the image is not there any more, or not the same file as when it was scanned.
        OSError: it cannot be written.
    """
    suffix = _SUFFIXES[reencode] if reencode else _suffix(specimen.source)
    name = f"{specimen.id[:2]}/{specimen.id}{suffix}"
    target = images / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if reencode:
        _encode(root, specimen, target, reencode)
        with open(target, "rb") as made:
            digest = hashlib.file_digest(made, "sha256").hexdigest()
        original = _digest(root, specimen)
    else:
        digest = original = _copy(root, specimen, target)
    if not original.startswith(specimen.id):
        where = str(root / specimen.source)
        raise CollectionError(
            "is not the file that was scanned", where=where, mend="Scan the collection again: it was changed since"
        )
    return Copied(name, original, digest, target.stat().st_size)


def _suffix(source: str) -> str:
    suffix = PurePosixPath(source.rpartition("::")[2]).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() else ".img"


def _copy(root: Path, specimen: Specimen, target: Path) -> str:
    digest = hashlib.sha256()
    with _source(root, specimen) as stream, open(target, "wb") as file:
        while block := stream.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _digest(root: Path, specimen: Specimen) -> str:
    digest = hashlib.sha256()
    with _source(root, specimen) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _source(root: Path, specimen: Specimen) -> BinaryIO:
    try:
        return open_source(root, specimen.source)
    except OSError as error:
        where = str(root / specimen.source)
        mend = "Scan the collection again: it was changed since"
        raise CollectionError(f"cannot be read ({error.strerror or error})", where=where, mend=mend) from None


def _encode(root: Path, specimen: Specimen, target: Path, form: Literal["jpeg", "png"]) -> None:
    from PIL import Image

    image = Image.fromarray(open_image(root, specimen))
    if form == "jpeg":
        image.save(target, "JPEG", quality=95, subsampling=0)
    else:
        image.save(target, "PNG")
