"""What a workcell's deck holds between runs: ``HOME/workcells/NAME/state.json``.

A run that began and did not end keeps the workcell: its own journal says what is where, and nothing else may
begin there until it is resumed to its end or given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protocols.digests import digest
from protocols.errors import RecordError
from protocols.labstate import LabState
from protocols.program import Program
from protocols.quantities import show_volume
from protocols.specs import SCHEMA_VERSION, WorkcellSpec
from protocols.vessels import LabwareInstance
from protocols.wording import describe
from robots.execution.home import Home, read_json, utc_now, write_json
from robots.execution.progress import Progress

LEAST_DIFFERENCE = 0.05
"""µL by which a well departs from the workcell file before it is said."""


@dataclass(frozen=True)
class Standing:
    """What is where on a workcell before its next run.

    Attributes:
        state: what is where; as the workcell file says where there is no record.
        recorded: there is a record.
        open_run: the run that began and did not end.
        last_run: the run that ended last.
        updated: when that was written, UTC, ISO 8601.
        uncertain: what the run that ended last left for a person to look at, in words.
    """

    state: LabState
    recorded: bool = False
    open_run: str | None = None
    last_run: str | None = None
    updated: str = ""
    uncertain: tuple[str, ...] = ()


def read_standing(home: Home, workcell: WorkcellSpec) -> Standing:
    """What the record of a workcell says.

    Raises:
        RecordError: it is damaged, of another schema version, or the workcell file changed since.
    """
    path = home.workcell(workcell.name) / "state.json"
    if not path.exists():
        return Standing(LabState.start(workcell))
    plain = read_json(path, SCHEMA_VERSION)
    run = plain.get("open_run")
    mend = f"Put the deck in the state that the workcell file says, then `labwright workcell reset {workcell.name}`"
    if plain.get("workcell") != digest(workcell):
        raise RecordError(
            "the workcell file changed after the record of its deck was written", where=str(path), mend=mend
        )
    if run is not None and open_run_on(home, workcell.name) is None:
        raise RecordError(
            f"run {run} began here and its folder is gone: nobody knows what is where", where=str(path), mend=mend
        )
    try:
        return Standing(
            state=LabState.restore(workcell, plain["state"]),
            recorded=True,
            open_run=open_run_on(home, workcell.name),
            last_run=plain["last_run"],
            updated=plain["updated"],
            uncertain=tuple(plain["uncertain"]),
        )
    except KeyError as error:
        raise RecordError(f"is damaged ({error} is missing)", where=str(path), mend=mend) from None


def open_run_on(home: Home, workcell: str) -> str | None:
    """The run that began on the workcell of that name and did not end, if its folder is still there.

    Raises:
        RecordError: the record is damaged or of another schema version.
    """
    path = home.workcell(workcell) / "state.json"
    run = read_json(path, SCHEMA_VERSION).get("open_run") if path.exists() else None
    return run if isinstance(run, str) and (home.run(run) / "run.json").exists() else None


def write_standing(
    home: Home,
    workcell: WorkcellSpec,
    state: LabState,
    *,
    open_run: str | None,
    last_run: str | None,
    uncertain: Sequence[str] = (),
) -> None:
    """Write the record, whole or not at all; whoever does so holds the lease.

    Raises:
        RecordError: it cannot be written.
    """
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "workcell": digest(workcell),
        "open_run": open_run,
        "last_run": last_run,
        "updated": utc_now(),
        "uncertain": list(uncertain),
        "state": {**state.snapshot(), "clock": 0.0},
    }
    write_json(home.workcell(workcell.name) / "state.json", record)


def differences(workcell: WorkcellSpec, state: LabState) -> tuple[str, ...]:
    """How the deck departs from what the workcell file says, in words: what a person confirms before a run."""
    fresh = LabState.start(workcell)
    return (*_labware(workcell, state), *_tips(fresh, state), *_volumes(workcell, fresh, state), *_channels(state))


def left_uncertain(progress: Progress) -> tuple[str, ...]:
    """What a run that was given up leaves for a person to look at, in words."""
    doubt = progress.doubt
    begun = (f"It is not known how this ended: {describe(doubt.instruction)}",) if doubt is not None else ()
    return (*begun, *_channels(progress.state))


def to_take_away(deck: LabState, program: Program) -> tuple[str, ...]:
    """What earlier runs left on the deck and a person must take off it for ``program``, in words."""
    after = LabState.restore(deck.workcell, deck.snapshot())
    after.set_up(program)
    return tuple(
        f"Take {name}, left by an earlier run, off {item.site}"
        for name, item in deck.labware.items()
        if name not in deck.workcell.labware and _is_gone(name, item, after)
    )


def _is_gone(name: str, item: LabwareInstance, after: LabState) -> bool:
    standing = after.labware.get(name)
    return standing is None or standing.site != item.site


def _labware(workcell: WorkcellSpec, state: LabState) -> list[str]:
    lines = [
        f"{name} ({item.spec.kind}), left by an earlier run, stands on {item.site}"
        for name, item in state.labware.items()
        if name not in workcell.labware
    ]
    for name, placed in workcell.labware.items():
        item = state.labware.get(name)
        if item is None:
            lines.append(f"{name} is not on the deck")
        elif item.site != placed.site:
            lines.append(f"{name} stands on {item.site}, not on {placed.site}")
    return lines


def _tips(fresh: LabState, state: LabState) -> list[str]:
    lines = []
    for name, item in state.labware.items():
        if item.spec.tip is None:
            continue
        spots = [f"{name}/{position}" for position in item.spec.wells]
        new = sum(state.tip_is_new(spot) for spot in spots)
        if new < sum(fresh.tip_is_new(spot) for spot in spots) or name not in fresh.labware:
            lines.append(f"{name} has {new} of {len(spots)} new tips left")
    return lines


def _volumes(workcell: WorkcellSpec, fresh: LabState, state: LabState) -> list[str]:
    lines = []
    for name in workcell.labware:
        changed = [
            well
            for position in (state.labware[name].spec.wells if name in state.labware else ())
            if abs(state.volume(well := f"{name}/{position}") - fresh.volume(well)) > LEAST_DIFFERENCE
        ]
        if len(changed) == 1:
            (well,) = changed
            lines.append(f"{well} holds {show_volume(state.volume(well))}, not {show_volume(fresh.volume(well))}")
        elif changed:
            lines.append(f"{len(changed)} wells of {name} hold other volumes than the workcell file says")
    return lines


def _channels(state: LabState) -> list[str]:
    return [
        f"tips are on channels {', '.join(str(n) for n, tip in enumerate(tips) if tip is not None)} of {pipette}"
        for pipette, tips in state.channels.items()
        if any(tips)
    ]
