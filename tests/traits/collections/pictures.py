"""Pictures and archives for the tests: each picture of its own look, small, and the same for the same number."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.traits.collections import Quarantined, Scan


def pixels(number: int, width: int = 48, height: int = 36) -> NDArray[np.uint8]:
    """Soft coloured blotches, (height, width, 3)."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encoded(number: int, form: str = "JPEG", *, size: tuple[int, int] = (48, 36), **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels(number, *size)).save(stream, form, **options)
    return stream.getvalue()


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def archive(path: Path, members: dict[str, bytes | str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            content = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def taxa(scan: Scan) -> dict[str, dict[str, str]]:
    """Names at ranks by source."""
    return {specimen.source: dict(specimen.taxon.names) for specimen in scan.specimens}


def only(scan: Scan) -> Quarantined:
    (item,) = scan.quarantined
    return item
