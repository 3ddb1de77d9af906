"""From a program, its workcell and the events of its run to the :class:`~robots.report.model.Report`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from importlib.metadata import version

from protocols.events import Event
from protocols.labstate import LabState
from protocols.liquids import Liquid
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction, DropTips, MoveLabware, PickUpTips, Program, ReplaceTipRack, Route
from protocols.specs import WorkcellSpec
from protocols.tips import DUST
from protocols.vessels import LabwareInstance
from protocols.wording import describe
from robots.report.history import History, read_history
from robots.report.model import (
    InstructionLine,
    LabwareLine,
    Plan,
    ReagentLine,
    Report,
    RunFacts,
    SampleLine,
    SamplePart,
    StepLine,
    TipLine,
    WellLine,
)

_ENOUGH_DIGITS = 6


def build_report(
    facts: RunFacts,
    plan: Plan,
    program: Program,
    workcell: WorkcellSpec,
    start: LabState,
    events: Iterable[Event],
) -> Report:
    """Fold the events over the state before the run and collect all that the report says.

    Args:
        facts: which run it is; what the events know better (times, who approved) is filled in from them.
        start: what was where before the run; it is changed.
    """
    opening = _contents(start)
    sites = {name: instance.site for name, instance in start.labware.items()}
    history = read_history(program, start, events)
    liquids = {**workcell.liquids, **program.liquids}
    return Report(
        labwright=version("labwright"),
        facts=facts.model_copy(
            update={
                "approved_by": history.approved_by or facts.approved_by,
                "started": history.started or facts.started,
                "ended": history.ended or facts.ended,
                "seconds": history.seconds,
                "question": _open_question(history),
            }
        ),
        plan=plan,
        steps=_steps(program, history),
        labware=_labware(history, sites, liquids),
        samples=_samples(program, history, liquids),
        reagents=_reagents(opening, history.state, liquids),
        tips=_tips(workcell, history),
        waste=_rounded(history.state.wasted()),
        spilled=_rounded(history.state.lost()),
        deviations=tuple(history.deviations),
        instructions=_instructions(program, history),
    )


def _contents(state: LabState) -> dict[str, dict[str, float]]:
    return {reference: well.amounts() for reference, well in state.wells.items() if well.volume > DUST}


def _rounded(amounts: Mapping[str, float]) -> dict[str, float]:
    return {name: round(amount, _ENOUGH_DIGITS) for name, amount in amounts.items() if amount > DUST}


def _open_question(history: History) -> str:
    question = history.progress.question
    return question.text if question is not None and history.progress.answer is None else ""


def _instructions(program: Program, history: History) -> tuple[InstructionLine, ...]:
    """The program's instructions as they stand in it, each followed by what a recovery put in its place."""
    children: dict[str, list[str]] = defaultdict(list)
    for name, passage in history.passages.items():
        if passage.parent is not None:
            children[passage.parent].append(name)
    return tuple(
        _instruction_line(item, history)
        for instruction in program.instructions
        for item in (instruction, *(history.passages[name].instruction for name in children[instruction.id]))
    )


def _instruction_line(instruction: AnyInstruction, history: History) -> InstructionLine:
    passage = history.passages.get(instruction.id)
    status = "not begun"
    if instruction.id in history.progress.skipped:
        status = "skipped"
    elif passage is not None:
        status = "begun" if passage.outcome is None else passage.outcome.status
    return InstructionLine(
        id=instruction.id,
        step=instruction.step or "",
        kind=instruction.kind,
        by_hand=isinstance(instruction, MoveLabware) and instruction.by == "person",
        text=describe(instruction),
        start=passage.start if passage else None,
        end=passage.end if passage else None,
        status=status,
        remark="; ".join(passage.remarks) if passage else "",
    )


def _steps(program: Program, history: History) -> tuple[StepLine, ...]:
    of_step: dict[str, list[str]] = {step: [] for step in program.steps}
    for instruction in program.instructions:
        if instruction.step is not None:
            of_step.setdefault(instruction.step, []).append(instruction.id)
    return tuple(_step_line(step, ids, program, history) for step, ids in of_step.items())


def _step_line(step: str, ids: Sequence[str], program: Program, history: History) -> StepLine:
    note = program.steps.get(step)
    members = set(ids)
    begun = [passage for name, passage in history.passages.items() if name in members or passage.parent in members]
    done = sum(history.was_done(name) for name in ids)
    return StepLine(
        id=step,
        text=note.text if note else "",
        source=note.source if note else "",
        instructions=len(ids),
        done=done,
        start=min((passage.start for passage in begun if passage.start is not None), default=None),
        end=max((passage.end for passage in begun if passage.end is not None), default=None)
        if all(name in history.progress.finished for name in ids)
        else None,
    )


def _well_line(state: LabState, reference: str, liquids: Mapping[str, Liquid]) -> WellLine:
    amounts = state.composition(reference)
    volume = state.volume(reference)
    return WellLine(
        well=reference.rpartition("/")[2],
        volume=round(max(volume, 0.0), _ENOUGH_DIGITS),
        liquids=_rounded(amounts),
        concentrations=_concentrations(amounts, volume, liquids),
    )


def _concentrations(amounts: Mapping[str, float], volume: float, liquids: Mapping[str, Liquid]) -> dict[str, float]:
    """Mass concentration of every solute, ng/µL: the liquids' own, weighted by their volumes."""
    if volume <= DUST:
        return {}
    masses: dict[str, float] = defaultdict(float)
    for name, amount in amounts.items():
        if name in liquids:
            for solute, concentration in liquids[name].solutes.items():
                masses[solute] += concentration * amount
    return {solute: round(mass / volume, _ENOUGH_DIGITS) for solute, mass in sorted(masses.items())}


def _wells(instruction: AnyInstruction) -> tuple[str, ...]:
    """The wells that an instruction reaches into."""
    wells: tuple[str, ...] = getattr(instruction, "wells", ())
    return wells


def _touched(history: History) -> set[str]:
    return {well for passage in history.passages.values() for well in _wells(passage.instruction)}


def _labware(history: History, sites: Mapping[str, str], liquids: Mapping[str, Liquid]) -> tuple[LabwareLine, ...]:
    state = history.state
    touched = _touched(history)
    return tuple(
        _labware_line(state, instance, sites.get(name), touched, liquids)
        for name, instance in sorted(state.labware.items(), key=lambda item: item[1].site)
    )


def _labware_line(
    state: LabState,
    instance: LabwareInstance,
    started_at: str | None,
    touched: set[str],
    liquids: Mapping[str, Liquid],
) -> LabwareLine:
    places = [(well, f"{instance.name}/{well}") for well in instance.spec.wells]
    is_rack = instance.spec.tip is not None
    return LabwareLine(
        name=instance.name,
        kind=instance.spec.kind,
        category=instance.spec.category,
        site=instance.site,
        started_at=started_at,
        barcode=instance.barcode,
        wells=tuple(
            _well_line(state, reference, liquids)
            for _, reference in places
            if not is_rack and (state.volume(reference) > DUST or reference in touched)
        ),
        new_spots=tuple(well for well, spot in places if is_rack and state.tip_is_new(spot)),
        used_spots=tuple(
            well for well, spot in places if is_rack and state.tip_at(spot) and not state.tip_is_new(spot)
        ),
    )


def _samples(program: Program, history: History, liquids: Mapping[str, Liquid]) -> tuple[SampleLine, ...]:
    rows: dict[str, list[Route]] = defaultdict(list)
    for route in program.routes:
        rows[route.row].append(route)
    undone = {well for item in program.instructions if not history.was_done(item.id) for well in _wells(item)}
    return tuple(_sample_line(row, routes, undone, history.state, liquids) for row, routes in rows.items())


def _sample_line(
    row: str, routes: Sequence[Route], undone: Set[str], state: LabState, liquids: Mapping[str, Liquid]
) -> SampleLine:
    destination = routes[-1].destination
    final = _well_line(state, destination, liquids)
    # What a sample's own well did not give has not arrived, whatever was dispensed; a diluent's well serves all rows.
    own = {route.destination for route in routes} | {route.source for route in routes if route.sample}
    return SampleLine(
        row=row,
        sample=next((route.sample for route in routes if route.sample), ""),
        destination=destination,
        sources=tuple(
            SamplePart(source=route.source, destination=route.destination, volume=route.volume)
            for route in sorted(routes, key=lambda route: route.sample is None)
        ),
        volume=final.volume,
        liquids=final.liquids,
        concentrations=final.concentrations,
        done=own.isdisjoint(undone),
    )


def _reagents(
    opening: Mapping[str, Mapping[str, float]], state: LabState, liquids: Mapping[str, Liquid]
) -> tuple[ReagentLine, ...]:
    wells: dict[str, list[str]] = defaultdict(list)
    totals: dict[str, float] = defaultdict(float)
    left: dict[str, float] = defaultdict(float)
    for reference, amounts in opening.items():
        now = state.composition(reference)
        for name, amount in amounts.items():
            wells[name].append(reference)
            totals[name] += amount
            left[name] += now.get(name, 0.0)
    return tuple(
        ReagentLine(
            liquid=name,
            sample=liquids[name].sample if name in liquids else None,
            lot=liquids[name].lot if name in liquids else None,
            wells=len(wells[name]),
            first_well=wells[name][0],
            start=round(totals[name], _ENOUGH_DIGITS),
            left=round(max(left[name], 0.0), _ENOUGH_DIGITS),
        )
        for name in wells
    )


def _tips(workcell: WorkcellSpec, history: History) -> tuple[TipLine, ...]:
    """Tips by kind; a tip that was put back and picked up again counts once."""
    generation: Counter[str] = Counter()
    used: dict[str, set[tuple[str, int]]] = defaultdict(set)
    back: Counter[str] = Counter()
    exchanged: Counter[str] = Counter()
    for passage in history.passages.values():
        instruction, outcome = passage.instruction, passage.outcome
        if outcome is None or (outcome.status == "failed" and outcome.tips is None):
            continue
        if isinstance(instruction, PickUpTips):
            for spot in _moved(instruction.spots, outcome, holds=True):
                used[_tip_kind(history.state, spot)].add((spot, generation[spot.rpartition("/")[0]]))
        elif isinstance(instruction, DropTips) and instruction.spots is not None:
            for spot in _moved(instruction.spots, outcome, holds=False):
                back[_tip_kind(history.state, spot)] += 1
        elif isinstance(instruction, ReplaceTipRack):
            generation[instruction.rack] += 1
            exchanged[_tip_kind(history.state, f"{instruction.rack}/")] += 1
    capacity = {kind.tip.kind: kind.tip.capacity for kind in workcell.kinds.values() if kind.tip}
    return tuple(
        TipLine(
            kind=kind,
            capacity=capacity.get(kind, 0.0),
            used=len(used[kind]),
            put_back=back[kind],
            racks_exchanged=exchanged[kind],
        )
        for kind in sorted({*used, *exchanged})
    )


def _moved(spots: Sequence[str], outcome: Outcome, *, holds: bool) -> list[str]:
    """The spots whose tip went the way that was asked."""
    if outcome.tips is None:
        return list(spots)
    return [spot for spot, held in zip(spots, outcome.tips, strict=False) if held is holds]


def _tip_kind(state: LabState, spot: str) -> str:
    rack = state.labware.get(spot.rpartition("/")[0])
    return rack.spec.tip.kind if rack is not None and rack.spec.tip is not None else "unknown"
