"""Made-up programs on the hand tables' workcell: every instruction, every sort of liquid class, all that goes wrong.

All volumes and heights are multiples of 1/8, so that sums of them are exact in floating point and nothing lies near a
threshold (1e-9) without lying on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from protocols.liquids import LiquidClass
from protocols.outcomes import Fault, Outcome
from protocols.program import Program, instruction_adapter
from protocols.specs import OFF_DECK, Fill, WorkcellSpec
from tests.oracles.bench import hand_workcell

BENCH: WorkcellSpec = hand_workcell()

LIQUIDS = ("water", "buffer", "sample 1", "sample 2", "sample 3")
WELLS = ("plate/A1", "plate/B1", "other/A1", "cones/A1", "cones/B1", "vials/A1", "vials/B1", "dead/A1", "trough/A1")
MORE_WELLS = ("trash/A1", "shaken/A1", "cycled/A1")
"""Few, so that tips come back to them."""
OUT_OF_REACH = ("covered/A1", "plate/Z9", "nothing/A1")
COLUMNS = ("plate", "cones", "vials", "dead")
RACKS = ("tips", "short", "wide")
ROWS = "ABCDEFGH"
PLATE = [f"{row}{column}" for column in range(1, 13) for row in ROWS]
KINDS = (
    *("aspirate", "dispense") * 8,
    *("mix", "air_gap") * 3,
    *("drop_tips", "pick_up_tips") * 2,
    *("blow_out", "touch_tip") * 2,
    *("move_labware", "replace_tip_rack", "wait", "ask_person"),
    *("set_temperature", "await_temperature", "set_magnet", "run_profile"),
    *("shake", "set_latch", "set_lid") * 2,
)


class Story(NamedTuple):
    """A program, and what the device said of each of its instructions."""

    program: Program
    outcomes: tuple[Outcome | None, ...]


def story(random: Random, length: int = 20) -> Story:
    """Up to ``length`` instructions, after tips were picked up."""
    steps = [_loading(random, pipette) for pipette in ("single", "eight", "head")]
    steps += [_instruction(random) for _ in range(random.randint(1, length))]
    instructions = [
        instruction_adapter.validate_python({"id": f"i{number}", **step}) for number, step in enumerate(steps)
    ]
    program = Program(
        title="made up",
        liquid_classes={name: _liquid_class(random, name) for name in ("first", "second", "third")},
        contents=tuple(_contents(random)),
        instructions=tuple(instructions),
    )
    return Story(program, tuple(_outcome(random, step) for step in steps))


def eighths(random: Random, largest: float) -> float:
    """A multiple of 1/8, now and then 0."""
    return random.choice((random.randint(0, int(largest * 8)), random.randint(0, 16), 0)) / 8


def _liquid_class(random: Random, name: str) -> LiquidClass:
    return LiquidClass(
        name=name,
        film=random.choice((0.0, 0.5, 2.0, 2.0, 10.0)),
        transport_air=random.choice((0.0, 0.0, 5.0)),
        blow_out=random.choice((0.0, 0.0, 4.0, 20.0)),
        jet=random.choice((False, False, True)),
        level_detection=random.choice((False, False, True)),
        immersion=random.choice((0.0, 2.0)),
        pre_wet=random.choice((0, 2)),
        settle=random.choice((0.0, 1.0)),
    )


def _contents(random: Random) -> list[Fill]:
    filled = [well for well in (*WELLS, "covered/A1", *MORE_WELLS[1:]) for _ in range(random.choice((0, 1, 1, 2)))]
    fills = [_fill(random, well, random.choice(LIQUIDS)) for well in filled]
    for place in random.choice((("plate", "vials"), ("cones", "dead"), COLUMNS)):
        kind = BENCH.kinds[place]
        fills += [
            Fill(well=f"{place}/{well}", liquid=LIQUIDS[at % 3], volume=60 + at / 8)
            for at, well in enumerate(kind.wells)
        ]
    return fills


def _fill(random: Random, well: str, liquid: str) -> Fill:
    largest = 2000 if well.startswith("trough") else 25 if well.startswith("vials") else 120
    volume = random.choice((eighths(random, largest), random.randint(8, largest * 8) / 8))
    settled: dict[str, Any] = {"settled": "pellet", "settled_height": 1.5} if random.randint(0, 2) == 0 else {}
    return Fill(well=well, liquid=liquid, volume=volume, **settled)


def _loading(random: Random, pipette: str) -> dict[str, Any]:
    spots = {
        "single": [random.choice(("tips/A12", "short/A12"))],
        "eight": [f"{random.choice(('tips', 'short'))}/{row}1" for row in ROWS],
        "head": [f"tips/{well}" for well in PLATE],
    }[pipette]
    return {"kind": "pick_up_tips", "pipette": pipette, "channels": list(range(len(spots))), "spots": spots}


def _instruction(random: Random) -> dict[str, Any]:
    kind = random.choice(KINDS)
    match kind:
        case "move_labware":
            labware = random.choice(("plate", "cones", "tips", "trash", "shaken", "cycled", "tall", "nothing"))
            site = random.choice((*BENCH.sites, "free", "free", "nowhere", OFF_DECK, OFF_DECK))
            return {"kind": kind, "labware": labware, "site": site, "by": random.choice(("arm", "person"))}
        case "replace_tip_rack":
            return {"kind": kind, "rack": random.choice((*RACKS, "plate", "nothing"))}
        case "wait":
            return {"kind": kind, "seconds": eighths(random, 600)}
        case "ask_person":
            return {"kind": kind, "message": "go on?"}
    if kind in DEVICE_FIELDS:
        return {"kind": kind, **_for_a_device(random, kind)}
    pipette, channels = _hands(random)
    step: dict[str, Any] = {"kind": kind, "pipette": pipette, "channels": channels}
    match kind:
        case "pick_up_tips":
            return {**step, "spots": _spots(random, channels)}
        case "drop_tips":
            return {**step, "spots": random.choice((None, _spots(random, channels)))}
        case "air_gap":
            return {**step, "volumes": _volumes(random, channels, 20)}
        case "blow_out" | "touch_tip":
            height = random.choice((None, None, eighths(random, 4), eighths(random, 16)))
            return {**step, "wells": _wells(random, channels), "height": height}
    return {**step, **_stroke(random, kind, channels)}


DEVICE_FIELDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "set_temperature": {"celsius": (None, 4.0, 37.5, 99.0, 99.5, 120.0, -5.0), "part": ("block", "block", "lid")},
    "await_temperature": {"celsius": (None, None, 37.5, 120.0), "part": ("block", "block", "lid")},
    "set_magnet": {"raised": (True, True, False), "height": (None, 0.0, 12.5, 20.125)},
    "run_profile": {"steps": ([{"celsius": 95.0, "seconds": 5.0}], [{"celsius": 100.0, "seconds": 5.0}])},
    "shake": {"rpm": (None, 200.0, 500.0, 3000.5)},
    "set_latch": {"open": (True, False, False)},
    "set_lid": {"open": (True, True, False)},
}
"""What instructions for devices are asked, field by field."""


def _for_a_device(random: Random, kind: str) -> dict[str, Any]:
    fields = {name: random.choice(values) for name, values in DEVICE_FIELDS[kind].items()}
    suited = {"set_lid": "cycler", "set_magnet": "magnet", "run_profile": "cycler"}.get(kind, "shaker")
    return {"device": random.choice((suited,) * 3 + ("shaker", "cycler", "cooler", "nobody")), **fields}


def _hands(random: Random) -> tuple[str, list[int]]:
    """A pipette and the channels that act."""
    pipette = random.choice(("single", "single", "eight", "eight", "eight", "head"))
    if pipette == "single":
        return random.choice((pipette,) * 19 + ("nobody",)), [0]
    if pipette == "head":
        return pipette, random.choice((list(range(96)), list(range(8)), [95, 0]))
    some = random.sample(range(8), random.randint(1, 4))
    return pipette, random.choice((list(range(8)), some, some, [*some, 8]))


def _spots(random: Random, channels: Sequence[int]) -> list[str]:
    rack = random.choice(RACKS[:2] * 4 + (RACKS[2], "plate"))
    if len(channels) == 96:
        return [f"{rack}/{well}" for well in PLATE]
    column = random.choice((1, 1, 2))
    return [f"{rack}/{ROWS[channel % 8]}{column}" for channel in channels]


def _stroke(random: Random, kind: str, channels: Sequence[int]) -> dict[str, Any]:
    stroke = {
        "wells": _wells(random, channels),
        "volumes": _volumes(random, channels, random.choice((20, 60, 60, 250))),
        "liquid_class": random.choice(("first", "first", "second", "third")),
        "height": random.choice((None, None, eighths(random, 4), eighths(random, 16))),
    }
    return {**stroke, "cycles": random.randint(1, 3)} if kind == "mix" else stroke


def _wells(random: Random, channels: Sequence[int]) -> list[str]:
    if len(channels) > 8:
        plate = random.choice(("plate", "other"))
        return random.choice(([f"{plate}/{well}" for well in PLATE], ["trough/A1"] * len(channels)))
    if random.randint(0, 5) == 0:
        return [random.choice(OUT_OF_REACH + MORE_WELLS + WELLS) for _ in channels]
    one, column = random.choice(WELLS), random.choice(COLUMNS)
    return random.choice(
        (
            [one] * len(channels),
            [f"{column}/{ROWS[channel % 8]}1" for channel in channels],
            [random.choice(WELLS) for _ in channels],
        )
    )


def _volumes(random: Random, channels: Sequence[int], largest: float) -> list[float]:
    few = [eighths(random, largest) for _ in range(min(len(channels), 3))]
    return [few[at % len(few)] for at in range(len(channels))]


def _outcome(random: Random, step: dict[str, Any]) -> Outcome | None:
    """What the device says; of a part that it did, always more than nothing on each channel."""
    said = random.choice(("nothing",) * 12 + ("done", "reported", "partial", "failed"))
    if said == "nothing":
        return None
    seconds, channels = eighths(random, 30), step.get("channels", ())
    if said == "failed":
        named = channels[: random.randint(1, 3)] or [None]
        faults = tuple(Fault(kind="clog", channel=channel, message="clogged") for channel in named)
        return Outcome(status="failed", faults=faults, seconds=seconds)
    if said == "done" or "volumes" not in step:
        return Outcome(seconds=seconds)
    part = random.choice((0.5, 0.75, 1.0))
    if said == "reported":
        return Outcome(volumes=tuple(volume * part for volume in step["volumes"]), seconds=seconds)
    volumes = tuple(volume * part or 0.125 for volume in step["volumes"])
    return Outcome(status="partial", volumes=volumes, seconds=seconds)
