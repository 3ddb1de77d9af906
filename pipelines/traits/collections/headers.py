"""What is known of an image before a pixel is decoded, and what is refused by it.

The header is read first, by Pillow, and only the formats of :data:`FORMATS` are tried: nothing that runs a program.
"""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from pipelines.traits.collections.scans import Reason

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000", "AVIF", "PPM")
"""Formats that are read, by Pillow's names; MPO (several JPEG in one file) is read as JPEG."""

MOST_PIXELS = 89_478_485
"""The most pixels of an image: Pillow's own limit, a quarter of a gigabyte as RGB."""

MOST_BYTES = 2 << 30
"""The most bytes of an image file: three times what :data:`MOST_PIXELS` of 16-bit RGBA take, not compressed."""

MOST_SCANS = 100
"""The most scans of a progressive JPEG; ordinary ones have 10. A small file of thousands would be decoded for hours."""

_SIDEWAYS = (5, 6, 7, 8)
_ORIENTATION = 0x0112


class _Quiet:
    """While entered, by however many threads, Pillow warns of nothing, and takes too many pixels for an error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
                warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._before.__exit__(None, None, None)


quiet = _Quiet()
"""Filters of warnings belong to the process, not the thread: the first in sets them, the last out sets them back."""


class Unusable(Exception):
    """Raised when an image cannot be used: the reason it is quarantined for, and what exactly."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(what)
        self.reason = reason
        self.what = what


def check_cost(image: ImageFile.ImageFile, stream: BinaryIO) -> None:
    """Refuse what would be read or decoded for hours.

    Raises:
        Unusable: the file is longer than :data:`MOST_BYTES`, or a JPEG of more than :data:`MOST_SCANS` scans.
    """
    place = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    if size > MOST_BYTES:
        raise Unusable(Reason.TOO_LARGE, f"{size:,} bytes, of which at most {MOST_BYTES:,} are read")
    if image.info.get("progressive"):
        stream.seek(0)
        scans, last = 0, b""
        while block := stream.read(1 << 20):
            scans += (last + block).count(b"\xff\xda")  # a start of scan: within a scan, no 0xFF stands before it
            last = block[-1:] if block[-1:] == b"\xff" else b""
        if scans > MOST_SCANS:
            raise Unusable(
                Reason.DAMAGED, f"{scans:,} scans in a progressive JPEG, of which at most {MOST_SCANS} are read"
            )
    stream.seek(place)


def header(stream: BinaryIO) -> ImageFile.ImageFile:
    """An image of which no pixel was decoded yet.

    Raises:
        Unusable: it is no image, or has too many pixels.
    """
    try:
        image = Image.open(stream, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable(Reason.TOO_MANY_PIXELS, str(error).partition(" of ")[0]) from None
    except UnidentifiedImageError:
        raise _unidentified(stream) from None
    except Exception as error:  # decoders raise anything on damaged bytes
        raise Unusable(Reason.DAMAGED, f"the header cannot be read ({said(error)})") from None
    if image.width * image.height > MOST_PIXELS:
        raise Unusable(Reason.TOO_MANY_PIXELS, f"{image.width} x {image.height} pixels")
    return image


def upright_size(image: Image.Image, stored: tuple[int, int]) -> tuple[int, int]:
    """Width and height after the EXIF orientation was applied.

    Args:
        image: decoded: the orientation of a PNG may stand behind its pixels.
        stored: its width and height before it was decoded.
    """
    width, height = stored
    if image.format != "TIFF" and orientation(image) in _SIDEWAYS:  # of a TIFF, Pillow gives the upright size
        return height, width
    return width, height


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of a decoded image, 1 where there is none or the EXIF block is damaged."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a damaged block raises anything
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def conversion(image: Image.Image) -> str:
    """What is done to the pixels of an image not yet decoded, in words; empty where they are taken as they stand."""
    done = []
    if sixteen_bits(image):
        done.append("16 bits scaled to 8")
    elif image.mode in ("CMYK", "LAB"):
        profile = "with its profile" if image.info.get("icc_profile") else "without a profile"
        done.append(f"{'CMYK' if image.mode == 'CMYK' else 'Lab'} converted to RGB {profile}")
    if image.has_transparency_data:
        done.append("transparency flattened on white")
    frames = 1 if image.format == "MPO" else frame_count(image)
    if frames > 1:
        done.append(f"the first of {frames} frames taken")
    return ", ".join(done)


def frame_count(image: Image.Image) -> int:
    """How many frames or pages the file says it has; 1 where it cannot be told."""
    try:
        count = getattr(image, "n_frames", 1)
        if count > 1:
            image.seek(0)
    except Exception:  # counting reads the whole file, damage and all
        return 1
    return int(count)


def sixteen_bits(image: Image.Image) -> bool:
    """Whether a sample of an image not yet decoded has more than 8 bits; Pillow would cut colours to the upper byte."""
    if image.mode.startswith("I"):
        return True
    tiles = getattr(image, "tile", None) or []
    return any(";16" in str(tile[3]) for tile in tiles) or (image.format == "PPM" and _deep_ppm(image))


def _deep_ppm(image: Image.Image) -> bool:
    return any(isinstance(part, int) and part > 255 for tile in getattr(image, "tile", []) for part in _parts(tile[3]))


def _parts(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)


def _unidentified(stream: BinaryIO) -> Unusable:
    """What a file that no reader knows begins with, as far as it tells what happened."""
    stream.seek(0)
    start = stream.read(512)
    if not start:
        return Unusable(Reason.EMPTY, "the file holds no byte")
    if not start.strip(b"\0"):
        return Unusable(Reason.DAMAGED, "the file begins with zeros: it was not written to its end")
    if start[4:8] == b"ftyp":
        return Unusable(Reason.UNSUPPORTED, "it is HEIC or a film")
    if start.startswith((b"\xff\xd8", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF8")):
        return Unusable(Reason.DAMAGED, "the header cannot be read")
    text = start.decode("latin-1").lstrip("ï»¿ \r\n\t").lower()
    if text.startswith(("<!doctype", "<html", "<?xml", "<svg", "{", "version https://git-lfs")):
        return Unusable(Reason.NOT_AN_IMAGE, f"it begins with {start[:40].decode('utf-8', 'backslashreplace')!r}")
    return Unusable(Reason.NOT_AN_IMAGE, f"no image format begins with {start[:8]!r}")


def said(error: Exception) -> str:
    """What a decoder says of an error, or the error's name where it says nothing."""
    return str(error) or type(error).__name__
