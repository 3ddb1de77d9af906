"""What can be seen of a laboratory, in one flat form for all oracles, and how two such pictures differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from protocols.effects import Effect
from protocols.labstate import LabState
from protocols.tips import Tip
from tests.oracles.exact import ExactLab
from tests.oracles.exact_parts import ExactEffect
from tests.oracles.exact_parts import Tip as ExactTip

Picture = dict[tuple[str, str, str], Fraction]
"""(sort, place, what) to an amount: ("well", "plate/A1", "water") to µL; what is not there counts as 0."""

TOLERANCE = Fraction(1, 10**9)
"""Of LabState's floating-point numbers: µL, mm or s, and of large ones this part."""


def picture(lab: LabState | ExactLab) -> Picture:
    """All that can be seen of ``lab``: wells, tips on channels and in racks, waste, spilled, sites, clock."""
    seen: Picture = {("clock", "", "s"): Fraction(lab.clock)}
    for name in lab.labware if isinstance(lab, LabState) else lab.placed:
        site = lab.site_of(name) if isinstance(lab, LabState) else lab.sites[name]
        seen["site", name, site or "none"] = Fraction(1)
    for device, known in _devices(lab).items():
        seen |= {("device", device, f"{what} {value}"): Fraction(1) for what, value in known.items()}
    for sort, place, amounts in _liquids(lab):
        for liquid, volume in amounts.items():
            seen[sort, place, liquid] = Fraction(volume)
    for place, tip in _channels(lab):
        seen |= _tip("tip", place, tip)
    for spot in lab.spots:
        tip = lab.spots.get(spot)
        state = "none" if tip is None else "new" if tip.wet is None else "used"
        seen["spot", spot, state] = Fraction(1)
        seen |= _tip("stored", spot, tip) if state == "used" else {}
    return seen


def _devices(lab: LabState | ExactLab) -> Mapping[str, Mapping[str, object]]:
    """What is known of each device: "open" is its lid or latch."""
    if not isinstance(lab, LabState):
        return lab.modules.known
    return {
        name: {
            "open": now.lid_open if lab.workcell.devices[name].kind == "thermocycler" else now.latch_open,
            "block": now.celsius,
            "lid": now.lid_celsius,
            "rpm": now.rpm,
            "magnets": (now.magnet_height if now.magnet_height is not None else "raised")
            if now.magnets_raised
            else None,
        }
        for name, now in lab.devices.items()
    }


def _liquids(lab: LabState | ExactLab) -> Iterable[tuple[str, str, Mapping[str, float | Fraction]]]:
    if isinstance(lab, LabState):
        yield from (("well", place, lab.composition(place)) for place in lab.wells)
        yield from (("waste", "", lab.wasted()), ("spilled", "", lab.lost()))
    else:
        yield from (("well", place, well.holds) for place, well in lab.wells.items())
        yield from (("waste", "", lab.waste), ("spilled", "", lab.spilled))


def _channels(lab: LabState | ExactLab) -> Iterable[tuple[str, Tip | ExactTip | None]]:
    for pipette in lab.workcell.pipettes.values():
        for channel in range(pipette.channels):
            on = lab.tip_on(pipette.id, channel) if isinstance(lab, LabState) else lab.channels[pipette.id, channel]
            yield f"{pipette.id}/{channel}", on


def _tip(sort: str, place: str, tip: Tip | ExactTip | None) -> Picture:
    if tip is None:
        return {}
    amounts: Mapping[str, float | Fraction] = tip.amounts() if isinstance(tip, Tip) else tip.liquid()
    blow_out: float | Fraction = tip.blow_out_air if isinstance(tip, Tip) else tip.blow_out
    seen = {(sort, place, liquid): Fraction(volume) for liquid, volume in amounts.items()}
    seen[f"{sort} mounted", place, tip.spec.kind] = Fraction(1)
    seen[f"{sort} air", place, "gap"] = Fraction(tip.air())
    seen[f"{sort} air", place, "transport air"] = Fraction(tip.transport_air)
    seen[f"{sort} air", place, "blow-out air"] = Fraction(blow_out)
    return seen


def of_liquid(seen: Picture, liquid: str) -> Fraction:
    """How much of ``liquid`` there is in all."""
    places = ("well", "tip", "stored", "waste", "spilled")
    return sum((volume for (sort, _, what), volume in seen.items() if sort in places and what == liquid), Fraction(0))


def exactly(effects: Iterable[Effect]) -> list[ExactEffect]:
    """LabState's effects as the exact interpreter writes them: the order of liquids says nothing."""
    return [ExactEffect(e.kind, e.place, e.channel, Fraction(e.amount), tuple(sorted(e.liquids))) for e in effects]


def differences(expected: Picture, actual: Picture, tolerance: Fraction = TOLERANCE) -> list[str]:
    """Where two pictures differ, in words."""
    keys = sorted(expected.keys() | actual.keys())
    pairs = ((key, expected.get(key, Fraction(0)), actual.get(key, Fraction(0))) for key in keys)
    return [
        f"{' '.join(key)}: expected {float(wanted)}, got {float(got)}"
        for key, wanted, got in pairs
        if not _close(wanted, got, tolerance)
    ]


def effect_differences(
    expected: Iterable[ExactEffect], actual: Iterable[ExactEffect], tolerance: Fraction = TOLERANCE
) -> list[str]:
    """Where two lists of effects differ, in words; their order says nothing."""
    wanted, got = sorted(expected, key=_order), sorted(actual, key=_order)
    same = [e._replace(amount=Fraction(0)) for e in wanted] == [e._replace(amount=Fraction(0)) for e in got]
    if same and all(_close(a.amount, b.amount, tolerance) for a, b in zip(wanted, got, strict=True)):
        return []
    return [f"effects: expected {_words(wanted)}, got {_words(got)}"]


def _close(wanted: Fraction, got: Fraction, tolerance: Fraction) -> bool:
    return wanted == got or abs(wanted - got) <= tolerance * max(Fraction(1), abs(wanted))


def _order(effect: ExactEffect) -> tuple[str, str, int, tuple[str, ...], Fraction]:
    channel = -1 if effect.channel is None else effect.channel
    return effect.kind, effect.place, channel, effect.liquids, effect.amount


def _words(effects: list[ExactEffect]) -> list[str]:
    return [f"{e.kind} {e.place} {e.channel} {float(e.amount)} {','.join(e.liquids)}".rstrip() for e in effects]
