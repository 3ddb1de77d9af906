"""The driver: one instruction, one guarded pylabrobot call (two for an arm that moves labware)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from pylabrobot.liquid_handling.errors import ChannelizedError

from protocols.device_instructions import DeviceInstruction
from protocols.errors import DeviceError
from protocols.labstate import LabState
from protocols.outcomes import Outcome
from protocols.program import (
    AnyInstruction,
    AskPerson,
    MoveLabware,
    PipettingInstruction,
    Program,
    ReplaceTipRack,
    Wait,
)
from robots.driver.faults import outcome_of
from robots.driver.machines import Machine, make_machine
from robots.driver.mirror import Mirror
from robots.driver.modules import Modules
from robots.driver.pipetting import Pipetting
from robots.driver.stroke import in_channel_order
from robots.guard import GuardedLiquidHandler, Limit
from robots.ports import ConnectionLost
from robots.simulator import SimulatedLiquidHandler, WorldPort
from robots.simulator.acts import Acts
from robots.simulator.channel_errors import ChannelFault
from robots.workcell import Workcell


def make_driver(
    workcell: Workcell, program: Program, state: LabState, run: str, *, world: WorldPort | None = None
) -> PyLabRobotDriver:
    """The driver of a workcell for one run; nothing is connected before :meth:`PyLabRobotDriver.setup`.

    Args:
        state: what is where now. Whoever runs the program keeps it up to date; the driver reads it before each
            instruction and never writes it.
        run: the run's id, part of each act's id.
        world: the simulated lab, for a simulated workcell.

    Raises:
        DeviceError: the workcell has no liquid handler that can be driven.
    """
    return PyLabRobotDriver(workcell, program, state, run, make_machine(workcell, world), world)


class PyLabRobotDriver:
    """Carries out instructions through pylabrobot, behind the guard; see :class:`robots.ports.Driver`."""

    def __init__(
        self,
        workcell: Workcell,
        program: Program,
        state: LabState,
        run: str,
        machine: Machine,
        world: WorldPort | None = None,
    ) -> None:
        self.answers = machine.answers
        self._workcell = workcell
        self._program = program
        self._state = state
        self._run = run
        self._machine = machine
        self._mirror = Mirror(workcell, state)
        self.handler = GuardedLiquidHandler(machine.backend, self._mirror.deck, _limit(workcell, self._mirror))
        self._pipetting = Pipetting(self.handler, self._mirror, machine.dialect, program, state)
        self._modules = Modules(workcell, state, world)

    @property
    def _simulated(self) -> SimulatedLiquidHandler | None:
        backend = self._machine.backend
        return backend if isinstance(backend, SimulatedLiquidHandler) else None

    async def setup(self) -> None:
        """Connect to the machine.

        Raises:
            ConnectionLost: it does not answer.
            DeviceError: it refuses to start, or the program asks for what it cannot do; then nothing has moved.
        """
        self._refuse_what_cannot_be_done()
        try:
            await self.handler.setup()
            await self._modules.setup()
        except DeviceError:
            raise
        except (OSError, TimeoutError) as error:
            raise ConnectionLost(f"the machine does not answer ({error})", mend="Check power and cable") from error
        except Exception as error:  # backends raise errors of many types when they cannot start
            raise DeviceError(f"the machine does not start ({type(error).__name__}: {error})") from error

    def _refuse_what_cannot_be_done(self) -> None:
        for instruction in self._program.instructions:
            if isinstance(instruction, PipettingInstruction):
                reason = self._machine.dialect.refusal(instruction, self._workcell.spec)
                if reason:
                    raise DeviceError(
                        f"'{instruction.id}': {reason}",
                        where=f"program '{self._program.title}'",
                        mend="Take it out of the program, or run the program on a machine that can do it",
                    )

    def acts(self, instruction: AnyInstruction) -> int:
        """See :meth:`robots.ports.Driver.acts`."""
        return 2 if isinstance(instruction, MoveLabware) and instruction.by == "arm" else 1

    async def execute(self, instruction: AnyInstruction, *, acts_done: int = 0) -> Outcome:
        """See :meth:`robots.ports.Driver.execute`.

        Where all acts are done already, a machine that answers is asked for the last one again: it does not do
        it twice, and says how it went.
        """
        first = min(acts_done, self.acts(instruction) - 1)
        acts = self._acts_of(instruction)
        if acts is not None:
            acts.begin(f"{self._run}:{instruction.id}", first_act=first)
        elif acts_done >= self.acts(instruction):
            return Outcome()
        began = time.monotonic()
        try:
            self._follow(instruction, first)
            await self._carry_out(instruction, first)
        except Exception as error:
            if acts is not None and isinstance(error, ChannelizedError | ChannelFault):
                return acts.outcome()
            outcome = outcome_of(error, instruction, self._numbers(instruction))
        else:
            outcome = Outcome() if acts is None else acts.outcome()
        return outcome.model_copy(update={"seconds": time.monotonic() - began}) if acts is None else outcome

    async def acts_done(self, instruction: AnyInstruction) -> int | None:
        """See :meth:`robots.ports.Driver.acts_done`."""
        acts = self._acts_of(instruction)
        if acts is None or not (self.answers or isinstance(instruction, DeviceInstruction)):
            return None
        return await acts.done(f"{self._run}:{instruction.id}")

    async def make_safe(self) -> None:
        """See :meth:`robots.ports.Driver.make_safe`.

        Raises:
            DeviceError: pylabrobot has no way to stop this machine.
        """
        backend = self._machine.backend
        stop: Any = getattr(backend, "make_safe", None) or getattr(backend, "halt", None)
        if stop is None:
            raise DeviceError("pylabrobot cannot stop this machine", mend="Press its own stop button")
        await stop()
        if not self._machine.halts_at_once:
            raise DeviceError(
                "the machine ends the move that it is in; no further one is sent",
                mend="Keep its emergency stop in reach",
            )

    async def close(self) -> None:
        """See :meth:`robots.ports.Driver.close`."""
        if self.handler.setup_finished:
            await self.handler.stop(leave_mounted=True)
        await self._modules.close()

    # -- before an instruction ----------------------------------------------------------------------

    def _follow(self, instruction: AnyInstruction, first: int) -> None:
        held = self.handler.get_picked_up_resource()
        if isinstance(instruction, MoveLabware) and instruction.by == "arm" and first == 1 and held is None:
            held = self._mirror.labware(instruction.labware)
            self._mirror.hold(self.handler, held)
        self._mirror.follow_labware(held)
        self.handler.kept, self.handler.held_fast = self._mirror.obstacles()
        if isinstance(instruction, PipettingInstruction):
            self._mirror.follow(self.handler, instruction)

    def _numbers(self, instruction: AnyInstruction) -> dict[int, int]:
        """The pipette's channels by pylabrobot's numbers."""
        numbers = self._mirror.numbers.get(getattr(instruction, "pipette", ""), ())
        return {number: channel for channel, number in enumerate(numbers)}

    # -- instructions to calls ----------------------------------------------------------------------

    async def _carry_out(self, instruction: AnyInstruction, first: int) -> None:
        if isinstance(instruction, PipettingInstruction):
            pipette = self._workcell.spec.pipettes.get(instruction.pipette)
            if self._simulated is None and pipette is not None and pipette.independent:
                instruction = in_channel_order(instruction)
            await self._pipetting.carry_out(instruction)
        elif isinstance(instruction, DeviceInstruction):
            await self._modules.carry_out(instruction)
        elif isinstance(instruction, MoveLabware) and instruction.by == "arm":
            await self._move_labware(instruction, first)
        elif isinstance(instruction, Wait) and self._simulated is None:
            await asyncio.sleep(instruction.seconds)
        elif self._simulated is not None:  # on real machines, what a person does is done when they say so
            await _pass_on(instruction, self._simulated)

    async def _move_labware(self, instruction: MoveLabware, first: int) -> None:
        labware, site = self._mirror.labware(instruction.labware), self._mirror.site(instruction.site)
        if first == 0:
            await self.handler.pick_up_resource(labware, destination=site, **self._machine.dialect.grip())
        await self.handler.drop_resource(site, **self._machine.dialect.release(instruction.site))

    def _acts_of(self, instruction: AnyInstruction) -> Acts | None:
        """The acts of the simulated device that carries ``instruction`` out; ``None`` for a real one."""
        if isinstance(instruction, DeviceInstruction):
            return self._modules.acts(instruction.device)
        return self._simulated.acts if self._simulated is not None else None


async def _pass_on(instruction: AnyInstruction, lab: SimulatedLiquidHandler) -> None:
    """What no machine does: the simulated lab is told of it."""
    match instruction:
        case MoveLabware():
            await lab.carry(instruction.labware, instruction.site)
        case ReplaceTipRack():
            await lab.replace_tip_rack(instruction.rack)
        case Wait():
            await lab.wait(instruction.seconds)
        case AskPerson():
            await lab.ask_person(instruction.message)


def _limit(workcell: Workcell, mirror: Mirror) -> Limit:
    """What the workcell allows, by pylabrobot's channel number."""
    pipettes = workcell.spec.pipettes
    single = {name: pipette for name, pipette in pipettes.items() if name not in mirror.heads}
    return Limit(
        flow_rate=workcell.spec.limits.flow_rate,
        volume={number: pipette.max_volume for name, pipette in single.items() for number in mirror.numbers[name]},
        head96_volume=min((pipettes[name].max_volume for name in mirror.heads), default=0.0),
    )
