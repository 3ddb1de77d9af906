"""Reads ``hand.yaml``: each table a program, and what must be seen after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction, Program, instruction_adapter
from protocols.specs import Fill
from protocols.wells import expand_wells
from tests.oracles.exact_parts import ExactEffect
from tests.oracles.pictures import Picture

Told = tuple[AnyInstruction, Outcome | None]
"""An instruction, and what the device said of it."""

STROKES = {"aspirate": "from", "dispense": "into", "mix": "in"}
"""The word with which each stroke names its wells."""
ALWAYS_SEEN = ("well", "tip", "waste", "spilled")
"""The sorts of which a table lists all there is; of others it lists what it cares for."""


class Table(NamedTuple):
    """A program worked out by hand."""

    name: str
    program: Program
    outcomes: tuple[Outcome | None, ...]
    expected: Picture
    effects: list[ExactEffect]

    def shown(self, seen: Picture) -> Picture:
        """Of all that is ``seen``, what this table speaks of."""
        spoken_of = {key[:2] for key in self.expected if key[0] not in ALWAYS_SEEN}
        return {key: value for key, value in seen.items() if key[0] in ALWAYS_SEEN or key[:2] in spoken_of}


@cache
def hand_tables() -> tuple[Table, ...]:
    """Every table of ``hand.yaml``."""
    text = Path(__file__).with_name("hand.yaml").read_text(encoding="utf-8")
    return tuple(_table(data) for data in yaml.safe_load(text))


def _table(data: dict[str, Any]) -> Table:
    rest = dict(data)
    name, filled, settled = rest.pop("name"), _by_place(rest.pop("fill", {})), _by_place(rest.pop("settled", {}))
    told = [_told(f"{name}, {number}", step) for number, step in enumerate(rest.pop("do"), start=1)]
    program = Program(
        title=name,
        liquid_classes={
            label: LiquidClass(name=label, **what) for label, what in {"plain": {}, **rest.pop("classes", {})}.items()
        },
        contents=tuple(_fills(filled, settled)),
        instructions=tuple(instruction for instruction, _ in told),
    )
    effects = [_effect(*row) for row in rest.pop("effects", [])]
    return Table(name, program, tuple(outcome for _, outcome in told), _expected(filled, rest), effects)


def _fills(filled: Mapping[str, Mapping[str, Any]], settled: Mapping[str, float]) -> Iterator[Fill]:
    for well, amounts in filled.items():
        layer = {"settled": "pellet", "settled_height": settled[well]} if well in settled else {}
        for liquid, volume in amounts.items():
            yield Fill(well=well, liquid=liquid, volume=volume, **layer)


def _expected(filled: Mapping[str, Mapping[str, Any]], rest: dict[str, Any]) -> Picture:
    wells = {**filled, **_by_place(rest.pop("wells", {}))}
    expected: Picture = {}
    for sort, holds in (("well", wells), ("tip", rest.pop("tips", {}))):
        expected |= {(sort, place, what): _exact(v) for place, parts in holds.items() for what, v in parts.items()}
    for sort in ("waste", "spilled"):
        expected |= {(sort, "", liquid): _exact(volume) for liquid, volume in rest.pop(sort, {}).items()}
    expected |= {("spot", spot, state): Fraction(1) for spot, state in rest.pop("spots", {}).items()}
    expected |= {("site", labware, site): Fraction(1) for labware, site in rest.pop("sites", {}).items()}
    for device, known in rest.pop("devices", {}).items():
        expected |= {("device", device, f"{what} {value}"): Fraction(1) for what, value in known.items()}
    if (clock := rest.pop("clock", None)) is not None:
        expected["clock", "", "s"] = _exact(clock)
    if rest:
        raise ValueError(f"not understood: {', '.join(rest)}")
    return expected


def _effect(kind: str, place: str, channel: int | None, amount: Any, liquids: Sequence[str] = ()) -> ExactEffect:
    return ExactEffect(kind, place, channel, _exact(amount), tuple(liquids))


def _told(name: str, step: Mapping[str, Any]) -> Told:
    rest = dict(step)
    took, reported = rest.pop("took", None), rest.pop("reported", None)
    outcome = None if took is None and reported is None else Outcome(seconds=took or 0, volumes=reported)
    instruction = instruction_adapter.validate_python({"id": name, **_instruction(rest)})
    if rest:
        raise ValueError(f"{name}: not understood: {', '.join(rest)}")
    return instruction, outcome


def _instruction(rest: dict[str, Any]) -> dict[str, Any]:
    """The fields of an instruction, taken out of ``rest``."""
    for verb, word in STROKES.items():
        if verb in rest:
            return _stroke(verb, rest.pop(verb), _places(rest.pop(word)), rest)
    if "pick up" in rest:
        spots = _places(rest.pop("pick up"))
        return {"kind": "pick_up_tips", **_on(rest, len(spots)), "spots": spots}
    if "drop" in rest:
        target = rest.pop("drop")
        into = None if target == "trash" else _places(target)
        return {"kind": "drop_tips", **_on(rest, 1 if into is None else len(into)), "spots": into}
    if "air gap" in rest:
        volumes, on = rest.pop("air gap"), _on(rest, 1)
        return {"kind": "air_gap", **on, "volumes": _each(volumes, on["channels"])}
    for verb in ("blow out", "touch"):
        if verb in rest:
            return _end(verb, _places(rest.pop(verb)), rest)
    if "move" in rest:
        return {
            "kind": "move_labware",
            "labware": rest.pop("move"),
            "site": rest.pop("to"),
            "by": rest.pop("by", "arm"),
        }
    if "tell" in rest:
        return {"device": rest.pop("tell"), **rest.pop("this")}
    if "replace" in rest:
        return {"kind": "replace_tip_rack", "rack": rest.pop("replace")}
    if "ask" in rest:
        return {"kind": "ask_person", "message": rest.pop("ask")}
    return {"kind": "wait", "seconds": rest.pop("wait")}


def _stroke(verb: str, volumes: Any, places: list[str], rest: dict[str, Any]) -> dict[str, Any]:
    on = _on(rest, max(len(places), len(volumes) if isinstance(volumes, list) else 1))
    wells = places * len(on["channels"]) if len(places) == 1 else places
    stroke = {"kind": verb, **on, "wells": wells, "volumes": _each(volumes, on["channels"])}
    stroke |= {"takes_rest": True} if rest.pop("rest", False) else {}
    cycles = {"cycles": rest.pop("cycles", 1)} if verb == "mix" else {}
    return {**stroke, **cycles, "height": rest.pop("height", None), "liquid_class": rest.pop("class", "plain")}


def _end(verb: str, places: list[str], rest: dict[str, Any]) -> dict[str, Any]:
    on = _on(rest, len(places))
    wells = places * len(on["channels"]) if len(places) == 1 else places
    kind = {"blow out": "blow_out", "touch": "touch_tip"}[verb]
    return {"kind": kind, **on, "wells": wells, "height": rest.pop("height", None)}


def _on(rest: dict[str, Any], count: int) -> dict[str, Any]:
    """The pipette and its channels; as many as there are places where nothing else is said."""
    channels = rest.pop("channels", count)
    return {
        "pipette": rest.pop("with", "single"),
        "channels": list(range(channels)) if isinstance(channels, int) else channels,
    }


def _each(volumes: Any, channels: Sequence[int]) -> list[float]:
    return volumes if isinstance(volumes, list) else [volumes] * len(channels)


def _places(reference: str | Sequence[str]) -> list[str]:
    references = [reference] if isinstance(reference, str) else reference
    return [place for one in references for place in expand_wells(one)]


def _by_place(blocks: Mapping[str, Any]) -> dict[str, Any]:
    return {place: value for block, value in blocks.items() for place in _places(block)}


def _exact(value: Any) -> Fraction:
    """A number as it is written: 96.0792 is that decimal, "350/9" that fraction."""
    return Fraction(str(value))
