"""A World in a process of its own: its protocol, its crashes and its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DeviceError, InputError
from robots.ports import ConnectionLost
from robots.simulator import FaultPlan, Noise, PlannedFault, RemoteWorld, World, WorldProcess, halt
from robots.simulator.errors import ActRefused, Stopped
from robots.simulator.remote import listens
from robots.simulator.serve import Server, main
from robots.simulator.wire import LONGEST_LINE
from tests.simulator.lab import BARE, CONTENTS, LABWARE, LIQUIDS, pick, small_world, spec, stroke
from tests.simulator.test_laws import PROGRAMS, commands, same


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a socket's path is limited."""
    path = Path(tempfile.mkdtemp(prefix="lw"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def process(folder: Path) -> Iterator[WorldProcess]:
    process = WorldProcess(spec(), folder, noise=Noise.off(), idle=60.0)
    yield process
    process.kill()


class Served:
    """A server in a thread of this process."""

    def __init__(self, world: World, path: Path, idle: float | None = None) -> None:
        self.world = world
        self.path = path
        self.thread = threading.Thread(target=lambda: asyncio.run(Server(world, path, idle=idle).run()))
        self.thread.start()
        while not listens(path):
            time.sleep(0.001)

    def end(self) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(b'{"id": 1, "call": "shutdown"}\n')
            assert json.loads(connection.makefile().readline()) == {"id": 1, "result": None}
        self.thread.join(20.0)
        assert not self.thread.is_alive()


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    server = Served(small_world(), folder / "s")
    yield server
    server.end()
    assert not server.path.exists()


def ask(path: Path, *lines: bytes) -> list[dict]:
    """Send lines on one connection; the answers that come back."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20.0)
        connection.connect(str(path))
        connection.sendall(b"".join(line + b"\n" for line in lines))
        connection.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in connection.makefile("rb")]


async def test_every_call_reaches_a_world_in_another_process(process):
    world = process.start()
    await world.prepare(LABWARE, CONTENTS, LIQUIDS)
    outcome = await world.act("run:1#0", pick("AB"))
    assert outcome.tips == (True, True)
    assert (await world.tips())["channels"][:3] == [True, True, False]
    assert await world.acts_done("run:1") == 1
    assert await world.acts_done("run:2") == 0
    local = small_world()
    local.act("run:1#0", pick("AB"))
    assert await world.log() == local.log()
    assert await world.snapshot() == local.snapshot()
    await world.make_safe()
    with pytest.raises(ActRefused, match="another command"):
        await world.act("run:1#0", pick("A"))
    await world.close()
    assert await world.acts_done("run:1") == 1  # it connects again by itself
    await world.shutdown()
    process._process.wait(20.0)
    assert not process.socket.exists()


def test_it_ends_though_whoever_told_it_to_is_gone_before_the_answer(folder: Path) -> None:
    server = Served(small_world(), folder / "s")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.path))
        connection.sendall(b'{"id": 1, "call": "shutdown"}\n')
    server.thread.join(20.0)
    assert not server.thread.is_alive()


async def test_a_client_may_die_and_another_goes_on(process):
    first = process.start()
    await first.prepare(LABWARE, CONTENTS, LIQUIDS)
    await first.act("run:1#0", pick())
    first._streams[1].transport.abort()
    second = RemoteWorld(process.socket, spec())
    await second.act("run:2#0", stroke("aspirate", ["plate/A1"], [50.0], BARE))
    assert [act.id for act in await second.log(1)] == ["run:1#0", "run:2#0"]
    assert process.start().path == process.socket  # one that listens is used
    await second.close()


async def test_a_lost_connection_is_told_and_mended(folder):
    plan = FaultPlan(faults=(PlannedFault(kind="connection lost", instruction="1", happened=True),))
    server = Served(small_world(faults=plan), folder / "s")
    world = RemoteWorld(server.path, spec())
    with pytest.raises(ConnectionLost):
        await world.act("run:1#0", pick())
    assert await world.acts_done("run:1") == 1
    assert (await world.act("run:1#0", pick())).status == "done"
    await world.close()
    server.end()


async def test_a_world_that_says_nothing_is_lost(folder):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(folder / "deaf"))
        deaf.listen()
        world = RemoteWorld(folder / "deaf", spec(), timeout=0.2)
        with pytest.raises(ConnectionLost, match="does not answer"):
            await world.tips()
        with pytest.raises(ConnectionLost):
            halt(folder / "deaf", timeout=0.2)
    with pytest.raises(ConnectionLost):
        await RemoteWorld(folder / "absent", spec()).tips()


async def test_make_safe_stops_an_act_of_another_connection(folder):
    server = Served(small_world(pace=1.0), folder / "s")
    world = RemoteWorld(server.path, spec(), timeout=5.0)
    act = asyncio.create_task(world.act("run:1#0", {"kind": "wait", "seconds": 3600.0}))
    while not server.world._acting.locked():
        await asyncio.sleep(0.005)
    other = RemoteWorld(server.path, spec())
    assert await other.acts_done("run:1") == 0
    began = time.monotonic()
    await asyncio.to_thread(halt, server.path)
    with pytest.raises(Stopped):
        await act
    assert time.monotonic() - began < 1.0  # what the design promises of a stop
    await world.close()
    await other.close()
    server.end()


@pytest.mark.slow
async def test_a_long_act_keeps_saying_that_it_goes_on(folder, monkeypatch):
    monkeypatch.setattr("robots.simulator.serve.BUSY_EVERY", 0.05)
    server = Served(small_world(pace=1.0), folder / "s")
    world = RemoteWorld(server.path, spec(), timeout=0.5)
    outcome = await world.act("run:1#0", {"kind": "wait", "seconds": 1.5})  # three times the client's patience
    assert outcome.seconds == 1.5
    await world.close()
    server.end()


def test_an_idle_world_ends_by_itself(folder):
    server = Served(small_world(), folder / "s", idle=0.1)
    server.thread.join(20.0)
    assert not server.thread.is_alive()


LINES = st.one_of(
    st.binary(max_size=200).map(lambda data: data.replace(b"\n", b"")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {
            "id": st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=2),
            "call": st.sampled_from(["act", "acts_done", "prepare", "tips", "log", "snapshot", "hello", "no", 3, None]),
            "args": st.dictionaries(
                st.sampled_from(["act_id", "command", "run_instruction", "after", "labware", "run", "device"]),
                st.none() | st.integers() | st.text(max_size=5) | st.dictionaries(st.text(max_size=3), st.none()),
                max_size=4,
            )
            | st.integers(),
        }
    ).map(lambda value: json.dumps(value).encode()),
)


def test_garbage_never_ends_the_server_and_changes_nothing(served):
    truth, acts = served.world.snapshot(), served.world.log()

    @settings(max_examples=150, deadline=None)
    @given(st.lists(LINES, min_size=1, max_size=5))
    def garbage(lines):
        answers = ask(served.path, *lines, b'{"id": "last", "call": "hello"}')
        assert len(answers) == len(lines) + 1
        assert answers[-1] == {"id": "last", "result": {"workcell": spec().name, "log": None}}

    garbage()
    assert served.world.snapshot() == truth
    assert served.world.log() == acts


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"NaN",
        b'{"id": 1, "call": "act", "args": {"act_id": "", "command": {}}}',
        b'{"id": 1, "call": "log", "args": {"after": true}}',
        b'{"id": 1, "call": "acts_done", "args": {"run_instruction": "a", "device": 3}}',
        b'{"id": 1, "call": "act", "args": {"act_id": "a#0", "command": {"kind": "wait", "seconds": 1e999}}}',
    ],
)
def test_what_cannot_be_read_is_answered_with_an_error(served, line):
    (answer,) = ask(served.path, line)
    assert answer["error"]["type"] == "ActRefused"
    assert served.world.acts_done("a") == 0


def test_a_message_without_end_is_cut_off(served):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20.0)
        connection.connect(str(served.path))
        answer = b""
        with contextlib.suppress(OSError):  # it may have hung up already
            for _ in range(2 * LONGEST_LINE // 65536 + 2):
                connection.sendall(b"x" * 65536)
        with contextlib.suppress(OSError):
            answer = connection.makefile("rb").readline()
        assert not answer or "longer than" in json.loads(answer)["error"]["what"]
    assert ask(served.path, b'{"id": 1, "call": "hello"}')[0]["id"] == 1


def test_half_a_message_is_not_carried_out(served):
    line = json.dumps({"id": 1, "call": "act", "args": {"act_id": "run:1#0", "command": pick()}}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(served.path))
        connection.sendall(line[: len(line) // 2])
    assert ask(served.path, b'{"id": 1, "call": "hello"}')[0]["id"] == 1
    assert served.world.acts_done("run:1") == 0


def test_two_servers_cannot_listen_at_one_place_and_a_dead_ones_socket_is_taken_over(folder, served, capsys):
    (folder / "spec.json").write_text(spec().model_dump_json())
    arguments = ["--workcell-spec", str(folder / "spec.json"), "--log", str(folder / "w.sqlite")]
    assert main([*arguments, "--socket", str(served.path)]) == 2
    assert "another World listens there" in capsys.readouterr().err
    stale = folder / "stale"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    server = Served(small_world(), stale)
    time.sleep(0)
    while True:
        try:
            assert ask(stale, b'{"id": 1, "call": "hello"}')[0]["id"] == 1
            break
        except ConnectionRefusedError:  # the dead socket is still there
            time.sleep(0.005)
    server.end()


def test_a_world_that_cannot_start_says_why(folder):
    process = WorldProcess(spec(), folder)
    (folder / "world.sqlite").write_bytes(b"garbage " * 200)
    with pytest.raises(DeviceError, match="cannot be opened"):
        process.start()
    with pytest.raises(InputError, match="too long"):
        WorldProcess(spec(), folder / ("x" * 120))


def test_bad_files_are_named(folder, capsys):
    (folder / "spec.json").write_text("{}")
    arguments = ["--log", str(folder / "w.sqlite"), "--socket", str(folder / "s")]
    assert main(["--workcell-spec", str(folder / "spec.json"), *arguments]) == 2
    assert main(["--workcell-spec", str(folder / "absent.json"), *arguments]) == 2
    said = capsys.readouterr().err
    assert "spec.json: is not what it should be" in said
    assert "absent.json: cannot be read" in said
    assert not (folder / "w.sqlite").exists()


@pytest.mark.kill
async def test_a_planned_power_cut_kills_the_process_and_a_new_one_goes_on(folder):
    plan = FaultPlan(
        faults=(
            PlannedFault(kind="power cut", instruction="1"),
            PlannedFault(kind="power cut", instruction="2", happened=True),
        )
    )
    process = WorldProcess(spec(), folder, noise=Noise.off(), faults=plan)
    for number in (1, 2):
        world = process.start()
        await world.prepare(LABWARE, CONTENTS, LIQUIDS)
        with pytest.raises(ConnectionLost):
            await world.act(f"run:{number}#0", pick("AB"[number - 1]) | {"channels": [number]})
        assert process._process.wait(20.0) == -signal.SIGKILL
        world = process.start()
        assert await world.acts_done(f"run:{number}") == number - 1
        await world.act(f"run:{number}#0", pick("AB"[number - 1]) | {"channels": [number]})
        await world.close()
        process.stop()
    acts = [act.id for act in process_log(process)]
    assert acts == ["setup:prepare#0", "run:1#0", "run:2#0"]


def process_log(process: WorldProcess):
    world = World(spec(), log=process.folder / "world.sqlite", noise=Noise.off())
    try:
        return world.log()
    finally:
        world.close()


@pytest.mark.kill
@pytest.mark.parametrize("seed", range(2))
async def test_killed_at_random_nothing_is_repeated_or_lost(folder, seed):
    """The process is killed within the first milliseconds of an act; the client tells it again until it is answered."""
    chance = random.Random(seed)
    program = [pick("ABCD")]
    for _ in range(40):
        kind, wells = chance.choice(["aspirate", "dispense"]), [f"plate/{row}1" for row in "ABCD"]
        program.append(stroke(kind, wells, [chance.uniform(1.0, 30.0)] * 4, BARE))
    killed_at = set(chance.sample(range(len(program)), 6))
    process = WorldProcess(spec(), folder, seed=seed)
    world = process.start()
    await world.prepare(LABWARE, CONTENTS, LIQUIDS)
    for number, command in enumerate(program):
        act = asyncio.create_task(world.act(f"run:{number}#0", command))
        if number in killed_at:
            await asyncio.sleep(chance.uniform(0.0, 0.004))
            process.kill()
            with contextlib.suppress(ConnectionLost):
                await act  # it may have been answered just before
            await world.close()
            world = process.start()
            assert await world.acts_done(f"run:{number}") in (0, 1)
            act = asyncio.create_task(world.act(f"run:{number}#0", command))
        assert (await act).status == "done"
    await world.close()
    process.kill()
    whole = small_world(noise=Noise(), seed=seed)
    for number, command in enumerate(program):
        whole.act(f"run:{number}#0", command)
    assert process_log(process) == whole.log()
    again = World(spec(), log=folder / "world.sqlite", seed=seed)
    same(again.snapshot(), whole.snapshot())
    again.close()


@settings(max_examples=10, deadline=None)
@given(PROGRAMS)
def test_a_remote_world_answers_as_a_local_one(program):
    folder = Path(tempfile.mkdtemp(prefix="lw"))
    server, local = Served(small_world(seed=2, noise=Noise()), folder / "s"), small_world(seed=2, noise=Noise())

    async def compare() -> None:
        remote = RemoteWorld(server.path, spec())
        for number, instruction in enumerate(program):
            for act, command in enumerate(commands(instruction)):
                act_id = f"run:{number}#{act}"
                assert await remote.act(act_id, command) == local.act(act_id, command)
        assert await remote.log() == local.log()
        await remote.close()

    asyncio.run(compare())
    server.end()
    shutil.rmtree(folder)


@pytest.mark.kill
def test_a_lab_whose_folder_was_deleted_is_not_taken_for_the_new_one(folder):
    lab, where = folder / "lab", folder / "s"
    first = WorldProcess(spec(), lab, socket=where, noise=Noise.off(), idle=60.0)
    second = WorldProcess(spec(), lab, socket=where, noise=Noise.off(), idle=60.0)

    async def acts(world: RemoteWorld, *, first: bool = False) -> int:
        if first:
            await world.act("run:1#0", pick())
        try:
            return len(await world.log())
        finally:
            await world.close()

    try:
        assert asyncio.run(acts(first.start(), first=True)) == 1
        assert asyncio.run(acts(second.start())) == 1  # the same log: the same lab
        shutil.rmtree(lab)
        assert asyncio.run(acts(second.start())) == 0
    finally:
        second.stop()
        first.kill()


def test_a_run_that_is_made_again_with_the_same_seed_strays_alike():
    def volumes(run: str, seed: int) -> list[float]:
        world = small_world(noise=Noise(), seed=seed)
        world.act(f"{run}:pick#0", pick("AB"))
        world.act(f"{run}:draw#0", stroke("aspirate", ["plate/A1", "plate/B1"], [50.0, 50.0], BARE))
        return [world.state.tip_volume("channels", channel) for channel in (0, 1)]

    assert volumes("first", 7) == volumes("second", 7) != volumes("first", 8)
