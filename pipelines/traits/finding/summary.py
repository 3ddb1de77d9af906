"""What was found, in short: for the command line and for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from protocols.errors import InputError, RecordError

SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True)
class Line:
    """One taxon, and the latent that speaks for it most.

    Attributes:
        latents: how many mark it; 0 where nothing could be tested.
        latent: the strongest.
        effect: how much more often that one fires in the taxon: difference of shares of specimens.
        q: share of false findings to expect; ``None`` where it was not tested.
        standing: ``marked`` or ``not tested``.
    """

    taxon: str
    rank: str
    specimens: int
    latents: int
    latent: int
    effect: float
    q: float | None
    standing: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a whole job found.

    Attributes:
        images: that could be used, of ``taxa`` different names; ``quarantined`` could not, by ``reasons``.
        notes: what a reader must know, most important first.
        heading: what the lines are.
        regions: how many regions there are.
    """

    folder: Path
    images: int
    taxa: int
    quarantined: int
    reasons: Mapping[str, int]
    notes: Sequence[str]
    heading: str
    lines: Sequence[Line]
    regions: int

    @property
    def gallery(self) -> Path:
        """The first page."""
        return self.folder / "gallery" / "index.html"

    @property
    def regions_file(self) -> Path:
        """The folder with all regions."""
        return self.folder / "regions"

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        plain = asdict(self) | {"folder": str(self.folder)}
        return plain | {"gallery": str(self.gallery), "regions_folder": str(self.regions_file)}


def read_summary(folder: Path) -> Summary:
    """What a folder's job found.

    Raises:
        InputError: there is no such job, or it has not ended.
        RecordError: its record is damaged.
    """
    from pipelines.traits.finding.stage import read_record

    folder = folder.expanduser().resolve()
    if not (folder / "job.json").exists():
        raise InputError("nothing was found here", where=str(folder), mend="Name the --out of labwright traits find")
    record = read_record(folder / "gallery")
    if record is None or not record["complete"]:
        raise InputError(
            "the job has not ended",
            where=str(folder),
            mend="Give the same labwright traits find again: it goes on where it was",
        )
    path = folder / "gallery" / SUMMARY
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        lines = [Line(**line) for line in found.pop("lines")]
        return Summary(folder=folder, lines=lines, **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend=f"Delete {path.parent} and give the command again"
        ) from None
