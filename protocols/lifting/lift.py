"""From a program to the protocol that says the same at the bench.

Runs of instructions become steps where their meaning is plain, and only where the steps leave the same in every well
as the instructions do: both are carried out on accounts of the wells, and compared. What a tip's wall keeps is left
aside. All else stays as instructions, each with the reason. Volumes µL.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from protocols.compiler.pairs import pairs_of
from protocols.compiler.removal import removals
from protocols.lifting.dilutions import find_dilutions
from protocols.lifting.drafts import carry_out, drafts_of, gathered, one_volume, rejoined
from protocols.lifting.needs import liquids_of, materials_of, needs_of
from protocols.lifting.steps import Writer, merged
from protocols.program import MoveLabware, Program, ReplaceTipRack, TouchTip
from protocols.protocol import AnyStep, Instructions, Protocol, Remove, SerialDilution
from protocols.specs import WorkcellSpec
from protocols.tracing import Act, Block, Discarded, Moved, Other, trace
from protocols.tracing.accounts import Accounts, assumed, needed
from protocols.tracing.life import Draw


@dataclass(frozen=True, slots=True)
class Kept:
    """Instructions that stay as they are.

    Attributes:
        step: the step of the protocol that holds them.
        first, last: their ids in the program.
        count: how many.
        strokes: aspirates, dispenses and mixes among them, each channel counted.
        reason: why no bench step says them.
    """

    step: str
    first: str
    last: str
    count: int
    strokes: int
    reason: str

    def __str__(self) -> str:
        instructions = f"{self.count} instructions" if self.count > 1 else "1 instruction"
        return f"step '{self.step}' ({instructions}, {self.first} to {self.last}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Lifted:
    """What a program says at the bench.

    Attributes:
        kept: what stays as instructions, in order.
        strokes: aspirates, dispenses and mixes of the program, each channel counted.
        lifted: those of them that bench steps say.
        notes: what of the handling is left to the compiler.
    """

    protocol: Protocol
    kept: tuple[Kept, ...]
    strokes: int
    lifted: int
    notes: tuple[str, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why instructions stay, in words, in order."""
        return tuple(map(str, self.kept))


def lift(program: Program, workcell: WorkcellSpec, *, inferred: Collection[str] = ()) -> Lifted:
    """The protocol that says what ``program`` does on ``workcell``.

    Args:
        inferred: wells whose content nobody declared: the program's contents say no more than what is needed there.
    """
    return _Lifting(program, workcell, frozenset(inferred)).lift()


_SPARE, _SHARE = 20.0, 0.2
"""µL, and part of what a well held, that must stay behind for a draw not to be meant to take all there is."""
_TIPS = "instructions that stay take tips from the rack that this concerns"


@dataclass
class _Lifting:
    program: Program
    workcell: WorkcellSpec
    inferred: frozenset[str]
    _kept: list[Kept] = field(default_factory=list)
    _lifted: int = 0
    _notes: Counter[str] = field(default_factory=Counter)
    _taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        said = self.program.instructions
        self._trash = frozenset({self.workcell.trash})
        self._blocks = trace(said, self.program.liquid_classes, self._trash).blocks
        flow = [event for block in self._blocks for event in block.flow]
        standing = (*self.workcell.contents, *self.program.contents)
        self._start = (*standing, *assumed(standing, flow))
        self._needed = needed(flow)
        draws = {(event.well, event.tip) for event in flow if isinstance(event, Draw)}
        self._tips = Counter(well for well, _ in draws)
        self._writer = Writer(self.program)
        self._racks = {
            name
            for name, placed in {**self.workcell.labware, **self.program.labware}.items()
            if (kind := self.workcell.kinds.get(placed.kind)) is not None and kind.tip is not None
        }

    def lift(self) -> Lifted:
        """The whole."""
        accounts = Accounts(self._start)
        if any(said.after is not None or said.window is not None for said in self.program.instructions):
            reasons: list[str | None] = ["instructions wait for others, or for a time"] * len(self._blocks)
            for block in self._blocks:
                accounts.flow(block.flow)
        else:
            reasons = self._with_tips([_reason(block, accounts, self._trash) for block in self._blocks])
        steps = merged(self._steps(reasons))
        materials = materials_of(self.program, self.workcell, self._needed, self._tips, self.inferred)
        protocol = Protocol(
            title=self.program.title,
            labware=needs_of(self.program, self.workcell, steps, accounts.most),
            liquids=liquids_of(self.program, self.workcell, materials),
            materials=materials,
            steps=tuple(steps),
        )
        strokes = sum(block.strokes for block in self._blocks)
        notes = tuple(f"{text}, {count} times" if count > 1 else text for text, count in self._notes.items())
        return Lifted(protocol, tuple(self._kept), strokes, self._lifted, notes)

    # -- tips ---------------------------------------------------------------------------------------

    def _with_tips(self, reasons: list[str | None]) -> list[str | None]:
        """Whoever exchanges or carries a rack from which instructions that stay take tips must stay as well."""
        while True:
            taken = {
                spot.rpartition("/")[0]
                for block, reason in zip(self._blocks, reasons, strict=True)
                if reason is not None
                for spot in block.spots
            }
            found = [
                reason or (_TIPS if self._racks_of(block) & taken else None)
                for block, reason in zip(self._blocks, reasons, strict=True)
            ]
            if found == reasons:
                return found
            reasons = found

    def _racks_of(self, block: Block) -> set[str]:
        """The racks that a block exchanges or carries."""
        return {name for act in block.acts if (name := self._rack(act)) is not None}

    def _rack(self, act: Act) -> str | None:
        if not isinstance(act, Other):
            return None
        match act.instruction:
            case ReplaceTipRack(rack=rack):
                return rack
            case MoveLabware(labware=name) if name in self._racks:
                return name
        return None

    # -- steps --------------------------------------------------------------------------------------

    def _steps(self, reasons: Sequence[str | None]) -> Iterator[AnyStep]:
        """Steps and instructions that stay, in order."""
        accounts = Accounts(self._start)
        for stays, group in groupby(zip(self._blocks, reasons, strict=True), key=lambda item: item[1] is not None):
            run = list(group)
            if not stays:
                yield from self._written([block for block, _ in run], accounts)
                continue
            for reason, alike in groupby(run, key=lambda item: item[1]):
                blocks = [block for block, _ in alike]
                yield self._keep(blocks, reason or "")
                for block in blocks:
                    accounts.flow(block.flow)

    def _written(self, blocks: list[Block], accounts: Accounts) -> Iterator[AnyStep]:
        """A run of blocks as steps; as instructions after all, should the steps not leave the same in every well."""
        acts = [act for block in blocks for act in _in_order(one for act in block.acts for one in one_volume(act))]
        wells = {well for block in blocks for well in _touched(block, self._trash)}
        meant = _meant(acts, accounts.copy(wells))
        each = ((act, self._origin(act)) for act in meant if self._rack(act) is None)
        told = list(rejoined(each, self._writer.is_row))
        before, writer = accounts.copy(wells), self._writer
        for block in blocks:
            accounts.flow(block.flow)
        differs: str | None = None
        for attempt in (list(gathered(told)), told):
            self._writer = copy.deepcopy(writer)
            drafts = find_dilutions(list(drafts_of(attempt, before.copy(wells), writer.worklists)))
            steps = [self._writer.step(draft) for draft in drafts]
            by_steps = before.copy(wells)
            _carry_out_steps(steps, by_steps)
            differs = accounts.differs(by_steps, wells)
            if differs is None:
                break
        else:
            self._writer = writer
            yield self._keep(blocks, f"steps would leave {differs} otherwise")
            return
        yield from steps
        self._lifted += sum(block.strokes for block in blocks)
        self._note(blocks, acts)

    def _note(self, blocks: Sequence[Block], acts: Sequence[Act]) -> None:
        """Handling that steps do not say."""
        said = [one for block in blocks for one in self.program.instructions[block.start : block.stop]]
        self._notes["a short wait for liquid to settle is left to the liquid class"] += sum(
            block.settling for block in blocks
        )
        self._notes["touching a well's wall is left out"] += sum(isinstance(one, TouchTip) for one in said)
        self._notes["a tip that is taken again later is a new one"] += len(
            [spot for block in blocks for spot in block.spots if spot in self._taken]
        )
        self._taken |= {spot for block in blocks for spot in block.spots}
        self._notes["exchanging or carrying a tip rack is left to the compiler"] += sum(
            self._rack(act) is not None for act in acts
        )
        self._notes += Counter()  # without what never happened

    def _origin(self, act: Act) -> str | None:
        return self.program.instructions[act.at].step

    def _keep(self, blocks: Sequence[Block], reason: str) -> Instructions:
        start, stop = blocks[0].start, blocks[-1].stop
        said = self.program.instructions[start:stop]
        classes = dict.fromkeys(name for one in said if (name := getattr(one, "liquid_class", None)) is not None)
        fields = self._writer.heading(said[0].step)
        self._kept.append(
            Kept(fields["id"], said[0].id, said[-1].id, len(said), sum(block.strokes for block in blocks), reason)
        )
        return Instructions(
            **fields,
            instructions=tuple(replace(one, step=None) for one in said),
            liquid_classes={name: self.program.liquid_classes[name] for name in classes},
            why=reason,
        )


def _reason(block: Block, accounts: Accounts, trash: frozenset[str]) -> str | None:
    """Why a block stays as it is; ``None`` if transfers say it. The accounts go on to after it."""
    wells = _touched(block, trash)
    by_acts = accounts.copy(wells)
    short = accounts.flow(block.flow)
    if block.odd is not None:
        return block.odd
    carry_out(block.acts, by_acts)
    differs = accounts.differs(by_acts, wells)
    if differs is not None and short:
        return f"{short[0]} gives less than is asked of it, and what comes is divided among several wells"
    return (
        None
        if differs is None
        else f"draws and dispenses that overlap: whole transfers would leave {differs} otherwise"
    )


def _in_order(acts: Iterable[Act]) -> list[Act]:
    return sorted(acts, key=lambda act: (act.at, getattr(act, "channel", 0)))


def _touched(block: Block, trash: frozenset[str]) -> set[str]:
    """The wells that a block draws from or fills, the trash left aside."""
    wells = {event.well for event in block.flow if event.well is not None}
    return {well for well in wells if well.rpartition("/")[0] not in trash}


def _meant(acts: Iterable[Act], accounts: Accounts) -> Iterator[Act]:
    """The acts, those that may take the rest only where little stays behind."""
    for act in acts:
        if isinstance(act, Moved | Discarded) and act.rest:
            well = act.source if isinstance(act, Moved) else act.well
            held = sum(accounts.well(well).values())
            if held - act.volume > _SPARE + _SHARE * held:
                act = replace(act, rest=False)
        carry_out([act], accounts)
        yield act


def _carry_out_steps(steps: Iterable[AnyStep], accounts: Accounts) -> None:
    for step in steps:
        for pair in pairs_of(step):
            accounts.move(pair.source, pair.destination, pair.volume)
        if isinstance(step, Remove):
            for well, volume in removals(step):
                accounts.draw(well, volume)
        if isinstance(step, SerialDilution) and step.discard:
            accounts.draw(step.wells[-1], step.volume / step.factor)
