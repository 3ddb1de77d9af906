"""Laws of every compiled program, on protocols drawn at random."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from protocols.compiler import Compilation, compile_protocol
from protocols.errors import CompileError
from protocols.labstate import LabState
from protocols.protocol import Protocol
from protocols.verify import verify
from tests.compiler.bench import ROUNDING, Walk, moves, shape_of, spec_of
from tests.compiler.generated import protocols

LABS = st.sampled_from(["starlet", "ot2", "ot2 multi"])
jobs = LABS.flatmap(lambda lab: st.tuples(st.just(lab), protocols(lab)))


def examples(count: int) -> settings:
    """As many examples, however long each takes."""
    return settings(
        max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )


def compiled(lab: str, protocol: Protocol) -> Compilation | None:
    """The compilation, or ``None`` where the protocol cannot be carried out and this is said with the step."""
    try:
        compilation = compile_protocol(protocol, spec_of(lab))
    except CompileError as error:
        event("refused")
        said_where = error.where.startswith(("step", "labware")) or "too small" in error.what
        return None if said_where else pytest.fail(f"no place is named: {error}")
    event("compiled")
    return compilation


def at_own_risk(protocol: Protocol) -> set[str]:
    """The steps whose writer asks for one tip throughout."""
    return {step.id for step in protocol.steps if getattr(getattr(step, "handling", None), "tips", "") == "one"}


def assert_lawful(lab: str, protocol: Protocol, compilation: Compilation) -> None:
    spec = spec_of(lab)
    assert_verified(compilation, protocol, verify(compilation.program, spec).findings)
    walk = Walk(compilation.program, spec)
    if not at_own_risk(protocol):
        assert not walk.carried
    assert_each_pair_gets_its_volume(protocol, walk)
    assert_strokes_within_limits(walk, exact=not at_own_risk(protocol))
    for well, left in walk.least_left.items():
        assert left >= (shape_of(compilation.program, spec, well).dead_volume or 0.0) - ROUNDING, well
    assert len(set(walk.spots)) == len(walk.spots) or compilation.tallies.racks_exchanged
    assert compilation.tallies.tips_in_all == len(walk.spots)
    assert compilation.tallies.instructions_in_all == len(compilation.program.instructions)


def assert_verified(compilation: Compilation, protocol: Protocol, findings: object) -> None:
    """No error; one tip for several liquids carries over, in its own step and in what comes after."""
    risky = bool(at_own_risk(protocol))
    errors = [finding for finding in findings if finding.severity == "error"]  # type: ignore[attr-defined]
    assert [str(finding) for finding in errors if not (risky and finding.code == "C01")] == []


def assert_each_pair_gets_its_volume(protocol: Protocol, walk: Walk) -> None:
    asked: Counter[tuple[str | None, str, str]] = Counter()
    for step in protocol.steps:
        for source, destination, volume in moves(step):
            if destination:
                asked[step.id, source, destination] += volume  # type: ignore[assignment]
    delivered = {key: volume for key, volume in walk.moved.items() if key[1] != key[2]}
    assert delivered == pytest.approx({key: volume for key, volume in asked.items() if volume > 0}, abs=ROUNDING)


def assert_strokes_within_limits(walk: Walk, *, exact: bool) -> None:
    """One tip for liquids of unlike films draws the difference of the films, which may be small."""
    for kind, volume, tip, pipette in walk.strokes:
        assert volume <= pipette.max_volume + ROUNDING
        if kind != "mix" and exact:
            assert volume >= max(tip.min_volume, pipette.min_volume) - ROUNDING
    capacity = {tip.kind: tip.capacity for _, _, tip, _ in walk.strokes}
    for kind, most in walk.fullest.items():
        assert most <= capacity[kind] + ROUNDING


@examples(120)
@given(job=jobs)
def test_what_compiles_is_lawful(job: tuple[str, Protocol]) -> None:
    lab, protocol = job
    if (compilation := compiled(lab, protocol)) is not None:
        assert_lawful(lab, protocol, compilation)


@pytest.mark.slow
@examples(600)
@given(job=jobs)
def test_what_compiles_is_lawful_many_times(job: tuple[str, Protocol]) -> None:
    lab, protocol = job
    if (compilation := compiled(lab, protocol)) is not None:
        assert_lawful(lab, protocol, compilation)


@pytest.mark.slow
@examples(40)
@given(lab=LABS, data=st.data())
def test_one_run_after_the_other_on_a_deck_that_is_used_up(lab: str, data: st.DataObject) -> None:
    """Used tips, partly emptied wells and plates of earlier runs: each next protocol still verifies on that deck."""
    spec = spec_of(lab)
    state = LabState.start(spec)
    for protocol in data.draw(st.lists(protocols(lab), min_size=2, max_size=4)):
        favour = data.draw(st.sampled_from(["tips", "moves"]))
        try:
            compilation = compile_protocol(protocol, spec, state=state, favour=favour)  # type: ignore[arg-type]
        except CompileError:
            continue
        verified = verify(compilation.program, spec, state=state)
        assert_verified(compilation, protocol, verified.findings)
        state = verified.state


@examples(30)
@given(job=jobs)
def test_compiling_twice_gives_the_same_bytes(job: tuple[str, Protocol]) -> None:
    lab, protocol = job
    if (first := compiled(lab, protocol)) is not None:
        second = compile_protocol(protocol.model_copy(deep=True), spec_of(lab))
        assert first.model_dump_json() == second.model_dump_json()


COMPILE_ALL = """
import hashlib, sys
from pathlib import Path
from protocols.compiler import compile_protocol
from protocols.formats.protocol_file import read_input
from robots.workcell import load_workcell
spec = load_workcell("starlet").spec
for file in sorted(Path("examples").glob("*/*.yaml")) + [Path("examples/worklists/cherry_pick_4_plates.csv")]:
    if file.parent.name != "workcells":
        text = compile_protocol(read_input(file).protocol, spec).model_dump_json()
        print(file.name, hashlib.sha256(text.encode()).hexdigest())
"""


@pytest.mark.slow
def test_the_same_bytes_in_processes_with_other_hash_seeds() -> None:
    root = Path(__file__).parents[2]
    outputs = [
        subprocess.run(
            [sys.executable, "-c", COMPILE_ALL],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "4242")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 5
