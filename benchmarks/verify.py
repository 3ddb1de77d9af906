"""How fast programs are verified, beside pylabrobot's chatterbox and Opentrons' analysis of the same transfers.

A channel-operation is one tip picked up or dropped, one aspirate or one dispense, on one channel. The same
transfers go through all three: a fresh tip, 20 µL from one plate to another and, round by round, back.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import subprocess
import tempfile
import time
import tracemalloc
from pathlib import Path

from benchmarks.output import median_seconds, options, show, write
from benchmarks.peers import python_of
from protocols.labstate import LabState
from protocols.liquids import Liquid, LiquidClass
from protocols.program import AnyInstruction, Aspirate, Dispense, DropTips, PickUpTips, Program, ReplaceTipRack
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from protocols.verify import verify
from protocols.wells import well_name
from robots.workcell import load_workcell

VOLUME = 20.0
FILM = 0.05
"""µL that leave with each tip; a million operations must not drain the plates."""
COLUMNS = [[well_name(row, column) for row in range(8)] for column in range(12)]
PLATES = {
    "here": PlacedLabware(kind="flat_96_360ul", site="plates-a-1"),
    "there": PlacedLabware(kind="flat_96_360ul", site="plates-a-2"),
}
RACK = "tips_300_1"


def groups(operations: int, channels: int) -> list[tuple[int, list[str]]]:
    """Rounds of wells to transfer, ``channels`` at a time, until ``operations`` channel-operations are made."""
    chunks = [column[i : i + channels] for column in COLUMNS for i in range(0, 8, channels)]
    count = operations // (4 * channels)
    return [(number // len(chunks), chunks[number % len(chunks)]) for number in range(count)]


def program(operations: int, channels: int, components: int) -> Program:
    """The transfers as a program; every well starts with ``components`` liquids."""
    instructions: list[AnyInstruction] = []
    used = tuple(range(channels))
    for number, (round_, wells) in enumerate(groups(operations, channels)):
        source, target = ("here", "there") if round_ % 2 == 0 else ("there", "here")
        if number and wells[0] == "A1":
            instructions.append(ReplaceTipRack(id=f"rack {number}", rack=RACK))
        stroke = {"pipette": "channels", "channels": used, "volumes": (VOLUME,) * channels, "liquid_class": "water"}
        instructions += [
            PickUpTips(
                id=f"pick {number}", pipette="channels", channels=used, spots=tuple(f"{RACK}/{well}" for well in wells)
            ),
            Aspirate(id=f"draw {number}", wells=tuple(f"{source}/{well}" for well in wells), height=1.0, **stroke),
            Dispense(id=f"push {number}", wells=tuple(f"{target}/{well}" for well in wells), height=1.0, **stroke),
            DropTips(id=f"drop {number}", pipette="channels", channels=used),
        ]
    liquids = [f"liquid {number}" for number in range(components)]
    fills = [
        Fill(well=f"{plate}/{well}", liquid=liquid, volume=180 / components)
        for plate in PLATES
        for column in COLUMNS
        for well in column
        for liquid in liquids
    ]
    return Program(
        title="transfers",
        liquids={liquid: Liquid(name=liquid) for liquid in liquids},
        liquid_classes={"water": LiquidClass(name="water", film=FILM)},
        labware=PLATES,
        contents=fills,
        instructions=instructions,
    )


def pool(sources: int) -> Program:
    """Every one of ``sources`` wells gives 1 µL to one well, with contact; each source is a liquid of its own."""
    spots = [f"{RACK}/{well}" for column in COLUMNS for well in column]
    wells = [f"{plate}/{well}" for plate in (f"source {n}" for n in range(16)) for column in COLUMNS for well in column]
    stroke = {"pipette": "channels", "channels": (0,), "liquid_class": "water", "height": 1.0}
    instructions: list[AnyInstruction] = []
    for number, well in enumerate(wells[:sources]):
        if number and number % 96 == 0:
            instructions.append(ReplaceTipRack(id=f"rack {number}", rack=RACK))
        instructions += [
            PickUpTips(id=f"pick {number}", pipette="channels", channels=(0,), spots=(spots[number % 96],)),
            Aspirate(id=f"draw {number}", wells=(well,), volumes=(1.15,), **stroke),
            Dispense(id=f"push {number}", wells=("pool/A1",), volumes=(1.0,), **stroke),
            DropTips(id=f"drop {number}", pipette="channels", channels=(0,)),
        ]
    plates = {
        f"source {n}": PlacedLabware(kind="flat_96_360ul", site=f"shelf {n}") for n in range((sources + 95) // 96)
    }
    return Program(
        title="pool",
        liquids={well: Liquid(name=well) for well in wells[:sources]},
        liquid_classes={"water": LiquidClass(name="water", film=0.15)},
        labware=plates | {"pool": PlacedLabware(kind="deepwell_96_2ml", site="plates-a-1")},
        contents=[Fill(well=well, liquid=well, volume=100) for well in wells[:sources]],
        instructions=instructions,
    )


def with_shelf(workcell: WorkcellSpec) -> WorkcellSpec:
    """The workcell with 16 more plate sites, for pooling from more plates than the deck holds."""
    site = workcell.sites["plates-a-1"]
    shelf = {f"shelf {n}": site.model_copy(update={"id": f"shelf {n}", "x": 3000 + 150 * n}) for n in range(16)}
    return workcell.model_copy(update={"sites": workcell.sites | shelf})


def verify_rate(
    operations: int, channels: int, components: int, workcell: WorkcellSpec, repeats: int
) -> dict[str, float]:
    """Seconds and channel-operations a second of one verification; set-up of the empty program is timed apart."""
    made = program(operations, channels, components)
    assert verify(made, workcell).ok
    taken = median_seconds(lambda: verify(made, workcell), repeats)
    return {"seconds": taken, "channel_ops_per_s": verify(made, workcell).channel_operations / taken}


def bytes_per_instruction(workcell: WorkcellSpec) -> dict[str, float]:
    """Memory of a program, and the most that verifying it takes beside, a byte count for each instruction."""
    tracemalloc.start()
    made = program(20_000, 1, 16)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    verify(made, workcell)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    count = len(made.instructions)
    return {"program": held / count, "verify": (peak - held) / count}


def pylabrobot_rate(operations: int, channels: int, repeats: int) -> float:
    """Channel-operations a second of pylabrobot's LiquidHandler over its chatterbox, printing off, tracking on."""
    from pylabrobot.liquid_handling import LiquidHandler
    from pylabrobot.liquid_handling.backends import LiquidHandlerChatterboxBackend
    from pylabrobot.resources import set_tip_tracking, set_volume_tracking

    async def run() -> float:
        workcell = load_workcell("starlet")
        deck = workcell.build_deck({**workcell.spec.labware, **PLATES})
        handler = LiquidHandler(backend=LiquidHandlerChatterboxBackend(num_channels=8), deck=deck)
        await handler.setup()
        rack, trash = deck.get_resource(RACK), deck.get_trash_area()
        for plate in PLATES:
            for well in deck.get_resource(plate).get_all_items():
                well.tracker.set_volume(180)
        used = list(range(channels))
        start = time.perf_counter()
        for number, (round_, wells) in enumerate(groups(operations, channels)):
            source, target = ("here", "there") if round_ % 2 == 0 else ("there", "here")
            if number and wells[0] == "A1":
                rack.fill()
            await handler.pick_up_tips([rack.get_item(well) for well in wells], use_channels=used)
            volumes = [VOLUME] * channels
            await handler.aspirate([deck.get_resource(source).get_item(well) for well in wells], volumes, used)
            await handler.dispense([deck.get_resource(target).get_item(well) for well in wells], volumes, used)
            await handler.drop_tips([trash] * channels, use_channels=used)
        return time.perf_counter() - start

    set_tip_tracking(True)
    set_volume_tracking(True)
    timings = []
    for _ in range(repeats):
        with contextlib.redirect_stdout(io.StringIO()):
            timings.append(asyncio.run(run()))
    return operations / sorted(timings)[len(timings) // 2]


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


def main() -> None:
    """Measure, print, write."""
    arguments = options(__doc__ or "").parse_args()
    workcell = load_workcell("starlet").spec
    sizes = [96, 384, 10_000] + ([] if arguments.quick else [1_000_000])
    repeats = 3 if arguments.quick else 5
    by_size = {
        f"{size} ops, {channels} channels, {components} components": verify_rate(
            size, channels, components, workcell, 1 if size > 100_000 else repeats
        )
        for size in sizes
        for channels in (1, 8)
        for components in (1, 16)
    }
    rates = {}
    for channels in (1, 8):
        ours = by_size[f"10000 ops, {channels} channels, 16 components"]["channel_ops_per_s"]
        rates[channels] = (ours, pylabrobot_rate(1_920 if arguments.quick else 3_840, channels, repeats))
    python = python_of("opentrons")
    opentrons = opentrons_rate(python, 1_536, 3) if python else None
    larger = with_shelf(workcell)
    pooling = {}
    for sources in (96, 384, 1536):
        made = pool(sources)
        assert verify(made, larger).ok
        taken = median_seconds(lambda made=made: verify(made, larger), repeats)
        pooling[str(sources)] = {"channel_ops_per_s": 4 * sources / taken}
    ratio = {str(channels): ours / theirs for channels, (ours, theirs) in rates.items()}
    single = rates[1][0]
    figures = {
        "channel_ops_per_s": single,
        "ratio_to_pylabrobot": min(ratio.values()),
        "ratio_to_pylabrobot_by_channels": ratio,
        "pylabrobot_channel_ops_per_s": {str(channels): theirs for channels, (_, theirs) in rates.items()},
        "ratio_to_opentrons": single / opentrons["beyond_start"] if opentrons else None,
        "opentrons_channel_ops_per_s": opentrons
        or {"reason": "not installed: run 'python -m benchmarks.peers opentrons'"},
        "bytes_per_instruction": bytes_per_instruction(workcell),
        "seconds_by_size": by_size,
        "pooling": pooling,
        "set_up_seconds": median_seconds(lambda: LabState.start(workcell), repeats),
    }
    rows: list[tuple[str, object]] = [
        (f"verify, {name}", f"{value['channel_ops_per_s']:,.0f} channel-ops/s, {value['seconds']:.3f} s")
        for name, value in by_size.items()
    ]
    rows += [(f"pylabrobot, {n} channels", f"{theirs:,.0f} channel-ops/s") for n, (_, theirs) in rates.items()]
    rows += [(f"times pylabrobot, {n} channels", value) for n, value in ratio.items()]
    rows += [("times Opentrons' analysis", figures["ratio_to_opentrons"] or "not measured")]
    rows += [(f"pooling {n}", f"{value['channel_ops_per_s']:,.0f} channel-ops/s") for n, value in pooling.items()]
    rows += [(f"bytes an instruction, {name}", value) for name, value in figures["bytes_per_instruction"].items()]
    show("Verification", rows)
    write(arguments.json, figures)


if __name__ == "__main__":
    main()
