"""How fast programs are verified, beside pylabrobot's chatterbox and Opentrons' analysis of the same transfers.

A channel-operation is one tip picked up or dropped, one aspirate or one dispense, on one channel. The same
transfers go through all three: a fresh tip, 20 µL from one plate to another and, round by round, back.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

from benchmarks.output import median_seconds, options, show, write
from benchmarks.peers import python_of
from benchmarks.transfers import pool, program, with_shelf
from benchmarks.verify_peers import Peer, opentrons_rate, pylabrobot_seconds
from protocols.labstate import LabState
from protocols.specs import WorkcellSpec
from protocols.verify import verify
from robots.workcell import load_workcell

SIZES = (96, 384, 10_000, 1_000_000)
"""Channel-operations of the programs."""
LARGEST = 10_000
"""Channel-operations up to which pylabrobot is measured; beyond, it is reckoned at the rate that it has there."""


def verify_seconds(
    operations: int, channels: int, components: int, workcell: WorkcellSpec, repeats: int
) -> dict[str, float]:
    """Seconds of one verification, and of one of the same set-up without instructions, every well of ``components``."""
    made = program(operations, channels, components)
    still = made.model_copy(update={"instructions": ()})
    assert verify(made, workcell).ok
    taken = median_seconds(lambda: verify(made, workcell), repeats)
    set_up = median_seconds(lambda: verify(still, workcell), 5)
    return {
        "seconds": taken,
        "set_up_seconds": set_up,
        "channel_ops_per_s": verify(made, workcell).channel_operations / taken,
    }


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


def ratios(by_size: dict[str, dict[str, float]], peers: dict[tuple[int, int], Peer], size: int) -> dict[str, Any]:
    """For each sort of program of ``size``: how many times faster than pylabrobot, with both set-ups and without."""
    found = {}
    for channels in (1, 8):
        measured = min(size, LARGEST)
        peer = peers[measured, channels]
        work = peer.work * size / measured
        for components in (1, 16):
            name = _name(size, channels, components)
            own = by_size[name]
            found[name] = {
                "like_for_like": (peer.set_up + work) / own["seconds"],
                "beyond_set_up": work / (own["seconds"] - own["set_up_seconds"]),
            }
    return found


def _name(size: int, channels: int, components: int) -> str:
    return f"{size} ops, {channels} channels, {components} components"


def pooling(workcell: WorkcellSpec, repeats: int) -> dict[str, dict[str, float]]:
    """Rates where every one of many wells gives to one."""
    larger, found = with_shelf(workcell), {}
    for sources in (96, 384, 1536):
        made = pool(sources)
        assert verify(made, larger).ok
        taken = median_seconds(lambda made=made: verify(made, larger), repeats)
        found[str(sources)] = {"channel_ops_per_s": 4 * sources / taken}
    return found


def measure(*, quick: bool) -> dict[str, Any]:
    """All figures."""
    workcell = load_workcell("starlet").spec
    sizes = SIZES[:-1] if quick else SIZES
    repeats = 3 if quick else 5
    by_size = {
        _name(size, channels, components): verify_seconds(
            size, channels, components, workcell, 1 if size > LARGEST else repeats * (5 if size < LARGEST else 1)
        )
        for size in sizes
        for channels in (1, 8)
        for components in (1, 16)
    }
    peers = {
        (size, channels): pylabrobot_seconds(size, channels, 1 if quick and size == LARGEST else repeats)
        for size in sizes[:3]
        for channels in (1, 8)
    }
    lines = {name: ratio for size in sizes for name, ratio in ratios(by_size, peers, size).items()}
    python = python_of("opentrons")
    opentrons = opentrons_rate(python, 1_536, 3) if python else None
    single = by_size[_name(LARGEST, 1, 16)]["channel_ops_per_s"]
    return {
        "channel_ops_per_s": single,
        "ratio_to_pylabrobot": min(line["like_for_like"] for line in lines.values()),
        "ratio_to_pylabrobot_beyond_set_up": min(line["beyond_set_up"] for line in lines.values()),
        "ratio_to_pylabrobot_by_size": lines,
        "pylabrobot": {
            f"{size} ops, {channels} channels": {
                "set_up_seconds": peer.set_up,
                "channel_ops_per_s": size / (peer.set_up + peer.work),
                "channel_ops_per_s_beyond_set_up": size / peer.work,
            }
            for (size, channels), peer in peers.items()
        },
        "ratio_to_opentrons": single / opentrons["beyond_start"] if opentrons else None,
        "opentrons_channel_ops_per_s": opentrons
        or {"reason": "not installed: run 'python -m benchmarks.peers opentrons'"},
        "bytes_per_instruction": bytes_per_instruction(workcell),
        "seconds_by_size": by_size,
        "pooling": pooling(workcell, repeats),
        "set_up_seconds": median_seconds(lambda: LabState.start(workcell), repeats),
    }


def table(figures: dict[str, Any]) -> list[tuple[str, object]]:
    """The figures as rows to print."""
    rows: list[tuple[str, object]] = [
        (f"verify, {name}", f"{own['channel_ops_per_s']:,.0f} channel-ops/s, {own['seconds']:.4f} s")
        for name, own in figures["seconds_by_size"].items()
    ]
    rows += [
        (
            f"pylabrobot, {name}",
            f"{peer['channel_ops_per_s']:,.0f} channel-ops/s with its set-up of {peer['set_up_seconds']:.3f} s, "
            f"{peer['channel_ops_per_s_beyond_set_up']:,.0f} beyond it",
        )
        for name, peer in figures["pylabrobot"].items()
    ]
    rows += [
        (f"times pylabrobot, {name}", f"{line['like_for_like']:.1f} with set-up, {line['beyond_set_up']:.1f} beyond it")
        for name, line in figures["ratio_to_pylabrobot_by_size"].items()
    ]
    rows += [
        ("times pylabrobot, the least, both with set-up", figures["ratio_to_pylabrobot"]),
        ("times pylabrobot, the least, both beyond set-up", figures["ratio_to_pylabrobot_beyond_set_up"]),
        ("times Opentrons' analysis", figures["ratio_to_opentrons"] or "not measured"),
    ]
    rows += [
        (f"pooling {n}", f"{own['channel_ops_per_s']:,.0f} channel-ops/s") for n, own in figures["pooling"].items()
    ]
    return rows + [(f"bytes an instruction, {name}", value) for name, value in figures["bytes_per_instruction"].items()]


def main() -> None:
    """Measure, print, write."""
    arguments = options(__doc__ or "").parse_args()
    figures = measure(quick=arguments.quick)
    show("Verification", table(figures))
    write(arguments.json, figures)


if __name__ == "__main__":
    main()
