"""What is done about an instruction that failed: by policy, by a person, never beyond what was allowed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.events import Event
from protocols.fold import apply
from protocols.labstate import LabState
from protocols.outcomes import Outcome
from protocols.ports import RecoveryChoice, RecoveryPolicy
from protocols.program import Aspirate, DropTips, MoveLabware, PickUpTips, Program, ReplaceTipRack, Wait
from robots.execution.progress import Progress
from robots.execution.recovery import policy_choice, what_remains
from robots.execution.substitution import children
from robots.simulator import PlannedFault
from tests.execution.lab import (
    EVERY_KIND,
    STROKE,
    TRANSFER,
    TWO,
    Crash,
    Machine,
    Run,
    SimulatedLab,
    failed,
    person,
    program,
    starlet,
    told,
    waits,
)

WORK = EVERY_KIND[:7]
"""All that moves liquid, tips and labware."""


def policy(choice: RecoveryChoice, *kinds: Any, most_retries: float = 1) -> RecoveryPolicy:
    return RecoveryPolicy(choices=dict.fromkeys(kinds, choice), most_retries=most_retries)


@cache
def without_fault() -> dict[str, float]:
    """What is in the plate when all goes well."""
    state = LabState.start(starlet().spec, program(*WORK))
    for instruction in WORK:
        apply(state, program(*WORK), instruction)
    return {name: well.volume for name, well in state.wells.items() if name.startswith("p/")}


MENDED: list[tuple[Any, str, RecoveryChoice]] = [
    ("missing tip", "pick", "next tip"),
    ("short aspirate", "draw", "retry"),
    ("clog", "draw", "retry"),
    ("clog", "draw", "next tip"),
    ("clog", "give", "retry"),
    ("clog", "mix", "retry"),
    ("level not found", "draw", "retry"),
    ("level not found", "draw", "next tip"),
    ("level not found", "mix", "retry"),
    ("gripper failed", "move", "retry"),
]


@pytest.mark.slow
@pytest.mark.parametrize("channels", [(3,), (0, 3)], ids=str)
@pytest.mark.parametrize(("kind", "instruction", "choice"), MENDED)
@pytest.mark.parametrize("by", ["policy", "person"])
def test_what_is_mended_ends_as_if_nothing_had_happened(
    tmp_path: Path, kind: Any, instruction: str, choice: RecoveryChoice, channels: tuple[int, ...], by: str
) -> None:
    wanted = program(*WORK)
    lab = SimulatedLab(wanted, PlannedFault(kind=kind, instruction=instruction, channels=channels))
    someone = person(*([] if by == "policy" else [choice]))
    rules = policy(choice, kind) if by == "policy" else None
    session = Run(tmp_path, wanted, lab).go(policy=rules, person=someone)
    assert session.kinds[-1] == "run_ended"
    decided = [event.payload for event in session.journal.events if event.kind == "recovery"]
    assert [(item["choice"], item["by"]) for item in decided] == [(choice, by)]
    assert lab.volumes() == pytest.approx(without_fault(), abs=1e-6)
    assert {name: session.ledger.progress.state.volume(name) for name in lab.volumes()} == pytest.approx(
        lab.volumes(), abs=1e-6
    )
    assert lab.world.state.site_of("p") == "plates-b-5"
    assert len(someone.heard) == (by == "person")
    assert session.ledger.progress.skipped == set()


def test_only_the_channels_that_failed_do_it_again(tmp_path: Path) -> None:
    script: dict[str, Any] = {"draw": [failed("short aspirate", 3, status="partial", volumes=(60.0, 20.0))]}
    run = Run(tmp_path, program(*TRANSFER), machine := Machine(script=script))
    run.go(policy=policy("retry", "short aspirate"))
    again = next(item for item in machine.told if item.id == "draw~1")
    assert again == Aspirate(
        id="draw~1", pipette="channels", channels=(3,), wells=("p/D1",), volumes=(25.0,), liquid_class="w", height=1.0
    )


def test_a_tip_that_is_changed_is_dropped_first_and_only_if_it_is_empty(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*TRANSFER), machine := Machine(script={"draw": [failed("clog", 3)]}))
    run.go(policy=policy("next tip", "clog"))
    assert machine.acts == ["pick#0", "draw#0", "draw~1#0", "draw~2#0", "draw~3#0", "gap#0", "give#0", "drop#0"]
    assert machine.told[2] == DropTips(id="draw~1", pipette="channels", channels=(3,))
    assert machine.told[3] == PickUpTips(id="draw~2", pipette="channels", channels=(3,), spots=("tips_300_1/B1",))

    folder = tmp_path / "wet"
    folder.mkdir()
    short = failed("short aspirate", 3, status="partial", volumes=(60.0, 20.0))
    run = Run(folder, program(*TRANSFER), Machine(script={"draw": [short]}))
    run.go(policy=policy("next tip", "short aspirate"), person=(someone := person("retry")))
    assert [choices for _, choices in someone.heard] == [("retry", "skip", "stop")]


def test_skipping_gives_up_the_rest_of_the_instruction(tmp_path: Path) -> None:
    heard: list[str] = []
    run = Run(tmp_path, program(*TRANSFER), machine := Machine(script={"draw": [failed("clog", 0, 3)]}))
    session = run.go(policy=policy("skip", "clog"), progressed=lambda *over: heard.append(over[2].id))
    assert session.ledger.progress.skipped == {"draw"}
    assert session.journal.events[-1].payload == {"skipped": ["draw"]}
    assert heard == ["pick", "draw", "gap", "give", "drop"]
    assert machine.acts == ["pick#0", "draw#0", "gap#0", "give#0", "drop#0"]


def test_a_policy_that_makes_safe_stops_the_run_and_the_next_one_asks(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*TRANSFER), machine := Machine(script={"draw": [failed("clog", 0, 3)]}))
    session = run.go(policy=policy("make safe", "clog"))
    assert session.kinds[-2:] == ["recovery", "stopped"]
    said = session.ledger.progress.stop_reason
    assert said.startswith("Aspirate 60 µL, 45 µL from p/A1, D1 (draw) failed: clog there")
    assert len(machine.safe) == 1
    someone = person("retry")
    session = run.go(policy=policy("make safe", "clog"), person=someone)
    assert len(someone.heard) == 1
    assert session.kinds[-1] == "run_ended"
    assert machine.acts.count("draw~1#0") == 1


@pytest.mark.parametrize("rules", [None, policy("ask", "clog"), policy("replan", "clog"), policy("retry", "refused")])
def test_what_no_policy_settles_is_asked(tmp_path: Path, rules: RecoveryPolicy | None) -> None:
    run = Run(tmp_path, program(*TRANSFER), machine := Machine(script={"draw": [failed("clog", 0, 3)]}))
    someone = person("retry")
    session = run.go(policy=rules, person=someone)
    ((question, choices),) = someone.heard
    assert question == "Aspirate 60 µL, 45 µL from p/A1, D1 (draw) failed: clog there; clog there. What now?"
    assert choices == ("retry", "next tip", "skip", "stop")
    assert session.kinds[-1] == "run_ended"
    assert machine.acts.count("draw~1#0") == 1


def test_with_nobody_there_a_fault_stops_the_run_until_someone_decides(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*TRANSFER), machine := Machine(script={"draw": [failed("clog", 0, 3)]}))
    assert run.go().kinds[-2:] == ["question", "stopped"]
    session = run.go(person=person("skip"))
    assert session.kinds.count("question") == 1
    assert machine.acts == ["pick#0", "draw#0", "gap#0", "give#0", "drop#0"]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_policy_tries_again_so_often_and_then_a_person_is_asked(tmp_path: Path, most: int) -> None:
    names = ["draw", *(f"draw~{number}" for number in range(1, 10))]
    machine = Machine(script={name: [failed("clog", 0, 3)] for name in names[: most + 1]})
    session = Run(tmp_path, program(*TRANSFER), machine).go(
        policy=policy("retry", "clog", most_retries=most), person=(someone := person("retry"))
    )
    assert len(someone.heard) == 1
    decided = [event.payload["by"] for event in session.journal.events if event.kind == "recovery"]
    assert decided == ["policy"] * most + ["person"]
    assert [act for act in machine.acts if act.startswith("draw")] == [f"{name}#0" for name in names[: most + 2]]


def test_the_tries_of_one_instruction_are_not_those_of_the_next(tmp_path: Path) -> None:
    machine = Machine(script={name: [failed("clog", 0, 3)] for name in ("draw", "give", "mix")})
    session = Run(tmp_path, program(*EVERY_KIND[:6]), machine).go(policy=policy("retry", "clog"))
    assert session.kinds[-1] == "run_ended"
    assert "question" not in session.kinds


def test_children_have_ids_of_their_own_and_are_in_the_record(tmp_path: Path) -> None:
    machine = Machine(script={"draw": [failed("clog", 3)], "draw~3": [failed("clog", 3)], "draw~1~1": []})
    clash = Wait(id="draw~2", seconds=1.0)
    session = Run(tmp_path, program(*TRANSFER, clash), machine).go(policy=policy("next tip", "clog", most_retries=5))
    assert session.kinds[-1] == "run_ended"
    begun = [name for _, name in told(session.journal.events, "intent")]
    assert len(set(begun)) == len(begun)
    recovered = [event.payload["children"] for event in session.journal.events if event.kind == "recovery"]
    named = [child["id"] for plan in recovered for child in plan]
    assert set(begun) == {item.id for item in (*TRANSFER, clash)} | set(named)
    parents = [event.payload.get("parent") for event in session.journal.events if event.instruction in named]
    assert {parent for parent in parents if parent} == {"draw"}


def test_an_id_as_long_as_can_be_has_children(tmp_path: Path) -> None:
    name = "x" * 128
    draw = Aspirate(id=name, wells=("p/A1", "p/D1"), volumes=(60.0, 45.0), **STROKE)
    run = Run(tmp_path, program(TRANSFER[0], draw), machine := Machine(script={name: [failed("clog", 0, 3)]}))
    assert run.go(policy=policy("retry", "clog")).kinds[-1] == "run_ended"
    assert len(machine.acts) == 3


def test_a_head_cannot_do_some_of_its_channels_again(tmp_path: Path) -> None:
    spots = tuple(f"tips_300_1/{row}{column}" for column in range(1, 13) for row in "ABCDEFGH")
    wells = tuple(spot.replace("tips_300_1", "p") for spot in spots)
    all_channels: dict[str, Any] = {"pipette": "head96", "channels": tuple(range(96))}
    draw = Aspirate(id="draw", wells=wells, volumes=(10.0,) * 96, liquid_class="w", **all_channels)
    wanted = program(PickUpTips(id="pick", spots=spots, **all_channels), draw)
    machine = Machine(script={"draw": [failed("clog", 5)]})
    Run(tmp_path, wanted, machine).go(policy=policy("retry", "clog"), person=(someone := person("skip")))
    assert [choices for _, choices in someone.heard] == [("skip", "stop")]


@pytest.mark.parametrize("crashes", range(2, 6))
def test_a_recovery_survives_a_process_that_dies_again_and_again(tmp_path: Path, crashes: int) -> None:
    script: dict[str, Any] = {"draw": [failed("clog", 3)], "give": [failed("clog", 0, 3)], "move": [failed("refused")]}
    run = Run(tmp_path, program(*WORK), machine := Machine(script=script))
    rules = RecoveryPolicy(choices={"clog": "next tip", "refused": "retry"})
    for _ in range(200):
        left = [crashes]

        def listen(event: Event, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Crash

        try:
            run.go(policy=rules, person=person("retry"), listeners=[listen])
        except Crash:
            continue
        break
    assert machine.acts == [
        "pick#0", "draw#0", "draw~1#0", "draw~2#0", "draw~3#0", "gap#0", "give#0", "give~4#0",
        "mix#0", "drop#0", "move#0", "move~5#0", "move~5#1",
    ]  # fmt: skip


# -- the policy and what remains, by themselves -------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "tries", "choice"),
    [
        (failed("clog", 0), 0, "retry"),
        (failed("clog", 0, 3), 0, "retry"),
        (failed("clog", 0), 1, "ask"),
        (failed("missing tip", 0), 0, "next tip"),
        (failed("missing tip", 0), 1, "ask"),
        (failed("refused"), 5, "skip"),
        (failed("level not found", 0), 0, "ask"),
        (failed("short aspirate", 0), 0, "ask"),
        (Outcome(status="failed"), 0, "ask"),
        (
            failed("clog", 0).model_copy(update={"faults": failed("clog", 0).faults + failed("refused").faults}),
            0,
            "ask",
        ),
    ],
)
def test_the_policy_speaks_for_one_kind_of_fault_within_its_bound(outcome: Outcome, tries: int, choice: str) -> None:
    rules = RecoveryPolicy(
        choices={"clog": "retry", "missing tip": "next tip", "refused": "skip", "level not found": "replan"}
    )
    assert policy_choice(rules, outcome, tries) == choice


def test_a_policy_about_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="missing tips"):
        RecoveryPolicy.model_validate({"choices": {"missing tips": "retry"}})


@given(
    asked=st.lists(st.floats(0.1, 300.0), min_size=1, max_size=8),
    share=st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8),
)
def test_what_moved_and_what_remains_are_what_was_asked(asked: list[float], share: list[float]) -> None:
    count = len(asked)
    draw = Aspirate(
        id="draw",
        pipette="channels",
        channels=tuple(range(count)),
        wells=tuple(f"p/{row}1" for row in "ABCDEFGH"[:count]),
        volumes=tuple(asked),
        liquid_class="w",
    )
    moved = tuple(volume * part for volume, part in zip(asked, share, strict=False))
    rest = what_remains(draw, Outcome(status="partial", volumes=moved))
    left = {} if rest is None else dict(zip(rest.channels, rest.volumes, strict=True))  # type: ignore[union-attr]
    for channel in range(count):
        assert moved[channel] + left.get(channel, 0.0) == pytest.approx(asked[channel], abs=1e-8)
    assert all(volume > 0.0 for volume in left.values())


# -- tips ---------------------------------------------------------------------------------------------

SPOTS = [f"tips_300_1/{row}{column}" for column in range(1, 13) for row in "ABCDEFGH"]
ONE: dict[str, Any] = {"pipette": "channels", "channels": (0,)}


def tip_jobs(columns: list[int], replaced: int | None, after: bool) -> Program:
    """Pick and drop one tip of each of these positions in the rack; the rack may be replaced on the way."""
    jobs: list[Any] = []
    for number, column in enumerate(columns):
        if number == replaced:
            jobs.append(ReplaceTipRack(id="replace", rack="tips_300_1"))
        waits_for = (f"drop{number - 1}",) if after and number else None
        jobs += [
            PickUpTips(id=f"pick{number}", spots=(SPOTS[column],), after=waits_for, **ONE),
            DropTips(id=f"drop{number}", **ONE),
        ]
    return program(*jobs)


def no_tip_where_one_is_due(events: tuple[Event, ...], wanted: Program, lost: str) -> list[str]:
    """Spots at which a pick-up met no tip, though the machine said it had one."""
    progress = Progress(wanted, LabState.start(starlet().spec, wanted))
    found: list[str] = []
    for event in events:
        if event.kind == "outcome" and event.instruction != lost and isinstance(progress.queue[0], PickUpTips):
            found += [spot for spot in progress.queue[0].spots if not progress.state.tip_at(spot)]
        progress.take(event)
    return found


@settings(max_examples=40, deadline=None)
@given(
    columns=st.lists(st.integers(0, 95), min_size=1, max_size=12, unique=True),
    lost=st.integers(0, 11),
    replaced=st.none() | st.integers(1, 11),
    after=st.booleans(),
)
def test_the_next_tip_is_never_one_that_is_needed_later(
    new_folder: Callable[[], Path], columns: list[int], lost: int, replaced: int | None, after: bool
) -> None:
    columns = columns if replaced is None or replaced >= len(columns) else columns[:replaced] * 2
    wanted = tip_jobs(columns, replaced if replaced is not None and replaced < len(columns) else None, after)
    name = f"pick{lost % len(columns)}"
    machine = Machine(script={name: [failed("missing tip", 0)]})
    run = Run(new_folder(), wanted, machine)
    session = run.go(policy=policy("next tip", "missing tip"), person=person("done", "skip"))
    assert session.kinds[-1] == "run_ended"
    assert no_tip_where_one_is_due(session.journal.events, wanted, name) == []


def test_no_tip_is_taken_when_all_are_needed(tmp_path: Path) -> None:
    wanted = tip_jobs(list(range(96)), None, after=False)
    machine = Machine(script={"pick0": [failed("missing tip", 0)]})
    Run(tmp_path, wanted, machine).go(policy=policy("next tip", "missing tip"), person=(someone := person("stop")))
    assert [choices for _, choices in someone.heard] == [("retry", "skip", "stop")]


def test_a_tip_that_was_wet_is_no_spare(tmp_path: Path) -> None:
    back = DropTips(id="back", spots=("tips_300_1/A1", "tips_300_1/D1"), **TWO)
    pick = PickUpTips(id="other", spots=("tips_300_1/A2", "tips_300_1/D2"), **TWO)
    wanted = program(*TRANSFER[:4], back, pick)
    machine = Machine(script={"other": [failed("missing tip", 0, 3)]})
    Run(tmp_path, wanted, machine).go(policy=policy("next tip", "missing tip"))
    assert machine.told[-1] == PickUpTips(id="other~1", spots=("tips_300_1/B1", "tips_300_1/C1"), **TWO)


def test_where_instructions_wait_for_named_ones_a_replaced_rack_lends_no_tips(tmp_path: Path) -> None:
    """B1 is picked by an instruction that stands after the replacement and comes before it."""
    wanted = program(
        PickUpTips(id="first", spots=("tips_300_1/A1",), **ONE),
        DropTips(id="drop", **ONE),
        ReplaceTipRack(id="replace", rack="tips_300_1", after=("early",)),
        PickUpTips(id="early", spots=("tips_300_1/B1",), after=("drop",), **ONE),
    )
    machine = Machine(script={"first": [failed("missing tip", 0)]})
    Run(tmp_path, wanted, machine).go(policy=policy("next tip", "missing tip"), person=person("done"))
    assert [item.spots for item in machine.told if isinstance(item, PickUpTips)] == [
        ("tips_300_1/A1",), ("tips_300_1/C1",), ("tips_300_1/B1",)
    ]  # fmt: skip


@pytest.mark.parametrize("changes", [{"pipette": "nothing"}, {"channels": (0, 9)}])
def test_an_instruction_for_a_channel_that_does_not_exist_can_only_be_given_up_or_told_again(
    changes: dict[str, Any],
) -> None:
    draw = Aspirate(**{"id": "draw", "wells": ("p/A1", "p/D1"), "volumes": (60.0, 45.0), **STROKE, **changes})
    progress = Progress(program(draw), LabState.start(starlet().spec, program(draw)))
    progress.queue = [draw]
    assert children("next tip", progress, draw) is None
    assert children("skip", progress, draw) == ()


def test_labware_has_no_next_tip() -> None:
    move = MoveLabware(id="move", labware="p", site="plates-b-5")
    progress = Progress(program(move, *waits(1.0)), LabState.start(starlet().spec, program(move)))
    progress.queue = [move]
    assert children("next tip", progress, move) is None
    assert children("replan", progress, move) is None
    assert [item.id for item in children("retry", progress, move) or ()] == ["move~1"]
