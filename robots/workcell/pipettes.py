"""Pipettes by the names their makers give them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from opentrons_shared_data.load import load_shared_data

from protocols.specs import PipetteSpec
from robots.workcell.config import HamiltonChannels, HamiltonHead, OpentronsPipette
from robots.workcell.labware import OPENTRONS_FITTINGS

_CO_RE = frozenset({"Hamilton CO-RE"})
CHANNEL_PITCH = 9.0
"""mm between neighbouring nozzles: an SBS 96-well plate's pitch."""


def describe_pipette(name: str, config: HamiltonChannels | HamiltonHead | OpentronsPipette) -> PipetteSpec:
    """What the pipette ``name`` can do.

    Volumes of the STAR's channels and head: Hamilton's stated ranges, 0.5 to 1000 µL and 1 to 1000 µL. Those of
    Opentrons pipettes: ``pipetteNameSpecs.json`` of opentrons_shared_data.
    """
    if isinstance(config, OpentronsPipette):
        known = _opentrons()[config.type]
        return PipetteSpec(
            id=name,
            device=config.device,
            channels=known["channels"],
            independent=False,
            min_volume=known["minVolume"],
            max_volume=known["maxVolume"],
            fits=frozenset({_fitting(known["maxVolume"])}),
            pitch=CHANNEL_PITCH,
            model=config.type,
            mount=config.mount,
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


def _fitting(max_volume: float) -> str:
    return next(fits for largest, fits, _ in OPENTRONS_FITTINGS if max_volume <= largest)
