"""An approval is a person's word for exactly this, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import ApprovalError
from protocols.ports import Approval, RecoveryPolicy
from protocols.program import Program, Wait
from protocols.specs import DeviceSpec, Limits, WorkcellSpec
from robots.execution.approval import SIMULATION, approve, check_approval
from tests.execution.lab import EVERY_KIND, program, starlet

PROGRAM, POLICY = program(*EVERY_KIND), RecoveryPolicy(choices={"clog": "retry"})


def spec(**drivers: str) -> WorkcellSpec:
    """The STARlet with these drivers."""
    spec = starlet().spec
    devices = {name: DeviceSpec(**{**device.model_dump(), "driver": drivers.get(name, device.driver)})
               for name, device in spec.devices.items()}  # fmt: skip
    return spec.model_copy(update={"devices": devices})


def test_what_was_approved_may_run_after_a_trip_through_json() -> None:
    approval = approve(PROGRAM, spec(), POLICY, by="Ada")
    again = Approval.model_validate_json(approval.model_dump_json())
    check_approval(
        again,
        Program.model_validate_json(PROGRAM.model_dump_json()),
        WorkcellSpec.model_validate_json(spec().model_dump_json()),
        RecoveryPolicy.model_validate_json(POLICY.model_dump_json()),
    )
    assert approval.by == "Ada"
    assert approval.at.startswith("20")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"program": program(*EVERY_KIND, Wait(id="more", seconds=1.0))}, "the program changed"),
        ({"program": PROGRAM.model_copy(update={"title": "a text"})}, "the program changed"),
        ({"workcell": spec(handler="STAR")}, "the workcell changed"),
        (
            {"workcell": spec().model_copy(update={"limits": Limits(flow_rate=2000.0)})},
            "the workcell and the limits changed",
        ),
        ({"policy": RecoveryPolicy()}, "the recovery policy changed"),
        ({"policy": POLICY.model_copy(update={"most_retries": 2})}, "the recovery policy changed"),
        ({"program": program(), "policy": RecoveryPolicy()}, "the program and the recovery policy changed"),
    ],
)
def test_what_changed_since_is_named_and_refused(changes: dict[str, Any], named: str) -> None:
    approval = approve(PROGRAM, spec(), POLICY, by="Ada")
    now = {"program": PROGRAM, "workcell": spec(), "policy": POLICY} | changes
    with pytest.raises(ApprovalError, match=f"{named} after Ada approved this run"):
        check_approval(approval, **now)


@pytest.mark.parametrize("part", ["program", "workcell", "limits", "recovery_policy"])
def test_each_digest_binds(part: str) -> None:
    approval = approve(PROGRAM, spec(), POLICY, by="Ada").model_copy(update={part: "0" * 64})
    with pytest.raises(ApprovalError, match=f"the {part.replace('_', ' ')} changed after Ada"):
        check_approval(approval, PROGRAM, spec(), POLICY)


def test_without_an_approval_nothing_runs() -> None:
    with pytest.raises(ApprovalError, match="nobody approved this run"):
        check_approval(None, PROGRAM, spec(), POLICY)


@pytest.mark.parametrize("handler", ["STAR", "OT-2", "Simulated", "simulated "])
def test_an_approval_for_simulation_moves_no_real_device(handler: str) -> None:
    real = spec(handler=handler)
    with pytest.raises(ApprovalError, match="handler is no simulated device"):
        check_approval(approve(PROGRAM, real, POLICY, by=SIMULATION), PROGRAM, real, POLICY)
    check_approval(approve(PROGRAM, real, POLICY, by="Ada"), PROGRAM, real, POLICY)


def test_every_device_that_is_not_simulated_is_named() -> None:
    real = spec(handler="STAR", gripper="STAR")
    with pytest.raises(ApprovalError, match="handler, gripper is no simulated device"):
        check_approval(approve(PROGRAM, real, POLICY, by=SIMULATION), PROGRAM, real, POLICY)


def test_an_approval_for_simulation_moves_what_is_simulated() -> None:
    check_approval(approve(PROGRAM, spec(), POLICY, by=SIMULATION), PROGRAM, spec(), POLICY)
