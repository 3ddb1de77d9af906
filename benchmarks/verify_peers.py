"""The transfers of :mod:`benchmarks.verify` through pylabrobot's chatterbox and Opentrons' analysis."""

from __future__ import annotations

import asyncio
import contextlib
import io
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from pylabrobot.resources import Deck

from benchmarks.output import median_seconds
from benchmarks.transfers import PLATES, RACK, VOLUME, groups


class Peer(NamedTuple):
    """Seconds that pylabrobot takes to build its deck and fill its wells, and for the transfers."""

    set_up: float
    work: float


def pylabrobot_seconds(operations: int, channels: int, repeats: int) -> Peer:
    """pylabrobot's LiquidHandler over its chatterbox, printing off, tracking on; medians.

    Its set-up is what a new simulation needs, done as its documentation does it: a deck with the carriers, the rack and
    the two plates of the transfers, the handler, and the volume in each well. (Labwright's set-up has all the other
    labware of the workcell, too.)
    """
    from pylabrobot.resources import set_tip_tracking, set_volume_tracking

    set_tip_tracking(True)
    set_volume_tracking(True)
    timings = []
    for _ in range(repeats):
        with contextlib.redirect_stdout(io.StringIO()):
            timings.append(asyncio.run(_transfers(operations, channels)))
    return Peer(median(timing.set_up for timing in timings), median(timing.work for timing in timings))


def _deck() -> Deck:
    from pylabrobot.resources import PLT_CAR_L5AC_A00, TIP_CAR_480_A00, cor_96_wellplate_360uL_Fb
    from pylabrobot.resources.hamilton import STARLetDeck, hamilton_96_tiprack_300uL_filter

    deck = STARLetDeck()
    tips, plates = TIP_CAR_480_A00("tips"), PLT_CAR_L5AC_A00("plates")
    tips[0] = hamilton_96_tiprack_300uL_filter(RACK)
    for site, plate in enumerate(PLATES):
        plates[site] = cor_96_wellplate_360uL_Fb(plate)
    deck.assign_child_resource(tips, rails=1)
    deck.assign_child_resource(plates, rails=13)
    return deck


async def _transfers(operations: int, channels: int) -> Peer:
    from pylabrobot.liquid_handling import LiquidHandler
    from pylabrobot.liquid_handling.backends import LiquidHandlerChatterboxBackend

    began = time.perf_counter()
    deck = _deck()
    handler = LiquidHandler(backend=LiquidHandlerChatterboxBackend(num_channels=8), deck=deck)
    await handler.setup()
    for plate in PLATES:
        for well in deck.get_resource(plate).get_all_items():
            well.tracker.set_volume(180)
    start = time.perf_counter()
    rack, trash = deck.get_resource(RACK), deck.get_trash_area()
    used = list(range(channels))
    for number, (round_, wells) in enumerate(groups(operations, channels)):
        source, target = ("here", "there") if round_ % 2 == 0 else ("there", "here")
        if number and wells[0] == "A1":
            rack.fill()
        await handler.pick_up_tips([rack.get_item(well) for well in wells], use_channels=used)
        volumes = [VOLUME] * channels
        await handler.aspirate([deck.get_resource(source).get_item(well) for well in wells], volumes, used)
        await handler.dispense([deck.get_resource(target).get_item(well) for well in wells], volumes, used)
        await handler.drop_tips([trash] * channels, use_channels=used)
    return Peer(start - began, time.perf_counter() - start)


OPENTRONS = """
metadata = {{"apiLevel": "2.13"}}
def run(protocol):
    rack = protocol.load_labware("opentrons_96_tiprack_300ul", 1)
    here = protocol.load_labware("corning_96_wellplate_360ul_flat", 2)
    there = protocol.load_labware("corning_96_wellplate_360ul_flat", 3)
    pipette = protocol.load_instrument("p300_single", "left", tip_racks=[rack])
    for number in range({transfers}):
        if number and number % 96 == 0:
            pipette.reset_tipracks()
        source, target = (here, there) if number // 96 % 2 == 0 else (there, here)
        pipette.pick_up_tip()
        pipette.aspirate(20, source.wells()[number % 96])
        pipette.dispense(20, target.wells()[number % 96])
        pipette.drop_tip()
"""


def opentrons_rate(python: Path, operations: int, repeats: int) -> dict[str, float]:
    """Channel-operations a second of the genuine Opentrons analysis: whole process, and beyond an empty protocol."""
    timings: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for transfers in (0, operations // 4):
            protocol = Path(folder) / f"transfers_{transfers}.py"
            protocol.write_text(OPENTRONS.format(transfers=transfers))
            output = Path(folder) / "analysis.json"
            command = [str(python), "-m", "opentrons.cli", "analyze", f"--json-output={output}", str(protocol)]
            timings[transfers] = median_seconds(
                lambda command=command: subprocess.run(command, check=True, capture_output=True), repeats
            )
    whole = timings[operations // 4]
    return {"whole_process": operations / whole, "beyond_start": operations / (whole - timings[0])}
