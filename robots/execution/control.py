"""The control channel of a running run: a Unix socket served by threads of its own.

Each request is one line of JSON, ``{"command": "status" | "pause" | "resume" | "stop" | "answer", ...}``,
and so is each reply. Stop makes the devices safe from the serving thread, with an event loop and a connection of
its own, so that nothing the run does can hold it up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import socketserver
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, Self

from protocols.errors import InputError, LabwrightError
from robots.execution.ledger import Ledger
from robots.execution.sockets import socket_path

Command = Literal["status", "pause", "resume", "stop", "answer"]
"""What can be asked of a running run."""

SAFE_SECONDS = 10.0
"""s that making the devices safe may take before the stop is reported as failed."""
MakeSafe = Callable[[], Awaitable[None]]
"""Stops all motion on a path of its own."""
_LONGEST_LINE = 65536
_LONGEST_REASON = 1000
_POLL_SECONDS = 0.02
"""s after which the server notices at the latest that it is to close."""
_READ_SECONDS = 2.0
"""s in which whoever connects must ask."""


class Switches:
    """What people asked of a run. Set from any thread; the runner waits for it in its event loop."""

    def __init__(self) -> None:
        self.pausing = False
        self.stop_reason: str | None = None
        self.stopped = threading.Event()
        self._answer: tuple[int, str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Event | None = None

    @property
    def stopping(self) -> bool:
        """Somebody asked for a stop."""
        return self.stop_reason is not None

    def attach(self) -> None:
        """Wake the running event loop on every change from now on."""
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def change(self, *, pausing: bool | None = None, stop: str | None = None) -> None:
        """Ask for a pause or its end, or for a stop for a reason."""
        if pausing is not None:
            self.pausing = pausing
        if stop is not None and self.stop_reason is None:
            self.stop_reason = stop
        self.wake()

    def answer(self, question: int, text: str) -> None:
        """Answer the question of that event number."""
        self._answer = (question, text)
        self.wake()

    def answered(self, question: int) -> str | None:
        """What was answered to the question of that event number."""
        if self._answer is not None and self._answer[0] == question:
            return self._answer[1]
        return None

    def wake(self) -> None:
        """Let the event loop look again."""
        if self._loop is not None and self._changed is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._changed.set)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds after a change."""
        assert self._changed is not None
        while not condition():
            self._changed.clear()
            await self._changed.wait()


class Stopper:
    """Stops a run: makes the devices safe on its own path, then writes it down. Callable from any thread."""

    def __init__(self, switches: Switches, ledger: Ledger, make_safe: MakeSafe) -> None:
        self._switches = switches
        self._ledger = ledger
        self._make_safe = make_safe
        self._once = threading.Lock()

    def stop(self, reason: str) -> str | None:
        """Make safe and write down why; returns what went wrong with making safe, or ``None``.

        Raises:
            RecordError: the devices were told, and that could not be stored.
        """
        self._switches.change(stop=reason)
        with self._once:
            trouble = try_to_make_safe(self._make_safe)
            try:
                self._ledger.append_stop(reason, safe=trouble is None)
            finally:
                self._switches.stopped.set()
                self._switches.wake()
        return trouble


def try_to_make_safe(make_safe: MakeSafe) -> str | None:
    """Make the devices safe from a thread and an event loop of their own; returns what went wrong, or ``None``.

    Whatever the devices do, this returns within :data:`SAFE_SECONDS`.
    """
    trouble: list[str | None] = []

    def attempt() -> None:
        try:
            asyncio.run(_awaited(make_safe))
        except Exception as error:  # whatever it is: the stop must be written down as unsafe, and told
            trouble.append(str(error) or type(error).__name__)
        else:
            trouble.append(None)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(SAFE_SECONDS)
    return trouble[0] if trouble else f"the devices did not confirm within {SAFE_SECONDS:g} s"


async def _awaited(make_safe: MakeSafe) -> None:
    await make_safe()


class ControlServer:
    """Serves the control channel of one run until closed."""

    def __init__(self, folder: Path, ledger: Ledger, switches: Switches, stopper: Stopper) -> None:
        self.address = str(socket_path(folder, "control"))
        self._ledger = ledger
        self._switches = switches
        self._stopper = stopper
        serve = self._reply

        class Handler(socketserver.StreamRequestHandler):
            timeout = _READ_SECONDS

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # whoever asked is gone, or asks nothing
                    line = self.rfile.readline(_LONGEST_LINE)
                    self.wfile.write(json.dumps(serve(line)).encode() + b"\n")

        with contextlib.suppress(FileNotFoundError):  # left by a run of this folder that was killed
            os.unlink(self.address)
        try:
            self._server = _Server(self.address, Handler)
        except OSError as error:
            raise InputError(
                f"no control socket can be made there ({error})",
                where=self.address,
                mend="Let TMPDIR name a folder with a short path",
            ) from None
        os.chmod(self.address, 0o600)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving, once every request that is being served has its reply, and take the socket away."""
        self._server.shutdown()
        self._server.server_close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reply(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            command = request["command"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"error": "a request is one line of JSON with a command"}
        try:
            return self._obey(command, request)
        except LabwrightError as error:
            return {"error": str(error)}

    def _obey(self, command: object, request: dict[str, Any]) -> dict[str, Any]:
        match command:
            case "status":
                return self._status()
            case "pause" | "resume":
                self._switches.change(pausing=command == "pause")
                return {"ok": True}
            case "stop":
                trouble = self._stopper.stop(_plain(request.get("reason")) or "a person stopped the run")
                return {"ok": True} if trouble is None else {"error": trouble}
            case "answer":
                return self._answer(request.get("answer"))
        return {"error": f"there is no command '{command}'"}

    def _answer(self, answer: object) -> dict[str, Any]:
        with self._ledger.lock:
            question = self._ledger.progress.question
            if question is None or self._ledger.progress.answer is not None:
                return {"error": "no question is open"}
            if answer not in question.choices:
                return {"error": f"answer one of: {', '.join(question.choices)}"}
            self._switches.answer(question.sequence, str(answer))
            return {"ok": True}

    def _status(self) -> dict[str, Any]:
        with self._ledger.lock:
            progress = self._ledger.progress
            question = None if progress.answer is not None else progress.question
            return {
                "run": self._ledger.journal.run,
                "phase": progress.phase,
                "done": len(progress.finished),
                "total": len(progress.program.instructions),
                "instruction": progress.current,
                "clock": progress.state.clock,
                "question": question and {"question": question.text, "choices": list(question.choices)},
            }


class _Server(socketserver.ThreadingUnixStreamServer):
    """Closing it waits for the requests under way, so that whoever asked for a stop hears how it went."""


def _plain(text: object) -> str:
    """Text that a record can hold: not endless, and without halves of characters."""
    return "" if text is None else str(text)[:_LONGEST_REASON].encode("utf-8", "replace").decode()


def send(address: str, command: Command, *, timeout: float = 15.0, **fields: str) -> dict[str, Any]:
    """Ask something of the run that listens at ``address``; waits up to ``timeout`` s for the reply.

    Raises:
        InputError: nobody listens there, or the request was refused.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout)
            client.connect(address)
            client.sendall(json.dumps({"command": command, **fields}).encode() + b"\n")
            with client.makefile("rb") as stream:
                reply = json.loads(stream.readline())
    except (OSError, ValueError) as error:
        raise InputError(
            f"the run does not answer ({error})", mend="`labwright runs list` shows which are going on"
        ) from None
    if "error" in reply:
        raise InputError(str(reply["error"]), where=command)
    return dict(reply)
