"""Drafts written out as bench steps, with ids and notes. Volumes µL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from protocols.compiler.pairs import pairs_of
from protocols.compiler.words import step_in_words
from protocols.device_instructions import (
    AwaitTemperature,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.device_steps import (
    Hold,
    HoldTemperature,
    Latch,
    Lid,
    Magnet,
    ReachTemperature,
    ShakeAt,
    Thermocycle,
)
from protocols.lifting.dilutions import Dilution
from protocols.lifting.drafts import Draft, round_volume
from protocols.program import AnyInstruction, AskPerson, MoveLabware, Program, Route, Wait
from protocols.protocol import (
    AnyStep,
    Ask,
    Consolidate,
    Distribute,
    Handling,
    MixWells,
    Move,
    Remove,
    SerialDilution,
    Transfer,
    WaitFor,
)
from protocols.step import Citation
from protocols.tracing.acts import Discarded, Moved, Other, Stirred

LONGEST_ID = 128


class Writer:
    """Writes steps; ids follow the steps of the program that they came from."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._ids: set[str] = set()
        self._noted: set[str] = set()
        self._routes: dict[str, list[Route]] = {}
        for route in program.routes:
            if route.step is not None:
                self._routes.setdefault(route.step, []).append(route)

    @property
    def worklists(self) -> frozenset[str]:
        """The program's steps that are rows of a worklist."""
        return frozenset(self._routes)

    def is_row(self, move: Moved, note: str | None) -> bool:
        """Whether a move of the program's step ``note`` is a row of its worklist."""
        return any(_is_row(route, move) for route in self._routes.get(note or "", ()))

    def step(self, draft: Draft | Dilution) -> AnyStep:
        """One draft as a step."""
        fields = self.heading(draft.note)
        made = _dilution(draft, fields) if isinstance(draft, Dilution) else self._plain(draft, fields)
        return self._told(made, draft.note)

    def heading(self, note: str | None) -> dict[str, Any]:
        """The id of the next step that came from the program's step ``note``."""
        base = (note or "step")[: LONGEST_ID - 8]
        name, number = (base, 1) if note else (f"{base} 1", 1)
        while name in self._ids:
            number += 1
            name = f"{base} {number}"
        self._ids.add(name)
        return {"id": name}

    def _told(self, step: AnyStep, note: str | None) -> AnyStep:
        """The step with what its origin said of it, once for each origin, and not what the step says itself."""
        origin = self._program.steps.get(note or "")
        if origin is None or note is None or note in self._noted:
            return step
        self._noted.add(note)
        text = origin.text
        for tips in get_args(Handling.model_fields["tips"].annotation):
            text = text.removesuffix(step_in_words(_with_tips(step, tips), pairs_of(step)))
        text = text.rstrip().removesuffix(".")
        cited = Citation(document=origin.source) if origin.source else None
        return step.model_copy(update={"note": text, "cited": cited})

    def _plain(self, draft: Draft, fields: dict[str, Any]) -> AnyStep:
        first = draft.acts[0]
        match first:
            case Moved():
                return self._moves(draft, [act for act in draft.acts if isinstance(act, Moved)], fields)
            case Stirred():
                wells = _wells(draft.acts)
                return MixWells.model_construct(
                    **fields, wells=wells, volume=round_volume(first.volume), cycles=first.cycles
                )
            case Discarded():
                volumes = [act.volume for act in draft.acts if isinstance(act, Discarded)]
                return Remove.model_construct(
                    **fields, wells=_wells(draft.acts), volume=_volume(volumes), handling=draft.handling
                )
            case Other():
                return other_step(first.instruction, fields)

    def _moves(self, draft: Draft, moves: Sequence[Moved], fields: dict[str, Any]) -> AnyStep:
        sources, destinations = [move.source for move in moves], [move.destination for move in moves]
        volume, rows = _volume([move.volume for move in moves]), self._rows(draft.note, moves)
        more = {**fields, "volume": volume, "handling": draft.handling}
        if len(moves) > 1 and not rows:
            if len(set(sources)) == 1:
                return Distribute.model_construct(**more, source=sources[0], destination=tuple(destinations))
            if len(set(destinations)) == 1:
                return Consolidate.model_construct(**more, source=tuple(sources), destination=destinations[0])
        ours, theirs = _spread(sources), _spread(destinations)
        if len(ours) == len(theirs) == 1 < len(moves):
            ours = tuple(sources)
        return Transfer.model_construct(**more, source=ours, destination=theirs, **rows)

    def _rows(self, note: str | None, moves: Sequence[Moved]) -> dict[str, Any]:
        """The worklist rows of the moves, if each of them is one."""
        left = list(self._routes.get(note or "", ()))
        found: list[Route] = []
        for move in moves:
            route = next((route for route in left if _is_row(route, move)), None)
            if route is None:
                return {}
            left.remove(route)
            found.append(route)
        rows = {"rows": tuple(route.row for route in found)}
        samples = tuple(route.sample for route in found)
        return {**rows, "samples": samples} if any(samples) else rows


def _with_tips(step: AnyStep, tips: str) -> AnyStep:
    """The step with another choice of tips, if it has one: the compiler may have had its reasons."""
    handling: Handling | None = getattr(step, "handling", None)
    return step.model_copy(update={"handling": handling.model_copy(update={"tips": tips})}) if handling else step


def _is_row(route: Route, move: Moved) -> bool:
    return (
        route.source == move.source and route.destination == move.destination and abs(route.volume - move.volume) < 1e-6
    )


def _wells(acts: Iterable[Any]) -> tuple[str, ...]:
    return tuple(act.well for act in acts)


def _spread(wells: list[str]) -> tuple[str, ...]:
    return (wells[0],) if len(set(wells)) == 1 else tuple(wells)


def _volume(volumes: Sequence[float]) -> Any:
    """One volume where all are alike, else each."""
    rounded = tuple(map(round_volume, volumes))
    return rounded[0] if len(set(rounded)) == 1 else rounded


def _dilution(draft: Dilution, fields: dict[str, Any]) -> SerialDilution:
    factor = round_volume(draft.factor)
    return SerialDilution.model_construct(
        **fields,
        wells=draft.wells,
        diluent=draft.diluent,
        factor=factor,
        volume=round_volume(draft.volume),
        discard=draft.discard,
        mix_cycles=draft.mix_cycles,
    )


def other_step(said: AnyInstruction, fields: dict[str, Any]) -> AnyStep:
    """The step that says an instruction which no pipette carries out.

    Raises:
        TypeError: no step says it.
    """
    match said:
        case Wait():
            return WaitFor.model_construct(**fields, duration=said.seconds)
        case AskPerson():
            return Ask.model_construct(**fields, message=said.message)
        case MoveLabware():
            return Move.model_construct(**fields, labware=said.labware, site=said.site, by=said.by)
        case SetTemperature():
            return HoldTemperature.model_construct(
                **fields, device=said.device, temperature=said.celsius, part=said.part
            )
        case AwaitTemperature():
            return ReachTemperature.model_construct(
                **fields, device=said.device, temperature=said.celsius, part=said.part
            )
        case Shake():
            return ShakeAt.model_construct(**fields, device=said.device, speed=said.rpm)
        case SetLatch():
            return Latch.model_construct(**fields, device=said.device, open=said.open)
        case SetLid():
            return Lid.model_construct(**fields, device=said.device, open=said.open)
        case SetMagnet():
            return Magnet.model_construct(**fields, device=said.device, raised=said.raised, height=said.height)
        case RunProfile():
            profile = tuple(
                Hold.model_construct(temperature=step.celsius, duration=step.seconds) for step in said.steps
            )
            return Thermocycle.model_construct(
                **fields, device=said.device, profile=profile, cycles=said.cycles, volume=said.volume
            )
    raise TypeError(f"no step says {said!r}")


def merged(steps: Iterable[AnyStep]) -> list[AnyStep]:
    """Steps with the waiting for a temperature made a part of setting it."""
    found: list[AnyStep] = []
    for step in steps:
        last = found[-1] if found else None
        if isinstance(step, ReachTemperature) and isinstance(last, HoldTemperature):
            same = (last.device, last.part) == (step.device, step.part) and last.temperature is not None
            if same and not last.wait and step.temperature in (None, last.temperature):
                found[-1] = last.model_copy(update={"wait": True})
                continue
        found.append(step)
    return found
