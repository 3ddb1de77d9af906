"""Pixels of an image file as 8-bit RGB, upright, whatever the file holds.

================  =================================================================================================
in the file       what is made of it
================  =================================================================================================
EXIF orientation  applied: the image comes out upright
16 bits           scaled linearly to 8: white is the most that 8, 10, 12, 14 or 16 bits can say, whichever the values
                  need. So a picture of a 12-bit camera in a 16-bit file is not black, and pictures of one camera stay
                  comparable
CMYK, Lab         converted to sRGB with the profile in the file; without one, CMYK by the plain formula, Lab as D50
palette           its colours
alpha             flattened on white
several frames    the first
================  =================================================================================================

Profiles of RGB images are left alone, as by the common loaders of vision models.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

from pipelines.traits.collections.archives import open_member
from pipelines.traits.collections.headers import (
    MOST_PIXELS,
    Unusable,
    check_cost,
    header,
    orientation,
    quiet,
    said,
    sixteen_bits,
    upright_size,
)
from pipelines.traits.collections.scans import CollectionError, Reason
from pipelines.traits.specimens import Specimen

LARGE = 16_000_000
"""Images of more pixels are decoded one at a time, however many workers there are: this bounds the memory of all."""

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))

one_large = threading.Lock()
"""Held while an image of more than :data:`LARGE` pixels is decoded."""


def open_image(root: Path, specimen: Specimen) -> NDArray[np.uint8]:
    """The image of a specimen: (H, W, 3) uint8 RGB, upright; H and W are the specimen's height and width.

    Memory: 7 to 12 bytes a pixel at the peak, 18 of 16 bits: at most 1.6 GB; images above :data:`LARGE` one at a time.

    Args:
        root: the collection's folder.
        specimen: as reading the collection gave it.

    Raises:
        CollectionError: the image is not there any more, or not the same file as when it was scanned.
    """
    where = str(root / specimen.source)
    mend = "Scan the collection again: it was changed since"
    with ExitStack() as stack:
        stack.enter_context(quiet)
        try:
            stream = stack.enter_context(open_source(root, specimen.source))
            image = stack.enter_context(header(stream))
            check_cost(image, stream)
            if identity(stream) != specimen.id:
                raise CollectionError("is not the file that was scanned", where=where, mend=mend)
            if image.width * image.height > LARGE:
                stack.enter_context(one_large)
            return _array(decoded(image, stream))
        except OSError as error:
            raise CollectionError(f"cannot be read ({error.strerror or error})", where=where, mend=mend) from None
        except Unusable as error:
            raise CollectionError(f"{error.reason.value}: {error.what}", where=where, mend=mend) from None


def _array(picture: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an RGB image, (H, W, 3), copied in strips: Pillow hands pixels over in one more copy."""
    made = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, 256):
        strip = picture.crop((0, top, picture.width, min(top + 256, picture.height)))
        made[top : top + 256] = np.asarray(strip)
    return made


def open_source(root: Path, source: str) -> BinaryIO:
    """The file of an image, by its source, to read.

    Raises:
        CollectionError: the source leads out of the collection, or its archive has no such member.
        OSError: it cannot be opened.
    """
    path = PurePosixPath(source)
    if path.is_absolute() or ".." in path.parts:
        raise CollectionError(f"{source!r} is no path within the collection", where=str(root))
    at = source.lower().find(".tar::")
    if at >= 0 and not (root / source).exists():
        return io.BufferedReader(open_member(root / source[: at + 4], source[at + 6 :]))
    return open(root / source, "rb")


def identity(stream: BinaryIO) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of a file; the stream stands where it stood."""
    place = stream.tell()
    stream.seek(0)
    digest = hashlib.file_digest(cast(io.BufferedReader, stream), "sha256").hexdigest()
    stream.seek(place)
    return digest[:32]


def decoded(image: ImageFile.ImageFile, stream: BinaryIO, *, reduced: int = 0) -> Image.Image:
    """All pixels, 8-bit RGB, upright.

    Args:
        image: from :func:`header`.
        stream: its file.
        reduced: if given, a smaller picture is enough, this long at its shorter side or longer: JPEG is decoded at a
            fraction, which finds all damage and takes a quarter of the time.

    Raises:
        Unusable: truncated or damaged, or of a kind without a defined meaning as a picture.
    """
    try:
        if sixteen_bits(image):
            return Image.fromarray(_from_sixteen(image, stream))
        if reduced:
            image.draft(None, (reduced, reduced))
        image.load()
        rgb = _flat(image)
        turned = orientation(image)
        if image.format != "TIFF" and turned != 1:
            rgb = _turned(rgb, turned)
        return rgb
    except Unusable:
        raise
    except MemoryError:
        raise Unusable(Reason.TOO_MANY_PIXELS, f"no memory for {image.width} x {image.height} pixels") from None
    except Exception as error:  # decoders raise anything on damaged bytes
        raise _broken(error) from None


def _from_sixteen(image: ImageFile.ImageFile, stream: BinaryIO) -> NDArray[np.uint8]:
    """Decode what has 16 bits a sample, by OpenCV, which keeps them."""
    import cv2

    stored = image.size
    image.load()  # finds what is truncated: OpenCV fills it with zeros
    size = upright_size(image, stored)
    turned = 1 if image.format == "TIFF" else orientation(image)
    stream.seek(0)
    data = np.frombuffer(stream.read(), np.uint8)
    values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED | (cv2.IMREAD_IGNORE_ORIENTATION if turned != 1 else 0))
    if values is not None and values.dtype == np.uint16:
        values = _upright(values, turned)
        if (values.shape[1], values.shape[0]) == size:
            # OpenCV has blue first
            return _eight(values, None if values.ndim == 2 else [2, 1, 0, 3][: values.shape[2]])
    values = _upright(np.asarray(image), turned)
    if values.min() < 0 or values.max() > 65535:
        raise Unusable(Reason.UNSUPPORTED, "samples have 32 bits, and it is not said what is white")
    return _eight(values)


def _eight(values: NDArray[Any], channels: list[int] | None = None) -> NDArray[np.uint8]:
    """Scale samples by the bits that they need, flatten on white, and make three channels.

    Args:
        values: (H, W) or (H, W, C), from 0 to 65535.
        channels: their order in the result.
    """
    highest = int(values.max(initial=0))
    bits = next(bits for bits in (8, 10, 12, 14, 16) if highest < 1 << bits)
    table = np.rint(np.arange(1 << bits) * (255 / ((1 << bits) - 1))).astype(np.uint8)
    scaled = table[values] if channels is None else np.stack([table[values[:, :, at]] for at in channels], axis=2)
    if scaled.ndim == 2:
        return np.repeat(scaled[:, :, None], 3, axis=2)
    if scaled.shape[2] == 4:
        return np.asarray(_flat(Image.fromarray(scaled)))
    return scaled if scaled.shape[2] == 3 else np.repeat(scaled[:, :, :1], 3, axis=2)


def _flat(image: Image.Image) -> Image.Image:
    """A decoded 8-bit image as RGB, on white."""
    if image.mode == "F":
        raise Unusable(Reason.UNSUPPORTED, "samples are floating-point numbers, and it is not said what is white")
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    if image.mode in ("CMYK", "LAB"):
        return _by_profile(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _by_profile(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    try:
        if profile:
            source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        elif image.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        else:
            return image.convert("RGB")
        made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        if image.mode == "LAB":
            raise Unusable(Reason.UNSUPPORTED, "its Lab colours cannot be converted") from None
        return image.convert("RGB")  # the profile is damaged or of another colour space
    return cast(Image.Image, made)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turned(image: Image.Image, turned: int) -> Image.Image:
    return image.transpose(_TURNS[turned])


def _upright(values: NDArray[Any], turned: int) -> NDArray[Any]:
    """The same turns on an array (H, W[, C])."""
    if turned in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if turned in (2, 3, 6, 7):
        values = values[:, ::-1]
    if turned in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)


def _broken(error: Exception) -> Unusable:
    text = said(error)
    cut = any(word in text.lower() for word in ("truncated", "not processed", "end of", "broken data stream", "-2"))
    return Unusable(Reason.TRUNCATED if cut else Reason.DAMAGED, f"the pixels cannot be decoded ({text})")
