"""The compiler: from a bench-level Protocol to a Program for one workcell, the same one each time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from protocols.compiler.carriage import Carriage
from protocols.compiler.classes import liquid_class_for
from protocols.compiler.devices import device_instructions
from protocols.compiler.dilution import dilution_lanes, half_full
from protocols.compiler.emitter import Emitter
from protocols.compiler.geometry import Deck
from protocols.compiler.lanes import Stretch
from protocols.compiler.materials import (
    Standing,
    already_there,
    merge_liquids,
    plan_fills,
    starting_contents,
    with_dead_volumes,
)
from protocols.compiler.minimum import BelowMinimumError, IntermediateDilution, dilution_factor
from protocols.compiler.mixing import mixing_lanes
from protocols.compiler.pairs import PLAIN, Pair, pairs_of, routes_of, segments
from protocols.compiler.passing import check_fits, follow, instructions_of, renumbered, spots_of
from protocols.compiler.placement import (
    Taken,
    check_lids,
    check_names,
    left_to_workcell,
    peaks,
    place_labware,
    sites_taken,
    still_standing,
    wells_used,
)
from protocols.compiler.planner import Favour, Planner
from protocols.compiler.removal import removal_lanes
from protocols.compiler.tools import TipStock, Tool
from protocols.compiler.words import citation_in_words, setup_in_words, step_in_words, tips_at_start
from protocols.device_steps import DeviceStep
from protocols.errors import CompileError
from protocols.labstate import LabState
from protocols.liquids import Record
from protocols.program import AskPerson, MoveLabware, Program, StepNote, Wait
from protocols.protocol import (
    AnyStep,
    Ask,
    Handling,
    Instructions,
    MixWells,
    Move,
    Protocol,
    Remove,
    SerialDilution,
    Transfer,
    WaitFor,
)
from protocols.quantities import show_duration, show_volume
from protocols.specs import WorkcellSpec

_FILMS = 3
"""Films that stay on the tips that fill, mix and draw from an intermediate dilution."""


class Tallies(Record):
    """What a program costs.

    Attributes:
        tips: used, by kind.
        racks_exchanged: tip racks that a person has to replace during the run.
        instructions: by kind.
        strokes: aspirates, each channel counted.
        person_actions: instructions that a person carries out.
    """

    tips: dict[str, int]
    racks_exchanged: int
    instructions: dict[str, int]
    strokes: int
    person_actions: int

    @property
    def tips_in_all(self) -> int:
        """Tips of all kinds."""
        return sum(self.tips.values())

    @property
    def instructions_in_all(self) -> int:
        """Instructions of all kinds."""
        return sum(self.instructions.values())


class Compilation(Record):
    """A program and what is to be known about it.

    Attributes:
        setup: what a person must put where before the run.
        notes: choices that were made, in words.
    """

    program: Program
    tallies: Tallies
    setup: tuple[str, ...]
    notes: tuple[str, ...]


def compile_protocol(
    protocol: Protocol, workcell: WorkcellSpec, *, state: LabState | None = None, favour: Favour = "tips"
) -> Compilation:
    """Turn a protocol into a program for this workcell.

    Args:
        state: what the workcell's deck holds now (tips used, what is left in wells); without it the deck is as
            the workcell file says, with full tip racks.
        favour: "tips" takes as few tips as can be, then as few instructions; "moves" spends a tip on each channel
            where one liquid goes to many wells.

    Raises:
        CompileError: the workcell cannot do it; the message names the step, and what is missing.
        BelowMinimumError: transfers too small for every tip, each with the dilution that would mend it.
        UnknownNameError: labware, a well, a kind or a site that does not exist.
    """
    return _Compiler(protocol, workcell, state, favour).compile()


class _Compiler:
    """One compilation."""

    def __init__(self, protocol: Protocol, workcell: WorkcellSpec, state: LabState | None, favour: Favour) -> None:
        self._protocol = protocol
        self._workcell = workcell
        check_fits(protocol, workcell, {})
        self._steps: Taken = [(step, pairs_of(step)) for step in protocol.steps]
        named = wells_used(protocol, self._steps)
        check_names(protocol, workcell, named)
        self._liquids = merge_liquids(protocol, workcell)
        on_deck = Standing(workcell, state)
        self._fills = plan_fills(protocol, on_deck)
        self._peaks = peaks(self._steps, self._fills, on_deck)
        self._placed = place_labware(protocol, workcell, named, self._peaks, state)
        check_fits(protocol, workcell, {**workcell.labware, **self._placed})
        check_lids(workcell, self._placed, self._steps)
        self._deck = Deck(workcell, self._placed)
        for labware, wells in named.items():
            for well, where in wells.items():
                self._deck.place(f"{labware}/{well}", where)
        self._fills = with_dead_volumes(protocol, self._fills, self._deck)
        kept = still_standing(self._placed, self._fills, state)
        on_deck = Standing(workcell, state, kept)
        self._contents = starting_contents(self._liquids, self._fills, on_deck, self._deck)
        self._stock = TipStock(
            self._deck, state, [spot for step in instructions_of(protocol) for spot in spots_of(step.instructions)]
        )
        self._tips_at_start = tips_at_start(self._stock)
        self._tools = self._all_tools()
        self._planner = Planner(self._deck, self._stock, self._tools, favour)
        self._emitter = Emitter(self._deck, self._contents, self._stock)
        self._carriage = Carriage(self._deck, sites_taken(self._placed, workcell, state))
        self._small: list[IntermediateDilution] = []
        self._notes = [
            *already_there(protocol, self._fills, on_deck),
            *(f"'{name}' stays, with what an earlier run left in it" for name in kept),
            *(
                f"the tip rack '{name}' is left out: this workcell has tips of its own"
                for name in protocol.labware
                if left_to_workcell(protocol, name, workcell)
            ),
        ]

    def _all_tools(self) -> list[Tool]:
        found = [
            (pipette, tip)
            for pipette in self._workcell.pipettes.values()
            for tip in self._stock.specs.values()
            if tip.fits in pipette.fits
        ]
        return [Tool(pipette, tip, rank) for rank, (pipette, tip) in enumerate(found)]

    # -- the whole ----------------------------------------------------------------------------------

    def compile(self) -> Compilation:
        for step, pairs in self._steps:
            self._emitter.step = step.id
            self._step(step, pairs)
        self._emitter.put_down()
        self._complain()
        instructions = self._emitter.instructions()
        program = Program(
            title=self._protocol.title,
            liquids={name: self._liquids[name] for name in self._protocol.liquids},
            liquid_classes=dict(sorted(self._emitter.classes.items())),
            labware=self._placed,
            contents=self._fills,
            steps={
                step.id: StepNote(text=step_in_words(step, pairs), source=citation_in_words(step.cited))
                for step, pairs in self._steps
            },
            routes=tuple(route for step, pairs in self._steps for route in routes_of(step, pairs)),
            instructions=instructions,
        )
        counts = Counter(instruction.kind for instruction in instructions)
        tallies = Tallies(
            tips=dict(sorted(self._emitter.tips.items())),
            racks_exchanged=self._emitter.racks_exchanged,
            instructions=dict(sorted(counts.items())),
            strokes=self._emitter.strokes,
            person_actions=counts["ask_person"] + counts["replace_tip_rack"],
        )
        notes = (*self._notes, *self._emitter.findings.in_words(self._workcell.limits.flow_rate))
        return Compilation(program=program, tallies=tallies, setup=self._setup(), notes=notes)

    def _step(self, step: AnyStep, pairs: Sequence[Pair]) -> None:
        match step:
            case WaitFor():
                self._emitter.put_down()
                self._wait(step)
            case Ask():
                self._emitter.put_down()
                self._emitter.write(AskPerson, message=step.message)
            case Move():
                self._emitter.put_down()
                self._emitter.write(MoveLabware, **self._carriage.carry(step))
            case MixWells():
                self._mix(step)
            case SerialDilution():
                self._dilute(step, pairs)
            case Remove():
                self._remove(step)
            case Instructions():
                self._pass_through(step)
            case DeviceStep():
                self._emitter.put_down()
                for kind, fields in device_instructions(step, self._workcell):
                    self._emitter.write(kind, **fields)
            case _:
                self._transfer(step, pairs, step.handling)

    # -- liquids ------------------------------------------------------------------------------------

    def _transfer(self, step: AnyStep, pairs: Sequence[Pair], handling: Handling) -> None:
        kept = [pair for pair in pairs if pair.volume > 0]
        if len(kept) < len(pairs):
            self._notes.append(f"step '{step.id}': {len(pairs) - len(kept)} transfers of 0 µL are left out")
        stretches = [kept] if handling.tips == "one" else segments(kept)
        for stretch in stretches:
            self._stretch(step, stretch, handling)

    def _stretch(self, step: AnyStep, pairs: list[Pair], handling: Handling) -> None:
        able = []
        for pair in pairs:
            self._contents.source(pair.source)
            behaviours = self._contents.behaviours(pair.source)
            if self._planner.usable(pair.volume, behaviours, handling):
                able.append(pair)
            else:
                self._refuse(step, pair)
                self._contents.receive(pair.destination, pair.volume, f"?{pair.source}", frozenset())
        if not able:
            return
        if handling.tips == "one":
            self._single_tip(step, Stretch(able, self._contents, handling))
            return
        while able:
            first = self._planner.going_first(Stretch(able, self._contents, handling))
            for batch in self._planner.plan(Stretch(first, self._contents, handling)):
                self._emitter.run(batch, keep=handling.tips == "as needed")
            done = {pair.index for pair in first}
            able = [pair for pair in able if pair.index not in done]

    def _single_tip(self, step: AnyStep, stretch: Stretch) -> None:
        batch = self._planner.plan_single(stretch)
        if batch is None:
            raise CompileError(
                "no single tip moves both the smallest and the largest of these volumes",
                where=f"step '{step.id}'",
                mend="Set tips to 'as needed', or split the step",
            )
        self._emitter.run(batch, keep=False)

    def _refuse(self, step: AnyStep, pair: Pair) -> None:
        """Note a transfer below every minimum; raise for one that fails for another reason."""
        where = f"step '{step.id}'"
        plain = [tool for tool in self._tools if not tool.rigid]
        if not plain:
            raise CompileError(
                "there are no tips on the deck for a pipette that reaches single wells",
                where=where,
                mend=f"Pipettes: {', '.join(self._workcell.pipettes) or 'none'}; "
                f"tips on the deck: {', '.join(self._stock.specs) or 'none'}",
            )
        finest = min(plain, key=lambda tool: (tool.least, tool.rank))
        if pair.volume >= finest.least:
            kinds = ", ".join(f"{tool.tip.kind} ({tool.least:g} to {tool.tip.capacity:g} µL)" for tool in plain)
            raise CompileError(
                f"no tip moves {show_volume(pair.volume)} from {pair.source} to {pair.destination}",
                where=where,
                mend=f"Equal strokes must lie within a tip's range, air and film counted: {kinds}",
            )
        self._small.append(self._dilution(step, pair, finest))

    def _dilution(self, step: AnyStep, pair: Pair, tool: Tool) -> IntermediateDilution:
        factor = dilution_factor(pair.volume, tool.least)
        moved = pair.volume * factor
        destination = self._deck.place(pair.destination).shape
        stock = self._stock_volume(pair, tool, moved, factor)
        final = self._peaks.get(pair.destination, 0.0)
        source, held = self._deck.place(pair.source).shape, self._contents[pair.source].volume
        return IntermediateDilution(
            step=step.id,
            row=step.rows[pair.index] if isinstance(step, Transfer) and step.rows else None,
            source=pair.source,
            destination=pair.destination,
            volume=pair.volume,
            pipette=tool.pipette.id,
            tip=tool.tip.kind,
            minimum=tool.least,
            factor=factor,
            transfer_volume=moved,
            stock_volume=stock,
            diluent_volume=stock * (factor - 1),
            fits=final + moved - pair.volume <= destination.max_volume,
            source_suffices=None if held is None else held - (source.dead_volume or 0.0) >= stock,
        )

    def _stock_volume(self, pair: Pair, tool: Tool, moved: float, factor: int) -> float:
        """µL of the source with which a dilution, in a well like the source's, gives ``moved`` to a tip, rounded up."""
        film = liquid_class_for(self._contents.behaviours(pair.source), tool.tip).film
        made = moved + (self._deck.place(pair.source).shape.dead_volume or 0.0) + _FILMS * film
        return max(tool.least, math.ceil(made / factor * 10 - 1e-6) / 10)

    def _dilute(self, step: SerialDilution, pairs: Sequence[Pair]) -> None:
        half = len(pairs) // 2
        self._transfer(step, pairs[:half], PLAIN)
        chain = pairs[half:]
        self._contents.source(step.wells[0])
        if not self._planner.usable(chain[0].volume, self._contents.behaviours(step.wells[0]), PLAIN):
            self._refuse(step, chain[0])
            return
        batches = dilution_lanes(step, self._contents, [tool for tool in self._tools if not tool.rigid])
        if not batches:
            self._refuse(step, chain[0])
        for batch in batches:
            self._emitter.run(batch, keep=False)
        self._notes.append(
            f"step '{step.id}': to be mixed with {show_volume(half_full(step))}, half of what a well holds"
        )

    def _mix(self, step: MixWells) -> None:
        plain = [tool for tool in self._tools if not tool.rigid]
        if not plain:
            raise CompileError("there are no tips on the deck to mix with", where=f"step '{step.id}'")
        for batch in mixing_lanes(step, self._deck, self._contents, plain):
            self._emitter.run(batch, keep=True)

    def _remove(self, step: Remove) -> None:
        plain = [tool for tool in self._tools if not tool.rigid]
        found = removal_lanes(step, self._deck, self._contents, plain)
        if isinstance(found, tuple):
            well, volume = found
            raise CompileError(
                f"no tip takes {show_volume(volume)} out of {well}",
                where=f"step '{step.id}'",
                mend="Tips: " + (", ".join(f"{t.tip.kind} (from {t.least:g} µL)" for t in plain) or "none"),
            )
        for batch in found:
            self._emitter.run(batch, keep=False)

    def _pass_through(self, step: Instructions) -> None:
        self._emitter.put_down()
        for kind, fields in renumbered(step, self._emitter.written):
            self._emitter.write(kind, **fields)
            if kind is MoveLabware:
                self._carriage.stand(fields["labware"], fields["site"])
        self._emitter.classes.update(step.liquid_classes)
        follow(step, self._contents)

    # -- labware and time ------------------------------------------------------------------------------------

    def _wait(self, step: WaitFor) -> None:
        longest = self._workcell.limits.wait
        if step.duration > longest:
            raise CompileError(
                f"waits {show_duration(step.duration)}, the workcell's limit is {show_duration(longest)}",
                where=f"step '{step.id}'",
                mend="Wait less, or split it with an ask step between",
            )
        self._emitter.write(Wait, seconds=step.duration)

    # -- what a person is told ----------------------------------------------------------------------

    def _complain(self) -> None:
        if self._small:
            raise BelowMinimumError(self._small)
        self._emitter.findings.complain()

    def _setup(self) -> tuple[str, ...]:
        needed = self._emitter.tips
        used = {kind: (*at, needed[kind]) for kind, at in self._tips_at_start.items() if needed[kind]}
        findings = self._emitter.findings
        lines = setup_in_words(self._workcell, self._placed, self._fills, self._liquids, findings.drawn, used)
        undeclared = tuple(
            f"Have at least {show_volume(volume)} above the dead volume in {well}: nobody said what it holds"
            for well, volume in list(findings.undeclared.items())[:20]
        )
        more = len(findings.undeclared) - 20
        return (*lines, *undeclared, *([f"… and so in {more} more wells"] if more > 0 else []))
