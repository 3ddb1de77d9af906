"""Programs for the agreement tests: hand-built from strokes, and compiled from protocols, on the shipped workcells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any, Literal

from hypothesis import assume
from hypothesis import strategies as st

from protocols.compiler import compile_protocol
from protocols.errors import CompileError
from protocols.liquids import Liquid, LiquidClass
from protocols.program import (
    AirGap,
    AnyInstruction,
    Aspirate,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    Program,
)
from protocols.protocol import (
    Consolidate,
    Distribute,
    Handling,
    LabwareNeed,
    Material,
    MixWells,
    Move,
    Protocol,
    SerialDilution,
    Transfer,
)
from protocols.specs import Fill, PlacedLabware
from robots.workcell import Workcell, load_workcell

ROWS = "ABCDEFGH"
CLASSES = {
    "bare": LiquidClass(name="bare"),
    "film": LiquidClass(name="film", film=0.2, blow_out=10.0),
    "jet": LiquidClass(name="jet", film=0.2, blow_out=10.0, transport_air=5.0, jet=True),
    "part": LiquidClass(name="part", film=0.2, transport_air=5.0, jet=True),
    "following": LiquidClass(name="following", film=0.2, blow_out=10.0, level_detection=True),
}
LIQUIDS = ("red", "green", "blue")


@dataclass(frozen=True)
class Rig:
    """What hand-built programs use of one workcell."""

    workcell: str
    pipette: str
    tips: str
    plates: dict[str, PlacedLabware]
    trough: str
    groups: tuple[int, ...]
    free_sites: tuple[str, ...] = ()
    volumes: tuple[float, float] = (15.0, 90.0)


STARLET = Rig(
    workcell="starlet",
    pipette="channels",
    tips="tips_300",
    plates={
        "a": PlacedLabware(kind="flat_96_360ul", site="plates-a-1"),
        "b": PlacedLabware(kind="flat_96_360ul", site="plates-a-2"),
    },
    trough="diluent/A1",
    groups=(1, 8, 96),
    free_sites=("plates-b-1", "plates-b-5"),
)
OT2 = Rig(
    workcell="ot2",
    pipette="p300",
    tips="tips_300",
    plates={
        "a": PlacedLabware(kind="corning_96_wellplate_360ul_flat", site="slot-1"),
        "b": PlacedLabware(kind="corning_96_wellplate_360ul_flat", site="slot-2"),
    },
    trough="reservoir/A1",
    groups=(1,),
    volumes=(20.0, 90.0),
)


@cache
def workcell(name: str) -> Workcell:
    """One of the shipped workcells."""
    return load_workcell(name)


@dataclass
class Builder:
    """Writes instructions one after the other, with tips taken rack by rack."""

    rig: Rig
    instructions: list[AnyInstruction] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _column: int = 0
    _rack: int = 4

    def add(self, kind: Any, **fields: Any) -> None:
        """Append an instruction."""
        self.instructions.append(kind(id=f"i{next(self._numbers)}", **fields))

    def channels(self, group: int) -> dict[str, Any]:
        """The pipette and channels for a group of 1, 8 or 96."""
        return {"pipette": "head96" if group == 96 else self.rig.pipette, "channels": tuple(range(group))}

    def pick(self, group: int) -> None:
        """Pick up new tips: a whole rack from the last ones on, or from the next column of the first."""
        if group == 96:
            rack, columns = self._rack, range(1, 13)
            self._rack -= 1
        else:
            rack, columns = 1, range(self._column + 1, self._column + 2)
            self._column += 1
        spots = [f"{self.rig.tips}_{rack}/{row}{column}" for column in columns for row in ROWS]
        self.add(PickUpTips, spots=tuple(spots[:group]), **self.channels(group))

    def stroke(self, kind: Any, group: int, place: str, volume: float, own: str, height: float, **more: Any) -> None:
        """One stroke of equal volumes: in a column of a plate ("a/3"), or in one well ("diluent/A1")."""
        self.add(
            kind,
            wells=wells(group, place),
            volumes=(volume,) * group,
            liquid_class=own,
            height=height,
            **self.channels(group),
            **more,
        )


def wells(group: int, place: str) -> tuple[str, ...]:
    """The wells under a group of channels."""
    labware, _, at = place.partition("/")
    if not at.isdigit():
        return (place,) * group
    if group == 96:
        return tuple(f"{labware}/{row}{column}" for column in range(1, 13) for row in ROWS)
    return tuple(f"{labware}/{row}{at}" for row in ROWS[:group])


def program(rig: Rig, contents: Sequence[Fill], instructions: Sequence[AnyInstruction], **fields: Any) -> Program:
    """A program on ``rig`` with the three liquids and all classes."""
    given: dict[str, Any] = {
        "title": "agreement",
        "liquids": {name: Liquid(name=name) for name in LIQUIDS},
        "liquid_classes": CLASSES,
        "labware": rig.plates,
        "contents": tuple(contents),
        "instructions": tuple(instructions),
    }
    return Program(**(given | fields))


# -- hand-built ----------------------------------------------------------------------------------------

HEIGHTS = st.sampled_from([0.5, 0.5, 1.0, 2.0])
OWN = st.sampled_from(sorted(CLASSES))


@st.composite
def hand_built(draw: st.DrawFn, rig: Rig) -> Program:
    """Rounds of picking up tips, a few strokes, and dropping them; some fail, most do not."""
    fills = {column: draw(st.floats(180.0, 330.0)) for column in range(1, 13)}
    contents = [
        Fill(well=f"a/{row}{column}", liquid=LIQUIDS[column % 3], volume=volume)
        for column, volume in fills.items()
        for row in ROWS
    ]
    builder = Builder(rig)
    for _ in range(draw(st.integers(1, 4))):
        group = draw(st.sampled_from(rig.groups))
        if group == 96 and builder._rack < 2:
            continue
        builder.pick(group)
        source = draw(st.sampled_from(["a/1", "a/2", "a/3", *([rig.trough] if group < 96 else [])]))
        for _ in range(draw(st.integers(1, 3))):
            _moves(draw, builder, group, source)
        builder.add(DropTips, **builder.channels(group))
        if rig.free_sites and draw(st.integers(0, 5)) == 0:
            builder.add(MoveLabware, labware="b", site=draw(st.sampled_from(rig.free_sites)))
    return program(rig, contents, builder.instructions)


def _moves(draw: st.DrawFn, builder: Builder, group: int, source: str) -> None:
    """One transfer, distribution, collection or mix with the tips that are on, mostly from one source."""
    rig = builder.rig
    shape = draw(st.sampled_from(["transfer", "transfer", "distribute", "consolidate", "mix", "air"]))
    own, height = draw(OWN), draw(HEIGHTS)
    if draw(st.integers(0, 9)) == 0:
        source = "a/2"
    targets = [f"b/{draw(st.integers(1, 8))}" for _ in range(3 if shape in ("distribute", "consolidate") else 1)]
    if shape == "distribute":
        own = draw(st.sampled_from(["bare", "part"]))  # the others blow out what the next well should have
    volume = round(draw(st.floats(*rig.volumes)), 1)
    if shape == "consolidate":
        share = round(volume / 3, 1)
        first = int(source[-1])
        for column in (first, first + 3, first + 6):  # of one liquid
            builder.stroke(Aspirate, group, f"a/{column}", share, own, height)
        builder.stroke(Dispense, group, targets[0], round(3 * share, 1), own, 5.0)
        return
    if shape == "mix":
        builder.stroke(Mix, group, source, volume, own, height, cycles=2)
        return
    builder.stroke(Aspirate, group, source, volume, own, height)
    if shape == "air" and group < 96:  # pylabrobot's head refuses to draw air over what it does not fit into
        builder.add(AirGap, volumes=(10.0,) * group, **builder.channels(group))
        volume += 10.0
    for target in targets:
        builder.stroke(Dispense, group, target, round(volume / len(targets) - 0.05, 1), own, 5.0)


# -- compiled ------------------------------------------------------------------------------------------

NEEDS = {"starlet": ("diluent/A1", "plates-b-5"), "ot2": ("reservoir/A1", None)}


@st.composite
def compiled(draw: st.DrawFn, name: Literal["starlet", "ot2"]) -> Program:
    """A protocol of one to four steps, compiled; those that the compiler refuses are left out."""
    diluent, site = NEEDS[name]
    start = draw(st.sampled_from([60, 150, 250]))
    steps = [_step(draw, f"s{number}", diluent) for number in range(draw(st.integers(1, 4)))]
    if site is not None and draw(st.booleans()):
        steps.append(Move(id="away", labware="b", site=site))
    protocol = Protocol(
        title="agreement",
        labware={"a": LabwareNeed(), "b": LabwareNeed()},
        liquids={liquid: Liquid(name=liquid) for liquid in LIQUIDS},
        materials=tuple(
            Material(liquid=liquid, wells=f"a/A{column}:H{column}", volume=f"{start} uL")
            for column, liquid in enumerate(LIQUIDS, 1)
        ),
        steps=tuple(steps),
    )
    try:
        return compile_protocol(protocol, workcell(name).spec).program
    except CompileError:
        assume(False)
        raise


def _step(draw: st.DrawFn, step: str, diluent: str) -> Any:
    volume = f"{draw(st.integers(2, 60))} uL"
    column, rows = draw(st.integers(1, 3)), draw(st.sampled_from(["A", "D", "H"]))
    source, target = f"a/A{column}:{rows}{column}", draw(st.integers(1, 12))
    handling = Handling(
        tips=draw(st.sampled_from(["as needed", "each transfer"])),
        mix_after=draw(st.sampled_from([0, 2])),
        touch=draw(st.booleans()),
    )
    kind = draw(st.sampled_from(["transfer", "distribute", "consolidate", "series", "mix"]))
    match kind:
        case "transfer":
            wells = f"b/A{target}:{rows}{target}"
            return Transfer(id=step, source=source, destination=wells, volume=volume, handling=handling)
        case "distribute":
            wells = f"b/A{target}:H{target}"
            return Distribute(id=step, source=diluent, destination=wells, volume=volume, handling=handling)
        case "consolidate":
            return Consolidate(id=step, source=source, destination=f"b/C{target}", volume=volume, handling=handling)
        case "series":
            row = draw(st.sampled_from(ROWS))
            wells = f"a/{row}3:{row}7"
            return SerialDilution(id=step, wells=wells, diluent=diluent, factor=2, volume="80 uL")
    return MixWells(id=step, wells=source, volume=volume, cycles=2)


# -- perturbed -----------------------------------------------------------------------------------------


@st.composite
def perturbed(draw: st.DrawFn, wanted: Program) -> Program:
    """``wanted`` with one thing changed, as a slip of the hand or a bad edit would change it."""
    steps = list(wanted.instructions)
    index = draw(st.integers(0, len(steps) - 1))
    kind = draw(st.sampled_from(["drop", "swap", "double", "well", "keep tips", "height", "channel", "class"]))
    at = steps[index]
    strokes = [i for i, step in enumerate(steps) if isinstance(step, Aspirate | Dispense | Mix)]
    changes = [i for i, step in enumerate(steps[:-1]) if isinstance(step, DropTips)]
    if kind == "drop":
        del steps[index]
    elif kind == "swap":
        other = draw(st.integers(0, len(steps) - 1))
        steps[index], steps[other] = steps[other], at
    elif kind == "keep tips":
        assume(changes)
        gone = draw(st.sampled_from(changes))
        again = next((i for i in range(gone, len(steps)) if isinstance(steps[i], PickUpTips)), gone)
        steps = [step for i, step in enumerate(steps) if i not in (gone, again)]
    else:
        assume(strokes)
        index = draw(st.sampled_from(strokes))
        steps[index] = _altered(draw, kind, steps[index], sorted(wanted.liquid_classes))
    return wanted.model_copy(update={"instructions": tuple(steps)})


def _altered(draw: st.DrawFn, kind: str, stroke: Any, classes: Sequence[str]) -> AnyInstruction:
    position = draw(st.integers(0, len(stroke.channels) - 1))
    if kind == "double":
        volumes = list(stroke.volumes)
        volumes[position] *= 2
        return replace(stroke, volumes=tuple(volumes))
    if kind == "well":
        places = list(stroke.wells)
        places[position] = f"{draw(st.sampled_from('ab'))}/{draw(st.sampled_from(ROWS))}{draw(st.integers(1, 13))}"
        return replace(stroke, wells=tuple(places))
    if kind == "height":
        return replace(stroke, height=draw(st.sampled_from([0.0, 3.0, 9.0, 12.0, 40.0])))
    if kind == "channel":
        keep = [i for i in range(len(stroke.channels)) if i != position] or [position]
        lists = {name: tuple(getattr(stroke, name)[i] for i in keep) for name in ("channels", "wells", "volumes")}
        return replace(stroke, **lists)
    return replace(stroke, liquid_class=draw(st.sampled_from(classes)))
