"""The executor: one run at a time on a workcell, and what is known of its deck between runs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import ApprovalError, DeviceError, InputError, LeaseError, RecordError
from protocols.labstate import LabState
from protocols.program import AnyInstruction
from protocols.specs import PlacedLabware
from robots.execution.approval import SIMULATION
from robots.execution.executor import Company, Executor, abandon
from robots.execution.home import Home
from robots.execution.labs import DEVICES_LOG, LocalLab, make_lab, needs_world
from robots.execution.run_folder import RunFolder, Simulation, create_run, open_run, run_folders
from robots.execution.standing import differences, read_standing, to_take_away
from robots.execution.status import run_status
from robots.simulator import Noise
from robots.workcell import Workcell, load_workcell
from robots.workcell.workcell import SHIPPED
from tests.execution.lab import EVERY_KIND, TRANSFER, program, starlet

EXACT = Simulation(noise=Noise.off())


class Unreachable(LocalLab):
    """Devices that refuse before anything moves."""

    async def connect(self, state: LabState) -> Any:
        raise DeviceError("the machine does not start")


class Broken(LocalLab):
    """Devices that break down after a few instructions."""

    async def connect(self, state: LabState) -> Any:
        driver = await super().connect(state)
        done = iter(range(2))
        execute = driver.execute

        async def some(instruction: AnyInstruction, *, acts_done: int = 0) -> Any:
            if next(done, None) is None:
                raise DeviceError("the machine broke down")
            return await execute(instruction, acts_done=acts_done)

        driver.execute = some  # type: ignore[method-assign]
        return driver


class Bench:
    """A home, a workcell and its executor; each run gets a lab of its own."""

    def __init__(self, path: Path, workcell: Workcell | None = None) -> None:
        self.home = Home(path)
        self.workcell = workcell or starlet()

    def make(
        self, instructions: Sequence[AnyInstruction] = TRANSFER, simulation: Simulation | None = EXACT
    ) -> RunFolder:
        deck = read_standing(self.home, self.workcell.spec).state
        made = program(*instructions)
        file = str(self.workcell.path)
        run = create_run(self.home, made, self.workcell.spec, deck, workcell_file=file, simulation=simulation)
        run.approve(SIMULATION)
        return run

    def go(self, run: RunFolder, lab: type[LocalLab] = LocalLab) -> Any:
        executor = Executor(
            self.home, self.workcell, devices=lambda run: lab(self.workcell, run.program, run.run, EXACT)
        )
        return executor.execute(run, Company(person=lambda question, choices: choices[0]))

    def standing(self) -> Any:
        return read_standing(self.home, self.workcell.spec)


def test_a_run_leaves_its_deck_to_the_next_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert not bench.standing().recorded
    run = bench.make(EVERY_KIND)
    assert bench.go(run).phase == "done"
    after = bench.standing()
    assert (after.open_run, after.last_run) == (None, run.run)
    assert after.state.snapshot() == {**run.progress().state.snapshot(), "clock": 0.0}
    said = differences(bench.workcell.spec, after.state)
    assert "p (flat_96_360ul), left by an earlier run, stands on plates-b-5" in said
    assert after.state.tip_at("tips_300_1/A1")  # the rack was replaced
    with pytest.raises(InputError, match="ended already"):
        bench.go(run)
    assert run_status(run, run.progress()) == "completed"


def test_what_an_earlier_run_left_in_the_way_is_to_be_taken_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.go(bench.make())
    deck = bench.standing().state
    elsewhere = program(*TRANSFER).model_copy(
        update={"labware": {"q": PlacedLabware(kind="flat_96_360ul", site="plates-a-1")}, "contents": ()}
    )
    assert to_take_away(deck, elsewhere) == ("Take p, left by an earlier run, off plates-a-1",)
    assert to_take_away(deck, program(*TRANSFER)) == ()


def test_a_run_that_broke_down_keeps_the_workcell_until_it_is_resumed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.make()
    with pytest.raises(DeviceError, match="broke down"):
        bench.go(first, Broken)
    assert bench.standing().open_run == first.run
    second = bench.make()
    with pytest.raises(LeaseError, match=f"run {first.run} began on this workcell"):
        bench.go(second)
    with pytest.raises(LeaseError, match="has not ended"):
        Executor(bench.home, bench.workcell).reset()
    assert second.progress().phase == "created"


def test_a_run_that_was_given_up_leaves_what_its_journal_says(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run = bench.make()
    with pytest.raises(DeviceError):
        bench.go(run, Broken)
    expected = run.progress().state
    progress = abandon(bench.home, run, "Ada")
    assert (progress.phase, progress.abandoned) == ("done", "Ada")
    assert run_status(run, run.progress()) == "abandoned"
    assert bench.standing().state.tip_on("channels", 0) is not None
    assert bench.standing().state.snapshot()["channels"] == expected.snapshot()["channels"]
    with pytest.raises(InputError, match="ended already"):
        abandon(bench.home, run, "Ada")
    Executor(bench.home, bench.workcell).reset()
    assert not bench.standing().recorded
    assert bench.go(bench.make()).phase == "done"


def test_what_a_run_that_was_given_up_leaves_uncertain_is_kept_for_a_person(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run = bench.make()
    with pytest.raises(DeviceError):
        bench.go(run, Broken)
    assert run.progress().doubt is not None  # the third instruction was begun
    abandon(bench.home, run, "Ada")
    doubt, tips = bench.standing().uncertain
    assert doubt.startswith("It is not known how this ended: ")
    assert tips == "tips are on channels 0, 3 of channels"


def test_a_deck_whose_unfinished_run_is_gone_is_known_by_nobody(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run = bench.make()
    with pytest.raises(DeviceError):
        bench.go(run, Broken)
    shutil.rmtree(run.path)
    with pytest.raises(RecordError, match="its folder is gone"):
        bench.standing()
    Executor(bench.home, bench.workcell).reset()
    assert not bench.standing().recorded


def test_a_real_machine_is_not_initialised_while_tips_are_mounted(tmp_path: Path) -> None:
    file = tmp_path / "star.yaml"
    file.write_text((SHIPPED / "starlet.yaml").read_text().replace("driver: simulated", "driver: STAR"))
    workcell = load_workcell(file)
    bench = Bench(tmp_path / "home", workcell)
    run = bench.make(simulation=None)
    lab = make_lab(workcell, run, tmp_path, tmp_path / "s")
    state = run.start()
    state.pick_up_tips("channels", [0], ["tips_300_1/A1"])
    with pytest.raises(DeviceError, match="tips are on channels, and a machine that is initialised"):
        asyncio.run(lab.connect(state))
    asyncio.run(lab.close())


def test_a_run_in_which_nothing_began_keeps_nobody_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.make()
    with pytest.raises(DeviceError, match="does not start"):
        bench.go(first, Unreachable)
    assert bench.standing().open_run is None
    assert bench.standing().state.volume("p/A1") == 200.0  # a person has set it up
    assert bench.go(first).phase == "done"  # it can still be carried out


def test_a_run_that_was_made_for_another_deck_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first, second = bench.make(), bench.make()
    assert bench.go(first).phase == "done"
    with pytest.raises(ApprovalError, match="the deck changed"):
        bench.go(second)


def test_a_run_of_another_workcell_or_of_a_changed_one_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home")
    run = bench.make()
    with pytest.raises(InputError, match="not of 'ot2'"):
        Executor(bench.home, load_workcell("ot2")).execute(run)
    changed = tmp_path / "starlet.yaml"
    changed.write_text((SHIPPED / "starlet.yaml").read_text().replace("pick_up_tips: 4 s", "pick_up_tips: 5 s"))
    with pytest.raises(ApprovalError, match="workcell file changed"):
        Executor(bench.home, load_workcell(changed)).execute(run)


def test_nobody_approved(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    deck = LabState.start(bench.workcell.spec)
    run = create_run(
        bench.home, program(*TRANSFER), bench.workcell.spec, deck, workcell_file="starlet", simulation=EXACT
    )
    with pytest.raises(ApprovalError, match="nobody approved"):
        bench.go(run)
    assert bench.standing().open_run is None


def test_the_end_of_a_run_is_caught_up_on_where_its_process_was_killed_right_after_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run = bench.make()
    record = tmp_path / "workcells" / "starlet" / "state.json"

    def keep_the_record_of_the_start(event: Any) -> None:
        if event.kind == "run_started":
            keep.append(record.read_text())

    keep: list[str] = []
    executor = Executor(
        bench.home, bench.workcell, devices=lambda run: LocalLab(bench.workcell, run.program, run.run, EXACT)
    )
    executor.execute(run, Company(listeners=(keep_the_record_of_the_start,)))
    record.write_text(keep[0])  # as the kill would have left it
    assert bench.standing().open_run == run.run
    assert bench.go(run).phase == "done"
    assert bench.standing().open_run is None


def test_a_record_of_the_deck_that_is_damaged_or_of_another_workcell_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.go(bench.make())
    record = tmp_path / "workcells" / "starlet" / "state.json"
    whole = record.read_text()
    for damaged in (whole[: len(whole) // 2], "[]", whole.replace('"schema_version": 1', '"schema_version": 9')):
        record.write_text(damaged)
        with pytest.raises(RecordError, match=r"state\.json"):
            bench.standing()


def test_a_run_is_found_by_any_part_of_its_name(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first, second = bench.make(), bench.make()
    assert {folder.run for folder in run_folders(bench.home)} == {first.run, second.run}
    assert open_run(bench.home, first.run[-4:]).run == first.run
    with pytest.raises(InputError, match="fits 2 runs"):
        open_run(bench.home, "a-test")
    with pytest.raises(InputError, match="no run 'nothing'"):
        open_run(bench.home, "nothing")


def test_what_a_machine_is_told_is_kept_with_its_run(tmp_path: Path) -> None:
    file = tmp_path / "star.yaml"
    file.write_text((SHIPPED / "starlet.yaml").read_text().replace("driver: simulated", "driver: STAR chatterbox"))
    workcell = load_workcell(file)
    assert not needs_world(workcell.spec)
    home = Home(tmp_path / "home")
    deck = LabState.start(workcell.spec)
    run = create_run(home, program(*TRANSFER), workcell.spec, deck, workcell_file=str(file), simulation=None)
    run.approve(SIMULATION)
    assert (
        Executor(home, workcell, devices=lambda run: make_lab(workcell, run, tmp_path, tmp_path / "s"))
        .execute(run)
        .phase
        == "done"
    )
    told = (run.path / DEVICES_LOG).read_text()
    assert [told.index(command) for command in ("C0TP", "C0AS", "C0DS", "C0TR")] == sorted(
        told.index(command) for command in ("C0TP", "C0AS", "C0DS", "C0TR")
    )
