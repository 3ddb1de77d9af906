"""The devices of a workcell for one run: a lab simulated in this process, one simulated in a process of its own, or
real machines. Changing a driver's name in the workcell file moves a run from one to another.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Protocol

from pylabrobot.io.validation_utils import LOG_LEVEL_IO

from protocols.errors import DeviceError
from protocols.labstate import LabState
from protocols.program import Program
from protocols.specs import WorkcellSpec
from robots.driver.driver import PyLabRobotDriver, make_driver
from robots.execution.approval import is_simulated
from robots.execution.devices import Devices
from robots.execution.run_folder import RunFolder, Simulation
from robots.ports import Driver
from robots.simulator import LocalWorld, RemoteWorld, World, WorldPort, WorldProcess, halt
from robots.simulator.record import ActRecord
from robots.simulator.remote import listens
from robots.workcell import Workcell

_PYLABROBOT = logging.getLogger("pylabrobot")
DEVICES_LOG = "devices.log"
"""In the folder of a run: what pylabrobot told the machines, line by line."""
WORLD_IDLE = 600.0
"""s after which a simulated lab whose run was killed ends by itself; its log stays."""


class _Lab:
    """What the three have in common: a driver for this program and run."""

    def __init__(self, workcell: Workcell, program: Program, run: str) -> None:
        self._workcell = workcell
        self._program = program
        self._run = run

    async def _connect(self, state: LabState, world: WorldPort) -> PyLabRobotDriver:
        driver = make_driver(self._workcell, self._program, state, self._run, world=world)
        await world.prepare(self._program.labware, self._program.contents, self._program.liquids, run=self._run)
        await driver.setup()
        return driver


class LocalLab(_Lab):
    """A lab simulated in this process, gone when it is closed: for a simulation that nobody will resume.

    Attributes:
        world: the simulated lab, for measuring what really happened.
        acts: what happened in it, once it is closed.
    """

    def __init__(self, workcell: Workcell, program: Program, run: str, simulation: Simulation) -> None:
        super().__init__(workcell, program, run)
        self.world = World(
            workcell.spec,
            seed=simulation.seed,
            noise=simulation.noise,
            faults=simulation.faults,
            pace=simulation.pace,
            on_power_cut=lambda: None,  # this process is the person's own
        )
        self.acts: tuple[ActRecord, ...] = ()

    async def connect(self, state: LabState) -> Driver:
        """See :class:`~robots.execution.devices.Devices`."""
        return await self._connect(state, LocalWorld(self.world))

    async def make_safe(self) -> None:
        """See :class:`~robots.execution.devices.Devices`."""
        self.world.make_safe()

    async def close(self) -> None:
        """See :class:`~robots.execution.devices.Devices`."""
        self.acts = self.world.log()
        self.world.close()


class LabProcess(Protocol):
    """The process of a simulated lab; :class:`~robots.simulator.WorldProcess` is one."""

    socket: Path

    def start(self) -> RemoteWorld:
        """Start it, or use the one that is there; see :meth:`robots.simulator.WorldProcess.start`."""
        ...

    def end(self) -> None:
        """End it in good order and wait until it is gone."""
        ...


class RemoteLab(_Lab):
    """A lab simulated in a process of its own, on a durable log: it outlives a run that is killed."""

    def __init__(self, workcell: Workcell, program: Program, run: str, process: LabProcess) -> None:
        super().__init__(workcell, program, run)
        self._process = process
        self._world: RemoteWorld | None = None

    async def connect(self, state: LabState) -> Driver:
        """See :class:`~robots.execution.devices.Devices`; starts the lab's process, again if it died."""
        if self._world is not None:
            await self._world.close()
        self._world = await asyncio.to_thread(self._process.start)
        return await self._connect(state, self._world)

    async def make_safe(self) -> None:
        """See :class:`~robots.execution.devices.Devices`; a lab without a process moves nothing."""
        if listens(self._process.socket):
            await asyncio.to_thread(halt, self._process.socket)

    async def close(self) -> None:
        """End the lab's process in good order; its log stays."""
        if self._world is not None:
            await self._world.close()
            await asyncio.to_thread(self._process.end)


class RealLab(_Lab):
    """The machines that the workcell file names, through pylabrobot; what they are told is kept beside the journal."""

    def __init__(self, workcell: Workcell, run: RunFolder) -> None:
        super().__init__(workcell, run.program, run.run)
        self._driver: PyLabRobotDriver | None = None
        self._said = logging.FileHandler(run.path / DEVICES_LOG, encoding="utf-8")
        self._said.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        _PYLABROBOT.addHandler(self._said)
        self._level = _PYLABROBOT.level
        _PYLABROBOT.setLevel(LOG_LEVEL_IO)

    async def connect(self, state: LabState) -> Driver:
        """See :class:`~robots.execution.devices.Devices`.

        Raises:
            ConnectionLost: the machine does not answer.
            DeviceError: it refuses, or tips are mounted: pylabrobot throws them away when it initialises a machine.
        """
        mounted = [name for name, tips in state.channels.items() if any(tips)]
        if mounted and not all_simulated(self._workcell.spec):
            raise DeviceError(
                f"tips are on {' and '.join(mounted)}, and a machine that is initialised throws them away",
                where=self._workcell.spec.name,
                mend="Give the run up (`labwright runs abandon`), see to the tips, and set the deck up anew",
            )
        self._driver = make_driver(
            self._workcell, self._program, state, self._run
        )  # before it moves: a stop must reach it
        await self._driver.setup()
        return self._driver

    async def make_safe(self) -> None:
        """See :class:`~robots.execution.devices.Devices`.

        Raises:
            DeviceError: the machine cannot be stopped.
        """
        if self._driver is None:
            return  # nothing was ever told to move
        try:
            await self._driver.make_safe()
        except (OSError, RuntimeError) as error:
            raise DeviceError(f"the machine could not be stopped ({error})", mend="Press its own stop button") from None

    async def close(self) -> None:
        """See :class:`~robots.execution.devices.Devices`; the driver lets go of the machines."""
        _PYLABROBOT.setLevel(self._level)
        _PYLABROBOT.removeHandler(self._said)
        self._said.close()


def all_simulated(workcell: WorkcellSpec) -> bool:
    """Whether nothing real moves on this workcell."""
    return all(is_simulated(device.driver) for device in workcell.devices.values())


def needs_world(workcell: WorkcellSpec) -> bool:
    """Whether the liquid handler works in a simulated lab."""
    return any(item.driver == "simulated" for item in workcell.devices.values() if item.kind == "liquid handler")


def make_lab(workcell: Workcell, run: RunFolder, folder: Path, socket: Path) -> Devices:
    """The devices for a run; a simulated lab keeps its log in ``folder`` and listens at ``socket``."""
    simulation = run.record.simulation
    if simulation is None:
        return RealLab(workcell, run)
    process = WorldProcess(
        workcell.spec,
        folder,
        socket=socket,
        seed=simulation.seed,
        noise=simulation.noise,
        faults=simulation.faults,
        pace=simulation.pace,
        idle=WORLD_IDLE,
    )
    return RemoteLab(workcell, run.program, run.run, process)
