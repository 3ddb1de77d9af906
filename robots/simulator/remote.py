"""A World in a process of its own, from the client's side."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from protocols.devices import DeviceState
from protocols.errors import DeviceError, InputError
from protocols.liquids import Liquid
from protocols.outcomes import Outcome
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from robots.ports import ConnectionLost
from robots.simulator.faults import FaultPlan
from robots.simulator.noise import Noise
from robots.simulator.record import ActRecord, file_identity
from robots.simulator.wire import LONGEST_LINE, LONGEST_PATH, decode, decode_error, encode

START_TIMEOUT = 30.0
"""s that a World may take to start on a busy machine; it takes half of one."""
HALT_TIMEOUT = 1.0
"""s after which a World that should make safe counts as gone."""


class RemoteWorld:
    """A World in another process; see :class:`~robots.simulator.port.WorldPort`.

    It connects when first called, and again after a connection was lost. Calls are made one after another, except
    :meth:`make_safe`, which has a connection of its own.
    """

    def __init__(self, path: Path, workcell: WorkcellSpec, *, timeout: float = 30.0) -> None:
        """Speak to the World at ``path``; one that says nothing for ``timeout`` seconds counts as lost."""
        self.path = path
        self.workcell = workcell
        self._timeout = timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._numbers = itertools.count(1)

    async def act(self, act_id: str, command: Mapping[str, Any]) -> Outcome:
        """See :meth:`World.act`."""
        return Outcome.model_validate(await self._call("act", act_id=act_id, command=dict(command)))

    async def acts_done(self, run_instruction: str, device: str | None = None) -> int | None:
        """See :meth:`World.acts_done`."""
        done: int | None = await self._call("acts_done", run_instruction=run_instruction, device=device)
        return done

    async def prepare(
        self,
        labware: Mapping[str, PlacedLabware],
        contents: Sequence[Fill],
        liquids: Mapping[str, Liquid],
        *,
        run: str = "setup",
    ) -> None:
        """See :meth:`World.prepare`."""
        await self._call(
            "prepare",
            labware={name: placed.model_dump(mode="json") for name, placed in labware.items()},
            contents=[asdict(fill) for fill in contents],
            liquids={name: liquid.model_dump(mode="json") for name, liquid in liquids.items()},
            run=run,
        )

    async def tips(self) -> dict[str, list[bool]]:
        """See :meth:`World.tips`."""
        tips: dict[str, list[bool]] = await self._call("tips")
        return tips

    async def devices(self) -> dict[str, DeviceState]:
        """See :meth:`World.devices`."""
        return {name: DeviceState(**state) for name, state in (await self._call("devices")).items()}

    async def make_safe(self) -> None:
        """See :meth:`World.make_safe`."""
        await asyncio.to_thread(halt, self.path)

    async def log(self, after: int = 0) -> tuple[ActRecord, ...]:
        """See :meth:`World.log`."""
        found: list[ActRecord] = []
        while part := await self._call("log", after=found[-1].sequence if found else after):
            found += [ActRecord.model_validate(entry) for entry in part]
        return tuple(found)

    async def snapshot(self) -> dict[str, Any]:
        """See :meth:`World.snapshot`."""
        snapshot: dict[str, Any] = await self._call("snapshot")
        return snapshot

    async def shutdown(self) -> None:
        """End the World's process."""
        await self._call("shutdown")
        await self.close()

    async def close(self) -> None:
        """Close the connection; the World lives on."""
        self._drop()

    # -- inside -------------------------------------------------------------------------------------

    async def _call(self, call: str, **arguments: Any) -> Any:
        line = encode({"id": (number := next(self._numbers)), "call": call, "args": arguments})
        async with self._one_at_a_time:
            try:
                reader, writer = await self._connect()
                writer.write(line)
                await writer.drain()
                answer = await self._read(reader, number)
            except (OSError, TimeoutError, ValueError, EOFError) as error:
                self._drop()
                raise self._lost(error) from error
            except BaseException:
                self._drop()  # an answer may still be on its way: this connection cannot be used again
                raise
        if "error" in answer:
            raise decode_error(answer["error"])
        return answer.get("result")

    async def _read(self, reader: asyncio.StreamReader, number: int) -> dict[str, Any]:
        """The answer to request ``number``; lines that only say the World is busy are passed over."""
        while True:
            line = await asyncio.wait_for(reader.readline(), self._timeout)
            if not line:
                raise EOFError("it closed the connection")
            answer = decode(line)
            if answer.get("id") not in (number, None):
                raise ValueError("it answered another request")
            if not answer.get("busy"):
                return answer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            opening = asyncio.open_unix_connection(self.path, limit=LONGEST_LINE)
            self._streams = await asyncio.wait_for(opening, self._timeout)
        return self._streams

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    def _lost(self, error: BaseException) -> ConnectionLost:
        said = str(error) or type(error).__name__
        return ConnectionLost(
            f"the simulated lab does not answer ({said})",
            where=str(self.path),
            mend="Start it again, then resume",
        )


def halt(path: Path, *, timeout: float = HALT_TIMEOUT) -> None:
    """Make the World at ``path`` safe, from any thread, without an event loop.

    Raises:
        ConnectionLost: it did not answer within ``timeout`` seconds.
    """
    try:
        _tell(path, "make_safe", timeout)
    except OSError as error:
        raise ConnectionLost(f"the simulated lab does not answer ({error})", where=str(path)) from error


def end_world(path: Path, *, timeout: float = START_TIMEOUT) -> None:
    """End the World that listens at ``path``, if one does, and wait until it is gone; its log stays.

    Raises:
        ConnectionLost: it is still there after ``timeout`` seconds.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(path))
            connection.sendall(encode({"id": 0, "call": "shutdown", "args": {}}))
            while connection.recv(LONGEST_LINE):  # it closes its connections once its log is closed
                pass
    except TimeoutError:
        raise ConnectionLost("the simulated lab does not end", where=str(path)) from None
    except OSError:
        return  # nobody listens: there is none, or it was killed


def listens(path: Path) -> bool:
    """Whether a World listens at ``path``."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(HALT_TIMEOUT)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _log_behind(path: Path) -> list[int] | None:
    """Which file the World at ``path`` keeps its log in; ``None`` if it does not say."""
    try:
        log: list[int] | None = decode(_tell(path, "hello", HALT_TIMEOUT)).get("result", {}).get("log")
    except (OSError, ValueError):
        return None
    return log


def _tell(path: Path, call: str, timeout: float) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(str(path))
        connection.sendall(encode({"id": 0, "call": call, "args": {}}))
        with connection.makefile("rb") as stream:
            answer = stream.readline()
    if not answer:
        raise OSError("it closed the connection")
    return answer


class WorldProcess:
    """Starts a World in a process of its own that outlives this one.

    Attributes:
        socket: where it listens.
        pid: its process id, once it is started.
    """

    def __init__(
        self,
        workcell: WorkcellSpec,
        folder: Path,
        *,
        socket: Path | None = None,
        seed: int = 0,
        noise: Noise | None = None,
        faults: FaultPlan | None = None,
        pace: float = 0.0,
        idle: float | None = 600.0,
    ) -> None:
        """Its log and settings are in ``folder``; arguments not named here are those of :class:`World`.

        Args:
            socket: where it listens; by default in ``folder``.
            idle: it ends by itself after so many seconds without a client; its log stays.

        Raises:
            InputError: the socket's path is too long.
        """
        self.workcell = workcell
        self.folder = folder
        self.socket = socket or folder / "world.sock"
        self.pid: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = {
            "workcell-spec": workcell,
            "noise": noise or Noise(),
            "faults": faults or FaultPlan(),
        }
        self._numbers = {"seed": seed, "pace": pace, **({} if idle is None else {"idle": idle})}
        if len(os.fsencode(self.socket)) > LONGEST_PATH:
            raise InputError(
                "the path is too long for a socket",
                where=str(self.socket),
                mend="Use a folder with a shorter path",
            )

    def start(self) -> RemoteWorld:
        """Start it and wait until it listens; where one listens already over the same log, that one is used.

        Raises:
            DeviceError: it did not start.
        """
        if listens(self.socket) and _log_behind(self.socket) != file_identity(self.folder / "world.sqlite"):
            end_world(self.socket)  # of a folder that was deleted meanwhile
        if not listens(self.socket):
            self._spawn()
            until = time.monotonic() + START_TIMEOUT
            while not listens(self.socket):
                self._check_alive(until)
                time.sleep(0.01)
        return RemoteWorld(self.socket, self.workcell)

    def kill(self) -> None:
        """End it at once, as a crash would; a second call does nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it in good order; a second call does nothing."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(START_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def end(self) -> None:
        """End it in good order, whoever started it, and wait until it is gone.

        Raises:
            ConnectionLost: it does not end.
        """
        end_world(self.socket)
        self.stop()

    def _spawn(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "robots.simulator.serve", "--log", str(self.folder / "world.sqlite")]
        command += ["--socket", str(self.socket)]
        for name, value in self._settings.items():
            path = self.folder / f"{name}.json"
            path.write_text(value.model_dump_json())
            command += [f"--{name}", str(path)]
        for name, number in self._numbers.items():
            command += [f"--{name}", str(number)]
        with (self.folder / "world.err").open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # a Ctrl-C for the run is not meant for the lab
            )
        self.pid = self._process.pid

    def _check_alive(self, until: float) -> None:
        assert self._process is not None
        if self._process.poll() is None and time.monotonic() < until:
            return
        said = (self.folder / "world.err").read_text(errors="replace").strip().splitlines()
        self.kill()
        raise DeviceError(
            f"the simulated lab did not start ({said[-1] if said else 'it said nothing'})",
            where=str(self.folder),
        )
