"""A pass on the disk: whole or not at all, and the same bytes for the same images."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.traits.marking.firing import Absolute
from pipelines.traits.marking.prevalence import Counting, Prevalence
from pipelines.traits.marking.tallies import Tally
from protocols.errors import InputError
from protocols.formats.protocol_file import write_whole

FORMAT = "labwright-prevalence-1"

_TALLIES = {"peaks": "peak_counts", "absolute": "absolute_counts", "patches": "patch_counts", "ground": "ground_counts"}


def save_prevalence(prevalence: Prevalence, path: Path) -> None:
    """Write a pass to ``path`` (a NumPy ``.npz``): completely or not at all.

    Lineages are put in order first, so the bytes depend on which images were added, not on their order.

    Raises:
        InputError: the file cannot be written; what was there is unchanged.
    """
    ordered = Prevalence(prevalence.counting)
    for lineage in sorted(prevalence.lineages):
        ordered.place_of(lineage)
    ordered.merge(prevalence)
    head = {
        "format": FORMAT,
        "counting": asdict(ordered.counting),
        "images": ordered.images,
        "fingerprint": f"{ordered.fingerprint:032x}",
        "lineages": ordered.lineages,
    }
    arrays: dict[str, Any] = {
        "head": np.frombuffer(json.dumps(head, sort_keys=True, ensure_ascii=False).encode(), np.uint8),
        "specimens": ordered.specimens,
        "tops": ordered.tops.entries(),
    }
    for name, attribute in _TALLIES.items():
        arrays[f"{name}_keys"], arrays[f"{name}_counts"] = getattr(ordered, attribute).items()
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole(path, content.getvalue())


def load_prevalence(path: Path) -> Prevalence:
    """Read what :func:`save_prevalence` wrote; more images can be added to it.

    Raises:
        InputError: the file is missing, damaged, or something else.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            if head["format"] != FORMAT:
                raise InputError(
                    f"it is of the form {head['format']}, not {FORMAT}", where=str(path), mend="Count the images again"
                )
            settings = head["counting"]
            counting = Counting(**{**settings, "absolute": Absolute(**settings["absolute"])})
            prevalence = Prevalence(counting)
            for lineage in head["lineages"]:
                prevalence.place_of(tuple(lineage))
            prevalence.restore(head["images"], int(head["fingerprint"], 16), arrays["specimens"])
            prevalence.tops.offer(arrays["tops"])
            for name, attribute in _TALLIES.items():
                tally: Tally = getattr(prevalence, attribute)
                tally.add(arrays[f"{name}_keys"], arrays[f"{name}_counts"])
            return prevalence
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path), mend="Count the images again") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"it is damaged or no count of latents ({type(error).__name__})",
            where=str(path),
            mend="Delete it and count the images again",
        ) from None
