"""The runner's connection to the devices: made again when it is lost, cut short when somebody stops the run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from protocols.errors import DeviceError
from protocols.labstate import LabState
from protocols.program import AnyInstruction
from robots.execution.control import Switches
from robots.execution.devices import Devices
from robots.execution.halting import Halt, named
from robots.ports import ConnectionLost, Driver

RECONNECT_PAUSES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""s before each attempt to reach the devices again."""
MOST_LOSSES = 5
"""Connections that one instruction may lose before the run stops for a person to look."""
STOP_GRACE = 0.5
"""s that a stopped instruction has to report how it ended, and as much again to heed that it is cancelled."""
CLOSE_SECONDS = 5.0
"""s that a driver may take to let go of its devices."""

T = TypeVar("T")


class Connection:
    """A driver, as long as nobody stops the run."""

    def __init__(self, devices: Devices, switches: Switches, state: Callable[[], LabState]) -> None:
        """``state``: what is where now, for a driver that connects anew."""
        self._devices = devices
        self._switches = switches
        self._state = state
        self._driver: Driver | None = None
        self._losses: dict[str, int] = {}
        self._stopped: asyncio.Future[None] | None = None

    @property
    def driver(self) -> Driver:
        """The driver that is connected now."""
        assert self._driver is not None
        return self._driver

    async def open(self) -> None:
        """Connect; an attempt that fails is made again, for a while.

        Raises:
            Halt: the devices do not answer, or somebody stops the run.
            DeviceError: they refuse.
        """
        self._stopped = self._stopped or asyncio.ensure_future(self._switches.until(lambda: self._switches.stopping))
        lost: ConnectionLost | None = None
        for pause in RECONNECT_PAUSES:
            await asyncio.wait({self._stopped}, timeout=pause)
            if self._switches.stopping:
                raise Halt("stopped")
            try:
                self._driver = await self._unless_stopped(self._devices.connect(self._state()))
                return
            except ConnectionLost as error:
                lost = error
        raise Halt(f"the devices do not answer: {lost}", lost)

    async def close(self) -> None:
        """Let go of the devices for good."""
        if self._stopped is not None:
            self._stopped.cancel()
        await self._disconnect()

    async def ask(self, call: Callable[[Driver], Coroutine[Any, Any, T]]) -> T:
        """Await the driver.

        Raises:
            Halt: somebody stops the run; the driver was given a moment to report.
            ConnectionLost, DeviceError: as the driver says.
        """
        return await self._unless_stopped(call(self.driver))

    async def renew(self, instruction: AnyInstruction, error: ConnectionLost) -> None:
        """Connect again after ``instruction`` lost the connection.

        Raises:
            Halt: it lost it too often, or the devices do not answer.
        """
        self._losses[instruction.id] = self._losses.get(instruction.id, 0) + 1
        if self._losses[instruction.id] > MOST_LOSSES:
            raise Halt(f"{named(instruction)} lost the connection {MOST_LOSSES + 1} times", error)
        await self._disconnect()
        await self.open()

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """Await a device; a stop cuts it short after a moment."""
        assert self._stopped is not None
        if self._switches.stopping:
            work.close()
            raise Halt("stopped")
        task = asyncio.ensure_future(work)
        either: set[asyncio.Future[Any]] = {task, self._stopped}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({task}, timeout=STOP_GRACE)
        finally:
            await _give_up(task)
        if not task.done() or task.cancelled():
            raise Halt("stopped")
        try:
            return task.result()
        except (DeviceError, OSError):
            if self._switches.stopping:  # a device that was made safe refuses
                raise Halt("stopped") from None
            raise

    async def _disconnect(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            with contextlib.suppress(Exception):  # a broken connection may say anything while it closes
                await asyncio.wait_for(driver.close(), CLOSE_SECONDS)


async def _give_up(task: asyncio.Future[Any]) -> None:
    """Cancel what still goes on; what ignores that is left alone."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=STOP_GRACE)
    if task.done() and not task.cancelled():
        task.exception()  # heard, so that nobody reports it as forgotten
