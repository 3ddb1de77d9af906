"""What was measured before the regions were found anew: where image, region and all else are the same, it holds."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from pipelines.traits.annotating.pictures import Found, Shown, own_scale
from pipelines.traits.annotating.stored import Control, controls_name, read_controls, read_shard, statements_name
from pipelines.traits.finding.stored_codes import write_bytes
from pipelines.traits.statements import Statement

_ASIDE = "earlier-"
_Region = tuple[str, int]


def bounds_name(number: int) -> str:
    """The file that says, beside a shard's statements, what else than pixels each image's depend on."""
    return f"bounds-{number:06d}.json"


def write_bounds(path: Path, shown: Sequence[Shown]) -> None:
    """Write a whole file or none of it.

    Raises:
        OSError: it cannot be written.
    """
    write_bytes(path, json.dumps({one.specimen.id: _bounds(one) for one in shown}, indent=0).encode())


def _bounds(shown: Shown) -> str:
    scale = own_scale(shown.specimen)
    told = [shown.conditions, None if scale is None else astuple(scale)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def put_aside(folder: Path) -> None:
    """Keep what was measured, under other names; called again after a kill, it goes on."""
    for path in list(folder.iterdir()):
        if path.name.startswith(("statements-", "controls-", "bounds-")):
            path.replace(path.with_name(_ASIDE + path.name))


def forget(folder: Path) -> None:
    """Remove what was put aside."""
    for path in folder.glob(f"{_ASIDE}*"):
        path.unlink()


class Earlier:
    """What was measured of a shard's images before; nothing where nothing was put aside."""

    def __init__(self, folder: Path, number: int) -> None:
        """Read what was put aside.

        Raises:
            RecordError: it is damaged.
        """
        self._said: dict[_Region, list[Statement]] = defaultdict(list)
        self._controls: dict[tuple[str, _Region], list[Control]] = defaultdict(list)
        self._bounds: dict[str, str] = {}
        try:
            self._bounds = json.loads((folder / f"{_ASIDE}{bounds_name(number)}").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        for one in read_shard(folder / f"{_ASIDE}{statements_name(number)}"):
            self._said[one.image, one.latent].append(one)
        for control in read_controls(folder / f"{_ASIDE}{controls_name(number)}"):
            self._controls[control.kind, (control.statement.image, control.statement.latent)].append(control)

    def holds(self, shown: Shown, region: Found) -> bool:
        """Whether what was said of a region is what would be said now."""
        said = self._said.get((shown.specimen.id, region.latent), [])
        same = self._bounds.get(shown.specimen.id) == _bounds(shown)
        return same and any(one.place == region.place for one in said[:1])

    def statements(self, shown: Shown, region: Found) -> list[Statement]:
        """What was said of a region."""
        return self._said[shown.specimen.id, region.latent]

    def controls(self, kind: str, shown: Shown, region: Found) -> list[Control]:
        """What was said of its controls."""
        return self._controls[kind, (shown.specimen.id, region.latent)]
