"""What is true of each picture of a drawn collection, written beside the pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from protocols.errors import InputError

FILE = "ground_truth.arrow"
"""An Arrow IPC file: not of a kind that a collection's reader takes for metadata of its images, so nothing leaks."""
SETTINGS = "drawing.json"
_MASK = pa.struct(
    [("name", pa.string()), ("box", pa.list_(pa.int32(), 4)), ("area", pa.int32()), ("counts", pa.list_(pa.int32()))]
)
SCHEMA = pa.schema(
    [
        ("file_name", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("kind", pa.string()),
        ("ground", pa.string()),
        ("taxon", pa.map_(pa.string(), pa.string())),
        ("states", pa.map_(pa.string(), pa.string())),
        ("parts", pa.list_(_MASK)),
        ("clutter", pa.list_(_MASK)),
        ("organism", _MASK),
    ]
)


@dataclass(frozen=True)
class Mask:
    """A mask of an image as run lengths.

    Attributes:
        size: height and width of the image.
        box: left, top, width and height of what is inside, in pixels.
        area: pixels inside.
        counts: run lengths down the columns, outside first: COCO's uncompressed run-length encoding.
    """

    size: tuple[int, int]
    box: tuple[int, int, int, int]
    area: int
    counts: tuple[int, ...]

    def pixels(self) -> NDArray[np.bool_]:
        """The mask (H, W)."""
        inside = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(inside, self.counts).reshape(self.size[1], self.size[0]).T

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Mask:
        """The run lengths of a mask (H, W)."""
        flat = np.ascontiguousarray(mask.T).ravel()
        turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        edges = np.concatenate([[0], turns, [flat.size]])
        counts = np.diff(edges).tolist()
        if flat.size and flat[0]:
            counts = [0, *counts]
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return cls((mask.shape[0], mask.shape[1]), (0, 0, 0, 0), 0, tuple(counts))
        left, top = int(columns[0]), int(rows[0])
        box = (left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
        return cls((mask.shape[0], mask.shape[1]), box, int(np.count_nonzero(mask)), tuple(counts))


@dataclass(frozen=True)
class Truth:
    """What is true of one picture.

    Attributes:
        file_name: relative to the collection.
        sha256: of the file's bytes; its first 32 digits are the specimen's id.
        kind: insect, fish or leaf.
        ground: what the organism lies on.
        taxon: name at each rank.
        states: state of each trait.
        parts, clutter: mask of each part, of each label, scale or pin.
        organism: where the organism is.
    """

    file_name: str
    sha256: str
    kind: str
    ground: str
    taxon: Mapping[str, str]
    states: Mapping[str, str]
    parts: Mapping[str, Mask]
    clutter: Mapping[str, Mask]
    organism: Mask


def save_ground_truth(truths: Iterable[Truth], folder: Path) -> Path:
    """Write :data:`FILE` into a folder, whole or not at all."""
    rows = [_row(truth) for truth in truths]
    target, half = folder / FILE, folder / f".{FILE}.part"
    packed = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_file(half, SCHEMA, options=packed) as file:
        file.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
    os.replace(half, target)
    return target


def load_ground_truth(folder: Path) -> list[Truth]:
    """What is true of every picture of a drawn collection, in the order in which they were drawn.

    Raises:
        InputError: where the folder has no readable ground truth.
    """
    try:
        with pa.memory_map(str(folder / FILE)) as source, pyarrow.ipc.open_file(source) as file:
            if file.schema != SCHEMA:
                raise pa.ArrowInvalid("it is of another version")
            rows = file.read_all().to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"no ground truth could be read ({error})", where=str(folder / FILE), mend="Draw the collection again"
        ) from error
    return [_truth(row) for row in rows]


def _row(truth: Truth) -> dict[str, Any]:
    return {
        "file_name": truth.file_name,
        "sha256": truth.sha256,
        "width": truth.organism.size[1],
        "height": truth.organism.size[0],
        "kind": truth.kind,
        "ground": truth.ground,
        "taxon": list(truth.taxon.items()),
        "states": list(truth.states.items()),
        "parts": [_packed(name, mask) for name, mask in truth.parts.items()],
        "clutter": [_packed(name, mask) for name, mask in truth.clutter.items()],
        "organism": _packed("organism", truth.organism),
    }


def _packed(name: str, mask: Mask) -> dict[str, Any]:
    return {"name": name, "box": list(mask.box), "area": mask.area, "counts": list(mask.counts)}


def _truth(row: Mapping[str, Any]) -> Truth:
    size = (row["height"], row["width"])
    return Truth(
        file_name=row["file_name"],
        sha256=row["sha256"],
        kind=row["kind"],
        ground=row["ground"],
        taxon=dict(row["taxon"]),
        states=dict(row["states"]),
        parts={each["name"]: _unpacked(each, size) for each in row["parts"]},
        clutter={each["name"]: _unpacked(each, size) for each in row["clutter"]},
        organism=_unpacked(row["organism"], size),
    )


def _unpacked(packed: Mapping[str, Any], size: tuple[int, int]) -> Mask:
    left, top, wide, high = packed["box"]
    return Mask(size, (left, top, wide, high), packed["area"], tuple(packed["counts"]))


def saved_settings(folder: Path) -> dict[str, object] | None:
    """The settings a folder was drawn with, ``None`` where it wasn't drawn."""
    try:
        found = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
