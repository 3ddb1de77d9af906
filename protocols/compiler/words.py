"""Steps and set-up in the words of the bench."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from protocols.compiler.pairs import Pair
from protocols.compiler.tools import TipStock
from protocols.device_steps import (
    AnyDeviceStep,
    DeviceStep,
    HoldTemperature,
    Latch,
    Lid,
    Magnet,
    ReachTemperature,
    ShakeAt,
    Thermocycle,
)
from protocols.liquids import Liquid
from protocols.protocol import (
    AnyStep,
    Ask,
    Consolidate,
    Distribute,
    Handling,
    Instructions,
    MixWells,
    Move,
    Remove,
    SerialDilution,
    WaitFor,
)
from protocols.quantities import show_duration, show_volume
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from protocols.step import Citation
from protocols.wells import split_well


def wells_in_words(references: Sequence[str]) -> str:
    """``"plate/A1"``, ``"plate/A1, B1"``, ``"96 wells of plate"``."""
    by_labware: dict[str, list[str]] = defaultdict(list)
    for reference in dict.fromkeys(references):
        labware, well = split_well(reference)
        by_labware[labware].append(well)
    if len(by_labware) > 4:
        return f"{sum(map(len, by_labware.values()))} wells of {len(by_labware)} pieces of labware"
    return " and ".join(
        f"{labware}/{', '.join(wells)}" if len(wells) <= 3 else f"{len(wells)} wells of {labware}"
        for labware, wells in by_labware.items()
    )


def volumes_in_words(volumes: Sequence[float]) -> str:
    """``"50 µL"`` or ``"5 µL to 50 µL"``."""
    least, most = min(volumes), max(volumes)
    return show_volume(most) if least == most else f"{show_volume(least)} to {show_volume(most)}"


def step_in_words(step: AnyStep, pairs: Sequence[Pair]) -> str:
    """What a step does, in one sentence; the writer's own note comes first."""
    said = _what(step, pairs)
    return f"{step.note.rstrip('.')}. {said}" if step.note else said


def _what(step: AnyStep, pairs: Sequence[Pair]) -> str:
    match step:
        case WaitFor():
            return f"Wait {show_duration(step.duration)}"
        case Ask():
            return f"Ask: {step.message}"
        case Move():
            return f"Carry {step.labware} to {step.site}" + (" by hand" if step.by == "person" else "")
        case Instructions():
            return f"Carry out {len(step.instructions)} instructions of a robot as they stand"
        case DeviceStep():
            return device_step_in_words(step)
        case Remove():
            taken = step.volume if isinstance(step.volume, tuple) else (step.volume,)
            every = " each" if len(step.wells) > 1 else ""
            return (
                f"Remove {volumes_in_words(taken)}{every} from {wells_in_words(step.wells)}{_handling(step.handling)}"
            )
        case MixWells():
            return f"Mix {wells_in_words(step.wells)}, {step.cycles} × {show_volume(step.volume)}"
        case SerialDilution():
            return (
                f"Dilute {step.wells[0]} 1 in {step.factor:g} from well to well to {step.wells[-1]} with "
                f"{step.diluent}, {len(step.wells) - 1} times, {show_volume(step.volume)} a well"
            )
    verb = "Distribute" if isinstance(step, Distribute) else "Pool" if isinstance(step, Consolidate) else "Transfer"
    sources = wells_in_words([pair.source for pair in pairs])
    destinations = wells_in_words([pair.destination for pair in pairs])
    volumes = volumes_in_words([pair.volume for pair in pairs])
    each = " each" if len(pairs) > 1 else ""
    return f"{verb} {volumes}{each} from {sources} to {destinations}{_handling(step.handling)}"


def _handling(handling: Handling) -> str:
    said = {
        "each transfer": ", a new tip for each",
        "one": ", all with one tip",
        "as needed": "",
    }[handling.tips]
    if handling.mix_before:
        said += f", mixing the source {handling.mix_before} times"
    if handling.mix_after:
        said += f", then mix {handling.mix_after} times"
    if handling.rest:
        said += ", or all there is"
    return said


def device_step_in_words(step: AnyDeviceStep) -> str:
    """What a step for a device does: ``"Set temperature_module_slot-3 to 4 °C and wait for it"``."""
    lid = " (lid)" if isinstance(step, HoldTemperature | ReachTemperature) and step.part == "lid" else ""
    match step:
        case HoldTemperature(temperature=None):
            return f"Switch the temperature of {step.device}{lid} off"
        case HoldTemperature():
            return f"Set {step.device}{lid} to {step.temperature:g} °C" + (" and wait for it" if step.wait else "")
        case ReachTemperature():
            target = "its temperature" if step.temperature is None else f"{step.temperature:g} °C"
            return f"Wait until {step.device}{lid} has {target}"
        case ShakeAt():
            return f"Shake {step.device} at {step.speed:g} rpm" if step.speed else f"Stop shaking {step.device}"
        case Latch():
            return f"{'Open' if step.open else 'Close'} the latch of {step.device}"
        case Lid():
            return f"{'Open' if step.open else 'Close'} the lid of {step.device}"
        case Magnet():
            height = "" if step.height is None else f" to {step.height:g} mm"
            return f"{'Raise' if step.raised else 'Lower'} the magnets of {step.device}{height}"
        case Thermocycle():
            holds = ", ".join(f"{hold.temperature:g} °C for {show_duration(hold.duration)}" for hold in step.profile)
            return f"Run {step.cycles} × ({holds}) on {step.device}"


def citation_in_words(cited: Citation | None) -> str:
    """Where a step comes from."""
    if cited is None:
        return ""
    page = f", page {cited.page}" if cited.page is not None else ""
    sentence = f": “{cited.sentence}”" if cited.sentence else ""
    return f"{cited.document}{page}{sentence}"


def setup_in_words(
    workcell: WorkcellSpec,
    placed: Mapping[str, PlacedLabware],
    fills: Sequence[Fill],
    liquids: Mapping[str, Liquid],
    drawn: Mapping[str, float],
    tips: Mapping[str, tuple[Sequence[str], int, int]],
) -> tuple[str, ...]:
    """What a person has to do before the run: labware, liquids, tips.

    Args:
        drawn: what the program draws from each well in all, µL.
        tips: by kind of tip that is used, its racks, how many new tips they hold, and how many are used.
    """
    lines = [
        f"Put {name} ({workcell.kinds[labware.kind].category}, {labware.kind}"
        + (f", barcode {labware.barcode}" if labware.barcode else "")
        + f") on {labware.site}"
        + (", with its lid" if labware.lid else "")
        for name, labware in placed.items()
    ]
    groups: dict[tuple[str, float], list[str]] = defaultdict(list)
    own = Counter(fill.liquid for fill in fills)
    samples = [
        fill
        for fill in fills
        if own[fill.liquid] == 1 and (fill.liquid == fill.well or liquids[fill.liquid].sample is not None)
    ]
    lines += _samples_in_words(samples)
    for fill in fills:
        if fill not in samples:
            groups[(fill.liquid, fill.volume)].append(fill.well)
    for (liquid, volume), wells in groups.items():
        most = max(drawn.get(well, 0.0) for well in wells)
        needed = f" (up to {show_volume(most)} of it is drawn)" if most > 0 else ""
        each = " each" if len(wells) > 1 else ""
        lines.append(f"Fill {wells_in_words(wells)} with {show_volume(volume)}{each} of {liquid}{needed}")
    for kind, (racks, held, used) in tips.items():
        kept = f"Keep the {held} new tips of kind {kind} in {', '.join(racks)}: {used} are used"
        lines.append(kept + (", and racks are exchanged on the way" if used > held else ""))
    return tuple(lines)


def _samples_in_words(fills: Sequence[Fill]) -> list[str]:
    """Liquids that are one sample in one well each: plate by plate, how many and how much."""
    plates: dict[str, list[Fill]] = defaultdict(list)
    for fill in fills:
        plates[split_well(fill.well)[0]].append(fill)
    return [
        f"{plate} holds {len(own)} samples, {volumes_in_words([fill.volume for fill in own])}"
        + (" each" if len(own) > 1 else "")
        if len(own) > 1
        else f"{own[0].well} holds sample {own[0].liquid}, {show_volume(own[0].volume)}"
        for plate, own in plates.items()
    ]


def tips_at_start(stock: TipStock) -> dict[str, tuple[Sequence[str], int]]:
    """By kind of tip, its racks and how many new tips they hold."""
    return {kind: (stock.racks(kind), stock.left(kind)) for kind in stock.specs}
