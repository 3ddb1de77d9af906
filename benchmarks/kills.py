"""Runs and simulated labs killed at random, as often as asked, and whether anything was repeated, lost or reordered.

Runs of every kind of instruction, of pipettes and of devices on the deck, are killed again and again until they have
ended; then the lab's own log is held against the program. Half of the labs can say what they did, the others cannot:
there a person, who looks into the lab, is asked once for each instruction that was cut off in the middle. Kills fall on
the run's process, on the lab's, or on both.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from benchmarks.every_device import every_device
from benchmarks.every_kind import compare, every_kind
from benchmarks.killing import Killer, lab_that, make_run, modules_that, world_log
from benchmarks.output import options, show, write
from protocols.events import Event
from protocols.program import Program
from robots.execution.home import Home
from robots.workcell import Workcell, load_workcell

MOST_WORKERS = 8
LONGEST = 0.4
"""s within which a kill falls; an attempt that nobody kills takes about half of it."""


@dataclass
class Tally:
    """What was counted so far."""

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    repeated: int = 0
    lost: int = 0
    reordered: int = 0
    again: int = 0
    questions: int = 0
    questions_expected: int = 0
    failed: int = 0


def expected_questions(events: Sequence[Event], program: Program) -> int:
    """How many instructions, not harmless to repeat, were begun and did not report how they ended."""
    repeatable = {item.id for item in program.instructions if item.repeatable}
    about = [event for event in events if event.kind in ("intent", "outcome", "question", "answer")]
    count = 0
    for event, after in zip(about, [*about[1:], None], strict=True):
        if event.kind == "intent" and event.instruction not in repeatable:
            reported = after is not None and after.kind == "outcome" and after.payload["source"] == "device"
            count += not reported
    return count


def kill_until_it_ends(
    killer: Killer, home: Home, workcell: Workcell, program: Program, seed: int, tally: Tally
) -> None:
    """One run, killed at random until it has ended, and what came of it."""
    chance = random.Random(seed)
    run = make_run(home, workcell, program, seed=seed)
    while True:
        kill = {
            name: chance.uniform(0.0, LONGEST) for name in chance.choice((["kill_after"], ["lab_kill_after"], _BOTH))
        }
        ended = killer.attempt(home, run, **kill)
        tally.kills["run"] += ended["killed"]
        tally.kills["lab"] += ended["lab_kills"]
        if not ended["killed"]:
            break
    tally.runs += 1
    tally.failed += ended["code"] != 0
    found = compare(program, world_log(home, workcell))
    tally.repeated += found.repeated
    tally.lost += found.lost
    tally.reordered += found.reordered
    tally.again += found.again
    events = run.events()
    tally.questions += sum(event.kind == "question" and event.payload["topic"] == "doubt" for event in events)
    if not workcell.spec.devices["handler"].answers:
        tally.questions_expected += expected_questions(events, program)


_BOTH = ["kill_after", "lab_kill_after"]


def worker(number: int, wanted: int, tally: Tally, folder: Path, progress: Progress, keep: Callable[[], None]) -> None:
    """Kill runs until all workers together have killed often enough; ``keep`` writes down what was counted so far."""
    killer = Killer()
    labs = [
        (program, load_workcell(made(folder, answers=answers)))
        for program, made in ((every_kind(), lab_that), (every_device(), modules_that))
        for answers in (True, False)
    ]
    task = progress.add_task(f"worker {number + 1}", total=wanted)
    turn = 0
    while tally.kills.total() < wanted:
        with tempfile.TemporaryDirectory(dir=folder) as home:
            program, workcell = labs[turn % len(labs)]
            kill_until_it_ends(killer, Home(Path(home)), workcell, program, turn * MOST_WORKERS + number, tally)
        progress.update(task, completed=min(tally.kills.total(), wanted))
        turn += 1
        if turn % 50 == 0:
            keep()
    killer.close()


def figures_of(tally: Tally) -> dict[str, object]:
    """What was counted, by the names under which it is written."""
    return {
        "kills": tally.kills.total(),
        "kills_by_process": dict(tally.kills),
        "runs": tally.runs,
        "runs_not_ended_well": tally.failed,
        "repeated": tally.repeated,
        "lost": tally.lost,
        "reordered": tally.reordered,
        "set_again_without_harm": tally.again,
        "questions": tally.questions,
        "questions_expected": tally.questions_expected,
    }


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument("--kills", type=int, help="how many at least; by default 10,000, with --quick 60")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    wanted = arguments.kills or (60 if arguments.quick else 10_000)
    workers = min(arguments.workers, MOST_WORKERS)
    tally = Tally()

    def keep() -> None:
        write(arguments.json, figures_of(tally))

    with tempfile.TemporaryDirectory() as folder, Progress() as progress, ThreadPoolExecutor() as pool:
        jobs = []
        for number in range(workers):
            own = Path(folder) / str(number)
            own.mkdir()
            jobs.append(pool.submit(worker, number, wanted, tally, own, progress, keep))
        for job in as_completed(jobs):
            job.result()
    figures = figures_of(tally)
    show("Kills", [(name.replace("_", " "), value) for name, value in figures.items()])
    write(arguments.json, figures)


if __name__ == "__main__":
    main()
