"""Pipettes by the names their makers give them."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from opentrons_shared_data.load import get_shared_data_root, load_shared_data

from protocols.errors import UnknownNameError
from protocols.specs import PipetteSpec
from robots.workcell.config import HamiltonChannels, HamiltonHead, OpentronsPipette
from robots.workcell.labware import FLEX_FITTING, OPENTRONS_FITTINGS
from robots.workcell.names import nearest

_CO_RE = frozenset({"Hamilton CO-RE"})
CHANNEL_PITCH = 9.0
"""mm between neighbouring nozzles: an SBS 96-well plate's pitch."""


_NEWER = {
    "single": "single_channel",
    "multi": "eight_channel",
    "multi_em": "eight_channel_em",
    "96": "ninety_six_channel",
}
_NAME = re.compile(r"(p[0-9]+)_(single|multi_em|multi|96)(?:_(gen2|flex))?")


def describe_pipette(name: str, config: HamiltonChannels | HamiltonHead | OpentronsPipette) -> PipetteSpec:
    """What the pipette ``name`` can do.

    Volumes of the STAR's channels and head: Hamilton's stated ranges, 0.5 to 1000 µL and 1 to 1000 µL. Those of
    Opentrons pipettes: ``pipetteNameSpecs.json`` of opentrons_shared_data, and the newest revision's own definition,
    whose low-volume mode reaches lower.
    """
    if isinstance(config, OpentronsPipette):
        known = _opentrons()[config.type]
        return PipetteSpec(
            id=name,
            device=config.device,
            channels=known["channels"],
            independent=False,
            min_volume=min([known["minVolume"], *_newer_minima(config.type)]),
            max_volume=known["maxVolume"],
            fits=frozenset({fitting_of_pipette(config.type)}),
            pitch=CHANNEL_PITCH,
            model=config.type,
            mount=config.mount,
            body=_body(config.type) if known["channels"] > 1 else None,
        )
    head = isinstance(config, HamiltonHead)
    return PipetteSpec(
        id=name,
        device=config.device,
        channels=config.channels if isinstance(config, HamiltonChannels) else 96,
        independent=not head,
        min_volume=1.0 if head else 0.5,
        max_volume=1000.0,
        fits=_CO_RE,
        pitch=CHANNEL_PITCH,
        model=config.type,
    )


@cache
def _opentrons() -> dict[str, Any]:
    specs: dict[str, Any] = json.loads(load_shared_data("pipette/definitions/1/pipetteNameSpecs.json"))
    return specs


def is_flex_pipette(name: str) -> bool:
    """Opentrons' pipette ``name`` belongs to a Flex: those of 96 channels have no ending that says so."""
    return name.endswith(("_flex", "_96"))


def fitting_of_pipette(name: str) -> str:
    """The fitting of the tips that Opentrons' pipette ``name`` takes.

    Raises:
        UnknownNameError: there is no such pipette.
    """
    if name not in _opentrons():
        raise UnknownNameError(f"Opentrons has no pipette '{name}'", mend=nearest(name, _opentrons()))
    if is_flex_pipette(name):
        return FLEX_FITTING
    return next(fits for largest, fits, _ in OPENTRONS_FITTINGS if _opentrons()[name]["maxVolume"] <= largest)


@cache
def _newer_minima(name: str) -> tuple[float, ...]:
    """Least volumes, µL, of a pipette's newest revision, in each of its modes."""
    modes = ("default", "lowVolumeDefault")
    return tuple(float(found["minVolume"]) for mode in modes if (found := _newest(name, "liquid", mode)) is not None)


@cache
def _body(name: str) -> tuple[float, float, float, float] | None:
    """Edges of a pipette's body, see :class:`~protocols.specs.PipetteSpec`; ``pipetteBoundingBoxOffsets``."""
    found = _newest(name, "geometry", "")
    if found is None:
        return None
    (x, y, _), box = found["nozzleMap"]["A1"], found["pipetteBoundingBoxOffsets"]
    (left, back, _), (right, front, _) = box["backLeftCorner"], box["frontRightCorner"]
    return round(left - x, 3), round(back - y, 3), round(right - x, 3), round(front - y, 3)


def _newest(name: str, part: str, mode: str) -> dict[str, Any] | None:
    """What the newest revision of a pipette says of its ``part``; ``None`` where it has no such mode."""
    parts = _NAME.fullmatch(name)
    assert parts is not None, name
    generation = "3" if is_flex_pipette(name) else "2" if parts[3] == "gen2" else "1"
    folder = get_shared_data_root() / "pipette" / "definitions" / "2" / part / _NEWER[parts[2]] / parts[1] / mode
    revisions = sorted(folder.glob(f"{generation}_*.json"), key=lambda file: int(file.stem.split("_")[1]))
    if not revisions:
        return None
    newest: dict[str, Any] = json.loads(revisions[-1].read_text(encoding="utf-8"))
    return newest
