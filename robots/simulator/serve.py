"""A World in a process of its own: ``python -m robots.simulator.serve --workcell-spec FILE --socket PATH …``.

It outlives its clients, so that a run that crashes finds the lab as the crash left it, and after a crash of its
own it is started again on the same log. It ends when it is told to, on SIGTERM, or after ``--idle`` seconds
without a client.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from protocols.errors import InputError, LabwrightError
from protocols.liquids import Liquid
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from robots.ports import ConnectionLost
from robots.simulator.errors import ActRefused
from robots.simulator.faults import FaultPlan
from robots.simulator.noise import Noise
from robots.simulator.wire import BUSY_EVERY, LONGEST_LINE, decode, encode, encode_error
from robots.simulator.world import World


class _Setup(BaseModel):
    labware: dict[str, PlacedLabware]
    contents: tuple[Fill, ...]
    liquids: dict[str, Liquid]
    run: str


class Server:
    """Answers requests to one World on a Unix domain socket."""

    def __init__(self, world: World, path: Path, *, idle: float | None = None) -> None:
        """Serve ``world`` at ``path``; end after ``idle`` seconds without a connection, ``None`` is never."""
        self.world = world
        self.path = path
        self._idle = idle
        self._connections: set[asyncio.Task[None]] = set()
        self._told_to_end = False
        self._ended = asyncio.Event()
        self._left = asyncio.Event()
        self._calls: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "act": self._act,
            "acts_done": self._acts_done,
            "prepare": self._prepare,
            "tips": self._tips,
            "devices": self._devices,
            "make_safe": self._make_safe,
            "log": self._log,
            "snapshot": self._snapshot,
            "hello": self._hello,
            "shutdown": self._shutdown,
        }

    async def run(self) -> None:
        """Serve until told to end.

        Raises:
            InputError: another server listens at the path.
        """
        _clear_stale(self.path)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError):  # not in the main thread
                loop.add_signal_handler(number, self._ended.set)
        server = await asyncio.start_unix_server(self._connected, self.path, limit=LONGEST_LINE)
        self.path.chmod(0o600)
        watch = asyncio.create_task(self._watch_idle())
        try:
            await self._ended.wait()
        finally:
            self._ended.set()
            watch.cancel()
            server.close()
            await asyncio.to_thread(self.world.close)
            self.path.unlink(missing_ok=True)
            for connection in tuple(self._connections):  # last: whoever waits for the end hears it from this
                connection.cancel()
            await asyncio.gather(watch, *self._connections, return_exceptions=True)

    async def _watch_idle(self) -> None:
        while self._idle is not None and not self._ended.is_set():  # asked again: wait_for may swallow a cancellation
            self._left.clear()
            try:
                await asyncio.wait_for(self._left.wait(), self._idle)
            except TimeoutError:
                if not self._connections:
                    self._ended.set()
                    return

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client went away, or the server ends: the World lives on or is closed
        finally:
            self._connections.discard(task)
            self._left.set()
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; ``False`` ends the connection."""
        number: Any = None
        try:
            line = await reader.readline()
        except ValueError:  # longer than the limit; where the next message starts is not known
            too_long = ActRefused(f"the message is longer than {LONGEST_LINE} bytes")
            writer.write(encode({"id": None, "error": encode_error(too_long)}))
            await writer.drain()
            return False
        if not line:
            return False
        try:
            message = decode(line)
            number = message.get("id")
            answer = {"id": number, "result": await self._answer(message, writer)}
            data = encode(answer)
        except ConnectionLost:
            return False  # a planned fault: the client hears nothing more on this connection
        except LabwrightError as error:
            data = encode({"id": number, "error": encode_error(error)})
        try:
            writer.write(data)
            await writer.drain()
        finally:  # also where whoever told it to end is gone
            if self._told_to_end:
                self._ended.set()
        return True

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> Any:
        name, arguments = message.get("call"), message.get("args", {})
        call = self._calls.get(name) if isinstance(name, str) else None
        if call is None or not isinstance(arguments, dict):
            raise ActRefused(f"the World knows no call {name!r}" if call is None else "args must be an object")
        work = asyncio.ensure_future(call(arguments))
        while True:
            finished, _ = await asyncio.wait({work}, timeout=BUSY_EVERY)
            if finished:
                return work.result()
            writer.write(encode({"id": message.get("id"), "busy": True}))

    # -- calls --------------------------------------------------------------------------------------

    async def _act(self, arguments: dict[str, Any]) -> Any:
        act_id, command = _text(arguments, "act_id"), arguments.get("command")
        if not isinstance(command, dict):
            raise ActRefused("command must be an object")
        outcome = await asyncio.to_thread(self.world.act, act_id, command)
        return outcome.model_dump(mode="json")

    async def _acts_done(self, arguments: dict[str, Any]) -> Any:
        device = arguments.get("device")
        if device is not None and not isinstance(device, str):
            raise ActRefused("device must be text")
        return self.world.acts_done(_text(arguments, "run_instruction"), device)

    async def _prepare(self, arguments: dict[str, Any]) -> Any:
        try:
            setup = _Setup.model_validate(arguments)
        except ValidationError as error:
            raise ActRefused(f"the set-up cannot be read: {error.errors()[0]['msg']}") from None
        await asyncio.to_thread(self.world.prepare, setup.labware, setup.contents, setup.liquids, run=setup.run)

    async def _tips(self, arguments: dict[str, Any]) -> Any:
        return self.world.tips()

    async def _devices(self, arguments: dict[str, Any]) -> Any:
        return {name: state.snapshot() for name, state in self.world.devices().items()}

    async def _make_safe(self, arguments: dict[str, Any]) -> Any:
        await asyncio.to_thread(self.world.make_safe)

    async def _log(self, arguments: dict[str, Any]) -> Any:
        """As many acts as one message holds; the client asks for the rest."""
        after = arguments.get("after", 0)
        if not isinstance(after, int) or isinstance(after, bool) or after < 0:
            raise ActRefused("after must be a whole number, 0 or more")
        found: list[dict[str, Any]] = []
        size = 0
        for act in self.world.log(after):
            entry = act.model_dump(mode="json")
            size += len(encode(entry))
            if found and size > LONGEST_LINE // 2:
                break
            found.append(entry)
        return found

    async def _snapshot(self, arguments: dict[str, Any]) -> Any:
        return self.world.snapshot()

    async def _hello(self, arguments: dict[str, Any]) -> Any:
        return {"workcell": self.world.workcell.name, "log": self.world.log_identity()}

    async def _shutdown(self, arguments: dict[str, Any]) -> Any:
        self._told_to_end = True


def _text(arguments: dict[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 1000:
        raise ActRefused(f"{name} must be text")
    return value


def _clear_stale(path: Path) -> None:
    """Take away the socket of a server that died; refuse if one listens."""
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError as error:
            raise InputError(f"the socket cannot be used ({error.strerror})", where=str(path)) from None
        else:
            raise InputError("another World listens there", where=str(path), mend="Choose another socket")


def _read(path: Path, model: type[BaseModel]) -> Any:
    try:
        return TypeAdapter(model).validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except ValidationError as error:
        raise InputError(f"is not what it should be: {error.errors()[0]['msg']}", where=str(path)) from None


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m robots.simulator.serve", description="A simulated lab.")
    parser.add_argument("--workcell-spec", type=Path, required=True, help="WorkcellSpec as JSON")
    parser.add_argument("--log", type=Path, required=True, help="the World's log")
    parser.add_argument("--socket", type=Path, required=True, help="where it listens")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noise", type=Path, help="Noise as JSON; default: the permissible errors")
    parser.add_argument("--faults", type=Path, help="FaultPlan as JSON; default: none")
    parser.add_argument("--pace", type=float, default=0.0, help="real seconds for each second of the lab's")
    parser.add_argument("--idle", type=float, help="end after so many seconds without a client")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Serve a World as the command line says; 2 if that cannot be done."""
    arguments = _arguments(given)
    try:
        world = World(
            _read(arguments.workcell_spec, WorkcellSpec),
            log=arguments.log,
            seed=arguments.seed,
            noise=_read(arguments.noise, Noise) if arguments.noise else None,
            faults=_read(arguments.faults, FaultPlan) if arguments.faults else None,
            pace=arguments.pace,
        )
        asyncio.run(_serve(world, arguments.socket, arguments.idle))
    except LabwrightError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _serve(world: World, path: Path, idle: float | None) -> None:
    try:
        await Server(world, path, idle=idle).run()
    finally:
        world.close()


if __name__ == "__main__":
    sys.exit(main())
