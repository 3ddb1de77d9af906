"""Approval: a person's word for exactly this program on exactly this workcell, bound by digests."""

from __future__ import annotations

from protocols.digests import digest
from protocols.errors import ApprovalError
from protocols.ports import Approval, RecoveryPolicy
from protocols.program import Program
from protocols.specs import WorkcellSpec
from robots.execution.home import utc_now

SIMULATION = "simulation (nobody)"
"""Who approved a run that can move nothing but the simulator."""


def approve(program: Program, workcell: WorkcellSpec, policy: RecoveryPolicy, *, by: str) -> Approval:
    """The approval of ``by`` for this program, workcell, its limits and this recovery policy, as of now."""
    return Approval(**_digests(program, workcell, policy), by=by, at=utc_now())


def check_approval(approval: Approval | None, program: Program, workcell: WorkcellSpec, policy: RecoveryPolicy) -> None:
    """Make sure that exactly this was approved, by a person where anything but the simulator moves.

    Raises:
        ApprovalError: nothing was approved, or it says which part differs from what was approved.
    """
    place = f"program '{program.title}'"
    mend = "Have a person look at it and approve it again"
    if approval is None:
        raise ApprovalError("nobody approved this run", where=place, mend=mend)
    now = _digests(program, workcell, policy)
    changed = [name.replace("_", " ") for name, value in now.items() if getattr(approval, name) != value]
    if changed:
        raise ApprovalError(
            f"the {' and the '.join(changed)} changed after {approval.by} approved this run",
            where=place,
            mend=mend,
        )
    if approval.by == SIMULATION:
        real = [device.id for device in workcell.devices.values() if not is_simulated(device.driver)]
        if real:
            raise ApprovalError(
                f"the approval is for simulation alone, and {', '.join(real)} is no simulated device",
                where=place,
                mend=mend,
            )


def is_simulated(driver: str) -> bool:
    """Whether a driver of this name moves nothing but the simulator."""
    return driver in ("simulated", "STAR chatterbox")


def _digests(program: Program, workcell: WorkcellSpec, policy: RecoveryPolicy) -> dict[str, str]:
    return {
        "program": digest(program),
        "workcell": digest(workcell),
        "limits": digest(workcell.limits),
        "recovery_policy": digest(policy),
    }
